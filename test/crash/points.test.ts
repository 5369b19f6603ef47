// A process that dies at each named point, once for each kind of event and each time that one comes by
// there; another one goes on with the same database. In virtual time, so that waiting costs nothing.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { POINTS } from '../../src/core/failpoints.ts';
import { noCounts, runScenario } from '../exactly-once/check.ts';
import { type Scenario, type Story, scenarioOf } from '../exactly-once/lifecycles.ts';
import { QuietClock } from '../exactly-once/quiet-clock.ts';

const START_MS = Date.UTC(2026, 10, 30, 12);
const directory = mkdtempSync(join(tmpdir(), 'keywright-points-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const once = { delayMs: 0, repeats: [], resend: undefined };
const story: Story = {
  provider: 'fastspring',
  buyer: 0,
  lines: [{ quantity: 2, product: 0, recurring: true }],
  startMs: 0,
  purchase: once,
  steps: [],
  end: undefined,
  inOrder: true,
};
const step = (kind: 'payment' | 'suspension' | 'comeback') => ({
  kind,
  afterMs: 60_000,
  telling: once,
});

const LIVES: Readonly<Record<string, Story>> = {
  'a purchase of two licenses': story,
  'a renewal': { ...story, steps: [step('payment')] },
  'a suspension': { ...story, steps: [step('suspension')] },
  'a payment of what was suspended': { ...story, steps: [step('suspension'), step('payment')] },
  'a pause that is paid': {
    ...story,
    provider: 'paddle',
    steps: [step('suspension'), step('payment'), step('suspension'), step('comeback')],
  },
  'an end': { ...story, end: once },
};

const CASES = Object.entries(LIVES).flatMap(([name, life]) =>
  POINTS.map((point) => ({ name, point, scenario: scenarioOf(START_MS, [life]) })),
);

let files = 0;

/** Gives how many processes died. */
async function live(
  scenario: Scenario,
  point: (typeof POINTS)[number],
  nth: number,
): Promise<number> {
  files += 1;
  const counts = noCounts();
  const databaseUrl = `sqlite:${join(directory, `${files}.db`)}`;
  const crashes = [{ point, nth, downMs: 2_000 }];
  const trouble = { seed: 1, faultRate: 0, faultCalls: 0, outage: undefined, crashes };
  const clock = new QuietClock(START_MS - 60_000);
  await runScenario(scenario, trouble, { clock, databaseUrl, replicas: 1 }, counts);
  return counts.crashes;
}

test.each(CASES)(
  '$name survives a death at "$point", whenever it is',
  async ({ point, scenario }) => {
    let nth = 1;
    while ((await live(scenario, point, nth)) > 0) nth += 1;
    // The point was come by at least once, and the run without a death was the last.
    expect(nth).toBeGreaterThan(1);
  },
);
