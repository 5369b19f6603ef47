// The brake in the SQL journal. What is about to be taken is counted in the transaction that notes it, with the
// source held against all others, so that two replicas at once cannot both pass. A count reads an index by source,
// action and time; what is too old for any limit is forgotten.

import { BRAKE_PERIOD_MS_MAX } from '../../core/brake.ts';
import { droppedOutcome, type HeldDecision, type HeldVerdict } from '../archive.ts';
import { type BrakeAnswer, type BrakeQuestion, decideBrake } from '../brake.ts';
import { type SqlDatabase, type SqlTransaction, WITHOUT_WAITING } from './database.ts';
import { type EventRow, toOutcome, toSubjects } from './rows.ts';
import { FIND_EVENT, REQUEUE } from './statements.ts';
import { afterEntering, afterLeaving, moveTo, POSITION, putOff } from './subject-order.ts';
import { endTimer } from './timers.ts';

export async function askBrake(
  database: SqlDatabase,
  { eventKey, source, operations, limits }: BrakeQuestion,
): Promise<BrakeAnswer> {
  return database.transaction(async (tx) => {
    await database.lockSubjects(tx, [`brake ${source}`]);
    // Time that was spent waiting for the lock counts.
    const nowMs = await database.presentMs(tx);
    const keys = JSON.stringify(operations.map(({ key }) => key));
    const known = await tx.query<{ operation_key: string }>(knownOf(database), [keys]);
    const counted = new Set(known.map((row) => row.operation_key));
    const wanted = operations.filter(({ key }) => !counted.has(key));
    for (const [action, limit] of Object.entries(limits)) {
      const count = wanted.filter((operation) => operation.action === action).length;
      if (count === 0) continue;
      const values = [source, action, nowMs - limit.periodMs, limit.licenses];
      const [row] = await tx.query<{ licenses: number | string }>(COUNT, values);
      const answer = decideBrake(action, count, Number(row?.licenses ?? 0), limit);
      if (answer.kind === 'held') return answer;
    }
    for (const { key, action } of wanted) {
      if (limits[action] === undefined) continue;
      await tx.query(NOTE, [key, eventKey, source, action, nowMs]);
    }
    return { kind: 'free' };
  });
}

/** A person's word on an event that is held. */
export async function decideHeld(
  database: SqlDatabase,
  key: string,
  verdict: HeldVerdict,
): Promise<HeldDecision> {
  return database.transaction(async (tx) => {
    const [found] = await tx.query<{ subjects: string }>(
      'select subjects from events where event_key = $1',
      [key],
    );
    if (found === undefined) return { kind: 'unknown' };
    const subjects = toSubjects(found);
    await database.lockSubjects(tx, subjects);
    const [row] = await tx.query<EventRow>(FIND_EVENT, [key]);
    if (row?.brake !== 'held' || row.status !== 'parked') return { kind: 'not held' };
    if (verdict === 'drop') {
      const outcome = droppedOutcome(toOutcome(row) ?? { eventId: row.event_id });
      await tx.query(DROP, [key, JSON.stringify(outcome), tx.nowMs]);
      await moveTo(tx, key, POSITION.aside);
      const hasFollowers = await afterLeaving(tx, database, subjects);
      if (row.timer_key !== null) await endTimer(tx, row.timer_key, key);
      await database.announce(tx, hasFollowers ? 'work' : 'change');
      return { kind: 'dropped' };
    }
    await tx.query(REQUEUE, [key, tx.nowMs]);
    await tx.query("update events set brake = 'released' where event_key = $1", [key]);
    await putOff(tx, key, POSITION.queued);
    await afterEntering(tx, database, key, subjects);
    await database.announce(tx);
    return { kind: 'released' };
  }, WITHOUT_WAITING);
}

/** What the event did not do after all counts no more. */
export async function uncountUndone(tx: SqlTransaction, eventKey: string): Promise<void> {
  await tx.query(UNCOUNT, [eventKey]);
}

/** Forgets what is too old for any limit. */
export async function forgetCounted(tx: SqlTransaction): Promise<void> {
  await tx.query('delete from brake_counts where counted_ms < $1', [
    tx.nowMs - BRAKE_PERIOD_MS_MAX,
  ]);
}

const knownOf = (database: SqlDatabase): string =>
  `select operation_key from brake_counts where operation_key in (${database.listItems('$1')})`;

/** No further than decides it. */
const COUNT = `select count(*) as licenses from (
  select 1 from brake_counts where source = $1 and action = $2 and counted_ms > $3 limit $4 + 1) counted`;

const NOTE = `insert into brake_counts (operation_key, event_key, source, action, counted_ms)
  values ($1, $2, $3, $4, $5) on conflict (operation_key) do nothing`;

const DROP = `update events set status = 'ignored', brake = 'dropped', outcome = $2, settled_ms = $3,
  due_ms = $3, replay = null, timer_key = null where event_key = $1`;

const UNCOUNT = `delete from brake_counts where event_key = $1 and not exists (
  select 1 from operations where operations.operation_key = brake_counts.operation_key)`;
