// Cryptlex in trouble, through real HTTP: the right answer to the provider, a message that says what to
// do, and nothing half done that a delivery after it would double.

import { afterAll, describe, expect, test } from 'vitest';
import type { Provider } from '../../src/core/providers.ts';
import type { FaultEffect } from '../../src/sandbox/faults.ts';
import type { SandboxGiven } from '../../src/sandbox/types.ts';
import { type Keywright, withKeywright } from '../support/keywright.ts';
import { listenForPasswords, secretsIn } from './log-search.ts';

const SUBSCRIPTION = 'sub_114uSCN0rTh7LghtB3w7AGHU';
const ENV = { WEBHOOK_DEADLINE_MS: '150' };

interface Kind {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly provider: Provider;
  readonly sample: string;
  readonly given?: SandboxGiven;
}

const EXISTING: SandboxGiven = {
  licenses: [
    {
      id: 'l1',
      productId: 'p1',
      suspended: true,
      subscriptionInterval: 'P1M',
      expiresAt: '2026-12-01T00:00:00Z',
      metadata: { stripe_subscription_id: SUBSCRIPTION },
    },
  ],
};
const purchase = { provider: 'stripe', sample: 'invoice.paid-subscription-create' } as const;
const renewal = {
  provider: 'stripe',
  sample: 'invoice.paid-subscription-cycle',
  given: EXISTING,
} as const;

const KINDS: readonly Kind[] = [
  { name: 'looking for a user', method: 'GET', path: '/v3/users', ...purchase },
  { name: 'creating a user', method: 'POST', path: '/v3/users', ...purchase },
  { name: 'looking for licenses', method: 'GET', path: '/v3/licenses', ...purchase },
  { name: 'creating a license', method: 'POST', path: '/v3/licenses', ...purchase },
  { name: 'looking for licenses to renew', method: 'GET', path: '/v3/licenses', ...renewal },
  { name: 'renewing', method: 'POST', path: '/v3/licenses/{id}/renew', ...renewal },
  { name: 'resuming', method: 'PATCH', path: '/v3/licenses/{id}', ...renewal },
];

interface Trouble {
  readonly name: string;
  readonly effect: FaultEffect;
  readonly http: 400 | 503;
  readonly status: 'failed' | 'queued' | 'parked';
  /** What the message holds. */
  readonly says: RegExp;
}

const status = (
  code: number,
  http: Trouble['http'],
  then: Trouble['status'],
  says: RegExp,
  body: 'json' | 'html' | 'empty' = 'json',
): Trouble => ({
  name: `${code} (${body})`,
  effect: { kind: 'status', status: code, body },
  http,
  status: then,
  says,
});

const TROUBLES: readonly Trouble[] = [
  status(400, 400, 'failed', /was answered with 400.*Check the ids/),
  status(404, 400, 'failed', /was answered with 404.*Check the ids/),
  status(409, 400, 'failed', /was answered with 409.*Check the ids/),
  status(401, 503, 'parked', /was answered with 401/, 'empty'),
  status(403, 503, 'parked', /was answered with 403/),
  status(429, 503, 'queued', /was answered with 429|still being worked on/),
  status(500, 503, 'queued', /was answered with 500|still being worked on/),
  status(500, 503, 'queued', /was answered with 500|still being worked on/, 'empty'),
  status(503, 503, 'queued', /was answered with 503|still being worked on/, 'html'),
  {
    name: 'a refused connection',
    effect: { kind: 'disconnect' },
    http: 503,
    status: 'queued',
    says: /could not be sent|lost its connection|still being worked on/,
  },
  {
    name: 'an empty 200',
    effect: { kind: 'garble', body: 'empty' },
    http: 503,
    status: 'queued',
    says: /but its body is empty|still being worked on/,
  },
  {
    name: 'no answer at all',
    effect: { kind: 'timeout', when: 'afterCommit' },
    http: 503,
    status: 'queued',
    says: /got no answer within|still being worked on/,
  },
];

const runs: { log: readonly string[]; keywright: Keywright; passwords: readonly string[] }[] = [];

/** What one application gives; the harness's own run is compared with it. */
function fingerprint({ sandbox }: Keywright) {
  return {
    users: sandbox.state.users.map(({ email }) => email),
    licenses: sandbox.state.licenses.map(({ suspended, expiresAt, subscriptionInterval }) => ({
      suspended,
      // A license that was made now expires a year from now.
      expires: expiresAt?.slice(0, 10),
      subscriptionInterval,
    })),
  };
}

const givenOf = ({ given }: Kind) => (given === undefined ? {} : { given });
const cleanRuns = new Map<string, Promise<ReturnType<typeof fingerprint>>>();

/** The state after the event without any trouble; one run for each sample. */
function cleanRun(kind: Kind): Promise<ReturnType<typeof fingerprint>> {
  const { provider, sample } = kind;
  const known = cleanRuns.get(sample);
  if (known !== undefined) return known;
  const run = (async () => {
    let state: ReturnType<typeof fingerprint> | undefined;
    await withKeywright(givenOf(kind), async (keywright) => {
      expect((await keywright.sendSample(provider, sample)).status).toBe(200);
      state = fingerprint(keywright);
    });
    if (state === undefined) throw new Error('nothing was run');
    return state;
  })();
  cleanRuns.set(sample, run);
  return run;
}

describe.concurrent('Cryptlex in trouble', () => {
  for (const kind of KINDS) {
    for (const trouble of TROUBLES) {
      const { method, path, provider, sample } = kind;
      const options = {
        ...givenOf(kind),
        // What ends by itself is waited for; what is put off would only take the whole deadline.
        env: trouble.status === 'queued' ? ENV : {},
        ...(trouble.effect.kind === 'timeout' ? { cryptlexTimeoutMs: 250 } : {}),
      };
      // A write whose answer is garbled is read back, so that it may be done at once.
      const isReadBack = trouble.effect.kind === 'garble' && method !== 'GET';

      test(`${kind.name}: ${trouble.name}`, async ({ expect }) => {
        const clean = await cleanRun(kind);
        await withKeywright(options, async (keywright) => {
          const passwords = listenForPasswords(keywright);
          const { sandbox } = keywright;
          sandbox.faults.add({ method, path, effect: trouble.effect });
          const answer = await keywright.sendSample(provider, sample);
          runs.push({ log: keywright.log, keywright, passwords });
          if (isReadBack && answer.status === 200) {
            expect(fingerprint(keywright)).toEqual(clean);
            return;
          }
          expect(answer.status).toBe(trouble.http);
          const details = answer.json['details'] as Record<string, unknown>;
          expect(details).toMatchObject({ eventId: expect.stringContaining('evt_') });
          const wanted = trouble.http === 400 ? 'CRYPTLEX_REFUSED' : 'NOT_FINISHED';
          expect(answer.json['error']).toBe(wanted);
          expect(answer.json['message']).toMatch(trouble.says);
          // Trouble of one call at a time: nothing was done behind the one that failed.
          const before = fingerprint(keywright);
          expect(before.licenses.length).toBeLessThanOrEqual(clean.licenses.length);

          sandbox.faults.clear();
          // Over a real connection, one that is refused looks like one that is lost.
          const isUnclear = trouble.effect.kind !== 'status' && method !== 'GET';
          if (isUnclear && path !== '/v3/users') return;
          await expect
            .poll(async () => (await keywright.sendSample(provider, sample)).status, {
              interval: 100,
            })
            .toBe(200);
          expect(fingerprint(keywright)).toEqual(clean);
        });
      });
    }
  }
});

afterAll(() => {
  expect(runs.length).toBe(KINDS.length * TROUBLES.length);
  for (const { log, keywright, passwords } of runs) {
    expect(secretsIn(log, keywright, passwords)).toEqual([]);
  }
});

test('the search for secrets finds one', async () => {
  await withKeywright({}, async (keywright) => {
    await keywright.sendSample('stripe', 'invoice.paid-subscription-create');
    const [license] = keywright.sandbox.state.licenses;
    expect(secretsIn([`a line with ${license?.key}`], keywright)).toEqual([license?.key]);
    expect(secretsIn(keywright.log, keywright)).toEqual([]);
  });
});

test('a token that is refused parks the event; it goes on by itself when the token works', async () => {
  await withKeywright({ env: ENV }, async (keywright) => {
    const effect = { kind: 'status', status: 401, body: 'empty' } as const;
    keywright.sandbox.faults.add({ effect });
    const sample = 'invoice.paid-subscription-create';
    const parked = await keywright.sendSample('stripe', sample);
    expect(parked.json['details']).toMatchObject({ status: 'parked' });
    const concerns = async () =>
      ((await (await fetch(`${keywright.url}/readyz`)).json()) as { concerns: { code: string }[] })
        .concerns;
    expect(await concerns()).toMatchObject([{ code: 'CRYPTLEX_TOKEN' }]);
    keywright.sandbox.faults.clear();
    expect((await keywright.sendSample('stripe', sample)).status).toBe(200);
    expect(await concerns()).toEqual([]);
  });
});

test('Cryptlex away is a concern, and does not make the server unready', async () => {
  await withKeywright({ env: ENV, cryptlexTimeoutMs: 60 }, async (keywright) => {
    keywright.sandbox.faults.add({ effect: { kind: 'timeout', when: 'beforeCommit' } });
    await keywright.sendSample('stripe', 'invoice.paid-subscription-create');
    await expect
      .poll(async () => {
        const response = await fetch(`${keywright.url}/readyz`);
        const { concerns } = (await response.json()) as { concerns: { code: string }[] };
        return [response.status, ...concerns.map(({ code }) => code)];
      })
      .toEqual([200, 'CRYPTLEX_UNAVAILABLE']);
    expect((await fetch(`${keywright.url}/healthz`)).status).toBe(200);
  });
});
