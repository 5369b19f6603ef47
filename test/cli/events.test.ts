// keywright events and keywright why, beside a server that is running on the same file.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { calls, monthly, RENEWALS, sampleText, writes } from '../behaviour/support.ts';
import { newSqlite, until } from '../call-budget/support.ts';
import { runCli } from '../resilience/process.ts';
import { type Keywright, PRODUCT_ID, sampleBody, startKeywright } from '../support/keywright.ts';
import { cli } from './support.ts';

const SALE = 'invoice.paid-subscription-create';
const SALE_ID = String(sampleBody('stripe', SALE)['id']);
const REFUSED_ID = 'evt_refused';
const RENEWAL = 'invoice.paid-subscription-cycle';
const RENEWAL_ID = String(sampleBody('stripe', RENEWAL)['id']);
const shipped = readFileSync(new URL('../../rules/stripe.yaml', import.meta.url), 'utf8');

const rulesNow = mkdtempSync(join(tmpdir(), 'keywright-cli-'));
const env = {
  DATABASE_URL: newSqlite(),
  RULES_DIR: rulesNow,
  CRYPTLEX_PRODUCT_ID: PRODUCT_ID,
};
let keywright: Keywright;

beforeAll(async () => {
  writeFileSync(join(rulesNow, 'stripe.yaml'), shipped);
  const { DATABASE_URL } = env;
  const [, , , metadata = {}] = RENEWALS[0] ?? [];
  keywright = await startKeywright({
    ...{ providers: ['stripe'], env: { DATABASE_URL } },
    given: { licenses: [monthly('l1', { ...metadata, stripe_subscription_id: 'sub_other' })] },
  });
  await keywright.sendSample('stripe', SALE);
  await keywright.sendSample('stripe', 'invoice.created');
  await keywright.sendSample('stripe', 'customer.created', {
    edit: (body) => {
      body['id'] = REFUSED_ID;
      ((body['data'] as JsonObject)['object'] as JsonObject)['email'] = 'not an address';
    },
  });
});
afterAll(async () => {
  await keywright.close();
  rmSync(rulesNow, { recursive: true, force: true });
});

async function attemptsAt(id: string): Promise<number> {
  return (await keywright.server.archive.details(`stripe:${id}`))?.attempts.length ?? 0;
}

describe('events list', () => {
  test('shows a line for each event, newest first, and how many there are', async () => {
    const { code, out, err } = await cli(['events', 'list'], env);
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => line.split(/ {2,}/)[1]),
    ).toEqual(['failed', 'ignored', 'done']);
    expect(out).toContain(SALE_ID);
    expect(err).toBe('3 of 3 events\n');
  });

  test.each([
    [['--status', 'done'], [SALE_ID]],
    [['--status', 'failed', '--since', '1h'], [REFUSED_ID]],
    [['--type', 'invoice.paid', '--source', 'stripe'], [SALE_ID]],
    [['--until', '1h'], []],
    [['--subject', 'sub_none'], []],
    [['--limit', '1'], [REFUSED_ID]],
    [['--type', "' or 1=1 --"], []],
  ])('%j as JSON', async (args, ids) => {
    const { code, out } = await cli(['events', 'list', '--json', ...args], env);
    expect(code).toBe(0);
    const { events, ...rest } = JSON.parse(out) as { events: JsonObject[] };
    expect(events.map(({ id }) => id)).toEqual(ids);
    expect(Object.keys(rest)).toEqual(args[0] === '--limit' ? ['cursor'] : []);
    for (const event of events) expect(event).toMatchObject({ provider: 'stripe', attempts: 1 });
  });
});

describe('events show', () => {
  test('gives everything of one event', async () => {
    const { code, out } = await cli(['events', 'show', SALE_ID], env);
    expect(code).toBe(0);
    const shown = JSON.parse(out) as JsonObject;
    expect(shown['payload']).toEqual(sampleBody('stripe', SALE));
    expect(shown).toMatchObject({
      status: 'done',
      operations: [{}, {}],
      attempts: [{ attempt: 1 }],
    });
  });
});

describe('events replay', () => {
  test('without --yes only tells what would be done: nothing is marked, nothing is called', async () => {
    const before = calls(keywright).length;
    const { code, out, err } = await cli(['events', 'replay', '--since', '1d'], env);
    expect(code).toBe(0);
    expect(out).toContain('plan: user.insert, license.create; 2 operations are done already');
    expect(out).toContain(REFUSED_ID);
    expect(err).toBe('3 events would be replayed; add --yes to do it\n');
    const json = await cli(['events', 'replay', '--since', '1d', '--json'], env);
    expect(JSON.parse(json.out)).toEqual({
      wouldReplay: expect.arrayContaining([`stripe:${SALE_ID}`]),
    });
    expect(await keywright.server.archive.count({ status: 'queued' })).toBe(0);
    expect(await attemptsAt(SALE_ID)).toBe(1);
    expect(calls(keywright)).toHaveLength(before);
  });

  test('with --yes marks them, and the running server does the work', async () => {
    const written = writes(keywright).length;
    const { code, out } = await cli(['events', 'replay', SALE_ID, '--yes', '--json'], env);
    expect([code, JSON.parse(out)]).toEqual([0, { queued: 1, refused: [] }]);
    await until(async () => (await attemptsAt(SALE_ID)) === 2);
    expect(writes(keywright)).toHaveLength(written);
    const all = await cli(['events', 'replay', '--status', 'ignored', '--yes'], env);
    expect(all.out).toBe('1 events are queued; the server works on them in their order\n');
  });

  test('shows what it cannot preview, where the rules are gone', async () => {
    const { code, out } = await cli(['events', 'replay', SALE_ID], { ...env, RULES_DIR: tmpdir() });
    expect(code).toBe(0);
    expect(out).toContain('the rules of stripe have errors or are gone');
  });
});

describe('wrong usage ends with 2, and says how it is right', () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['events'], 'list, show, replay or release'],
    [['events', 'toString'], 'list, show, replay or release'],
    [['events', 'lst'], 'list, show, replay or release'],
    [['events', 'list', SALE_ID], 'events show takes an id'],
    [['events', 'list', '--limit', '0'], '1 to 1000'],
    [['events', 'list', '--limit', '1001'], '1 to 1000'],
    [['events', 'list', '--status', 'finished'], 'queued, running'],
    [['events', 'list', '--since', 'yesterday'], '30m, 24h, 7d or a date'],
    [['events', 'list', '--wat'], 'wat'],
    [['events', 'show'], 'one id'],
    [['events', 'show', 'a', 'b'], 'one id'],
    [['events', 'show', 'evt_none'], 'EVENT_UNKNOWN'],
    [['events', 'replay'], 'an id or a filter'],
    [['events', 'replay', '--yes'], 'an id or a filter'],
    [['events', 'replay', 'evt_none', '--yes'], 'EVENT_UNKNOWN'],
    [['events', 'replay', SALE_ID, '--status', 'done', '--yes'], 'not both'],
    [['events', 'replay', SALE_ID, '--force', '--retarget', '--yes'], 'choose one'],
    [['why'], 'one event id'],
    [['why', 'a', 'b'], 'one event id'],
    [['why', 'evt_none'], 'EVENT_UNKNOWN'],
    [['why', SALE_ID, '--force'], 'force'],
  ];
  test.each(cases)('%j', async (args, told) => {
    const { code, out, err } = await cli(args, env);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(told);
    expect(err).toContain('hint:');
  });

  const databases: readonly (readonly [string, Record<string, string>, string])[] = [
    ['a journal in memory', { DATABASE_URL: 'memory:' }, 'GET /admin/events'],
    ['no journal there', { DATABASE_URL: 'sqlite:/nowhere/journal.db' }, 'there is no journal at'],
    ['nonsense', { DATABASE_URL: 'mysql://user:hidden@host/x' }, 'sqlite:PATH or postgres://'],
    ['a blank', { DATABASE_URL: ' ' }, 'ENV_BLANK'],
    ['a file that is not there', { DATABASE_URL_FILE: '/nowhere/url' }, 'ENV_FILE'],
    ['no answer', { DATABASE_URL: 'postgres://user:hidden@127.0.0.1:1/x' }, 'JOURNAL_UNAVAILABLE'],
  ];
  test.each(databases)('DATABASE_URL: %s', async (_, variables, told) => {
    for (const args of [
      ['events', 'list'],
      ['why', 'evt_1'],
    ]) {
      const { code, err } = await cli(args, variables);
      expect(code).toBe(2);
      expect(err).toContain(told);
      expect(err).not.toContain('hidden');
    }
  });

  test('DATABASE_URL may stand in a file', async () => {
    const file = join(rulesNow, 'url.txt');
    writeFileSync(file, `${env.DATABASE_URL}\n`);
    expect((await cli(['events', 'list'], { DATABASE_URL_FILE: file })).err).toContain('events');
  });
});

describe('why', () => {
  test('tells how it stands, each try with its calls, and the rules', async () => {
    const { code, out } = await cli(['why', SALE_ID], env);
    expect(code).toBe(0);
    expect(out).toContain('status: done, rule ');
    expect(out).toMatch(/try 1 at .*: done/);
    expect(out).toMatch(/POST {3}\/v3\/licenses → 20[01]/);
    expect(out).toContain('With the rules as they were when it ran');
    // The same rules are told once.
    expect(out).not.toContain('as they are now');
    expect(out).not.toContain('\u001b');
  });

  test('of a failed event names what was wrong', async () => {
    const { code, out } = await cli(['why', REFUSED_ID], env);
    expect(code).toBe(0);
    expect(out).toContain('status: failed');
    expect(out).toContain('not an address');
  });

  test('shows the rules as they were and as they are, when they were changed in between', async () => {
    const changed = shipped.replace(
      /^rules:\n/m,
      'rules:\n  - id: sales-are-off\n    on: invoice.paid\n    ignore: We sell no more.\n\n',
    );
    const directory = mkdtempSync(join(tmpdir(), 'keywright-cli-'));
    writeFileSync(join(directory, 'stripe.yaml'), changed);
    const then = { ...env, RULES_DIR: directory };
    const { code, out } = await cli(['why', SALE_ID], then);
    expect(code).toBe(0);
    const [before = '', now = ''] = out.split('With the rules as they are now');
    expect(before).toContain('outcome: matched');
    expect(now).toContain('We sell no more.');
    expect(now).toContain('The rule sales-are-off would fit, not the rule subscription-started.');
    expect(now).toContain('license.create would no longer be done.');
    const json = JSON.parse((await cli(['why', SALE_ID, '--json'], then)).out) as JsonObject;
    expect(json['status']).toBe('done');
    expect(json['then']).toMatchObject({ outcome: 'matched' });
    expect(json['now']).toMatchObject({ outcome: 'ignored' });
    expect(json['differences']).toContain('It would be ignored, not matched.');
    rmSync(directory, { recursive: true });
  });

  test('of rules that were changed, but not for this event, shows them once and says so', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'keywright-cli-'));
    writeFileSync(join(directory, 'stripe.yaml'), `# A remark.\n${shipped}`);
    const changed = { ...env, RULES_DIR: directory };
    const { out } = await cli(['why', SALE_ID], changed);
    expect(out).toContain('The rules have changed since; for this event they would do the same.');
    expect(out.match(/^Plan$/gm)).toHaveLength(1);
    expect((await cli(['why', SALE_ID], env)).out).toContain('The rules are still the same.');
    rmSync(directory, { recursive: true });
  });

  test('names each value that would be another', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'keywright-cli-'));
    const rules = shipped.replaceAll('stripe_subscription_id:', 'subscription:');
    writeFileSync(join(directory, 'stripe.yaml'), rules);
    const { out } = await cli(['why', SALE_ID], { ...env, RULES_DIR: directory });
    expect(out).toMatch(
      /license\.create[^\n]*: metadata\.subscription would be sub_\w+, not left out\./,
    );
    rmSync(directory, { recursive: true });
  });

  test.each([
    ['are gone', undefined],
    ['have errors', 'provider: stripe\nrules: nothing\n'],
  ])('tells the story also where the rules of today %s', async (_, text) => {
    const directory = mkdtempSync(join(tmpdir(), 'keywright-cli-'));
    if (text !== undefined) writeFileSync(join(directory, 'stripe.yaml'), text);
    const { code, out } = await cli(['why', SALE_ID], { ...env, RULES_DIR: directory });
    expect(code).toBe(0);
    expect(out).toContain('as they were when it ran');
    expect(out).toContain('have errors or are gone');
    rmSync(directory, { recursive: true });
  });

  test('takes the catalog that stood beside the rules then', async () => {
    const DATABASE_URL = newSqlite();
    const product = '11111111-2222-4333-8444-555555555555';
    const price = sampleText(
      'stripe',
      SALE,
      'data.object.lines.data.0.pricing.price_details.price',
    );
    const own = await startKeywright({
      ...{ providers: ['stripe'], env: { DATABASE_URL } },
      rules: { stripe: (text) => text.replace('catalog: {}', 'catalogFile: prices.csv') },
      files: { 'prices.csv': `key,productId\n${price},${product}\n` },
    });
    await own.sendSample('stripe', SALE);
    const { code, out } = await cli(['why', SALE_ID], { ...env, DATABASE_URL });
    expect(code).toBe(0);
    const [before = '', today = ''] = out.split('as they are now');
    expect(before).toContain(`productId: ${product}`);
    expect(today).toContain(`productId: ${PRODUCT_ID}`);
    await own.close();
  });

  test('of an erased event says so', async () => {
    const DATABASE_URL = newSqlite();
    const own = await startKeywright({ providers: ['stripe'], env: { DATABASE_URL } });
    await own.sendSample('stripe', SALE);
    await own.server.archive.erase(Date.now() + 1);
    const story = await cli(['why', SALE_ID], { ...env, DATABASE_URL });
    expect([story.code, story.out]).toEqual([0, expect.stringContaining('The payload was erased')]);
    const preview = await cli(['events', 'replay', SALE_ID], { ...env, DATABASE_URL });
    expect(preview.out).toContain('cannot be replayed');
    const refused = await cli(['events', 'replay', SALE_ID, '--yes'], { ...env, DATABASE_URL });
    expect([refused.code, refused.err]).toEqual([1, `not replayed, stripe:${SALE_ID}: erased\n`]);
    const shown = await cli(['events', 'show', SALE_ID], { ...env, DATABASE_URL });
    expect(JSON.parse(shown.out)).toMatchObject({ payload: null, plan: null, status: 'done' });
    await own.close();
  });
});

test('as a process of its own, beside the server', async () => {
  await keywright.sendSample('stripe', RENEWAL, {
    edit: (body) => {
      const invoice = (body['data'] as JsonObject)['object'] as JsonObject;
      const parent = invoice['parent'] as JsonObject;
      (parent['subscription_details'] as JsonObject)['subscription'] = 'sub_other';
    },
  });
  const done = writes(keywright).length;
  const force = ['events', 'replay', RENEWAL_ID, '--force', '--yes'];
  expect(await runCli(force, env)).toMatchObject({ code: 0, stderr: '' });
  await until(async () => (await attemptsAt(RENEWAL_ID)) === 2);
  expect(writes(keywright).slice(done)).toEqual(['POST /v3/licenses/l1/renew']);
  const list = await runCli(['events', 'list', '--type', 'invoice.paid', '--json'], env);
  expect((JSON.parse(list.stdout) as { events: unknown[] }).events).toHaveLength(2);
  expect(await runCli(['why', 'evt_none'], env)).toMatchObject({ code: 2, stdout: '' });
});
