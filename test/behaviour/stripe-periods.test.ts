// Stripe's paid-through date for rules of one's own, and live or test mode.

import { describe, expect, test } from 'vitest';
import {
  expectUntouched,
  expiries,
  monthly,
  onlyLicense,
  replacing,
  setting,
  withStripe,
  writes,
} from './support.ts';

const SUBSCRIPTION = 'sub_114uSCN0rTh7LghtB3w7AGHU';
const LEGACY = 'sub_12wvNBN0rTh7LghtGEJqSiCv';
const RENEWAL = 'invoice.paid-subscription-cycle';
const of = (subscription: string) => ({ stripe_subscription_id: subscription });

describe('S12: the paid-through date', () => {
  const SETS_EXPIRY = replacing(
    `      - license.renew:
          find: { metadata: { stripe_subscription_id: =$subscriptionId } }
          whenSuspended: { resume: true }`,
    `      - license.setExpiry:
          find: { metadata: { stripe_subscription_id: =$subscriptionId } }
          expiresAt: =$paidThrough`,
  );
  const cases = [
    ['of the only line', RENEWAL, SUBSCRIPTION, 1_798_535_645],
    [
      'of the plan, not of the prorations before it',
      'invoice.paid-subscription-cycle-with-proration',
      'sub_11JG8XN0rTh7LghtMZbfWkKd',
      1_798_593_760,
    ],
    ['in older API versions', 'invoice.paid-subscription-cycle-legacy', LEGACY, 1_798_921_907],
  ] as const;
  test.each(cases)(
    'S12: a rule of one’s own can set it: the period end %s',
    (_, sample, subscription, seconds) => {
      const options = {
        rules: { stripe: SETS_EXPIRY },
        given: { licenses: [monthly('l1', of(subscription))] },
      };
      return withStripe(options, async (keywright) => {
        const answer = await keywright.sendSample('stripe', sample);
        expect(answer.json['status']).toBe('done');
        const wanted = new Date(seconds * 1000).toISOString();
        expect(expiries(keywright)).toEqual({ l1: wanted });
        expect(writes(keywright)).toEqual(['PATCH /v3/licenses/l1/expires-at']);
      });
    },
  );

  test('S12: the latest of several lines counts, and a proration that ends later does not', () => {
    const options = {
      rules: { stripe: SETS_EXPIRY },
      given: { licenses: [monthly('l1', of('sub_1CVIMjN0rTh7LghtmL33UMYu'))] },
    };
    return withStripe(options, async (keywright) => {
      const edit = setting({
        'data.object.billing_reason': 'subscription_cycle',
        'data.object.lines.data.0.period.end': 1_800_000_000,
        'data.object.lines.data.1.period.end': 1_700_000_000,
      });
      await keywright.sendSample('stripe', 'invoice.paid-two-lines', edit);
      expect(expiries(keywright)['l1']).toBe(new Date(1_800_000_000_000).toISOString());
      const proration = 'data.object.lines.data.0.parent.subscription_item_details.proration';
      const later = setting({
        id: 'evt_2',
        created: 1_798_000_000,
        'data.object.id': 'in_2',
        'data.object.billing_reason': 'subscription_cycle',
        [proration]: true,
        'data.object.lines.data.1.period.end': 1_700_000_000,
      });
      await keywright.sendSample('stripe', 'invoice.paid-two-lines', later);
      expect(expiries(keywright)['l1']).toBe(new Date(1_700_000_000_000).toISOString());
    });
  });
});

describe('S13: live and test mode', () => {
  const modes = [
    ['live', false, 'ignored'],
    ['live', true, 'done'],
    ['test', false, 'done'],
    ['test', true, 'ignored'],
    ['any', false, 'done'],
    ['any', true, 'done'],
  ] as const;
  test.each(modes)('S13: mode: %s, an event with livemode %s is %s', (mode, livemode, status) => {
    const rules = { stripe: replacing('mode: any', `mode: ${mode}`) };
    return withStripe({ rules }, async (keywright) => {
      const sample = 'invoice.paid-subscription-create';
      const answer = await keywright.sendSample('stripe', sample, setting({ livemode }));
      expect(answer.status).toBe(200);
      expect(answer.json['status']).toBe(status);
      if (status === 'done') onlyLicense(keywright);
      else {
        expect(answer.json['reason']).toMatch(/live|test/);
        expectUntouched(keywright);
      }
    });
  });
});
