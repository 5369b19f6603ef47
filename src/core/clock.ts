// The clocks that servers and commands run on: real time, and time that only moves when somebody sleeps.
// Never used by a test that is about time: those own a clock of their own.

import type { Clock } from './model.ts';

/** The longest delay a Node timer takes (a longer one fires at once), in milliseconds. */
const TIMER_MS_MAX = 2_147_483_647;

/** Real time. `sleep` resolves to true after `ms`, to false as soon as the signal is aborted. */
export function createSystemClock(): Clock {
  return {
    nowMs: () => Date.now(),
    sleep: async (ms, signal) => {
      let leftMs = ms;
      while (leftMs > TIMER_MS_MAX) {
        if (!(await sleepOnce(TIMER_MS_MAX, signal))) return false;
        leftMs -= TIMER_MS_MAX;
      }
      return sleepOnce(Math.max(0, leftMs), signal);
    },
  };
}

/** Milliseconds since it was started. */
export type Stopwatch = () => number;

/**
 * Starts one that a wall clock put back does not slow down, nor a machine that slept: the larger of what the wall
 * clock and the monotonic clock say.
 */
export function startStopwatch(clock: Clock): Stopwatch {
  const startMs = clock.nowMs();
  const startTick = performance.now();
  return () => Math.max(clock.nowMs() - startMs, performance.now() - startTick);
}

function sleepOnce(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  if (signal?.aborted === true) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve(true);
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** A clock that its owner moves. */
export interface StepClock extends Clock {
  /** Moves time forward to that moment; one that is past already changes nothing. */
  moveTo(ms: number): void;
}

/** Time that stands still until somebody sleeps or moves it: for dry runs and rule tests. */
export function createStepClock(startMs: number): StepClock {
  let nowMs = startMs;
  return {
    moveTo: (ms) => {
      nowMs = Math.max(nowMs, ms);
    },
    nowMs: () => nowMs,
    sleep: async (ms, signal) => {
      if (signal?.aborted === true) return false;
      nowMs += Math.max(0, ms);
      return true;
    },
  };
}
