// The admin API over real HTTP, in front of the whole server.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { calls, monthly, RENEWALS, writes } from '../behaviour/support.ts';
import { newSqlite, until } from '../call-budget/support.ts';
import {
  type Keywright,
  SECRETS,
  sampleBody,
  startKeywright,
  withKeywright,
} from '../support/keywright.ts';

const TOKEN = 'admin-token-of-the-test';
const ENV = { ADMIN_TOKEN: TOKEN };
const SALE = 'invoice.paid-subscription-create';
const RENEWAL = 'invoice.paid-subscription-cycle';

let keywright: Keywright;
let texts = '';
beforeAll(async () => {
  keywright = await startKeywright({ env: { ...ENV, DATABASE_URL: newSqlite() } });
  await keywright.sendSample('stripe', SALE);
  await keywright.sendSample('stripe', 'customer.created');
  await keywright.sendSample('stripe', 'invoice.created');
  await keywright.sendSample('fastspring', 'order.completed');
  await keywright.sendSample('paddle', 'subscription.paused');
});
afterAll(() => keywright.close());

interface AdminAnswer {
  readonly status: number;
  readonly json: JsonObject;
}

async function ask(path: string, init: RequestInit = {}): Promise<AdminAnswer> {
  const headers = { authorization: `Bearer ${TOKEN}`, ...init.headers };
  const response = await fetch(`${keywright.url}/admin${path}`, { ...init, headers });
  const text = await response.text();
  texts += text;
  expect(response.headers.get('content-type')).toContain('application/json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  return { status: response.status, json: JSON.parse(text) as JsonObject };
}
const post = (path: string, body?: string | Uint8Array<ArrayBuffer>) =>
  ask(path, { method: 'POST', body: body ?? null });
const dryRun = (body: unknown) => post('/dry-run', JSON.stringify(body));

async function ids(query: string): Promise<string[]> {
  const { status, json } = await ask(`/events?${query}`);
  expect(status).toBe(200);
  return (json['events'] as JsonObject[]).map((event) => String(event['type']));
}

describe('the token', () => {
  const paths = ['/events', '/events/evt_1', '/nothing'];
  test.each([
    ['is missing', undefined],
    ['is empty', 'Bearer '],
    ['is another one', `Bearer ${TOKEN.replaceAll('t', 'x')}`],
    ['is shorter', `Bearer ${TOKEN.slice(0, -1)}`],
    ['is longer', `Bearer ${TOKEN}x`],
    ['has another scheme', `Basic ${TOKEN}`],
    ['comes without scheme', TOKEN],
    ['has letters beyond ASCII', 'Bearer t\u00f6ken'],
  ])('that %s gets 401', async (_, authorization) => {
    for (const path of paths) {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      const response = await fetch(`${keywright.url}/admin${path}`, { headers });
      expect(response.status).toBe(401);
      expect(await response.text()).not.toContain(TOKEN);
    }
  });

  test('that is right reaches the address, or learns that there is none', async () => {
    expect((await ask('/events')).status).toBe(200);
    expect(await ask('/nothing')).toMatchObject({ status: 404, json: { error: 'PATH_UNKNOWN' } });
    expect((await ask('/events', { method: 'DELETE' })).status).toBe(404);
  });

  test('without ADMIN_TOKEN there is nothing at these addresses, whatever is sent', () =>
    withKeywright({ providers: ['stripe'] }, async ({ url }) => {
      for (const path of ['/admin/events', '/admin/dry-run', '/admin']) {
        const headers = { authorization: `Bearer ${TOKEN}` };
        expect((await fetch(`${url}${path}`, { headers })).status).toBe(404);
        expect((await fetch(`${url}${path}`, { method: 'POST', headers, body: '{}' })).status).toBe(
          404,
        );
      }
    }));
});

describe('the list', () => {
  test.each([
    [
      '',
      [
        'subscription.paused',
        'order.completed',
        'invoice.created',
        'customer.created',
        'invoice.paid',
      ],
    ],
    ['status=done', ['order.completed', 'customer.created', 'invoice.paid']],
    ['status=waiting', ['subscription.paused']],
    ['source=stripe&status=done', ['customer.created', 'invoice.paid']],
    ['type=invoice.paid', ['invoice.paid']],
    ['subject=sub_114uSCN0rTh7LghtB3w7AGHU', ['invoice.created', 'invoice.paid']],
    ['since=1h&type=invoice.paid', ['invoice.paid']],
    ['until=1h', []],
    ['since=2000-01-01&until=2001-01-01', []],
    ['limit=1', ['subscription.paused']],
    [
      'status=&source=&type=&subject=&since=&until=&limit=&cursor=&source=',
      [
        'subscription.paused',
        'order.completed',
        'invoice.created',
        'customer.created',
        'invoice.paid',
      ],
    ],
    [`type=${encodeURIComponent("' or 1=1 --")}`, []],
    ['subject=%25', []],
    ['source=%00', []],
  ])('%s', async (query, types) => {
    expect(await ids(query)).toEqual(types);
  });

  test('goes on where a page ended', async () => {
    const seen: unknown[] = [];
    let cursor: unknown = '';
    for (let pages = 0; cursor !== null && pages < 10; pages += 1) {
      const { json } = await ask(`/events?limit=2&cursor=${String(cursor)}`);
      seen.push(...(json['events'] as JsonObject[]).map((event) => event['id']));
      cursor = json['cursor'];
    }
    expect(seen).toHaveLength(5);
    expect(new Set(seen).size).toBe(5);
  });

  test.each([
    'status=finished',
    'limit=0',
    'limit=1001',
    'limit=1.5',
    'limit=x',
    'since=yesterday',
    'until=24',
    'cursor=abc',
    'cursor=-1',
    'cursor=99999999999999999999',
  ])('%s is refused with a reason', async (query) => {
    const { status, json } = await ask(`/events?${query}`);
    expect(status).toBe(400);
    expect(json['error']).toBe('USAGE');
    expect(json['message']).toContain(query.split('=')[0]);
  });

  test('leaves payloads out', async () => {
    const { json } = await ask('/events');
    for (const event of json['events'] as JsonObject[]) expect(event['payload']).toBeUndefined();
  });
});

describe('one event', () => {
  test('is told whole', async () => {
    const { id } = sampleBody('stripe', SALE);
    const { status, json } = await ask(`/events/${id}`);
    expect(status).toBe(200);
    expect(json).toMatchObject({ id, status: 'done', provider: 'stripe', source: 'stripe' });
    expect(json['payload']).toEqual(sampleBody('stripe', SALE));
    expect(json['trace']).toContainEqual(
      expect.objectContaining({ rule: 'subscription-started', matched: true }),
    );
    expect((json['plan'] as unknown[]).length).toBeGreaterThan(1);
    expect((json['operations'] as JsonObject[]).map(({ state }) => state)).toEqual([
      'done',
      'done',
    ]);
    const [attempt] = json['attempts'] as JsonObject[];
    expect(JSON.stringify(attempt)).toContain('"method":"POST","path":"/v3/licenses"');
  });

  test.each([
    'evt_none',
    'a%2Fb',
    '..%2F..%2Fetc%2Fpasswd',
    '%25',
    '%00',
    '%zz',
    '%F0%9F%98%80',
    "'%20or%201=1%20--",
    'x'.repeat(5_000),
  ])('that nobody knows is a 404: %s', async (id) => {
    for (const answer of [await ask(`/events/${id}`), await post(`/events/${id}/replay`)]) {
      expect(answer.status).toBe(404);
      expect(answer.json['error']).toBe('EVENT_UNKNOWN');
      expect(String(answer.json['message']).length).toBeLessThan(600);
    }
  });

  test('is asked for by its id as it is, slashes and percent signs too', async () => {
    const id = 'evt/with%2Fall #?';
    const { json } = await ask(`/events/${encodeURIComponent(id)}`);
    expect(json['message']).toContain(`: ${id}.`);
  });

  test('whose id two providers have is asked for by its key', async () => {
    const give = (name: string) => (body: JsonObject) =>
      Object.assign(body, { [name]: 'evt_both' });
    await keywright.sendSample('stripe', 'invoice.created', { edit: give('id') });
    await keywright.sendSample('paddle', 'subscription.paused', { edit: give('event_id') });
    const several = await post('/events/evt_both/replay');
    expect(several.status).toBe(400);
    expect(several.json['message']).toContain('paddle:evt_both');
    expect((await ask('/events/paddle:evt_both')).json).toMatchObject({ provider: 'paddle' });
  });
});

describe('a replay', () => {
  test('as a dry run tells what would be done; it calls nothing and changes nothing', async () => {
    const { id } = sampleBody('stripe', SALE);
    const before = (await ask(`/events/${id}`)).json;
    const called = calls(keywright).length;
    const { status, json } = await post(`/events/${id}/replay?dryRun=true`);
    expect(status).toBe(200);
    expect(json['events']).toMatchObject([{ event: { id }, outcome: 'matched' }]);
    expect(calls(keywright)).toHaveLength(called);
    expect((await ask(`/events/${id}`)).json).toEqual(before);
  });

  test.each(['dryRun=1', 'dryRun=TRUE', 'dryRun', 'mode=all', 'dryRun=true&mode=no'])(
    'that may have been meant otherwise is refused: %s',
    async (query) => {
      const { id } = sampleBody('stripe', SALE);
      expect((await post(`/events/${id}/replay?${query}`)).status).toBe(400);
      expect((await ask(`/events/${id}`)).json['attempts']).toHaveLength(1);
    },
  );

  test('is queued and worked on; a done event calls nothing that writes', async () => {
    const { id } = sampleBody('stripe', SALE);
    const written = writes(keywright).length;
    expect(await post(`/events/${id}/replay`)).toEqual({ status: 200, json: { status: 'queued' } });
    await until(
      async () => ((await ask(`/events/${id}`)).json['attempts'] as unknown[]).length === 2,
    );
    expect((await ask(`/events/${id}`)).json['status']).toBe('done');
    expect(writes(keywright)).toHaveLength(written);
  });

  test('of an event in work, or of one without its payload, is told as such', async () => {
    const [, , , metadata = {}] = RENEWALS[0] ?? [];
    const given = { licenses: [monthly('l1', metadata)] };
    const own = await startKeywright({ providers: ['stripe'], given, env: ENV });
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    own.sandbox.faults.onCall(async () => {
      await held;
      return undefined;
    });
    const headers = { authorization: `Bearer ${TOKEN}` };
    const url = `${own.url}/admin/events/${String(sampleBody('stripe', RENEWAL)['id'])}/replay`;
    const sent = own.sendSample('stripe', RENEWAL);
    await until(async () => (await own.server.archive.count({ status: 'running' })) === 1);
    const running = await fetch(url, { method: 'POST', headers });
    expect([running.status, await running.json()]).toEqual([409, { status: 'running' }]);
    go();
    await sent;
    await own.server.archive.erase(Date.now() + 1);
    for (const query of ['', '?dryRun=true']) {
      const erased = await fetch(url + query, { method: 'POST', headers });
      expect([erased.status, await erased.json()]).toEqual([409, { status: 'erased' }]);
    }
    await own.close();
  });
});

describe('a dry run', () => {
  test('with the rules that run is what the command says, and calls nothing', async () => {
    const called = calls(keywright).length;
    const event = sampleBody('stripe', SALE);
    const { status, json } = await dryRun({ provider: 'stripe', event });
    expect(status).toBe(200);
    expect(json).toMatchObject([{ event: { id: event['id'] }, outcome: 'matched', errors: [] }]);
    expect(json).not.toHaveProperty('0.refused');
    expect(calls(keywright)).toHaveLength(called);
  });

  test('takes a FastSpring batch', async () => {
    const event = sampleBody('fastspring', 'batch-two-orders');
    expect((await dryRun({ provider: 'fastspring', event })).json).toHaveLength(2);
  });

  test('with rules that are sent along takes those', async () => {
    const rules =
      'provider: stripe\nunmatched: ignore\nsubject: =data.object.id\nrules:\n  - id: none\n    on: invoice.paid\n    ignore: No sale.\n';
    const { json } = await dryRun({ provider: 'stripe', event: sampleBody('stripe', SALE), rules });
    expect(json).toMatchObject([{ outcome: 'ignored', reason: 'No sale.' }]);
  });

  test('with rules that are wrong tells every finding with its place', async () => {
    const rules =
      'provider: stripe\nrules:\n  - id: a\n    on: x\n    do:\n      - license.creat: {}\n';
    const event = sampleBody('stripe', SALE);
    const { status, json } = await dryRun({ provider: 'stripe', event, rules });
    expect(status).toBe(400);
    expect(json['message']).toMatch(/stripe\.yaml:6:\d+: .*license\.creat/);
  });

  test('of rules that ask for a secret of the server shows none', async () => {
    const rules =
      'provider: stripe\nenv: [CRYPTLEX_ACCESS_TOKEN]\nsubject: =data.object.id\nrules:\n  - id: a\n    on: invoice.paid\n    do:\n      - user.insert: { email: =$env.CRYPTLEX_ACCESS_TOKEN }\n';
    const { status } = await dryRun({
      provider: 'stripe',
      event: sampleBody('stripe', SALE),
      rules,
    });
    expect([200, 400]).toContain(status);
  });

  test.each([
    ['nothing', ''],
    ['no JSON', 'provider=stripe'],
    ['JSON that breaks off', '{"provider":"stripe"'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"x"'],
    ['no event', '{"provider":"stripe"}'],
    ['no provider', '{"event":{}}'],
    ['a provider that is none', '{"provider":"toString","event":{}}'],
    ['an event that is none', '{"provider":"stripe","event":1}'],
    ['an empty event', '{"provider":"stripe","event":{}}'],
    ['rules that are no text', '{"provider":"stripe","event":{},"rules":1}'],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x00])],
  ])('of %s is refused with a reason', async (_, body) => {
    const { status, json } = await post('/dry-run', body);
    expect(status).toBe(400);
    expect(json).toEqual({ error: expect.any(String), message: expect.any(String) });
  });

  test('that is too large is refused while it is read', async () => {
    const chunk = new Uint8Array(1024 * 1024).fill(0x20);
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1;
        if (pulled > 64) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const response = await keywright.server.app.request('/admin/dry-run', {
      ...{ method: 'POST', headers: { authorization: `Bearer ${TOKEN}` }, body },
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(pulled).toBeLessThan(10);
    const largest = `${' '.repeat(4 * 1024 * 1024 - 2)}{}`;
    expect((await post('/dry-run', largest)).status).toBe(400);
    expect((await post('/dry-run', `${largest} `)).status).toBe(413);
  });
});

test('no answer of all these held a secret', () => {
  for (const secret of [...Object.values(SECRETS), TOKEN, 'sandbox-token']) {
    expect(texts.includes(secret)).toBe(false);
  }
  expect(texts.length).toBeGreaterThan(10_000);
});
