import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { createMemoryJournal } from '../../src/journal/memory.ts';
import type { SqlDatabase } from '../../src/journal/sql/database.ts';
import { openPostgres } from '../../src/journal/sql/postgres.ts';
import { createSqlArchive } from '../../src/journal/sql/sql-archive.ts';
import { openSqlJournal } from '../../src/journal/sql/sql-journal.ts';
import { openSqlite } from '../../src/journal/sql/sqlite.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { archiveContract } from './archive.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-archive-'));
let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
});

const timeOf = (clock: VirtualClock) => ({
  nowMs: () => clock.nowMs(),
  pass: (ms: number) => clock.advance(ms),
});

archiveContract('memory', async () => {
  const clock = new VirtualClock();
  const journal = createMemoryJournal({ clock });
  return { journal, archive: journal.archive, ...timeOf(clock) };
});

async function overSql(database: SqlDatabase, clock: VirtualClock) {
  const journal = await openSqlJournal(database, clock);
  return { journal, archive: createSqlArchive(database), ...timeOf(clock) };
}

let count = 0;
archiveContract('SQLite', async () => {
  const clock = new VirtualClock();
  count += 1;
  const path = join(directory, `${count}.db`);
  return overSql(openSqlite({ path, clock, works: true }), clock);
});

archiveContract('PostgreSQL', async () => {
  const clock = new VirtualClock();
  const url = new Secret(await postgres.createDatabase());
  return overSql(openPostgres({ url, clock }), clock);
});
