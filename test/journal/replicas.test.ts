import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSystemClock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openPostgres } from '../../src/journal/sql/postgres.ts';
import { openSqlJournal } from '../../src/journal/sql/sql-journal.ts';
import { complete } from '../support/operations.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { newEvent } from './contract.ts';

const EVENTS = 400;
const SUBJECTS = 12;

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

/** Numbers that look random and are the same in each run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

test('three replicas work off events with shared subjects: never two of one subject, none forgotten', async () => {
  const url = new Secret(await postgres.createDatabase());
  const clock = createSystemClock();
  const journals: Journal[] = [];
  for (let replica = 0; replica < 3; replica += 1) {
    journals.push(await openSqlJournal(openPostgres({ url }), clock));
  }
  const random = dice(20_261_121);
  const subject = (): string => `s${Math.floor(random() * SUBJECTS)}`;
  const events = Array.from({ length: EVENTS }, (_, index) =>
    newEvent(`e${index}`, {
      subjects: [...new Set(random() < 0.5 ? [subject()] : [subject(), subject(), subject()])],
      timeMs: 1_000_000 + Math.floor(random() * 1_000),
    }),
  );
  const inWork = new Map<string, string>();
  const together: string[] = [];
  const done = new Set<string>();
  const worker = async (journal: (typeof journals)[number]): Promise<void> => {
    while (done.size < EVENTS) {
      const taken = await journal.take();
      if (taken === undefined) {
        await clock.sleep(5);
        continue;
      }
      for (const name of taken.subjects) {
        if (inWork.has(name)) together.push(`${name}: ${inWork.get(name)} and ${taken.key}`);
        inWork.set(name, taken.key);
      }
      await clock.sleep(2);
      for (const name of taken.subjects) inWork.delete(name);
      const outcome = { eventId: taken.event.id, status: 'done', message: '' } as const;
      await journal.settle(taken.key, { outcome, wakesWaiting: false });
      done.add(taken.key);
    }
  };
  const accepting = Promise.all(
    journals.map(async (journal, replica) => {
      for (let index = replica; index < EVENTS; index += journals.length) {
        const event = events[index];
        if (event !== undefined) await journal.accept([event]);
      }
    }),
  );
  await Promise.all([
    accepting,
    ...journals.flatMap((journal) => [worker(journal), worker(journal)]),
  ]);
  expect(together).toEqual([]);
  expect(done.size).toBe(EVENTS);
  await Promise.all(journals.map((journal) => journal.close()));
});

test('what a replica did of an event is known to the others once the event is settled, all of it', async () => {
  const url = new Secret(await postgres.createDatabase());
  const clock = createSystemClock();
  const one = await openSqlJournal(openPostgres({ url }), clock);
  const other = await openSqlJournal(openPostgres({ url }), clock);
  await one.accept([newEvent('sale', { subjects: ['s'] })]);
  const { key = '' } = (await one.take()) ?? {};
  const operation = {
    ...{ key: 'made', eventKey: key, action: 'license.create', targetId: undefined },
    ...{ productId: 'p', before: {}, choice: undefined, attempt: 1 },
  } as const;
  await one.intend(operation, undefined);
  const write = { field: 'l1 expiresAt', timeMs: 5, rank: 0 };
  await complete(one, 'made', { kind: 'applied', targetId: 'l1' }, [write]);
  await one.rememberUser('ann@example.org', 'u1');
  await one.noteReferences([{ key: 'payment', kind: 'license', value: 'l1' }]);
  const outcome = { eventId: 'sale', status: 'done', message: '' } as const;
  await one.settle(key, { outcome, wakesWaiting: false });
  expect((await other.findOperations(['made'])).get('made')?.state).toBe('done');
  expect(await other.findCreated(['l1'])).toEqual(new Set(['l1']));
  expect((await other.findLastWrites([write.field])).get(write.field)?.timeMs).toBe(5);
  expect(await other.recallUser('ann@example.org')).toBe('u1');
  expect((await other.findReferences(['payment'])).license).toEqual(['l1']);
  await Promise.all([one.close(), other.close()]);
});
