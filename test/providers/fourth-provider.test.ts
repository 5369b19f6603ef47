// A fourth provider is three places: a row of the table, a verifier, its rules with their samples. Adds one to a
// copy of the project and goes through every tool with it; nothing else of the copy is touched but generated files.

import { spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const COPIED = ['src', 'rules', 'schema', 'samples', 'scenarios', 'scripts', 'package.json'];
const PRODUCT = '7c1d0f8e-2f5a-4a55-9a3e-0b7f3a3a9b10';
const SECRET = 'acme-secret';
const ADMIN_TOKEN = 'a-token-of-more-than-sixteen-characters';

const ROW = `
  acme: {
    title: 'Acme',
    signatureHeader: 'acme-signature',
    signature: { kind: 'plain', encoding: 'hex' },
    members: ['ref', 'kind', 'at', 'data'],
    idMember: 'ref',
    typeMember: 'kind',
    timeMember: 'at',
    timeUnit: 'milliseconds',
    liveMember: undefined,
    batchMember: undefined,
    objectPath: ['data'],
    owns: (body) => typeof body['kind'] === 'string' && typeof body['ref'] === 'string',
    isCustomerId: (text) => /^(?:acme|sale)_/.test(text),
    dates: { seconds: undefined, milliseconds: true, days: false },
    expands: false,
    json: 'compact',
    saleSample: 'sale.paid',
  },
`;

const VERIFIER = `// Acme verifier. Takes the raw request, returns a VerifiedDelivery of one event or throws.

import { parseEventBody } from '../event-body.ts';
import { hmacSha256, sameDigest } from '../hmac.ts';
import { eventsOf } from '../read-events.ts';
import { requiredHeader } from '../signature-header.ts';
import { signatureMismatch } from '../signature-mismatch.ts';
import { verifiedDelivery } from '../verified-delivery.ts';
import type { Verifier, VerifierSettings } from '../verifier.ts';

export function createVerifier({ secrets }: VerifierSettings): Verifier {
  return {
    async verify({ signature, rawBody, receivedAtMs }, source) {
      const given = requiredHeader(signature, 'acme');
      const digests = secrets.map((secret) => hmacSha256(secret, [rawBody], 'hex'));
      if (!digests.some((digest) => sameDigest(digest, given))) throw signatureMismatch(secrets);
      const events = eventsOf('acme', parseEventBody(rawBody), { source, receivedAtMs });
      return verifiedDelivery({ source, provider: 'acme', receivedAtMs, events });
    },
  };
}
`;

const RULES = `provider: acme
subject: =data.sale
catalog: { pro: { productId: ${PRODUCT}, subscriptionInterval: P1Y } }
rules:
  - id: sale-paid
    on: sale.paid
    once: =data.sale
    do:
      - user.insert: { email: =data.email }
        as: user
      - license.create:
          from: =$catalog(data.product)
          userId: =$user.id
          metadata: { acme_sale: =data.sale }
`;

const SALE = JSON.stringify({
  ref: 'acme_1',
  kind: 'sale.paid',
  at: 1_796_000_000_000,
  data: { sale: 'sale_1', email: 'ann@example.com', product: 'pro' },
});

const FILES: Readonly<Record<string, string>> = {
  'src/verifiers/providers/acme.ts': VERIFIER,
  'rules/acme.yaml': RULES,
  'samples/acme/sale.paid.json': SALE,
  'scenarios/acme/sale.yaml':
    'provider: acme\ndescription: One sale.\nsteps:\n  - sample: acme/sale.paid\n',
  'rules/tests/acme.yaml': `rules: ../acme.yaml
cases:
  - name: a paid sale makes a license
    event: { sample: acme/sale.paid }
    expect: { rule: sale-paid, status: done, licenseCount: 1 }
`,
};

let folder = '';
const started: { kill(signal: 'SIGKILL'): unknown }[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keywright-acme-'));
  for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const table = join(folder, 'src/core/providers.ts');
  const end = '} as const satisfies Record<string, ProviderFacts>;';
  const text = readFileSync(table, 'utf8');
  expect(text).toContain(end);
  writeFileSync(table, text.replace(end, `${ROW}${end}`));
  for (const [name, content] of Object.entries(FILES)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  for (const script of ['generate-schema', 'generate-tests-schema', 'generate-shapes']) {
    node(`scripts/${script}.ts`);
  }
});

afterAll(() => {
  for (const process_ of started) process_.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const ENV = {
  ...process.env,
  ACME_WEBHOOK_SECRET: SECRET,
  DATABASE_URL: 'sqlite:acme.db',
  CRYPTLEX_ACCESS_TOKEN: 'sandbox-token',
  ADMIN_TOKEN,
  // The answer to the webhook is the outcome, also on a slow machine.
  WEBHOOK_DEADLINE_MS: '30000',
  HOST: '127.0.0.1',
  PORT: '0',
};

function node(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args], {
    cwd: folder,
    env: ENV,
    encoding: 'utf8',
  });
  expect(`${status} ${stderr}${stdout}`).toMatch(/^0 /);
  return stdout;
}

const cli = (...args: readonly string[]): string => node('src/cli.ts', ...args);

/** Starts a command that serves; gives the address that it prints. */
async function serve(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['src/cli.ts', ...args], {
    cwd: folder,
    env: { ...ENV, ...env },
  });
  started.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk);
    });
  }
  while (true) {
    const address = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
    if (address !== undefined) return address;
    if (child.exitCode !== null) throw new Error(output);
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  }
}

test('check, dry-run, test and simulate take it', () => {
  cli('check', 'rules/acme.yaml');
  const [shown] = JSON.parse(
    cli('dry-run', '--provider', 'acme', 'samples/acme/sale.paid.json', '--json'),
  );
  expect(shown).toMatchObject({ outcome: 'matched', rule: { id: 'sale-paid' }, errors: [] });
  expect(cli('test', 'rules/tests/acme.yaml')).toContain('1 case passed');
  expect(cli('simulate', '--list', 'acme')).toContain('One sale.');
});

test('a server verifies, licenses, explains and finds its events', async () => {
  const cryptlex = await serve(['sandbox', '--port', '0'], {});
  const url = await serve(['serve'], { CRYPTLEX_WEB_API_BASE_URL: cryptlex });
  const send = (signature: string) =>
    fetch(`${url}/v1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'acme-signature': signature },
      body: SALE,
    });
  expect((await send('0'.repeat(64))).status).toBe(400);
  const signature = createHmac('sha256', SECRET).update(SALE).digest('hex');
  const response = await send(signature);
  expect(await response.json()).toMatchObject({ status: 'done', rule: 'sale-paid' });
  expect(cli('events', 'show', 'acme_1')).toContain('sale-paid');
  expect(cli('why', 'acme_1')).toContain('rule sale-paid');
  const simulated = cli('simulate', 'acme', 'sale', '--to', url);
  expect(simulated).toMatch(/done/);
  const signIn = await fetch(`${url}/console/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: url },
    body: new URLSearchParams({ token: ADMIN_TOKEN }),
  });
  const cookie = signIn.headers.get('set-cookie')?.split(';')[0] ?? '';
  const found = await fetch(`${url}/console/events?q=sale_1`, { headers: { cookie } });
  expect(await found.text()).toContain('acme_1');
});
