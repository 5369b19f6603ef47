// A clock whose time moves only when a test says so. Takes sleeps, gives them back in the order in
// which they are due, at exactly their moment. Never reads the real time.
//
//   const clock = new VirtualClock();
//   const done = clock.sleep(5000);
//   await clock.advance(5000);      // or: await clock.runUntilIdle();
//   await done;                     // true
//
// Code that talks to real sockets between its sleeps takes `new VirtualClock({ autoAdvance: true })`:
// there each sleep ends by itself, without waiting, and moves the time forward by its length.

import type { Clock } from '../../src/core/model.ts';

interface Sleeper {
  readonly dueMs: number;
  readonly order: number;
  wake(slept: boolean): void;
}

interface VirtualClockOptions {
  /** Where time begins, in milliseconds since 1970. */
  readonly startMs?: number;
  /** Ends each sleep by itself, earliest first. */
  readonly autoAdvance?: boolean;
}

/** 2026-01-01T00:00:00Z: a round moment, so that times in failures are easy to read. */
const START_MS = 1_767_225_600_000;

export class VirtualClock implements Clock {
  readonly #autoAdvance: boolean;
  readonly #sleepers = new Set<Sleeper>();
  #nowMs: number;
  #order = 0;

  constructor(options: VirtualClockOptions = {}) {
    this.#nowMs = options.startMs ?? START_MS;
    this.#autoAdvance = options.autoAdvance ?? false;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /** How many sleeps have not ended. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** When the earliest sleep is due; undefined when nothing sleeps. */
  get nextDueMs(): number | undefined {
    return this.#earliest()?.dueMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted === true) return Promise.resolve(false);
    return new Promise((resolve) => {
      const onAbort = (): void => sleeper.wake(false);
      const sleeper: Sleeper = {
        dueMs: this.#nowMs + Math.max(0, ms),
        order: this.#order++,
        wake: (slept) => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener('abort', onAbort);
          resolve(slept);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.add(sleeper);
      if (this.#autoAdvance) setImmediate(() => this.#wakeEarliest());
    });
  }

  /**
   * Moves time forward by `ms`. Sleeps that are due on the way end at their own moment, those begun
   * on the way too; whatever they set going has run before the next one ends.
   */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.settle();
    for (let next = this.#earliest(); next && next.dueMs <= endMs; next = this.#earliest()) {
      this.#wakeEarliest();
      await this.settle();
    }
    this.#nowMs = endMs;
  }

  /** Moves time from sleep to sleep until nothing sleeps. */
  async runUntilIdle(): Promise<void> {
    await this.settle();
    while (this.#earliest() !== undefined) {
      this.#wakeEarliest();
      await this.settle();
    }
  }

  /** Sets the time without ending any sleep, as when somebody corrects the machine's clock. */
  step(ms: number): void {
    this.#nowMs += ms;
  }

  /** Lets everything that is ready run; time stands still. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  #earliest(): Sleeper | undefined {
    let found: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (found === undefined || sleeper.dueMs < found.dueMs) found = sleeper;
      else if (sleeper.dueMs === found.dueMs && sleeper.order < found.order) found = sleeper;
    }
    return found;
  }

  #wakeEarliest(): void {
    const next = this.#earliest();
    if (next === undefined) return;
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    next.wake(true);
  }
}
