// A dispute names a payment only. One that comes before the purchase is about a sale that nobody knows yet; when it
// is known, the dispute takes its turn among the sale's events, so that none of them works beside its call.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkLicenses } from './check.ts';
import { type Story, scenarioOf } from './lifecycles.ts';
import { QuietClock } from './quiet-clock.ts';
import { World } from './world.ts';

const START_MS = Date.UTC(2026, 10, 30, 12);
const once = { delayMs: 0, repeats: [], resend: undefined };
const story: Story = {
  provider: 'fastspring',
  buyer: 0,
  lines: [{ quantity: 1, product: 0, recurring: true }],
  startMs: 0,
  purchase: { ...once, delayMs: 60_000 },
  steps: [{ kind: 'dispute', afterMs: 1_000, telling: once }],
  end: undefined,
  inOrder: false,
};

test('a dispute that comes before its purchase takes its turn among the events of the sale', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keywright-turns-'));
  const clock = new QuietClock(START_MS - 60_000);
  const trouble = { seed: 1, faultRate: 0, faultCalls: 0, outage: undefined, crashes: [] };
  const databaseUrl = `sqlite:${join(directory, 'journal.db')}`;
  const world = new World({ clock, databaseUrl, replicas: 1, trouble });
  const { sales, deliveries } = scenarioOf(START_MS, [story]);
  const subjects = await clock.run(
    (async () => {
      await world.start();
      await world.deliverAll(deliveries);
      await world.settle(() => false);
      checkLicenses(world, sales);
      const details = await world.anyReplica.archive.details('fastspring:FSEVENT-0-1');
      await world.stop();
      return details?.record.subjects;
    })(),
  );
  rmSync(directory, { recursive: true, force: true });
  expect(subjects).toEqual(['fastspring:order-0', 'fastspring:fsub-0']);
});
