// Plan sync as Stripe and the operator see it: rules/examples/plan-sync.yaml in the real server, with real
// signatures: what is answered, what is told in the log, and how it ends in whatever order events come.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import {
  type Keywright,
  type KeywrightOptions,
  SECRETS,
  sampleBody,
  withKeywright,
} from '../support/keywright.ts';

const RULES = readFileSync(new URL('../../rules/examples/plan-sync.yaml', import.meta.url), 'utf8');
const PATH = '/stripe/webhook';
const CHECKOUT = 'checkout.session.completed-subscription';
const CUSTOMER = 'cus_Vx3ZBrh6KlcYiu';
const ZOE = { email: 'zoe.lukasik@example.com' };

/** The file alone, beside no other of Stripe, on a journal that keeps what it is given. */
async function withPlanSync(
  options: KeywrightOptions & { readonly journal?: 'memory' },
  work: (keywright: Keywright) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'keywright-plan-sync-'));
  const { journal, env, ...rest } = options;
  const url = journal === 'memory' ? 'memory:' : `sqlite:${join(folder, 'journal.db')}`;
  try {
    await withKeywright(
      {
        providers: [],
        files: { 'plan-sync.yaml': RULES },
        env: { STRIPE_WEBHOOK_SECRET: SECRETS.stripe, DATABASE_URL: url, ...env },
        ...rest,
      },
      work,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function metadataOf(keywright: Keywright, email: string): Record<string, string> {
  const user = keywright.sandbox.state.users.find((one) => one.email === email);
  return Object.fromEntries((user?.metadata ?? []).map(({ key, value }) => [key, value]));
}

const objectOf = (body: JsonObject): JsonObject => (body['data'] as { object: JsonObject }).object;

describe('what is answered', () => {
  test('{"received": true} for what is done, ignored, unknown, waiting or failed', () =>
    withPlanSync({ given: { users: [ZOE] } }, async (keywright) => {
      const send = (sample: string, edit?: (body: JsonObject) => void) =>
        keywright.sendSample('stripe', sample, {
          path: PATH,
          ...(edit === undefined ? {} : { edit }),
        });
      const withoutCustomer = (body: JsonObject): void => {
        objectOf(body)['customer'] = null;
      };
      const answers = [
        await send(CHECKOUT),
        await send(CHECKOUT),
        await send('checkout.session.completed-setup'),
        await send('charge.refunded'),
        await send('customer.subscription.created-active'),
        await send('customer.subscription.updated', withoutCustomer),
      ];
      for (const { status, text } of answers) {
        expect([status, text]).toEqual([200, '{"received":true}']);
      }
      const { events } = await keywright.server.archive.list({}, { limit: 10, cursor: undefined });
      expect(events.map(({ status }) => status).sort()).toEqual(
        ['done', 'failed', 'ignored', 'unmatched', 'waiting'].sort(),
      );
    }));

  test('on memory: only for what is done; what waits or failed is a 503, and Stripe keeps it', () =>
    withPlanSync({ journal: 'memory', given: { users: [ZOE] } }, async (keywright) => {
      const send = (sample: string, edit?: (body: JsonObject) => void) =>
        keywright.sendSample('stripe', sample, {
          path: PATH,
          ...(edit === undefined ? {} : { edit }),
        });
      expect(await send(CHECKOUT)).toMatchObject({ status: 200, json: { received: true } });
      const waiting = await send('customer.subscription.created-active');
      expect(waiting).toMatchObject({ status: 503, json: { error: 'NOT_FINISHED' } });
      const failed = await send('customer.subscription.updated', (body) => {
        objectOf(body)['customer'] = null;
      });
      expect(failed).toMatchObject({ status: 503, json: { error: 'NOT_FINISHED' } });
    }));

  test('400 validation_error for a bad signature and for what is no event', () =>
    withPlanSync({}, async (keywright) => {
      const refusals = [
        [
          await keywright.sendSample('stripe', CHECKOUT, { path: PATH, secret: 'whsec_other' }),
          'SIGNATURE_MISMATCH',
        ],
        [
          await keywright.sendSample('stripe', CHECKOUT, { path: PATH, ageSeconds: 301 }),
          'SIGNATURE_STALE',
        ],
        [
          await keywright.sendSample('stripe', CHECKOUT, {
            path: PATH,
            headers: (headers) => delete headers['stripe-signature'],
          }),
          'SIGNATURE_MISSING',
        ],
        [await keywright.send('stripe', { id: 'evt_1' }, { path: PATH }), 'BODY_MALFORMED'],
        [
          await keywright.send('stripe', new TextEncoder().encode('{'), { path: PATH }),
          'BODY_MALFORMED',
        ],
        [
          await keywright.sendSample('stripe', 'v1.invoice.paid-thin', { path: PATH }),
          'THIN_EVENT',
        ],
      ] as const;
      for (const [{ status, json }, code] of refusals) {
        expect({ status, json }).toEqual({
          status: 400,
          json: { error: 'validation_error', message: expect.any(String), details: { code } },
        });
      }
    }));

  test('503 external_service_error that names Stripe, where its secret is not set', () =>
    withPlanSync(
      {
        env: { STRIPE_WEBHOOK_SECRET: undefined, PADDLE_WEBHOOK_SECRET: SECRETS.paddle },
        files: withPaddle(),
      },
      async (keywright) => {
        const answer = await keywright.sendSample('stripe', CHECKOUT, { path: PATH });
        expect(answer).toMatchObject({
          status: 503,
          json: { error: 'external_service_error', details: { service: 'Stripe' } },
        });
      },
    ));
});

function withPaddle(): Record<string, string> {
  const paddle = readFileSync(new URL('../../rules/paddle.yaml', import.meta.url), 'utf8');
  return { 'plan-sync.yaml': RULES, 'paddle.yaml': paddle };
}

test('each event is told in the log with its type, the customer and its time, and no address', () =>
  withPlanSync({ given: { users: [ZOE] } }, async (keywright) => {
    await keywright.sendSample('stripe', CHECKOUT, { path: PATH });
    await keywright.sendSample('stripe', 'customer.subscription.updated-paused', { path: PATH });
    const lines = keywright.log.map((line) => JSON.parse(line) as JsonObject);
    const settled = lines.filter(({ message }) => message === 'event settled');
    expect(settled).toMatchObject([
      {
        type: 'checkout.session.completed',
        about: expect.arrayContaining([CUSTOMER]),
        eventTime: '2026-10-29T09:14:08.000Z',
        status: 'done',
      },
      {
        type: 'customer.subscription.updated',
        status: 'waiting',
        reason: expect.stringMatching(/found no user with stripe_customer_id = cus_\w{14}$/),
      },
    ]);
    expect(keywright.log.join('')).not.toContain('@example.com');
  }));

test('beside rules/stripe.yaml the same event makes the license and the plan, each once', () =>
  withKeywright(
    { providers: ['stripe'], files: { 'plan-sync.yaml': RULES } },
    async (keywright) => {
      const sale = await keywright.sendSample('stripe', CHECKOUT);
      expect(sale).toMatchObject({ status: 200, json: { status: 'done' } });
      const plan = () => keywright.sendSample('stripe', CHECKOUT, { path: PATH });
      expect((await plan()).json).toEqual({ received: true });
      const calls = keywright.sandbox.requests.length;
      expect((await plan()).json).toEqual({ received: true });
      expect((await keywright.sendSample('stripe', CHECKOUT)).json['duplicate']).toBe(true);
      expect(keywright.sandbox.requests.length).toBe(calls);
      expect(keywright.sandbox.state.licenses).toHaveLength(1);
      expect(metadataOf(keywright, ZOE.email)).toMatchObject({
        plan: 'pro',
        stripe_customer_id: CUSTOMER,
      });
    },
  ));

test('a user who comes later than the payment gets the plan, without another webhook', () =>
  withKeywright(
    {
      providers: ['stripe'],
      files: { 'plan-sync.yaml': RULES },
      env: { DATABASE_URL: 'memory:' },
    },
    async (keywright) => {
      const early = await keywright.sendSample('stripe', CHECKOUT, { path: PATH });
      expect(early.status).toBe(503);
      // The customer is the subject of both, so whoever makes the user wakes the event.
      await keywright.sendSample('stripe', 'customer.created');
      await expect.poll(() => metadataOf(keywright, ZOE.email)['plan']).toBe('pro');
    },
  ));

describe('however they come, twice and in any order, they end the same', () => {
  interface Lifecycle {
    readonly name: string;
    readonly samples: readonly string[];
    readonly ends: Record<string, string>;
    /** Moves all of them to the second of the first. */
    readonly inOneSecond?: boolean;
  }
  const LIFECYCLES: readonly Lifecycle[] = [
    {
      name: 'a purchase told by three events of one second',
      samples: [
        'customer.subscription.created-incomplete',
        'customer.subscription.updated-active',
        'checkout.session.completed-billing-link',
      ],
      ends: { plan: 'pro', stripe_subscription_status: 'active' },
    },
    {
      name: 'from the purchase to the end',
      samples: [
        ...['customer.subscription.created-incomplete', 'customer.subscription.updated-active'],
        ...['checkout.session.completed-billing-link', 'customer.subscription.updated-past-due'],
        ...['customer.subscription.updated-unpaid', 'customer.subscription.updated-canceled'],
        'customer.subscription.deleted-payment-failed',
      ],
      ends: {
        plan: 'free',
        stripe_subscription_status: 'canceled',
        plan_updated_at: '2027-01-04T09:20:00.000Z',
      },
    },
    {
      name: 'a trial, its checkout and a change of no status in one second',
      samples: [
        'customer.subscription.created-trialing',
        'checkout.session.completed-billing-link',
        'customer.subscription.updated-trialing',
      ],
      inOneSecond: true,
      ends: { plan: 'pro', stripe_subscription_status: 'trialing' },
    },
    {
      name: 'a purchase that is taken back in its second',
      samples: [
        'checkout.session.completed-billing-link',
        'customer.subscription.updated-active',
        'customer.subscription.updated-canceled',
        'customer.subscription.deleted-payment-failed',
      ],
      inOneSecond: true,
      ends: { plan: 'free', stripe_subscription_status: 'canceled' },
    },
  ];

  test.each(LIFECYCLES)('$name', ({ samples, ends, inOneSecond }) =>
    withPlanSync({ journal: 'memory' }, async (keywright) => {
      let sale = 0;
      const orders = fc.shuffledSubarray([...samples, ...samples], {
        minLength: samples.length * 2,
      });
      await fc.assert(
        fc.asyncProperty(orders, async (order) => {
          sale += 1;
          const email = `buyer${sale}@example.com`;
          keywright.sandbox.seed({ users: [{ email }] });
          for (const sample of order) {
            const body = sampleBody('stripe', sample);
            const object = objectOf(body);
            object['customer'] = `cus_sale${sale}`;
            object['metadata'] = {};
            if ('customer_details' in object) object['customer_details'] = { email };
            if (inOneSecond === true) body['created'] = 1_793_870_400;
            await keywright.send(
              'stripe',
              { ...body, id: `${String(body['id'])}_${sale}` },
              { path: PATH },
            );
          }
          await expect
            .poll(() => metadataOf(keywright, email), { interval: 5 })
            .toMatchObject({
              ...ends,
              stripe_customer_id: `cus_sale${sale}`,
            });
        }),
        { numRuns: 15, seed: 7 },
      );
    }),
  );
});
