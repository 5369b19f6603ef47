// The pace of calls to Cryptlex. Takes requests to start, lets them start in their order: never more
// than so many within any period, never more than so many at once, none while Cryptlex asked to wait.
// Never sends anything itself, and never refuses: a burst is drained.

import type { Clock } from '../core/model.ts';
import { type AnswerHeaders, exhaustedMs, retryAfterMs } from './rate-headers.ts';

/** That a call may start. */
export interface Grant {
  /**
   * Called right before the call leaves, which takes its place in the window from then on. False: the grant
   * has expired meanwhile, and another one is needed.
   */
  begin(): boolean;
  /** Called once the call has ended, or will not be made; twice is harmless. */
  release(): void;
}

/** All calls of a process, or of all replicas, go through one. */
export interface Pace {
  /** Resolves when a call may start. Rejects with the signal's reason when it is aborted before. */
  acquire(signal?: AbortSignal): Promise<Grant>;
  /** Is told the status and headers of each answer. */
  observe(status: number, headers: AnswerHeaders): void;
}

interface PaceOptions {
  /** Starts allowed within any window of `periodMs`. */
  readonly requests: number;
  readonly periodMs: number;
  /** Calls in flight at one time. */
  readonly concurrency: number;
  readonly clock: Clock;
}

/** A 429 without a readable Retry-After: the shortest that Cryptlex's own limiter ever names. */
export const RETRY_AFTER_MS_DEFAULT = 1000;
/** A longer Retry-After is tried again after this, so that one odd answer cannot stop us for a day. */
const PAUSE_MS_MAX = 60_000;

/** When the next call may start, by the window and by what Cryptlex asked for. */
interface StartWindow {
  /** How long nothing may start; 0 = now. */
  waitMs(): number;
  /** Takes a place in the window; gives the way to move it to the present. */
  started(): () => void;
  pause(ms: number): void;
}

function createStartWindow({ requests, periodMs, clock }: PaceOptions): StartWindow {
  /** Moments of the latest starts, oldest first, at most `requests` of them. */
  const starts: { ms: number }[] = [];
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  let lastSeenMs = clock.nowMs();

  /** When the machine's clock was put back, all remembered moments go back with it. */
  function now(): number {
    const nowMs = clock.nowMs();
    const backMs = lastSeenMs - nowMs;
    if (backMs > 0) {
      for (const start of starts) start.ms -= backMs;
      pausedUntilMs -= backMs;
    }
    lastSeenMs = nowMs;
    return nowMs;
  }

  return {
    waitMs: () => {
      const nowMs = now();
      const oldestMs = starts.length < requests ? undefined : starts[0]?.ms;
      // One more millisecond, since the clock's moments are rounded down.
      const windowMs = oldestMs === undefined ? 0 : oldestMs + periodMs + 1 - nowMs;
      return Math.max(0, windowMs, pausedUntilMs - nowMs);
    },
    started: () => {
      const start = { ms: now() };
      starts.push(start);
      if (starts.length > requests) starts.shift();
      return () => {
        const nowMs = now();
        const place = starts.indexOf(start);
        if (start.ms === nowMs || place < 0) return;
        starts.splice(place, 1);
        start.ms = nowMs;
        starts.push(start);
      };
    },
    pause: (ms) => {
      pausedUntilMs = Math.max(pausedUntilMs, now() + ms);
    },
  };
}

interface Waiter {
  start(begin: () => void): void;
}

/**
 * A pace for one process. Cryptlex refuses from the 51st request in 5 s per address (vendor's
 * reference, introduction; read 2026-08), whoever else calls from there.
 */
export function createPace(options: PaceOptions): Pace {
  const { periodMs, concurrency, clock } = options;
  const window = createStartWindow(options);
  const queue = new Set<Waiter>();
  let active = 0;
  let alarm: AbortController | undefined;

  function startWaiters(): void {
    for (const waiter of queue) {
      if (active >= concurrency) return;
      const blockedMs = window.waitMs();
      if (blockedMs > 0) {
        wakeAfter(blockedMs);
        return;
      }
      queue.delete(waiter);
      const begin = window.started();
      active += 1;
      waiter.start(begin);
    }
    // Nobody waits: a timer left running would keep the process alive for nothing.
    alarm?.abort();
    alarm = undefined;
  }

  function wakeAfter(ms: number): void {
    if (alarm !== undefined) return;
    const own = new AbortController();
    alarm = own;
    void clock.sleep(ms, own.signal).then(() => {
      if (alarm !== own) return;
      alarm = undefined;
      startWaiters();
    });
  }

  function grantOf(begin: () => void): Grant {
    let held = true;
    return {
      begin: () => {
        begin();
        return true;
      },
      release: () => {
        if (!held) return;
        held = false;
        active -= 1;
        startWaiters();
      },
    };
  }

  function acquire(signal?: AbortSignal): Promise<Grant> {
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        queue.delete(waiter);
        reject(signal?.reason);
        startWaiters();
      };
      const waiter: Waiter = {
        start: (begin) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(grantOf(begin));
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      queue.add(waiter);
      startWaiters();
    });
  }

  function observe(status: number, headers: AnswerHeaders): void {
    const nowMs = clock.nowMs();
    if (status === 429) {
      const wantedMs = retryAfterMs(headers, nowMs) ?? RETRY_AFTER_MS_DEFAULT;
      window.pause(Math.min(wantedMs, PAUSE_MS_MAX));
    } else {
      window.pause(Math.min(exhaustedMs(headers, nowMs) ?? 0, periodMs * 2));
    }
  }

  return { acquire, observe };
}

type RateLimit =
  | { readonly kind: 'parsed'; readonly requests: number; readonly periodMs: number }
  | { readonly kind: 'invalid'; readonly reason: string };

const UNIT_MS = { ms: 1, s: 1000, m: 60_000 } as const;
const PERIOD_MS_MAX = 3_600_000; // 1 h; a longer one is surely a slip of the unit
const REQUESTS_MAX = 100_000;

/** Reads `45/5s`: so many requests, in so long. Units are ms, s and m. */
export function parseRateLimit(text: string): RateLimit {
  const match = /^(\d{1,9})\s*\/\s*(\d{1,9})\s*(ms|s|m)$/.exec(text.trim());
  const unit = match?.[3];
  if (match === null || (unit !== 'ms' && unit !== 's' && unit !== 'm')) {
    return invalid('takes requests/period with a unit of ms, s or m, such as 45/5s');
  }
  const requests = Number(match[1]);
  const periodMs = Number(match[2]) * UNIT_MS[unit];
  if (requests < 1 || requests > REQUESTS_MAX) {
    return invalid(`takes 1 to ${REQUESTS_MAX} requests, not ${requests}`);
  }
  if (periodMs < 1 || periodMs > PERIOD_MS_MAX) return invalid('takes a period of 1ms to 60m');
  return { kind: 'parsed', requests, periodMs };
}

function invalid(reason: string): RateLimit {
  return { kind: 'invalid', reason };
}
