// keywright simulate: what it prints and when it ends with 1, against servers that behave and servers that do not.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newSqlite } from '../call-budget/support.ts';
import { type Keywright, readSample, SECRETS, startKeywright } from '../support/keywright.ts';
import { cli } from './support.ts';

const env = {
  STRIPE_WEBHOOK_SECRET: SECRETS.stripe,
  FASTSPRING_WEBHOOK_SECRET: SECRETS.fastspring,
  PADDLE_WEBHOOK_SECRET: SECRETS.paddle,
};
const folder = mkdtempSync(join(tmpdir(), 'keywright-simulate-'));
let keywright: Keywright;

beforeAll(async () => {
  keywright = await startKeywright({ env: { DATABASE_URL: newSqlite() } });
});
afterAll(async () => {
  await keywright.close();
  rmSync(folder, { recursive: true, force: true });
});

const simulate = (...args: readonly string[]) => cli(['simulate', ...args], env);
const here = () => ['--to', keywright.url];

describe('a run', () => {
  test('prints each answer with its rule, and licenses what was bought', async () => {
    const before = keywright.sandbox.state.licenses.length;
    const { code, out } = await simulate('fastspring', 'failed-payment', '--seed', '5', ...here());
    expect(code).toBe(0);
    expect(out).toMatch(/^fastspring failed-payment: A payment is overdue/);
    expect(out).toContain(`6 deliveries to ${keywright.url}/v1, seed 5`);
    expect(out).toMatch(/✓ .* subscription\.activated +400 {2}no rule names this type\n/);
    expect(out).toMatch(
      /order\.completed +200 {2}order-completed: user created; 1 license created\.\n/,
    );
    expect(out).toMatch(/payment\.overdue +200 {2}payment-overdue: 1 license suspended\.\n/);
    expect(out).toMatch(
      /no-expansion +200 {2}charge-completed: 1 license renewed; 1 license resumed\.\n/,
    );
    expect(out).toMatch(/4 done, 1 ignored: all answers are as they should be\n$/);
    expect(keywright.sandbox.state.licenses.length).toBe(before + 1);
  });

  test('twice is two customers; with the same seed it is the same one', async () => {
    const before = keywright.sandbox.state.licenses.length;
    await simulate('stripe', 'first-purchase', ...here());
    await simulate('stripe', 'first-purchase', ...here());
    expect(keywright.sandbox.state.licenses.length).toBe(before + 2);
    const again = ['stripe', 'first-purchase', '--seed', '77', '--start', '2026-11-01', ...here()];
    await simulate(...again);
    const { out } = await simulate(...again);
    expect(keywright.sandbox.state.licenses.length).toBe(before + 3);
    expect(out).toMatch(/3 done before: all answers are as they should be\n$/);
  });

  test('sets a value, and says so when no event has a place for it', async () => {
    const { code } = await simulate(
      'fastspring',
      'first-purchase',
      ...here(),
      '--set',
      'data.items.0.quantity=3',
    );
    expect(code).toBe(0);
    const wrong = await simulate(
      'fastspring',
      'first-purchase',
      ...here(),
      '--set',
      'data.itmes.0.quantity=3',
    );
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('no event of first-purchase has a place for data.itmes.0.quantity');
  });

  test('ends with 1 where an event is refused that a rule should take', async () => {
    const { code, out } = await simulate(
      'fastspring',
      'first-purchase',
      ...here(),
      '--set',
      'data.items.0.quantity=0',
    );
    expect(code).toBe(1);
    expect(out).toMatch(/✗ .*order\.completed +400 {2}400 QUANTITY_INVALID: /);
    expect(out).toContain('1 answer is not as it should be');
  });

  test('sends a body of its own', async () => {
    const file = join(folder, 'ours.json');
    writeFileSync(file, readSample('stripe', 'checkout.session.completed-payment'));
    const { code, out } = await simulate('stripe', '--payload', file, ...here());
    expect(code).toBe(0);
    expect(out).toContain('checkout-paid: ');
    const kept = await simulate('stripe', '--payload', file, '--keep-ids', '--json', ...here());
    const sample = JSON.parse(String(readSample('stripe', 'checkout.session.completed-payment')));
    expect(JSON.parse(kept.out).deliveries[0].events[0].id).toBe(sample.id);
  });

  test('plays scenarios of the user, from a folder or by path', async () => {
    mkdirSync(join(folder, 'stripe'));
    const text =
      'provider: stripe\ndescription: mine\nsteps: [{ sample: stripe/invoice.created }]\n';
    writeFileSync(join(folder, 'stripe', 'mine.yaml'), text);
    expect((await simulate('stripe', 'mine', '--scenarios', folder, ...here())).code).toBe(0);
    const path = join(folder, 'stripe', 'mine.yaml');
    expect((await simulate('stripe', path, ...here())).out).toContain('invoice-created: ');
    const { out } = await simulate('stripe', '--list', '--scenarios', folder);
    expect(out).toMatch(/^stripe mine +mine$/m);
    const other = await simulate('paddle', path, ...here());
    expect([other.code, other.err]).toEqual([
      2,
      expect.stringContaining('is of stripe, not paddle'),
    ]);
  });

  test('as JSON holds every answer', async () => {
    const { code, out } = await simulate(
      'paddle',
      'pause',
      '--json',
      '--chaos',
      '--seed',
      '2',
      ...here(),
    );
    expect(code).toBe(0);
    const run = JSON.parse(out);
    expect(run).toMatchObject({ scenario: 'pause', provider: 'paddle', seed: 2, problems: 0 });
    const rules = run.deliveries.map(
      (each: { answers: { rule?: string }[] }) => each.answers[0]?.rule,
    );
    expect(rules).toEqual(expect.arrayContaining(['purchase', 'renewal', 'paused']));
  });

  test('is sent again where the server asks for it, as a server without a disk does', async () => {
    const memory = await startKeywright({ providers: ['stripe'] });
    try {
      const steps = ['invoice.paid-subscription-cycle', 'invoice.paid-subscription-create'];
      const text = `provider: stripe\ndescription: late\nsteps:\n${steps.map((name) => `  - sample: stripe/${name}\n`).join('')}`;
      const path = join(folder, 'late.yaml');
      writeFileSync(path, text);
      const args = ['simulate', 'stripe', path, '--to', memory.url, '--chaos'];
      const { code, out } = await cli([...args, '--seed', '1'], env);
      expect(code, out).toBe(0);
      expect(memory.sandbox.state.licenses).toHaveLength(1);
    } finally {
      await memory.close();
    }
  });
});

describe('servers that do not behave', () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });
  async function answering(status: number, body: string): Promise<string> {
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(status).end(body));
    });
    servers.push(server);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test('one that lets a forged delivery in', async () => {
    const url = await answering(200, '{"status":"done"}');
    const { code, out } = await simulate(
      'stripe',
      'renewals',
      '--chaos',
      '--seed',
      '3',
      '--to',
      url,
    );
    expect(code).toBe(1);
    expect(out).toMatch(
      /✗ .* a forged delivery was let in \((?:wrong signature|tampered body|stale timestamp)\)/,
    );
  });

  test('one that refuses everything for another reason', async () => {
    const url = await answering(400, '{"error":"BODY_MALFORMED","message":"no"}');
    const { code, out } = await simulate(
      'stripe',
      'renewals',
      '--chaos',
      '--seed',
      '3',
      '--to',
      url,
    );
    expect(code).toBe(1);
    expect(out).toContain('a forged delivery was refused for another reason (BODY_MALFORMED)');
    expect(out).toContain('400 BODY_MALFORMED: no');
  });

  test.each([
    [500, 'oops', '500: oops'],
    [404, '{"error":"PATH_UNKNOWN","message":"no"}', '404 PATH_UNKNOWN: no'],
    [202, 'evt_of_somebody_else', 'not processed: checkout.session.completed evt_'],
    [301, '', '301: '],
  ])('one that answers %i', async (status, body, told) => {
    const url = await answering(status, body);
    const { code, out } = await simulate('stripe', 'one-time-purchase', '--to', url);
    expect(code).toBe(1);
    expect(out).toContain(told);
  });

  test('one that is not there', async () => {
    const { code, err } = await simulate('stripe', 'renewals', '--to', 'http://127.0.0.1:9');
    expect(code).toBe(2);
    expect(err).toContain('[ENDPOINT_UNREACHABLE]');
  });
});

describe('wrong usage', () => {
  test.each([
    ['no provider', [], 'simulate takes a provider'],
    ['another provider', ['strip', 'renewals'], '"strip" is none of stripe, fastspring, paddle'],
    ['no scenario', ['stripe'], 'and a scenario'],
    ['scenario and payload', ['stripe', 'renewals', '--payload', 'x.json'], 'and a scenario'],
    [
      'an unknown scenario',
      ['stripe', 'renewal'],
      'has no scenario "renewal"; did you mean "renewals"?',
    ],
    [
      'an address that is none',
      ['stripe', 'renewals', '--to', 'localhost'],
      '--to takes an address',
    ],
    [
      'a speed that is none',
      ['stripe', 'renewals', '--speed', 'fast'],
      '--speed takes instant, real',
    ],
    ['a speed of nothing', ['stripe', 'renewals', '--speed', '0'], '--speed takes instant, real'],
    ['a seed that is none', ['stripe', 'renewals', '--seed', 'x'], '--seed takes a number'],
    ['a start that is none', ['stripe', 'renewals', '--start', 'soon'], '--start takes a date'],
    ['a setting without a value', ['stripe', 'renewals', '--set', 'a'], '--set takes PATH=VALUE'],
    [
      'a payload that is not there',
      ['stripe', '--payload', 'gone.json'],
      'gone.json cannot be read (ENOENT)',
    ],
    [
      'a payload of nobody',
      ['stripe', '--payload', 'package.json'],
      'package.json is no webhook of stripe',
    ],
    [
      'a secret that is not set',
      ['stripe', 'renewals', '--secret-env', 'MY_SECRET'],
      'MY_SECRET is not set [ENV_MISSING]',
    ],
  ])('%s', async (_, args, told) => {
    const { code, out, err } = await simulate(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(told);
  });

  test('a scenario with findings is told with its places', async () => {
    const path = join(folder, 'broken.yaml');
    writeFileSync(path, 'provider: stripe\ndescription: x\nsteps: [{ sample: stripe/nope }]\n');
    const { code, err } = await simulate('stripe', path);
    expect(code).toBe(2);
    expect(err).toContain(`${path}:3:19: error: "stripe/nope" cannot be found [SAMPLE_UNKNOWN]`);
  });
});
