// Several accounts of one provider: each rule file is a source with its own secret, mode and catalog, and
// nothing of one is taken for the other's.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { readRuleFiles } from '../../src/sources/rule-files.ts';
import { SECRETS, sampleBody, startKeywright, withKeywright } from '../support/keywright.ts';

const EU = 'whsec_test_secret_of_the_eu_account';
const MAIN_PRODUCT = '00000000-0000-4000-8000-0000000000aa';
const EU_PRODUCT = '00000000-0000-4000-8000-0000000000bb';
const PRICE = 'price_shared_by_name';

const directory = mkdtempSync(join(tmpdir(), 'keywright-accounts-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Sells by a catalog in a file of its own. */
function account(header: string): string {
  return `provider: stripe
${header}
subject: =data.object.id
rules:
  - id: invoice-paid
    on: invoice.paid
    once: =data.object.id
    do:
      - user.insert: { email: =data.object.customer_email, firstName: Buyer }
        as: user
      - license.create:
          from: =$catalog("${PRICE}")
          userId: =$user.id
          metadata: { stripe_invoice_id: =data.object.id }
`;
}

const ACCOUNTS = {
  providers: ['stripe'],
  rules: { stripe: () => account('mode: live\ncatalogFile: main.csv') },
  files: {
    'main.csv': `key,productId\n${PRICE},${MAIN_PRODUCT}\n`,
    'stripe-eu.yaml': account(
      'secret: STRIPE_EU_WEBHOOK_SECRET\nmode: test\npath: /hooks/eu\ncatalogFile: catalog-eu.yaml',
    ),
    'catalog-eu.yaml': `${PRICE}:\n  productId: ${EU_PRODUCT}\n`,
  },
  env: { STRIPE_EU_WEBHOOK_SECRET: EU, CRYPTLEX_PRODUCT_ID: undefined },
} as const;

function invoice(id: string, livemode: boolean): JsonObject {
  const body = sampleBody('stripe', 'invoice.paid-subscription-create');
  const object = (body['data'] as JsonObject)['object'] as JsonObject;
  Object.assign(object, { id: `in_${id}`, customer_email: `${id}@example.com` });
  return { ...body, id: `evt_${id}`, livemode };
}

const MAIN = {};
const OF_EU = { path: '/webhooks/stripe-eu', secret: EU };

describe('two accounts of Stripe', () => {
  test('each sells what its own catalog says, under its own secret', () =>
    withKeywright(ACCOUNTS, async ({ send, sandbox, url }) => {
      expect((await send('stripe', invoice('a', true), MAIN)).json).toMatchObject({
        status: 'done',
      });
      expect((await send('stripe', invoice('b', false), OF_EU)).json).toMatchObject({
        status: 'done',
      });
      expect(sandbox.state.licenses.map(({ productId }) => productId)).toEqual([
        MAIN_PRODUCT,
        EU_PRODUCT,
      ]);
      const ready = (await (await fetch(`${url}/readyz`)).json()) as { sources: JsonObject[] };
      expect(ready.sources.map(({ source }) => source)).toEqual(['stripe-eu', 'stripe']);
    }));

  test.each([
    ['of the main one at the other’s address', { path: OF_EU.path }],
    ['of the main one at the other’s path', { path: '/hooks/eu' }],
    ['of the other one at /v1', { secret: EU }],
    ['of the other one at the main address', { path: '/webhooks/stripe', secret: EU }],
  ])('a signature %s lets nobody in', (_name, how) =>
    withKeywright(ACCOUNTS, async ({ send, sandbox }) => {
      const { status, json } = await send('stripe', invoice('a', true), how);
      expect({ status, error: json['error'] }).toEqual({
        status: 400,
        error: 'SIGNATURE_MISMATCH',
      });
      expect(sandbox.requests).toEqual([]);
    }),
  );

  test('each lets in its own mode only', () =>
    withKeywright(ACCOUNTS, async ({ send, sandbox }) => {
      const test_ = await send('stripe', invoice('a', false), MAIN);
      const live = await send('stripe', invoice('b', true), OF_EU);
      expect([test_, live].map(({ status, json }) => [status, json['status']])).toEqual([
        [200, 'ignored'],
        [200, 'ignored'],
      ]);
      expect(sandbox.state.licenses).toEqual([]);
    }));

  test('the same event through both is one event, and is done by the first that got it', () =>
    withKeywright(
      {
        ...ACCOUNTS,
        files: {
          ...ACCOUNTS.files,
          'stripe-eu.yaml': ACCOUNTS.files['stripe-eu.yaml'].replace('mode: test', 'mode: any'),
        },
      },
      async ({ send, sandbox, server }) => {
        const answers = await Promise.all([
          send('stripe', invoice('a', true), MAIN),
          send('stripe', invoice('a', true), OF_EU),
        ]);
        expect(answers.map(({ status }) => status)).toEqual([200, 200]);
        expect(answers.filter(({ json }) => json['duplicate'] === true)).toHaveLength(1);
        expect(sandbox.state.licenses).toHaveLength(1);
        expect(await server.archive.count({})).toBe(1);
      },
    ));

  test('one whose secret is not set is off: it says so to who sends, and in the log', () =>
    withKeywright(
      { ...ACCOUNTS, env: { CRYPTLEX_PRODUCT_ID: undefined } },
      async ({ send, log }) => {
        const { status, json } = await send('stripe', invoice('a', false), OF_EU);
        expect({ status, json }).toMatchObject({
          status: 503,
          json: { error: 'external_service_error', details: { service: 'Stripe' } },
        });
        expect(json['message']).toContain('stripe-eu');
        expect(log.map((line) => JSON.parse(line) as JsonObject)).toContainEqual(
          expect.objectContaining({
            level: 'warn',
            source: 'stripe-eu',
            secret: 'STRIPE_EU_WEBHOOK_SECRET',
          }),
        );
      },
    ));

  test('the further one may be the only one', () =>
    withKeywright(
      { ...ACCOUNTS, env: { ...ACCOUNTS.env, STRIPE_WEBHOOK_SECRET: undefined } },
      async ({ send }) => {
        expect((await send('stripe', invoice('b', false), OF_EU)).status).toBe(200);
        expect((await send('stripe', invoice('a', true), MAIN)).status).toBe(503);
      },
    ));
});

describe('files that cannot be told apart', () => {
  test.each([
    ['two endings of one name', { 'stripe.yml': account('') }, 'the source stripe is'],
    [
      'one path for two',
      { 'stripe-uk.yaml': account('secret: STRIPE_EU_WEBHOOK_SECRET\npath: /hooks/eu') },
      'the path /hooks/eu belongs to',
    ],
  ])('%s: the server does not start', async (_name, files, message) => {
    const all = { ...ACCOUNTS, files: { ...ACCOUNTS.files, ...files } };
    await expect(startKeywright(all)).rejects.toThrow(message);
  });
});

test('a catalog beside the rules is no rule file, however large and however it is quoted', () => {
  writeFileSync(
    join(directory, 'stripe.yaml'),
    `catalogFile: "big.yaml"  # by price\n${SECRETS.stripe}`,
  );
  writeFileSync(join(directory, 'big.yaml'), 'a'.repeat(3 * 1024 * 1024));
  expect(readRuleFiles(directory).map(({ file }) => file)).toEqual([
    join(directory, 'stripe.yaml'),
  ]);
});
