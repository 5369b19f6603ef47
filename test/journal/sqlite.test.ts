import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openSqlJournal } from '../../src/journal/sql/sql-journal.ts';
import { openSqlite } from '../../src/journal/sql/sqlite.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { journalContract } from './contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-sqlite-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let count = 0;

journalContract('SQLite', async () => {
  const clock = new VirtualClock();
  count += 1;
  const path = join(directory, `${count}.db`);
  const journal = await openSqlJournal(openSqlite({ path, clock, works: true }), clock);
  return { journal, nowMs: () => clock.nowMs(), pass: (ms) => clock.advance(ms) };
});
