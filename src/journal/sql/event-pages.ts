// Lists of the SQL journal: pages of events by filter, with their payloads or without. A page goes by the sequence
// of arrival, so it costs the same however many events there are. Only reads.

import type { EventStatus } from '../../core/model.ts';
import { subjectText } from '../../core/stored-text.ts';
import type { EventFilter, EventPage, TrafficPage } from '../archive.ts';
import { createKeyedHash } from '../keyed-hash.ts';
import { referencesFor } from '../references.ts';
import type { SqlTransaction, SqlValue } from './database.ts';
import {
  EVENT_COLUMNS,
  type EventRow,
  PAYLOAD_COLUMN,
  type TrafficRow,
  toRecord,
  toRecorded,
} from './rows.ts';
import { anyProvider, NOT_DONE, UNFINISHED } from './statements.ts';

const LIMIT_MAX = 1000;
/** Which of the indexes by status holds what is of this status; those that are done are too many for one. */
const INDEXES_BY_STATUS: Readonly<Record<EventStatus, string | undefined>> = {
  queued: UNFINISHED,
  running: UNFINISHED,
  waiting: NOT_DONE,
  parked: NOT_DONE,
  failed: NOT_DONE,
  ignored: NOT_DONE,
  unmatched: NOT_DONE,
  done: undefined,
};

/** The filter as conditions and their parameters; statements and values never mix. */
async function conditionsOf(
  tx: SqlTransaction,
  filter: EventFilter,
): Promise<{ sql: string; parameters: SqlValue[] }> {
  const conditions: string[] = [];
  const parameters: SqlValue[] = [];
  const add = (sql: string, value: SqlValue): void => {
    parameters.push(value);
    conditions.push(sql.replaceAll('?', `$${parameters.length}`));
  };
  if (filter.status !== undefined) {
    add('status = ?', filter.status);
    const index = INDEXES_BY_STATUS[filter.status];
    if (index !== undefined) conditions.push(index);
  }
  if (filter.isHeld === true)
    conditions.push(`brake = 'held' and status = 'parked' and ${NOT_DONE}`);
  if (filter.source !== undefined) add('source = ?', filter.source);
  if (filter.type !== undefined) add('type = ?', filter.type);
  const times: string[] = [];
  for (const [comparison, ms] of [
    ['>=', filter.sinceMs],
    ['<', filter.untilMs],
  ] as const) {
    if (ms === undefined) continue;
    add(`accepted_ms ${comparison} ?`, ms);
    times.push(`accepted_ms ${comparison} $${parameters.length}`);
  }
  if (times.length > 0) {
    // Pages go by the sequence; its bounds keep what was accepted at other times from being read.
    // `+ 0`, or SQLite would look for them along the sequence rather than along the times.
    const within = `from events where ${times.join(' and ')}`;
    conditions.push(`sequence >= (select min(sequence + 0) ${within})`);
    conditions.push(`sequence <= (select max(sequence + 0) ${within})`);
  }
  if (filter.subject !== undefined) {
    add(
      `event_key in (select event_key from event_subjects where subject in (${ANY}))`,
      subjectText(filter.subject),
    );
  }
  if (filter.about !== undefined) {
    const listed = (await findReferences(tx, filter.about)).map((reference) => {
      parameters.push(reference);
      return `$${parameters.length}`;
    });
    add(
      `sequence in (
        select sequence from event_references where reference in (${listed.join(', ')})
        union select sequence from events where event_key in (${ANY})
        union select sequence from event_subjects where subject in (${ANY})
        union select sequence from events where type = ?)`,
      subjectText(filter.about),
    );
  }
  return { sql: conditions.length === 0 ? '1 = 1' : conditions.join(' and '), parameters };
}

const ANY = anyProvider('?');

/** What a text may refer to; an e-mail address also by the user that is remembered under it. */
async function findReferences(tx: SqlTransaction, about: string): Promise<readonly string[]> {
  const [key] = await tx.query<{ value: string }>(
    "select value from keywright_meta where name = 'hash_key'",
  );
  const { references, lookup } = referencesFor(about, createKeyedHash(key?.value ?? ''));
  if (lookup === undefined) return references;
  const users = await tx.query<{ user_id: string }>(
    'select user_id from known_users where lookup = $1',
    [lookup],
  );
  return [...references, ...users.map(({ user_id }) => `user:${user_id}`)];
}

interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export async function listEvents(
  tx: SqlTransaction,
  filter: EventFilter,
  page: PageRequest,
): Promise<EventPage> {
  const { rows, cursor } = await pageOf<EventRow>(tx, LISTED_COLUMNS, filter, page);
  return { events: rows.map(toRecord), cursor };
}

export async function listTraffic(
  tx: SqlTransaction,
  filter: EventFilter,
  page: PageRequest,
): Promise<TrafficPage> {
  const { rows, cursor } = await pageOf<TrafficRow>(tx, TRAFFIC_COLUMNS, filter, page);
  return { events: rows.map(toRecorded), cursor };
}

async function pageOf<Row extends Pick<EventRow, 'sequence'>>(
  tx: SqlTransaction,
  columns: string,
  filter: EventFilter,
  page: PageRequest,
): Promise<{ rows: readonly Row[]; cursor: string | undefined }> {
  const limit = Math.max(1, Math.min(page.limit, LIMIT_MAX));
  const { sql, parameters } = await conditionsOf(tx, filter);
  const before = page.cursor === undefined ? undefined : Number(page.cursor);
  const isUsable = before !== undefined && Number.isSafeInteger(before);
  if (isUsable) parameters.push(before);
  const rows = await tx.query<Row>(
    `select ${columns} from events
      where ${sql}${isUsable ? ` and sequence < $${parameters.length}` : ''}
      order by sequence desc limit ${limit + 1}`,
    parameters,
  );
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const cursor = rows.length > limit && last !== undefined ? String(last.sequence) : undefined;
  return { rows: shown, cursor };
}

export async function countEvents(tx: SqlTransaction, filter: EventFilter): Promise<number> {
  const { sql, parameters } = await conditionsOf(tx, filter);
  const [row] = await tx.query<{ events: number }>(
    `select count(*) as events from events where ${sql}`,
    parameters,
  );
  return row?.events ?? 0;
}

/** From one type to the next along an index, so that it costs by types and not by events. */
export const FIND_TYPES = `with recursive found (type) as (
    select min(type) from events
    union all
    select (select min(events.type) from events where events.type > found.type)
    from found where found.type is not null)
  select type from found where type is not null limit 500`;

/** Whether there is a payload, without reading it; no plan, which is long and not shown in a list. */
const LISTED_COLUMNS = EVENT_COLUMNS.replace(
  PAYLOAD_COLUMN,
  "case when is_erased = 1 then null else '{}' end as payload",
).replace(' plan,', ' null as plan,');

const TRAFFIC_COLUMNS = `sequence, source, provider, event_id, type, time_ms, live, ${PAYLOAD_COLUMN}`;
