// The server as a process of its own, killed with kill -9 while hundreds of deliveries are on their way.
// Whatever was not answered 200 is delivered again, as the providers do; all is done, nothing twice.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openArchive } from '../../src/compose-journal.ts';
import { composeSandbox } from '../../src/compose-sandbox.ts';
import { addInterval } from '../../src/interval.ts';
import type { JsonObject } from '../../src/model.ts';
import { sampleBody } from '../support/keywright.ts';
import { type ServerProcess, startServerProcess } from '../withstand/process.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-kill-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Two deliveries each; `KILL_SALES=1000` kills in the middle of 2,000. */
const SALES = Number(process.env['KILL_SALES'] ?? 120);
const KILLS = 4;
const SIDE_BY_SIDE = 24;

/** The first invoice of a subscription, or its second. */
function invoice(sale: number, place: 0 | 1): string {
  const kind = place === 0 ? 'create' : 'cycle';
  const body = sampleBody('stripe', `invoice.paid-subscription-${kind}`);
  body['id'] = `evt_${sale}_${place}`;
  body['created'] = 1_796_000_000 + place;
  const object = (body['data'] as JsonObject)['object'] as JsonObject;
  object['id'] = `in_${sale}_${place}`;
  object['customer_email'] = `buyer${sale % 40}@example.com`;
  const details = (object['parent'] as JsonObject)['subscription_details'] as JsonObject;
  details['subscription'] = `sub_${sale}`;
  return JSON.stringify(body);
}

/** Sends what is open until it is answered, or until `most` of it were; takes away what was answered. */
async function sendAll(server: ServerProcess, open: Set<string>, most: number): Promise<void> {
  const bodies = [...open];
  let answered = 0;
  const send = async (): Promise<void> => {
    for (let body = bodies.shift(); body !== undefined; body = bodies.shift()) {
      if (answered >= most) return;
      if ((await server.send('stripe', body)) !== 200) continue;
      answered += 1;
      open.delete(body);
      if (answered === most) await server.end('SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, send));
}

test('killed again and again under load, nothing is lost and nothing is done twice', async () => {
  const cryptlex = await composeSandbox({ port: 0, rateLimit: false });
  const env = {
    DATABASE_URL: `sqlite:${join(directory, 'journal.db')}`,
    WEBHOOK_DEADLINE_MS: '2000',
  };
  const open = new Set(
    Array.from({ length: SALES }, (_, sale) => [invoice(sale, 1), invoice(sale, 0)]).flat(),
  );
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const server = await startServerProcess(cryptlex, env);
      await sendAll(server, open, 50);
    }
    expect(open.size).toBeGreaterThan(0);
    const server = await startServerProcess(cryptlex, env);
    while (open.size > 0) await sendAll(server, open, Number.POSITIVE_INFINITY);
    await untilDone(env);
    expect(await server.end('SIGTERM')).toBe(0);

    const { licenses, users } = cryptlex.sandbox.state;
    const sold = licenses.map(
      ({ metadata }) => metadata.find(({ key }) => key === 'stripe_subscription_id')?.value,
    );
    expect(new Set(sold).size).toBe(SALES);
    expect(licenses).toHaveLength(SALES);
    expect(users).toHaveLength(40);
    const year = { months: 12, days: 0, seconds: 0 };
    const wrong = licenses.filter(({ createdAt, expiresAt }) => {
      const first = addInterval(Date.parse(createdAt), year) ?? 0;
      return Date.parse(String(expiresAt)) !== addInterval(first, year);
    });
    expect(wrong).toEqual([]);
    expect(cryptlex.sandbox.violations).toEqual([]);
  } finally {
    await cryptlex.close();
  }
}, 180_000);

/** Every event is done; a call that was cut off is looked into after fifteen seconds only. */
async function untilDone(env: Record<string, string>): Promise<void> {
  const { archive, close } = await openArchive(env);
  try {
    await expect
      .poll(() => archive.count({ status: 'done' }), { timeout: 90_000, interval: 250 })
      .toBe(2 * SALES);
    expect(await archive.count({})).toBe(2 * SALES);
  } finally {
    await close();
  }
}
