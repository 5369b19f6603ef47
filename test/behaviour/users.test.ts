// Users with the default rules: who is found, who is made, what is changed and what never is.

import { describe, expect, test } from 'vitest';
import type { Provider } from '../../src/core/providers.ts';
import type { GivenUser, SandboxUser } from '../../src/sandbox/types.ts';
import { type Keywright, withKeywright } from '../support/keywright.ts';
import { metadataOf, onlyLicense, onlyUser, setting, userByEmail, writes } from './support.ts';

const INVOICE = 'invoice.paid-subscription-create';
const EMAIL = 'zoe.lukasik@example.com';

/** The password of a user who was made: the sandbox keeps none, so it is read on its way. */
function hearPasswords(keywright: Keywright): string[] {
  const heard: string[] = [];
  keywright.sandbox.faults.onCall(({ method, path, body }) => {
    if (method === 'POST' && path === '/v3/users') {
      heard.push(String((body as { password?: string }).password));
    }
    return undefined;
  });
  return heard;
}

const withoutTimes = ({ key, value, viewPermissions }: SandboxUser['metadata'][number]) => ({
  key,
  value,
  viewPermissions,
});

describe('U1: insert', () => {
  test('U1: not found: made with role user, names, company and a random strong password', () =>
    withKeywright({}, async (keywright) => {
      const passwords = hearPasswords(keywright);
      const answer = await keywright.sendSample('fastspring', 'order.completed');
      const user = onlyUser(keywright);
      expect(user).toMatchObject({
        email: 'taro.yamada@example.org',
        firstName: '太郎',
        lastName: '山田',
        company: '合同会社ひかり工房',
        role: 'user',
      });
      expect(answer.json['userId']).toBe(user.id);
      expect(onlyLicense(keywright).userId).toBe(user.id);
      await keywright.sendSample('fastspring', 'order.completed-one-time');
      expect(new Set(passwords).size).toBe(2);
      for (const password of passwords) {
        expect(password.length).toBeGreaterThanOrEqual(16);
        for (const kind of [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/]) expect(password).toMatch(kind);
        expect(answer.text + keywright.log.join('')).not.toContain(password);
      }
    }));

  test('U1: last name and company are left out where the event has none', () =>
    withKeywright({}, async (keywright) => {
      await keywright.sendSample('fastspring', 'order.completed-cross-sell');
      expect(onlyUser(keywright)).toMatchObject({ lastName: 'حداد', company: null });
      const edit = setting({ id: 'evt_2', 'data.object.customer_email': 'second@example.com' });
      await keywright.sendSample('stripe', INVOICE, edit);
      expect(userByEmail(keywright, 'second@example.com')).toMatchObject({
        firstName: 'Zoë Łukasik',
        lastName: null,
        company: null,
      });
    }));

  const present: GivenUser = { id: 'u1', firstName: 'Keep', lastName: 'Me', company: 'Old Ltd' };
  const samples: [Provider, string, GivenUser][] = [
    ['stripe', INVOICE, { ...present, email: EMAIL }],
    ['fastspring', 'order.completed', { ...present, email: 'taro.yamada@example.org' }],
    [
      'paddle',
      'transaction.completed-web',
      {
        ...present,
        email: 'someone@example.com',
        metadata: { paddle_customer_id: 'ctm_01m68t8b2gfnk7dvqewc6ek5b6' },
      },
    ],
  ];
  test.each(samples)(
    'U1: found: its id is used and it stays untouched (%s %s)',
    (provider, sample, user) =>
      withKeywright({ given: { users: [user] } }, async (keywright) => {
        const before = onlyUser(keywright);
        const answer = await keywright.sendSample(provider, sample);
        expect(answer.json['userId']).toBe('u1');
        expect(onlyUser(keywright)).toEqual(before);
        expect(onlyLicense(keywright).userId).toBe('u1');
        expect(writes(keywright)).toEqual(['POST /v3/licenses']);
      }),
  );
});

describe('U2: upsert', () => {
  test('U2: a user that exists gets names and e-mail of the event, and keeps the rest', () => {
    const user = {
      id: 'u1',
      email: 'old@example.com',
      firstName: 'Old',
      lastName: 'Name',
      company: 'Acme',
      metadata: [
        { key: 'paddle_customer_id', value: 'ctm_01m68t8b2gfnk7dvqewc6ek5b6', viewPermissions: [] },
        { key: 'note', value: 'shown', viewPermissions: ['user'] },
      ],
    };
    return withKeywright({ given: { users: [user] } }, async (keywright) => {
      const before = onlyUser(keywright).metadata.map(withoutTimes);
      await keywright.sendSample('paddle', 'customer.created');
      const after = onlyUser(keywright);
      expect(after).toMatchObject({
        id: 'u1',
        email: 'ingrid.ostergard@example.net',
        firstName: 'Ingrid',
        lastName: 'Østergård',
        company: 'Acme',
        role: 'user',
      });
      expect(after.metadata.map(withoutTimes)).toEqual(before);
    });
  });

  test('U2: not found: made as by insert', () =>
    withKeywright({}, async (keywright) => {
      await keywright.sendSample('stripe', 'customer.created');
      expect(onlyUser(keywright)).toMatchObject({ email: EMAIL, role: 'user' });
    }));

  test('U2: the role is never sent for a user that exists', () => {
    const given = { users: [{ id: 'u1', email: EMAIL, firstName: 'Old' }] };
    return withKeywright({ given }, async (keywright) => {
      await keywright.sendSample('stripe', 'customer.created');
      const patch = keywright.sandbox.requests.find(({ method }) => method === 'PATCH');
      expect(patch?.body).not.toHaveProperty('role');
      expect(patch?.body).not.toHaveProperty('password');
    });
  });

  test('U2: an older event does not bring an older name back', () =>
    withKeywright({}, async (keywright) => {
      await keywright.sendSample('paddle', 'customer.updated');
      const answer = await keywright.sendSample('paddle', 'customer.created');
      expect(answer.json).toMatchObject({ status: 'done', reason: expect.stringMatching(/newer/) });
      expect(onlyUser(keywright)).toMatchObject({
        email: 'ingrid.holm@example.net',
        lastName: 'Østergård Holm',
      });
    }));
});

describe('U3: two events that make one user', () => {
  test.each([
    ['a customer.created between look and create', 409],
    ['the same, where Cryptlex says 400', 400],
  ])('U3: %s: the loser looks again and goes on', (_, status) =>
    withKeywright({}, async (keywright) => {
      const { sandbox } = keywright;
      let rivals = 0;
      sandbox.faults.onCall(({ method, path }) => {
        if (method !== 'POST' || path !== '/v3/users') return undefined;
        // Somebody else is quicker, right before our create.
        if (rivals++ === 0) sandbox.seed({ users: [{ id: 'rival', email: EMAIL }] });
        return status === 400 ? { kind: 'status', status } : undefined;
      });
      const answer = await keywright.sendSample('stripe', INVOICE);
      expect(answer.json).toMatchObject({ status: 'done', userId: 'rival' });
      expect(onlyUser(keywright).id).toBe('rival');
      expect(onlyLicense(keywright).userId).toBe('rival');
    }),
  );

  test('U3: five sales of one new buyer at once: one user, five licenses', () =>
    withKeywright({}, async (keywright) => {
      // Every sale looks the user up before any of them has made one.
      let looking = 0;
      let letThrough = (): void => undefined;
      const allAreLooking = new Promise<void>((resolve) => {
        letThrough = resolve;
      });
      keywright.sandbox.faults.onCall(async ({ method, path }) => {
        if (method !== 'GET' || path !== '/v3/users') return undefined;
        looking += 1;
        if (looking === 5) letThrough();
        await allAreLooking;
        return undefined;
      });
      const sending = Array.from({ length: 5 }, (_, index) =>
        keywright.sendSample(
          'stripe',
          INVOICE,
          setting({
            id: `evt_${index}`,
            'data.object.id': `in_${index}`,
            'data.object.parent.subscription_details.subscription': `sub_${index}`,
          }),
        ),
      );
      for (const { json } of await Promise.all(sending)) expect(json['status']).toBe('done');
      const user = onlyUser(keywright);
      const owners = keywright.sandbox.state.licenses.map(({ userId }) => userId);
      expect(owners).toEqual(Array(5).fill(user.id));
      // They did race, or this test would show nothing.
      expect(writes(keywright).filter((call) => call === 'POST /v3/users').length).toBeGreaterThan(
        1,
      );
    }));
});

describe('U5: an address that belongs to somebody who works for the seller', () => {
  const admin = { id: 'boss', email: EMAIL, firstName: 'The', lastName: 'Boss', role: 'admin' };

  test('U5: an administrator gets the license and keeps name, address and role', () =>
    withKeywright({ given: { users: [admin] } }, async (keywright) => {
      const before = onlyUser(keywright);
      await keywright.sendSample('stripe', INVOICE);
      await keywright.sendSample('stripe', 'customer.created');
      expect(onlyLicense(keywright).userId).toBe('boss');
      expect(onlyUser(keywright)).toEqual(before);
      expect(writes(keywright)).toEqual(['POST /v3/licenses']);
    }));

  test('U5: an administrator found by metadata keeps name and address', () => {
    const metadata = { paddle_customer_id: 'ctm_01m68t8b2gfnk7dvqewc6ek5b6' };
    return withKeywright({ given: { users: [{ ...admin, metadata }] } }, async (keywright) => {
      await keywright.sendSample('paddle', 'customer.created');
      await keywright.sendSample('paddle', 'customer.updated');
      expect(onlyUser(keywright)).toMatchObject(admin as GivenUser as object);
      expect(writes(keywright)).toEqual([]);
    });
  });

  test('U5: an administrator gets the metadata of a customer, and nothing else', () => {
    const boss = { ...admin, email: 'ingrid.ostergard@example.net' };
    return withKeywright({ given: { users: [boss] } }, async (keywright) => {
      const answer = await keywright.sendSample('paddle', 'customer.created');
      expect(answer.json).toMatchObject({ status: 'done', userId: 'boss' });
      const user = onlyUser(keywright);
      expect(user).toMatchObject(boss);
      expect(metadataOf(user)).toEqual({ paddle_customer_id: 'ctm_01m68t8b2gfnk7dvqewc6ek5b6' });
    });
  });
});
