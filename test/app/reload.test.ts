// Rules are replaced while the server runs: whole, and only by good ones. What is broken on disk never runs,
// and everybody who looks is told.

import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { runCli } from '../resilience/process.ts';
import { type Keywright, sampleBody, withKeywright } from '../support/keywright.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-reload-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const STRIPE = { providers: ['stripe'], rulesSettleMs: 20 } as const;

/** Rules that give each new customer this first name; a catalog makes it come from another file. */
function rulesNaming(name: string, header = ''): string {
  return `provider: stripe
${header}
subject: =data.object.id
let:
  name: ${name}
rules:
  - id: customer-created
    on: customer.created
    do:
      - user.upsert: { email: =data.object.email, firstName: =$name }
`;
}

function write(keywright: Keywright, text: string, name = 'stripe.yaml'): void {
  writeFileSync(join(keywright.rulesDir, name), text);
}

let customers = 0;

/** Sends a new customer; gives the name that the rules gave it, or the failed answer. */
async function customerNow(keywright: Keywright, how = {}): Promise<string> {
  customers += 1;
  const email = `c${customers}@example.com`;
  const body = sampleBody('stripe', 'customer.created');
  body['id'] = `evt_${customers}`;
  const object = (body['data'] as JsonObject)['object'] as JsonObject;
  Object.assign(object, { id: `cus_${customers}`, email });
  const answer = await keywright.send('stripe', body, how);
  const user = keywright.sandbox.state.users.find((each) => each.email === email);
  return user?.firstName ?? answer.text;
}

async function readiness(keywright: Keywright): Promise<{ status: number; body: JsonObject }> {
  const response = await fetch(`${keywright.url}/readyz`);
  return { status: response.status, body: (await response.json()) as JsonObject };
}

const codesOf = (body: JsonObject) => (body['concerns'] as JsonObject[]).map(({ code }) => code);

describe('rules that change while the server runs', () => {
  test('are taken, and each event carries the version that handled it', () =>
    withKeywright({ ...STRIPE, rules: { stripe: () => rulesNaming('Old') } }, async (keywright) => {
      expect(await customerNow(keywright)).toBe('Old');
      write(keywright, rulesNaming('New'));
      expect(await keywright.server.reloadRules()).toMatchObject({ isCurrent: true, problems: [] });
      expect(await customerNow(keywright)).toBe('New');
      const { events } = await keywright.server.archive.list({}, { limit: 2 });
      const texts = await Promise.all(
        events.map(({ rulesHash }) => keywright.server.archive.findRules(rulesHash ?? '')),
      );
      expect(texts.map((kept) => /name: (\w+)/.exec(kept?.text ?? '')?.[1])).toEqual([
        'New',
        'Old',
      ]);
    }));

  test('are noticed without being asked for', () =>
    withKeywright({ ...STRIPE, rules: { stripe: () => rulesNaming('Old') } }, async (keywright) => {
      write(keywright, rulesNaming('New'));
      await expect.poll(() => customerNow(keywright)).toBe('New');
    }));

  test('may come with a catalog, a path and a source that were not there', () =>
    withKeywright(
      { ...STRIPE, env: { STRIPE_EU_WEBHOOK_SECRET: 'whsec_eu_secret_for_tests' } },
      async (keywright) => {
        const how = { path: '/hooks/eu', secret: 'whsec_eu_secret_for_tests' };
        expect(await customerNow(keywright, how)).toContain('PATH_UNKNOWN');
        const header = 'secret: STRIPE_EU_WEBHOOK_SECRET\npath: /hooks/eu\ncatalogFile: eu.csv';
        write(keywright, 'key,productId\na,b\n', 'eu.csv');
        write(keywright, rulesNaming('=$catalog("a").productId', header), 'stripe-eu.yaml');
        await keywright.server.reloadRules();
        expect(await customerNow(keywright, how)).toBe('b');
        write(keywright, 'key,productId\na,c\n', 'eu.csv');
        await keywright.server.reloadRules();
        expect(await customerNow(keywright, how)).toBe('c');
      },
    ));
});

describe('rules on disk that cannot run', () => {
  const good = rulesNaming('Good');
  const BROKEN: readonly (readonly [string, string, (keywright: Keywright) => void])[] = [
    ['half a file', 'YAML_SYNTAX', (k) => write(k, good.slice(0, good.indexOf('firstName') + 3))],
    ['an empty file', 'RULE_WRONG_TYPE', (k) => write(k, '')],
    ['a typo', 'RULE_UNKNOWN_FIELD', (k) => write(k, good.replace('firstName', 'fristName'))],
    ['a variable that is not set', 'ENV_MISSING', (k) => write(k, `env: [SHOP_NAME]\n${good}`)],
    ['a file that is gone', 'RULES_UNREADABLE', (k) => unlinkSync(join(k.rulesDir, 'stripe.yaml'))],
    [
      'a catalog that is gone',
      'RULES_UNREADABLE',
      (k) => write(k, `catalogFile: gone.csv\n${good}`),
    ],
    [
      'a further source without its file',
      'RULES_UNREADABLE',
      (k) => unlinkSync(join(k.rulesDir, 'stripe-eu.yaml')),
    ],
    [
      'a directory that vanished',
      'RULES_UNREADABLE',
      (k) => {
        renameSync(k.rulesDir, `${k.rulesDir}-away`);
      },
    ],
  ];

  test.each(BROKEN)('%s: the last good ones go on, and it is told', (_name, code, breakThem) =>
    withKeywright(
      {
        ...STRIPE,
        rules: { stripe: () => good },
        files: { 'stripe-eu.yaml': rulesNaming('Eu', 'secret: STRIPE_EU_WEBHOOK_SECRET') },
        env: { STRIPE_EU_WEBHOOK_SECRET: 'whsec_eu_secret_for_tests' },
      },
      async (keywright) => {
        breakThem(keywright);
        const state = await keywright.server.reloadRules();
        expect(state).toMatchObject({ isCurrent: false });
        expect(state.problems.join('\n')).toContain(`[${code}]`);
        expect(await customerNow(keywright)).toBe('Good');
        const { status, body } = await readiness(keywright);
        expect({ status, codes: codesOf(body) }).toEqual({
          status: 200,
          codes: ['RULES_NOT_CURRENT'],
        });
        const lines = keywright.log.map((line) => JSON.parse(line) as JsonObject);
        expect(lines.filter(({ level }) => level === 'error')).toMatchObject([
          { code: 'RULES_NOT_CURRENT', problems: state.problems },
        ]);
        expect(await keywright.server.archive.notices()).toMatchObject([
          { text: expect.stringContaining('NOT what runs') },
        ]);

        rmSync(`${keywright.rulesDir}-away`, { recursive: true, force: true });
      },
    ),
  );

  test('are forgotten as soon as they are repaired', () =>
    withKeywright({ ...STRIPE, rules: { stripe: () => good } }, async (keywright) => {
      write(keywright, good.replace('firstName', 'fristName'));
      await keywright.server.reloadRules();
      write(keywright, rulesNaming('Better'));
      await keywright.server.reloadRules();
      expect(await customerNow(keywright)).toBe('Better');
      expect(codesOf((await readiness(keywright)).body)).toEqual([]);
      await expect.poll(() => keywright.server.archive.notices()).toEqual([]);
    }));

  test('show no secret that was pasted into them, nor their text, to whoever asks', () =>
    withKeywright({ ...STRIPE, rules: { stripe: () => good } }, async (keywright) => {
      write(keywright, `secret: whsec_pasted_by_mistake\n${good}`);
      await keywright.server.reloadRules();
      const { body } = await readiness(keywright);
      expect(codesOf(body)).toEqual(['RULES_NOT_CURRENT']);
      expect(JSON.stringify(body) + keywright.log.join('')).not.toContain('pasted_by_mistake');
    }));

  test('are told by `keywright events list`, beside the server', () => {
    const env = { DATABASE_URL: `sqlite:${join(directory, 'journal.db')}` };
    return withKeywright({ ...STRIPE, env, rules: { stripe: () => good } }, async (keywright) => {
      expect((await runCli(['events', 'list'], env)).stderr).not.toContain('WARNING');
      write(keywright, good.replace('firstName', 'fristName'));
      await keywright.server.reloadRules();
      const { code, stderr, stdout } = await runCli(['events', 'list', '--json'], env);
      expect(stderr).toMatch(
        /^WARNING: the rules on disk are NOT what runs; .*stripe\.yaml:\d+:\d+: error: .*fristName/,
      );
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ events: [] });
    });
  });
});
