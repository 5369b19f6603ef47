// The journal in a database: SQLite or PostgreSQL, by the same statements. Keeps every promise of
// journal.ts across crashes and, on PostgreSQL, across replicas: what a replica works on it holds by a
// lease on the database's clock, so that a dead one's work is taken over.
// Longer than usual: a third of it hands on to the parts that the interface holds together.

import { randomUUID } from 'node:crypto';
import { type Stopwatch, startStopwatch } from '../../core/clock.ts';
import { type Clock, eventKeyOf, type OperationResult } from '../../core/model.ts';
import type { BrakeAnswer, BrakeQuestion } from '../brake.ts';
import type {
  Acceptance,
  EventRecord,
  Intended,
  Intention,
  Journal,
  KnownReferences,
  LastWrite,
  NewEvent,
  OperationRecord,
  Reference,
  Settlement,
  StoredPlan,
  TakenEvent,
} from '../journal.ts';
import { createKeyedHash, type KeyedHash } from '../keyed-hash.ts';
import { referencesOf } from '../references.ts';
import { lineTimeOf, type TimerAnswer, type TimerCancel, type TimerQuestion } from '../timers.ts';
import { askBrake, uncountUndone } from './brake.ts';
import { Continuity, type SeenEvent } from './continuity.ts';
import {
  listed,
  READING,
  type SqlDatabase,
  type SqlTransaction,
  WITHOUT_WAITING,
} from './database.ts';
import { DeferredWrites } from './deferred-writes.ts';
import { HeldEvents, type Lease } from './held-events.ts';
import { SqlOperations } from './operations.ts';
import { PreparedDatabase } from './prepared-database.ts';
import { SqlReferences } from './references.ts';
import {
  type EventRow,
  toEvent,
  toOutcome,
  toRecord,
  toReplay,
  toStoredPlan,
  toSubjects,
} from './rows.ts';
import {
  BEGIN_ANEW,
  endLeases,
  FIND_DUE_ASIDE,
  FIND_EVENT,
  FIND_LEASE_OVER,
  FIND_READY,
  FINISHED,
  INSERT_ATTEMPT,
  INSERT_EVENT,
  INSERT_PAYLOAD,
  INSERT_SUBJECT,
  insertReferences,
  NEXT_DUE,
  OWN_PLACE,
  PROBE,
  REFRESH_PAYLOAD,
  REQUEUE,
  SET_SUBJECTS,
  SETTLE,
  STILL_DONE,
  STILL_TO_BRING_BACK,
  STORE_PLAN,
  TAKE,
  UNFINISHED_STATUSES,
  WAKE_PUT_OFF,
} from './statements.ts';
import {
  afterEntering,
  afterLeaving,
  areEmpty,
  isHeadEverywhere,
  markNotReady,
  movePlace,
  moveTo,
  POSITION,
  putOff,
  wakeWaiting,
} from './subject-order.ts';
import { SqlTimers } from './timers.ts';
import { SqlUsers } from './users.ts';

const LEASE: Lease = { ms: 20_000, heartbeatMs: 5_000 };
/** Later than anything; small enough to be exact in every kind of number. */
const NEVER_MS = 9_000_000_000_000;

/** As much as a delivery writes: on a full disk, one page may still find a place. */
const PROBE_TEXT = '.'.repeat(16 * 1024);

/** Opens the journal over a database, brings its schema up to date, and takes up what a crash left. */
export async function openSqlJournal(database: SqlDatabase, clock: Clock): Promise<Journal> {
  const prepared = new PreparedDatabase(database);
  await prepared.prepare();
  return openPreparedJournal(prepared, clock);
}

/** The same over a database that may still have to come. */
export async function openPreparedJournal(
  database: PreparedDatabase,
  clock: Clock,
  lease?: Lease,
): Promise<Journal> {
  const journal = new SqlJournal(database, clock, lease);
  if (database.kind === 'sqlite') await journal.takeUpAll();
  return journal;
}

/** An event that was not in the journal before. */
interface NewAcceptance extends SeenEvent {
  readonly key: string;
  readonly kind: 'new';
}

function queuedAs(key: string): Acceptance {
  return { key, kind: 'queued' };
}

interface Candidate {
  readonly event_key: string;
  readonly subjects: string;
}

interface NextDueRow {
  readonly due_ms: number | null;
  readonly seen_ms: number | null;
  readonly sequence: number | null;
  readonly accepted_ms: number | null;
}

class SqlJournal implements Journal {
  readonly keepsState = true;
  readonly #database: PreparedDatabase;
  readonly #deferred: DeferredWrites;
  readonly #clock: Clock;
  readonly #lease: Lease;
  /** One working process; a restart is another one. */
  readonly #owner = randomUUID();
  readonly #operations: SqlOperations;
  readonly #users: SqlUsers;
  readonly #references: SqlReferences;
  readonly #timers: SqlTimers;
  readonly #continuity = new Continuity();
  readonly #held: HeldEvents;
  /** Given up, and not yet known to be so in the database. */
  readonly #released = new Set<string>();
  #keyedHash: KeyedHash | undefined;

  constructor(database: PreparedDatabase, clock: Clock, lease = LEASE) {
    this.#database = database;
    this.#clock = clock;
    this.#lease = lease;
    this.#held = new HeldEvents(database, clock, this.#owner, lease);
    this.#deferred = new DeferredWrites(database);
    this.#operations = new SqlOperations(this.#deferred, this.#owner);
    this.#users = new SqlUsers(this.#deferred, (text) => this.#hash(text));
    this.#references = new SqlReferences(this.#deferred);
    this.#timers = new SqlTimers(database);
  }

  get knowsAllSinceMs(): number {
    return Math.max(this.#database.meta.openedMs, this.#continuity.foundMs);
  }

  /** Its key is known once anything got through to the database, and so whenever an event is worked on. */
  #hash(text: string): string {
    this.#keyedHash ??= createKeyedHash(this.#database.meta.hashKey);
    return this.#keyedHash(text);
  }

  /** A time of the database as this process's clock would tell it; the two may differ. */
  #toLocal(tx: SqlTransaction, timeMs: number): number {
    return timeMs + this.#clock.nowMs() - tx.nowMs;
  }

  #toDatabase(tx: SqlTransaction, timeMs: number): number {
    return Math.round(timeMs - this.#clock.nowMs() + tx.nowMs);
  }

  get kind(): 'sqlite' | 'postgres' {
    return this.#database.kind;
  }

  async accept(
    events: readonly NewEvent[],
    takeAtOnce?: (taken: TakenEvent) => void,
  ): Promise<readonly Acceptance[]> {
    const mayTake = takeAtOnce !== undefined && events.length === 1;
    const confirmed = startStopwatch(this.#clock);
    let taken: { readonly event: TakenEvent; readonly startedMs: number } | undefined;
    let newest: SeenEvent | undefined;
    const hand = (): void => {
      if (taken === undefined) return;
      this.#holds(taken.event, taken.startedMs, confirmed);
      takeAtOnce?.(taken.event);
    };
    const accepted = await this.#database.transaction(
      async (tx) => {
        taken = undefined;
        newest = undefined;
        await this.#database.lockSubjects(
          tx,
          events.flatMap(({ subjects }) => subjects),
        );
        const acceptances: Acceptance[] = [];
        for (const event of events) {
          const isTaken = mayTake && (await areEmpty(tx, event.subjects));
          const acceptance = await this.#acceptOne(tx, event, isTaken);
          if (acceptance.kind === 'new') newest = acceptance;
          if (isTaken && acceptance.kind === 'new') taken = this.#takenNow(tx, event);
          acceptances.push(acceptance.kind === 'new' ? queuedAs(acceptance.key) : acceptance);
        }
        await this.#database.announce(tx, taken === undefined ? 'work' : 'change');
        return acceptances;
      },
      { onVisible: hand },
    );
    if (newest !== undefined) this.#continuity.see(newest);
    return accepted;
  }

  /** An event that was put in as running, as `take` would give it. */
  #takenNow(tx: SqlTransaction, { event, subjects }: NewEvent) {
    const key = eventKeyOf(event);
    const begunAtMs = this.#toLocal(tx, tx.nowMs);
    const none = { storedPlan: undefined, replay: undefined, timerKey: undefined };
    const taken: TakenEvent = { key, event, subjects, attempt: 1, begunAtMs, ...none };
    return { event: taken, startedMs: tx.nowMs };
  }

  /** @param isTaken it is put in as running, for this process; the caller knows that its lines are empty */
  async #acceptOne(
    tx: SqlTransaction,
    { event, subjects }: NewEvent,
    isTaken: boolean,
  ): Promise<Acceptance | NewAcceptance> {
    const key = eventKeyOf(event);
    const standing = isTaken
      ? (['running', 1, this.#owner, tx.nowMs + this.#leaseMs()] as const)
      : (['queued', 0, null, null] as const);
    const seen = this.#continuity.newest;
    const [inserted] = await tx.query<{ sequence: number; seen_ms: number | null }>(INSERT_EVENT, [
      ...[key, event.source, event.provider, event.id, event.type, event.timeMs],
      event.live === null ? null : Number(event.live),
      ...[JSON.stringify(subjects), tx.nowMs, ...standing, seen?.sequence ?? null],
    ]);
    if (inserted !== undefined) {
      this.#continuity.check(seen, inserted.seen_ms, tx.nowMs);
      await tx.query(INSERT_PAYLOAD, [inserted.sequence, JSON.stringify(event.payload)]);
      const position = isTaken ? POSITION.inWork : POSITION.queued;
      for (const subject of subjects) {
        await tx.query(INSERT_SUBJECT, [subject, key, position, event.timeMs, inserted.sequence]);
      }
      if (!isTaken) await afterEntering(tx, this.#database, key, subjects);
      return { key, kind: 'new', sequence: inserted.sequence, acceptedMs: tx.nowMs };
    }
    const [known] = await tx.query<EventRow>(FIND_EVENT, [key]);
    const outcome = known === undefined ? undefined : toOutcome(known);
    if (known?.status === 'running') return { key, kind: 'running' };
    if (known?.status === 'done' && outcome !== undefined) return { key, kind: 'done', outcome };
    if (
      known !== undefined &&
      outcome !== undefined &&
      (known.brake === 'held' || known.brake === 'dropped')
    ) {
      return { key, kind: 'held', outcome };
    }
    // The payload may have been erased; this delivery brings it again.
    if (known?.payload === null) {
      await tx.query(INSERT_PAYLOAD, [known.sequence, JSON.stringify(event.payload)]);
      await tx.query(REFRESH_PAYLOAD, [key]);
    }
    if (known !== undefined && FINISHED.includes(known.status)) {
      await tx.query(BEGIN_ANEW, [key, tx.nowMs]);
    }
    await this.#requeue(tx, key, known === undefined ? subjects : toSubjects(known));
    return { key, kind: 'queued' };
  }

  /** Back into line, due at once; the caller holds the subjects. */
  async #requeue(tx: SqlTransaction, key: string, subjects: readonly string[]): Promise<void> {
    await tx.query(REQUEUE, [key, tx.nowMs]);
    await putOff(tx, key, POSITION.queued);
    await afterEntering(tx, this.#database, key, subjects);
  }

  giveUp(key: string, attempt: number): void {
    const held = this.#held.get(key, attempt);
    if (held === undefined) return;
    this.#held.remove(key, held);
    this.#released.add(key);
  }

  /** Nobody is at them any more, so that their leases are over. */
  async #endReleased(): Promise<void> {
    const keys = [...this.#released];
    if (keys.length === 0) return;
    const values = [listed(keys), this.#owner];
    await this.#database.transaction((tx) => tx.query(endLeases(this.#database), values));
    for (const key of keys) this.#released.delete(key);
  }

  async take(): Promise<TakenEvent | undefined> {
    await this.#endReleased();
    let { aside, ready } = await this.#look();
    if (aside.length > 0) {
      for (const row of aside) await this.#bringBack(row.event_key, toSubjects(row));
      ({ aside, ready } = await this.#look());
    }
    for (const candidate of ready) {
      const taken = await this.#takeOne(candidate.event_key, toSubjects(candidate));
      if (taken !== undefined) return taken;
    }
    return undefined;
  }

  /** What may be taken, and what stepped aside and is due, or was left by a dead replica. */
  #look(): Promise<{ aside: readonly Candidate[]; ready: readonly Candidate[] }> {
    return this.#database.transaction(
      async (tx) => ({
        aside: [
          ...(await tx.query<Candidate>(FIND_DUE_ASIDE, [tx.nowMs])),
          ...(await tx.query<Candidate>(FIND_LEASE_OVER, [tx.nowMs])),
        ],
        ready: await tx.query<Candidate>(FIND_READY, [tx.nowMs]),
      }),
      READING,
    );
  }

  async #takeOne(key: string, subjects: readonly string[]): Promise<TakenEvent | undefined> {
    const confirmed = startStopwatch(this.#clock);
    const taken = await this.#database.transaction(async (tx) => {
      // Another replica is at one of its subjects; somebody will come back to it.
      if (!(await this.#database.tryLockSubjects(tx, subjects))) return undefined;
      // `ready` is a hint that was right when it was set; with the subjects held it is certain.
      if (!(await isHeadEverywhere(tx, key))) {
        await markNotReady(tx, key);
        return undefined;
      }
      const seen = this.#continuity.newest;
      const lease = [this.#owner, tx.nowMs + this.#leaseMs(), tx.nowMs] as const;
      const values = [key, ...lease, seen?.sequence ?? null];
      const [row] = await tx.query<EventRow & { seen_ms: number | null }>(TAKE, values);
      if (row === undefined) return undefined;
      this.#continuity.check(seen, row.seen_ms, tx.nowMs);
      await moveTo(tx, key, POSITION.inWork);
      const event: TakenEvent = {
        key,
        event: toEvent(row),
        subjects,
        attempt: row.attempts,
        begunAtMs: this.#toLocal(tx, row.begun_ms ?? row.accepted_ms),
        storedPlan: toStoredPlan(row),
        timerKey: row.timer_key ?? undefined,
        replay: toReplay(row),
        isReleased: row.brake === 'released',
      };
      return { event, startedMs: tx.nowMs };
    }, WITHOUT_WAITING);
    if (taken === undefined) return undefined;
    // Only now that it is committed: a lease that nobody knows of must be able to run out.
    this.#holds(taken.event, taken.startedMs, confirmed);
    return taken.event;
  }

  #holds(
    { key, event, attempt, subjects }: TakenEvent,
    startedMs: number,
    confirmed: Stopwatch,
  ): void {
    this.#held.add(key, { event, attempt, subjects, startedMs, confirmed });
  }

  holdsLease(eventKey: string, attempt: number): boolean {
    return this.#held.isSurelyHeld(eventKey, attempt);
  }

  async settle(key: string, settlement: Settlement, ofAttempt?: number): Promise<void> {
    const held = this.#held.get(key, ofAttempt);
    if (held === undefined) return;
    const { attempt, startedMs } = held;
    const { outcome, dueAtMs, timer, wakesWaiting, rulesHash, calls = [], joins = [] } = settlement;
    const subjects = [...new Set([...held.subjects, ...joins])];
    const waitsForTime = timer !== undefined && !timer.isOver && dueAtMs !== undefined;
    const references = referencesOf(held.event, outcome, (text) => this.#hash(text));
    await this.#deferred.transaction(async (tx) => {
      await this.#database.lockSubjects(tx, subjects);
      const unset = outcome.status === 'queued' ? tx.nowMs : NEVER_MS;
      // A timer ends at a time of the provider; all others are counted by this process's clock.
      const putOffMs = dueAtMs === undefined ? unset : this.#toDatabase(tx, dueAtMs);
      const dueMs = waitsForTime ? dueAtMs : putOffMs;
      const [settled] = await tx.query<{ sequence: number }>(SETTLE, [
        ...[key, this.#owner, attempt, outcome.status, JSON.stringify(outcome)],
        ...[dueMs, tx.nowMs],
        rulesHash ?? null,
        waitsForTime ? timer.key : null,
        Number(settlement.isHeld === true),
      ]);
      // The lease was lost and somebody else goes on with the event; what was done is in the operations.
      if (settled === undefined) return;
      if (references.length > 0) {
        const values = [listed(references), settled.sequence];
        await tx.query(insertReferences(this.#database), values);
      }
      await tx.query(INSERT_ATTEMPT, [
        ...[key, attempt, startedMs, tx.nowMs, outcome.status, outcome.reason ?? null],
        JSON.stringify(calls),
      ]);
      for (const subject of subjects.slice(held.subjects.length)) {
        const { timeMs } = held.event;
        await tx.query(INSERT_SUBJECT, [
          ...[subject, key, POSITION.aside, timeMs, settled.sequence],
        ]);
      }
      if (subjects.length > held.subjects.length) {
        await tx.query(SET_SUBJECTS, [key, JSON.stringify(subjects)]);
      }
      if (waitsForTime) await movePlace(tx, key, lineTimeOf(dueAtMs));
      if (timer?.isOver === true) await this.#timers.end(tx, timer.key, key);
      const isQueued = outcome.status === 'queued';
      const isOver = !UNFINISHED_STATUSES.includes(outcome.status);
      if (isOver) await moveTo(tx, key, POSITION.aside);
      else await putOff(tx, key, isQueued ? POSITION.queued : POSITION.aside);
      if (isQueued) await afterEntering(tx, this.#database, key, subjects);
      const hasFollowers = await afterLeaving(tx, this.#database, subjects);
      const hasWoken = wakesWaiting && (await wakeWaiting(tx, this.#database, subjects));
      const mayBeTaken = isQueued || hasFollowers || hasWoken || dueAtMs !== undefined;
      await this.#database.announce(tx, mayBeTaken ? 'work' : 'change');
    }, WITHOUT_WAITING);
    // Only now: while the end of the attempt could not be written, the event is still ours.
    this.#held.remove(key, held);
  }

  async #bringBack(key: string, subjects: readonly string[]): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await this.#database.lockSubjects(tx, subjects);
      const [row] = await tx.query(STILL_TO_BRING_BACK, [key, tx.nowMs]);
      if (row === undefined) return;
      await this.#requeue(tx, key, subjects);
      // In work it stood before older ones that came meanwhile; one of them may be the head now.
      await afterLeaving(tx, this.#database, subjects);
    }, WITHOUT_WAITING);
  }

  /** After a start on a file of its own, nobody else can be working: what runs was left by a crash. */
  async takeUpAll(): Promise<void> {
    await this.#database.transaction(
      (tx) => tx.query("update events set lease_ms = 0 where status = 'running'"),
      WITHOUT_WAITING,
    );
  }

  /** One process on a file needs no lease: whoever starts next takes up what it left. */
  #leaseMs(): number {
    return this.#database.kind === 'sqlite' ? NEVER_MS : this.#lease.ms;
  }

  nextDueAtMs(): Promise<number | undefined> {
    return this.#database.transaction(async (tx) => {
      const seen = this.#continuity.newest;
      const [row] = await tx.query<NextDueRow>(NEXT_DUE, [seen?.sequence ?? null]);
      const {
        due_ms: dueMs = null,
        seen_ms = null,
        sequence = null,
        accepted_ms = null,
      } = row ?? {};
      // An idle replica does not see what others accept but here.
      this.#continuity.check(seen, seen_ms, tx.nowMs);
      if (sequence !== null && accepted_ms !== null) {
        this.#continuity.see({ sequence, acceptedMs: accepted_ms });
      }
      return dueMs === null || dueMs >= NEVER_MS ? undefined : this.#toLocal(tx, dueMs);
    }, READING);
  }

  onWork(listener: () => void): () => void {
    return this.#database.onAnnounce((news) => {
      if (news === 'work') listener();
    });
  }

  onChange(listener: () => void): () => void {
    return this.#database.onAnnounce(() => listener());
  }

  async wakePutOff(sinceMs: number): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await tx.query(WAKE_PUT_OFF, [tx.nowMs, this.#toDatabase(tx, sinceMs)]);
      await this.#database.announce(tx);
    }, WITHOUT_WAITING);
  }

  async storePlan(key: string, plan: StoredPlan): Promise<void> {
    const values = [key, JSON.stringify(plan), plan.rulesHash];
    const { timer } = plan;
    if (timer === undefined) {
      await this.#deferred.defer([`event ${key}`], (tx) => tx.query(STORE_PLAN, values));
      return;
    }
    await this.#deferred.transaction(async (tx) => {
      await tx.query(STORE_PLAN, values);
      await tx.query(OWN_PLACE, [key]);
      await this.#timers.end(tx, timer.key, key);
    }, WITHOUT_WAITING);
  }

  askTimer(question: TimerQuestion): Promise<TimerAnswer> {
    return this.#timers.ask(question);
  }

  async cancelTimers(cancels: readonly TimerCancel[]): Promise<readonly string[]> {
    const { stopped, askAgain } = await this.#timers.cancel(cancels);
    for (const key of askAgain) await this.#revive(key);
    return stopped;
  }

  /** A failure that had joined a clock is worked on once more; after a crash, the payment asks for it again. */
  async #revive(key: string): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const [row] = await tx.query<EventRow>(FIND_EVENT, [key]);
      if (row === undefined) return;
      await this.#database.lockSubjects(tx, toSubjects(row));
      const [done] = await tx.query(STILL_DONE, [key]);
      if (done !== undefined) await this.#requeue(tx, key, toSubjects(row));
    }, WITHOUT_WAITING);
  }

  findOperations(keys: readonly string[]): Promise<ReadonlyMap<string, OperationRecord>> {
    return this.#operations.find(keys);
  }

  operationsOf(key: string): Promise<readonly OperationRecord[]> {
    return this.#operations.ofEvent(key);
  }

  findCreated(licenseIds: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#operations.findCreated(licenseIds);
  }

  intend(
    intention: Intention,
    replaces: Pick<OperationRecord, 'eventKey' | 'intendedAtMs' | 'state'> | undefined,
  ): Promise<Intended | 'overtaken'> {
    return this.#operations.intend(intention, replaces);
  }

  complete(
    intended: Intended,
    result: OperationResult,
    lastWrites: readonly LastWrite[],
  ): Promise<void> {
    return this.#operations.complete(intended, result, lastWrites);
  }

  withdraw(intended: Intended): Promise<void> {
    return this.#operations.withdraw(intended);
  }

  noteLastWrites(lastWrites: readonly LastWrite[]): Promise<void> {
    return this.#operations.noteLastWrites(lastWrites);
  }

  findLastWrites(fields: readonly string[]): Promise<ReadonlyMap<string, LastWrite>> {
    return this.#operations.findLastWrites(fields);
  }

  noteReferences(references: readonly Reference[]): Promise<void> {
    return this.#references.note(references);
  }

  findReferences(keys: readonly string[]): Promise<KnownReferences> {
    return this.#references.find(keys);
  }

  askBrake(question: BrakeQuestion): Promise<BrakeAnswer> {
    return askBrake(this.#database, question);
  }

  async uncountUndone(eventKey: string): Promise<void> {
    await this.#deferred.transaction((tx) => uncountUndone(tx, eventKey), WITHOUT_WAITING);
  }

  rememberUser(lookup: string, userId: string): Promise<void> {
    return this.#users.remember(lookup, userId);
  }

  recallUser(lookup: string): Promise<string | undefined> {
    return this.#users.recall(lookup);
  }

  forgetUser(userId: string): Promise<void> {
    return this.#users.forget(userId);
  }

  find(key: string): Promise<EventRecord | undefined> {
    return this.#deferred.read(
      async (tx) => {
        const [row] = await tx.query<EventRow>(FIND_EVENT, [key]);
        return row === undefined ? undefined : toRecord(row);
      },
      [`event ${key}`],
    );
  }

  async ping(): Promise<void> {
    await this.#database.requireSpace();
    await this.#database.transaction((tx) => tx.query(PROBE, [PROBE_TEXT]));
  }

  async close(): Promise<void> {
    this.#held.close();
    await this.#deferred.flush();
    await this.#database.close();
  }

  async abandon(): Promise<void> {
    this.#held.close();
    await this.#database.abandon();
  }
}
