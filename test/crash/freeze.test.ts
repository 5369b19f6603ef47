// A replica that stands still past its lease, as by SIGSTOP, a laptop's lid or a host under load: another one
// does its work meanwhile, and what it goes on with when it wakes does nothing twice. Real processes on one
// PostgreSQL; each point between two steps in virtual time.
//
// The lease is short here; FREEZE_FULL=1 takes the real one, and 25 and 45 s.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { openArchive } from '../../src/journal/open-journal.ts';
import { composeSandbox } from '../../src/sandbox/compose-sandbox.ts';
import { noCounts, runScenario } from '../exactly-once/check.ts';
import { type Story, scenarioOf } from '../exactly-once/lifecycles.ts';
import { postgresTraffic } from '../exactly-once/postgres-traffic.ts';
import { QuietClock } from '../exactly-once/quiet-clock.ts';
import { type ServerProcess, startServerProcess } from '../resilience/process.ts';
import { sampleBody } from '../support/keywright.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const IS_FULL = process.env['FREEZE_FULL'] !== undefined;
const LEASE = { ms: 2_000, heartbeatMs: 500 };

/** The first invoice of a subscription, or the checkout that tells of the same sale. */
function saleBody(sale: number, told: 'invoice' | 'checkout'): string {
  const isInvoice = told === 'invoice';
  const body = sampleBody(
    'stripe',
    isInvoice ? 'invoice.paid-subscription-create' : 'checkout.session.completed-subscription',
  );
  body['id'] = `evt_${told}_${sale}`;
  body['created'] = Math.floor(Date.now() / 1000);
  const object = (body['data'] as JsonObject)['object'] as JsonObject;
  object['id'] = `${isInvoice ? 'in' : 'cs'}_${sale}`;
  if (isInvoice) {
    object['customer_email'] = 'known@example.com';
    const parent = object['parent'] as JsonObject;
    (parent['subscription_details'] as JsonObject)['subscription'] = `sub_${sale}`;
  } else {
    (object['customer_details'] as JsonObject)['email'] = 'known@example.com';
    object['subscription'] = `sub_${sale}`;
  }
  return JSON.stringify(body);
}

/** Sends these sales side by side, and waits until each is accepted. */
async function sell(
  server: ServerProcess,
  sales: readonly number[],
  told: 'invoice' | 'checkout',
): Promise<void> {
  const answers = await Promise.all(
    sales.map((sale) => server.send('stripe', saleBody(sale, told))),
  );
  expect(answers).toEqual(sales.map(() => 200));
}

interface Situation {
  readonly what: string;
  readonly sales: number;
  readonly pace: string;
  readonly frozenMs: number;
  /** Cryptlex refuses by 429 what comes when it wakes. */
  readonly isRefused?: boolean;
}

const SITUATIONS: readonly Situation[] = IS_FULL
  ? [
      { what: '25 s', sales: 40, pace: '10/5s', frozenMs: 25_000 },
      { what: '45 s', sales: 120, pace: '20/5s', frozenMs: 45_000 },
      {
        what: '35 s, refused when it wakes',
        sales: 40,
        pace: '10/5s',
        frozenMs: 35_000,
        isRefused: true,
      },
    ]
  : [
      { what: 'past its lease', sales: 40, pace: '4/500ms', frozenMs: 5_000 },
      {
        what: 'refused when it wakes',
        sales: 40,
        pace: '4/500ms',
        frozenMs: 5_000,
        isRefused: true,
      },
    ];

describe('a replica frozen while sales of a known customer wait for the rate limiter', () => {
  test.each(SITUATIONS)(
    '$what: $sales sales are done once, and stay done',
    async ({ sales, pace, frozenMs, isRefused = false }) => {
      const cryptlex = await composeSandbox({ port: 0, rateLimit: false });
      const env = {
        DATABASE_URL: await postgres.createDatabase(),
        CRYPTLEX_RATE_LIMIT: pace,
        WEBHOOK_DEADLINE_MS: '200',
      };
      const { archive, close } = await openArchive(env);
      const oddities = IS_FULL ? {} : { lease: LEASE };
      const frozen = await startServerProcess(cryptlex, env, oddities);
      const other = await startServerProcess(cryptlex, env, oddities);
      const numbers = Array.from({ length: sales }, (_, index) => index + 1);
      const licenses = (): number => cryptlex.sandbox.state.licenses.length;
      const patience = { timeout: 120_000, interval: 50 };
      const done = (): Promise<number> => archive.count({ status: 'done' });
      try {
        // The customer is known from now on: a further sale costs one call.
        await sell(frozen, [0], 'invoice');
        await expect.poll(licenses, patience).toBe(1);
        await sell(frozen, numbers, 'invoice');
        await expect.poll(licenses, patience).toBeGreaterThan(3);
        frozen.signal('SIGSTOP');
        await new Promise((resolve) => setTimeout(resolve, frozenMs));
        let refusals = 0;
        const takeBack = cryptlex.sandbox.faults.onCall(({ method }) => {
          if (!isRefused || method === 'GET' || refusals >= sales) return undefined;
          refusals += 1;
          return { kind: 'status', status: 429, retryAfterSeconds: 6 };
        });
        frozen.signal('SIGCONT');
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        takeBack();
        await expect.poll(done, patience).toBe(sales + 1);
        // What tells of the same sales once more, to the one that was frozen and to the other.
        await sell(
          frozen,
          numbers.filter((sale) => sale % 2 === 0),
          'checkout',
        );
        await sell(
          other,
          numbers.filter((sale) => sale % 2 === 1),
          'checkout',
        );
        await expect.poll(done, patience).toBe(2 * sales + 1);
        const open = await Promise.all(
          [0, ...numbers].map(async (sale) => {
            const details = await archive.details(`stripe:evt_invoice_${sale}`);
            const operations = details?.operations ?? [];
            return operations.filter(({ action }) => action === 'license.create');
          }),
        );
        expect(open.flat().filter(({ state }) => state !== 'done')).toEqual([]);
        const sold = cryptlex.sandbox.state.licenses.map(
          ({ metadata }) => metadata.find(({ key }) => key === 'stripe_subscription_id')?.value,
        );
        const twice = sold.filter((name, index) => sold.indexOf(name) !== index);
        expect({ twice, licenses: sold.length }).toEqual({ twice: [], licenses: sales + 1 });
      } finally {
        frozen.signal('SIGCONT');
        await Promise.all([frozen.end('SIGKILL'), other.end('SIGKILL')]);
        await close();
        await cryptlex.close();
      }
    },
    300_000,
  );
});

describe('a replica that stands still for 25 s', () => {
  const once = { delayMs: 0, repeats: [], resend: undefined };
  const story: Story = {
    provider: 'fastspring',
    buyer: 0,
    lines: [{ quantity: 1, product: 0, recurring: true }],
    startMs: 0,
    purchase: once,
    steps: [{ kind: 'payment', afterMs: 5_000, telling: once }],
    end: undefined,
    inOrder: false,
  };
  const AROUND_A_CALL = ['taken', 'intended', 'called', 'completed', 'settling'] as const;
  const START_MS = Date.UTC(2026, 10, 30, 12);

  test.each(AROUND_A_CALL)(
    'at "%s" does nothing twice',
    async (point) => {
      let nth = 1;
      for (let stood = 1; stood > 0; nth += 1) {
        const counts = noCounts();
        const crashes = [{ point, nth, downMs: 25_000, stands: true }];
        const trouble = { seed: nth, faultRate: 0, faultCalls: 0, outage: undefined, crashes };
        const clock = new QuietClock(START_MS - 60_000, postgresTraffic);
        const databaseUrl = await postgres.createDatabase();
        const scenario = scenarioOf(START_MS, [story]);
        await runScenario(scenario, trouble, { clock, databaseUrl, replicas: 2 }, counts);
        stood = counts.crashes;
      }
      expect(nth).toBeGreaterThan(2);
    },
    300_000,
  );
});
