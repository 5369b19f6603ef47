// The statements of the SQL journal that are about events. SQL only; the same for SQLite and PostgreSQL.

import type { EventStatus } from '../../core/model.ts';
import { PROVIDERS } from '../../core/providers.ts';
import type { SqlDatabase } from './database.ts';
import { EVENT_COLUMNS } from './rows.ts';

export const UNFINISHED_STATUSES: readonly EventStatus[] = [
  'queued',
  'running',
  'waiting',
  'parked',
];

/**
 * What the indexes by status hold, word for word: SQLite uses such an index only for a statement that says the
 * same. What is done is in neither.
 */
export const UNFINISHED = `status in ('${UNFINISHED_STATUSES.join("', '")}')`;
export const NOT_DONE = "status in ('waiting', 'parked', 'failed', 'ignored', 'unmatched')";

/** How many are looked at for one that nobody else is at. */
const CANDIDATES = 20;

/** When the event of that sequence was accepted; null where there is none any more, see continuity.ts. */
function seenMs(sequence: string): string {
  return `(select seen.accepted_ms from events seen where seen.sequence = ${sequence}) as seen_ms`;
}

/** An event that ended without being done is evaluated anew when it is delivered again. */
export const FINISHED: readonly string[] = ['failed', 'ignored', 'unmatched'];

export const BEGIN_ANEW = 'update events set begun_ms = $2, plan = null where event_key = $1';

export const INSERT_EVENT = `insert into events
  (event_key, source, provider, event_id, type, time_ms, live, subjects, ready,
    due_ms, accepted_ms, status, attempts, lease_owner, lease_ms)
  values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $9, $10, $11, $12, $13)
  on conflict (event_key) do nothing returning sequence, ${seenMs('$14')}`;

export const INSERT_SUBJECT = `insert into event_subjects (subject, event_key, position, time_ms, sequence)
  values ($1, $2, $3, $4, $5)`;

export const SET_SUBJECTS = 'update events set subjects = $2 where event_key = $1';

export const FIND_EVENT = `select ${EVENT_COLUMNS} from events where event_key = $1`;

export const INSERT_PAYLOAD = 'insert into payloads (sequence, payload) values ($1, $2)';

export const REFRESH_PAYLOAD = 'update events set is_erased = 0 where event_key = $1';

export const REQUEUE = `update events set status = 'queued', ready = 0, due_ms = $2, lease_owner = null,
  lease_ms = null where event_key = $1`;

export const FIND_READY = `select event_key, subjects from events
  where ready = 1 and status = 'queued' and due_ms <= $1 order by due_ms, sequence limit ${CANDIDATES}`;

export const TAKE = `update events set status = 'running', ready = 0, attempts = attempts + 1,
  lease_owner = $2, lease_ms = $3
  where event_key = $1 and status = 'queued' and ready = 1 and due_ms <= $4
  returning ${EVENT_COLUMNS}, ${seenMs('$5')}`;

export const SETTLE = `update events set status = $4, outcome = $5, due_ms = $6, settled_ms = $7, ready = 0,
  rules_hash = coalesce($8, rules_hash),
  timer_key = case when $4 in ('queued', 'parked') then coalesce($9, timer_key) else $9 end, lease_owner = null, lease_ms = null,
  replay = case when $4 in ('queued', 'waiting', 'parked') then replay else null end,
  brake = case when $10 = 1 then 'held' when $4 in ('queued', 'waiting', 'parked') then brake else null end
  where event_key = $1 and status = 'running' and lease_owner = $2 and attempts = $3
  returning sequence`;

export const insertReferences = (database: SqlDatabase): string =>
  `with given (reference) as (${database.listItems('$1')})
    insert into event_references (reference, sequence)
    select reference, $2 from given where 1 = 1 on conflict do nothing`;

export const STORE_PLAN = 'update events set plan = $2, rules_hash = $3 where event_key = $1';

export const FIND_DUE_ASIDE = `select event_key, subjects from events
  where status in ('waiting', 'parked') and due_ms <= $1 order by due_ms limit 200`;

export const FIND_LEASE_OVER = `select event_key, subjects from events
  where status = 'running' and lease_ms < $1 order by lease_ms limit 200`;

export const STILL_TO_BRING_BACK = `select event_key from events where event_key = $1 and
  ((status in ('waiting', 'parked') and due_ms <= $2) or (status = 'running' and lease_ms < $2))`;

export const renewLeases = (database: SqlDatabase): string =>
  `update events set lease_ms = $2 where status = 'running' and lease_owner = $1
    and event_key in (${database.listItems('$3')}) returning event_key, attempts`;

export const endLeases = (database: SqlDatabase): string =>
  `update events set lease_ms = 0 where status = 'running' and lease_owner = $2
    and event_key in (${database.listItems('$1')})`;

export const NEXT_DUE = `select newest.sequence, newest.accepted_ms, ${seenMs('$1')}, (
    select min(due_ms) from (
      select min(due_ms) as due_ms from events where ready = 1
      union all
      select min(due_ms) as due_ms from events where status in ('waiting', 'parked')) soonest
  ) as due_ms
  from (select max(sequence) as sequence from events) last
    left join events newest on newest.sequence = last.sequence`;

export const INSERT_ATTEMPT = `insert into attempts
  (event_key, attempt, started_ms, ended_ms, status, reason, calls)
  values ($1, $2, $3, $4, $5, $6, $7) on conflict (event_key, attempt) do nothing`;

/** A write like any other, to see whether one succeeds. */
export const PROBE = `insert into keywright_meta (name, value) values ('probe', $1)
  on conflict (name) do update set value = excluded.value`;

export const WAKE_PUT_OFF = `update events set due_ms = $1
  where due_ms > $1 and settled_ms >= $2 and status in ('queued', 'parked')
    and (brake is null or brake <> 'held') and ${UNFINISHED}`;

export const OWN_PLACE = `update event_subjects set time_ms = (
  select time_ms from events where events.event_key = event_subjects.event_key) where event_key = $1`;

export const STILL_DONE = `select event_key from events
  where event_key = $1 and status = 'done' and is_erased = 0`;

/**
 * For `in (…)`: a thing by its id, with or without the name of its provider before it. The same id of two
 * providers is two things. In the same way for subjects as for events.
 */
export function anyProvider(placeholder: string): string {
  return [placeholder, ...PROVIDERS.map((name) => `'${name}:' || ${placeholder}`)].join(', ');
}
