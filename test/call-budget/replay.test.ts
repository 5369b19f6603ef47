// Replays: what was done is never done again unless a person forces it, and what was not is done now.

import { describe, expect, test } from 'vitest';
import type { ReplayMode } from '../../src/journal/archive.ts';
import { monthly, RENEWALS, set, suspended, writes } from '../behaviour/support.ts';
import {
  type Keywright,
  type KeywrightOptions,
  startKeywright,
  withKeywright,
} from '../support/keywright.ts';
import { eventsOf, samples } from '../support/read-samples.ts';
import { newSqlite, until } from './support.ts';

const [, , , STRIPE_SUBSCRIPTION] = RENEWALS[0] ?? [];
const SALE = 'invoice.paid-subscription-create';
const RENEWAL = 'invoice.paid-subscription-cycle';

/** Marks the events, waits until they were worked on, gives the writing calls that were made. */
async function replay(
  keywright: Keywright,
  keys: readonly string[],
  mode: ReplayMode = 'again',
): Promise<readonly string[]> {
  const { archive } = keywright.server;
  const before = writes(keywright).length;
  for (const key of keys) {
    expect(await archive.requestReplay(key, mode)).toEqual({ kind: 'queued' });
  }
  await idle(keywright);
  return writes(keywright).slice(before);
}

async function idle({ server: { archive } }: Keywright): Promise<void> {
  await until(async () => {
    const queued = await archive.count({ status: 'queued' });
    return queued + (await archive.count({ status: 'running' })) === 0;
  });
}

async function statusOf({ server }: Keywright, key: string): Promise<string | undefined> {
  return (await server.archive.details(key))?.record.status;
}

async function keyOf({ server }: Keywright, type: string): Promise<string> {
  const [record] = (await server.archive.list({ type }, { limit: 1 })).events;
  if (record === undefined) throw new Error(`there is no ${type}`);
  return record.key;
}

const withJournal = (options: KeywrightOptions, run: (keywright: Keywright) => Promise<void>) =>
  withKeywright({ providers: ['stripe'], ...options, env: { DATABASE_URL: newSqlite() } }, run);

/** A rule more, before the others. */
const withRule = (rule: string) => (text: string) => text.replace(/^rules:\n/m, `rules:\n${rule}`);

describe('everything, with unchanged rules', () => {
  test.each(['sqlite', 'memory'])('makes no writing call and leaves all done (%s)', (kind) => {
    const env = { DATABASE_URL: kind === 'sqlite' ? newSqlite() : 'memory:' };
    return withKeywright({ env }, async (keywright) => {
      const inTime = samples.toSorted(
        (a, b) => (eventsOf(a)[0]?.timeMs ?? 0) - (eventsOf(b)[0]?.timeMs ?? 0),
      );
      for (const { provider, name } of inTime) await keywright.sendSample(provider, name);
      await idle(keywright);
      const { archive } = keywright.server;
      const { events } = await archive.list({ status: 'done' }, { limit: 1000 });
      expect(events.length).toBeGreaterThan(30);
      expect(new Set(events.map(({ event }) => event.provider)).size).toBe(3);
      const before = structuredClone(keywright.sandbox.state.licenses);
      const made = await replay(
        keywright,
        events.map(({ key }) => key),
      );
      expect(made).toEqual([]);
      expect(keywright.sandbox.state.licenses).toEqual(before);
      for (const { key, outcome } of events) {
        const again = (await archive.details(key))?.record;
        expect([key, again?.status]).toEqual([key, 'done']);
        expect([key, again?.outcome?.userId]).toEqual([key, outcome?.userId]);
        const ids = [...(again?.outcome?.licenseIds ?? [])];
        expect([key, ids]).toEqual([key, expect.arrayContaining([...(outcome?.licenseIds ?? [])])]);
      }
    });
  });

  test('also where the customer has another address by now', () =>
    withJournal(
      { given: { users: [{ id: 'u1', email: 'zoe.lukasik@example.com' }] } },
      async (keywright) => {
        await keywright.sendSample('stripe', SALE);
        keywright.sandbox.clear();
        keywright.sandbox.seed({ users: [{ id: 'u1', email: 'elsewhere@example.com' }] });
        const key = await keyOf(keywright, 'invoice.paid');
        expect(await replay(keywright, [key])).toEqual([]);
        expect(await statusOf(keywright, key)).toBe('done');
      },
    ));

  test('also where a license came later that carries the same metadata', () => {
    const given = { licenses: [monthly('l1', STRIPE_SUBSCRIPTION ?? {})] };
    return withJournal({ given }, async (keywright) => {
      await keywright.sendSample('stripe', RENEWAL);
      // The same payment under another id: done, without an operation of its own.
      await keywright.sendSample('stripe', RENEWAL, {
        edit: (body) => set(body, { id: 'evt_twin' }),
      });
      keywright.sandbox.seed({ licenses: [monthly('l2', STRIPE_SUBSCRIPTION ?? {})] });
      const keys = ['stripe:evt_twin', await keyOf(keywright, 'invoice.paid')];
      expect(await replay(keywright, [...new Set(keys)])).toEqual([]);
      expect(await replay(keywright, ['stripe:evt_twin'], 'retarget')).toEqual([
        'POST /v3/licenses/l2/renew',
      ]);
    });
  });

  test('also where its licenses are gone by now: it stays done', () => {
    const given = { licenses: [monthly('l1', STRIPE_SUBSCRIPTION ?? {})] };
    return withJournal({ given }, async (keywright) => {
      await keywright.sendSample('stripe', RENEWAL);
      await keywright.sendSample('stripe', RENEWAL, {
        edit: (body) => set(body, { id: 'evt_twin' }),
      });
      keywright.sandbox.clear();
      expect(await replay(keywright, ['stripe:evt_twin'])).toEqual([]);
      expect(await statusOf(keywright, 'stripe:evt_twin')).toBe('done');
    });
  });
});

describe('a delete', () => {
  test('is not repeated, and takes no license that came later', () => {
    const metadata = { fastspring_subscription_id: 'DTQVErcdZx1FvGSxKpX0ZA' };
    const options: KeywrightOptions = {
      providers: ['fastspring'],
      given: { licenses: [monthly('l1', metadata), monthly('l2', metadata)] },
    };
    return withJournal(options, async (keywright) => {
      await keywright.sendSample('fastspring', 'subscription.deactivated');
      expect(keywright.sandbox.state.licenses).toEqual([]);
      keywright.sandbox.seed({ licenses: [monthly('l3', metadata)] });
      const key = await keyOf(keywright, 'subscription.deactivated');
      expect(await replay(keywright, [key])).toEqual([]);
      expect(await replay(keywright, [key], 'retarget')).toEqual(['DELETE /v3/licenses/l3']);
    });
  });
});

describe('with other rules than then', () => {
  const GIVEN = { licenses: [monthly('l1', STRIPE_SUBSCRIPTION ?? {})] };

  /** A second life of the same journal, with a Cryptlex in which the license is as it was. */
  async function restarted(
    first: Keywright,
    options: KeywrightOptions,
    run: (keywright: Keywright) => Promise<void>,
  ): Promise<void> {
    await first.close();
    const second = await startKeywright({ ...options, given: GIVEN });
    try {
      await run(second);
    } finally {
      await second.close();
    }
  }

  const CHANGED = withRule(`  - id: renewal-with-seats
    on: invoice.paid
    when:
      data.object.billing_reason: subscription_cycle
    once: = data.object.id
    do:
      - license.renew:
          find:
            metadata:
              stripe_subscription_id: = $subscriptionId
      - license.update:
          find:
            metadata:
              stripe_subscription_id: = $subscriptionId
          allowedActivations: 7
`);

  test('only what is new is done', async () => {
    const env = { DATABASE_URL: newSqlite() };
    const options: KeywrightOptions = { providers: ['stripe'], env };
    const first = await startKeywright({ ...options, given: GIVEN });
    await first.sendSample('stripe', RENEWAL);
    const key = await keyOf(first, 'invoice.paid');
    await restarted(first, { ...options, rules: { stripe: CHANGED } }, async (second) => {
      expect(await replay(second, [key])).toEqual(['PATCH /v3/licenses/l1']);
      expect(second.sandbox.state.licenses).toMatchObject([{ allowedActivations: 7 }]);
      expect(await replay(second, [key])).toEqual([]);
      expect((await second.server.archive.details(key))?.record.outcome?.rule).toBe(
        'renewal-with-seats',
      );
    });
  });

  test('what failed is done with the rules as they are now, and what it had done before is kept', async () => {
    const env = { DATABASE_URL: newSqlite() };
    const options: KeywrightOptions = { providers: ['stripe'], env };
    const find = '            metadata:\n              stripe_subscription_id: = $subscriptionId\n';
    const wrong = (text: string) =>
      CHANGED(text).replace(
        `${find}          allowedActivations`,
        '            metadata:\n              nothing: none\n          missing: fail\n          allowedActivations',
      );
    const first = await startKeywright({ ...options, given: GIVEN, rules: { stripe: wrong } });
    const answer = await first.sendSample('stripe', RENEWAL);
    expect(answer.json).toMatchObject({ error: 'LICENSE_NOT_FOUND' });
    expect(writes(first)).toEqual(['POST /v3/licenses/l1/renew']);
    const key = await keyOf(first, 'invoice.paid');
    await restarted(first, { ...options, rules: { stripe: CHANGED } }, async (second) => {
      expect(await replay(second, [key])).toEqual(['PATCH /v3/licenses/l1']);
      expect(await statusOf(second, key)).toBe('done');
    });
  });

  test('a mark outlives the server: what was asked for before a restart is done after it, once', async () => {
    const env = { DATABASE_URL: newSqlite() };
    const options: KeywrightOptions = { providers: ['stripe'], env };
    const first = await startKeywright({ ...options, given: GIVEN });
    await first.sendSample('stripe', RENEWAL);
    const key = await keyOf(first, 'invoice.paid');
    // Cryptlex is away, so that the replay is begun and not done.
    first.sandbox.faults.add({ effect: { kind: 'status', status: 503 } });
    await first.server.archive.requestReplay(key, 'force');
    await until(async () => ((await first.server.archive.details(key))?.attempts.length ?? 0) > 1);
    await restarted(first, options, async (second) => {
      await until(async () => (await statusOf(second, key)) === 'done');
      expect(writes(second)).toEqual(['POST /v3/licenses/l1/renew']);
      await second.sendSample('stripe', RENEWAL);
      expect(writes(second)).toHaveLength(1);
    });
  });
});

describe('by force', () => {
  test('a renewal is made once more, once for each time it is asked for, also if it is delivered again', () => {
    const given = { licenses: [monthly('l1', STRIPE_SUBSCRIPTION ?? {})] };
    return withJournal({ given }, async (keywright) => {
      await keywright.sendSample('stripe', RENEWAL);
      const key = await keyOf(keywright, 'invoice.paid');
      for (let times = 0; times < 2; times += 1) {
        await keywright.server.archive.requestReplay(key, 'force');
        await Promise.all([1, 2, 3].map(() => keywright.sendSample('stripe', RENEWAL)));
        await idle(keywright);
      }
      const renewals = writes(keywright).filter((call) => call.endsWith('/renew'));
      expect(renewals).toHaveLength(3);
      expect(await replay(keywright, [key])).toEqual([]);
    });
  });

  test('a sale makes one more license; the one that is there stays', () =>
    withJournal({}, async (keywright) => {
      await keywright.sendSample('stripe', SALE);
      const key = await keyOf(keywright, 'invoice.paid');
      expect(await replay(keywright, [key], 'force')).toEqual(['POST /v3/licenses']);
      expect(keywright.sandbox.state.licenses).toHaveLength(2);
      expect(keywright.sandbox.state.users).toHaveLength(1);
    }));

  test('what Cryptlex refuses at first is forced all the same, once', () => {
    const given = { licenses: [monthly('l1', STRIPE_SUBSCRIPTION ?? {})] };
    return withJournal({ given }, async (keywright) => {
      await keywright.sendSample('stripe', RENEWAL);
      const key = await keyOf(keywright, 'invoice.paid');
      const path = '/v3/licenses/{id}/renew';
      const refuse = { kind: 'status', status: 429, body: 'text' } as const;
      for (const call of [1, 2]) keywright.sandbox.faults.add({ path, call, effect: refuse });
      await replay(keywright, [key], 'force');
      await until(async () => (await statusOf(keywright, key)) === 'done');
      const renewed = keywright.sandbox.requests.filter(
        (request) => request.path.endsWith('/renew') && request.status === 200,
      );
      expect(renewed).toHaveLength(2);
    });
  });
});

describe('an event that is not done yet', () => {
  test('that waits for its license is looked for at once, and done if it came', () =>
    withJournal({}, async (keywright) => {
      const answer = await keywright.sendSample('stripe', RENEWAL);
      expect(answer.json['status']).toBe('waiting');
      const key = await keyOf(keywright, 'invoice.paid');
      expect(await replay(keywright, [key])).toEqual([]);
      expect(await statusOf(keywright, key)).toBe('waiting');
      keywright.sandbox.seed({ licenses: [monthly('l1', STRIPE_SUBSCRIPTION ?? {})] });
      expect(await replay(keywright, [key])).toEqual(['POST /v3/licenses/l1/renew']);
      expect(await statusOf(keywright, key)).toBe('done');
      expect(suspended(keywright)).toEqual([]);
    }));

  test('that is parked goes on when the token works', () =>
    withJournal({}, async (keywright) => {
      keywright.sandbox.faults.add({ effect: { kind: 'status', status: 401 } });
      const answer = await keywright.sendSample('stripe', SALE);
      expect(answer.json['status']).toBe('parked');
      keywright.sandbox.faults.clear();
      const key = await keyOf(keywright, 'invoice.paid');
      await replay(keywright, [key]);
      expect(await statusOf(keywright, key)).toBe('done');
      expect(keywright.sandbox.state.licenses).toHaveLength(1);
    }));
});
