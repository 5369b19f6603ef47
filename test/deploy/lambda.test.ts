// Keywright as a function of AWS Lambda: real handler, real signatures, sandbox of Cryptlex, PostgreSQL.
// Between two calls a function is frozen, so nothing may rest on what runs behind an answer.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLambdaHandler, type LambdaResult } from '../../src/app/lambda.ts';
import type { JsonObject } from '../../src/core/model.ts';
import type { Provider } from '../../src/core/providers.ts';
import { Secret } from '../../src/core/secret.ts';
import { composeSandbox, type ServedSandbox } from '../../src/sandbox/compose-sandbox.ts';
import { signDelivery } from '../../src/verifiers/sign.ts';
import { PATIENT_MS, PRODUCT_ID, readSample, SECRETS } from '../support/keywright.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { QUEUE_EVENT, type RequestParts, requestEvent, SCHEDULED_EVENT } from './lambda-events.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

interface Lambda {
  readonly cryptlex: ServedSandbox;
  /** What the function wrote where no logger was yet. */
  readonly errors: string[];
  call(event: object, remainingMs?: number): Promise<unknown>;
  webhook(
    provider: Provider,
    body: Uint8Array,
    parts?: RequestParts & { remainingMs?: number },
  ): Promise<{ status: number; json: JsonObject }>;
}

async function withLambda(
  env: Record<string, string>,
  run: (lambda: Lambda) => Promise<void>,
): Promise<void> {
  const cryptlex = await composeSandbox({ port: 0, rateLimit: false });
  const errors: string[] = [];
  const handler = createLambdaHandler({
    env: {
      STRIPE_WEBHOOK_SECRET: SECRETS.stripe,
      FASTSPRING_WEBHOOK_SECRET: SECRETS.fastspring,
      CRYPTLEX_ACCESS_TOKEN: cryptlex.token,
      CRYPTLEX_WEB_API_BASE_URL: cryptlex.url,
      CRYPTLEX_PRODUCT_ID: PRODUCT_ID,
      CRYPTLEX_RATE_LIMIT: '10000/1s',
      RULES_DIR: new URL('../../rules', import.meta.url).pathname,
      LOG_FORMAT: 'json',
      WEBHOOK_DEADLINE_MS: PATIENT_MS,
      ...env,
    },
    readFile: (path) => readFileSync(path, 'utf8'),
    writeLog: () => undefined,
    writeError: (line) => errors.push(line),
    stdoutIsTty: false,
  });
  const call: Lambda['call'] = (event, remainingMs = 10 * Number(PATIENT_MS)) => {
    const endMs = performance.now() + remainingMs;
    return handler(event, { getRemainingTimeInMillis: () => endMs - performance.now() });
  };
  const webhook: Lambda['webhook'] = async (provider, body, { remainingMs, ...parts } = {}) => {
    const timestampSeconds = Math.floor(Date.now() / 1000);
    const secret = new Secret(SECRETS[provider]);
    const { header, value } = signDelivery(provider, body, { secret, timestampSeconds });
    const headers = { 'content-type': 'application/json', [header]: value, ...parts.headers };
    const result = (await call(
      requestEvent({ ...parts, headers, body }),
      remainingMs,
    )) as LambdaResult;
    return { status: result.statusCode, json: JSON.parse(result.body) as JsonObject };
  };
  try {
    await run({ cryptlex, errors, call, webhook });
  } finally {
    await cryptlex.close();
  }
}

const PURCHASE = () => readSample('stripe', 'checkout.session.completed-payment');
const OVERDUE = () => readSample('fastspring', 'subscription.payment.overdue');

describe('a webhook', () => {
  test.each([
    ['by a function URL', {}],
    ['with a base64 body', { base64: true }],
    ['by API Gateway with a stage of its own', { stage: 'prod' }],
    ['to the address of its source', { path: '/webhooks/stripe' }],
  ])('%s is done before it is answered', (_how, parts) =>
    withLambda({ DATABASE_URL: 'memory:' }, async ({ webhook, cryptlex }) => {
      const { status, json } = await webhook('stripe', PURCHASE(), parts);
      expect([status, json['status']]).toEqual([200, 'done']);
      expect(cryptlex.sandbox.state.licenses).toHaveLength(1);
      expect((await webhook('stripe', PURCHASE(), parts)).json['duplicate']).toBe(true);
    }),
  );

  test('is verified over the very bytes, also those that are no plain text', () =>
    withLambda({ DATABASE_URL: 'memory:' }, async ({ webhook }) => {
      // Umlauts, escapes, a surrogate pair and odd white space: decoding and encoding anew would differ.
      const text = PURCHASE().toString('utf8').replace('{', '{\r\n\t "näme": "Zoë \\u00e9 🗝",  ');
      const bytes = new TextEncoder().encode(text);
      for (const base64 of [true, false]) {
        expect((await webhook('stripe', bytes, { base64 })).status).toBe(200);
      }
      const broken = Uint8Array.from([...bytes, 0xff, 0xfe]);
      const { status, json } = await webhook('fastspring', broken, { base64: true });
      // The signature is good, for these bytes; only then are they found to be no event.
      expect([status, json['error']]).toEqual([400, 'BODY_MALFORMED']);
    }));

  test('with a wrong signature is refused', () =>
    withLambda({ DATABASE_URL: 'memory:' }, async ({ webhook }) => {
      const headers = { 'stripe-signature': 't=1,v1=00' };
      expect((await webhook('stripe', PURCHASE(), { headers })).status).toBe(400);
    }));

  test.each([
    [
      'base64 that is none',
      'POST',
      '/v1',
      { body: '%%% no base64 %%%', isBase64Encoded: true },
      400,
    ],
    ['base64 that is cut off', 'POST', '/v1', { body: 'eyJpZCI6I', isBase64Encoded: true }, 400],
    ['an object', 'POST', '/v1', { body: { id: 'evt_1' } }, 400],
    ['no body', 'POST', '/v1', { body: undefined }, 400],
    ['a body with GET', 'GET', '/v1', { body: '{}' }, 405],
    ['base64 that is none with GET', 'GET', '/v1', { body: '%', isBase64Encoded: true }, 405],
    ['a body with HEAD', 'HEAD', '/healthz', { body: '{}' }, 200],
    ['a body with GET where GET is right', 'GET', '/healthz', { body: '{}' }, 200],
    ['a method that nobody knows', 'TRACE', '/v1', {}, 405],
    ['a body with GET to nowhere', 'GET', '/nowhere', { body: '{}' }, 404],
    [
      'base64 that is none to nowhere',
      'POST',
      '/nowhere',
      { body: '%', isBase64Encoded: true },
      404,
    ],
    ['a header that is none', 'POST', '/v1', { headers: { 'no header': 'x' } }, 415],
  ])('with %s gets an answer of the contract', (_what, method, path, parts, status) =>
    withLambda({ DATABASE_URL: 'memory:' }, async ({ call }) => {
      const { header, value } = signDelivery('stripe', PURCHASE(), {
        secret: new Secret(SECRETS.stripe),
        timestampSeconds: Math.floor(Date.now() / 1000),
      });
      const headers = { 'content-type': 'application/json', [header]: value };
      const event = requestEvent({ method, path, headers, body: PURCHASE() });
      const result = (await call({ ...event, ...parts })) as LambdaResult;
      expect(result.statusCode).toBe(status);
      if (method === 'HEAD') return;
      const json = JSON.parse(result.body) as JsonObject;
      expect(status === 200 ? json['status'] : json['error']).toEqual(expect.any(String));
    }),
  );

  test('other addresses answer as everywhere', () =>
    withLambda({ DATABASE_URL: 'memory:' }, async ({ call }) => {
      const ask = async (path: string) =>
        ((await call(requestEvent({ method: 'GET', path }))) as LambdaResult).statusCode;
      expect([await ask('/healthz'), await ask('/readyz'), await ask('/other')]).toEqual([
        200, 200, 404,
      ]);
    }));
});

describe('what is not done when the answer is due', () => {
  test('is answered 503 without the schedule, and 200 with it', async () => {
    for (const [schedule, status] of [
      ['off', 503],
      ['on', 200],
    ] as const) {
      const env = {
        DATABASE_URL: await postgres.createDatabase(),
        LAMBDA_DRAIN_SCHEDULE: schedule,
      };
      await withLambda(env, async ({ webhook }) => {
        const answer = await webhook('fastspring', OVERDUE());
        expect(answer.status).toBe(status);
        const told = status === 200 ? answer.json['status'] : answer.json['error'];
        expect(told).toBe(status === 200 ? 'waiting' : 'NOT_FINISHED');
      });
    }
  });

  test('is done by the schedule, in a further instance', async () => {
    const env = {
      DATABASE_URL: await postgres.createDatabase(),
      LAMBDA_DRAIN_SCHEDULE: 'on',
      CRYPTLEX_RATE_LIMIT: '10000/1s',
    };
    await withLambda(env, async (first) => {
      first.cryptlex.sandbox.faults.add({ effect: { kind: 'status', status: 500 } });
      const { status, json } = await first.webhook('stripe', PURCHASE());
      expect([status, json['status']]).toEqual([200, 'queued']);
    });
    await withLambda(env, async (second) => {
      while (second.cryptlex.sandbox.state.licenses.length === 0) {
        await second.call(SCHEDULED_EVENT);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      expect(second.cryptlex.sandbox.state.licenses).toHaveLength(1);
      expect(await second.call({ keywright: 'drain' })).toEqual({ settled: 0, unfinished: 0 });
      expect((await second.webhook('stripe', PURCHASE())).json['duplicate']).toBe(true);
    });
  });

  const SLOW_MS = 20_000;
  test('is answered within the time that the function has left', () =>
    withLambda({ DATABASE_URL: 'memory:' }, async ({ webhook, call, cryptlex }) => {
      await call(requestEvent({ method: 'GET', path: '/readyz' }));
      cryptlex.sandbox.faults.add({ effect: { kind: 'slow', ms: SLOW_MS } });
      const beganMs = performance.now();
      const { status } = await webhook('stripe', PURCHASE(), { remainingMs: 2_500 });
      expect(status).toBe(503);
      // Before Cryptlex would have answered; a busy machine may take longer than it should.
      expect(performance.now() - beganMs).toBeLessThan(SLOW_MS);
    }));
});

describe('what cannot be on Lambda', () => {
  test.each([
    ['a journal in a file', { DATABASE_URL: 'sqlite:/tmp/x.db' }, /DATABASE_URL takes postgres/],
    ['the default journal', {}, /DATABASE_URL takes postgres/],
    [
      'a schedule over a journal in memory',
      { DATABASE_URL: 'memory:', LAMBDA_DRAIN_SCHEDULE: 'on' },
      /the journal is in memory/,
    ],
    [
      'a schedule that is neither on nor off',
      { DATABASE_URL: 'memory:', LAMBDA_DRAIN_SCHEDULE: 'yes' },
      /takes on or off, not "yes"/,
    ],
    ['a missing token', { CRYPTLEX_ACCESS_TOKEN: '' }, /CRYPTLEX_ACCESS_TOKEN is set but blank/],
  ])('%s is told in the log, and webhooks are answered 503', (_what, env, message) =>
    withLambda(env as unknown as Record<string, string>, async ({ webhook, call, errors }) => {
      expect((await webhook('stripe', PURCHASE())).status).toBe(503);
      expect(errors.join('\n')).toMatch(message);
      await expect(call(SCHEDULED_EVENT)).rejects.toThrow('did not start');
    }),
  );

  test('a database that comes later is found by the next call', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keywright-lambda-'));
    const file = join(folder, 'database-url');
    writeFileSync(file, 'postgres://nobody@127.0.0.1:1/none');
    await withLambda({ DATABASE_URL_FILE: file }, async ({ webhook, errors }) => {
      expect((await webhook('stripe', PURCHASE())).status).toBe(503);
      expect(errors.join('\n')).toContain('JOURNAL_UNAVAILABLE');
      writeFileSync(file, await postgres.createDatabase());
      expect((await webhook('stripe', PURCHASE())).status).toBe(200);
    });
    rmSync(folder, { recursive: true });
  });

  test('an event of something else is refused', () =>
    withLambda({ DATABASE_URL: 'memory:' }, async ({ call }) => {
      await expect(call(QUEUE_EVENT)).rejects.toThrow('no request (payload 2.0) and no schedule');
    }));
});
