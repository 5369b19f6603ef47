// How many events came when, in the SQL journal: by stretches of time, source and status. Reads an index that
// holds nothing else (events_counted), and writes nothing.
// A stretch that is over is counted once; what can still change in it is looked at each time:
// - An event is only ever accepted at the present moment, so nothing comes into a stretch that is over.
// - A finished event changes its status only by being begun anew; one that is not finished becomes finished.
// So where no event of a stretch was begun anew, and as many are unfinished as before, its finished ones are the same.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventStatus } from '../../core/model.ts';
import type { Archive, TimeCount } from '../archive.ts';
import { READING, type SqlDatabase, type SqlTransaction } from './database.ts';
import { UNFINISHED, UNFINISHED_STATUSES } from './statements.ts';

/** So long after its end a stretch is over: no transaction that accepted an event in it is still open. */
const SETTLED_MS = 10 * 60_000;
const END_MS = Number.MAX_SAFE_INTEGER;

type Reading = Pick<SqlDatabase, 'kind' | 'transaction'>;

/** What was counted of a stretch that is over. */
interface Counted {
  readonly unfinished: number;
  readonly finished: readonly TimeCount[];
}

/** Counts by time, and remembers what it counted of stretches that are over. */
export function createTimeCounts(database: Reading): Archive['countByTime'] {
  const countedByStep = new Map<
    number,
    { atMs: number; stretches: ReadonlyMap<number, Counted> }
  >();
  const read = <Result>(work: (tx: SqlTransaction) => Promise<Result>) =>
    database.transaction(work, READING);

  const count: Archive['countByTime'] = async (sinceMs, stepMs) => {
    const { atMs: countedMs = 0, stretches: before = new Map<number, Counted>() } =
      countedByStep.get(stepMs) ?? {};
    const firstMs = Math.ceil(sinceMs / stepMs) * stepMs;
    const { atMs, openMs, begunAnew, unfinished } = await read(async (tx) => {
      const settledMs = tx.nowMs - SETTLED_MS;
      const untilMs = Math.max(firstMs, settledMs - (settledMs % stepMs));
      const span = { firstMs, untilMs, stepMs, countedMs };
      return { atMs: tx.nowMs, openMs: untilMs, ...(await lookAt(tx, span, before.size)) };
    });
    const isSame = (fromMs: number): boolean => {
      const known = before.get(fromMs);
      if (known === undefined || begunAnew.has(fromMs)) return false;
      return known.unfinished === sumOf(unfinished.get(fromMs) ?? []);
    };
    const over: number[] = [];
    for (let fromMs = firstMs; fromMs < openMs; fromMs += stepMs) over.push(fromMs);
    const changed = over.filter((fromMs) => !isSame(fromMs));
    const anew = await countStretches(database, changed, stepMs);
    const head =
      sinceMs < firstMs ? await read((tx) => countRange(tx, sinceMs, firstMs, stepMs)) : [];
    const open = await read((tx) => countRange(tx, openMs, END_MS, stepMs));

    const after = new Map<number, Counted>();
    const ended = over.flatMap((fromMs) => {
      const now = anew.get(fromMs);
      const known = now === undefined ? before.get(fromMs) : toCounted(now);
      if (known !== undefined) after.set(fromMs, known);
      return now ?? inOrder([...(known?.finished ?? []), ...(unfinished.get(fromMs) ?? [])]);
    });
    countedByStep.set(stepMs, { atMs, stretches: after });
    return [...head, ...ended, ...open];
  };

  // Who asks while another counts waits for what that one finds, rather than count the same beside it.
  const counting = new Map<number, Promise<unknown>>();
  return (sinceMs, stepMs) => {
    const next = () => count(sinceMs, stepMs);
    const own = (counting.get(stepMs) ?? Promise.resolve()).then(next, next);
    counting.set(stepMs, own);
    return own;
  };
}

interface Span {
  readonly firstMs: number;
  readonly untilMs: number;
  readonly stepMs: number;
  /** When they were last counted. */
  readonly countedMs: number;
}

/** What tells whether a stretch is as it was counted; costs little more than finding the events in the index. */
async function lookAt(
  tx: SqlTransaction,
  { firstMs, untilMs, stepMs, countedMs }: Span,
  known: number,
): Promise<{ begunAnew: ReadonlySet<number>; unfinished: Map<number, TimeCount[]> }> {
  const unfinished = new Map<number, TimeCount[]>();
  if (known === 0 || firstMs >= untilMs) return { begunAnew: new Set(), unfinished };
  // A transaction that began one anew may have been open when they were counted.
  const begun = await tx.query<Pick<CountRow, 'from_ms'>>(FIND_BEGUN_ANEW, [
    ...[countedMs - SETTLED_MS, stepMs, firstMs],
  ]);
  const begunAnew = new Set(begun.map(({ from_ms }) => Number(from_ms)));
  const rows = await tx.query<CountRow>(COUNT_UNFINISHED, [firstMs, untilMs, stepMs]);
  for (const one of rows.map(toTimeCount)) {
    unfinished.set(one.fromMs, [...(unfinished.get(one.fromMs) ?? []), one]);
  }
  return { begunAnew, unfinished };
}

/**
 * Each of these stretches by itself. SQLite sorts what it groups, which is cheaper for many short stretches than
 * for a long one; and it works on the event loop, which others get their turn of in between.
 */
async function countStretches(
  database: Reading,
  stretches: readonly number[],
  stepMs: number,
): Promise<Map<number, readonly TimeCount[]>> {
  const counted = new Map<number, readonly TimeCount[]>(stretches.map((fromMs) => [fromMs, []]));
  const read = (work: (tx: SqlTransaction) => Promise<readonly TimeCount[]>) =>
    database.transaction(work, READING);
  if (database.kind === 'sqlite') {
    for (const fromMs of stretches) {
      counted.set(fromMs, await read((tx) => countStretch(tx, fromMs, fromMs + stepMs)));
      await nextTurn();
    }
    return counted;
  }
  const [first, last] = [stretches[0], stretches.at(-1)];
  if (first === undefined || last === undefined) return counted;
  for (const one of await read((tx) => countRange(tx, first, last + stepMs, stepMs))) {
    const known = counted.get(one.fromMs);
    if (known !== undefined) counted.set(one.fromMs, [...known, one]);
  }
  return counted;
}

async function countRange(
  tx: SqlTransaction,
  sinceMs: number,
  untilMs: number,
  stepMs: number,
): Promise<readonly TimeCount[]> {
  return (await tx.query<CountRow>(COUNT_RANGE, [sinceMs, untilMs, stepMs])).map(toTimeCount);
}

async function countStretch(
  tx: SqlTransaction,
  fromMs: number,
  untilMs: number,
): Promise<readonly TimeCount[]> {
  const rows = await tx.query<Omit<CountRow, 'from_ms'>>(COUNT_STRETCH, [fromMs, untilMs]);
  return rows.map((row) => toTimeCount({ ...row, from_ms: fromMs }));
}

function toCounted(counts: readonly TimeCount[]): Counted {
  const finished = counts.filter(({ status }) => !UNFINISHED_STATUSES.includes(status));
  return { unfinished: sumOf(counts) - sumOf(finished), finished };
}

function sumOf(counts: readonly TimeCount[]): number {
  return counts.reduce((sum, { events }) => sum + events, 0);
}

function inOrder(counts: readonly TimeCount[]): readonly TimeCount[] {
  const keyOf = ({ source, status }: TimeCount) => `${source} ${status}`;
  return counts.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

interface CountRow {
  readonly from_ms: number;
  readonly source: string;
  readonly status: EventStatus;
  readonly events: number;
}

function toTimeCount({ from_ms, source, status, events }: CountRow): TimeCount {
  return { fromMs: Number(from_ms), source, status, events: Number(events) };
}

const COUNT_RANGE = `select accepted_ms - accepted_ms % $3 as from_ms, source, status, count(*) as events
  from events where accepted_ms >= $1 and accepted_ms < $2 group by 1, 2, 3 order by 1, 2, 3`;

/** Of SQLite, which would otherwise find sources in order by another index, and read every row for it. */
const COUNT_STRETCH = `select source, status, count(*) as events from events indexed by events_counted
  where accepted_ms >= $1 and accepted_ms < $2 group by source, status order by source, status`;

const FIND_BEGUN_ANEW = `select distinct accepted_ms - accepted_ms % $2 as from_ms
  from events where begun_ms >= $1 and accepted_ms >= $3`;

/** `+ 0`, or SQLite would look through all events of the time rather than through the unfinished ones. */
const COUNT_UNFINISHED = `select accepted_ms - accepted_ms % $3 as from_ms, source, status, count(*) as events
  from events where ${UNFINISHED} and accepted_ms + 0 >= $1 and accepted_ms + 0 < $2 group by 1, 2, 3`;
