// Paddle's customers with the default rules: the placeholder of a purchase gets the real address and name,
// whatever comes first.

import { describe, expect, test } from 'vitest';
import { metadataOf, onlyLicense, onlyUser, setting, withPaddle } from './support.ts';

const CUSTOMER = 'ctm_01m68t8b2gfnk7dvqewc6ek5b6';
const EMAIL = 'ingrid.ostergard@example.net';
const WEB = 'transaction.completed-web';
const CREATED = 'customer.created';
const UPDATED = 'customer.updated';

describe('P7, P8: the customer’s address and name', () => {
  test.each([
    [CREATED, EMAIL, 'Østergård'],
    [UPDATED, 'ingrid.holm@example.net', 'Østergård Holm'],
  ])(
    'P7, P8: %s after the purchase: the placeholder gets them, the license stays its own',
    (sample, email, lastName) =>
      withPaddle({}, async (keywright) => {
        await keywright.sendSample('paddle', WEB);
        const placeholder = onlyUser(keywright);
        const later = setting({ occurred_at: '2027-06-01T00:00:00Z' });
        const answer = await keywright.sendSample('paddle', sample, later);
        expect(answer.json).toMatchObject({
          status: 'done',
          rule: 'customer',
          userId: placeholder.id,
        });
        const user = onlyUser(keywright);
        expect(user).toMatchObject({ id: placeholder.id, email, firstName: 'Ingrid', lastName });
        expect(metadataOf(user)).toEqual({ paddle_customer_id: CUSTOMER });
        expect(onlyLicense(keywright).userId).toBe(user.id);
      }),
  );

  test('P7: customer.created is older than the purchase and comes later: the placeholder gets it all the same', () =>
    withPaddle({}, async (keywright) => {
      await keywright.sendSample('paddle', WEB);
      await keywright.sendSample('paddle', CREATED);
      expect(onlyUser(keywright)).toMatchObject({ email: EMAIL, firstName: 'Ingrid' });
    }));

  test.each([CREATED, UPDATED])(
    'P7, P8: %s before the purchase: made with it; the purchase finds it',
    (sample) =>
      withPaddle({}, async (keywright) => {
        await keywright.sendSample('paddle', sample);
        const user = onlyUser(keywright);
        expect(metadataOf(user)).toEqual({ paddle_customer_id: CUSTOMER });
        await keywright.sendSample('paddle', WEB);
        expect(onlyUser(keywright)).toEqual(user);
        expect(onlyLicense(keywright).userId).toBe(user.id);
      }),
  );

  test('P7: customer and purchase at the same moment, in both orders: one user with the real address', async () => {
    for (const samples of [
      [WEB, CREATED],
      [CREATED, WEB],
    ]) {
      await withPaddle({}, async (keywright) => {
        await Promise.all(samples.map((sample) => keywright.sendSample('paddle', sample)));
        expect(onlyUser(keywright).email).toBe(EMAIL);
        onlyLicense(keywright);
      });
    }
  });

  const names = [
    ['Prince', 'Prince', null],
    ['  Ingrid   Maria  Østergård ', 'Ingrid', 'Maria Østergård'],
  ] as const;
  test.each(names)('P7: the name %j: first word, and the rest', (name, firstName, lastName) =>
    withPaddle({}, async (keywright) => {
      await keywright.sendSample('paddle', CREATED, setting({ 'data.name': name }));
      const user = onlyUser(keywright);
      expect(user.firstName).toBe(firstName);
      expect(user.lastName?.replaceAll(/\s+/g, ' ') ?? null).toBe(lastName);
    }),
  );

  test('P7, E5, U6: no name: the part before the @', () =>
    withPaddle({}, async (keywright) => {
      const answer = await keywright.sendSample('paddle', 'customer.created-no-name');
      expect(answer.json['status']).toBe('done');
      const user = onlyUser(keywright);
      expect(user.firstName).toBe(user.email.split('@')[0]);
      expect(user.lastName).toBeNull();
    }));

  test('P7, E5: no name for a placeholder: it gets the address all the same', () =>
    withPaddle({}, async (keywright) => {
      await keywright.sendSample('paddle', 'transaction.completed-web-one-time');
      await keywright.sendSample('paddle', 'customer.created-no-name');
      expect(onlyUser(keywright).email).not.toContain('@cryptlexpaddle.com');
      onlyLicense(keywright);
    }));
});
