// The order of the events of each subject: first the one in work, then one that was put off with an open
// operation, then the queued events by their own time. An event is ready when it is the first of all its subjects.
// Takes a transaction that holds the subjects.

import { listed, type SqlDatabase, type SqlTransaction } from './database.ts';
import { UNFINISHED } from './statements.ts';

/**
 * `aside`: finished, waiting or parked. `held`: put off with an operation that is intended and not done; its
 * call may have changed the license, so that nothing overtakes it, whatever its status.
 */
export const POSITION = { aside: 0, queued: 1, held: 2, inWork: 3 } as const;

const HEAD = `select event_key from event_subjects
  where subject = $1 and position > 0
  order by position desc, time_ms, sequence limit 1`;

const FIRST_TWO = HEAD.replace('limit 1', 'limit 2');

/** How many lines the event is in without being their head. */
const BEHIND = `select count(*) as behind from event_subjects mine
  where mine.event_key = $1 and mine.event_key <> (
    select other.event_key from event_subjects other
    where other.subject = mine.subject and other.position > 0
    order by other.position desc, other.time_ms, other.sequence limit 1)`;

const MARK_READY = "update events set ready = 1 where event_key = $1 and status = 'queued'";
const MARK_NOT_READY = 'update events set ready = 0 where event_key = $1 and ready = 1';
const MOVE = 'update event_subjects set position = $2 where event_key = $1';
const PUT_OFF = `update event_subjects set position = case
  when exists (select 1 from operations where operations.event_key = $1 and state = 'intended')
  then ${POSITION.held} else $2 end where event_key = $1`;

/** After an event was taken, or has ended. */
export async function moveTo(
  tx: SqlTransaction,
  eventKey: string,
  position: typeof POSITION.inWork | typeof POSITION.aside,
): Promise<void> {
  await tx.query(MOVE, [eventKey, position]);
}

/** After an event was queued, or steps aside for a time; with an open operation it is held. */
export async function putOff(
  tx: SqlTransaction,
  eventKey: string,
  position: typeof POSITION.queued | typeof POSITION.aside,
): Promise<void> {
  await tx.query(PUT_OFF, [eventKey, position]);
}

/** Puts an event elsewhere in its lines, for a time that is not its own. */
export async function movePlace(
  tx: SqlTransaction,
  eventKey: string,
  timeMs: number,
): Promise<void> {
  await tx.query('update event_subjects set time_ms = $2 where event_key = $1', [eventKey, timeMs]);
}

/** After an event was put into its lines: it may be ready, and whoever it came before no longer is. */
export async function afterEntering(
  tx: SqlTransaction,
  database: SqlDatabase,
  eventKey: string,
  subjects: readonly string[],
): Promise<void> {
  for (const subject of subjects) {
    const [first, second] = await tx.query<{ event_key: string }>(FIRST_TWO, [subject]);
    if (first?.event_key === eventKey && second !== undefined) {
      await markNotReady(tx, second.event_key);
    }
  }
  await markIfReady(tx, database, eventKey);
}

/** After an event left its lines: their new heads may be ready. Gives whether there are any. */
export async function afterLeaving(
  tx: SqlTransaction,
  database: SqlDatabase,
  subjects: readonly string[],
): Promise<boolean> {
  const heads = new Set<string>();
  for (const subject of subjects) {
    const [head] = await tx.query<{ event_key: string }>(HEAD, [subject]);
    if (head !== undefined) heads.add(head.event_key);
  }
  for (const head of [...heads].sort()) await markIfReady(tx, database, head);
  return heads.size > 0;
}

/**
 * The event may have further subjects, which this transaction does not hold. Its row is held while it is
 * asked, so that of two transactions that each free one of its subjects the later one sees both.
 */
async function markIfReady(
  tx: SqlTransaction,
  database: SqlDatabase,
  eventKey: string,
): Promise<void> {
  await database.lockEvent(tx, eventKey);
  if (await isHeadEverywhere(tx, eventKey)) await tx.query(MARK_READY, [eventKey]);
}

/** Takes the mark away; whoever leaves its lines sets it again. */
export async function markNotReady(tx: SqlTransaction, eventKey: string): Promise<void> {
  await tx.query(MARK_NOT_READY, [eventKey]);
}

/** Whether nobody stands before the event; certain for whoever holds its subjects. */
export async function isHeadEverywhere(tx: SqlTransaction, eventKey: string): Promise<boolean> {
  const [row] = await tx.query<{ behind: number }>(BEHIND, [eventKey]);
  return row?.behind === 0;
}

/** Whether nobody stands in any of these lines; certain for whoever holds the subjects. */
export async function areEmpty(tx: SqlTransaction, subjects: readonly string[]): Promise<boolean> {
  for (const subject of subjects) {
    const [head] = await tx.query(HEAD, [subject]);
    if (head !== undefined) return false;
  }
  return true;
}

/**
 * Events that wait for a license of one of these subjects become due. Gives whether there are any.
 * Few wait as a rule, whatever a subject has seen in its years; where many do, those of the subject are few.
 */
export async function wakeWaiting(
  tx: SqlTransaction,
  database: SqlDatabase,
  subjects: readonly string[],
): Promise<boolean> {
  const [row] = await tx.query<{ waiting: number }>(COUNT_WAITING);
  if (row === undefined || row.waiting === 0) return false;
  const waits = row.waiting < WAITING_FEW ? `${WAITS} and ${UNFINISHED}` : WAITS;
  const woken = await tx.query(
    `update events set due_ms = $1 where ${waits} and due_ms > $1 and event_key in (
      select event_key from event_subjects where subject in (${database.listItems('$2')}))
      returning event_key`,
    [tx.nowMs, listed(subjects)],
  );
  return woken.length > 0;
}

const WAITING_FEW = 100;
/** With the words of the index `events_unfinished`, SQLite goes by the status; without them, by the subject. */
const WAITS = "status = 'waiting' and timer_key is null";
const COUNT_WAITING = `select count(*) as waiting
  from (select 1 from events where ${WAITS} and ${UNFINISHED} limit ${WAITING_FEW}) few`;
