// An event with an operation that is intended and not done: whatever its status, no event of its subjects
// overtakes it, not even one of an older time. Its call may have changed the license.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventStatus } from '../../src/core/model.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { SqlDatabase } from '../../src/journal/sql/database.ts';
import { openPostgres } from '../../src/journal/sql/postgres.ts';
import { createSqlArchive } from '../../src/journal/sql/sql-archive.ts';
import { openSqlJournal } from '../../src/journal/sql/sql-journal.ts';
import { openSqlite } from '../../src/journal/sql/sqlite.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { keyOf, newEvent, operation, take } from './contract.ts';

const MINUTE_MS = 60_000;

let postgres: TestPostgres;
const directory = mkdtempSync(join(tmpdir(), 'keywright-open-operations-'));
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
});

let files = 0;
const DATABASES: Readonly<Record<string, (clock: VirtualClock) => Promise<() => SqlDatabase>>> = {
  SQLite: async (clock) => {
    files += 1;
    const path = join(directory, `${files}.db`);
    return () => openSqlite({ path, clock, works: true });
  },
  PostgreSQL: async (clock) => {
    const url = new Secret(await postgres.createDatabase());
    return () => openPostgres({ url, clock });
  },
};

interface Bench {
  readonly clock: VirtualClock;
  readonly database: SqlDatabase;
  readonly open: () => SqlDatabase;
  journal: Journal;
}

async function putOff({ journal, clock }: Bench, status: EventStatus): Promise<void> {
  const outcome = { eventId: 'newer', status, message: '' };
  const dueAtMs = clock.nowMs() + MINUTE_MS;
  await journal.settle(keyOf('newer'), { outcome, dueAtMs, wakesWaiting: false });
}

/** How the attempt ends that has intended an operation. */
const ENDS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  'is put off': (bench) => putOff(bench, 'queued'),
  'is parked': (bench) => putOff(bench, 'parked'),
  'waits for a license': (bench) => putOff(bench, 'waiting'),
  'was left by a process that died': async (bench) => {
    await bench.journal.abandon();
    bench.journal = await openSqlJournal(bench.open(), bench.clock);
    // Longer than a lease; looked at first, as a worker does.
    bench.clock.step(MINUTE_MS);
  },
};

async function intended(kind: string, end: (bench: Bench) => Promise<void>): Promise<Bench> {
  const clock = new VirtualClock();
  const open = await DATABASES[kind]?.(clock);
  if (open === undefined) throw new Error(`no database is called ${kind}`);
  const database = open();
  const bench = { clock, database, open, journal: await openSqlJournal(database, clock) };
  await bench.journal.accept([newEvent('newer', { timeMs: 20 })]);
  await take(bench.journal, 'newer');
  await bench.journal.intend(operation('renewal', { eventKey: keyOf('newer') }), undefined);
  await end(bench);
  return bench;
}

describe.each(Object.keys(DATABASES))('on %s, an event with an open operation', (kind) => {
  describe.each(Object.entries(ENDS))('that %s', (_name, end) => {
    test('is not overtaken by an older one that comes, and comes first when it is due', async () => {
      const bench = await intended(kind, end);
      const { clock } = bench;
      const given: string[] = [];
      await bench.journal.accept([newEvent('older', { timeMs: 10 })], ({ key }) => given.push(key));
      expect(given).toEqual([]);
      if (_name !== 'was left by a process that died') {
        expect(await bench.journal.take()).toBeUndefined();
      }
      clock.step(MINUTE_MS + 1);
      expect((await bench.journal.take())?.key).toBe(keyOf('newer'));
      expect(await bench.journal.take()).toBeUndefined();
      const outcome = { eventId: 'newer', status: 'done', message: '' } as const;
      await bench.journal.settle(keyOf('newer'), { outcome, wakesWaiting: false });
      expect((await bench.journal.take())?.key).toBe(keyOf('older'));
      await bench.journal.close();
    });
  });

  test('that is delivered again keeps its place', async () => {
    const bench = await intended(kind, (it) => putOff(it, 'queued'));
    await bench.journal.accept([newEvent('older', { timeMs: 10 })]);
    await bench.journal.accept([newEvent('newer', { timeMs: 20 })]);
    expect((await bench.journal.take())?.key).toBe(keyOf('newer'));
    await bench.journal.close();
  });

  test('that failed for good holds nobody up, and replayed does not get beside one in work', async () => {
    const bench = await intended(kind, (it) => putOff(it, 'failed'));
    await bench.journal.accept([newEvent('older', { timeMs: 10 })]);
    expect((await bench.journal.take())?.key).toBe(keyOf('older'));
    await createSqlArchive(bench.database).requestReplay(keyOf('newer'), 'again');
    expect(await bench.journal.take()).toBeUndefined();
    await bench.journal.close();
  });

  test('that is done leaves its place: the older one in back-off goes on', async () => {
    const bench = await intended(kind, (it) => putOff(it, 'done'));
    await bench.journal.accept([newEvent('older', { timeMs: 10 })]);
    expect((await bench.journal.take())?.key).toBe(keyOf('older'));
    await bench.journal.close();
  });
});
