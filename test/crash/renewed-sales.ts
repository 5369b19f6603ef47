// Sales that are each renewed once, for tests that kill what works on them. Gives the bodies to send, and
// says of what is in Cryptlex at the end whether each of them was done, and none twice.

import { expect } from 'vitest';
import { addInterval } from '../../src/core/interval.ts';
import { EVENT_STATUSES, type JsonObject } from '../../src/core/model.ts';
import type { Archive } from '../../src/journal/archive.ts';
import { openArchive } from '../../src/journal/open-journal.ts';
import type { ServedSandbox } from '../../src/sandbox/compose-sandbox.ts';
import type { ServerProcess } from '../resilience/process.ts';
import { sampleBody } from '../support/keywright.ts';

const BUYERS = 40;
const SIDE_BY_SIDE = 24;

/** Two deliveries for each sale, the renewal before the purchase. */
export function renewedSales(sales: number): Set<string> {
  return new Set(
    Array.from({ length: sales }, (_, sale) => [invoice(sale, 1), invoice(sale, 0)]).flat(),
  );
}

/** The first invoice of a subscription, or its second. */
function invoice(sale: number, place: 0 | 1): string {
  const kind = place === 0 ? 'create' : 'cycle';
  const body = sampleBody('stripe', `invoice.paid-subscription-${kind}`);
  body['id'] = `evt_${sale}_${place}`;
  body['created'] = 1_796_000_000 + place;
  const object = (body['data'] as JsonObject)['object'] as JsonObject;
  object['id'] = `in_${sale}_${place}`;
  object['customer_email'] = `buyer${sale % BUYERS}@example.com`;
  const details = (object['parent'] as JsonObject)['subscription_details'] as JsonObject;
  details['subscription'] = `sub_${sale}`;
  return JSON.stringify(body);
}

/**
 * Sends what is open to these servers in turn until it is answered; takes away what was answered 200.
 * @param kill after so many answers the first server is killed, and sending ends
 */
export async function sendAll(
  servers: readonly ServerProcess[],
  open: Set<string>,
  kill = Number.POSITIVE_INFINITY,
): Promise<void> {
  const bodies = [...open];
  let answered = 0;
  const send = async (): Promise<void> => {
    for (let body = bodies.shift(); body !== undefined; body = bodies.shift()) {
      if (answered >= kill) return;
      const server = servers[bodies.length % servers.length];
      if ((await server?.send('stripe', body)) !== 200) continue;
      answered += 1;
      open.delete(body);
      if (answered === kill) await servers[0]?.end('SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, send));
}

/**
 * Every event is done. What a dead replica was at is taken over after 20 s, and a call that was cut off is
 * looked into after 15 s more; on a busy machine both may come twice.
 */
export async function untilDone(env: Record<string, string>, sales: number): Promise<void> {
  const { archive, close } = await openArchive(env);
  try {
    await expect.poll(() => archive.count({}), { interval: 250 }).toBe(2 * sales);
    await expect.poll(() => unfinished(archive), { interval: 500 }).toEqual([]);
  } finally {
    await close();
  }
}

/** What is not done, and why: should a test fail, that is what one has to know. */
async function unfinished(archive: Archive): Promise<readonly string[]> {
  const found: string[] = [];
  for (const status of EVENT_STATUSES) {
    if (status === 'done') continue;
    const { events } = await archive.list({ status }, { limit: 20 });
    for (const { key, outcome } of events) {
      const operations = (await archive.details(key))?.operations ?? [];
      const states = operations.map(({ action, state }) => `${action} ${state}`).join(', ');
      found.push(`${key} is ${status}: ${outcome?.reason ?? 'no reason'}; ${states}`);
    }
  }
  return found;
}

/** One license for each sale, two years long. */
export function expectEachOnce({ sandbox }: ServedSandbox, sales: number): void {
  const { licenses, users } = sandbox.state;
  const sold = licenses.map(
    ({ metadata }) => metadata.find(({ key }) => key === 'stripe_subscription_id')?.value,
  );
  expect(new Set(sold).size).toBe(sales);
  expect(licenses).toHaveLength(sales);
  expect(users).toHaveLength(Math.min(BUYERS, sales));
  const year = { months: 12, days: 0, seconds: 0 };
  const wrong = licenses.filter(({ createdAt, expiresAt }) => {
    const first = addInterval(Date.parse(createdAt), year) ?? 0;
    return Date.parse(String(expiresAt)) !== addInterval(first, year);
  });
  expect(wrong).toEqual([]);
  expect(sandbox.violations).toEqual([]);
}
