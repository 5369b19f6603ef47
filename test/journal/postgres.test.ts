import { afterAll, beforeAll } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { openPostgres } from '../../src/journal/sql/postgres.ts';
import { openSqlJournal } from '../../src/journal/sql/sql-journal.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { journalContract } from './contract.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

journalContract('PostgreSQL', async () => {
  const clock = new VirtualClock();
  const url = new Secret(await postgres.createDatabase());
  const journal = await openSqlJournal(openPostgres({ url, clock }), clock);
  return { journal, nowMs: () => clock.nowMs(), pass: (ms) => clock.advance(ms) };
});
