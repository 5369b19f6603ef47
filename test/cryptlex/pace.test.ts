// The pace that all calls to Cryptlex share: never too many in any window, never too many at once,
// in their order, and no call is ever refused or forgotten.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPace, type Pace, parseRateLimit } from '../../src/cryptlex/rate-limiter.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

interface Arrival {
  readonly atMs: number;
  readonly lastsMs: number;
  readonly aborts: boolean;
}

/** Plays arrivals on a virtual clock; gives when each started, and the most that ran at once. */
async function play(
  pace: Pace,
  clock: VirtualClock,
  arrivals: readonly Arrival[],
): Promise<{ started: { index: number; atMs: number }[]; mostActive: number }> {
  const beginMs = clock.nowMs();
  const started: { index: number; atMs: number }[] = [];
  let active = 0;
  let mostActive = 0;
  const runs = arrivals.map(async (arrival, index) => {
    await clock.sleep(arrival.atMs);
    const giving = new AbortController();
    const acquired = pace.acquire(giving.signal);
    if (arrival.aborts) giving.abort();
    const grant = await acquired.catch(() => undefined);
    if (grant === undefined) return;
    started.push({ index, atMs: clock.nowMs() - beginMs });
    active += 1;
    mostActive = Math.max(mostActive, active);
    await clock.sleep(arrival.lastsMs);
    active -= 1;
    grant.release();
    grant.release();
  });
  await clock.runUntilIdle();
  await Promise.all(runs);
  return { started, mostActive };
}

/** The most starts within any closed window of that length. */
function mostInWindow(startedMs: readonly number[], periodMs: number): number {
  return Math.max(
    0,
    ...startedMs.map(
      (fromMs) => startedMs.filter((ms) => ms >= fromMs && ms <= fromMs + periodMs).length,
    ),
  );
}

const arrivalsArbitrary = fc.array(
  fc.record({
    atMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 })),
    lastsMs: fc.integer({ min: 0, max: 120 }),
    aborts: fc.boolean(),
  }),
  { maxLength: 30 },
);

describe('whatever arrives', () => {
  it('no window, and no moment, ever holds too many; nobody is forgotten; the order is kept', async () => {
    await fc.assert(
      fc.asyncProperty(
        arrivalsArbitrary,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 4 }),
        async (arrivals, requests, periodMs, concurrency) => {
          const clock = new VirtualClock();
          const pace = createPace({ requests, periodMs, concurrency, clock });
          const { started, mostActive } = await play(pace, clock, arrivals);
          const startedMs = started.map(({ atMs }) => atMs);
          expect(mostInWindow(startedMs, periodMs)).toBeLessThanOrEqual(requests);
          expect(mostActive).toBeLessThanOrEqual(concurrency);
          const staying = arrivals.flatMap(({ aborts }, index) => (aborts ? [] : [index]));
          const seen = started.map(({ index }) => index);
          expect(staying.filter((index) => !seen.includes(index))).toEqual([]);
          const arrivalOrder = [...seen].sort(
            (a, b) => (arrivals[a]?.atMs ?? 0) - (arrivals[b]?.atMs ?? 0) || a - b,
          );
          expect(seen).toEqual(arrivalOrder);
          expect(clock.sleeping).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** Starts `count` calls that never end; gives when each was let go, in order. */
function burst(pace: Pace, clock: VirtualClock, count: number): number[] {
  const beginMs = clock.nowMs();
  const startedMs: number[] = [];
  for (let i = 0; i < count; i++) {
    void pace.acquire().then(() => startedMs.push(clock.nowMs() - beginMs));
  }
  return startedMs;
}

describe('the rolling window', () => {
  it('lets 45 go at once, and the 46th just after 5 s', async () => {
    const clock = new VirtualClock();
    const pace = createPace({ requests: 45, periodMs: 5000, concurrency: 100, clock });
    const startedMs = burst(pace, clock, 46);
    await clock.advance(5000);
    expect(startedMs).toEqual(Array.from({ length: 45 }, () => 0));
    await clock.advance(1);
    expect(startedMs.length).toBe(46);
  });
  it('survives a clock that is put back by an hour', async () => {
    const clock = new VirtualClock();
    const pace = createPace({ requests: 1, periodMs: 5000, concurrency: 100, clock });
    await pace.acquire();
    await clock.advance(2000);
    clock.step(-3_600_000);
    const startedMs = burst(pace, clock, 1);
    await clock.advance(5001);
    expect(startedMs.length).toBe(1);
  });
});

describe('at once', () => {
  it('8 run, the ninth starts when one ends; ending twice frees one place only', async () => {
    const clock = new VirtualClock();
    const pace = createPace({ requests: 45, periodMs: 5000, concurrency: 8, clock });
    const first = await pace.acquire();
    const startedMs = burst(pace, clock, 9);
    await clock.settle();
    expect(startedMs.length).toBe(7);
    first.release();
    first.release();
    await clock.settle();
    expect(startedMs.length).toBe(8);
  });
});

describe('what Cryptlex says about pace', () => {
  const startMs = Date.UTC(2026, 0, 1);
  const at = (ms: number) => new Date(startMs + ms).toISOString();
  const zero = (reset: string, extra = {}) => ({
    'x-rate-limit-remaining': '0',
    'x-rate-limit-reset': reset,
    ...extra,
  });
  const cases: [name: string, status: number, headers: Record<string, string>, pauseMs: number][] =
    [
      ['429 with seconds', 429, { 'retry-after': '3' }, 3000],
      ['429 with a date', 429, { 'retry-after': 'Thu, 01 Jan 2026 00:00:02 GMT' }, 2000],
      ['429 without', 429, {}, 1000],
      ['429 with garbage', 429, { 'retry-after': '2026x' }, 1000],
      ['429 for an hour, at most a minute at a time', 429, { 'retry-after': '3600' }, 60_000],
      ['none left until a moment', 200, zero(at(1500)), 1500],
      ['seven fractional digits', 200, zero('2026-01-01T00:00:01.5000000Z'), 1500],
      ['a moment without zone is UTC', 200, zero('2026-01-01T00:00:01'), 1000],
      [
        'by the clock of the server',
        200,
        zero(at(61_000), { date: 'Thu, 01 Jan 2026 00:01:00 GMT' }),
        1000,
      ],
      ['far away: two periods at most', 200, zero(at(3_600_000)), 10_000],
      ['none left, the moment has passed', 200, zero(at(-1000)), 0],
      ['none left, garbage for the moment', 200, zero('soon'), 0],
      ['none left, no moment', 200, { 'x-rate-limit-remaining': '0' }, 0],
      ['one left', 200, { ...zero(at(1500)), 'x-rate-limit-remaining': '1' }, 0],
      ['garbage left', 200, { ...zero(at(1500)), 'x-rate-limit-remaining': 'none' }, 0],
      ['an ordinary answer', 200, {}, 0],
    ];
  for (const [name, status, headers, pauseMs] of cases) {
    it(`${name}: nothing starts for ${pauseMs} ms`, async () => {
      const clock = new VirtualClock({ startMs });
      const pace = createPace({ requests: 45, periodMs: 5000, concurrency: 8, clock });
      pace.observe(status, new Headers(headers));
      const startedMs = burst(pace, clock, 1);
      await clock.runUntilIdle();
      expect(startedMs).toEqual([pauseMs]);
    });
  }
  it('a shorter word does not end a longer pause', async () => {
    const clock = new VirtualClock({ startMs });
    const pace = createPace({ requests: 45, periodMs: 5000, concurrency: 8, clock });
    pace.observe(429, new Headers({ 'retry-after': '4' }));
    pace.observe(429, new Headers({ 'retry-after': '1' }));
    pace.observe(200, new Headers());
    const startedMs = burst(pace, clock, 2);
    await clock.runUntilIdle();
    expect(startedMs).toEqual([4000, 4000]);
  });
  it('a pause that begins while calls wait holds them, too', async () => {
    const clock = new VirtualClock({ startMs });
    const pace = createPace({ requests: 1, periodMs: 1000, concurrency: 8, clock });
    const startedMs = burst(pace, clock, 2);
    await clock.advance(500);
    pace.observe(429, new Headers({ 'retry-after': '4' }));
    await clock.runUntilIdle();
    expect(startedMs).toEqual([0, 4500]);
  });
});

describe('a caller that gives up', () => {
  it('before and while it waits is refused with its reason, and holds nobody up', async () => {
    const clock = new VirtualClock();
    const pace = createPace({ requests: 1, periodMs: 1000, concurrency: 8, clock });
    await pace.acquire();
    await expect(pace.acquire(AbortSignal.abort('early'))).rejects.toBe('early');
    const giving = new AbortController();
    const waiting = pace.acquire(giving.signal);
    const startedMs = burst(pace, clock, 1);
    giving.abort('late');
    await expect(waiting).rejects.toBe('late');
    await clock.runUntilIdle();
    expect(startedMs).toEqual([1001]);
  });
  it('as the only one leaves no timer behind', async () => {
    const clock = new VirtualClock();
    const pace = createPace({ requests: 1, periodMs: 1000, concurrency: 8, clock });
    await pace.acquire();
    const giving = new AbortController();
    const waiting = pace.acquire(giving.signal).catch(() => 'given up');
    expect(clock.sleeping).toBe(1);
    giving.abort();
    expect(await waiting).toBe('given up');
    expect(clock.sleeping).toBe(0);
  });
});

describe('CRYPTLEX_RATE_LIMIT', () => {
  const good: [text: string, requests: number, periodMs: number][] = [
    ['45/5s', 45, 5000],
    [' 45 / 5 s ', 45, 5000],
    ['1/1ms', 1, 1],
    ['10/250ms', 10, 250],
    ['500/1m', 500, 60_000],
    ['100000/60m', 100_000, 3_600_000],
  ];
  for (const [text, requests, periodMs] of good) {
    it(`"${text}" is ${requests} in ${periodMs} ms`, () => {
      expect(parseRateLimit(text)).toEqual({ kind: 'parsed', requests, periodMs });
    });
  }
  const bad = [
    '',
    '45',
    '45/5',
    '45/s',
    '/5s',
    '0/5s',
    '100001/5s',
    '45/0s',
    '45/61m',
    '-1/5s',
    '4.5/5s',
    '45/5h',
    '45/5S',
    '45/5s x',
    '9999999999/5s',
  ];
  for (const text of bad) {
    it(`"${text}" is refused with what it takes`, () => {
      expect(parseRateLimit(text)).toEqual({
        kind: 'invalid',
        reason: expect.stringMatching(/^takes /),
      });
    });
  }
});

describe('the helpers of these tests', () => {
  it('mostInWindow counts both ends', () => {
    expect(mostInWindow([0, 5, 10], 10)).toBe(3);
    expect(mostInWindow([0, 5, 11], 10)).toBe(2);
    expect(mostInWindow([], 10)).toBe(0);
  });
});
