// The doctor on a healthy set-up and on broken ones: real files, the sandbox of Cryptlex over HTTP, a real
// PostgreSQL. Each table row spoils one thing and expects one finding with its remedy.

import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../../src/cli/run-cli.ts';
import { examine } from '../../src/doctor/doctor.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { composeSandbox, type ServedSandbox } from '../../src/sandbox/compose-sandbox.ts';
import { startKeywright } from '../support/keywright.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

const PRODUCT = '7c1d0f8e-2f5a-4a55-9a3e-0b7f3a3a9b10';
const TEMPLATE = '51d0c7e2-88a1-4f0b-b6f4-0d5d7a1c2e33';
const ALL = [
  'license:read',
  'license:write',
  'user:read',
  'user:write',
  'licenseTemplate:read',
  'product:read',
];

const readText = (path: string): string => readFileSync(path, 'utf8');

let cryptlex: ServedSandbox;
let postgres: TestPostgres;
let stranger: Server;
const folder = mkdtempSync(join(tmpdir(), 'keywright-doctor-'));

beforeAll(async () => {
  cryptlex = await composeSandbox({
    port: 0,
    rateLimit: false,
    options: {
      knownProducts: [PRODUCT],
      knownTemplates: [TEMPLATE],
      tokens: {
        'token-without-write': { scopes: ALL.filter((scope) => scope !== 'license:write') },
        'token-without-products': { scopes: ALL.filter((scope) => scope !== 'product:read') },
        'token-revoked': { scopes: ALL, revoked: true },
      },
    },
  });
  cryptlex.sandbox.seed({
    licenseTemplates: [{ id: TEMPLATE, requiredMetadataKeys: ['stripe_subscription_id'] }],
    products: [{ id: PRODUCT }],
  });
  postgres = await startPostgres();
  // Somebody else's server: a page for people, and a clock that is an hour behind.
  stranger = createServer((_request, response) => {
    const date = new Date(Date.now() - 3_600_000).toUTCString();
    response.setHeader('date', date).writeHead(200, { 'content-type': 'text/html' });
    response.end('<!doctype html><title>Welcome</title>');
  });
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await cryptlex.close();
  await postgres.stop();
  stranger.close();
  rmSync(folder, { recursive: true, force: true });
});

function strangerUrl(): string {
  const address = stranger.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

function rules(name: string, edit: (text: string) => string): string {
  const to = join(folder, name);
  const from = new URL('../../rules', import.meta.url).pathname;
  cpSync(from, to, { recursive: true });
  const file = join(to, 'stripe.yaml');
  writeFileSync(file, edit(readText(join(from, 'stripe.yaml'))));
  return to;
}

const CATALOG =
  (templateId: string, productId = PRODUCT) =>
  (text: string) =>
    text.replace(
      /^catalog:.*$/m,
      `catalog:\n  price_1: { productId: ${productId}, licenseTemplateId: ${templateId} }`,
    );

function healthy(): Record<string, string> {
  return {
    STRIPE_WEBHOOK_SECRET: 'whsec_a_long_secret_of_a_webhook',
    CRYPTLEX_ACCESS_TOKEN: cryptlex.token,
    CRYPTLEX_WEB_API_BASE_URL: cryptlex.url,
    CRYPTLEX_PRODUCT_ID: PRODUCT,
    RULES_DIR: rules('healthy', CATALOG(TEMPLATE)),
    DATABASE_URL: `sqlite:${join(folder, 'healthy.db')}`,
  };
}

const STRIPE_KEY = ['rk', 'test', '0123456789abcdef'].join('_');

function billing(): Record<string, string> {
  return {
    STRIPE_API_KEY: STRIPE_KEY,
    BILLING_API_TOKEN: 'a long text that nobody guesses'.replaceAll(' ', '-'),
    STRIPE_PRICE_PRO_MONTHLY: 'price_1QxYb2LkdIwHu7ix',
    STRIPE_SUCCESS_URL: 'https://shop.example.com/thanks',
    STRIPE_CANCEL_URL: 'https://shop.example.com/pricing',
  };
}

async function look(
  env: Record<string, string>,
  nodeVersion = '24.21.0',
): Promise<readonly Finding[]> {
  return examine({ env, readFile: readText, nodeVersion });
}

const bad = (findings: readonly Finding[]) =>
  findings.filter(
    ({ verdict, message }) =>
      verdict === 'problem' ||
      // How fast the disk is, is a fact of the machine that the tests run on.
      (verdict === 'warning' && !message.includes('a write is safe after')),
  );

async function type(args: readonly string[], env: Record<string, string>) {
  let out = '';
  let error = '';
  const code = await runCli(['doctor', ...args], {
    env,
    isTty: false,
    writeOut: (text) => {
      out += text;
    },
    writeError: (text) => {
      error += text;
    },
  });
  return { code, out, error };
}

describe('a healthy set-up', () => {
  test('is told to be well, line by line, with exit code 0', async () => {
    const { code, out, error } = await type([], healthy());
    expect(error).toMatch(/^\d+ checks: all is well\n$/);
    expect(code).toBe(0);
    for (const line of [
      /^✓ node: Node /m,
      /^✓ clock: 0\.\d s /m,
      /^✓ token-scopes: the token may do what the rules need: .*license:write/m,
      /^✓ products: 1 of 1 products asked for, all known$/m,
      /^✓ templates: 1 of 1 license templates asked for, all known$/m,
      /^✓ required-metadata: /m,
      /^[✓!] database: SQLite can be written; a write is safe after [\d.]+ ms$/m,
      /^✓ disk-space: /m,
      /^- events: there is no journal yet/m,
    ]) {
      expect(out).toMatch(line);
    }
  });

  test('on PostgreSQL too, and looking changes neither database nor Cryptlex', async () => {
    const url = await postgres.createDatabase();
    const before = JSON.stringify(cryptlex.sandbox.state);
    expect(bad(await look({ ...healthy(), DATABASE_URL: url }))).toEqual([]);
    expect(bad(await look({ ...healthy(), DATABASE_URL: url }))).toEqual([]);
    expect(JSON.stringify(cryptlex.sandbox.state)).toBe(before);
    const database = (await look({ ...healthy(), DATABASE_URL: url })).find(
      ({ check }) => check === 'database',
    );
    expect(database?.message).toMatch(
      /^PostgreSQL can be written; a write is safe after [\d.]+ ms$/,
    );
  });

  test('beside a running server, it tells what the last events were', async () => {
    const file = join(folder, 'running.db');
    const keywright = await startKeywright({ env: { DATABASE_URL: `sqlite:${file}` } });
    try {
      await keywright.sendSample('stripe', 'checkout.session.completed-payment');
      const findings = await look({ ...healthy(), DATABASE_URL: `sqlite:${file}` });
      expect(findings.find(({ check }) => check === 'events')).toMatchObject({
        verdict: 'ok',
        message: expect.stringContaining("Stripe's API version is 20"),
      });
    } finally {
      await keywright.close();
    }
  });

  test('billing links are told with their plans', async () => {
    const findings = await look({ ...healthy(), ...billing() });
    expect(bad(findings)).toEqual([]);
    expect(findings).toContainEqual({
      check: 'billing',
      verdict: 'ok',
      message: 'billing links for pro-monthly',
    });
  });

  test('a token that may not read products is enough', async () => {
    const findings = await look({ ...healthy(), CRYPTLEX_ACCESS_TOKEN: 'token-without-products' });
    expect(bad(findings)).toEqual([]);
    expect(findings.find(({ check }) => check === 'products')?.verdict).toBe('skipped');
  });
});

type Row = readonly [
  what: string,
  spoil: () => Record<string, string>,
  check: string,
  verdict: 'problem' | 'warning',
  remedy: RegExp,
];

const jwt = (exp: number) =>
  ['{"alg":"RS256"}', JSON.stringify({ exp }), 'x']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

const BROKEN: readonly Row[] = [
  [
    'a variable that is none',
    () => ({ PORT: 'many' }),
    'environment',
    'problem',
    /The message says/,
  ],
  [
    'rules that vanished',
    () => ({ RULES_DIR: join(folder, 'none') }),
    'rules',
    'problem',
    /RULES_DIR/,
  ],
  [
    'a rule file cut off in the middle',
    () => ({ RULES_DIR: rules('cut', (text) => `${text.slice(0, 900)}\n  "`) }),
    'rules',
    'problem',
    /keywright check/,
  ],
  [
    'an API key in place of the secret',
    () => ({ STRIPE_WEBHOOK_SECRET: 'sk_live_0123456789abcdef' }),
    'secret STRIPE_WEBHOOK_SECRET',
    'warning',
    /API key is another thing/,
  ],
  [
    'one secret for two providers',
    () => ({ FASTSPRING_WEBHOOK_SECRET: 'whsec_a_long_secret_of_a_webhook' }),
    // The file of the other one is read first.
    'secret STRIPE_WEBHOOK_SECRET',
    'problem',
    /of this very webhook/,
  ],
  [
    'a secret that can be guessed',
    () => ({ FASTSPRING_WEBHOOK_SECRET: 'secret' }),
    'secret FASTSPRING_WEBHOOK_SECRET',
    'warning',
    /16 random characters/,
  ],
  [
    'one key of billing links without the other',
    () => ({ STRIPE_API_KEY: STRIPE_KEY }),
    'billing',
    'warning',
    /Set BILLING_API_TOKEN/,
  ],
  [
    'a signing secret in place of the API key of Stripe',
    () => ({ ...billing(), STRIPE_API_KEY: 'whsec_a_long_secret_of_a_webhook' }),
    'billing-key',
    'warning',
    /restricted key/,
  ],
  [
    'a billing token that can be guessed',
    () => ({ ...billing(), BILLING_API_TOKEN: 'billing' }),
    'billing-token',
    'warning',
    /openssl rand/,
  ],
  [
    'one token for billing links and the admin API',
    () => ({ ...billing(), ADMIN_TOKEN: billing()['BILLING_API_TOKEN'] ?? '' }),
    'billing-token',
    'warning',
    /openssl rand/,
  ],
  [
    'a product in place of a price',
    () => ({ ...billing(), STRIPE_PRICE_PRO_MONTHLY: 'prod_P9Chn7cpUNkzsA' }),
    'billing-price pro-monthly',
    'warning',
    /begins with price_/,
  ],
  [
    'an access token past its time',
    () => ({ CRYPTLEX_ACCESS_TOKEN: jwt(1_700_000_000) }),
    'token-expiry',
    'problem',
    /new token/,
  ],
  [
    'a token that was revoked',
    () => ({ CRYPTLEX_ACCESS_TOKEN: 'token-revoked' }),
    'token',
    'problem',
    /new personal access token/,
  ],
  [
    'a token without a scope',
    () => ({ CRYPTLEX_ACCESS_TOKEN: 'token-without-write' }),
    'token-scopes',
    'problem',
    /parked until then/,
  ],
  [
    'an address where nobody listens',
    () => ({ CRYPTLEX_WEB_API_BASE_URL: 'http://127.0.0.1:1' }),
    'cryptlex',
    'problem',
    /firewall/,
  ],
  [
    'the address of something else',
    () => ({ CRYPTLEX_WEB_API_BASE_URL: strangerUrl() }),
    'cryptlex',
    'problem',
    /api\.eu\.cryptlex\.com/,
  ],
  [
    'a wrong clock',
    () => ({ CRYPTLEX_WEB_API_BASE_URL: strangerUrl() }),
    'clock',
    'problem',
    /NTP/,
  ],
  [
    'a product that is not there',
    () => ({ CRYPTLEX_PRODUCT_ID: 'no-such-product' }),
    'products',
    'problem',
    /Copy the ids/,
  ],
  [
    'a template in the catalog that is not there',
    () => ({ RULES_DIR: rules('template', CATALOG('no-such-template')) }),
    'templates',
    'problem',
    /Copy the ids/,
  ],
  [
    'a journal in memory',
    () => ({ DATABASE_URL: 'memory:' }),
    'database',
    'warning',
    /sqlite:PATH/,
  ],
  [
    'a database that is gone',
    () => ({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }),
    'database',
    'problem',
    /Check DATABASE_URL/,
  ],
  [
    'a journal in place of a folder',
    () => {
      writeFileSync(join(folder, 'a-file'), '');
      return { DATABASE_URL: `sqlite:${join(folder, 'a-file', 'keywright.db')}` };
    },
    'database',
    'problem',
    /right to write/,
  ],
];

describe('a broken set-up', () => {
  test.each(BROKEN)('%s is told with its remedy', async (_what, spoil, check, verdict, remedy) => {
    const findings = await look({ ...healthy(), ...spoil() });
    const found = findings.find((finding) => finding.check === check);
    expect(found).toMatchObject({ verdict });
    expect(found?.remedy).toMatch(remedy);
    // Whatever else follows from it, each finding says what to do.
    expect(bad(findings).filter((finding) => (finding.remedy ?? '') === '')).toEqual([]);
  });

  test('an old Node is told', async () => {
    expect(bad(await look(healthy(), '22.17.9'))).toMatchObject([{ check: 'node' }]);
    expect(bad(await look(healthy(), '22.18.0'))).toEqual([]);
  });

  test('metadata that a template requires and no rule writes is told', async () => {
    const own = await composeSandbox({ port: 0, rateLimit: false });
    own.sandbox.seed({
      licenseTemplates: [{ id: TEMPLATE, requiredMetadataKeys: ['seat_owner'] }],
    });
    const findings = await look({ ...healthy(), CRYPTLEX_WEB_API_BASE_URL: own.url });
    await own.close();
    expect(bad(findings)).toMatchObject([
      { check: 'required-metadata', message: expect.stringContaining('seat_owner') },
    ]);
  });

  test('a role that may not write is told', async () => {
    const url = new URL(await postgres.createDatabase());
    const { default: pg } = await import('pg');
    const admin = new pg.Client({ connectionString: url.href });
    await admin.connect();
    await admin.query(`create role reader login password 'reader'`);
    await admin.end();
    url.username = 'reader';
    url.password = 'reader';
    const findings = await look({ ...healthy(), DATABASE_URL: url.href });
    expect(bad(findings)).toMatchObject([
      { check: 'database', remedy: expect.stringContaining('grant create') },
    ]);
  });

  test.skipIf(userInfo().uid === 0)('a folder without the right to write is told', async () => {
    const locked = join(folder, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    const findings = await look({ ...healthy(), DATABASE_URL: `sqlite:${join(locked, 'k.db')}` });
    expect(bad(findings)).toMatchObject([{ check: 'database' }]);
  });

  test('ends with 1, shows no secret, and is an array for programs', async () => {
    const env = { ...healthy(), STRIPE_WEBHOOK_SECRET: 'sk_live_0123456789abcdef' };
    const { code, out } = await type(['--json'], env);
    expect(code).toBe(1);
    expect(out).not.toContain('0123456789abcdef');
    const findings = JSON.parse(out) as Finding[];
    expect(new Set(findings.flatMap((finding) => Object.keys(finding)))).toEqual(
      new Set(['check', 'verdict', 'message', 'remedy']),
    );
  });

  test('wrong usage ends with 2', async () => {
    await expect(type(['--fast'], healthy())).resolves.toMatchObject({ code: 2 });
  });
});
