// Time for a whole system in one process: it stands still while anything happens, and jumps to the next
// sleeper when all is quiet. Back-off, time-outs and leases pass at once, and yet in their order.
// Takes sleeps and a count of what is under way outside (a database's answers). Never reads real time.

import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../../src/core/model.ts';

interface Sleeper {
  readonly dueMs: number;
  wake(slept: boolean): void;
}

/** Turns of the event loop without any sign of life after which all is quiet; more than a commit waits for. */
const QUIET_TURNS = 8;

/** Files that are being made durable on Node's threads, as SQLite's journal asks for. */
const diskTraffic = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'FSReqCallback').length;

export class QuietClock implements Clock {
  readonly #outside: () => number;
  /** Earliest first. */
  #sleepers: Sleeper[] = [];
  #nowMs: number;
  /** How far the wall clock was set forward or back; sleeps go by the other one. */
  #offMs = 0;
  #signs = 0;

  /** @param outside how much is under way that does not show in this clock */
  constructor(startMs: number, outside: () => number = diskTraffic) {
    this.#nowMs = startMs;
    this.#outside = outside;
  }

  nowMs(): number {
    this.#signs += 1;
    return this.#nowMs + this.#offMs;
  }

  /** Sets the wall clock forward, or back, as a correction of the machine's clock does. */
  jump(ms: number): void {
    this.#offMs += ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
    this.#signs += 1;
    if (signal?.aborted === true) return Promise.resolve(false);
    return new Promise((resolve) => {
      const onAbort = (): void => sleeper.wake(false);
      const sleeper: Sleeper = {
        dueMs: this.#nowMs + Math.max(0, ms),
        wake: (slept) => {
          this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
          signal?.removeEventListener('abort', onAbort);
          resolve(slept);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const place = this.#sleepers.findIndex(({ dueMs }) => dueMs > sleeper.dueMs);
      this.#sleepers.splice(place < 0 ? this.#sleepers.length : place, 0, sleeper);
    });
  }

  /** Lets time pass until the work is done. */
  async run<Result>(work: Promise<Result>): Promise<Result> {
    let isDone = false;
    const ended = work.finally(() => {
      isDone = true;
    });
    ended.catch(() => undefined);
    while (!isDone) {
      await this.#quiet(() => isDone);
      if (isDone) break;
      const [next] = this.#sleepers;
      if (next === undefined) await wait(1);
      else this.#wake(next);
    }
    return ended;
  }

  #wake(sleeper: Sleeper): void {
    this.#nowMs = Math.max(this.#nowMs, sleeper.dueMs);
    sleeper.wake(true);
  }

  async #quiet(isDone: () => boolean): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS && !isDone(); ) {
      const before = this.#signs;
      await turn();
      const outside = this.#outside();
      quiet = before === this.#signs && outside === 0 ? quiet + 1 : 0;
      // Turning on the spot would take the processor from what is waited for.
      if (outside > 0) await wait(1);
    }
  }
}
