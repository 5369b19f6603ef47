// Two servers as processes of their own on one PostgreSQL, one of them killed with kill -9 under load,
// twice. The other takes over what the dead one was at; all is done, nothing twice.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { composeSandbox } from '../../src/sandbox/compose-sandbox.ts';
import { type ServerProcess, startServerProcess } from '../resilience/process.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { expectEachOnce, renewedSales, sendAll, untilDone } from './renewed-sales.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const SALES = Number(process.env['KILL_SALES'] ?? 80);
const KILLS = 2;

test('a replica killed under load loses nothing, and another does its work, none of it twice', async () => {
  const cryptlex = await composeSandbox({ port: 0, rateLimit: false });
  const env = { DATABASE_URL: await postgres.createDatabase(), WEBHOOK_DEADLINE_MS: '2000' };
  const open = renewedSales(SALES);
  const start = (): Promise<ServerProcess> => startServerProcess(cryptlex, env);
  try {
    const survivor = await start();
    for (let kill = 0; kill < KILLS; kill += 1) {
      await sendAll([await start(), survivor], open, 40);
    }
    expect(open.size).toBeGreaterThan(0);
    while (open.size > 0) await sendAll([survivor], open);
    await untilDone(env, SALES);
    expect(await survivor.end('SIGTERM')).toBe(0);
    expectEachOnce(cryptlex, SALES);
  } finally {
    await cryptlex.close();
  }
});
