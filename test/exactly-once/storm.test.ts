// A busy hour in which all goes wrong at once: hundreds of facts of many subscriptions, told late, twice and under new
// ids, while calls are refused, lost or carried out late, lists are old, processes die or stand still, and
// clocks are an hour apart. Exactly as many periods as paid invoices, for each license.
//
// STORM_RUNS says how many there are for each database, STORM_SEED where to begin; a run prints its seed, which
// repeats it with STORM_RUNS=1.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { POINTS } from '../../src/core/failpoints.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { noCounts, type RunOptions, runScenario } from './check.ts';
import { postgresTraffic } from './postgres-traffic.ts';
import { QuietClock } from './quiet-clock.ts';
import { storms } from './storms.ts';
import type { Trouble } from './trouble.ts';

/** Three replicas on PostgreSQL take long; they get a fifth unless storms are asked for. */
const FACTS = { whole: 240, short: 48 };
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 10, 30, 12);
const SEED = Number(process.env['STORM_SEED'] ?? 1);
const RUNS = Number(process.env['STORM_RUNS'] ?? 1);
const IS_ASKED = process.env['STORM_RUNS'] !== undefined;
const LIMIT_MS = RUNS * 600_000;

const trouble: fc.Arbitrary<Trouble> = fc.record({
  seed: fc.nat(),
  faultRate: fc.constantFrom(0.05, 0.15, 0.3),
  faultCalls: fc.constant(2_000),
  outage: fc.constant(undefined),
  staleMsMax: fc.constant(4_000),
  crashes: fc.array(
    fc.record({
      point: fc.constantFrom(...POINTS),
      nth: fc.integer({ min: 1, max: 25 }),
      downMs: fc.constantFrom(0, 5_000, 25_000, 45_000),
      stands: fc.boolean(),
    }),
    { minLength: 6, maxLength: 12 },
  ),
});

interface Storm {
  readonly facts: number;
  /** How far the clock of each replica is off. */
  readonly skewsMs: readonly number[];
}

async function live(
  database: string,
  { facts, skewsMs }: Storm,
  nextOptions: () => Promise<RunOptions>,
): Promise<void> {
  for (let seed = SEED; seed < SEED + RUNS; seed += 1) {
    const counts = noCounts();
    try {
      const property = fc.asyncProperty(storms(START_MS, facts), trouble, async (storm, wrong) =>
        runScenario(storm, { ...wrong, skewsMs }, await nextOptions(), counts),
      );
      await fc.assert(property, { numRuns: 1, seed, endOnFailure: true });
    } finally {
      console.log(`${database}, storm ${seed}: ${JSON.stringify(counts)}`);
    }
    // What the storm is made of was there.
    expect(counts.crashes).toBeGreaterThan(0);
    expect(counts.faults).toBeGreaterThan(0);
    expect(counts.events).toBeGreaterThan(facts);
  }
}

describe('on SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'keywright-storm-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  let files = 0;

  test(
    'a license has as many periods as were paid for',
    () =>
      live('SQLite', { facts: FACTS.whole, skewsMs: [] }, async () => {
        files += 1;
        const databaseUrl = `sqlite:${join(directory, `${files}.db`)}`;
        return { clock: new QuietClock(START_MS - 60_000), databaseUrl, replicas: 1 };
      }),
    LIMIT_MS,
  );
});

describe('on PostgreSQL, with three replicas whose clocks are an hour apart', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  test(
    'a license has as many periods as were paid for',
    () =>
      live(
        'PostgreSQL',
        { facts: IS_ASKED ? FACTS.whole : FACTS.short, skewsMs: [0, HOUR_MS, -HOUR_MS] },
        async () => ({
          clock: new QuietClock(START_MS - 60_000, postgresTraffic),
          databaseUrl: await postgres.createDatabase(),
          replicas: 3,
        }),
      ),
    LIMIT_MS,
  );
});
