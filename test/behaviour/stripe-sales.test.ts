// Stripe's sales with the default rules: which user and which license follow from a checkout or a first
// invoice. Real HTTP, real signatures, the sandbox of Cryptlex at the other end.

import { describe, expect, test } from 'vitest';
import { PRODUCT_ID } from '../support/keywright.ts';
import {
  calls,
  expectUntouched,
  metadataOf,
  onlyLicense,
  onlyUser,
  referencesOf,
  sampleText,
  setting,
  userByEmail,
  withStripe,
  writes,
} from './support.ts';

const SUBSCRIPTION = 'sub_114uSCN0rTh7LghtB3w7AGHU';

describe('S1: the first invoice of a subscription', () => {
  test('S1: makes the user and a license of CRYPTLEX_PRODUCT_ID with stripe_subscription_id', () =>
    withStripe({}, async (keywright) => {
      const answer = await keywright.sendSample('stripe', 'invoice.paid-subscription-create');
      const user = onlyUser(keywright);
      const license = onlyLicense(keywright);
      expect(user).toMatchObject({
        email: 'zoe.lukasik@example.com',
        firstName: 'Zoë Łukasik',
        role: 'user',
      });
      expect(license).toMatchObject({ productId: PRODUCT_ID, userId: user.id, suspended: false });
      expect(referencesOf(license)).toEqual({ stripe_subscription_id: SUBSCRIPTION });
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({
        status: 'done',
        eventId: 'evt_1BKmaLN0rTh7LghtvKbJ2rKs',
        rule: 'subscription-started',
        userId: user.id,
        licenseIds: [license.id],
      });
    }));

  test('S1: without a name the user is called "Stripe Invoice {id}"', () =>
    withStripe({}, async (keywright) => {
      await keywright.sendSample('stripe', 'invoice.paid-no-name');
      const id = sampleText('stripe', 'invoice.paid-no-name', 'data.object.id');
      expect(onlyUser(keywright)).toMatchObject({
        email: 'build+ci@example.net',
        firstName: `Stripe Invoice ${id}`,
      });
      onlyLicense(keywright);
    }));

  test('S1: a user who is there already gets the license and stays as he is', () => {
    const user = { id: 'u1', email: 'zoe.lukasik@example.com', firstName: 'Z.', lastName: 'L.' };
    return withStripe({ given: { users: [user] } }, async (keywright) => {
      const answer = await keywright.sendSample('stripe', 'invoice.paid-subscription-create');
      expect(onlyUser(keywright)).toMatchObject(user);
      expect(onlyLicense(keywright).userId).toBe('u1');
      expect(answer.json['userId']).toBe('u1');
      expect(writes(keywright)).toEqual(['POST /v3/licenses']);
    });
  });

  test('S1, E5: an invoice that is not paid is ignored with a reason, without a call', () =>
    withStripe({}, async (keywright) => {
      const answer = await keywright.sendSample('stripe', 'invoice.paid-open');
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({
        status: 'ignored',
        reason: expect.stringMatching(/paid/),
      });
      expectUntouched(keywright);
    }));
});

describe('S3: a completed checkout', () => {
  test('S3: of a subscription: user from customer_details, license of the subscription', () =>
    withStripe({}, async (keywright) => {
      const answer = await keywright.sendSample(
        'stripe',
        'checkout.session.completed-subscription',
      );
      expect(answer.json).toMatchObject({ status: 'done', rule: 'checkout-paid' });
      expect(onlyUser(keywright)).toMatchObject({
        email: 'zoe.lukasik@example.com',
        firstName: 'Zoë Łukasik',
        role: 'user',
      });
      const license = onlyLicense(keywright);
      expect(license.productId).toBe(PRODUCT_ID);
      expect(referencesOf(license)).toEqual({ stripe_subscription_id: SUBSCRIPTION });
    }));

  test('S3: of a one-time purchase: the license carries the id of the session', () =>
    withStripe({}, async (keywright) => {
      await keywright.sendSample('stripe', 'checkout.session.completed-payment');
      const id = sampleText('stripe', 'checkout.session.completed-payment', 'data.object.id');
      const license = onlyLicense(keywright);
      expect(license.productId).toBe(PRODUCT_ID);
      expect(referencesOf(license)).toEqual({ stripe_subscription_id: id });
    }));

  test('S3: the e-mail is that of customer_details, else customer_email; the name "Stripe Checkout {id}"', () =>
    withStripe({}, async (keywright) => {
      const sample = 'checkout.session.completed-prefilled-email';
      await keywright.sendSample('stripe', sample);
      const id = sampleText('stripe', sample, 'data.object.id');
      // The session's id is longer than a name may be short: it is kept whole.
      expect(onlyUser(keywright)).toMatchObject({
        email: 'ingrid.ostergard@example.net',
        firstName: `Stripe Checkout ${id}`,
      });
    }));

  test('S3: customer_details wins over customer_email', () =>
    withStripe({}, async (keywright) => {
      const edit = setting({ 'data.object.customer_email': 'prefilled@example.com' });
      await keywright.sendSample('stripe', 'checkout.session.completed-payment', edit);
      userByEmail(keywright, 'sofia.rossi@example.com');
      expect(keywright.sandbox.state.users).toHaveLength(1);
    }));

  test('S3: with an e-mail but no name the user is called "Stripe Checkout {id}"', () =>
    withStripe({}, async (keywright) => {
      const sample = 'checkout.session.completed-no-name';
      await keywright.sendSample('stripe', sample);
      expect(onlyUser(keywright)).toMatchObject({
        email: 'build+ci@example.net',
        firstName: `Stripe Checkout ${sampleText('stripe', sample, 'data.object.id')}`,
      });
    }));

  test('S3: a free trial (no_payment_required) is licensed', () =>
    withStripe({}, async (keywright) => {
      await keywright.sendSample('stripe', 'checkout.session.completed-no-payment-required');
      expect(referencesOf(onlyLicense(keywright))).toEqual({
        stripe_subscription_id: 'sub_1TbLYEN0rTh7Lghtwmkc3yBV',
      });
    }));
});

describe('S4: a new customer', () => {
  test('S4: becomes a user with e-mail and name, and the answer holds the user id', () =>
    withStripe({}, async (keywright) => {
      const answer = await keywright.sendSample('stripe', 'customer.created');
      const user = onlyUser(keywright);
      expect(user).toMatchObject({
        email: 'zoe.lukasik@example.com',
        firstName: 'Zoë Łukasik',
        role: 'user',
      });
      expect(metadataOf(user)).toEqual({});
      expect(answer.json).toMatchObject({ status: 'done', userId: user.id });
      expect(keywright.sandbox.state.licenses).toEqual([]);
    }));

  test('S4: one that exists gets the name of the event; the role stays', () => {
    const user = { id: 'u1', email: 'zoe.lukasik@example.com', firstName: 'Old', role: 'user' };
    return withStripe({ given: { users: [user] } }, async (keywright) => {
      const answer = await keywright.sendSample('stripe', 'customer.created');
      expect(onlyUser(keywright)).toMatchObject({ ...user, firstName: 'Zoë Łukasik' });
      expect(answer.json['userId']).toBe('u1');
      expect(keywright.sandbox.requests.at(-1)?.body).toEqual({ firstName: 'Zoë Łukasik' });
    });
  });

  test('S4, E5: without a name the user is called by the address; an existing name stays', () =>
    withStripe({}, async (keywright) => {
      await keywright.sendSample('stripe', 'customer.created-no-name');
      expect(onlyUser(keywright)).toMatchObject({
        email: 'build+ci@example.net',
        firstName: 'build+ci',
      });
      const again = setting({ id: 'evt_other' });
      await keywright.sendSample('stripe', 'customer.created-no-name', again);
      expect(onlyUser(keywright).firstName).toBe('build+ci');
      expect(writes(keywright)).toEqual(['POST /v3/users']);
    }));

  test('S4, E5: without an e-mail it is ignored with a reason', () =>
    withStripe({}, async (keywright) => {
      const answer = await keywright.sendSample('stripe', 'customer.created-no-email');
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({
        status: 'ignored',
        reason: expect.stringMatching(/e-mail/),
      });
      expectUntouched(keywright);
    }));
});

test('S1, S3: a first purchase reads before it writes, and writes twice', () =>
  withStripe({}, async (keywright) => {
    await keywright.sendSample('stripe', 'invoice.paid-subscription-create');
    const made = calls(keywright);
    expect(writes(keywright)).toEqual(['POST /v3/users', 'POST /v3/licenses']);
    expect(made.indexOf('POST /v3/users')).toBeLessThan(made.indexOf('POST /v3/licenses'));
  }));
