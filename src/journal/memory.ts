// The journal that lives in this process: the kind for hosts without a disk, and for trying things out.
// Keeps the interface's promises as long as the process lives, and remembers nothing after it.
// Its size is bounded: the oldest finished events are forgotten first.
// Longer than usual: operations, timers and the archive have files of their own, and this holds them together.

import { randomBytes, randomUUID } from 'node:crypto';
import { type Clock, eventKeyOf } from '../core/model.ts';
import { type Archive, droppedOutcome, type HeldVerdict, replayMark } from './archive.ts';
import { type BrakeAnswer, BrakeCounts, type BrakeQuestion } from './brake.ts';
import type {
  Acceptance,
  EventRecord,
  Journal,
  NewEvent,
  ReplayMark,
  Settlement,
  StoredPlan,
  TakenEvent,
} from './journal.ts';
import { createKeyedHash } from './keyed-hash.ts';
import { createMemoryArchive, type MemoryEntryView } from './memory-archive.ts';
import { type Entry, erasePayload, newEntry, noteTry, toRecord } from './memory-entry.ts';
import { MemoryTimers } from './memory-timers.ts';
import { referencesOf } from './references.ts';
import { SubjectQueues } from './subject-queues.ts';
import { lineTimeOf } from './timers.ts';

/** Enough to answer the redeliveries of days; a durable journal remembers everything. */
const FINISHED_EVENTS_MAX = 50_000;
/** A payload may be a megabyte; only those of the latest events are kept once they are finished. */
const FINISHED_PAYLOADS_MAX = 1_000;

export function createMemoryJournal({ clock }: { clock: Clock }): Journal & { archive: Archive } {
  return new MemoryJournal(clock);
}

class MemoryJournal extends MemoryTimers implements Journal {
  readonly kind = 'memory';
  readonly keepsState = false;
  readonly knowsAllSinceMs: number;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #finished = new Set<string>();
  readonly #finishedWithPayload = new Set<string>();
  readonly #waiting = new Map<string, Set<Entry>>();
  readonly #queues = new SubjectQueues<Entry>();
  readonly #listeners = new Set<() => void>();
  /** The same journal for reading. */
  readonly archive: Archive;
  readonly #brake = new BrakeCounts();
  readonly #hash = createKeyedHash(randomBytes(32).toString('hex'));
  #sequence = 0;

  constructor(clock: Clock) {
    super();
    this.#clock = clock;
    this.knowsAllSinceMs = clock.nowMs();
    this.archive = createMemoryArchive({
      entries: () => [...this.#entries.values()].map((entry) => this.#viewOf(entry)),
      find: (key) => {
        const entry = this.#entries.get(key);
        return entry === undefined ? undefined : this.#viewOf(entry);
      },
      operationsOf: (key) => this.recordsOf(key),
      operations: () => this.records(),
      requeue: (key, mode) => this.#replay(key, mode),
      decide: (key, verdict) => this.#decideHeld(key, verdict),
      erase: (key) => {
        const entry = this.#entries.get(key);
        if (entry !== undefined) erasePayload(entry);
      },
      nowMs: () => clock.nowMs(),
      hash: this.#hash,
    });
  }

  #decideHeld(key: string, verdict: HeldVerdict): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#stopWaiting(entry);
    if (verdict === 'release') {
      entry.brake = 'released';
      this.#enqueue(entry);
    } else {
      entry.brake = 'dropped';
      entry.status = 'ignored';
      entry.outcome = droppedOutcome(entry.outcome ?? { eventId: entry.event.id });
      if (entry.timerKey !== undefined) this.endTimer(entry.timerKey, key);
      this.#finished.add(key);
      this.#finishedWithPayload.add(key);
    }
    this.#announce();
  }

  #viewOf(entry: Entry): MemoryEntryView {
    const { sequence, storedPlan, tries, references } = entry;
    const { timerKey, placeMs = 1 } = entry;
    const sinceMs = timerKey === undefined ? undefined : placeMs - 1;
    const record = toRecord(entry);
    return { sequence, record, sinceMs, storedPlan, attempts: tries, references };
  }

  #replay(key: string, mode: ReplayMark['mode']): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.replay = replayMark(mode, randomUUID(), entry);
    entry.brake = undefined;
    entry.begunAtMs = this.#clock.nowMs();
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
      const [sequence, nowMs] = [this.#nextSequence(), this.#clock.nowMs()];
      const entry = newEntry({ event, subjects }, key, sequence, nowMs);
      this.#entries.set(key, entry);
      this.#queues.add(entry);
      return { key, kind: 'queued' };
    }
    if (known.status === 'running') return { key, kind: 'running' };
    if (known.status === 'done' && known.outcome !== undefined) {
      return { key, kind: 'done', outcome: known.outcome };
    }
    if (known.outcome !== undefined && (known.brake === 'held' || known.brake === 'dropped')) {
      return { key, kind: 'held', outcome: known.outcome };
    }
    // Whatever did not end well is evaluated anew, at once: the provider asks for it again.
    if (this.#finished.has(key)) {
      known.event = event;
      known.isErased = false;
      known.begunAtMs = this.#clock.nowMs();
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
      begunAtMs: entry.begunAtMs,
      storedPlan: entry.storedPlan,
      timerKey: entry.timerKey,
      replay: entry.replay,
      isReleased: entry.brake === 'released',
    };
  }

  /** Settling never fails here. */
  giveUp(): void {}

  protected override nowMs(): number {
    return this.#clock.nowMs();
  }

  holdsLease(): boolean {
    return true;
  }

  async settle(key: string, settlement: Settlement): Promise<void> {
    const entry = this.#entries.get(key);
    // Freeing the subjects of an event that nobody works on would let two others run side by side.
    if (entry?.status !== 'running') return;
    const { outcome, dueAtMs, wakesWaiting } = settlement;
    entry.status = outcome.status;
    entry.outcome = outcome;
    if (settlement.isHeld === true) entry.brake = 'held';
    else if (!['queued', 'waiting', 'parked'].includes(outcome.status)) entry.brake = undefined;
    entry.settledAtMs = this.#clock.nowMs();
    entry.rulesHash = settlement.rulesHash ?? entry.rulesHash;
    entry.references = referencesOf(entry.event, outcome, this.#hash);
    noteTry(entry, settlement);
    entry.dueAtMs = dueAtMs;
    this.#settleTimer(entry, settlement);
    this.#queues.release(entry);
    entry.subjects = [...new Set([...entry.subjects, ...(settlement.joins ?? [])])];
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
        entry.replay = undefined;
        this.#finished.add(key);
        this.#finishedWithPayload.add(key);
        this.#forgetOldest();
    }
    if (wakesWaiting) this.#wake(entry.subjects);
    this.#announce();
  }

  /** One that waits for a time has its place in line by that; in back-off it keeps it. */
  #settleTimer(entry: Entry, { outcome, timer, dueAtMs }: Settlement): void {
    if (timer !== undefined && !timer.isOver && dueAtMs !== undefined) {
      entry.timerKey = timer.key;
      entry.placeMs = lineTimeOf(dueAtMs);
    } else if (!['queued', 'parked'].includes(outcome.status)) entry.timerKey = undefined;
    if (timer?.isOver === true) this.endTimer(timer.key, entry.key);
  }

  protected override release(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.status !== 'waiting') return;
    this.#enqueue(entry);
    this.#announce();
  }

  protected override revive(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.status !== 'done' || entry.isErased) return;
    this.#enqueue(entry);
    this.#announce();
  }

  #wake(subjects: readonly string[]): void {
    for (const subject of subjects) {
      for (const entry of this.#waiting.get(subject) ?? []) {
        if (entry.status === 'waiting' && entry.timerKey === undefined) this.#enqueue(entry);
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

  onChange(listener: () => void): () => void {
    return this.onWork(listener);
  }

  #announce(): void {
    for (const listener of this.#listeners) listener();
  }

  async wakePutOff(sinceMs: number): Promise<void> {
    for (const entry of this.#entries.values()) {
      if ((entry.settledAtMs ?? 0) < sinceMs) continue;
      if (entry.status === 'queued') entry.dueAtMs = undefined;
      if (entry.status === 'parked' && entry.brake !== 'held') this.#enqueue(entry);
    }
    this.#announce();
  }

  async storePlan(key: string, plan: StoredPlan): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.storedPlan = plan;
    if (plan.timer === undefined) return;
    entry.placeMs = undefined;
    this.endTimer(plan.timer.key, key);
  }

  async askBrake(question: BrakeQuestion): Promise<BrakeAnswer> {
    return this.#brake.ask(question, this.#clock.nowMs());
  }

  async uncountUndone(eventKey: string): Promise<void> {
    const done = new Set(this.recordsOf(eventKey).map(({ key }) => key));
    this.#brake.uncount(eventKey, done);
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
