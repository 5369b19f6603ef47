// Users by their addresses: how they are written, and what is missing.

import { describe, expect, test } from 'vitest';
import { withKeywright } from '../support/keywright.ts';
import { calls, expectUntouched, onlyLicense, onlyUser, setting, userByEmail } from './support.ts';

const INVOICE = 'invoice.paid-subscription-create';
const EMAIL = 'zoe.lukasik@example.com';
const FS_CUSTOMER = 'events.0.data.customer';

describe('U4: e-mail addresses', () => {
  const addresses = [
    ['a plus sign', 'build+ci@example.net'],
    ['letters beyond ASCII', 'zoë.łukasik@exämple.com'],
    ['signs that mean something in a query', "o'neil&sons=50%#1@example.com"],
  ] as const;
  test.each(addresses)('U4: %s is found again, not made twice', (_, email) =>
    withKeywright({ given: { users: [{ id: 'u1', email }] } }, async (keywright) => {
      const edit = setting({ 'data.object.customer_email': email });
      const answer = await keywright.sendSample('stripe', INVOICE, edit);
      expect(answer.json).toMatchObject({ status: 'done', userId: 'u1' });
      expect(onlyUser(keywright).email).toBe(email);
    }),
  );

  test.each(addresses)('U4: %s reaches a new user as it is', (_, email) =>
    withKeywright({}, async (keywright) => {
      const edit = setting({ 'data.object.customer_email': email });
      await keywright.sendSample('stripe', INVOICE, edit);
      expect(onlyUser(keywright).email).toBe(email);
      const again = setting({
        id: 'evt_2',
        'data.object.customer_email': email,
        'data.object.parent.subscription_details.subscription': 'sub_2',
      });
      await keywright.sendSample('stripe', INVOICE, again);
      onlyUser(keywright);
      expect(keywright.sandbox.state.licenses).toHaveLength(2);
    }),
  );

  test.each([
    ['spaces around it', `  ${EMAIL}\n`],
    ['capitals', 'Zoe.LUKASIK@Example.COM'],
  ])('U4: %s: found as the user that is there', (_, email) =>
    withKeywright({ given: { users: [{ id: 'u1', email: EMAIL }] } }, async (keywright) => {
      const edit = setting({ 'data.object.customer_email': email });
      const answer = await keywright.sendSample('stripe', INVOICE, edit);
      expect(answer.json['userId']).toBe('u1');
      expect(onlyUser(keywright).email).toBe(EMAIL);
    }),
  );

  test('U4: the same buyer in two spellings is one user', () =>
    withKeywright({}, async (keywright) => {
      await keywright.sendSample('stripe', 'checkout.session.completed-payment');
      await keywright.sendSample('fastspring', 'order.completed-one-time');
      const edit = setting({
        'data.object.customer_email': ' sofia.rossi@example.com ',
      });
      await keywright.sendSample('stripe', INVOICE, edit);
      onlyUser(keywright);
      expect(keywright.sandbox.state.licenses).toHaveLength(3);
    }));

  test.each(['caseBlind', 'caseSensitive'] as const)(
    'U4: a user whose address is stored with capitals is found, also by lower case (filter %s)',
    (emailFilter) => {
      const given = { users: [{ id: 'u1', email: 'Zoe.Lukasik@Example.COM' }] };
      return withKeywright({ given, sandbox: { emailFilter } }, async (keywright) => {
        const answer = await keywright.sendSample('stripe', INVOICE);
        expect(answer.json).toMatchObject({ status: 'done', userId: 'u1' });
        onlyLicense(keywright);
      });
    },
  );

  test('U4: a search that finds somebody else’s address uses nobody', () => {
    const given = { users: [{ id: 'u1', email: 'zoe.lukasik@example.com.evil.example' }] };
    return withKeywright({ given }, async (keywright) => {
      await keywright.sendSample('stripe', INVOICE);
      expect(onlyLicense(keywright).userId).toBe(userByEmail(keywright, EMAIL).id);
    });
  });
});

describe('U6: what is missing', () => {
  const names = [
    ['no first name: the company', { first: null }, '合同会社ひかり工房'],
    ['a blank first name: the company', { first: '  ' }, '合同会社ひかり工房'],
    ['neither: the part before the @', { first: '', company: null }, 'taro.yamada'],
    ['no customer names at all', { first: null, last: null, company: ' ' }, 'taro.yamada'],
  ] as const;
  test.each(names)('U6: %s', (_, members, firstName) =>
    withKeywright({}, async (keywright) => {
      const changes = Object.entries(members).map(([name, value]) => [
        `${FS_CUSTOMER}.${name}`,
        value,
      ]);
      const edit = setting(Object.fromEntries(changes));
      await keywright.sendSample('fastspring', 'order.completed', edit);
      expect(onlyUser(keywright)).toMatchObject({ firstName });
      onlyLicense(keywright);
    }),
  );

  test('U6: a name longer than Cryptlex takes is cut, not refused', () =>
    withKeywright({}, async (keywright) => {
      const edit = setting({ 'data.object.customer_name': 'x'.repeat(300) });
      await keywright.sendSample('stripe', INVOICE, edit);
      expect(onlyUser(keywright).firstName).toBe('x'.repeat(256));
    }));

  const without = [
    ['stripe', 'invoice.paid-no-email', {}, ['customer_email']],
    [
      'stripe',
      'checkout.session.completed-payment',
      { 'data.object.customer_details.email': null },
      ['customer_details.email', 'customer_email'],
    ],
    [
      'stripe',
      'checkout.session.completed-payment',
      { 'data.object.customer_details': null },
      ['customer_details', 'customer_email'],
    ],
    ['fastspring', 'order.completed', { [`${FS_CUSTOMER}.email`]: '' }, ['customer.email']],
    ['fastspring', 'order.completed', { [`${FS_CUSTOMER}.email`]: ' ' }, ['customer.email']],
    ['fastspring', 'order.completed', { 'events.0.data.customer': undefined }, ['customer']],
    ['paddle', 'customer.created', { 'data.email': null }, ['email']],
    ['paddle', 'transaction.completed-web', { 'data.customer_id': null }, ['customer_id']],
  ] as const;
  test.each(without)(
    'U6: no e-mail where one is needed: refused, saying where it was looked for (%s %s %j)',
    (provider, sample, changes, places) =>
      withKeywright({}, async (keywright) => {
        const answer = await keywright.sendSample(provider, sample, setting(changes));
        expect(answer.status).toBe(400);
        expect(answer.json['error']).toBe('FIELD_MISSING');
        for (const place of places) expect(answer.json['message']).toContain(place);
        expectUntouched(keywright);
      }),
  );

  test('U6: an address that is none is refused before anything is made', () =>
    withKeywright({}, async (keywright) => {
      const edit = setting({ 'data.object.customer_email': 'not an address' });
      const answer = await keywright.sendSample('stripe', INVOICE, edit);
      expect(answer.status).toBe(400);
      expect(calls(keywright)).toEqual([]);
    }));
});
