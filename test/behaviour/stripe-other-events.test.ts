// Stripe's events that sell nothing, or nothing yet: types that no rule names, and checkouts that are not paid.

import { describe, expect, test } from 'vitest';
import {
  expectUntouched,
  onlyLicense,
  onlyUser,
  referencesOf,
  replacing,
  sampleText,
  setting,
  withStripe,
} from './support.ts';

describe('S5: events that no rule names', () => {
  const others = [
    'charge.refunded',
    'customer.subscription.updated',
    'customer.subscription.deleted',
    'invoice.payment_failed',
  ];
  test.each(others)('S5: %s is refused with 400 and the reason', (sample) =>
    withStripe({}, async (keywright) => {
      const answer = await keywright.sendSample('stripe', sample);
      expect(answer.status).toBe(400);
      expect(answer.json).toMatchObject({
        error: 'EVENT_UNMATCHED',
        details: { eventId: sampleText('stripe', sample, 'id'), licenseIds: [] },
      });
      expect(answer.text).toContain(sample);
      expectUntouched(keywright);
    }),
  );

  test('S5: the setting `unmatched: ignore` answers 200, recorded as unmatched', () => {
    const rules = { stripe: replacing('unmatched: reject', 'unmatched: ignore') };
    return withStripe({ rules }, async (keywright) => {
      const answer = await keywright.sendSample('stripe', 'charge.refunded');
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({ status: 'unmatched' });
      expectUntouched(keywright);
    });
  });

  test('S5: invoice.created is always answered 200, or Stripe would hold all invoices back', () =>
    withStripe({}, async (keywright) => {
      const answer = await keywright.sendSample('stripe', 'invoice.created');
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({ status: 'ignored', rule: 'invoice-created' });
      expectUntouched(keywright);
    }));

  test('S5: a thin event is refused and told to be a snapshot', () =>
    withStripe({}, async (keywright) => {
      const answer = await keywright.sendSample('stripe', 'v1.invoice.paid-thin');
      expect(answer.status).toBe(400);
      expect(answer.json['error']).toBe('THIN_EVENT');
      expect(answer.json['message']).toMatch(/snapshot/);
      expectUntouched(keywright);
    }));
});

describe('S9: checkouts that are not paid yet', () => {
  test('S9: unpaid issues nothing; async_payment_succeeded issues then, once', () =>
    withStripe({}, async (keywright) => {
      const first = await keywright.sendSample('stripe', 'checkout.session.completed-unpaid');
      expect(first.status).toBe(200);
      expect(first.json).toMatchObject({ status: 'ignored', rule: 'checkout-unpaid' });
      expectUntouched(keywright);
      const succeeded = 'checkout.session.async_payment_succeeded';
      const second = await keywright.sendSample('stripe', succeeded);
      expect(second.json).toMatchObject({ status: 'done', rule: 'checkout-paid' });
      const id = sampleText('stripe', succeeded, 'data.object.id');
      expect(referencesOf(onlyLicense(keywright))).toEqual({ stripe_subscription_id: id });
      expect(onlyUser(keywright).email).toBe('j.mueller@example.net');
    }));

  const ignored = [
    ['a payment that failed', 'checkout.session.async_payment_failed', {}],
    ['a setup-mode session', 'checkout.session.completed-setup', {}],
    [
      'a success that says it is still unpaid',
      'checkout.session.async_payment_succeeded',
      { 'data.object.payment_status': 'unpaid' },
    ],
    [
      'a payment status that does not exist today',
      'checkout.session.completed-payment',
      { 'data.object.payment_status': 'partly_paid' },
    ],
    [
      'a session without a payment status',
      'checkout.session.completed-payment',
      { 'data.object.payment_status': null },
    ],
  ] as const;
  test.each(ignored)('S9: %s is ignored with a reason, without a call', (_, sample, changes) =>
    withStripe({}, async (keywright) => {
      const answer = await keywright.sendSample('stripe', sample, setting(changes));
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({ status: 'ignored', reason: expect.stringMatching(/\w/) });
      expectUntouched(keywright);
    }),
  );
});
