// A replica that was stopped for longer than its lease: whatever it wanted to write down for its attempt, what
// others have done with the event since then stays as it is.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import type { Intended, Journal } from '../../src/journal/journal.ts';
import { openPostgres } from '../../src/journal/sql/postgres.ts';
import { openSqlJournal } from '../../src/journal/sql/sql-journal.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { keyOf, newEvent, operation, take } from './contract.ts';

const LEASE_MS = 20_000;
const FIELD = { field: 'license:l:suspended', timeMs: 5, rank: 0 };
const APPLIED = { kind: 'applied', targetId: 'l' } as const;
const OURS = operation('k', { eventKey: keyOf('a') });

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

interface Bench {
  readonly clock: VirtualClock;
  readonly stopped: Journal;
  readonly other: Journal;
  /** What the stopped replica had intended. */
  readonly intended: Intended;
}

/** A replica that took the event and intended a call, and another one on the same database. */
async function withReplicas(work: (bench: Bench) => Promise<void>): Promise<void> {
  const clock = new VirtualClock();
  const url = new Secret(await postgres.createDatabase());
  const open = () => openSqlJournal(openPostgres({ url, clock }), clock);
  const [stopped, other] = [await open(), await open()];
  try {
    await stopped.accept([newEvent('a')]);
    await take(stopped, 'a');
    const intended = await stopped.intend(OURS, undefined);
    if (intended === 'overtaken') throw new Error('nobody else was there');
    await work({ clock, stopped, other, intended });
  } finally {
    await stopped.close();
    await other.close();
  }
}

const found = async ({ other }: Bench) => (await other.findOperations(['k'])).get('k');

/** Who has the event when the stopped replica goes on. */
const SINCE: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  'another replica works on it': async ({ other }) => {
    await take(other, 'a');
  },
  'another replica has intended the call anew': async (bench) => {
    await take(bench.other, 'a');
    const again = { ...OURS, attempt: 2 };
    expect(await bench.other.intend(again, await found(bench))).not.toBe('overtaken');
  },
  'another replica has noted it done': async (bench) => {
    await take(bench.other, 'a');
    const again = await bench.other.intend({ ...OURS, attempt: 2 }, await found(bench));
    if (again !== 'overtaken') await bench.other.complete(again, APPLIED, []);
  },
  'it has taken the event again itself': async ({ stopped }) => {
    await take(stopped, 'a');
  },
};

/** What the stopped replica does when it goes on. */
const VERBS: Readonly<Record<string, (bench: Bench) => Promise<unknown>>> = {
  'forgets what it intended, since the call was refused': ({ stopped, intended }) =>
    stopped.withdraw(intended),
  'notes its call as done': ({ stopped, intended }) =>
    stopped.complete(intended, { ...APPLIED, targetId: 'other' }, [FIELD]),
  'intends its call again': async ({ stopped, intended }) =>
    stopped.intend(OURS, { ...intended, state: 'intended' }),
  'ends its attempt': ({ stopped }) => {
    const outcome = { eventId: 'a', status: 'done', message: '' } as const;
    return stopped.settle(keyOf('a'), { outcome, wakesWaiting: false }, 1);
  },
};
const IS_REFUSED = ['notes its call as done', 'intends its call again'];

describe.each(Object.entries(SINCE))('after its lease, while %s, a replica', (_since, happen) => {
  test.each(Object.entries(VERBS))('that %s changes nothing', (verb, act) =>
    withReplicas(async (bench) => {
      const { clock, stopped, other } = bench;
      clock.step(LEASE_MS + 1);
      await happen(bench);
      const before = [await found(bench), await other.find(keyOf('a'))];
      const answer = await act(bench).catch((error: unknown) => error);
      expect([await found(bench), await other.find(keyOf('a'))]).toEqual(before);
      expect(await other.findLastWrites([FIELD.field])).toEqual(new Map());
      expect(stopped.holdsLease(keyOf('a'), 1)).toBe(false);
      if (IS_REFUSED.includes(verb)) expect(answer).toMatchObject({ code: 'JOURNAL_LEASE_LOST' });
      // Nothing is in work twice, and nothing got lost.
      expect(await other.take()).toBeUndefined();
    }),
  );
});

describe('whether a lease is held is known without a question', () => {
  test('up to a tenth before its end, and from a heartbeat on anew', () =>
    withReplicas(async ({ clock, stopped }) => {
      const isHeld = (): boolean => stopped.holdsLease(keyOf('a'), 1);
      clock.step(LEASE_MS * 0.9 - 1);
      expect(isHeld()).toBe(true);
      clock.step(1);
      expect(isHeld()).toBe(false);
      // The heartbeat comes late, but nobody took the event over.
      await clock.advance(5_000);
      await expect.poll(isHeld).toBe(true);
    }));

  test('a heartbeat that finds the event with another replica ends it', () =>
    withReplicas(async ({ clock, stopped, other }) => {
      clock.step(LEASE_MS + 1);
      await take(other, 'a');
      await clock.advance(5_000);
      await expect.poll(() => stopped.holdsLease(keyOf('a'), 1)).toBe(false);
      expect(other.holdsLease(keyOf('a'), 2)).toBe(true);
    }));
});
