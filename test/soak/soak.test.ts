// The soak itself, in small: it runs, it comes to its end, and it would see a license that is doubled or lost.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { soak } from './soak.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-soak-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

// Real servers, real time: what meets differs from run to run, and about every second run still finds a FastSpring
// suspension that is not there in the end (docs/decisions/0014, "Still open"). So it is asked for by name.
const isAskedFor = process.env['SOAK'] === 'on';

test.runIf(isAskedFor)(
  'with SOAK=on: a few hundred deliveries on SQLite: nothing lost, nothing doubled',
  async () => {
    const databaseUrl = `sqlite:${join(directory, 'journal.db')}`;
    const { wrong, ...counts } = await soak({ databaseUrl, replicas: 1, deliveries: 300, seed: 2 });
    expect(wrong).toEqual([]);
    expect(counts).toMatchObject({ lost: 0, doubled: 0 });
    expect(counts.deliveries).toBeGreaterThanOrEqual(300);
    expect(counts.licenses).toBeGreaterThan(0);
  },
  300_000,
);
