// Paddle's customers whose address another user has already: the two become one. Nothing fails, nothing is
// lost, wherever it breaks off.

import { describe, expect, test } from 'vitest';
import type { SandboxGiven } from '../../src/sandbox/types.ts';
import { type Keywright, withKeywright } from '../support/keywright.ts';
import {
  metadataOf,
  monthly,
  onlyLicense,
  onlyUser,
  setting,
  userByEmail,
  writes,
} from './support.ts';

const CUSTOMER = 'ctm_01m68t8b2gfnk7dvqewc6ek5b6';
const EMAIL = 'ingrid.ostergard@example.net';
const PLACEHOLDER = `${CUSTOMER}@cryptlexpaddle.com`;
const WEB = 'transaction.completed-web';
const CREATED = 'customer.created';
const UPDATED = 'customer.updated';

describe('P9: the real e-mail belongs to another user', () => {
  /** Somebody who bought elsewhere before, and what the placeholder bought since; it shares one license. */
  const given = (): SandboxGiven => ({
    users: [
      {
        id: 'owner',
        email: EMAIL,
        firstName: 'Inga',
        createdAt: '2020-01-01T00:00:00Z',
        metadata: [{ key: 'note', value: 'VIP', viewPermissions: [] }],
      },
      {
        id: 'placeholder',
        email: PLACEHOLDER,
        firstName: CUSTOMER,
        createdAt: '2026-01-01T00:00:00Z',
        metadata: [
          { key: 'paddle_customer_id', value: CUSTOMER, viewPermissions: [] },
          { key: 'other', value: 'kept', viewPermissions: [] },
        ],
      },
      { id: 'friend', email: 'friend@example.com' },
    ],
    licenses: [
      monthly('own1', {}, { user: 'placeholder' }),
      monthly('shared', {}, { user: 'friend', additionalUserIds: ['placeholder'] }),
      monthly('own2', {}, { user: 'placeholder' }),
      monthly('owners', {}, { user: 'owner' }),
    ],
  });
  const owners = ({ sandbox }: Keywright) =>
    Object.fromEntries(sandbox.state.licenses.map(({ id, userId }) => [id, userId]));
  const MERGED_OWNERS = { own1: 'owner', own2: 'owner', shared: 'friend', owners: 'owner' };

  function expectMerged(keywright: Keywright): void {
    expect(owners(keywright)).toEqual(MERGED_OWNERS);
    const owner = userByEmail(keywright, EMAIL);
    expect(owner).toMatchObject({ id: 'owner' });
    expect(metadataOf(owner)).toEqual({ note: 'VIP', paddle_customer_id: CUSTOMER });
    const placeholder = userByEmail(keywright, PLACEHOLDER);
    expect(metadataOf(placeholder)).toEqual({
      paddle_customer_id: `merged:${CUSTOMER}`,
      other: 'kept',
    });
    expect(keywright.sandbox.state.users).toHaveLength(3);
  }

  test.each([CREATED, UPDATED])(
    'P9: %s: that user becomes the customer, own licenses move one by one, a shared one stays',
    (sample) =>
      withKeywright({ given: given() }, async (keywright) => {
        const answer = await keywright.sendSample(
          'paddle',
          sample,
          setting({ 'data.email': EMAIL }),
        );
        expect(answer.status).toBe(200);
        expect(answer.json).toMatchObject({
          status: 'done',
          userId: 'owner',
          licenseIds: ['own1', 'own2'],
        });
        expectMerged(keywright);
        expect(writes(keywright)).toEqual([
          'PATCH /v3/users/owner',
          'PATCH /v3/licenses/own1',
          'PATCH /v3/licenses/own2',
          'PATCH /v3/users/placeholder',
        ]);
      }),
  );

  test('P9: the merged placeholder is never found again: later purchases go to the real user', () =>
    withKeywright({ given: given() }, async (keywright) => {
      await keywright.sendSample('paddle', CREATED);
      const answer = await keywright.sendSample('paddle', WEB);
      expect(answer.json['userId']).toBe('owner');
      const again = await keywright.sendSample('paddle', CREATED, setting({ event_id: 'evt_2' }));
      expect(again.json['userId']).toBe('owner');
      expect(keywright.sandbox.state.users).toHaveLength(3);
    }));

  test('P9: an address in capitals is the same address', () =>
    withKeywright({ given: given() }, async (keywright) => {
      const edit = setting({ 'data.email': EMAIL.toUpperCase() });
      await keywright.sendSample('paddle', CREATED, edit);
      expectMerged(keywright);
    }));

  const breaks = [
    ['the user', 'PATCH', '/v3/users/owner'],
    ['the search for licenses', 'GET', '/v3/licenses'],
    ['the first license', 'PATCH', '/v3/licenses/own1'],
    ['the second license', 'PATCH', '/v3/licenses/own2'],
    ['the placeholder', 'PATCH', '/v3/users/placeholder'],
  ] as const;
  test.each(breaks)('P9, E2: broken off at %s, the redelivery completes it', (_, method, path) =>
    withKeywright({ given: given() }, async (keywright) => {
      keywright.sandbox.faults.add({ method, path, effect: { kind: 'status', status: 400 } });
      const answer = await keywright.sendSample('paddle', CREATED);
      expect(answer.status).toBe(400);
      expect(owners(keywright)['shared']).toBe('friend');
      keywright.sandbox.faults.clear();
      expect((await keywright.sendSample('paddle', CREATED)).json['status']).toBe('done');
      expectMerged(keywright);
    }),
  );

  test('P9: broken off, the next event of the customer completes it, too', () =>
    withKeywright({ given: given() }, async (keywright) => {
      const path = '/v3/licenses/own2';
      keywright.sandbox.faults.add({
        method: 'PATCH',
        path,
        effect: { kind: 'status', status: 400 },
      });
      expect((await keywright.sendSample('paddle', CREATED)).status).toBe(400);
      keywright.sandbox.faults.clear();
      await keywright.sendSample('paddle', UPDATED, setting({ 'data.email': EMAIL }));
      expectMerged(keywright);
    }));

  test('P9: no placeholder yet: the user who has the address becomes the customer', () => {
    const users = [{ id: 'owner', email: EMAIL, firstName: 'Inga' }];
    return withKeywright({ given: { users } }, async (keywright) => {
      await keywright.sendSample('paddle', CREATED);
      expect(metadataOf(onlyUser(keywright))).toEqual({ paddle_customer_id: CUSTOMER });
      await keywright.sendSample('paddle', WEB);
      expect(onlyLicense(keywright).userId).toBe('owner');
    });
  });

  test('P9: somebody takes the address between look and change: merged all the same', () =>
    withKeywright({}, async (keywright) => {
      await keywright.sendSample('paddle', WEB);
      const { sandbox } = keywright;
      let isFirst = true;
      sandbox.faults.onCall(({ method, path }) => {
        if (method === 'PATCH' && path.startsWith('/v3/users/') && isFirst) {
          isFirst = false;
          sandbox.seed({ users: [{ id: 'rival', email: EMAIL }] });
        }
        return undefined;
      });
      const answer = await keywright.sendSample('paddle', CREATED);
      expect(answer.json).toMatchObject({ status: 'done', userId: 'rival' });
      expect(onlyLicense(keywright).userId).toBe('rival');
      expect(metadataOf(userByEmail(keywright, EMAIL))).toEqual({ paddle_customer_id: CUSTOMER });
    }));

  test('P9: somebody takes the address between look and create: he becomes the customer', () =>
    withKeywright({}, async (keywright) => {
      const { sandbox } = keywright;
      let isFirst = true;
      sandbox.faults.onCall(({ method, path }) => {
        if (method === 'POST' && path === '/v3/users' && isFirst) {
          isFirst = false;
          sandbox.seed({ users: [{ id: 'rival', email: EMAIL }] });
        }
        return undefined;
      });
      const answer = await keywright.sendSample('paddle', CREATED);
      expect(answer.json).toMatchObject({ status: 'done', userId: 'rival' });
      expect(metadataOf(onlyUser(keywright))).toEqual({ paddle_customer_id: CUSTOMER });
    }));

  test('P9: an older address never takes the customer to whoever has it', () =>
    withKeywright({}, async (keywright) => {
      await keywright.sendSample('paddle', UPDATED);
      await keywright.sendSample('paddle', WEB);
      keywright.sandbox.seed({ users: [{ id: 'stranger', email: EMAIL }] });
      const late = await keywright.sendSample('paddle', CREATED);
      expect(late.json).toMatchObject({ status: 'done', reason: expect.stringMatching(/newer/) });
      const user = userByEmail(keywright, 'ingrid.holm@example.net');
      expect(onlyLicense(keywright).userId).toBe(user.id);
      expect(metadataOf(userByEmail(keywright, EMAIL))).toEqual({});
    }));

  test('P9: a user with a newer name of another source becomes the customer all the same', () =>
    withKeywright({}, async (keywright) => {
      const stripe = setting({ 'data.object.email': EMAIL, created: 1_900_000_000 });
      await keywright.sendSample('stripe', 'customer.created', stripe);
      await keywright.sendSample('paddle', WEB);
      await keywright.sendSample('paddle', CREATED);
      const owner = userByEmail(keywright, EMAIL);
      expect(metadataOf(owner)).toEqual({ paddle_customer_id: CUSTOMER });
      expect(onlyLicense(keywright).userId).toBe(owner.id);
    }));
});
