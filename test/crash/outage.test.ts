// Cryptlex down for a day, and a machine's clock that jumps. In virtual time: everything is accepted, and
// everything is done after the return, the first of it within seconds.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkLicenses } from '../exactly-once/check.ts';
import { type Scenario, type Story, scenarioOf } from '../exactly-once/lifecycles.ts';
import { QuietClock } from '../exactly-once/quiet-clock.ts';
import type { Trouble } from '../exactly-once/trouble.ts';
import { World } from '../exactly-once/world.ts';

const START_MS = Date.UTC(2026, 10, 30, 12);
const HOUR_MS = 3_600_000;
const directory = mkdtempSync(join(tmpdir(), 'keywright-outage-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const once = { delayMs: 0, repeats: [], resend: undefined };
const step = (kind: 'payment' | 'suspension') => ({ kind, afterMs: HOUR_MS, telling: once });

/** Eight sales over a day; each is paid again, falls behind, and is paid. */
const stories = Array.from({ length: 8 }, (_, index): Story => {
  return {
    provider: index % 2 === 0 ? 'fastspring' : 'paddle',
    buyer: index % 3,
    lines: [{ quantity: 1, product: 0, recurring: true }],
    startMs: index * 2.5 * HOUR_MS,
    purchase: once,
    steps: [step('payment'), step('suspension'), step('payment')],
    end: undefined,
    inOrder: true,
  };
});

const calm: Trouble = { seed: 1, faultRate: 0, faultCalls: 0, outage: undefined, crashes: [] };

async function live(
  name: string,
  scenario: Scenario,
  trouble: Trouble,
  during: (world: World, clock: QuietClock) => Promise<void>,
): Promise<World> {
  const clock = new QuietClock(START_MS - 60_000);
  const databaseUrl = `sqlite:${join(directory, `${name}.db`)}`;
  const world = new World({ clock, databaseUrl, replicas: 1, trouble });
  await clock.run(
    (async () => {
      await world.start();
      await Promise.all([world.deliverAll(scenario.deliveries), during(world, clock)]);
      await world.settle(() => false);
      checkLicenses(world, scenario.sales);
      await world.stop();
    })(),
  );
  return world;
}

test('after a day without Cryptlex everything is done, the first of it within seconds', async () => {
  const lengthMs = 24 * HOUR_MS;
  const trouble = { ...calm, outage: { afterMs: 0, lengthMs } };
  const scenario = scenarioOf(START_MS, stories);
  const world = await live('day', scenario, trouble, async () => undefined);
  // Each delivery was answered 200 at once, though nothing could be done for it.
  expect(world.counts.redeliveries).toBe(0);
  const backMs = START_MS - 60_000 + lengthMs;
  const writes = world.sandbox.requests.filter(
    ({ method, status }) => method !== 'GET' && status !== null,
  );
  expect((writes[0]?.atMs ?? 0) - backMs).toBeLessThan(10_000);
});

test('a clock that jumps back and forth neither loses nor doubles anything', async () => {
  const early = stories.map((story, index) => ({ ...story, startMs: index * 60_000 }));
  const scenario = scenarioOf(START_MS, early);
  const trouble = { ...calm, faultRate: 0.2, faultCalls: 60 };
  await live('jumps', scenario, trouble, async (_, clock) => {
    for (const jumpMs of [HOUR_MS, -2 * HOUR_MS, 3 * HOUR_MS, -HOUR_MS, -30_000, 30_000]) {
      await clock.sleep(25 * 60_000);
      clock.jump(jumpMs);
    }
  });
});
