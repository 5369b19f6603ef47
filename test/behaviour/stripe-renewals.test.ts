// Stripe's later invoices with the default rules: what renews a license, what does not, and for which
// licenses.

import { describe, expect, test } from 'vitest';
import {
  calls,
  EXPIRY,
  EXPIRY_1M,
  EXPIRY_2M,
  expectUntouched,
  expiries,
  monthly,
  setting,
  suspended,
  withStripe,
  writes,
} from './support.ts';

const SUBSCRIPTION = 'sub_114uSCN0rTh7LghtB3w7AGHU';
const LEGACY = 'sub_12wvNBN0rTh7LghtGEJqSiCv';
const RENEWAL = 'invoice.paid-subscription-cycle';
const PLACE = 'data.object.parent.subscription_details.subscription';
const of = (subscription: string) => ({ stripe_subscription_id: subscription });

test('S2: a renewal invoice renews the license of its subscription by one interval, once', () => {
  const licenses = [monthly('l1', of(SUBSCRIPTION)), monthly('other', of('sub_other'))];
  return withStripe({ given: { licenses } }, async (keywright) => {
    const answer = await keywright.sendSample('stripe', RENEWAL);
    expect(answer.json).toMatchObject({
      status: 'done',
      rule: 'subscription-renewed',
      licenseIds: ['l1'],
    });
    expect(expiries(keywright)).toEqual({ l1: EXPIRY_1M, other: EXPIRY });
    expect(calls(keywright)).toEqual(['GET /v3/licenses', 'POST /v3/licenses/l1/renew']);
    const again = await keywright.sendSample('stripe', RENEWAL);
    expect(again.json).toMatchObject({ status: 'done', duplicate: true, licenseIds: ['l1'] });
    expect(calls(keywright)).toHaveLength(2);
  });
});

test('S2: no e-mail is needed, and no user is touched', () => {
  const licenses = [monthly('l1', of(SUBSCRIPTION))];
  return withStripe({ given: { licenses } }, async (keywright) => {
    const edit = setting({ 'data.object.customer_email': null, 'data.object.customer_name': null });
    const answer = await keywright.sendSample('stripe', RENEWAL, edit);
    expect(answer.json['status']).toBe('done');
    expect(expiries(keywright)).toEqual({ l1: EXPIRY_1M });
    expect(calls(keywright).filter((call) => call.includes('/users'))).toEqual([]);
  });
});

test('S2, E6: two later invoices renew twice; one invoice under two event ids renews once', () => {
  const licenses = [monthly('l1', of(SUBSCRIPTION))];
  return withStripe({ given: { licenses } }, async (keywright) => {
    await keywright.sendSample('stripe', RENEWAL);
    const twin = await keywright.sendSample('stripe', RENEWAL, setting({ id: 'evt_twin' }));
    expect(twin.json).toMatchObject({ status: 'done', licenseIds: ['l1'] });
    expect(expiries(keywright)).toEqual({ l1: EXPIRY_1M });
    await keywright.sendSample('stripe', 'invoice.paid-subscription-cycle-expanded');
    expect(expiries(keywright)).toEqual({ l1: EXPIRY_2M });
    expect(writes(keywright)).toHaveLength(2);
  });
});

describe('S7: where the subscription of an invoice stands', () => {
  const cases = [
    ['the new place', RENEWAL, SUBSCRIPTION, {}],
    [
      'the new place, as a whole object',
      'invoice.paid-subscription-cycle-expanded',
      SUBSCRIPTION,
      {},
    ],
    ['the older place', 'invoice.paid-subscription-cycle-legacy', LEGACY, {}],
    [
      'the older place, as a whole object',
      'invoice.paid-subscription-cycle-legacy',
      LEGACY,
      { 'data.object.subscription': { id: LEGACY, object: 'subscription' } },
    ],
    ['both places', 'invoice.paid-subscription-cycle-both-shapes', LEGACY, {}],
    [
      'both places, at odds: the new one counts',
      'invoice.paid-subscription-cycle-both-shapes',
      LEGACY,
      { 'data.object.subscription': 'sub_wrong' },
    ],
  ] as const;
  test.each(cases)('S7: %s', (_, sample, subscription, changes) => {
    const licenses = [monthly('l1', of(subscription)), monthly('wrong', of('sub_wrong'))];
    return withStripe({ given: { licenses } }, async (keywright) => {
      const answer = await keywright.sendSample('stripe', sample, setting(changes));
      expect(answer.json['licenseIds']).toEqual(['l1']);
      expect(expiries(keywright)).toEqual({ l1: EXPIRY_1M, wrong: EXPIRY });
    });
  });

  const none = [
    ['nowhere', 'invoice.paid-no-subscription', {}],
    ['null in the new place', RENEWAL, { [PLACE]: null }],
    ['an empty text', RENEWAL, { [PLACE]: '' }],
    ['an empty object', RENEWAL, { [PLACE]: {} }],
    ['an object without id', RENEWAL, { [PLACE]: { object: 'subscription' } }],
  ] as const;
  test.each(none)(
    'S7: %s: refused without a call, whatever licenses there are',
    (_, sample, changes) => {
      // What software before Keywright wrote when it found no subscription.
      const licenses = [
        monthly('l1', of('subscription_empty')),
        monthly('l2', of('undefined')),
        monthly('l3', of('null')),
      ];
      return withStripe({ given: { licenses } }, async (keywright) => {
        const answer = await keywright.sendSample('stripe', sample, setting(changes));
        expect(answer.status).toBe(400);
        expect(answer.json['error']).toBe('FIELD_MISSING');
        expect(answer.json['message']).toMatch(/stripe_subscription_id/);
        expect(calls(keywright)).toEqual([]);
        expect(expiries(keywright)).toEqual({ l1: EXPIRY, l2: EXPIRY, l3: EXPIRY });
      });
    },
  );

  test('S7: a first invoice without a subscription is refused, too', () =>
    withStripe({}, async (keywright) => {
      const edit = setting({ [PLACE]: null });
      const answer = await keywright.sendSample('stripe', 'invoice.paid-subscription-create', edit);
      expect(answer.status).toBe(400);
      expectUntouched(keywright);
    }));
});

test('S8: every license of the subscription is renewed, also beyond the first page, and suspended ones resume', () => {
  const ids = Array.from({ length: 103 }, (_, index) => `l${index}`);
  const licenses = ids.map((id, index) =>
    monthly(id, of(SUBSCRIPTION), { suspended: index % 50 === 1 }),
  );
  return withStripe({ given: { licenses } }, async (keywright) => {
    expect(suspended(keywright)).toEqual(['l1', 'l51', 'l101']);
    const answer = await keywright.sendSample('stripe', RENEWAL);
    expect(answer.json['status']).toBe('done');
    expect(answer.json['licenseIds']).toEqual(ids);
    expect(new Set(Object.values(expiries(keywright)))).toEqual(new Set([EXPIRY_1M]));
    expect(suspended(keywright)).toEqual([]);
    // Two pages are read, each license is renewed, three are resumed.
    expect(calls(keywright)).toHaveLength(2 + 103 + 3);
    expect(calls(keywright).slice(0, 2)).toEqual(['GET /v3/licenses', 'GET /v3/licenses']);
  });
});

test('S8: licenses that only look alike are left alone', () => {
  const licenses = [
    monthly('l1', of(SUBSCRIPTION)),
    monthly('case', of(SUBSCRIPTION.toUpperCase())),
    monthly('longer', of(`${SUBSCRIPTION}x`)),
    // The key in one entry, the value in another: a search may find it.
    monthly('mixed', { stripe_subscription_id: 'sub_x', note: SUBSCRIPTION }),
  ];
  return withStripe({ given: { licenses } }, async (keywright) => {
    await keywright.sendSample('stripe', RENEWAL);
    expect(writes(keywright)).toEqual(['POST /v3/licenses/l1/renew']);
  });
});

test('S8: a license without an expiry is passed over with a reason, the others are renewed', () => {
  const perpetual = { subscriptionInterval: '', expiresAt: null, perpetual: true } as const;
  const licenses = [
    monthly('forever', of(SUBSCRIPTION), perpetual),
    monthly('l1', of(SUBSCRIPTION)),
  ];
  return withStripe({ given: { licenses } }, async (keywright) => {
    const answer = await keywright.sendSample('stripe', RENEWAL);
    expect(answer.json).toMatchObject({ status: 'done', reason: expect.stringMatching(/forever/) });
    expect(expiries(keywright)).toEqual({ forever: null, l1: EXPIRY_1M });
  });
});

describe('S10: invoices that neither start nor continue a subscription', () => {
  const cases = [
    ['subscription_update', 'invoice.paid-subscription-update', {}],
    ['manual', 'invoice.paid-manual', {}],
    ['subscription_threshold', RENEWAL, { 'data.object.billing_reason': 'subscription_threshold' }],
    ['a reason of the future', RENEWAL, { 'data.object.billing_reason': 'gift' }],
    ['no reason', RENEWAL, { 'data.object.billing_reason': null }],
  ] as const;
  test.each(cases)(
    'S10: %s is answered 200, ignored with a reason, the license untouched',
    (_, sample, changes) => {
      const licenses = [
        monthly('l1', of(SUBSCRIPTION)),
        monthly('l2', of('sub_11JG8XN0rTh7LghtMZbfWkKd')),
      ];
      return withStripe({ given: { licenses } }, async (keywright) => {
        const answer = await keywright.sendSample('stripe', sample, setting(changes));
        expect(answer.status).toBe(200);
        expect(answer.json).toMatchObject({
          status: 'ignored',
          reason: expect.stringMatching(/\w/),
        });
        expect(calls(keywright)).toEqual([]);
      });
    },
  );
});
