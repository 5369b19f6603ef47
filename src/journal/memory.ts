// The journal that lives in this process: the kind for hosts without a disk, and for trying things out.
// Keeps the interface's promises as long as the process lives, and remembers nothing after it.
// Its size is bounded: the oldest finished events are forgotten first.

import { type Clock, eventKeyOf, type OperationResult } from '../model.ts';
import type {
  Acceptance,
  EventRecord,
  IntendedOperation,
  Journal,
  LastWrite,
  NewEvent,
  OperationRecord,
  Settlement,
  StoredPlan,
  TakenEvent,
} from './journal.ts';
import { SubjectQueues } from './subject-queues.ts';

/** Enough to answer the redeliveries of days; a durable journal remembers everything. */
const FINISHED_EVENTS_MAX = 50_000;
const OPERATIONS_MAX = 200_000;

interface Entry {
  readonly key: string;
  readonly event: NewEvent['event'];
  readonly subjects: readonly string[];
  readonly sequence: number;
  readonly firstAcceptedAtMs: number;
  status: EventRecord['status'];
  attempts: number;
  dueAtMs: number | undefined;
  outcome: EventRecord['outcome'];
  storedPlan: StoredPlan | undefined;
}

export function createMemoryJournal({ clock }: { clock: Clock }): Journal {
  return new MemoryJournal(clock);
}

class MemoryJournal implements Journal {
  readonly kind = 'memory';
  readonly keepsState = false;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #finished = new Set<string>();
  readonly #waiting = new Map<string, Set<Entry>>();
  readonly #queues = new SubjectQueues<Entry>();
  readonly #operations = new Map<string, OperationRecord>();
  readonly #created = new Set<string>();
  readonly #lastWrites = new Map<string, LastWrite>();
  readonly #listeners = new Set<() => void>();
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
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
    entry.dueAtMs = undefined;
    return {
      key: entry.key,
      event: entry.event,
      subjects: entry.subjects,
      attempt: entry.attempts,
      firstAcceptedAtMs: entry.firstAcceptedAtMs,
      storedPlan: entry.storedPlan,
    };
  }

  async settle(key: string, settlement: Settlement): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    const { outcome, dueAtMs, wakesWaiting } = settlement;
    entry.status = outcome.status;
    entry.outcome = outcome;
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
    const due = [...this.#waiting.values()].flatMap((group) => [...group].map((e) => e.dueAtMs));
    const times = [...due, this.#queues.nextDueAtMs()].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
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

  async findCreated(licenseIds: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(licenseIds.filter((id) => this.#created.has(id)));
  }

  async intend(operation: IntendedOperation): Promise<void> {
    this.#operations.set(operation.key, { ...operation, state: 'intended' });
    forgetBeyond(this.#operations, OPERATIONS_MAX);
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
    forgetBeyond(this.#created, OPERATIONS_MAX);
    await this.noteLastWrites(lastWrites);
  }

  async noteLastWrites(lastWrites: readonly LastWrite[]): Promise<void> {
    for (const write of lastWrites) this.#lastWrites.set(write.field, write);
    forgetBeyond(this.#lastWrites, OPERATIONS_MAX);
  }

  async withdraw(key: string): Promise<void> {
    this.#operations.delete(key);
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
    const { event, subjects, status, attempts, firstAcceptedAtMs, dueAtMs, outcome } = entry;
    return { key, event, subjects, status, attempts, firstAcceptedAtMs, dueAtMs, outcome };
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {
    this.#listeners.clear();
  }

  #forgetOldest(): void {
    if (this.#finished.size <= FINISHED_EVENTS_MAX) return;
    const [oldest] = this.#finished;
    if (oldest === undefined) return;
    this.#finished.delete(oldest);
    this.#entries.delete(oldest);
  }
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
