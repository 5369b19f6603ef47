// The server as a process of its own, killed with kill -9 while hundreds of deliveries are on their way.
// Whatever was not answered 200 is delivered again, as the providers do; all is done, nothing twice.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { composeSandbox } from '../../src/sandbox/compose-sandbox.ts';
import { startServerProcess } from '../resilience/process.ts';
import { expectEachOnce, renewedSales, sendAll, untilDone } from './renewed-sales.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-kill-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Two deliveries each; `KILL_SALES=1000` kills in the middle of 2,000. */
const SALES = Number(process.env['KILL_SALES'] ?? 120);
const KILLS = 4;

test('killed again and again under load, nothing is lost and nothing is done twice', async () => {
  const cryptlex = await composeSandbox({ port: 0, rateLimit: false });
  const env = {
    DATABASE_URL: `sqlite:${join(directory, 'journal.db')}`,
    WEBHOOK_DEADLINE_MS: '2000',
  };
  const open = renewedSales(SALES);
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      await sendAll([await startServerProcess(cryptlex, env)], open, 50);
    }
    expect(open.size).toBeGreaterThan(0);
    const server = await startServerProcess(cryptlex, env);
    while (open.size > 0) await sendAll([server], open);
    await untilDone(env, SALES);
    expect(await server.end('SIGTERM')).toBe(0);
    expectEachOnce(cryptlex, SALES);
  } finally {
    await cryptlex.close();
  }
});
