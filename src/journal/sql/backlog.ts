// How much is not finished, and since when, in the SQL journal. Reads an index that holds unfinished events
// only, so that it costs nothing to have finished millions.

import { type Backlog, type BacklogStatus, backlogOf } from '../archive.ts';
import type { SqlTransaction } from './database.ts';
import { UNFINISHED } from './statements.ts';

interface BacklogRow {
  readonly status: BacklogStatus;
  readonly events: number;
  readonly oldest_ms: number;
}

export async function findBacklog(tx: SqlTransaction): Promise<Backlog> {
  const rows = await tx.query<BacklogRow>(FIND_BACKLOG);
  return backlogOf(
    rows.map(({ status, events, oldest_ms }) => ({
      status,
      events: Number(events),
      oldestAgeMs: Math.max(0, tx.nowMs - Number(oldest_ms)),
    })),
  );
}

const FIND_BACKLOG = `select stands as status, count(*) as events, min(since_ms) as oldest_ms from (
  select case when status = 'waiting' and timer_key is not null then 'timer'
      when status = 'parked' and brake = 'held' then 'held' else status end as stands,
    case when timer_key is null or status = 'parked' then coalesce(begun_ms, accepted_ms)
      else due_ms end as since_ms
  from events where ${UNFINISHED}) unfinished group by stands`;
