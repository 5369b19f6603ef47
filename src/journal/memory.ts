// The journal that lives in this process: the kind for hosts without a disk, and for trying things out.
// Keeps the interface's promises as long as the process lives, and remembers nothing after it.
// Its size is bounded: the oldest finished events are forgotten first.

import { randomUUID } from 'node:crypto';
import { type Clock, eventKeyOf, type OperationResult } from '../model.ts';
import type { Archive, AttemptRecord } from './archive.ts';
import type {
  Acceptance,
  EventRecord,
  IntendedOperation,
  Journal,
  LastWrite,
  NewEvent,
  OperationRecord,
  ReplayMark,
  Settlement,
  StoredPlan,
  TakenEvent,
} from './journal.ts';
import { createMemoryArchive, type MemoryEntryView } from './memory-archive.ts';
import { SubjectQueues } from './subject-queues.ts';

/** Enough to answer the redeliveries of days; a durable journal remembers everything. */
const FINISHED_EVENTS_MAX = 50_000;
/** A payload may be a megabyte; only those of the latest events are kept once they are finished. */
const FINISHED_PAYLOADS_MAX = 1_000;
const OPERATIONS_MAX = 200_000;

interface Entry {
  readonly key: string;
  event: NewEvent['event'];
  readonly subjects: readonly string[];
  readonly sequence: number;
  firstAcceptedAtMs: number;
  status: EventRecord['status'];
  attempts: number;
  dueAtMs: number | undefined;
  outcome: EventRecord['outcome'];
  settledAtMs: number | undefined;
  rulesHash: string | undefined;
  isErased: boolean;
  startedAtMs: number;
  replay: ReplayMark | undefined;
  readonly tries: AttemptRecord[];
  storedPlan: StoredPlan | undefined;
}

export function createMemoryJournal({ clock }: { clock: Clock }): Journal & { archive: Archive } {
  return new MemoryJournal(clock);
}

class MemoryJournal implements Journal {
  readonly kind = 'memory';
  readonly keepsState = false;
  readonly firstStartedAtMs: number;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #finished = new Set<string>();
  readonly #finishedWithPayload = new Set<string>();
  readonly #waiting = new Map<string, Set<Entry>>();
  readonly #queues = new SubjectQueues<Entry>();
  readonly #operations = new Map<string, OperationRecord>();
  readonly #created = new Set<string>();
  readonly #lastWrites = new Map<string, LastWrite>();
  readonly #listeners = new Set<() => void>();
  /** The same journal for reading. */
  readonly archive: Archive;
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.firstStartedAtMs = clock.nowMs();
    this.archive = createMemoryArchive({
      entries: () => [...this.#entries.values()].map((entry) => this.#viewOf(entry)),
      find: (key) => {
        const entry = this.#entries.get(key);
        return entry === undefined ? undefined : this.#viewOf(entry);
      },
      operationsOf: (key) => this.#operationsOf(key),
      requeue: (key, mark) => this.#replay(key, mark),
      erase: (key) => {
        const entry = this.#entries.get(key);
        if (entry !== undefined) erasePayload(entry);
      },
    });
  }

  #viewOf(entry: Entry): MemoryEntryView {
    const { sequence, storedPlan, tries } = entry;
    return { sequence, record: toRecord(entry), storedPlan, attempts: tries };
  }

  #operationsOf(key: string): readonly OperationRecord[] {
    return [...this.#operations.values()].filter((operation) => operation.eventKey === key);
  }

  #replay(key: string, mark: Omit<ReplayMark, 'id'>): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.replay = { ...mark, id: randomUUID() };
    entry.firstAcceptedAtMs = this.#clock.nowMs();
    entry.storedPlan = undefined;
    this.#enqueue(entry);
    this.#announce();
  }

  async accept(events: readonly NewEvent[]): Promise<readonly Acceptance[]> {
    const acceptances = events.map((event) => this.#acceptOne(event));
    this.#announce();
    return acceptances;
  }

  #acceptOne({ event, subjects }: NewEvent): Acceptance {
    const key = eventKeyOf(event);
    const known = this.#entries.get(key);
    if (known === undefined) {
      const entry: Entry = {
        key,
        event,
        subjects,
        sequence: this.#nextSequence(),
        firstAcceptedAtMs: this.#clock.nowMs(),
        status: 'queued',
        attempts: 0,
        dueAtMs: undefined,
        outcome: undefined,
        settledAtMs: undefined,
        rulesHash: undefined,
        isErased: false,
        startedAtMs: 0,
        replay: undefined,
        tries: [],
        storedPlan: undefined,
      };
      this.#entries.set(key, entry);
      this.#queues.add(entry);
      return { key, kind: 'queued' };
    }
    if (known.status === 'running') return { key, kind: 'running' };
    if (known.status === 'done' && known.outcome !== undefined) {
      return { key, kind: 'done', outcome: known.outcome };
    }
    // Whatever did not end well is evaluated anew, at once: the provider asks for it again.
    if (this.#finished.has(key)) {
      known.event = event;
      known.isErased = false;
      known.firstAcceptedAtMs = this.#clock.nowMs();
      known.storedPlan = undefined;
    }
    this.#enqueue(known);
    return { key, kind: 'queued' };
  }

  #nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  #enqueue(entry: Entry): void {
    this.#stopWaiting(entry);
    this.#finished.delete(entry.key);
    this.#finishedWithPayload.delete(entry.key);
    entry.status = 'queued';
    entry.dueAtMs = undefined;
    this.#queues.add(entry);
  }

  async take(): Promise<TakenEvent | undefined> {
    this.#wakeDue();
    const entry = this.#queues.take(this.#clock.nowMs());
    if (entry === undefined) return undefined;
    entry.status = 'running';
    entry.attempts += 1;
    entry.startedAtMs = this.#clock.nowMs();
    entry.dueAtMs = undefined;
    return {
      key: entry.key,
      event: entry.event,
      subjects: entry.subjects,
      attempt: entry.attempts,
      firstAcceptedAtMs: entry.firstAcceptedAtMs,
      storedPlan: entry.storedPlan,
      replay: entry.replay,
    };
  }

  async settle(key: string, settlement: Settlement): Promise<void> {
    const entry = this.#entries.get(key);
    // Freeing the subjects of an event that nobody works on would let two others run side by side.
    if (entry?.status !== 'running') return;
    const { outcome, dueAtMs, wakesWaiting } = settlement;
    entry.status = outcome.status;
    entry.outcome = outcome;
    entry.settledAtMs = this.#clock.nowMs();
    entry.rulesHash = settlement.rulesHash ?? entry.rulesHash;
    entry.replay = undefined;
    noteTry(entry, settlement);
    entry.dueAtMs = dueAtMs;
    this.#queues.release(entry);
    switch (outcome.status) {
      case 'queued':
        this.#queues.add(entry);
        break;
      case 'waiting':
      case 'parked':
        for (const subject of entry.subjects) {
          const group = this.#waiting.get(subject) ?? new Set();
          this.#waiting.set(subject, group.add(entry));
        }
        break;
      default:
        this.#finished.add(key);
        this.#finishedWithPayload.add(key);
        this.#forgetOldest();
    }
    if (wakesWaiting) this.#wake(entry.subjects);
    this.#announce();
  }

  #wake(subjects: readonly string[]): void {
    for (const subject of subjects) {
      for (const entry of this.#waiting.get(subject) ?? []) {
        if (entry.status === 'waiting') this.#enqueue(entry);
      }
    }
  }

  /** Events that step aside for a time come back when it is over. */
  #wakeDue(): void {
    const nowMs = this.#clock.nowMs();
    for (const group of [...this.#waiting.values()]) {
      for (const entry of [...group]) {
        if (entry.dueAtMs !== undefined && entry.dueAtMs <= nowMs) this.#enqueue(entry);
      }
    }
  }

  #stopWaiting(entry: Entry): void {
    for (const subject of entry.subjects) {
      const group = this.#waiting.get(subject);
      group?.delete(entry);
      if (group?.size === 0) this.#waiting.delete(subject);
    }
  }

  async nextDueAtMs(): Promise<number | undefined> {
    let next = this.#queues.nextDueAtMs();
    for (const group of this.#waiting.values()) {
      for (const { dueAtMs } of group) {
        if (dueAtMs !== undefined && (next === undefined || dueAtMs < next)) next = dueAtMs;
      }
    }
    return next;
  }

  onWork(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #announce(): void {
    for (const listener of this.#listeners) listener();
  }

  async storePlan(key: string, plan: StoredPlan): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.storedPlan = plan;
  }

  async findOperations(keys: readonly string[]): Promise<ReadonlyMap<string, OperationRecord>> {
    const found = new Map<string, OperationRecord>();
    for (const key of keys) {
      const operation = this.#operations.get(key);
      if (operation !== undefined) found.set(key, operation);
    }
    return found;
  }

  async operationsOf(eventKey: string): Promise<readonly OperationRecord[]> {
    return this.#operationsOf(eventKey);
  }

  // A look at Cryptlex is worth more than what this process happens to remember.
  async rememberUser(): Promise<void> {}

  async recallUser(): Promise<string | undefined> {
    return undefined;
  }

  async forgetUser(): Promise<void> {}

  async findCreated(licenseIds: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(licenseIds.filter((id) => this.#created.has(id)));
  }

  async intend(
    operation: IntendedOperation,
    replaces: OperationRecord | undefined,
  ): Promise<'intended' | 'overtaken'> {
    if (!isSame(this.#operations.get(operation.key), replaces)) return 'overtaken';
    this.#operations.set(operation.key, { ...operation, state: 'intended' });
    return 'intended';
  }

  async complete(
    key: string,
    result: OperationResult,
    lastWrites: readonly LastWrite[],
  ): Promise<void> {
    const operation = this.#operations.get(key);
    if (operation !== undefined) {
      this.#operations.set(key, { ...operation, state: 'done', result });
      if (operation.action === 'license.create') this.#created.add(result.targetId);
    }
    this.#forgetOldestOperation();
    forgetBeyond(this.#created, OPERATIONS_MAX);
    await this.noteLastWrites(lastWrites);
  }

  async noteLastWrites(lastWrites: readonly LastWrite[]): Promise<void> {
    for (const write of lastWrites) {
      const known = this.#lastWrites.get(write.field);
      if (known !== undefined && outweighs(known, write)) continue;
      // Taken out and put in again, so that what is in use is not the first to be forgotten.
      this.#lastWrites.delete(write.field);
      this.#lastWrites.set(write.field, write);
    }
    forgetBeyond(this.#lastWrites, OPERATIONS_MAX);
  }

  async withdraw(key: string): Promise<void> {
    this.#operations.delete(key);
  }

  /** One whose outcome is open must not be forgotten: it would be done again. */
  #forgetOldestOperation(): void {
    if (this.#operations.size <= OPERATIONS_MAX) return;
    const [oldest] = this.#operations;
    if (oldest === undefined) return;
    const [key, operation] = oldest;
    this.#operations.delete(key);
    if (operation.state === 'intended') this.#operations.set(key, operation);
  }

  async findLastWrites(fields: readonly string[]): Promise<ReadonlyMap<string, LastWrite>> {
    const found = new Map<string, LastWrite>();
    for (const field of fields) {
      const write = this.#lastWrites.get(field);
      if (write !== undefined) found.set(field, write);
    }
    return found;
  }

  async find(key: string): Promise<EventRecord | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    return toRecord(entry);
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {
    this.#listeners.clear();
  }

  async abandon(): Promise<void> {
    await this.close();
  }

  #forgetOldest(): void {
    if (this.#finishedWithPayload.size > FINISHED_PAYLOADS_MAX) {
      const [key = ''] = this.#finishedWithPayload;
      this.#finishedWithPayload.delete(key);
      const entry = this.#entries.get(key);
      if (entry !== undefined) erasePayload(entry);
    }
    if (this.#finished.size <= FINISHED_EVENTS_MAX) return;
    const [oldest] = this.#finished;
    if (oldest === undefined) return;
    this.#finished.delete(oldest);
    this.#entries.delete(oldest);
  }
}

function isSame(a: OperationRecord | undefined, b: OperationRecord | undefined): boolean {
  return (
    a?.state === b?.state && a?.eventKey === b?.eventKey && a?.intendedAtMs === b?.intendedAtMs
  );
}

function toRecord(entry: Entry): EventRecord {
  const { key, event, subjects, status, attempts, firstAcceptedAtMs, dueAtMs, outcome } = entry;
  const { settledAtMs, rulesHash, isErased } = entry;
  return {
    ...{ key, event, subjects, status, attempts, firstAcceptedAtMs, dueAtMs, outcome },
    ...{ settledAtMs, rulesHash, isErased },
  };
}

/** Keys, outcome and references stay: they answer duplicates. */
function erasePayload(entry: Entry): void {
  entry.event = { ...entry.event, payload: {} };
  entry.isErased = true;
  entry.storedPlan = undefined;
  entry.tries.length = 0;
}

/** The last tries are told; an event in back-off for days has many. */
const TRIES_MAX = 20;

function noteTry(entry: Entry, { outcome, calls = [] }: Settlement): void {
  const { attempts: attempt, startedAtMs, settledAtMs: endedAtMs = startedAtMs } = entry;
  const { status, reason } = outcome;
  entry.tries.push({ attempt, startedAtMs, endedAtMs, status, reason, calls });
  if (entry.tries.length > TRIES_MAX) entry.tries.shift();
}

/** Whether a write is newer than another one, or a payment of the same time. */
function outweighs(a: LastWrite, b: LastWrite): boolean {
  return a.timeMs > b.timeMs || (a.timeMs === b.timeMs && a.isPayment && !b.isPayment);
}

/** Maps and sets keep the order of insertion, so the first ones are the oldest. */
function forgetBeyond(
  collection: { size: number; keys(): Iterator<string>; delete(key: string): boolean },
  max: number,
): void {
  if (collection.size <= max) return;
  const { value, done } = collection.keys().next();
  if (done !== true) collection.delete(value);
}
