// What an event costs in calls to Cryptlex, at a pace that lets nine of them through in a second.

import { describe, expect, test } from 'vitest';
import type { Provider } from '../../src/core/providers.ts';
import type { SandboxGiven } from '../../src/sandbox/types.ts';
import { monthly, onlyUser, RENEWALS, SALES, sampleText } from '../behaviour/support.ts';
import { type Keywright, withKeywright } from '../support/keywright.ts';
import { callsOf, newSqlite, now } from './support.ts';

type Run = (keywright: Keywright) => Promise<void>;

/** With a journal that keeps state. */
const withJournal = (provider: Provider, given: SandboxGiven, run: Run): Promise<void> =>
  withKeywright({ providers: [provider], given, env: { DATABASE_URL: newSqlite() } }, run);
const withMemory = (provider: Provider, given: SandboxGiven, run: Run): Promise<void> =>
  withKeywright({ providers: [provider], given }, run);

const SECOND_SALE: Record<Provider, Record<string, string>> = {
  stripe: {
    id: 'evt_second',
    'data.object.id': 'in_second',
    'data.object.parent.subscription_details.subscription': 'sub_second',
  },
  fastspring: {
    'events.0.id': 'secondEvent',
    'events.0.data.id': 'secondOrder',
    'events.0.data.items.0.subscription.id': 'secondSubscription',
  },
  paddle: {
    event_id: 'evt_second',
    'data.id': 'txn_second',
    'data.subscription_id': 'sub_second',
  },
};

async function sale(keywright: Keywright, provider: Provider, sample: string, edit: object) {
  return callsOf(keywright, async () => {
    const answer = await keywright.sendSample(provider, sample, edit);
    expect(answer.json).toMatchObject({ status: 'done' });
  });
}

describe('a fresh event and a journal that keeps state', () => {
  // Paddle finds its users by customer id, whom another address may belong to already: it looks first.
  test.each([
    ['stripe', SALES[0]?.[1] ?? '', ['POST users', 'POST licenses']],
    ['fastspring', SALES[1]?.[1] ?? '', ['POST users', 'POST licenses']],
  ] as const)(
    '%s: a first purchase costs 2 calls, a repeat customer’s 1, a duplicate 0',
    (provider, sample, first) =>
      withJournal(provider, {}, async (keywright) => {
        const purchase = now(provider);
        expect(await sale(keywright, provider, sample, purchase)).toEqual(first);
        const again = now(provider, SECOND_SALE[provider]);
        expect(await sale(keywright, provider, sample, again)).toEqual(['POST licenses']);
        expect(await sale(keywright, provider, sample, again)).toEqual([]);
        onlyUser(keywright);
        expect(keywright.sandbox.state.licenses).toHaveLength(2);
      }),
  );

  test('paddle: a first purchase looks for its customer, a repeat customer’s costs 1', () =>
    withJournal('paddle', {}, async (keywright) => {
      const [, , [, sample = ''] = []] = SALES;
      const first = await sale(keywright, 'paddle', sample, now('paddle'));
      expect(first.filter((call) => call.startsWith('POST'))).toEqual([
        'POST users',
        'POST licenses',
      ]);
      const again = now('paddle', SECOND_SALE.paddle);
      expect(await sale(keywright, 'paddle', sample, again)).toEqual(['POST licenses']);
    }));

  for (const [provider, , sample, metadata] of RENEWALS) {
    test.each([1, 3])(`${provider}: a renewal of %i licenses costs one call more`, (count) => {
      const ids = Array.from({ length: count }, (_, index) => `l${index}`);
      const given = { licenses: ids.map((id) => monthly(id, metadata)) };
      return withJournal(provider, given, async (keywright) => {
        const made = await sale(keywright, provider, sample, now(provider));
        expect(made).toEqual(['GET licenses', ...ids.map(() => 'POST licenses')]);
      });
    });
  }

  test.each([1, 3])('a suspension of %i licenses costs one call more', (count) => {
    const path = 'events.0.data.id';
    const subscription = sampleText('fastspring', 'subscription.payment.overdue', path);
    const metadata = { fastspring_subscription_id: subscription };
    const ids = Array.from({ length: count }, (_, index) => `l${index}`);
    const given = { licenses: ids.map((id) => monthly(id, metadata)) };
    return withJournal('fastspring', given, async (keywright) => {
      const sample = 'subscription.payment.overdue';
      const made = await sale(keywright, 'fastspring', sample, now('fastspring'));
      expect(made).toEqual(['GET licenses', ...ids.map(() => 'PATCH licenses')]);
    });
  });
});

describe('what may have been handled before is looked for first', () => {
  const LOOKS = ['GET users', 'GET users', 'POST users', 'GET licenses', 'POST licenses'];
  const [, [provider, sample] = ['fastspring', ''] as const] = SALES;
  test.each([
    ['an event of eleven minutes ago', withJournal, 11 * 60_000],
    ['an event of before the journal was begun', withJournal, 60_000],
    ['an event of now, with a journal that forgets', withMemory, -1_000],
  ] as const)('%s', (_, run, ageMs) =>
    run(provider, {}, async (keywright) => {
      const made = await sale(keywright, provider, sample, now(provider, {}, ageMs));
      expect([...new Set(made)]).toEqual([...new Set(LOOKS)]);
      expect(made.at(0)).toBe('GET users');
      expect(made.filter((call) => call === 'GET licenses')).toHaveLength(1);
    }),
  );

  test('a purchase that other software handled is not licensed twice, nor its user made twice', () => {
    const order = sampleText('fastspring', sample, 'events.0.data.items.0.subscription.id');
    const email = sampleText('fastspring', sample, 'events.0.data.customer.email');
    const [, , , metadata] = RENEWALS[1] ?? [];
    expect(metadata?.['fastspring_subscription_id']).toBe(order);
    return withJournal('fastspring', { users: [{ id: 'u1', email }] }, async (keywright) => {
      await sale(keywright, 'fastspring', sample, now('fastspring', {}, 11 * 60_000));
      expect(onlyUser(keywright).id).toBe('u1');
    });
  });
});

describe('a remembered user', () => {
  const sample = 'invoice.paid-subscription-create';
  const email = sampleText('stripe', sample, 'data.object.customer_email');

  test('who was deleted in Cryptlex is forgotten, looked up once, and the license is made for the new one', () => {
    return withJournal('stripe', {}, async (keywright) => {
      const { sandbox } = keywright;
      await sale(keywright, 'stripe', sample, now('stripe'));
      // As if somebody had deleted the user, and the customer had come back.
      sandbox.clear();
      sandbox.seed({ users: [{ id: 'new', email }] });
      const again = now('stripe', SECOND_SALE.stripe);
      const made = await sale(keywright, 'stripe', sample, again);
      expect(made.filter((call) => call === 'GET users')).toHaveLength(1);
      expect(made.at(-1)).toBe('POST licenses');
      expect(sandbox.state.licenses).toMatchObject([{ userId: 'new' }]);
      const third = {
        ...{ id: 'evt_3', 'data.object.id': 'in_3' },
        'data.object.parent.subscription_details.subscription': 'sub_3',
      };
      expect(await sale(keywright, 'stripe', sample, now('stripe', third))).toEqual([
        'POST licenses',
      ]);
      expect(sandbox.state.licenses.map(({ userId }) => userId)).toEqual(['new', 'new']);
    });
  });

  test('whose address was changed by an event is not taken for the old address', () => {
    const rules = {
      stripe: (text: string) =>
        text.replace(
          /^rules:\n/m,
          `rules:
  - id: renamed
    on: customer.updated
    do:
      - user.update:
          find:
            metadata:
              crm_id: C1
          email: = data.object.email
`,
        ),
    };
    const given = { users: [{ id: 'u1', email, metadata: { crm_id: 'C1' } }] };
    const env = { DATABASE_URL: newSqlite() };
    return withKeywright({ providers: ['stripe'], given, env, rules }, async (keywright) => {
      await sale(keywright, 'stripe', sample, now('stripe'));
      expect(keywright.sandbox.state.licenses).toMatchObject([{ userId: 'u1' }]);
      const renamed = {
        id: 'evt_renamed',
        type: 'customer.updated',
        'data.object.email': 'new@example.com',
      };
      await sale(keywright, 'stripe', 'customer.created', now('stripe', renamed));
      expect(onlyUser(keywright).email).toBe('new@example.com');
      await sale(keywright, 'stripe', sample, now('stripe', SECOND_SALE.stripe));
      const { users, licenses } = keywright.sandbox.state;
      const other = users.find((user) => user.email === email);
      expect(other?.id).not.toBe('u1');
      expect(licenses.map(({ userId }) => userId)).toEqual(['u1', other?.id]);
    });
  });

  test('whose address customer.updated changed (Paddle) gets what is bought later', () =>
    withJournal('paddle', {}, async (keywright) => {
      await sale(keywright, 'paddle', 'customer.created', now('paddle'));
      await sale(keywright, 'paddle', 'transaction.completed-web', now('paddle'));
      await sale(keywright, 'paddle', 'customer.updated', now('paddle'));
      await sale(
        keywright,
        'paddle',
        'transaction.completed-web',
        now('paddle', SECOND_SALE.paddle),
      );
      const { id } = onlyUser(keywright);
      expect(keywright.sandbox.state.licenses.map(({ userId }) => userId)).toEqual([id, id]);
    }));

  test.each(['user', 'admin'])(
    'who is there already, unknown to the journal, is adopted as it is (%s)',
    (role) => {
      const user = {
        id: 'u1',
        email: email.toUpperCase(),
        firstName: 'Boss',
        lastName: 'One',
        role,
      };
      return withJournal('stripe', { users: [user] }, async (keywright) => {
        const made = await sale(keywright, 'stripe', sample, now('stripe'));
        expect(made[0]).toBe('POST users');
        expect(made.filter((call) => call === 'POST licenses')).toHaveLength(1);
        expect(made.filter((call) => call.startsWith('PATCH'))).toEqual([]);
        expect(onlyUser(keywright)).toMatchObject({ id: 'u1', role, firstName: 'Boss' });
        expect(keywright.sandbox.state.licenses).toMatchObject([{ userId: 'u1' }]);
      });
    },
  );
});
