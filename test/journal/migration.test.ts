// A journal of an older Keywright: brought up to date at the first start, with everything that was in it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { migrate } from '../../src/journal/sql/schema.ts';
import { createSqlArchive } from '../../src/journal/sql/sql-archive.ts';
import { openSqlJournal } from '../../src/journal/sql/sql-journal.ts';
import { openSqlite } from '../../src/journal/sql/sqlite.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-migration-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** As version 2 wrote them: payloads beside the events, one of them erased. */
const VERSION_TWO = [
  `insert into events (event_key, source, provider, event_id, type, time_ms, live, payload, subjects, status,
    ready, due_ms, attempts, accepted_ms, settled_ms, outcome) values
    ('stripe:done', 'stripe', 'stripe', 'done', 'paid', 1, 1, '{"id":"done"}', '["s"]', 'done', 0, 1, 1, 1, 2,
      '{"eventId":"done","status":"done","message":"Done."}'),
    ('stripe:old', 'stripe', 'stripe', 'old', 'paid', 1, 1, null, '["s"]', 'failed', 0, 1, 1, 1, 2,
      '{"eventId":"old","status":"failed","message":"Erased."}'),
    ('stripe:next', 'stripe', 'stripe', 'next', 'paid', 3, 1, '{"id":"next"}', '["s"]', 'queued', 1, 1, 0, 1,
      null, null)`,
  `insert into event_subjects (subject, event_key, position, time_ms, sequence) values
    ('s', 'stripe:done', 0, 1, 1), ('s', 'stripe:old', 0, 1, 2), ('s', 'stripe:next', 1, 3, 3)`,
  `insert into operations (operation_key, event_key, action, before, state, result, made_id, intended_ms,
    done_ms) values ('k', 'stripe:done', 'license.create', '{}', 'done',
    '{"kind":"applied","targetId":"l1"}', 'l1', 1, 2)`,
  "insert into known_users values ('hash', 'u1')",
  "insert into last_writes values ('license:l1:suspended', 7, 1)",
];

test('a journal of version 2 keeps its events, payloads, operations and lines', async () => {
  const clock = new VirtualClock();
  const database = openSqlite({ path: join(directory, 'two.db'), clock, works: true });
  await migrate(database, 2);
  await database.transaction(async (tx) => {
    for (const statement of VERSION_TWO) await tx.query(statement);
  });
  const journal = await openSqlJournal(database, clock);
  expect(await journal.find('stripe:done')).toMatchObject({
    status: 'done',
    isErased: false,
    event: { payload: { id: 'done' } },
  });
  expect(await journal.find('stripe:old')).toMatchObject({ status: 'failed', isErased: true });
  expect((await journal.findOperations(['k'])).get('k')).toMatchObject({ state: 'done' });
  expect(await journal.findCreated(['l1'])).toEqual(new Set(['l1']));
  expect([...(await journal.findLastWrites(['license:l1:suspended'])).values()]).toMatchObject([
    { timeMs: 7, rank: 1 },
  ]);
  expect(await journal.take()).toMatchObject({
    key: 'stripe:next',
    event: { payload: { id: 'next' } },
  });
  const failed = await createSqlArchive(database).list({ status: 'failed' }, { limit: 10 });
  expect(failed.events.map(({ key }) => key)).toEqual(['stripe:old']);
  await journal.close();
});
