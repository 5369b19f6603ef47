// The brake: a wrong rule or a confused provider cannot take everybody's license, one event at a time. Over the whole
// server with real webhooks, on SQLite and on PostgreSQL.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import type { SandboxGiven } from '../../src/sandbox/types.ts';
import { type Keywright, startKeywright, withKeywright } from '../support/keywright.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

const TOKEN = 'admin-token-of-the-brake';
const HEADER =
  'provider: stripe\nmode: any\nunmatched: ignore\nsubject: ["=$first(data.object.subscription, data.object.id)"]\n';
const FIND = '{ metadata: { sub: "=$first(data.object.subscription, data.object.id)" } }';
const stepOf = (action: string, id: string, on: string, find = FIND, more = ''): string =>
  `  - id: ${id}\n    on: ${on}\n${more}    do:\n      - license.${action}: { find: ${find} }\n`;
const RULES = [
  stepOf('suspend', 'cut-off', 'customer.subscription.paused'),
  stepOf('delete', 'gone', 'customer.subscription.deleted'),
  stepOf(
    'resume',
    'paid',
    'invoice.paid',
    FIND,
    '    cancels: { grace: =data.object.subscription }\n',
  ),
  stepOf(
    'suspend',
    'overdue',
    'invoice.payment_failed',
    FIND,
    '    once: =data.object.id\n    after: PT1S\n    timer: { grace: =data.object.subscription }\n',
  ),
  `  - id: swap\n    on: customer.subscription.updated\n    once: =data.object.id\n    do:
      - license.create: { productId: 00000000-0000-4000-8000-00000000beef, metadata: { swapped: =data.object.id } }
      - license.delete: { find: ${FIND} }\n`,
].join('');
/** Suspends 3 and deletes 2 in an hour. */
const rulesWith = (brake: string) => ({ stripe: () => `${HEADER}${brake}rules:\n${RULES}` });
const BRAKED = rulesWith('brake: { suspend: 3/1h, delete: 2/1h }\n');

function licenses(count: number, each = 1): SandboxGiven {
  return {
    licenses: Array.from({ length: count * each }, (_, n) => ({
      metadata: { sub: `s${Math.floor(n / each)}` },
    })),
  } as unknown as SandboxGiven;
}

let count = 0;
function eventOf(type: string, sub: string, createdS = 1_700_000_000): JsonObject {
  count += 1;
  const object = type.startsWith('invoice')
    ? { id: `in_${count}`, subscription: sub }
    : { id: sub };
  const id = `evt_brake${count}`;
  return { id, object: 'event', type, created: createdS, livemode: false, data: { object } };
}

let postgres: TestPostgres;
const folder = mkdtempSync(join(tmpdir(), 'keywright-brake-'));
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});

let databases = 0;
const KINDS: readonly [string, () => Promise<string>][] = [
  [
    'SQLite',
    async () => {
      databases += 1;
      return `sqlite:${join(folder, `${databases}.db`)}`;
    },
  ],
  ['PostgreSQL', () => postgres.createDatabase()],
];

describe.each(KINDS)('the brake on %s', (_kind, newDatabase) => {
  const run = async (
    { given, rules = BRAKED }: { given: SandboxGiven; rules?: typeof BRAKED },
    work: (keywright: Keywright, database: string) => Promise<void>,
  ): Promise<void> => {
    const database = await newDatabase();
    const env = { DATABASE_URL: database, ADMIN_TOKEN: TOKEN };
    await withKeywright({ providers: ['stripe'], rules, given, env }, (keywright) =>
      work(keywright, database),
    );
  };

  test('by its defaults lets 20 deletions of an hour pass, and holds those that follow', () =>
    run({ given: licenses(23), rules: rulesWith('') }, async (keywright) => {
      const statuses: unknown[] = [];
      for (let n = 0; n < 23; n += 1)
        statuses.push(await sent(keywright, eventOf('customer.subscription.deleted', `s${n}`)));
      expect(statuses.filter((status) => status === 'done')).toHaveLength(20);
      expect(statuses.slice(20)).toEqual(['parked', 'parked', 'parked']);
      expect(keywright.sandbox.state.licenses).toHaveLength(3);
    }));

  test('holds what would exceed a limit, says which rule and how many, and lets payments pass', () =>
    run({ given: licenses(5) }, async (keywright) => {
      for (const n of [0, 1, 2])
        expect(await sent(keywright, eventOf('customer.subscription.paused', `s${n}`))).toBe(
          'done',
        );
      const { status, json } = await keywright.send(
        'stripe',
        eventOf('customer.subscription.paused', 's3'),
      );
      expect(status).toBe(200);
      expect(json).toMatchObject({ status: 'parked', rule: 'cut-off' });
      expect(json['reason']).toMatch(
        /would suspend 1 license, 3 were counted before.*suspend: 3\/1h/,
      );
      expect(suspended(keywright)).toBe(3);
      // Another action has a limit of its own, and a payment has none.
      expect(await sent(keywright, eventOf('customer.subscription.deleted', 's4'))).toBe('done');
      for (const n of [0, 1, 2])
        expect(await sent(keywright, eventOf('invoice.paid', `s${n}`, 1_700_000_100))).toBe('done');
      expect(suspended(keywright)).toBe(0);
      const { events } = await admin(keywright, 'GET', '/events?status=parked');
      expect(events).toMatchObject([{ error: 'BRAKE_HELD', rule: 'cut-off' }]);
      expect(
        (await metrics(keywright)).match(/events_held_total{source="stripe"} 1/),
      ).not.toBeNull();
      expect((await metrics(keywright)).match(/backlog_events{status="held"} 1/)).not.toBeNull();
      expect((await metrics(keywright)).match(/backlog_events{status="parked"} 0/)).not.toBeNull();
    }));

  test('holds an event whole, before its first write: one of 4 licenses, one that creates as well', () =>
    run({ given: licenses(2, 4) }, async (keywright) => {
      const before = structuredClone(keywright.sandbox.state.licenses);
      expect(await sent(keywright, eventOf('customer.subscription.paused', 's0'))).toBe('parked');
      expect(await sent(keywright, eventOf('customer.subscription.updated', 's1'))).toBe('parked');
      expect(keywright.sandbox.state.licenses).toEqual(before);
    }));

  test('lets a released event go on, counts it not, and holds it not again', () =>
    run({ given: licenses(5, 1) }, async (keywright) => {
      for (const n of [0, 1, 2])
        await keywright.send('stripe', eventOf('customer.subscription.paused', `s${n}`));
      await keywright.send('stripe', eventOf('customer.subscription.paused', 's3'));
      expect(await admin(keywright, 'POST', '/events/release?since=1h&dryRun=true')).toMatchObject({
        held: [{}],
      });
      expect(suspended(keywright)).toBe(3);
      expect(await admin(keywright, 'POST', '/events/release?since=1h')).toEqual({
        verdict: 'release',
        events: 1,
      });
      await expect.poll(() => suspended(keywright), { timeout: 15_000 }).toBe(4);
      expect(await admin(keywright, 'POST', '/events/release?since=1h')).toEqual({
        verdict: 'release',
        events: 0,
      });
    }));

  test('a dropped event ends as ignored, and no later delivery of it does anything', () =>
    run({ given: licenses(3) }, async (keywright) => {
      for (const n of [0, 1])
        await keywright.send('stripe', eventOf('customer.subscription.deleted', `s${n}`));
      const event = eventOf('customer.subscription.deleted', 's2');
      expect(await sent(keywright, event)).toBe('parked');
      // Nor does the provider's own redelivery release it.
      expect(await sent(keywright, event)).toBe('parked');
      expect(await admin(keywright, 'POST', `/events/release?id=${event['id']}&drop=true`)).toEqual(
        { verdict: 'drop', events: 1 },
      );
      const { json } = await keywright.send('stripe', event);
      expect(json).toMatchObject({
        status: 'ignored',
        reason: expect.stringMatching(/a person dropped it/),
      });
      expect(keywright.sandbox.state.licenses).toHaveLength(1);
    }));

  test('a release refuses to mean everything, and what is no truth', () =>
    run({ given: {} }, async (keywright) => {
      expect(await admin(keywright, 'POST', '/events/release')).toMatchObject({ error: 'USAGE' });
      expect(await admin(keywright, 'POST', '/events/release?since=1h&drop=yes')).toMatchObject({
        error: 'USAGE',
      });
      expect(await admin(keywright, 'POST', '/events/release?id=evt_none')).toMatchObject({
        error: 'EVENT_UNKNOWN',
      });
    }));

  test('a held event steps aside: a later payment is done, and its release does not undo that', () =>
    run({ given: licenses(4) }, async (keywright) => {
      for (const n of [0, 1, 2])
        await keywright.send('stripe', eventOf('customer.subscription.paused', `s${n}`));
      expect(
        await sent(keywright, eventOf('customer.subscription.paused', 's3', 1_700_000_000)),
      ).toBe('parked');
      expect(await sent(keywright, eventOf('invoice.paid', 's3', 1_700_000_060))).toBe('done');
      await admin(keywright, 'POST', '/events/release?since=1h');
      await expect
        .poll(async () => (await admin(keywright, 'GET', '/events?status=parked'))['events'], {
          timeout: 15_000,
        })
        .toEqual([]);
      await expect
        .poll(
          async () =>
            ((await admin(keywright, 'GET', '/events?status=done'))['events'] as unknown[]).length,
          { timeout: 15_000 },
        )
        .toBe(5);
      expect(suspended(keywright)).toBe(3);
    }));

  test('a suspension that a timer makes is held as well, and a payment still cancels it', () =>
    run({ given: licenses(5) }, async (keywright) => {
      for (const n of [0, 1, 2])
        await keywright.send('stripe', eventOf('customer.subscription.paused', `s${n}`));
      const nowS = Math.floor(Date.now() / 1_000);
      for (const n of [3, 4]) {
        await keywright.send('stripe', eventOf('invoice.payment_failed', `s${n}`, nowS));
      }
      const held = async () => (await admin(keywright, 'GET', '/events?status=parked'))['events'];
      await expect.poll(held, { timeout: 30_000 }).toHaveLength(2);
      expect(await sent(keywright, eventOf('invoice.paid', 's3', nowS + 1))).toBe('done');
      expect(
        await admin(keywright, 'POST', '/events/release?type=invoice.payment_failed'),
      ).toMatchObject({ events: 2 });
      await expect.poll(() => suspended(keywright), { timeout: 30_000 }).toBe(4);
      const cancelled = async (): Promise<readonly boolean[]> => {
        const path = '/events?status=done&type=invoice.payment_failed';
        const { events } = await admin(keywright, 'GET', path);
        return (events as JsonObject[]).map(({ reason }) => /cancelled/.test(String(reason)));
      };
      await expect.poll(cancelled, { timeout: 30_000 }).toEqual([false, true]);
    }));

  test('what an event did not do after all counts no more', () =>
    run({ given: licenses(4) }, async (keywright) => {
      let left = 3;
      keywright.sandbox.faults.onCall(({ method }) => {
        if (method !== 'PATCH' || left === 0) return undefined;
        left -= 1;
        return { kind: 'status', status: 400 };
      });
      const refused = [0, 1, 2].map((n) => eventOf('customer.subscription.paused', `s${n}`));
      for (const event of refused) expect((await keywright.send('stripe', event)).status).toBe(400);
      expect(suspended(keywright)).toBe(0);
      for (const n of [0, 1, 2]) {
        expect(await sent(keywright, eventOf('customer.subscription.paused', `s${n}`))).toBe(
          'done',
        );
      }
    }));

  test('a token that works again wakes what it had parked, not what the brake holds', () =>
    run({ given: licenses(4) }, async (keywright, database) => {
      for (const n of [0, 1, 2])
        await keywright.send('stripe', eventOf('customer.subscription.paused', `s${n}`));
      expect(await sent(keywright, eventOf('customer.subscription.paused', 's3'))).toBe('parked');
      const { openJournal } = await import('../../src/journal/open-journal.ts');
      const { parseDatabaseUrl } = await import('../../src/config/config.ts');
      await keywright.server.stop(1_000);
      const url = parseDatabaseUrl(database);
      if (url === undefined) throw new Error('no database');
      const { createSystemClock } = await import('../../src/core/clock.ts');
      const { journal } = await openJournal(url, createSystemClock());
      await journal.wakePutOff(0);
      expect(await journal.take()).toBeUndefined();
      await journal.close();
    }));
});

test('two replicas at once do not both pass the limit', async () => {
  const database = await postgres.createDatabase();
  const env = { DATABASE_URL: database, ADMIN_TOKEN: TOKEN };
  const common = { providers: ['stripe'] as const, rules: BRAKED, given: licenses(12), env };
  const first = await startKeywright(common);
  const url = first.server.config.baseUrl;
  const second = await startKeywright({
    ...common,
    env: {
      ...env,
      CRYPTLEX_WEB_API_BASE_URL: url,
      CRYPTLEX_ACCESS_TOKEN: first.server.config.accessToken.reveal(),
    },
  });
  try {
    const statuses = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        sent(n % 2 === 0 ? first : second, eventOf('customer.subscription.paused', `s${n}`)),
      ),
    );
    await expect
      .poll(async () => (await metrics(first)).match(/backlog_events{status="held"} (\d+)/)?.[1], {
        timeout: 20_000,
      })
      .toBe('9');
    expect(statuses.filter((status) => status === 'done').length).toBeLessThanOrEqual(3);
    expect(suspended(first)).toBe(3);
  } finally {
    await second.close();
    await first.close();
  }
});

async function sent(keywright: Keywright, event: JsonObject): Promise<unknown> {
  return (await keywright.send('stripe', event)).json['status'];
}

function suspended({ sandbox }: Keywright): number {
  return sandbox.state.licenses.filter((license) => license.suspended).length;
}

async function admin({ url }: Keywright, method: string, path: string): Promise<JsonObject> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return (await fetch(`${url}/admin${path}`, { method, headers })).json() as Promise<JsonObject>;
}

async function metrics({ url }: Keywright): Promise<string> {
  // The page holds the backlog for some seconds.
  await new Promise((resolve) => setTimeout(resolve, 50));
  return (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })).text();
}
