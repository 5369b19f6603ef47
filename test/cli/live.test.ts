// keywright dry-run --live: a real HTTP server stands for Cryptlex and hears every request that leaves. No
// request that writes ever does, whatever the plan, the answers and the failures are.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Explanation } from '../../src/authoring/dry-run/explain.ts';
import { composeSandbox, type ServedSandbox } from '../../src/sandbox/compose-sandbox.ts';
import type { SandboxGiven, SandboxOptions } from '../../src/sandbox/types.ts';
import { samples } from '../support/read-samples.ts';
import { cli } from './support.ts';

const TOKEN = 'the-real-token';
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function cryptlex(
  given: SandboxGiven = {},
  options: Partial<Omit<SandboxOptions, 'token'>> = {},
): Promise<ServedSandbox> {
  const served = await composeSandbox({ port: 0, token: TOKEN, rateLimit: false, options });
  closing.push(served.close);
  served.sandbox.seed(given);
  return served;
}

interface Live {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly explanations: readonly Explanation[];
}

async function live(
  url: string,
  provider: string,
  sample: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Live> {
  const args = ['dry-run', '--provider', provider, `samples/${provider}/${sample}.json`, '--live'];
  const shown = await cli([...args, '--json'], {
    CRYPTLEX_ACCESS_TOKEN: TOKEN,
    CRYPTLEX_WEB_API_BASE_URL: url,
    CRYPTLEX_PRODUCT_ID: 'p1',
    CRYPTLEX_RATE_LIMIT: '10000/10ms',
    ...env,
  });
  const explanations = shown.out === '' ? [] : (JSON.parse(shown.out) as Explanation[]);
  return { ...shown, explanations };
}

function methodsAt({ sandbox }: ServedSandbox): readonly string[] {
  return [...new Set(sandbox.requests.map(({ method }) => method))];
}

/** Of templates the sandbox makes one whenever it is asked for one. */
const stateAt = ({ sandbox }: ServedSandbox) => ({
  users: [...sandbox.state.users],
  licenses: [...sandbox.state.licenses],
});

const line = ({ method, path }: { method: string; path: string }): string => `${method} ${path}`;

/** What the shipped samples' subscriptions and customers already have. */
const STATE: SandboxGiven = {
  users: [
    {
      id: '00000000-0000-4000-8000-0000000000a1',
      email: 'ctm_01m68t8b2gfnk7dvqewc6ek5b6@cryptlexpaddle.com',
      metadata: { paddle_customer_id: 'ctm_01m68t8b2gfnk7dvqewc6ek5b6' },
    },
  ],
  licenses: [
    ['fastspring_subscription_id', 'DTQVErcdZx1FvGSxKpX0ZA'],
    ['stripe_subscription_id', 'sub_114uSCN0rTh7LghtB3w7AGHU'],
    ['paddle_subscription_id', 'sub_01m68tb2z0hh8fc72fmn3nh7pg'],
  ].map(([name = '', id = ''], index) => ({
    id: `00000000-0000-4000-8000-0000000000b${index}`,
    metadata: { [name]: id },
    subscriptionInterval: 'P1M',
    suspended: index === 2,
    expiresAt: '2026-12-31T00:00:00Z',
  })),
  licenseTemplates: [{ id: '04ba627c-d8f2-4100-94e9-513cab4c05c3', subscriptionInterval: 'P2Y' }],
};

describe('no request that writes leaves', () => {
  const writers = new Set<string>();

  test.each(samples)('for $provider $name', async ({ provider, name }) => {
    const served = await cryptlex(STATE);
    const before = stateAt(served);
    const { explanations } = await live(served.url, provider, name);
    expect(methodsAt(served).filter((method) => method !== 'GET')).toEqual([]);
    expect(stateAt(served)).toEqual(before);
    // Each request that is said to be sent was, and each that writes is said not to be.
    const requests = explanations.flatMap((one) => one.requests);
    const sent = requests.filter(({ captured }) => captured === false).map(line);
    expect(served.sandbox.requests.map(line)).toEqual(expect.arrayContaining(sent));
    for (const { method, captured } of requests) {
      if (method === 'GET') continue;
      expect(captured).toBe(true);
      writers.add(`${provider} ${name}`);
    }
  });

  test('and most of the samples would have written', () => {
    expect(writers.size).toBeGreaterThan(40);
  });

  const failures: readonly (readonly [string, SandboxOptions['faults']])[] = [
    [
      'the first read is refused for a moment',
      [{ call: 1, effect: { kind: 'status', status: 503 } }],
    ],
    [
      'the first read is too much',
      [{ call: 1, effect: { kind: 'status', status: 429, retryAfterSeconds: 0 } }],
    ],
    ['the first read is lost', [{ call: 1, effect: { kind: 'disconnect' } }]],
    ['each search fails', [{ method: 'GET', effect: { kind: 'status', status: 500 } }]],
    ['answers are nonsense', [{ method: 'GET', effect: { kind: 'garble', body: 'html' } }]],
    [
      'templates cannot be read',
      [{ path: '/v3/license-templates/{id}', effect: { kind: 'status', status: 403 } }],
    ],
  ];
  test.each(failures)('when %s', async (_, faults) => {
    const events = [
      ['fastspring', 'order.completed'],
      ['stripe', 'invoice.paid-subscription-cycle'],
      ['paddle', 'customer.created'],
    ] as const;
    await Promise.all(
      events.map(async ([provider, name]) => {
        const served = await cryptlex(STATE, { faults: faults ?? [] });
        await live(served.url, provider, name);
        expect(served.sandbox.requests.length).toBeGreaterThan(0);
        expect(methodsAt(served)).toEqual(['GET']);
      }),
    );
  });

  test.each([302, 307])('after a redirect (%i), and nobody is asked there', async (status) => {
    const elsewhere = await cryptlex(STATE);
    const heard: string[] = [];
    const server = await listening(
      createServer((request, response) => {
        heard.push(String(request.method));
        response.writeHead(status, { location: `${elsewhere.url}${request.url}` }).end();
      }),
    );
    const { code, explanations } = await live(server, 'fastspring', 'order.completed');
    expect(code).toBe(2);
    expect(new Set(heard)).toEqual(new Set(['GET']));
    expect(elsewhere.sandbox.requests).toEqual([]);
    expect(explanations[0]?.errors[0]?.code).toMatch(/^CRYPTLEX_/);
  });
});

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('later steps go on with what was captured', () => {
  test('a sale makes the user and its license, with the template’s own term', async () => {
    const { url } = await cryptlex(STATE);
    const { code, explanations } = await live(url, 'fastspring', 'order.completed-one-time');
    const [one] = explanations;
    expect(code).toBe(0);
    expect(one?.errors).toEqual([]);
    const [user] = one?.users.after.slice(-1) ?? [];
    expect(one?.licenses.after.map((license) => license['user'])).toContain(user?.['email']);
  });

  test('a new license runs as long as its template says, or it is noted that nobody knows', async () => {
    const stripped = (one: Explanation | undefined) => {
      const fresh = one?.licenses.after.find(
        ({ id }) => !one.licenses.before.some((old) => old['id'] === id),
      );
      return fresh;
    };
    const { url } = await cryptlex(STATE);
    const known = await live(url, 'paddle', 'transaction.completed-web-one-time');
    expect(known.explanations[0]?.notes).toEqual([]);
    expect(stripped(known.explanations[0])).toMatchObject({ perpetual: true, expiresAt: null });
    const without = await cryptlex(STATE, {
      faults: [{ path: '/v3/license-templates/{id}', effect: { kind: 'status', status: 403 } }],
    });
    const unknown = await live(without.url, 'fastspring', 'order.completed');
    expect(unknown.explanations[0]?.notes.join()).toContain('could not be read');
  });

  test('a renewal adds one term to what the license really has', async () => {
    const { url } = await cryptlex(STATE);
    const { explanations } = await live(url, 'stripe', 'invoice.paid-subscription-cycle');
    expect(explanations[0]?.licenses).toMatchObject({
      before: [{ expiresAt: '2026-12-31T00:00:00.000Z' }],
      after: [{ expiresAt: '2027-01-31T00:00:00.000Z' }],
    });
  });

  test('a suspended license is resumed and then renewed, each seen by the next', async () => {
    const { url } = await cryptlex(STATE);
    const sample = 'transaction.completed-subscription-recurring';
    const { explanations } = await live(url, 'paddle', sample);
    expect(explanations[0]?.errors).toEqual([]);
    expect(explanations[0]?.licenses).toMatchObject({
      before: [{ suspended: true }],
      after: [{ suspended: false }],
    });
  });

  test('a deletion leaves nothing, here', async () => {
    const { url } = await cryptlex(STATE);
    const { explanations } = await live(url, 'fastspring', 'subscription.deactivated');
    expect(explanations[0]?.licenses.before).toHaveLength(1);
    expect(explanations[0]?.licenses.after).toEqual([]);
  });

  test('a placeholder that gets the real address is that user, changed', async () => {
    const { url } = await cryptlex(STATE);
    const { explanations } = await live(url, 'paddle', 'customer.created');
    const [one] = explanations;
    expect(one?.errors).toEqual([]);
    expect(one?.users.before).toHaveLength(1);
    expect(one?.users.after).toHaveLength(1);
    expect(one?.users.after[0]?.['email']).not.toBe(one?.users.before[0]?.['email']);
  });

  test('an account that holds more than a page, and odd licenses, is read all the same', async () => {
    const many = Array.from({ length: 130 }, (_, index) => ({
      metadata: { stripe_subscription_id: 'sub_114uSCN0rTh7LghtB3w7AGHU' },
      subscriptionInterval: 'P1M',
      expiresAt: `2026-12-0${1 + (index % 9)}T00:00:00Z`,
      user: `buyer${index % 3}@example.com`,
    }));
    const served = await cryptlex({ licenses: many });
    const { explanations } = await live(served.url, 'stripe', 'invoice.paid-subscription-cycle');
    expect(explanations[0]?.licenses.before).toHaveLength(130);
    const renewals = explanations[0]?.requests.filter(({ method }) => method === 'POST');
    expect(renewals).toHaveLength(130);
    expect(methodsAt(served)).toEqual(['GET']);
  });
});

describe('the token', () => {
  test('is sent to Cryptlex and shown nowhere', async () => {
    const heard: (string | undefined)[] = [];
    const server = await listening(
      createServer((request, response) => {
        heard.push(request.headers.authorization);
        response.writeHead(401, { 'content-type': 'text/plain' }).end(`no such token: ${TOKEN}`);
      }),
    );
    const { code, out, err } = await live(server, 'fastspring', 'order.completed');
    expect(code).toBe(2);
    expect(heard).toContain(`Bearer ${TOKEN}`);
    expect(out + err).not.toContain(TOKEN);
  });

  test('that is missing, and an address that is none, are told together with 2', async () => {
    const args = [
      'dry-run',
      '--provider',
      'stripe',
      'samples/stripe/invoice.created.json',
      '--live',
    ];
    const { code, out, err } = await cli(args, { CRYPTLEX_WEB_API_BASE_URL: 'nonsense' });
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('CRYPTLEX_ACCESS_TOKEN is not set');
    expect(err).toContain('CRYPTLEX_WEB_API_BASE_URL takes');
  });
});

test('--live and --given together are wrong usage', async () => {
  const args = ['--provider', 'stripe', 'samples/stripe/invoice.created.json', '--live'];
  expect(await cli(['dry-run', ...args, '--given', 'x.yaml'])).toMatchObject({ code: 2, out: '' });
});
