// Writes that go along with the next transaction: nobody who asks the journal misses them, none is lost to a
// transaction that fails, and PostgreSQL, where replicas ask, keeps none back.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import type { SqlDatabase } from '../../src/journal/sql/database.ts';
import { DeferredWrites } from '../../src/journal/sql/deferred-writes.ts';
import { openSqlite } from '../../src/journal/sql/sqlite.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-deferred-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const INSERT = 'insert into things (name) values ($1) on conflict do nothing';
const SELECT = 'select name from things order by name';
let files = 0;

async function scene(): Promise<{
  deferred: DeferredWrites;
  database: SqlDatabase;
  defer(name: string): Promise<void>;
  /** What another process sees. */
  outside(): readonly string[];
}> {
  files += 1;
  const path = join(directory, `${files}.db`);
  const database = openSqlite({ path, clock: new VirtualClock(), works: true });
  await database.transaction((tx) => tx.query('create table things (name text primary key)'));
  const deferred = new DeferredWrites(database);
  return {
    deferred,
    database,
    defer: (name) => deferred.defer([`operation ${name}`], (tx) => tx.query(INSERT, [name])),
    outside: () => {
      const other = new DatabaseSync(path, { readOnly: true });
      const rows = other.prepare(SELECT).all() as { name: string }[];
      other.close();
      return rows.map(({ name }) => name);
    },
  };
}

test('a deferred write goes along with the next transaction', async () => {
  const { deferred, defer, outside } = await scene();
  await defer('a');
  expect(outside()).toEqual([]);
  await deferred.transaction((tx) => tx.query(INSERT, ['b']));
  expect(outside()).toEqual(['a', 'b']);
});

test('whoever asks about it gets it, and so does whoever asks about everything', async () => {
  const { deferred, defer } = await scene();
  await defer('a');
  expect(await deferred.read((tx) => tx.query(SELECT), ['operation a'])).toHaveLength(1);
  await defer('b');
  expect(await deferred.read((tx) => tx.query(SELECT))).toHaveLength(2);
});

test('whoever asks about something else does not make it be written', async () => {
  const { deferred, defer, outside } = await scene();
  await defer('a');
  await deferred.read((tx) => tx.query(SELECT), ['operation b']);
  expect(outside()).toEqual([]);
});

test('whoever asks while it is on its way into the file gets it', async () => {
  const { deferred, defer } = await scene();
  await defer('a');
  const written = deferred.transaction((tx) => tx.query(INSERT, ['b']));
  const names = await deferred.read((tx) => tx.query(SELECT), ['operation a']);
  expect(names).toEqual([{ name: 'a' }, { name: 'b' }]);
  await written;
});

test('a transaction that fails loses none: the next one writes them', async () => {
  const { deferred, defer, outside } = await scene();
  await defer('a');
  await expect(
    deferred.transaction((tx) => tx.query('insert into nothing values (1)')),
  ).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' });
  await defer('b');
  expect(outside()).toEqual([]);
  await deferred.flush();
  expect(outside()).toEqual(['a', 'b']);
});

test('with PostgreSQL nothing is kept back', async () => {
  const { database, outside } = await scene();
  const replicated: SqlDatabase = Object.create(database, { kind: { value: 'postgres' } });
  replicated.transaction = (work, durability) => database.transaction(work, durability);
  await new DeferredWrites(replicated).defer([], (tx) => tx.query(INSERT, ['a']));
  expect(outside()).toEqual(['a']);
});
