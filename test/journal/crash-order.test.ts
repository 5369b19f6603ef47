// Events of shared subjects, taken and settled at random, with a working process that dies again and
// again while others go on arriving: in the end every one of them was handed out and done.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EventStatus, eventKeyOf } from '../../src/core/model.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { SqlDatabase } from '../../src/journal/sql/database.ts';
import { openPostgres } from '../../src/journal/sql/postgres.ts';
import { openSqlJournal } from '../../src/journal/sql/sql-journal.ts';
import { openSqlite } from '../../src/journal/sql/sqlite.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { newEvent } from './contract.ts';

/** A replica that was not heard of this long is dead. */
const LEASE_MS = 20_000;
const DAY_MS = 24 * 60 * 60 * 1000;

type Step =
  | { readonly kind: 'accept'; readonly subjects: readonly string[]; readonly timeMs: number }
  | { readonly kind: 'take' }
  | { readonly kind: 'settle'; readonly place: number; readonly status: EventStatus }
  | { readonly kind: 'crash' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: acceptStep() },
    { weight: 4, arbitrary: fc.constant<Step>({ kind: 'take' }) },
    { weight: 3, arbitrary: settleStep() },
    { weight: 1, arbitrary: fc.constant<Step>({ kind: 'crash' }) },
  ),
  { minLength: 4, maxLength: 30 },
);

function acceptStep(): fc.Arbitrary<Step> {
  return fc.record({
    kind: fc.constant('accept' as const),
    subjects: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 2 }),
    timeMs: fc.integer({ min: 1, max: 9 }),
  });
}

function settleStep(): fc.Arbitrary<Step> {
  return fc.record({
    kind: fc.constant('settle' as const),
    place: fc.nat(5),
    status: fc.constantFrom<EventStatus>('done', 'queued', 'waiting', 'failed'),
  });
}

let postgres: TestPostgres;
const directory = mkdtempSync(join(tmpdir(), 'keywright-crash-order-'));
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
});

let files = 0;

describe.each<{
  name: string;
  runs: number;
  place: () => Promise<(clock: VirtualClock) => SqlDatabase>;
}>([
  {
    name: 'SQLite',
    runs: 100,
    place: async () => {
      files += 1;
      const path = join(directory, `${files}.db`);
      return (clock) => openSqlite({ path, clock, works: true });
    },
  },
  {
    name: 'PostgreSQL',
    runs: 10,
    place: async () => {
      const url = new Secret(await postgres.createDatabase());
      return (clock) => openPostgres({ url, clock });
    },
  },
])('on $name', ({ runs, place }) => {
  test('whatever a dead process was at, every event is handed out and done', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const clock = new VirtualClock();
        const open = await place();
        expect(
          await unfinishedAfter(list, clock, () => openSqlJournal(open(clock), clock)),
        ).toEqual([]);
      }),
      { numRuns: runs, seed: 20_261_121 },
    );
  });
});

/** Plays the steps, and then works everything off: the keys of the events that were not done even so. */
async function unfinishedAfter(
  list: readonly Step[],
  clock: VirtualClock,
  open: () => Promise<Journal>,
): Promise<readonly string[]> {
  let journal = await open();
  const accepted: string[] = [];
  const done = new Set<string>();
  let inWork: string[] = [];
  const settle = async (key: string, status: EventStatus): Promise<void> => {
    const outcome = { eventId: key, status, message: '' } as const;
    const isPutOff = status === 'queued' || status === 'waiting';
    const dueAtMs = clock.nowMs() + 60_000;
    await journal.settle(key, { outcome, wakesWaiting: false, ...(isPutOff ? { dueAtMs } : {}) });
    if (!isPutOff) done.add(key);
  };
  for (const step of list) {
    if (step.kind === 'accept') {
      const event = newEvent(`e${accepted.length}`, {
        subjects: step.subjects,
        timeMs: step.timeMs,
      });
      accepted.push(eventKeyOf(event.event));
      await journal.accept([event]);
    } else if (step.kind === 'take') {
      const taken = await journal.take();
      if (taken !== undefined) inWork.push(taken.key);
    } else if (step.kind === 'settle') {
      const [key] = inWork.splice(step.place, 1);
      if (key !== undefined) await settle(key, step.status);
    } else {
      await journal.abandon();
      inWork = [];
      await clock.advance(LEASE_MS + 1);
      journal = await open();
    }
  }
  for (const key of inWork) await settle(key, 'done');
  await clock.advance(DAY_MS);
  for (let taken = await journal.take(); taken !== undefined; taken = await journal.take()) {
    await settle(taken.key, 'done');
  }
  await journal.close();
  return accepted.filter((key) => !done.has(key));
}
