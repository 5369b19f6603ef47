// Everything that is wrong at the start is told at once, and nothing is served with it.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { composeServer } from '../../src/app/server.ts';
import { runCli } from '../resilience/process.ts';
import { SECRETS, startKeywright, withKeywright } from '../support/keywright.ts';

const GOOD = { CRYPTLEX_ACCESS_TOKEN: 'token', CRYPTLEX_PRODUCT_ID: 'p1', DATABASE_URL: 'memory:' };
const STRIPE = { STRIPE_WEBHOOK_SECRET: SECRETS.stripe };
const rule = (name: string) =>
  readFileSync(new URL(`../../rules/${name}.yaml`, import.meta.url), 'utf8');

function codesIn(text: string): string[] {
  return [...text.matchAll(/\[([A-Z][A-Z_]+)\]/g)].map(([, code = '']) => code).sort();
}

describe('a server that cannot start', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keywright-start-'));
    for (const name of ['stripe', 'fastspring', 'paddle']) {
      writeFileSync(join(directory, `${name}.yaml`), rule(name));
    }
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** Composes it, which must not succeed; gives the problems, each with its code. */
  async function refusal(env: Record<string, string>): Promise<{ codes: string[]; text: string }> {
    const composition = await composeServer({
      env: { RULES_DIR: directory, ...env },
      readFile: (path) => readFileSync(path, 'utf8'),
      writeLog: () => undefined,
      stdoutIsTty: false,
    });
    if (composition.kind !== 'refused') throw new Error('it was composed');
    const text = composition.problems.join('\n');
    return { codes: codesIn(text), text };
  }

  for (const [name, env, codes] of [
    ['nothing set at all', {}, ['ENV_MISSING', 'NO_SOURCE']],
    [
      'no token',
      { ...STRIPE, CRYPTLEX_PRODUCT_ID: 'p1', DATABASE_URL: 'memory:' },
      ['ENV_MISSING'],
    ],
    [
      'no product for the Stripe rules',
      { ...STRIPE, CRYPTLEX_ACCESS_TOKEN: 't', DATABASE_URL: 'memory:' },
      ['ENV_MISSING'],
    ],
    ['a blank secret', { ...GOOD, STRIPE_WEBHOOK_SECRET: ' ' }, ['ENV_BLANK']],
    ['a blank secret in a list', { ...GOOD, STRIPE_WEBHOOK_SECRET: 'a,,b' }, ['ENV_BLANK']],
    [
      'a blank secret beside a good one',
      { ...GOOD, ...STRIPE, PADDLE_WEBHOOK_SECRET: '' },
      ['ENV_BLANK'],
    ],
    ['a blank product', { ...GOOD, ...STRIPE, CRYPTLEX_PRODUCT_ID: '' }, ['ENV_BLANK']],
    ['an odd port', { ...GOOD, ...STRIPE, PORT: 'eighty' }, ['ENV_INVALID']],
    [
      'a token that no header can hold',
      { ...GOOD, ...STRIPE, CRYPTLEX_ACCESS_TOKEN: 'a b' },
      ['ENV_INVALID'],
    ],
    [
      'five things at once',
      {
        STRIPE_WEBHOOK_SECRET: SECRETS.stripe,
        PADDLE_WEBHOOK_SECRET: ' ',
        PORT: '-1',
        LOG_LEVEL: 'loud',
        DATABASE_URL: 'memory:',
      },
      ['ENV_BLANK', 'ENV_INVALID', 'ENV_INVALID', 'ENV_MISSING', 'ENV_MISSING'],
    ],
  ] as const) {
    test(`${name}: says ${codes.join(', ')}`, async () => {
      const found = await refusal({ ...env });
      expect(found.codes).toEqual([...codes]);
      expect(found.text).not.toContain(SECRETS.stripe);
      expect(found.text).not.toContain('    at ');
    });
  }

  test('broken rules are told with their place, beside what is wrong with the environment', async () => {
    writeFileSync(
      join(directory, 'stripe.yaml'),
      rule('stripe').replace('mode: any', 'mode: some'),
    );
    const { codes, text } = await refusal({ ...STRIPE, DATABASE_URL: 'memory:' });
    expect(codes).toContain('ENV_MISSING');
    expect(text).toMatch(/stripe\.yaml:\d+:\d+: error: /);
    expect(text).toContain('CRYPTLEX_ACCESS_TOKEN');
  });

  test('the rules of a source that is off may be broken', async () => {
    writeFileSync(join(directory, 'paddle.yaml'), 'provider: paddle\nrules: nonsense\n');
    const { text } = await refusal({ ...STRIPE, DATABASE_URL: 'memory:' });
    expect(text).not.toContain('paddle');
  });

  test('a secret whose rule file is missing is told, beside broken rules of another', async () => {
    rmSync(join(directory, 'paddle.yaml'));
    writeFileSync(
      join(directory, 'stripe.yaml'),
      rule('stripe').replace('mode: any', 'mode: some'),
    );
    const { text } = await refusal({ ...GOOD, ...STRIPE, PADDLE_WEBHOOK_SECRET: 'x' });
    expect(text).toContain('PADDLE_WEBHOOK_SECRET is set, but no rule file belongs to it');
    expect(text).toMatch(/stripe\.yaml:\d+:\d+: error: /);
  });

  test('a rules directory that is not there is told, with the path', async () => {
    const { codes, text } = await refusal({
      ...STRIPE,
      RULES_DIR: join(directory, 'nowhere'),
      DATABASE_URL: 'memory:',
    });
    expect(codes).toEqual(['ENV_MISSING', 'RULES_UNREADABLE']);
    expect(text).toContain('nowhere');
  });

  test('an empty rules directory is told', async () => {
    mkdirSync(join(directory, 'empty'));
    const { text } = await refusal({ ...GOOD, ...STRIPE, RULES_DIR: join(directory, 'empty') });
    expect(text).toContain('STRIPE_WEBHOOK_SECRET is set, but no rule file belongs to it');
  });

  for (const [name, text] of [
    ['without a provider', 'rules: []\n'],
    ['of a provider that does not exist', 'provider: strip\nrules: []\n'],
    ['that is no YAML', 'provider: [stripe\n'],
  ] as const) {
    test(`a further rule file ${name} is told: nobody could know whether it is on`, async () => {
      writeFileSync(join(directory, 'shop.yaml'), text);
      const found = await refusal({ ...GOOD, ...STRIPE });
      expect(found.text).toMatch(/shop\.yaml:\d+:\d+: error: /);
    });
  }

  test('two sources with one path are told', async () => {
    const further = rule('stripe').replace(
      'provider: stripe',
      'provider: stripe\nsecret: STRIPE_EU_WEBHOOK_SECRET\npath: /hooks/shop',
    );
    writeFileSync(join(directory, 'stripe-eu.yaml'), further);
    writeFileSync(
      join(directory, 'paddle.yaml'),
      rule('paddle').replace('provider: paddle', 'provider: paddle\npath: /hooks/shop'),
    );
    const { text } = await refusal({
      ...GOOD,
      STRIPE_EU_WEBHOOK_SECRET: 'eu',
      PADDLE_WEBHOOK_SECRET: 'p',
    });
    expect(text).toContain('/hooks/shop');
  });
});

test('keywright serve says all of it on stderr and ends with 2; no stack, no secret', async () => {
  const env = { ...STRIPE, PADDLE_WEBHOOK_SECRET: ' ', PORT: '-1', DATABASE_URL: 'memory:' };
  const { code, stdout, stderr } = await runCli(['serve'], env);
  expect([code, stdout]).toEqual([2, '']);
  expect(codesIn(stderr)).toEqual(['ENV_BLANK', 'ENV_INVALID', 'ENV_MISSING', 'ENV_MISSING']);
  expect(stderr).not.toContain('    at ');
  expect(stderr).not.toContain(SECRETS.stripe);
});

describe('the sources of a server', () => {
  const SAMPLE = 'invoice.paid-subscription-create';
  const EU = 'whsec_of_the_european_shop';

  test('those without a secret are off, and say so', () =>
    withKeywright(
      { env: { PADDLE_WEBHOOK_SECRET: undefined, FASTSPRING_WEBHOOK_SECRET: undefined } },
      async (keywright) => {
        expect((await keywright.sendSample('stripe', SAMPLE)).status).toBe(200);
        const off = await keywright.sendSample('paddle', 'subscription.paused');
        expect(off.status).toBe(503);
        expect(off.json).toMatchObject({
          error: 'external_service_error',
          details: { service: 'Paddle' },
        });
      },
    ));

  test('a further one has its own secret, address and path; events are known across both', () => {
    const text = rule('stripe').replace(
      'provider: stripe',
      'provider: stripe\nsecret: STRIPE_EU_WEBHOOK_SECRET\npath: /hooks/eu',
    );
    const options = { files: { 'stripe-eu.yaml': text }, env: { STRIPE_EU_WEBHOOK_SECRET: EU } };
    return withKeywright(options, async (keywright) => {
      const path = '/webhooks/stripe-eu';
      const wrong = await keywright.sendSample('stripe', SAMPLE, { path });
      expect(wrong.json['error']).toBe('SIGNATURE_MISMATCH');
      const right = await keywright.sendSample('stripe', SAMPLE, { path, secret: EU });
      expect(right.json).toMatchObject({ status: 'done' });
      const elsewhere = await keywright.sendSample('stripe', SAMPLE, {
        path: '/hooks/eu',
        secret: EU,
      });
      expect(elsewhere.json).toMatchObject({ duplicate: true });
      const main = await keywright.sendSample('stripe', SAMPLE);
      expect(main.json).toMatchObject({ duplicate: true });
      expect(keywright.sandbox.state.licenses).toHaveLength(1);
    });
  });

  test('one that asks for a variable of its own does not start without it', async () => {
    const text = rule('stripe')
      .replace('env: [CRYPTLEX_PRODUCT_ID]', 'env: [CRYPTLEX_PRODUCT_ID, SHOP_TEMPLATE]')
      .replace(
        'from: =$byMetadata\n          productId: =$product',
        'from: =$byMetadata\n          notes: =$env.SHOP_TEMPLATE\n          productId: =$product',
      );
    await expect(startKeywright({ rules: { stripe: () => text } })).rejects.toThrow(
      /stripe\.yaml:\d+:\d+: error: SHOP_TEMPLATE is not set \[ENV_MISSING\]/,
    );
  });
});
