// "Save as test": an event of a real journal becomes a rule test that passes as it stands, and holds
// nothing that is personal.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scrub } from '../../src/authoring/rule-tests/anonymize.ts';
import type { JsonObject, JsonValue } from '../../src/core/model.ts';
import { PROVIDERS, type Provider } from '../../src/core/providers.ts';
import { type Keywright, sampleBody, startKeywright } from '../support/keywright.ts';
import { cli } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'keywright-as-test-'));
const env = { DATABASE_URL: `sqlite:${join(folder, 'journal.db')}` };
let keywright: Keywright;

beforeAll(async () => {
  keywright = await startKeywright({ env });
});
afterAll(async () => {
  await keywright.close();
  rmSync(folder, { recursive: true, force: true });
});

const ALL = PROVIDERS.flatMap((provider) =>
  readdirSync(new URL(`../../samples/${provider}`, import.meta.url)).map(
    (name) => [provider, name.replace(/\.json$/, '')] as const,
  ),
);

/** One for each way in which an event may end, and each kind of plan. */
const SAVED: readonly (readonly [Provider, string])[] = [
  ['stripe', 'checkout.session.completed-payment'],
  ['stripe', 'checkout.session.completed-setup'],
  ['stripe', 'customer.created'],
  ['stripe', 'invoice.paid-no-subscription'],
  ['stripe', 'invoice.paid-subscription-cycle'],
  ['stripe', 'charge.refunded'],
  ['fastspring', 'order.completed-addon-later'],
  ['fastspring', 'order.completed-mixed-cart'],
  ['fastspring', 'order.completed-two-of-one-product'],
  ['fastspring', 'subscription.payment.overdue'],
  ['fastspring', 'subscription.deactivated'],
  ['paddle', 'customer.updated'],
  ['paddle', 'subscription.paused'],
  ['paddle', 'transaction.completed-subscription-update'],
  ['paddle', 'transaction.completed-web-shuffled'],
];

function idOf(provider: Provider, body: JsonObject): string {
  if (provider === 'paddle') return String(body['event_id']);
  const [event] = provider === 'fastspring' ? (body['events'] as JsonObject[]) : [body];
  return String(event?.['id']);
}

/** The texts of members that always belong to a person, wherever they stand. */
function personalTexts(value: JsonValue): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(personalTexts);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const isPersonal =
      /email$|phone$|^first$|^last$|company|cardholder|customer_name|ipAddress|^city$|^postal|^line\d|^addressLine|address line|_url$/i;
    const own =
      typeof member === 'string' && isPersonal.test(name) && member !== '' ? [member] : [];
    return [...own, ...personalTexts(member)];
  });
}

describe('an event of the journal as a rule test', () => {
  test.each(SAVED)(
    '%s %s passes as it stands, without what is personal',
    async (provider, name) => {
      const body = sampleBody(provider, name);
      await keywright.sendSample(provider, name);
      const { code, out } = await cli(['events', 'show', idOf(provider, body), '--as-test'], env);
      expect(code).toBe(0);

      const file = join(folder, 'saved.yaml');
      writeFileSync(file, out);
      const run = await cli(['test', file]);
      expect(run.out + run.err).toBe('1 case passed.\n');
    },
  );

  test('why gives the same', async () => {
    await keywright.sendSample('stripe', 'customer.created');
    const id = idOf('stripe', sampleBody('stripe', 'customer.created'));
    const why = await cli(['why', id, '--as-test'], env);
    expect(why).toEqual(await cli(['events', 'show', id, '--as-test'], env));
    expect(why.out).toContain('rule: customer-created');
  });

  test('fails when the rules do something else by then', async () => {
    const id = idOf('paddle', sampleBody('paddle', 'subscription.paused'));
    await keywright.sendSample('paddle', 'subscription.paused');
    const { out } = await cli(['why', id, '--as-test'], env);
    const file = join(folder, 'paused.yaml');
    writeFileSync(file, out.replace('suspended: true', 'suspended: false'));
    const run = await cli(['test', file]);
    expect(run.code).toBe(1);
    expect(run.out).toContain('licenses[0].suspended');
  });

  test('names the rule file of a further source', async () => {
    const shipped = readFileSync('rules/paddle.yaml', 'utf8');
    const text = shipped.replace('provider: paddle', 'provider: paddle\nsecret: PADDLE_EU_SECRET');
    const rules = join(folder, 'rules');
    mkdirSync(join(rules, 'tests'), { recursive: true });
    writeFileSync(join(rules, 'paddle-eu.yaml'), text);
    const own = await startKeywright({
      providers: [],
      files: { 'paddle-eu.yaml': text },
      env: { DATABASE_URL: `sqlite:${join(folder, 'eu.db')}`, PADDLE_EU_SECRET: 'secret of eu' },
    });
    await own.sendSample('paddle', 'subscription.paused', {
      path: '/webhooks/paddle-eu',
      secret: 'secret of eu',
    });
    await own.close();
    const id = idOf('paddle', sampleBody('paddle', 'subscription.paused'));
    const { out } = await cli(['why', id, '--as-test'], {
      DATABASE_URL: `sqlite:${join(folder, 'eu.db')}`,
      RULES_DIR: rules,
    });
    expect(out).toContain('rules: ../paddle-eu.yaml');
    writeFileSync(join(rules, 'tests/eu.yaml'), out);
    expect((await cli(['test', join(rules, 'tests/eu.yaml')])).out).toBe('1 case passed.\n');
  });

  test('tells that the payload was erased', async () => {
    const own = await startKeywright({ env: { DATABASE_URL: `sqlite:${join(folder, 'own.db')}` } });
    await own.sendSample('stripe', 'customer.created');
    await own.server.archive.erase(Date.now() + 1);
    await own.close();
    const id = idOf('stripe', sampleBody('stripe', 'customer.created'));
    const { code, err } = await cli(['why', id, '--as-test'], {
      DATABASE_URL: `sqlite:${join(folder, 'own.db')}`,
    });
    expect(code).toBe(2);
    expect(err).toContain('was erased');
  });
});

describe('what is personal', () => {
  test.each(ALL)('%s %s holds none of it any more', (provider, name) => {
    const body = sampleBody(provider, name);
    const scrubbed = JSON.stringify(scrub(body));
    const personal = personalTexts(body).filter((text) => text.length > 2);
    expect(personal.filter((text) => scrubbed.includes(JSON.stringify(text).slice(1, -1)))).toEqual(
      [],
    );
    const ids = /"(?:id|type|status|subscription|customer_id)":"[^"]*"/g;
    expect(scrubbed.match(ids)).toEqual(JSON.stringify(body).match(ids));
  });

  test.each<[string, JsonObject, JsonObject]>([
    [
      'an e-mail address becomes the same placeholder however it is written',
      { a: 'Ann@Example.org', b: { c: 'write to ann@example.org!' }, d: 'ben@example.org' },
      {
        a: 'person-1@example.com',
        b: { c: 'write to person-1@example.com!' },
        d: 'person-2@example.com',
      },
    ],
    [
      'a name is replaced where it stands again',
      { customer: { first: 'Zoë', last: 'Łukasik' }, text: 'For Zoë Łukasik, with thanks' },
      { customer: { first: 'First 1', last: 'Last 1' }, text: 'For First 1 Last 1, with thanks' },
    ],
    [
      'a state of an address is personal, that of a subscription is not',
      { state: 'overdue', address: { city: 'Lagos', state: 'Lagos', country: 'NG' } },
      { state: 'overdue', address: { city: 'City 1', state: 'City 1', country: 'NG' } },
    ],
    [
      'a product keeps its name, a person does not',
      { product: { name: 'Northlight Pro' }, billing_details: { name: 'Ann Smith' } },
      { product: { name: 'Northlight Pro' }, billing_details: { name: 'Name 1' } },
    ],
    [
      'somebody who is called like a word of the provider changes no word',
      { customer: { first: 'active' }, status: 'active', type: 'active' },
      { customer: { first: 'First 1' }, status: 'active', type: 'active' },
    ],
    [
      'addresses of machines, links and license keys',
      { ipAddress: '203.0.113.7', url: 'https://pay.example.org/x?token=1', license: 'ABC-DEF' },
      { ipAddress: '192.0.2.1', url: 'https://example.com/1', license: 'License key 1' },
    ],
    [
      'ids, numbers and empty texts stay',
      { id: 'sub_1', amount: 1200, first: '', last: null, list: ['cus_1'] },
      { id: 'sub_1', amount: 1200, first: '', last: null, list: ['cus_1'] },
    ],
  ])('%s', (_name, event, wanted) => {
    const before = structuredClone(event);
    expect(scrub(event)).toEqual(wanted);
    expect(event).toEqual(before);
  });
});
