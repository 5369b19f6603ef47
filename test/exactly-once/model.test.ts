// Random lifecycles of all providers, under faults at every call and with processes that die between any
// two steps: Cryptlex ends as each fact applied once would leave it, and no verified event is lost.
//
// MODEL_SEED repeats a run, MODEL_RUNS says how many there are, MODEL_MINUTES how long they go on instead
// (npm run test:soak), MODEL_SHRINK=1 looks for the smallest scenario that fails.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { POINTS } from '../../src/core/failpoints.ts';
import { dunningRules } from '../support/dunning-rules.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { switchAllOn } from '../support/switched-on.ts';
import { noCounts, type RunOptions, runScenario } from './check.ts';
import { GRACE, scenarios } from './lifecycles.ts';
import { postgresTraffic } from './postgres-traffic.ts';
import { QuietClock } from './quiet-clock.ts';
import type { Trouble } from './trouble.ts';

const START_MS = Date.UTC(2026, 10, 30, 12);
const MINUTES = Number(process.env['MODEL_MINUTES'] ?? 0);
/** The same stories in every short run; a long one looks for new ones. */
const SEED = Number(process.env['MODEL_SEED'] ?? (MINUTES > 0 ? Date.now() % 1_000_000 : 21));
const LIMIT_MS = Math.max(120_000, MINUTES * 60_000 + 120_000);

const trouble: fc.Arbitrary<Trouble> = fc.record({
  seed: fc.nat(),
  faultRate: fc.constantFrom(0, 0.1, 0.3),
  faultCalls: fc.constant(80),
  outage: fc.option(
    fc.record({ afterMs: fc.nat(300_000), lengthMs: fc.integer({ min: 1_000, max: 240_000 }) }),
    { nil: undefined, freq: 2 },
  ),
  crashes: fc.array(
    fc.record({
      point: fc.constantFrom(...POINTS),
      nth: fc.integer({ min: 1, max: 4 }),
      downMs: fc.integer({ min: 0, max: 30_000 }),
    }),
    { maxLength: 3 },
  ),
});

const graceRulesDir = switchAllOn(dunningRules(GRACE));
afterAll(() => rmSync(graceRulesDir, { recursive: true, force: true }));

/** Runs scenarios, each on a database of its own, until their number or the time is reached. */
async function assertModel(
  name: string,
  runs: number,
  nextOptions: () => Promise<RunOptions>,
): Promise<void> {
  const counts = noCounts();
  const wanted = Number(process.env['MODEL_RUNS'] ?? runs);
  const property = fc.asyncProperty(scenarios(START_MS), trouble, async (scenario, wrong) => {
    await runScenario(scenario, wrong, await nextOptions(), counts);
  });
  const limits =
    MINUTES === 0
      ? { numRuns: wanted }
      : { numRuns: 1_000_000, interruptAfterTimeLimit: MINUTES * 60_000 };
  const endOnFailure = process.env['MODEL_SHRINK'] === undefined;
  try {
    await fc.assert(property, { ...limits, seed: SEED, endOnFailure });
  } finally {
    console.log(`${name}, seed ${SEED}: ${JSON.stringify(counts)}`);
  }
  if (MINUTES === 0) expect(counts.runs).toBe(wanted);
  expect(counts.deliveries).toBeGreaterThan(counts.events);
}

describe('on SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'keywright-model-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  let files = 0;

  test(
    'whatever comes, Cryptlex ends as each fact applied once would leave it',
    () =>
      assertModel('SQLite', 25, async () => {
        files += 1;
        const databaseUrl = `sqlite:${join(directory, `${files}.db`)}`;
        const clock = new QuietClock(START_MS - 60_000);
        return { clock, databaseUrl, replicas: 1, graceRulesDir };
      }),
    LIMIT_MS,
  );
});

describe('on PostgreSQL, with three replicas', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  test(
    'whatever comes, Cryptlex ends as each fact applied once would leave it',
    () =>
      assertModel('PostgreSQL', 4, async () => ({
        clock: new QuietClock(START_MS - 60_000, postgresTraffic),
        databaseUrl: await postgres.createDatabase(),
        replicas: 3,
        graceRulesDir,
      })),
    LIMIT_MS,
  );
});
