// An older copy of the journal is put back, and the provider sends again what was sold since the copy was made:
// nobody gets a second license. Real processes, real files, a real PostgreSQL.

import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { composeSandbox, type ServedSandbox } from '../../src/sandbox/compose-sandbox.ts';
import { sampleBody } from '../support/keywright.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { type ServerProcess, startServerProcess } from './process.ts';

const SALES = 20;
/** Servers start one after the other, each a process of its own. */
const TIME_MS = 240_000;

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

/** A sale of just now. */
function sale(place: number): string {
  const body = sampleBody('stripe', 'checkout.session.completed-payment');
  body['id'] = `evt_sale_${place}`;
  body['created'] = Math.floor(Date.now() / 1000);
  const object = (body['data'] as JsonObject)['object'] as JsonObject;
  object['id'] = `cs_test_${place}`;
  object['payment_intent'] = `pi_${place}`;
  (object['customer_details'] as JsonObject)['email'] = `buyer${place}@example.com`;
  return JSON.stringify(body);
}

const SOLD = () => Array.from({ length: SALES }, (_, place) => sale(place));
/** The same facts under new event ids; their time is that of the sale. */
const twinOf = (body: string) => body.replace(/"id":"(evt_sale_\d+)"/, '"id":"$1_twin"');

async function send(server: ServerProcess, bodies: readonly string[]): Promise<void> {
  for (const body of bodies) expect(await server.send('stripe', body)).toBe(200);
}

interface Copied {
  readonly env: Record<string, string>;
  /** Keeps the journal as it is now; no server runs. */
  keep(): Promise<void>;
  /** Puts the kept one in the place of the present one. */
  putBack(): Promise<void>;
  remove(): Promise<void>;
}

async function sqliteFile(): Promise<Copied> {
  const directory = mkdtempSync(join(tmpdir(), 'keywright-restored-'));
  const file = join(directory, 'journal.db');
  const kept = join(directory, 'kept.db');
  return {
    env: { DATABASE_URL: `sqlite:${file}` },
    keep: async () => copyFileSync(file, kept),
    putBack: async () => {
      for (const part of ['', '-wal', '-shm']) rmSync(`${file}${part}`, { force: true });
      copyFileSync(kept, file);
    },
    remove: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

async function postgresDatabase(): Promise<Copied> {
  const url = await postgres.createDatabase();
  const name = new URL(url).pathname.slice(1);
  const kept = `${name}_kept`;
  const admin = new pg.Client({ connectionString: url.replace(`/${name}`, '/postgres') });
  await admin.connect();
  const cutOff = async (): Promise<void> => {
    await admin.query(`alter database ${name} allow_connections false`);
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      name,
    ]);
  };
  return {
    env: { DATABASE_URL: url },
    keep: async () => {
      await cutOff();
      await admin.query(`create database ${kept} template ${name}`);
      await admin.query(`alter database ${name} allow_connections true`);
    },
    putBack: async () => {
      await cutOff();
      await admin.query(`alter database ${name} rename to ${name}_lost`);
      await admin.query(`alter database ${kept} rename to ${name}`);
    },
    remove: () => admin.end(),
  };
}

async function withServers(
  make: () => Promise<Copied>,
  work: (copied: Copied, cryptlex: ServedSandbox, start: () => Promise<ServerProcess>) => unknown,
): Promise<void> {
  const copied = await make();
  const cryptlex = await composeSandbox({ port: 0, rateLimit: false });
  const running: ServerProcess[] = [];
  try {
    await work(copied, cryptlex, async () => {
      const server = await startServerProcess(cryptlex, copied.env);
      running.push(server);
      return server;
    });
  } finally {
    for (const server of running) await server.end('SIGKILL').catch(() => undefined);
    await copied.remove();
    await cryptlex.close();
  }
}

test.each([
  ['SQLite', sqliteFile],
  ['PostgreSQL', postgresDatabase],
])(
  `an older journal put back on %s makes no second license of ${SALES} sales sent again, nor of their twins`,
  (_, make) =>
    withServers(make, async (copied, cryptlex, start) => {
      const first = await start();
      await send(first, [sale(99)]);
      await first.end('SIGTERM');
      await copied.keep();

      const second = await start();
      const sold = SOLD();
      await send(second, sold);
      expect(await second.end('SIGTERM')).toBe(0);
      expect(cryptlex.sandbox.state.licenses).toHaveLength(SALES + 1);
      await copied.putBack();

      const half = SALES / 2;
      await send(await start(), [...sold.slice(0, half), ...sold.map(twinOf), ...sold.slice(half)]);
      expect(cryptlex.sandbox.state.licenses).toHaveLength(SALES + 1);
    }),
  TIME_MS,
);

test(
  'an older PostgreSQL put back under replicas that run makes no second license, whichever gets it',
  () =>
    withServers(postgresDatabase, async (copied, cryptlex, start) => {
      const busy = await start();
      const idle = await start();
      await send(busy, [sale(99)]);
      await copied.keep();
      const sold = SOLD();
      await expect.poll(() => busy.send('stripe', sale(98)), { timeout: 10_000 }).toBe(200);
      await send(busy, sold);
      // So long an idle replica takes at most to look at the journal.
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      await copied.putBack();

      const open = new Set(sold);
      const servers = [idle, busy];
      while (open.size > 0) {
        for (const [place, body] of [...open].entries()) {
          if ((await servers[place % 2]?.send('stripe', body)) === 200) open.delete(body);
        }
      }
      expect(cryptlex.sandbox.state.licenses).toHaveLength(SALES + 2);
    }),
  TIME_MS,
);
