// Billing links as the seller's backend gets them: real HTTP on both sides, with a stand-in for Stripe and
// the sandbox of Cryptlex, and the webhook that follows.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { composeServer } from '../../src/app/server.ts';
import type { JsonObject } from '../../src/core/model.ts';
import { type Keywright, SECRETS, startKeywright } from '../support/keywright.ts';
import {
  failure,
  STRIPE_KEY,
  type StripeStandIn,
  startStripe,
  type Trouble,
} from '../support/stripe-stand-in.ts';

const TOKEN = 'billing-token-of-the-test';
const ANN = '11111111-1111-4111-8111-111111111111';
const BEN = '22222222-2222-4222-8222-222222222222';
const LOST = '33333333-3333-4333-8333-333333333333';
const PLAN_SYNC = readFileSync(
  new URL('../../rules/examples/plan-sync.yaml', import.meta.url),
  'utf8',
);

let stripe: StripeStandIn;
let keywright: Keywright;

beforeAll(async () => {
  stripe = await startStripe();
  keywright = await startKeywright({
    providers: ['stripe'],
    files: { 'plan-sync.yaml': PLAN_SYNC },
    env: billingEnv(),
    stripeTimeoutMs: 400,
    given: {
      users: [
        { id: ANN, email: 'ann@example.com' },
        { id: BEN, email: 'ben@example.com', metadata: { stripe_customer_id: 'cus_ben' } },
        {
          id: LOST,
          email: 'lost@example.com',
          metadata: { stripe_customer_id: 'cus_of_live_mode' },
        },
      ],
    },
  });
});
afterAll(async () => {
  await keywright.close();
  await stripe.close();
});
beforeEach(() => {
  stripe.trouble = undefined;
  stripe.requests.length = 0;
  stripe.customers.clear();
  stripe.customers.add('cus_ben').add('cus_ann');
});

function billingEnv(): Record<string, string> {
  return {
    STRIPE_API_KEY: STRIPE_KEY,
    BILLING_API_TOKEN: TOKEN,
    STRIPE_API_BASE_URL: stripe.url,
    STRIPE_PRICE_PRO_MONTHLY: 'price_monthly',
    STRIPE_PRICE_PRO_YEARLY: 'price_yearly',
    STRIPE_PRICE_GONE: 'price_gone',
    STRIPE_SUCCESS_URL: 'https://shop.example.com/thanks?session_id={CHECKOUT_SESSION_ID}',
    STRIPE_CANCEL_URL: 'https://shop.example.com/pricing',
  };
}

interface Answer {
  readonly status: number;
  readonly json: JsonObject;
  readonly headers: Headers;
}

let keys = 0;

/** With a key of its own, unless the test says otherwise: no two tests share a session. */
async function checkout(
  body: JsonObject | string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  keys += 1;
  const response = await fetch(`${keywright.url}/billing/checkout-session`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      'idempotency-key': `key-${keys}`,
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const { status } = response;
  return { status, json: (await response.json()) as JsonObject, headers: response.headers };
}

async function portal(query: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${keywright.url}/billing/portal?${query}`, {
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
  });
  const { status } = response;
  return { status, json: (await response.json()) as JsonObject, headers: response.headers };
}

describe('a checkout', () => {
  test('is for the price of the plan, with metadata on the session and on its subscription', async () => {
    const { status, json } = await checkout({ plan: 'pro-monthly', userId: ANN });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      url: expect.stringMatching(/^https:\/\/checkout\.stripe\.com\//),
      sessionId: expect.stringMatching(/^cs_test_/),
      expiresAt: '2026-10-30T09:11:35.000Z',
    });
    expect(stripe.requests).toHaveLength(1);
    expect(stripe.requests[0]?.form).toEqual({
      mode: 'subscription',
      'line_items[0][price]': 'price_monthly',
      'line_items[0][quantity]': '1',
      customer_email: 'ann@example.com',
      'metadata[plan]': 'pro-monthly',
      'metadata[cryptlex_user_id]': ANN,
      'subscription_data[metadata][plan]': 'pro-monthly',
      'subscription_data[metadata][cryptlex_user_id]': ANN,
      success_url: 'https://shop.example.com/thanks?session_id={CHECKOUT_SESSION_ID}',
      cancel_url: 'https://shop.example.com/pricing',
    });
  });

  test('of a user who has bought before is for the customer that we know, however it is named', async () => {
    for (const user of [{ userId: BEN }, { email: 'Ben@Example.com' }]) {
      expect((await checkout({ plan: 'pro-yearly', ...user })).status).toBe(200);
      const { form } = stripe.requests.at(-1) ?? { form: {} };
      expect(form).toMatchObject({ customer: 'cus_ben', 'metadata[cryptlex_user_id]': BEN });
      expect(form).not.toHaveProperty('customer_email');
    }
  });

  test('of an address that Cryptlex does not know yet is filled with it', async () => {
    expect((await checkout({ plan: 'pro-monthly', email: 'new+1@example.com' })).status).toBe(200);
    const { form } = stripe.requests[0] ?? { form: {} };
    expect(form).toMatchObject({ customer_email: 'new+1@example.com' });
    expect(form).not.toHaveProperty(['metadata[cryptlex_user_id]']);
  });

  test('of an id that Cryptlex does not know is refused', async () => {
    const answer = await checkout({ plan: 'pro-monthly', userId: LOST.replace('3', '4') });
    expect(answer).toMatchObject({ status: 404, json: { error: 'USER_NOT_FOUND' } });
    expect(stripe.requests).toEqual([]);
  });
});

describe('what is paid by a link maps itself', () => {
  test('the event of the session gives its user the plan, whatever address the buyer wrote', async () => {
    const link = await checkout({ plan: 'pro-monthly', userId: ANN });
    const event = stripe.completedEvent(String(link.json['sessionId']), {
      customerId: 'cus_ann',
      eventId: 'evt_end_to_end',
    });
    const answer = await keywright.send('stripe', event, { path: '/stripe/webhook' });
    expect(answer).toMatchObject({ status: 200, json: { received: true } });
    expect(metadataOf(ANN)).toMatchObject({
      plan: 'pro',
      stripe_subscription_status: 'active',
      stripe_customer_id: 'cus_ann',
    });
    const opened = await portal(`userId=${ANN}`);
    expect(opened).toMatchObject({
      status: 200,
      json: { url: expect.stringMatching(/^https:\/\/billing\.stripe\.com\//) },
    });
    expect(stripe.requests.at(-1)?.form).toEqual({
      customer: 'cus_ann',
      return_url: 'https://shop.example.com/pricing',
    });
  });
});

function metadataOf(userId: string): Record<string, string> {
  const user = keywright.sandbox.state.users.find(({ id }) => id === userId);
  return Object.fromEntries((user?.metadata ?? []).map(({ key, value }) => [key, value]));
}

describe('the portal', () => {
  test('opens for the customer that the user is', async () => {
    expect((await portal('email=ben%40example.com')).status).toBe(200);
    expect(stripe.requests[0]?.form).toMatchObject({ customer: 'cus_ben' });
  });

  test.each([
    ['of nobody', 'email=nobody%40example.com', 404, 'USER_NOT_FOUND'],
    ['of an unknown id', `userId=${LOST.replace('3', '4')}`, 404, 'USER_NOT_FOUND'],
    ['of a customer named by the caller', 'customer=cus_ben', 400, 'BILLING_REQUEST'],
    ['of a customer beside a user', `userId=${ANN}&customer=cus_ben`, 400, 'BILLING_REQUEST'],
    ['of two users', `userId=${BEN}&email=ben%40example.com`, 400, 'BILLING_REQUEST'],
    ['of no user', '', 400, 'BILLING_REQUEST'],
    ['of an id that is a path', 'userId=..%2Fproducts', 400, 'BILLING_REQUEST'],
  ])('%s does not open', async (_, query, status, error) => {
    expect(await portal(query)).toMatchObject({ status, json: { error } });
    expect(stripe.requests).toEqual([]);
  });

  test('of a user who has not bought yet does not open', async () => {
    const given = { users: [{ id: LOST.replaceAll('3', '5'), email: 'free@example.com' }] };
    keywright.sandbox.seed(given);
    const answer = await portal('email=free%40example.com');
    expect(answer).toMatchObject({ status: 404, json: { error: 'BILLING_CUSTOMER_UNKNOWN' } });
  });
});

describe('who may ask', () => {
  test.each([
    ['no token', {}],
    ['another token', { authorization: 'Bearer wrong' }],
    ['the token without its word', { authorization: TOKEN }],
    ['the token and more', { authorization: `Bearer ${TOKEN}x` }],
  ])('not with %s', async (_, headers) => {
    for (const path of ['portal?email=ben%40example.com', 'checkout-session', 'unknown']) {
      const response = await fetch(`${keywright.url}/billing/${path}`, { headers });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: 'BILLING_UNAUTHORIZED' });
    }
    expect(stripe.requests).toEqual([]);
  });

  test('nobody, where one of the two keys is missing, and the log says so', async () => {
    for (const missing of ['STRIPE_API_KEY', 'BILLING_API_TOKEN']) {
      const other = await startKeywright({
        providers: ['stripe'],
        env: { ...billingEnv(), [missing]: undefined },
      });
      const headers = { authorization: `Bearer ${TOKEN}` };
      const response = await fetch(`${other.url}/billing/portal?userId=${BEN}`, { headers });
      expect(response.status).toBe(404);
      expect(other.log.join('')).toContain(`"missing":"${missing}"`);
      await other.close();
    }
  });
});

describe('what is asked for', () => {
  test.each<[string, JsonObject | string, number, string]>([
    ['an unknown plan', { plan: 'gold', userId: ANN }, 400, 'BILLING_PLAN_UNKNOWN'],
    [
      'a plan named like a member of objects',
      { plan: 'constructor', userId: ANN },
      400,
      'BILLING_PLAN_UNKNOWN',
    ],
    ['no plan', { userId: ANN }, 400, 'BILLING_REQUEST'],
    ['no user', { plan: 'pro-monthly' }, 400, 'BILLING_REQUEST'],
    ['two users', { plan: 'pro-monthly', userId: ANN, email: 'a@b.c' }, 400, 'BILLING_REQUEST'],
    [
      'a customer',
      { plan: 'pro-monthly', userId: ANN, customer: 'cus_ben' },
      400,
      'BILLING_REQUEST',
    ],
    ['a price', { plan: 'pro-monthly', userId: ANN, price: 'price_1' }, 400, 'BILLING_REQUEST'],
    ['no address', { plan: 'pro-monthly', email: 'ann' }, 400, 'BILLING_REQUEST'],
    ['a list', '[]', 400, 'BILLING_REQUEST'],
    ['no JSON', '{', 400, 'BILLING_REQUEST'],
    ['too much', `{"plan":"${'x'.repeat(17_000)}"}`, 413, 'BODY_TOO_LARGE'],
  ])('%s is refused before Stripe is asked', async (_, body, status, error) => {
    const answer = await checkout(body);
    expect(answer).toMatchObject({
      status,
      json: { error, message: expect.any(String), details: { retryable: false } },
    });
    expect(stripe.requests).toEqual([]);
  });

  test('a form is refused, and so are other methods and addresses', async () => {
    const body = { plan: 'pro-monthly', userId: ANN };
    expect(await checkout(body, { 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
      json: { error: 'BODY_NOT_JSON' },
    });
    const headers = { authorization: `Bearer ${TOKEN}` };
    const read = await fetch(`${keywright.url}/billing/checkout-session`, { headers });
    expect([read.status, read.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await fetch(`${keywright.url}/billing/other`, { headers })).status).toBe(404);
  });
});

describe('a request that is sent twice', () => {
  test("the caller's key goes to Stripe, which gives the same session", async () => {
    const same = { 'idempotency-key': 'order-4711' };
    const first = await checkout({ plan: 'pro-monthly', userId: BEN }, same);
    const second = await checkout({ plan: 'pro-monthly', userId: BEN }, same);
    expect(second.json).toEqual(first.json);
    expect(stripe.requests.map(({ idempotencyKey }) => idempotencyKey)).toEqual([
      'order-4711',
      'order-4711',
    ]);
  });

  test("the caller's key for another request is refused", async () => {
    const same = { 'idempotency-key': 'order-4712' };
    await checkout({ plan: 'pro-monthly', userId: BEN }, same);
    const other = await checkout({ plan: 'pro-yearly', userId: BEN }, same);
    expect(other).toMatchObject({ status: 409, json: { error: 'IDEMPOTENCY_REUSED' } });
  });

  test.each(['', 'two words', 'x'.repeat(256), 'ü'])('a key like "%s" is refused', async (key) => {
    const named = { 'idempotency-key': Buffer.from(key).toString('latin1') };
    const answer = await checkout({ plan: 'pro-monthly', userId: BEN }, named);
    expect(answer).toMatchObject({ status: 400, json: { error: 'BILLING_REQUEST' } });
  });

  test('without a key, one is made that tells requests apart', async () => {
    const ask = async (body: JsonObject): Promise<string | undefined> => {
      await fetch(`${keywright.url}/billing/checkout-session`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return stripe.requests.at(-1)?.idempotencyKey;
    };
    const keysOfAll = [
      await ask({ plan: 'pro-monthly', userId: BEN }),
      await ask({ plan: 'pro-yearly', userId: BEN }),
      await ask({ plan: 'pro-monthly', email: 'x@example.com' }),
      await ask({ plan: 'pro-monthly', email: 'y@example.com' }),
    ];
    expect(new Set(keysOfAll).size).toBe(4);
    for (const key of keysOfAll) expect(key).toMatch(/^keywright-[0-9a-f]{40}$/);
  });
});

const answering = (status: number, body: JsonObject | string): Trouble => ({
  kind: 'answer',
  status,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

describe("Stripe's troubles become answers of ours", () => {
  test.each<[string, Trouble, number, string, boolean]>([
    ['it is down', { kind: 'cut' }, 503, 'STRIPE_UNAVAILABLE', true],
    ['it is slow', { kind: 'silent' }, 503, 'STRIPE_UNAVAILABLE', true],
    ['500', answering(500, failure('oops')), 503, 'STRIPE_UNAVAILABLE', true],
    [
      '429',
      answering(429, failure('Too many', { code: 'rate_limit' })),
      503,
      'STRIPE_RATE_LIMITED',
      true,
    ],
    [
      '401',
      answering(401, failure('Invalid API Key provided: rk_test_****SECRET')),
      502,
      'STRIPE_KEY',
      false,
    ],
    ['403', answering(403, failure('No permission')), 502, 'STRIPE_KEY', false],
    ['a page', answering(200, '<html>login</html>'), 502, 'STRIPE_NONSENSE', true],
    ['nothing', answering(200, ''), 502, 'STRIPE_NONSENSE', true],
    ['null', answering(200, 'null'), 502, 'STRIPE_NONSENSE', true],
    ['no address', answering(200, { id: 'cs_1', url: null }), 502, 'STRIPE_NONSENSE', true],
    [
      'no web address',
      answering(200, { id: 'cs_1', url: 'javascript:alert(1)' }),
      502,
      'STRIPE_NONSENSE',
      true,
    ],
    [
      'no id',
      answering(200, { url: 'https://checkout.stripe.com/x' }),
      502,
      'STRIPE_NONSENSE',
      true,
    ],
    [
      'the same request is in work',
      answering(409, failure('in use', { code: 'idempotency_key_in_use' })),
      503,
      'STRIPE_UNAVAILABLE',
      true,
    ],
  ])('%s', async (_, trouble, status, error, retryable) => {
    stripe.trouble = () => trouble;
    const answer = await checkout({ plan: 'pro-monthly', userId: ANN });
    expect(answer).toMatchObject({ status, json: { error, details: { retryable } } });
    expect(answer.headers.get('retry-after')).toBe(status === 503 ? '5' : null);
    expect(JSON.stringify(answer.json)).not.toMatch(/SECRET|stack/);
    expect(keywright.log.at(-1)).toContain(error);
  });

  test('a price that Stripe does not know is told with its parameter', async () => {
    const answer = await checkout({ plan: 'gone', userId: ANN });
    expect(answer).toMatchObject({
      status: 502,
      json: {
        error: 'STRIPE_REFUSED',
        message: expect.stringContaining("No such price: 'price_gone'"),
        details: {
          stripeCode: 'resource_missing',
          param: 'line_items[0][price]',
          retryable: false,
        },
      },
    });
    expect(keywright.log.at(-1)).toContain('line_items[0][price]');
  });

  test('a customer that Stripe does not know is told as such', async () => {
    const answer = await portal(`userId=${LOST}`);
    expect(answer).toMatchObject({ status: 502, json: { error: 'STRIPE_REFUSED' } });
    expect(answer.json['message']).toMatch(/test mode, or of another account/);
  });

  test('a first answer that is lost makes no second session', async () => {
    stripe.trouble = () => (stripe.requests.length === 1 ? { kind: 'cut' } : undefined);
    expect((await checkout({ plan: 'pro-monthly', userId: ANN })).status).toBe(200);
    const [first, second] = stripe.requests;
    expect(second?.idempotencyKey).toBe(first?.idempotencyKey);
    expect(second?.form).toEqual(first?.form);
  });
});

test('no line of the log holds a key, a token or an address', () => {
  const lines = keywright.log.join('');
  for (const secret of [STRIPE_KEY, TOKEN, SECRETS.stripe, '@example.com']) {
    expect(lines).not.toContain(secret);
  }
});

describe('at the start', () => {
  const start = (env: Record<string, string | undefined>) =>
    composeServer({
      env: {
        STRIPE_WEBHOOK_SECRET: SECRETS.stripe,
        CRYPTLEX_ACCESS_TOKEN: 'token',
        CRYPTLEX_PRODUCT_ID: 'product',
        DATABASE_URL: 'memory:',
        RULES_DIR: 'rules',
        ...env,
      },
      readFile: (path) => readFileSync(path, 'utf8'),
      writeLog: () => undefined,
      stdoutIsTty: false,
    });
  const problemsOf = async (env: Record<string, string | undefined>): Promise<string> => {
    const composition = await start(env);
    if (composition.kind === 'refused') return composition.problems.join('\n');
    await composition.server.stop(0);
    return '';
  };

  test('everything that is missing beside the two keys is told at once', async () => {
    const told = await problemsOf({ STRIPE_API_KEY: STRIPE_KEY, BILLING_API_TOKEN: TOKEN });
    expect(told).toMatch(/STRIPE_SUCCESS_URL is not set \[ENV_MISSING\]/);
    expect(told).toMatch(/STRIPE_CANCEL_URL is not set \[ENV_MISSING\]/);
    expect(told).toMatch(/no plan has a price.*STRIPE_PRICE_PRO_MONTHLY.*\[ENV_MISSING\]/);
  });

  test('everything that is wrong is told at once, without a value that may be secret', async () => {
    const told = await problemsOf({
      STRIPE_API_KEY: 'rk test key',
      BILLING_API_TOKEN: ' ',
      STRIPE_PRICE_PRO_MONTHLY: 'price one',
      STRIPE_SUCCESS_URL: 'javascript:alert(1)',
      STRIPE_CANCEL_URL: '/pricing',
      STRIPE_API_BASE_URL: 'https://user:pw@api.example.com/v1',
    });
    for (const name of [
      ...['STRIPE_API_KEY', 'BILLING_API_TOKEN', 'STRIPE_PRICE_PRO_MONTHLY'],
      ...['STRIPE_SUCCESS_URL', 'STRIPE_CANCEL_URL', 'STRIPE_API_BASE_URL'],
    ]) {
      expect(told).toContain(name);
    }
    expect(told).not.toMatch(/rk test key|pw@|javascript/);
  });

  test.each([
    ['without both keys, nothing else is needed', {}],
    ['with one of them, nothing else is needed', { STRIPE_API_KEY: STRIPE_KEY }],
    ['a price in a file is one', { STRIPE_PRICE_TEAM_FILE: 'package.json' }],
  ])('%s', async (_, env) => {
    const told = await problemsOf(env);
    expect(told).toBe('');
  });
});
