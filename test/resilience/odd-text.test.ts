// Texts that a database cannot keep as they are: U+0000, half characters, ids of 48 kB. The provider signed them, so
// the events are real: they end, and none of them holds up another. On both databases.

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { type Keywright, sampleBody, withKeywright } from '../support/keywright.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

const ADMIN_TOKEN = 'an-admin-token-for-tests';
const SLOTS = 256;
const directory = mkdtempSync(join(tmpdir(), 'keywright-odd-'));
let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
});

interface Database {
  readonly url: string;
  /** Runs statements beside the server. */
  run(statements: string): Promise<unknown>;
  /** Statements by which each end of an attempt that is not `failed` is refused. */
  readonly refuse: string;
  readonly allow: string;
}

async function sqliteFile(): Promise<Database> {
  const path = join(mkdtempSync(join(directory, 'sqlite-')), 'journal.db');
  return {
    url: `sqlite:${path}`,
    run: async (statements) => {
      const beside = new DatabaseSync(path, { timeout: 5_000 });
      beside.exec(statements);
      beside.close();
    },
    refuse: `create trigger refuse before insert on attempts when new.status <> 'failed'
      begin select raise(abort, 'refused'); end`,
    allow: 'drop trigger refuse',
  };
}

async function postgresDatabase(): Promise<Database> {
  const url = await postgres.createDatabase();
  return {
    url,
    run: async (statements) => {
      const beside = new pg.Client({ connectionString: url });
      await beside.connect();
      await beside.query(statements);
      await beside.end();
    },
    refuse: refuseWith('P0001'),
    allow: 'drop trigger refuse on attempts',
  };
}

const refuseWith = (code: string): string => `
  create or replace function refuse() returns trigger language plpgsql as
    $$ begin raise exception 'refused' using errcode = '${code}'; end $$;
  create trigger refuse before insert on attempts for each row
    when (new.status <> 'failed') execute function refuse()`;

const DATABASES = [
  ['SQLite', sqliteFile],
  ['PostgreSQL', postgresDatabase],
] as const;

/** An order of its own; `edit` makes it odd. */
function order(id: string, edit: (data: JsonObject, item: JsonObject) => void = () => undefined) {
  const body = sampleBody('fastspring', 'order.completed-quantity');
  const [event] = body['events'] as JsonObject[];
  const data = event?.['data'] as JsonObject;
  const [item] = data['items'] as JsonObject[];
  if (event === undefined || item === undefined) throw new Error('the sample has changed');
  Object.assign(event, { id, created: Date.now() });
  Object.assign(data, { id: `order_${id}`, order: `order_${id}` });
  Object.assign(item, { quantity: 1, subscription: `sub_${id}` });
  edit(data, item);
  return body;
}

const ofOrder = (id: string) => (data: JsonObject) => Object.assign(data, { id, order: id });

async function get({ url }: Keywright, path: string): Promise<JsonObject> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  return (await (await fetch(`${url}${path}`, { headers })).json()) as JsonObject;
}

async function eventsOf(keywright: Keywright, filter: Record<string, string>) {
  const answer = await get(keywright, `/admin/events?${new URLSearchParams(filter)}`);
  return answer['events'] as JsonObject[];
}

/** 48 kB that no compression makes short. */
const LONG = Array.from({ length: 750 }, (_, place) =>
  createHash('sha256').update(`${place}`).digest('hex'),
).join('');

const ODD = [
  ['U+0000', 'a\u0000b'],
  ['half a character', 'a\ud800b'],
] as const;

describe.each(DATABASES)('on %s', (_, make) => {
  const withServer = async (work: (keywright: Keywright, database: Database) => Promise<void>) => {
    const database = await make();
    const env = { DATABASE_URL: database.url, ADMIN_TOKEN, WEBHOOK_DEADLINE_MS: '20000' };
    await withKeywright({ providers: ['fastspring'], env }, (one) => work(one, database));
  };

  test('as many orders with U+0000 in a product path as there are slots fail, and stop nobody', () =>
    withServer(async (keywright) => {
      const orders = Array.from({ length: SLOTS }, (_unused, place) =>
        order(`odd_${place}`, (_data, item) =>
          Object.assign(item, { product: 'a\u0000b', attributes: {} }),
        ),
      );
      const answers = await Promise.all(orders.map((body) => keywright.send('fastspring', body)));
      expect([...new Set(answers.map(({ status }) => status))]).toEqual([400]);
      const good = await keywright.send('fastspring', order('good'));
      expect([good.status, good.json['status']]).toEqual([200, 'done']);
      expect(await eventsOf(keywright, { status: 'running' })).toEqual([]);
      expect(await eventsOf(keywright, { status: 'failed', limit: '1000' })).toHaveLength(SLOTS);
      expect((await get(keywright, '/readyz'))['concerns']).toEqual([]);
    }));

  test.each([...ODD, ['48 kB', LONG]] as const)(
    'a sale whose id holds %s is licensed once, and found by that id',
    (_name, id) =>
      withServer(async (keywright) => {
        const sent = [
          await keywright.send('fastspring', order('first', ofOrder(id))),
          await keywright.send('fastspring', order('first', ofOrder(id))),
          await keywright.send('fastspring', order('twin', ofOrder(id))),
        ];
        expect(sent.map(({ status, json }) => [status, json['status']])).toEqual(
          sent.map(() => [200, 'done']),
        );
        expect(sent[1]?.json['duplicate']).toBe(true);
        expect(keywright.sandbox.state.licenses).toHaveLength(1);
        await keywright.send('fastspring', order('other'));
        if (id.length < 4_000) {
          const found = await eventsOf(keywright, { subject: id });
          expect(found.map((event) => event['id'])).toEqual(['twin', 'first']);
        }
        const event = await get(keywright, '/admin/events/first');
        const subjects = event['subjects'] as string[];
        const subject = subjects.find((one) => !one.includes('sub_')) ?? '';
        expect(subject.length).toBeLessThan(1_200);
        const byShown = await eventsOf(keywright, { subject });
        expect(byShown.map((one) => one['id'])).toEqual(['twin', 'first']);
      }),
  );

  test('an end that cannot be written is a concern of /readyz, until it can', () =>
    withServer(async (keywright, database) => {
      await database.run(database.refuse);
      const sent = keywright.send('fastspring', order('held'));
      const codes = async () => {
        const { concerns } = await get(keywright, '/readyz');
        return (concerns as JsonObject[]).map(({ code }) => code);
      };
      await expect.poll(codes).toEqual(['EVENTS_NOT_SETTLED']);
      await database.run(database.allow);
      expect((await sent).json['status']).toBe('done');
      expect(await codes()).toEqual([]);
    }));
});

describe.each(['22021', '54000'])('what PostgreSQL refuses with error %s', (code) => {
  test('fails with a short reason, and goes on when it is replayed', async () => {
    const database = await postgresDatabase();
    const env = { DATABASE_URL: database.url, ADMIN_TOKEN };
    await withKeywright({ providers: ['fastspring'], env }, async (keywright) => {
      await database.run(refuseWith(code));
      const answer = await keywright.send('fastspring', order('odd'));
      expect([answer.status, answer.json['error']]).toEqual([400, 'JOURNAL_REFUSES_TEXT']);
      await database.run(database.allow);
      const again = await keywright.send('fastspring', order('odd'));
      expect([again.status, again.json['status']]).toEqual([200, 'done']);
      expect(keywright.sandbox.state.licenses).toHaveLength(1);
    });
  });
});
