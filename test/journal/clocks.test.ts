// Replicas whose clocks are an hour apart: what they compare is on the database's clock.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Clock } from '../../src/core/model.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openPostgres } from '../../src/journal/sql/postgres.ts';
import { openSqlJournal } from '../../src/journal/sql/sql-journal.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { keyOf, newEvent, operation, take } from './contract.ts';

const HOUR_MS = 3_600_000;

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

interface Bench {
  readonly database: VirtualClock;
  readonly local: Clock;
  /** Its clock is off. */
  readonly one: Journal;
  readonly other: Journal;
}

async function withReplicas(offMs: number, work: (bench: Bench) => Promise<void>): Promise<void> {
  const database = new VirtualClock();
  const local: Clock = {
    nowMs: () => database.nowMs() + offMs,
    sleep: (ms, signal) => database.sleep(ms, signal),
  };
  const url = new Secret(await postgres.createDatabase());
  const open = (clock: Clock) => openSqlJournal(openPostgres({ url, clock: database }), clock);
  const [one, other] = [await open(local), await open(database)];
  try {
    await one.accept([newEvent('a')]);
    await take(one, 'a');
    await work({ database, local, one, other });
  } finally {
    await one.close();
    await other.close();
  }
}

describe.each([
  ['ahead', HOUR_MS],
  ['behind', -HOUR_MS],
])('a replica whose clock is an hour %s', (_name, offMs) => {
  test('tells the others how long ago it intended a call', () =>
    withReplicas(offMs, async ({ database, one, other }) => {
      await one.intend(operation('k', { eventKey: keyOf('a') }), undefined);
      database.step(4_000);
      for (const journal of [one, other]) {
        const found = await journal.findOperations(['k']);
        expect(found.get('k')).toMatchObject({ state: 'intended', openForMs: 4_000 });
      }
    }));

  test('puts an event off for as long as it means to', () =>
    withReplicas(offMs, async ({ database, local, one, other }) => {
      const outcome = { eventId: 'a', status: 'queued', message: '' } as const;
      const dueAtMs = local.nowMs() + 2_000;
      await one.settle(keyOf('a'), { outcome, dueAtMs, wakesWaiting: false });
      database.step(1_999);
      expect(await other.take()).toBeUndefined();
      database.step(1);
      await take(other, 'a');
    }));

  test('lets a timer end when the provider means it to, neither sooner nor later', () =>
    withReplicas(offMs, async ({ database, one, other }) => {
      const timeMs = database.nowMs();
      const dueAtMs = timeMs + 60_000;
      const timer = { key: 'timer', isOver: false };
      const question = { timerKey: 'timer', eventKey: keyOf('a'), fact: 'f', timeMs, dueAtMs };
      expect(await one.askTimer(question)).toMatchObject({ kind: 'holds', isDue: false });
      const outcome = { eventId: 'a', status: 'waiting', message: '' } as const;
      await one.settle(keyOf('a'), { outcome, dueAtMs, timer, wakesWaiting: false });
      database.step(59_999);
      expect(await other.take()).toBeUndefined();
      database.step(1);
      await take(one, 'a');
      expect(await one.askTimer(question)).toMatchObject({ kind: 'holds', isDue: true });
    }));
});
