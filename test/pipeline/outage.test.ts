// Cryptlex away, and events that only seem so: what the sender of a webhook and an operator get meanwhile.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import type { FaultEffect } from '../../src/sandbox/faults.ts';
import { withKeywright } from '../support/keywright.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-outage-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;
const environment = () => {
  files += 1;
  return { DATABASE_URL: `sqlite:${join(directory, `${files}.db`)}`, WEBHOOK_DEADLINE_MS: '20000' };
};
const STATUS_503: FaultEffect = { kind: 'status', status: 503, when: 'beforeCommit' };
const isOpen = (log: readonly string[]) => log.some((line) => line.includes('one probe goes on'));

function purchase(id: string): JsonObject {
  return {
    id: `evt_${id}`,
    object: 'event',
    type: 'invoice.paid',
    created: 1_790_000_000,
    livemode: false,
    data: {
      object: {
        id: `in_${id}`,
        status: 'paid',
        billing_reason: 'subscription_create',
        customer_email: `buyer-${id}@example.com`,
        parent: { subscription_details: { subscription: `sub_${id}` } },
      },
    },
  };
}

test('deliveries are answered at once while Cryptlex is down, and done soon after it is back', async () => {
  const env = environment();
  await withKeywright({ env, providers: ['stripe'] }, async ({ sandbox, send, log }) => {
    sandbox.faults.add({ call: 'every', effect: STATUS_503 });
    let isFirstAnswered = false;
    const first = Promise.all(['1', '2', '3'].map((id) => send('stripe', purchase(id)))).finally(
      () => {
        isFirstAnswered = true;
      },
    );
    await until(() => isOpen(log));
    const late = await send('stripe', purchase('4'));
    expect([late.status, late.json['status']]).toEqual([200, 'queued']);
    // Those that came before wait for their deadline; the late one was told at once.
    expect(isFirstAnswered).toBe(false);
    sandbox.faults.clear();
    expect((await first).map(({ status, json }) => [status, json['status']])).toEqual(
      Array(3).fill([200, 'done']),
    );
    await until(() => sandbox.state.licenses.length === 4);
  });
});

test('one event while Cryptlex is down is tried again by itself, and /readyz says why', async () => {
  const env = environment();
  await withKeywright({ env, providers: ['stripe'] }, async ({ sandbox, send, log, url }) => {
    sandbox.faults.add({ call: 'every', effect: STATUS_503 });
    const answer = send('stripe', purchase('1'));
    await expect.poll(() => concernsAt(url)).toEqual(['CRYPTLEX_UNAVAILABLE']);
    expect(isOpen(log)).toBe(false);
    sandbox.faults.clear();
    expect((await answer).json['status']).toBe('done');
    await expect.poll(() => concernsAt(url), { timeout: 10_000 }).toEqual([]);
  });
});

describe('sales go on, and nothing is an outage', () => {
  for (const [name, effect] of [
    ['are answered 500', { kind: 'status', status: 500, when: 'beforeCommit' }],
    ['are answered with nonsense', { kind: 'garble', body: 'invalidJson' }],
  ] as const) {
    test(`while the objects of two events ${name}`, async () => {
      const env = { ...environment(), WEBHOOK_DEADLINE_MS: '5000' };
      await withKeywright({ env, providers: ['stripe'] }, async ({ sandbox, send, log, url }) => {
        let hits = 0;
        sandbox.faults.onCall(({ query, body }) => {
          if (!JSON.stringify([query, body]).includes('poison')) return undefined;
          hits += 1;
          return effect;
        });
        const poison = ['poison1', 'poison2'].map((id) => send('stripe', purchase(id)));
        await until(() => hits >= 6);
        for (const id of ['a', 'b', 'c', 'd']) {
          expect((await send('stripe', purchase(id))).json['status']).toBe('done');
        }
        expect((await Promise.all(poison)).map(({ json }) => json['status'])).toEqual([
          'queued',
          'queued',
        ]);
        expect([isOpen(log), await concernsAt(url)]).toEqual([false, []]);
      });
    });
  }

  test('while one route is down, for the events that do not need it', async () => {
    const env = { ...environment(), WEBHOOK_DEADLINE_MS: '5000' };
    const renewal = 'invoice.paid-subscription-cycle';
    const license = {
      id: 'l1',
      productId: 'p1',
      subscriptionInterval: 'P1M',
      expiresAt: '2026-12-01T00:00:00Z',
      metadata: { stripe_subscription_id: 'sub_114uSCN0rTh7LghtB3w7AGHU' },
    };
    const options = { env, providers: ['stripe'], given: { licenses: [license] } } as const;
    await withKeywright(options, async ({ sandbox, send, sendSample, log }) => {
      sandbox.faults.add({ path: '/v3/users', call: 'every', effect: STATUS_503 });
      sandbox.faults.add({ path: '/v3/users/{id}', call: 'every', effect: STATUS_503 });
      const sales = ['1', '2', '3'].map((id) => send('stripe', purchase(id)));
      await until(() => sandbox.requests.filter(({ path }) => path === '/v3/users').length >= 9);
      expect((await sendSample('stripe', renewal)).json['status']).toBe('done');
      expect(isOpen(log)).toBe(false);
      sandbox.faults.clear();
      expect((await Promise.all(sales)).map(({ json }) => json['status'])).toEqual(
        Array(3).fill('done'),
      );
    });
  });
});

async function concernsAt(url: string): Promise<readonly string[]> {
  const response = await fetch(`${url}/readyz`);
  const { concerns } = (await response.json()) as { concerns: { code: string }[] };
  return concerns.map(({ code }) => code);
}

/** Ends the test by its own time limit when it never comes true. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
