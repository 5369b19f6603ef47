// Three replicas on one PostgreSQL: one of them dies in the middle, all get the same delivery at the same
// instant, the database is restarted under load. In virtual time, but for the database's own restart.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkLicenses } from '../exactly-once/check.ts';
import { type Delivery, type Story, scenarioOf } from '../exactly-once/lifecycles.ts';
import { postgresTraffic } from '../exactly-once/postgres-traffic.ts';
import { QuietClock } from '../exactly-once/quiet-clock.ts';
import type { Trouble } from '../exactly-once/trouble.ts';
import { World } from '../exactly-once/world.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 10, 30, 12);
let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const once = { delayMs: 0, repeats: [], resend: undefined };
const story: Story = {
  provider: 'fastspring',
  buyer: 0,
  lines: [{ quantity: 2, product: 0, recurring: true }],
  startMs: 0,
  purchase: once,
  steps: [{ kind: 'payment', afterMs: 1_000, telling: once }],
  end: undefined,
  inOrder: false,
};
const calm: Trouble = { seed: 1, faultRate: 0, faultCalls: 0, outage: undefined, crashes: [] };

async function live(
  stories: readonly Story[],
  trouble: Trouble,
  work: (world: World, deliveries: readonly Delivery[], clock: QuietClock) => Promise<void>,
): Promise<void> {
  const clock = new QuietClock(START_MS - 60_000, postgresTraffic);
  const databaseUrl = await postgres.createDatabase();
  const { sales, deliveries } = scenarioOf(START_MS, stories);
  const world = new World({ clock, databaseUrl, replicas: 3, trouble });
  await clock.run(
    (async () => {
      await world.start();
      await work(world, deliveries, clock);
      await world.settle(() => false);
      checkLicenses(world, sales);
      await world.stop();
    })(),
  );
}

test.each([
  { what: 'whose clocks agree', skewsMs: [] },
  // Whichever it is that dies: in one of these its clock is ahead of those that go on.
  { what: 'of which the first is an hour ahead', skewsMs: [HOUR_MS, 0, 0] },
  { what: 'of which the second is an hour ahead', skewsMs: [0, HOUR_MS, 0] },
  { what: 'of which the third is an hour ahead', skewsMs: [0, 0, HOUR_MS] },
])('of replicas $what, a dead one is taken over within thirty seconds', async ({ skewsMs }) => {
  // It does not come back while the others take over.
  const crashes = [{ point: 'called', nth: 4, downMs: 600_000 }] as const;
  let doneMs = 0;
  let diedMs = 0;
  await live([story], { ...calm, crashes, skewsMs }, async (world, deliveries, clock) => {
    const delivering = world.deliverAll(deliveries);
    while (world.counts.crashes === 0) await clock.sleep(100);
    diedMs = clock.nowMs();
    // At a call that is looked into before it is made again.
    expect(world.sandbox.requests.at(-1)?.path).toContain('/renew');
    await world.settle(() => false, { everyMs: 500, withinMs: 120_000 });
    doneMs = clock.nowMs();
    await delivering;
  });
  expect(diedMs).toBeGreaterThan(0);
  // The lease, the wait for the call that was lost, and the work itself.
  expect(doneMs - diedMs).toBeLessThan(30_000);
});

test('the same delivery at all replicas at the same instant makes its licenses once', async () => {
  const stories = Array.from({ length: 4 }, (_, buyer): Story => ({ ...story, buyer, steps: [] }));
  await live(stories, calm, async (world, deliveries) => {
    await world.deliverAll([...deliveries, ...deliveries, ...deliveries]);
    const created = world.sandbox.requests.filter(
      ({ method, path }) => method === 'POST' && path === '/v3/licenses',
    );
    expect(created).toHaveLength(8);
  });
});

test('a database that is restarted under load loses nothing that was answered 200', async () => {
  const stories = Array.from({ length: 12 }, (_, index): Story => {
    return { ...story, buyer: index % 3, startMs: index * 2_000 };
  });
  await live(stories, calm, async (world, deliveries, clock) => {
    const delivering = world.deliverAll(deliveries);
    await clock.sleep(70_000);
    await postgres.restart();
    await delivering;
  });
});
