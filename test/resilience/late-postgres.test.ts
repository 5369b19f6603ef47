// Dependencies that start in any order: a PostgreSQL that is not there yet when the server starts.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { openArchive } from '../../src/journal/open-journal.ts';
import type { ServedSandbox } from '../../src/sandbox/compose-sandbox.ts';
import { composeSandbox } from '../../src/sandbox/compose-sandbox.ts';
import { sampleBody } from '../support/keywright.ts';
import { PASSWORD, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { startServerProcess } from './process.ts';

let cryptlex: ServedSandbox;
beforeAll(async () => {
  cryptlex = await composeSandbox({ port: 0, rateLimit: false });
});
afterAll(() => cryptlex.close());

const PURCHASE = JSON.stringify(sampleBody('stripe', 'checkout.session.completed-payment'));

describe('a server that starts before its PostgreSQL', () => {
  let port: number;
  let postgres: TestPostgres | undefined;
  beforeAll(async () => {
    port = await freePort();
  });
  afterAll(() => postgres?.stop());

  test('refuses webhooks until the database is there, and then goes on by itself', async () => {
    const url = `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`;
    const server = await startServerProcess(cryptlex, { DATABASE_URL: url });
    const ready = async () => (await fetch(`${server.url}/readyz`)).status;

    expect(await ready()).toBe(503);
    expect(await server.send('stripe', PURCHASE)).toBe(503);
    const log = server.lines.join('\n');
    expect(log).toContain('the journal cannot be reached yet');
    expect(log).not.toContain(`:${PASSWORD}@`);

    postgres = await startPostgres(port);
    await expect.poll(ready).toBe(200);
    expect(await server.send('stripe', PURCHASE)).toBe(200);
    const { archive, close } = await openArchive({ DATABASE_URL: url });
    await expect.poll(() => archive.count({ status: 'done' })).toBe(1);
    await close();
    expect(cryptlex.sandbox.state.licenses).toHaveLength(1);
    expect(await server.end('SIGTERM')).toBe(0);
  });

  test.each([
    ['a wrong password', 'postgres:wrong', 'postgres'],
    ['a database that does not exist', `postgres:${PASSWORD}`, 'none'],
  ])('does not wait for %s to get right', async (_, user, database) => {
    const url = `postgres://${user}@127.0.0.1:${port}/${database}`;
    const start = startServerProcess(cryptlex, { DATABASE_URL: url });
    await expect(start).rejects.toThrow(/it ended with 2: .*\[JOURNAL_UNAVAILABLE\]/);
  });
});
