// Every outgoing call goes through the proxy of the environment, and past it where NO_PROXY says so. Each caller
// as it runs in earnest; the names end in .invalid, which only the proxy knows.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { liveAccount } from '../../src/authoring/dry-run/compose-live.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { createSystemClock } from '../../src/core/clock.ts';
import { createCryptlexClient } from '../../src/cryptlex/client.ts';
import { createCatalogCheck } from '../../src/doctor/check-catalog.ts';
import { transportOver } from '../../src/http/fetch.ts';
import { createTransport } from '../../src/http/transport.ts';
import { composeSandbox, type ServedSandbox } from '../../src/sandbox/compose-sandbox.ts';
import { readSetup } from '../../src/sources/read-sources.ts';
import { type Keywright, SECRETS, startKeywright } from '../support/keywright.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { STRIPE_KEY, type StripeStandIn, startStripe } from '../support/stripe-stand-in.ts';

const PASSWORD = 'hunter2-of-the-proxy';
const GOOD = {
  STRIPE_WEBHOOK_SECRET: SECRETS.stripe,
  CRYPTLEX_PRODUCT_ID: 'p1',
  DATABASE_URL: 'memory:',
};
const BILLING_TOKEN = 'a-long-token-of-the-backend';
let cryptlex: ServedSandbox;
let stripe: StripeStandIn;
let proxy: TestProxy;
let listener: { readonly port: number; readonly heard: string[]; close(): void };

beforeAll(async () => {
  cryptlex = await composeSandbox({ port: 0, rateLimit: false });
  stripe = await startStripe();
  listener = await listen();
  proxy = await startProxy({
    credentials: `keywright:${PASSWORD}`,
    ports: {
      'cryptlex.invalid': portOf(cryptlex.url),
      'stripe.invalid': portOf(stripe.url),
      'alerts.invalid': listener.port,
      'collector.invalid:4318': listener.port,
      'shop.invalid': listener.port,
    },
  });
});
afterAll(async () => {
  await Promise.all([cryptlex.close(), stripe.close(), proxy.close()]);
  listener.close();
});

const portOf = (url: string): number => Number(new URL(url).port);

/** Alerts, traces and webhooks end here. */
async function listen() {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(request.url ?? '');
    request.resume();
    response.setHeader('content-type', 'application/json').end('{"status":"done"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, heard, close: () => server.close() };
}

/** The proxy takes http in the clear, and so can say what it was asked for. */
const throughProxy = () => ({
  HTTP_PROXY: `http://keywright:${PASSWORD}@${proxy.address}`,
  NO_PROXY: 'localhost',
  CRYPTLEX_WEB_API_BASE_URL: 'http://cryptlex.invalid/v3',
});
const pastProxy = () => ({
  ...throughProxy(),
  CRYPTLEX_WEB_API_BASE_URL: `http://localhost:${portOf(cryptlex.url)}`,
});

const asked = (start: string) => proxy.asked.filter((line) => line.startsWith(start));
const cryptlexCalls = () => asked('GET http://cryptlex.invalid/v3/').length;

describe('the server', () => {
  let keywright: Keywright;
  const environment = (base: Record<string, string>, stripeUrl: string, listenerUrl: string) => ({
    ...base,
    CRYPTLEX_ACCESS_TOKEN: cryptlex.token,
    ALERT_WEBHOOK_URL: `${listenerUrl.replace('collector', 'alerts').replace(':4318', '')}/alert`,
    OTEL_EXPORTER_OTLP_ENDPOINT: listenerUrl,
    STRIPE_API_KEY: STRIPE_KEY,
    STRIPE_API_BASE_URL: stripeUrl,
    BILLING_API_TOKEN: BILLING_TOKEN,
    STRIPE_PRICE_PRO: 'price_monthly',
    STRIPE_SUCCESS_URL: 'https://shop.example.com/thanks',
    STRIPE_CANCEL_URL: 'https://shop.example.com/pricing',
  });

  /** A sale, a sale that fails for good, a checkout; and everything that follows from them. */
  async function work(env: Record<string, string>): Promise<void> {
    listener.heard.length = 0;
    keywright = await startKeywright({ providers: ['stripe'], env });
    const sale = (id: string) =>
      keywright.sendSample('stripe', 'invoice.paid-subscription-create', {
        edit: (body) => {
          body['id'] = id;
        },
      });
    expect((await sale('evt_1')).json['status']).toBe('done');
    const refusal = { kind: 'status', status: 400 } as const;
    cryptlex.sandbox.faults.add({ call: 'every', effect: refusal });
    expect((await keywright.sendSample('stripe', 'customer.created')).status).toBe(400);
    cryptlex.sandbox.faults.clear();
    const checkout = await fetch(`${keywright.url}/billing/checkout-session`, {
      method: 'POST',
      headers: { authorization: `Bearer ${BILLING_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ plan: 'pro', email: 'ann@example.com' }),
    });
    expect(checkout.status).toBe(200);
    // Alerts are gathered for ten seconds.
    while (!(listener.heard.includes('/alert') && listener.heard.includes('/v1/traces')))
      await new Promise((resolve) => setTimeout(resolve, 50));
    await keywright.close();
    expect(keywright.log.join('\n')).not.toContain(PASSWORD);
  }

  test('sends sales, checkouts, alerts and traces through the proxy', async () => {
    await work(
      environment(throughProxy(), 'http://stripe.invalid', 'http://collector.invalid:4318'),
    );
    expect(cryptlexCalls()).toBeGreaterThan(0);
    expect(asked('POST http://cryptlex.invalid/v3/licenses')).toHaveLength(1);
    expect(asked('POST http://stripe.invalid/v1/checkout/sessions')).toHaveLength(1);
    expect(asked('POST http://alerts.invalid/alert').length).toBeGreaterThan(0);
    expect(asked('POST http://collector.invalid:4318/v1/traces').length).toBeGreaterThan(0);
  });

  test('sends none of them there where NO_PROXY names their host', async () => {
    const before = proxy.asked.length;
    const local = `http://localhost:${listener.port}`;
    const env = environment(pastProxy(), `http://localhost:${portOf(stripe.url)}`, local);
    await work({ ...env, ALERT_WEBHOOK_URL: `${local}/alert` });
    expect(proxy.asked.slice(before)).toEqual([]);
  });
});

describe('the commands', () => {
  const terminal = (env: Record<string, string>, lines: string[]) => ({
    env: { ...GOOD, CRYPTLEX_ACCESS_TOKEN: cryptlex.token, ...env },
    isTty: false,
    writeOut: (text: string) => void lines.push(text),
    writeError: (text: string) => void lines.push(text),
  });

  for (const [name, env, isThrough] of [
    ['through', throughProxy, true],
    ['past', pastProxy, false],
  ] as const) {
    test(`doctor asks ${name} the proxy, and names it`, async () => {
      const before = cryptlexCalls();
      const lines: string[] = [];
      await runCli(['doctor'], terminal(env(), lines));
      const out = lines.join('');
      expect(out).toContain(`http:// through ${proxy.address}`);
      expect(out).toContain(
        `✓ cryptlex: ${env().CRYPTLEX_WEB_API_BASE_URL.replace('/v3', '')} answers`,
      );
      expect(out).not.toContain(PASSWORD);
      expect(cryptlexCalls() > before).toBe(isThrough);
    });

    test(`dry-run --live reads ${name} the proxy`, async () => {
      const before = cryptlexCalls();
      const access = { CRYPTLEX_ACCESS_TOKEN: cryptlex.token, ...env() };
      const stage = liveAccount(access, (path) => readFileSync(path, 'utf8'))();
      const { baseUrl, token, fetch, clock, pace } = stage;
      const transport = transportOver(fetch);
      const client = createCryptlexClient({ baseUrl, token, transport, clock, pace });
      await client.findUsers({ email: 'nobody@example.com' });
      expect(cryptlexCalls() > before).toBe(isThrough);
    });

    test(`simulate sends ${name} the proxy`, async () => {
      const host = isThrough ? 'shop.invalid' : `localhost:${listener.port}`;
      const before = proxy.asked.length;
      const args = ['simulate', 'stripe', '--payload', 'samples/stripe/customer.created.json'];
      const to = `http://${host}/v1`;
      const lines: string[] = [];
      expect(await runCli([...args, '--to', to], terminal(env(), lines))).toBe(0);
      expect(proxy.asked.slice(before)).toEqual(isThrough ? [`POST ${to}`] : []);
    });
  }

  test('a value that is no proxy ends the start, with the rest that is wrong', async () => {
    const lines: string[] = [];
    const env = { HTTPS_PROXY: `socks5://user:${PASSWORD}@proxy`, LOG_LEVEL: 'loud' };
    expect(await runCli(['serve'], terminal(env, lines))).toBe(2);
    const out = lines.join('');
    expect(out).toMatch(/HTTPS_PROXY takes the address of a proxy.*\[ENV_INVALID\]/);
    expect(out).toMatch(/LOG_LEVEL takes/);
    expect(out).not.toContain(PASSWORD);
  });
});

test.each([
  ['through', throughProxy, true],
  ['past', pastProxy, false],
] as const)('the catalog of the console asks %s the proxy', async (_, env, isThrough) => {
  const all = { ...GOOD, CRYPTLEX_ACCESS_TOKEN: cryptlex.token, ...env() };
  const { config, loaded } = readSetup({
    env: all,
    readFile: (path) => readFileSync(path, 'utf8'),
  });
  if (!config.ok) throw new Error(JSON.stringify(config.problems));
  const before = cryptlexCalls();
  const check = createCatalogCheck({
    ...{ config: config.config, transport: createTransport(config.config.proxies) },
    clock: createSystemClock(),
    currentRules: () => ({
      ruleSets: new Map(loaded.sources.map(({ name, ruleSet }) => [name, ruleSet])),
      env: loaded.env,
    }),
  });
  expect((await check(true))?.verdicts.get('p1')).toEqual({ kind: 'known' });
  expect(cryptlexCalls() > before).toBe(isThrough);
});
