// The clocks of rules in the SQL journal. Takes questions and payments, keeps what timers.ts decides of them.
// Each question is one transaction that holds the clock, so that of two at a time one comes first.

import {
  cancelTimer,
  decideTimer,
  type TimerAnswer,
  type TimerCancel,
  type TimerQuestion,
  type TimerState,
} from '../timers.ts';
import { type SqlDatabase, type SqlTransaction, WITHOUT_WAITING } from './database.ts';

interface TimerRow {
  readonly event_key: string;
  readonly start_ms: number;
  readonly due_ms: number;
  readonly is_over: number;
}

export class SqlTimers {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  ask(question: TimerQuestion): Promise<TimerAnswer> {
    const { timerKey } = question;
    return this.#database.transaction(async (tx) => {
      await this.#database.lockSubjects(tx, [lockOf(timerKey)]);
      const state = await find(tx, timerKey);
      const timeMs = await noteEarliest(tx, question, false);
      const paidAtMs = await latestPayment(tx, timerKey);
      const decision = decideTimer(state, { ...question, timeMs, nowMs: tx.nowMs }, paidAtMs);
      if (decision.state !== state) await put(tx, timerKey, decision.state);
      await this.#release(tx, decision.released);
      return decision.answer;
    }, WITHOUT_WAITING);
  }

  /** Gives the clocks that ran, and the events that had joined one and have to ask for one of their own. */
  cancel(cancels: readonly TimerCancel[]): Promise<{
    stopped: readonly string[];
    askAgain: readonly string[];
  }> {
    return this.#database.transaction(async (tx) => {
      const keys = [...new Set(cancels.map(({ timerKey }) => timerKey))];
      await this.#database.lockSubjects(tx, keys.map(lockOf));
      const stopped: string[] = [];
      const askAgain: string[] = [];
      for (const cancel of cancels) {
        const { timerKey } = cancel;
        await noteEarliest(tx, cancel, true);
        const paidAtMs = (await latestPayment(tx, timerKey)) ?? cancel.timeMs;
        const before = await find(tx, timerKey);
        const { state, released } = cancelTimer(before, paidAtMs);
        if (state !== before) await put(tx, timerKey, state);
        await this.#release(tx, released);
        if (released !== undefined) stopped.push(timerKey);
        if (state !== undefined) continue;
        const rows = await tx.query<{ event_key: string }>(NEXT_FAILURE, [timerKey, paidAtMs]);
        askAgain.push(...rows.map((row) => row.event_key));
      }
      return { stopped, askAgain };
    }, WITHOUT_WAITING);
  }

  /** The clock has run out, where the event still holds it. */
  async end(tx: SqlTransaction, timerKey: string, eventKey: string): Promise<void> {
    await endTimer(tx, timerKey, eventKey);
  }

  /** Makes the event due that held the clock. */
  async #release(tx: SqlTransaction, eventKey: string | undefined): Promise<void> {
    if (eventKey === undefined) return;
    await tx.query(RELEASE, [eventKey, tx.nowMs]);
    await this.#database.announce(tx);
  }
}

/** The clock has run out, where the event still holds it. */
export async function endTimer(
  tx: SqlTransaction,
  timerKey: string,
  eventKey: string,
): Promise<void> {
  await tx.query(END, [timerKey, eventKey]);
}

/** Forgets facts that were told before the time, but for those of clocks that run; and clocks long over. */
export async function forgetTimers(tx: SqlTransaction, toldBeforeMs: number): Promise<void> {
  await tx.query(FORGET_TIMERS, [toldBeforeMs]);
  await tx.query(FORGET_FACTS, [toldBeforeMs]);
}

/** Locks are by text, and a subject may be called anything. */
function lockOf(timerKey: string): string {
  return `timer ${timerKey}`;
}

async function find(tx: SqlTransaction, timerKey: string): Promise<TimerState | undefined> {
  const [row] = await tx.query<TimerRow>(FIND, [timerKey]);
  if (row === undefined) return undefined;
  const { event_key: eventKey, start_ms: startMs, due_ms: dueMs, is_over: isOver } = row;
  return { eventKey, startMs, dueMs, isOver: isOver === 1 };
}

async function put(
  tx: SqlTransaction,
  timerKey: string,
  state: TimerState | undefined,
): Promise<void> {
  await tx.query('delete from timers where timer_key = $1', [timerKey]);
  if (state === undefined) return;
  const { eventKey, startMs, dueMs, isOver } = state;
  await tx.query(INSERT, [timerKey, eventKey, startMs, dueMs, Number(isOver)]);
}

/** When the fact was told first; gives that time. */
async function noteEarliest(
  tx: SqlTransaction,
  { timerKey, fact, eventKey, timeMs }: TimerCancel,
  isPayment: boolean,
): Promise<number> {
  const values = [timerKey, Number(isPayment), fact, eventKey, timeMs, tx.nowMs];
  const [row] = await tx.query<{ time_ms: number }>(NOTE, values);
  if (row !== undefined) return row.time_ms;
  const [known] = await tx.query<{ time_ms: number }>(FIND_FACT, values.slice(0, 3));
  return known?.time_ms ?? timeMs;
}

async function latestPayment(tx: SqlTransaction, timerKey: string): Promise<number | undefined> {
  const [row] = await tx.query<{ time_ms: number | null }>(LATEST_PAYMENT, [timerKey]);
  return row?.time_ms ?? undefined;
}

const FIND = 'select event_key, start_ms, due_ms, is_over from timers where timer_key = $1';

const INSERT = `insert into timers (timer_key, event_key, start_ms, due_ms, is_over)
  values ($1, $2, $3, $4, $5)`;

const END = 'update timers set is_over = 1 where timer_key = $1 and event_key = $2';

const NOTE = `insert into timer_facts (timer_key, is_payment, fact, event_key, time_ms, noted_ms)
  values ($1, $2, $3, $4, $5, $6)
  on conflict (timer_key, is_payment, fact) do update
    set event_key = excluded.event_key, time_ms = excluded.time_ms
    where excluded.time_ms < timer_facts.time_ms
  returning time_ms`;

const FIND_FACT =
  'select time_ms from timer_facts where timer_key = $1 and is_payment = $2 and fact = $3';

const NEXT_FAILURE = `select event_key from timer_facts
  where timer_key = $1 and is_payment = 0 and time_ms > $2 order by time_ms limit 1`;

const LATEST_PAYMENT =
  'select max(time_ms) as time_ms from timer_facts where timer_key = $1 and is_payment = 1';

const RELEASE = `update events set due_ms = $2
  where event_key = $1 and status = 'waiting' and timer_key is not null and due_ms > $2`;

const FORGET_TIMERS = 'delete from timers where is_over = 1 and due_ms < $1';

const FORGET_FACTS = `delete from timer_facts where noted_ms < $1
  and timer_key not in (select timer_key from timers)`;
