// What the pages say, over real HTTP and without a script: search, story, replay, tests; and that nothing which
// comes in an event is ever more than text.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { newSqlite, until } from '../call-budget/support.ts';
import { type Keywright, sampleBody, startKeywright, withKeywright } from '../support/keywright.ts';
import { HOSTILE, hostileEvent } from './hostile.ts';
import { ADMIN_TOKEN, type SignedIn, signedIn } from './signed-in.ts';

const SALE = 'invoice.paid-subscription-create';

let keywright: Keywright;
let user: SignedIn;
let sale: JsonObject;
beforeAll(async () => {
  keywright = await startKeywright({ env: { ADMIN_TOKEN, DATABASE_URL: newSqlite() } });
  user = await signedIn(keywright.url);
  sale = (await keywright.sendSample('stripe', SALE)).json;
  await keywright.sendSample('stripe', 'invoice.created');
  await keywright.sendSample('fastspring', 'order.completed');
  await keywright.send('stripe', hostileEvent(0));
});
afterAll(() => keywright.close());

async function listed(query: string): Promise<string[]> {
  const { status, text } = await user.get(`/console/events?${query}`);
  expect(status).toBe(200);
  return [...text.matchAll(/data-key="([^"]+)"/g)].map(([, key = '']) => key);
}

const storyOf = (id: unknown): Promise<string> =>
  user
    .get(`/console/events/${encodeURIComponent(`stripe:${String(id)}`)}`)
    .then(({ text }) => text);

describe('the search', () => {
  const object = (sampleBody('stripe', SALE)['data'] as { object: JsonObject }).object;
  const parent = object['parent'] as { subscription_details: { subscription: string } };

  test.each([
    ['the id of the event', () => String(sale['eventId'])],
    ['a subscription', () => parent.subscription_details.subscription],
    ['the e-mail address', () => String(object['customer_email'])],
    ['the address in capitals', () => String(object['customer_email']).toUpperCase()],
    ['the license', () => String((sale['licenseIds'] as string[])[0])],
    ['the user', () => String(sale['userId'])],
    ['the type', () => 'invoice.paid'],
  ])('finds an event by %s', async (_, text) => {
    const keys = await listed(String(new URLSearchParams({ q: text() })));
    expect(keys).toContain(`stripe:${String(sale['eventId'])}`);
    expect(keys.filter((key) => key.startsWith('fastspring'))).toEqual([]);
  });

  test.each([
    ['status=ignored', 1],
    ['type=invoice.created', 1],
    ['source=paddle', 0],
    ['since=1h&source=stripe&status=done&type=invoice.paid', 1],
    ['until=2000-01-01', 0],
    ['q=nothing-like-this', 0],
  ])('takes %s, each kind together with the others', async (query, count) => {
    expect(await listed(query)).toHaveLength(count);
  });

  test('keeps what was asked for in its form, and says what cannot be read', async () => {
    const { text } = await user.get('/console/events?q=a%22b&status=nonsense&since=soon');
    expect(text).toContain('value="a&quot;b"');
    expect(text).toContain('There is no status “nonsense”.');
    expect(text).toContain('“From” takes 24h, 7d or a date such as 2026-11-21.');
  });
});

describe('the story of an event', () => {
  test('tells what came, why this rule, each value with its source, each call, and what was made', async () => {
    const text = await storyOf(sale['eventId']);
    const [license] = sale['licenseIds'] as string[];
    for (const told of [
      'Why subscription-started, and not another rule',
      'data.object.billing_reason',
      '=data.object.customer_email',
      '<b>POST</b> /v3/licenses',
      'By the rules that handled it; they still run.',
      String(license),
      'license.create',
    ]) {
      expect(text).toContain(told);
    }
  });

  test('of one that no rule fits says so, with every rule that was asked', async () => {
    const { json } = await keywright.sendSample('stripe', SALE, {
      edit: (body) => Object.assign(body, { id: 'evt_unmatched', type: 'unknown.type' }),
    });
    expect(json['error']).toBe('EVENT_UNMATCHED');
    expect(await storyOf('evt_unmatched')).toContain('Why no rule fits');
  });

  test('that is not known is not found', async () => {
    const { status, text } = await user.get('/console/events/evt_nothing');
    expect([status, text.includes('evt_nothing')]).toEqual([404, true]);
  });

  test('gives the event as a file, and as a test without personal data', async () => {
    const path = `/console/events/stripe%3A${String(sale['eventId'])}`;
    const payload = await user.get(`${path}/payload.json`);
    expect(JSON.parse(payload.text)).toEqual(sampleBody('stripe', SALE));
    expect(payload.headers.get('content-disposition')).toMatch(
      /^attachment; filename="evt_\w+\.json"$/,
    );
    const asTest = await user.get(`${path}/test.yaml`);
    expect(asTest.text).toContain('rule: subscription-started');
    const { object } = sampleBody('stripe', SALE)['data'] as { object: JsonObject };
    expect(asTest.text).not.toContain(String(object['customer_email']));
  });

  test('whose payload was erased still tells how it ended, and is not replayed', () =>
    withKeywright({ providers: ['stripe'], env: { ADMIN_TOKEN } }, async (other) => {
      const { json } = await other.sendSample('stripe', SALE);
      await other.server.archive.erase(Date.now() + 1000);
      const reader = await signedIn(other.url);
      const path = `/console/events/${String(json['eventId'])}`;
      const { status, text } = await reader.get(path);
      expect(status).toBe(200);
      expect(text).toContain('RETENTION_DAYS');
      expect(text).toContain(String((json['licenseIds'] as string[])[0]));
      for (const below of ['/replay', '/payload.json', '/test.yaml']) {
        expect((await reader.get(path + below)).status).toBe(400);
      }
      const replayed = await reader.post(`${path}/replay`, { mode: 'again' });
      expect(replayed.headers.get('location')).toMatch(/\?replay=erased$/);
      // By its address as well, of which only a keyed hash is left.
      const { object } = sampleBody('stripe', SALE)['data'] as { object: JsonObject };
      const q = new URLSearchParams({ q: String(object['customer_email']) });
      expect((await reader.get(`/console/events?${q}`)).text).toContain(String(json['eventId']));
    }));
});

describe('a replay', () => {
  test('shows what it would do, does it when asked, and makes no second license', async () => {
    const path = `/console/events/stripe%3A${String(sale['eventId'])}`;
    const preview = await user.get(`${path}/replay`);
    expect(preview.text).toMatch(/operations? of it (?:is|are) done already and would be skipped/);
    const before = keywright.sandbox.requests.length;
    const { status, headers } = await user.post(`${path}/replay`, { mode: 'again' });
    expect([status, headers.get('location')]).toEqual([303, `${path}?replay=queued`]);
    await until(async () => /Try 2/.test((await user.get(path)).text));
    const methods = keywright.sandbox.requests.slice(before).map(({ method }) => method);
    expect(methods.filter((method) => method !== 'GET')).toEqual([]);
  });

  test.each(['', 'all', 'again;'])('of a mode that is none ("%s") is refused', async (mode) => {
    const path = `/console/events/stripe%3A${String(sale['eventId'])}/replay`;
    expect((await user.post(path, { mode })).status).toBe(400);
  });
});

describe('hostile texts', () => {
  /** As they would have to stand in a page to be more than text. */
  const dangerous = HOSTILE.filter((text) => /[<"]/.test(text));

  test('in every field of an event are only text, on every page', async () => {
    for (const index of HOSTILE.keys()) await keywright.send('stripe', hostileEvent(index));
    const keys = await listed('source=stripe');
    expect(keys.length).toBeGreaterThan(HOSTILE.length);
    const paths = ['/console', '/console/events'];
    for (const [index, { key }] of (await records()).entries()) {
      const path = `/console/events/${encodeURIComponent(key)}`;
      paths.push(index % 5 === 0 ? `${path}/replay` : path);
    }
    for (const path of paths) {
      const { status, text } = await user.get(path);
      expect(status, path).toBe(200);
      for (const hostile of dangerous)
        expect(text.includes(hostile), `${path}: ${hostile}`).toBe(false);
    }
  });

  test('in the search are only text', async () => {
    for (const hostile of HOSTILE) {
      const query = new URLSearchParams({
        q: hostile,
        status: hostile,
        source: hostile,
        type: hostile,
      });
      for (const name of ['since', 'until', 'cursor']) query.set(name, hostile);
      const { status, text } = await user.get(`/console/events?${query}`);
      expect(status).toBe(200);
      if (dangerous.includes(hostile)) expect(text).not.toContain(hostile);
    }
  });

  test('in an address or a header of a file are only text', async () => {
    for (const hostile of HOSTILE) {
      const { status, text } = await user.get(`/console/events/${encodeURIComponent(hostile)}`);
      expect([404, 400, 200]).toContain(status);
      if (dangerous.includes(hostile)) expect(text).not.toContain(hostile);
    }
    const [{ key } = { key: '' }] = (await records()).filter((one) => one.key.includes('<'));
    const { headers } = await user.get(`/console/events/${encodeURIComponent(key)}/payload.json`);
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename="[\w.-]+"$/);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  const records = async () =>
    (await keywright.server.archive.list({ source: 'stripe' }, { limit: 200 })).events;
});

describe('a huge event', () => {
  test('is told by its beginning, and whole as a file', async () => {
    const note = 'x'.repeat(900_000);
    await keywright.sendSample('stripe', 'customer.created', {
      edit: (body) => {
        Object.assign(body, { id: 'evt_huge' });
        Object.assign((body['data'] as { object: JsonObject }).object, { description: note });
      },
    });
    const path = '/console/events/stripe%3Aevt_huge';
    const { text } = await user.get(path);
    expect(text.length).toBeLessThan(200_000);
    expect((await user.get(`${path}/payload.json`)).text).toContain(note);
  });
});

describe('the overview', () => {
  test('counts what came, by outcome and source, and rolls up what fails', async () => {
    const { text } = await user.get('/console');
    expect(text).toMatch(/Last 24 hours: \d+ done, \d+ ignored/);
    expect(text).toContain('No rule fits');
    expect(text).toContain('unknown.type');
    expect(text).toContain('It is an SQLite file.');
  });

  test('says how many customers wait for a license', () =>
    withKeywright({ providers: ['stripe'], env: { ADMIN_TOKEN } }, async (other) => {
      await other.sendSample('stripe', 'invoice.paid-subscription-cycle');
      const reader = await signedIn(other.url);
      const { text } = await reader.get('/console');
      expect(text).toMatch(/Customers waiting<\/span><b>1<\/b>/);
      expect(text).toMatch(/For a license, the first for/);
    }));
});
