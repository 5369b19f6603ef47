// One pace for all replicas on one PostgreSQL. Real time, but judged by ratios and orders only.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSystemClock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import { createPace, type Pace } from '../../src/cryptlex/rate-limiter.ts';
import type { SqlDatabase } from '../../src/journal/sql/database.ts';
import { openPostgres } from '../../src/journal/sql/postgres.ts';
import { migrate } from '../../src/journal/sql/schema.ts';
import { createSharedPace } from '../../src/journal/sql/shared-rate-limit.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const clock = createSystemClock();
const WITHOUT = new Headers();

interface Replicas {
  readonly paces: readonly Pace[];
  readonly databases: readonly SqlDatabase[];
}

async function replicas(
  count: number,
  { requests, periodMs }: { requests: number; periodMs: number },
  run: (replicas: Replicas) => Promise<void>,
): Promise<void> {
  const url = new Secret(await postgres.createDatabase());
  const databases = Array.from({ length: count }, () => openPostgres({ url }));
  for (const database of databases) await migrate(database);
  const paces = databases.map((database) => {
    // The pace of one process alone would let three times as many start.
    const local = createPace({ requests, periodMs, concurrency: 8, clock });
    return createSharedPace({ database, local, requests, periodMs, clock });
  });
  try {
    await run({ paces, databases });
  } finally {
    await Promise.all(databases.map((database) => database.close()));
  }
}

/** The largest number of moments within any window of that length. */
function most(moments: readonly number[], windowMs: number): number {
  const sorted = moments.toSorted((a, b) => a - b);
  let first = 0;
  let found = 0;
  for (const [index, moment] of sorted.entries()) {
    while ((sorted[first] ?? 0) <= moment - windowMs) first += 1;
    found = Math.max(found, index - first + 1);
  }
  return found;
}

async function start(pace: Pace, moments: number[], signal?: AbortSignal): Promise<void> {
  let grant = await pace.acquire(signal);
  // It may have run out at this very moment; then a call asks for another one.
  while (!grant.begin()) {
    grant.release();
    grant = await pace.acquire(signal);
  }
  moments.push(performance.now());
  grant.release();
}

test('a window is counted as it is', () => {
  expect(most([0, 1, 2, 100, 101], 50)).toBe(3);
  expect(most([0, 50, 99], 50)).toBe(1 + 1);
});

describe('three replicas on one database', () => {
  test('never start more calls within any window than one may, and drain a burst', () =>
    replicas(3, { requests: 60, periodMs: 400 }, async ({ paces }) => {
      const moments: number[] = [];
      const burst = paces.flatMap((pace) =>
        Array.from({ length: 100 }, () => start(pace, moments)),
      );
      await Promise.all(burst);
      expect(moments).toHaveLength(300);
      expect(most(moments, 400)).toBeLessThanOrEqual(60);
      // Slower than allowed it may be, but not by an order.
      const tookMs = Math.max(...moments) - Math.min(...moments);
      expect(tookMs).toBeLessThan(10 * (300 / 60) * 400);
    }));

  test.each([40, 300])('keep to it when some commits take %i ms', (commitMs) =>
    replicas(3, { requests: 12, periodMs: 300 }, async ({ paces, databases }) => {
      for (const database of databases) {
        const transaction = database.transaction.bind(database);
        let count = 0;
        database.transaction = async (run) => {
          const result = await transaction(run);
          count += 1;
          if (count % 3 !== 0) await clock.sleep(commitMs);
          return result;
        };
      }
      const moments: number[] = [];
      const burst = paces.flatMap((pace) => Array.from({ length: 24 }, () => start(pace, moments)));
      await Promise.all(burst);
      expect(moments).toHaveLength(72);
      expect(most(moments, 300)).toBeLessThanOrEqual(12);
    }),
  );

  test('drain a burst of a thousand calls', () =>
    replicas(3, { requests: 500, periodMs: 200 }, async ({ paces }) => {
      const moments: number[] = [];
      const burst = Array.from({ length: 1_000 }, (_, index) =>
        start(paces[index % 3] as Pace, moments),
      );
      await Promise.all(burst);
      expect(moments).toHaveLength(1_000);
      expect(most(moments, 200)).toBeLessThanOrEqual(500);
    }));

  test.each([
    ['in seconds', '1'],
    ['as a date', 'date'],
    ['not at all', undefined],
    ['as nonsense', '-5'],
  ])('all wait when Cryptlex asked one of them to, told %s', (_, told) =>
    replicas(3, { requests: 50, periodMs: 100 }, async ({ paces }) => {
      const headers = new Headers();
      const date = new Date(Date.now() + 2_500).toUTCString();
      if (told !== undefined) headers.set('retry-after', told === 'date' ? date : told);
      const [first, second, third] = paces as [Pace, Pace, Pace];
      const { release } = await first.acquire();
      const askedAt = performance.now();
      first.observe(429, headers);
      release();
      // The word has to reach the database.
      await clock.sleep(200);
      const moments: number[] = [];
      await Promise.all([start(second, moments), start(third, moments), start(first, moments)]);
      expect(Math.min(...moments) - askedAt).toBeGreaterThan(900);
    }),
  );

  test('other answers pause nobody', () =>
    replicas(2, { requests: 50, periodMs: 100 }, async ({ paces }) => {
      const [first, second] = paces as [Pace, Pace];
      first.observe(503, new Headers({ 'retry-after': '30' }));
      first.observe(200, WITHOUT);
      await clock.sleep(100);
      await start(second, []);
    }));
});

describe('a call that waits', () => {
  const LONG_MS = 30_000;
  test('is given up at once when its signal is aborted, and holds no place', () =>
    replicas(2, { requests: 2, periodMs: LONG_MS }, async ({ paces }) => {
      const [first, second] = paces as [Pace, Pace];
      const moments: number[] = [];
      await start(first, moments);
      await start(first, moments);
      const abort = new AbortController();
      const waiting = [start(second, moments, abort.signal), start(second, moments, abort.signal)];
      const ended = Promise.allSettled(waiting);
      await clock.sleep(150);
      const abortedAt = performance.now();
      abort.abort(new Error('given up'));
      const results = await ended;
      expect(performance.now() - abortedAt).toBeLessThan(LONG_MS);
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      expect(moments).toHaveLength(2);
    }));

  test('that is aborted before is not made', () =>
    replicas(1, { requests: 2, periodMs: 30_000 }, async ({ paces: [pace] }) => {
      await expect(pace?.acquire(AbortSignal.abort(new Error('no')))).rejects.toThrow('no');
    }));

  test('fails rather than hangs when the database is away, and goes on when it is back', () =>
    replicas(
      1,
      { requests: 50, periodMs: 100 },
      async ({ paces: [pace], databases: [database] }) => {
        if (pace === undefined || database === undefined) throw new Error('there is none');
        await start(pace, []);
        const transaction = database.transaction.bind(database);
        database.transaction = () => Promise.reject(new Error('away'));
        for (let index = 0; index < 20; index += 1)
          await expect(pace.acquire()).rejects.toThrow('away');
        pace.observe(429, WITHOUT);
        database.transaction = transaction;
        // The places of those that failed are free again.
        const moments: number[] = [];
        await Promise.all(Array.from({ length: 10 }, () => start(pace, moments)));
        expect(moments).toHaveLength(10);
      },
    ));
});
