// Clocks of days, and servers that are not there when they run out. A real process that is killed with
// kill -9; and in virtual time a server that is away for a day, with what came in since, and three replicas
// that all see the same clock run out. Suspended once, or not at all where somebody paid in time.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { composeServer } from '../../src/app/server.ts';
import type { ServerHandle } from '../../src/app/server-options.ts';
import type { Clock, JsonObject } from '../../src/core/model.ts';
import { Secret } from '../../src/core/secret.ts';
import { openArchive } from '../../src/journal/open-journal.ts';
import { composeSandbox } from '../../src/sandbox/compose-sandbox.ts';
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { signDelivery } from '../../src/verifiers/sign.ts';
import { postgresTraffic } from '../exactly-once/postgres-traffic.ts';
import { QuietClock } from '../exactly-once/quiet-clock.ts';
import { startServerProcess } from '../resilience/process.ts';
import { dunningRules } from '../support/dunning-rules.ts';
import { SECRETS, sampleBody } from '../support/keywright.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

const DAY_MS = 86_400_000;
const GRACE_MS = 7 * DAY_MS;
const directory = mkdtempSync(join(tmpdir(), 'keywright-clocks-'));
const rulesDir = dunningRules();
afterAll(() => {
  for (const path of [directory, rulesDir]) rmSync(path, { recursive: true, force: true });
});

const LICENSE = {
  metadata: { paddle_subscription_id: 'sub_1' },
  subscriptionInterval: 'P1M',
  expiresAt: '2026-12-01T00:00:00Z',
};

function pastDue(atMs: number, id = 'evt_failed'): JsonObject {
  const event = sampleBody('paddle', 'subscription.past_due');
  event['event_id'] = id;
  event['occurred_at'] = new Date(atMs).toISOString();
  (event['data'] as JsonObject)['id'] = 'sub_1';
  return event;
}

function payment(atMs: number): JsonObject {
  const event = sampleBody('paddle', 'transaction.completed-subscription-recurring');
  event['event_id'] = 'evt_paid';
  event['occurred_at'] = new Date(atMs).toISOString();
  (event['data'] as JsonObject)['subscription_id'] = 'sub_1';
  return event;
}

const suspensions = ({ requests }: Sandbox): number =>
  requests.filter(
    ({ method, body }) => method === 'PATCH' && (body as JsonObject)?.['suspended'] === true,
  ).length;

test('a clock survives kill -9, and runs out on time for the server that comes after', async () => {
  const cryptlex = await composeSandbox({ port: 0, rateLimit: false });
  cryptlex.sandbox.seed({ licenses: [LICENSE] });
  const env = {
    DATABASE_URL: `sqlite:${join(directory, 'killed.db')}`,
    RULES_DIR: rulesDir,
  };
  try {
    const first = await startServerProcess(cryptlex, env);
    // Two clocks: one that runs out while nobody is there, one that is stopped before.
    // Long enough for a slow machine to kill the server before the first one is over.
    const failedAtMs = Date.now() - GRACE_MS + 6_000;
    const failed = JSON.stringify(pastDue(failedAtMs));
    expect(await first.send('paddle', failed)).toBe(200);
    await first.end('SIGKILL');
    expect(suspensions(cryptlex.sandbox)).toBe(0);
    const { archive, close } = await openArchive(env);
    try {
      expect((await archive.details('paddle:evt_failed'))?.record.status).toBe('waiting');
      await expect.poll(() => Date.now() > failedAtMs + GRACE_MS).toBe(true);
      const second = await startServerProcess(cryptlex, env);
      const status = async () => (await archive.details('paddle:evt_failed'))?.record.status;
      await expect.poll(status).toBe('done');
      expect(suspensions(cryptlex.sandbox)).toBe(1);
      expect(cryptlex.sandbox.state.licenses[0]?.suspended).toBe(true);
      // Told again, it is done; nothing happens a second time.
      expect(await second.send('paddle', failed)).toBe(200);
      await second.end('SIGKILL');
      const third = await startServerProcess(cryptlex, env);
      expect(await third.send('paddle', failed)).toBe(200);
      expect(await third.end('SIGTERM')).toBe(0);
      expect(suspensions(cryptlex.sandbox)).toBe(1);
    } finally {
      await close();
    }
  } finally {
    await cryptlex.close();
  }
});

interface Stage {
  readonly clock: QuietClock;
  readonly sandbox: Sandbox;
  start(): Promise<ServerHandle>;
}

function stageOn(databaseUrl: string, clock: QuietClock): Stage {
  const sandbox = createSandbox({ clock, rateLimit: false, token: 'sandbox-token' });
  sandbox.seed({ licenses: [LICENSE] });
  return {
    clock,
    sandbox,
    start: async () => {
      const composition = await composeServer({
        env: {
          PADDLE_WEBHOOK_SECRET: SECRETS.paddle,
          CRYPTLEX_ACCESS_TOKEN: 'sandbox-token',
          CRYPTLEX_WEB_API_BASE_URL: 'http://cryptlex.invalid',
          CRYPTLEX_RATE_LIMIT: '10000/1s',
          DATABASE_URL: databaseUrl,
          RULES_DIR: rulesDir,
          LOG_FORMAT: 'json',
        },
        readFile: (path) => readFileSync(path, 'utf8'),
        writeLog: () => undefined,
        stdoutIsTty: false,
        clock,
        databaseClock: clock,
        fetch: (request) => sandbox.fetch(request),
      });
      if (composition.kind === 'refused') throw new Error(composition.problems.join('\n'));
      return composition.server;
    },
  };
}

/** Gives the status that the answer tells. */
async function send(
  { app }: Pick<ServerHandle, 'app'>,
  event: JsonObject,
  clock: Clock,
): Promise<unknown> {
  const bytes = new TextEncoder().encode(JSON.stringify(event));
  const timestampSeconds = Math.floor(clock.nowMs() / 1000);
  const secret = new Secret(SECRETS.paddle);
  const { header, value } = signDelivery('paddle', bytes, { secret, timestampSeconds });
  const headers = { 'content-type': 'application/json', [header]: value };
  const answer = await app.request('/v1', { method: 'POST', headers, body: bytes });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as JsonObject)['status'];
}

const START_MS = Date.UTC(2026, 10, 30, 12);
/** Told late, so that the clock runs out an hour after the start. */
const FAILED_MS = START_MS + 3_600_000 - GRACE_MS;

describe('a server that is away for a day, while the clock runs out', () => {
  for (const [name, paidAfterMs, suspended] of [
    ['with no payment suspends at its start', undefined, 1],
    [
      'leaves the license alone when the payment of the last second lies there',
      GRACE_MS - 1_000,
      0,
    ],
    ['does so, too, when it was paid in the very moment', GRACE_MS, 0],
    ['suspends and resumes when it was paid a second too late', GRACE_MS + 1_000, 1],
    ['does not hold a payment of before the failure for one of after it', -1_000, 1],
  ] as const) {
    test(name, async () => {
      const clock = new QuietClock(START_MS);
      const path = join(directory, `${paidAfterMs ?? 'unpaid'}.db`);
      const { sandbox, start } = stageOn(`sqlite:${path}`, clock);
      const license = () => sandbox.state.licenses[0];
      await clock.run(
        (async () => {
          const first = await start();
          first.start();
          expect(await send(first, pastDue(FAILED_MS), clock)).toBe('waiting');
          await clock.sleep(60_000);
          await first.abandon();
          await clock.sleep(DAY_MS);
          const second = await start();
          // What came in since lies in the journal before anything is worked on.
          if (paidAfterMs !== undefined) {
            const paid = send(second, payment(FAILED_MS + paidAfterMs), clock);
            await clock.sleep(1_000);
            second.start();
            expect(await paid).toMatch(/done|queued/);
          } else second.start();
          await clock.sleep(60_000);
          await second.stop();
        })(),
      );
      expect(suspensions(sandbox)).toBe(suspended);
      const isPaid = paidAfterMs !== undefined && paidAfterMs >= 0;
      expect(license()?.suspended).toBe(!isPaid);
    });
  }

  test('tries on for days when Cryptlex is away at that moment, as with any other event', async () => {
    const clock = new QuietClock(START_MS);
    const { sandbox, start } = stageOn(`sqlite:${join(directory, 'away.db')}`, clock);
    let isAway = true;
    sandbox.faults.onCall(() => (isAway ? { kind: 'status', status: 503 } : undefined));
    await clock.run(
      (async () => {
        const server = await start();
        server.start();
        expect(await send(server, pastDue(FAILED_MS), clock)).toBe('waiting');
        await clock.sleep(2 * 3_600_000);
        expect(suspensions(sandbox)).toBe(0);
        isAway = false;
        await clock.sleep(1_800_000);
        await server.stop();
      })(),
    );
    expect(sandbox.state.licenses[0]?.suspended).toBe(true);
  });
});

describe('three replicas', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  for (const [name, paidAfterMs, suspended] of [
    ['carry out what a clock waited for once', undefined, 1],
    ['let the payment win that comes one second before', GRACE_MS - 1_000, 0],
    ['suspend, and resume by the payment that comes one second after', GRACE_MS + 1_000, 1],
  ] as const) {
    test(name, async () => {
      const clock = new QuietClock(START_MS, postgresTraffic);
      const { sandbox, start } = stageOn(await postgres.createDatabase(), clock);
      await clock.run(
        (async () => {
          const replicas = [await start(), await start(), await start()] as const;
          for (const replica of replicas) replica.start();
          const failedMs = START_MS + 60_000 - GRACE_MS;
          expect(await send(replicas[0], pastDue(failedMs), clock)).toBe('waiting');
          const again = pastDue(failedMs + 5_000, 'evt_again');
          expect(await send(replicas[1], again, clock)).toBe('done');
          await clock.sleep(failedMs + (paidAfterMs ?? GRACE_MS) - clock.nowMs());
          if (paidAfterMs !== undefined) await send(replicas[2], payment(clock.nowMs()), clock);
          await clock.sleep(20_000);
          for (const replica of replicas) await replica.stop(1_000);
        })(),
      );
      expect(suspensions(sandbox)).toBe(suspended);
      expect(sandbox.state.licenses[0]?.suspended).toBe(paidAfterMs === undefined);
    });
  }
});
