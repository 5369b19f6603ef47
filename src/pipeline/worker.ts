// Takes events from the journal and works on them: one at a time for each subject, many subjects side
// by side. Gives whoever waits for an event its outcome, as soon as there is one.
// Never answers a webhook, and never knows how an event came.

import { messageOf } from '../core/error-codes.ts';
import { type Reach, reachNothing } from '../core/failpoints.ts';
import type { Logger } from '../core/log.ts';
import type { Clock, EventOutcome } from '../core/model.ts';
import type { Journal, Settlement, TakenEvent } from '../journal/journal.ts';
import { createOutcomeListeners } from './outcome-listeners.ts';
import type { Pipeline } from './pipeline.ts';
import { putOff, reportAttempt, reportBroken } from './report-attempt.ts';
import { createSettling, type Settling } from './settling.ts';

export interface WorkerOptions {
  readonly journal: Journal;
  readonly pipeline: Pick<Pipeline, 'process'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** While Cryptlex is known to be down nothing is taken: it would only fail as well. */
  readonly isDown?: () => boolean;
  /** Tells a test where it stands; nothing otherwise. */
  readonly reach?: Reach;
  /** How many events are worked on at once; calls are paced further by the client. For all, new ones as well. */
  readonly concurrency?: number;
}

export interface Worker {
  /**
   * Asks for a hand for an event that is just being accepted: undefined while all hands are full, or while
   * there may be older work. What it gives takes the event, or is called with undefined for none.
   */
  offerHand(): ((taken: TakenEvent | undefined) => void) | undefined;
  /** How many events hold a slot only because their end could not be written down yet. */
  unsettled(): number;
  /** Begins to take events. */
  start(): void;
  /**
   * Works on everything that is due now, one event after the other, and returns. For whoever owns the
   * time, as rule tests do; not beside `start`.
   */
  drain(): Promise<void>;
  /**
   * The outcome of an event's next settlement, or undefined when the time is over before. Ask before
   * the event is accepted or right after: a settlement in between is not missed.
   */
  awaitOutcome(key: string, signal: AbortSignal): Promise<EventOutcome | undefined>;
  /**
   * Works until there is nothing to take and nothing in work, or until the signal is aborted; gives how
   * many events were settled meanwhile. While Cryptlex is away it waits. Only after `start`.
   */
  workOff(signal: AbortSignal): Promise<number>;
  /**
   * Takes nothing more, and waits that long for what is being worked on, which is not given up: for
   * hosts that freeze a process between requests. `start` goes on. Gives how many are still in work.
   */
  pause(graceMs: number): Promise<number>;
  /**
   * Takes nothing more and waits for what is being worked on; calls still out after the grace
   * time are given up. Resolves with the number of events that were cut off.
   */
  stop(graceMs: number): Promise<number>;
}

/** Without a reason each end of a timer would make an exception with its stack. */
const ENDED = 'ended';
const CONCURRENCY = 32;
/** What has just come is begun beyond that: put aside and taken again, it would cost the journal twice as much. */
const CONCURRENCY_OF_NEW = 256;
/** An event that broke the program itself is tried again after this. */
const BROKEN_DELAY_MS = 30_000;
/** After calls were given up, nothing should take long any more. */
const GIVE_UP_MS = 2_000;
/** An idle worker looks again this often, should a wake-up be missed. */
const IDLE_MS = 5_000;

export function createWorker(options: WorkerOptions): Worker {
  return new JournalWorker(options);
}

class JournalWorker implements Worker {
  readonly #options: WorkerOptions;
  readonly #running = new Map<string, Promise<void>>();
  readonly #listeners = createOutcomeListeners();
  readonly #abort = new AbortController();
  readonly #settling: Settling;
  #stopped = true;
  #looping: Promise<void> = Promise.resolve();
  #isLooping = false;
  #settled = 0;
  readonly #idle = new Set<() => void>();
  /** The last look at the journal found nothing more to take. */
  #sawAll = false;
  /** Hands that wait for an event that is being accepted. */
  readonly #offers = new Set<Promise<void>>();
  #stopListening: (() => void) | undefined;
  #wake: (() => void) | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#settling = createSettling(options, this.#abort.signal);
  }

  unsettled(): number {
    return this.#settling.unsettled();
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#stopListening = this.#options.journal.onWork(() => {
      this.#sawAll = false;
      this.#wake?.();
    });
    // A loop that was paused and has not ended yet simply goes on.
    if (!this.#isLooping) this.#looping = this.#loop();
  }

  async drain(): Promise<void> {
    for (;;) {
      const taken = await this.#options.journal.take();
      if (taken === undefined) return;
      await this.#work(taken);
    }
  }

  async #loop(): Promise<void> {
    this.#isLooping = true;
    while (!this.#stopped) {
      // Registered before looking, so that work which comes while looking is not slept over.
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      try {
        await this.#takeAll();
        this.#tellIdle();
        await this.#sleep(woken);
      } catch (error) {
        const cause = messageOf(error);
        this.#options.log.error({ cause }, 'the journal gave no work; trying again');
        await this.#options.clock.sleep(1_000, this.#abort.signal);
      }
    }
    this.#isLooping = false;
  }

  offerHand(): ((taken: TakenEvent | undefined) => void) | undefined {
    if (!this.#sawAll || !this.#hasHand(CONCURRENCY_OF_NEW)) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#offers.add(promise);
    return (taken) => {
      if (!this.#offers.delete(promise)) return;
      if (taken !== undefined) this.#begin(taken);
      else if (!this.#sawAll) this.#wake?.();
      resolve();
    };
  }

  #hasHand(most = CONCURRENCY): boolean {
    const { concurrency = most } = this.#options;
    const busy = this.#running.size + this.#offers.size;
    return !this.#stopped && !this.#isDown() && busy < concurrency;
  }

  #begin(taken: TakenEvent): void {
    const work = this.#work(taken).finally(() => {
      this.#running.delete(taken.key);
      // With nothing more to take, a free hand is of no interest but to whoever waits for all to be done.
      if (!this.#sawAll || this.#idle.size > 0) this.#wake?.();
    });
    this.#running.set(taken.key, work);
  }

  async #takeAll(): Promise<void> {
    while (this.#hasHand()) {
      const taken = await this.#options.journal.take();
      this.#sawAll = taken === undefined;
      if (taken === undefined) return;
      this.#begin(taken);
    }
  }

  /** Whoever works off hears that a look at the journal, begun after it asked, found nothing. */
  #tellIdle(): void {
    if (this.#running.size + this.#offers.size > 0 || this.#isDown()) return;
    for (const listener of this.#idle) listener();
  }

  async #sleep(woken: Promise<void>): Promise<void> {
    const { journal, clock } = this.#options;
    // With all hands full, nothing that becomes due can be taken before one of them is free.
    const isFull = !this.#hasHand();
    const dueAtMs = isFull ? undefined : await journal.nextDueAtMs();
    const untilDueMs = dueAtMs === undefined ? IDLE_MS : Math.max(1, dueAtMs - clock.nowMs());
    const timer = new AbortController();
    await Promise.race([woken, clock.sleep(Math.min(untilDueMs, IDLE_MS), timer.signal)]);
    timer.abort(ENDED);
  }

  #isDown(): boolean {
    return this.#options.isDown?.() === true;
  }

  async #work(taken: TakenEvent): Promise<void> {
    const { reach = reachNothing } = this.#options;
    await reach('taken');
    const ended = await this.#process(taken);
    await reach('settling');
    const settlement = await this.#settling.settle(taken, ended);
    if (settlement === undefined) return;
    this.#settled += 1;
    await reach('settled');
    reportAttempt(this.#options.log, taken, settlement);
    this.#listeners.tell(taken.key, settlement.outcome);
  }

  /** An event that broke the program must not hold its subjects for ever; it is tried again. */
  async #process(taken: TakenEvent): Promise<Settlement> {
    const { pipeline, clock, log } = this.#options;
    try {
      return await pipeline.process(taken, this.#abort.signal);
    } catch (error) {
      reportBroken(log, taken, error);
      return putOff(taken.event.id, clock.nowMs() + BROKEN_DELAY_MS);
    }
  }

  awaitOutcome(key: string, signal: AbortSignal): Promise<EventOutcome | undefined> {
    return this.#listeners.next(key, signal);
  }

  async workOff(signal: AbortSignal): Promise<number> {
    const before = this.#settled;
    await new Promise<void>((resolve) => {
      let looks = 0;
      const end = (): void => {
        this.#idle.delete(hear);
        signal.removeEventListener('abort', end);
        resolve();
      };
      // The look that is under way may have begun before; the one after it has not.
      const hear = (): void => {
        looks += 1;
        if (looks > 1) end();
        else this.#wake?.();
      };
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', end);
      this.#idle.add(hear);
      this.#wake?.();
    });
    return this.#settled - before;
  }

  async pause(graceMs: number): Promise<number> {
    this.#stopped = true;
    this.#stopListening?.();
    this.#wake?.();
    await this.#atMost(graceMs, this.#finishAll());
    return this.#running.size;
  }

  async stop(graceMs: number): Promise<number> {
    this.#stopped = true;
    this.#stopListening?.();
    this.#wake?.();
    const finished = this.#finishAll();
    await this.#atMost(graceMs, finished);
    const cutOff = this.#running.size;
    this.#abort.abort();
    await this.#atMost(GIVE_UP_MS, finished);
    return cutOff;
  }

  /** The loop first: it may be about to take one more. */
  async #finishAll(): Promise<void> {
    await this.#looping;
    while (this.#running.size + this.#offers.size > 0) {
      await Promise.all([...this.#offers, ...this.#running.values()]);
    }
  }

  async #atMost(ms: number, finished: Promise<void>): Promise<void> {
    const timer = new AbortController();
    await Promise.race([finished, this.#options.clock.sleep(ms, timer.signal)]);
    timer.abort(ENDED);
  }
}
