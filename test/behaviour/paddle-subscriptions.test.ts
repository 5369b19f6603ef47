// Paddle's later transactions with the default rules: renewals, resumptions, changes of plan and pauses, for
// subscriptions of several licenses in several states.

import { describe, expect, test } from 'vitest';
import { withSetting } from '../support/settings.ts';
import {
  calls,
  EXPIRY,
  EXPIRY_1M,
  expectUntouched,
  expiries,
  licenseById,
  monthly,
  setting,
  suspended,
  withPaddle,
  writes,
} from './support.ts';

const REFERENCE = { paddle_subscription_id: 'sub_01m68tb2z0hh8fc72fmn3nh7pg' };
const RECURRING = 'transaction.completed-subscription-recurring';
const RESUMED = 'transaction.completed-subscription-recurring-resumed';
const UPDATE = 'transaction.completed-subscription-update';

/** Two active and two suspended licenses of the subscription, and strangers. */
const four = () => [
  monthly('active1', REFERENCE),
  monthly('paused1', REFERENCE, { suspended: true }),
  monthly('active2', REFERENCE, { subscriptionInterval: 'P1M' }),
  monthly('paused2', REFERENCE, { suspended: true, subscriptionInterval: 'P1Y' }),
  monthly('other', { paddle_subscription_id: 'sub_other' }, { suspended: true }),
];

describe('P4: a renewal', () => {
  test('P4: active licenses are renewed; suspended ones resume and expire at billing_period.ends_at', () =>
    withPaddle({ given: { licenses: four() } }, async (keywright) => {
      const answer = await keywright.sendSample('paddle', RESUMED);
      expect(answer.json).toMatchObject({
        status: 'done',
        rule: 'renewal',
        licenseIds: ['active1', 'paused1', 'active2', 'paused2'],
      });
      const endsAt = '2027-02-11T16:02:09.000Z';
      expect(expiries(keywright)).toEqual({
        active1: EXPIRY_1M,
        active2: EXPIRY_1M,
        paused1: endsAt,
        paused2: endsAt,
        other: EXPIRY,
      });
      expect(suspended(keywright)).toEqual(['other']);
      expect(writes(keywright).filter((call) => call.endsWith('/renew'))).toEqual([
        'POST /v3/licenses/active1/renew',
        'POST /v3/licenses/active2/renew',
      ]);
    }));

  test('P4, E6: the same transaction under another event id changes nothing', () =>
    withPaddle({ given: { licenses: four() } }, async (keywright) => {
      await keywright.sendSample('paddle', RESUMED);
      const before = expiries(keywright);
      const made = writes(keywright);
      const answer = await keywright.sendSample('paddle', RESUMED, setting({ event_id: 'evt_2' }));
      expect(answer.json['status']).toBe('done');
      expect(expiries(keywright)).toEqual(before);
      expect(writes(keywright)).toEqual(made);
    }));

  test('P4: broken off between expiry and resume, the redelivery resumes and does not renew', () => {
    const given = { licenses: [monthly('l1', REFERENCE, { suspended: true })] };
    return withPaddle({ given }, async (keywright) => {
      const path = '/v3/licenses/{id}';
      keywright.sandbox.faults.add({
        method: 'PATCH',
        path,
        effect: { kind: 'status', status: 400 },
      });
      expect((await keywright.sendSample('paddle', RESUMED)).status).toBe(400);
      keywright.sandbox.faults.clear();
      expect((await keywright.sendSample('paddle', RESUMED)).json['status']).toBe('done');
      expect(licenseById(keywright, 'l1').suspended).toBe(false);
      expect(expiries(keywright)).toEqual({ l1: '2027-02-11T16:02:09.000Z' });
      expect(writes(keywright).filter((call) => call.endsWith('/renew'))).toEqual([]);
    });
  });

  test('P4: without a billing period: refused before anything is changed', () =>
    withPaddle({ given: { licenses: four() } }, async (keywright) => {
      const answer = await keywright.sendSample(
        'paddle',
        RECURRING,
        setting({ 'data.billing_period': null }),
      );
      expect(answer.status).toBe(400);
      expect(answer.json['message']).toMatch(/billing_period/);
      expect(calls(keywright)).toEqual([]);
    }));

  test.each([null, ''])('P4: a subscription_id of %j is refused without a call', (id) =>
    withPaddle({ given: { licenses: four() } }, async (keywright) => {
      const answer = await keywright.sendSample(
        'paddle',
        RECURRING,
        setting({ 'data.subscription_id': id }),
      );
      expect(answer.status).toBe(400);
      expect(calls(keywright)).toEqual([]);
    }),
  );
});

describe('P5: a change of plan', () => {
  test('P5: suspended licenses resume until billing_period.ends_at; active ones stay', () =>
    withPaddle({ given: { licenses: four() } }, async (keywright) => {
      const answer = await keywright.sendSample('paddle', UPDATE);
      expect(answer.json).toMatchObject({ status: 'done', rule: 'change-of-plan' });
      const endsAt = '2028-01-19T10:14:30.000Z';
      expect(expiries(keywright)).toEqual({
        active1: EXPIRY,
        active2: EXPIRY,
        paused1: endsAt,
        paused2: endsAt,
        other: EXPIRY,
      });
      expect(suspended(keywright)).toEqual(['other']);
    }));

  test.each([
    ['none suspended', [monthly('l1', REFERENCE)]],
    ['none at all', []],
  ])('P5: %s is fine: 200, done, nothing written', (_, licenses) =>
    withPaddle({ given: { licenses } }, async (keywright) => {
      const answer = await keywright.sendSample('paddle', UPDATE);
      expect(answer.status).toBe(200);
      expect(answer.json['status']).toBe('done');
      expect(writes(keywright)).toEqual([]);
    }),
  );
});

test('P6: a paused subscription suspends all its licenses', () =>
  withPaddle({ given: { licenses: four() } }, async (keywright) => {
    const answer = await keywright.sendSample('paddle', 'subscription.paused');
    expect(answer.json).toMatchObject({ status: 'done', rule: 'paused' });
    expect(suspended(keywright)).toEqual(['active1', 'paused1', 'active2', 'paused2', 'other']);
    // Those that are suspended already need no call.
    expect(writes(keywright)).toEqual(['PATCH /v3/licenses/active1', 'PATCH /v3/licenses/active2']);
  }));

test('P4, P6: paused and resumed in turn, each told twice, ends as the last one says', () =>
  withPaddle({ given: { licenses: [monthly('l1', REFERENCE)] } }, async (keywright) => {
    for (const sample of [RECURRING, 'subscription.paused', RESUMED]) {
      await keywright.sendSample('paddle', sample);
      await keywright.sendSample('paddle', sample);
    }
    expect(suspended(keywright)).toEqual([]);
    expect(expiries(keywright)).toEqual({ l1: '2027-02-11T16:02:09.000Z' });
    // Told late, an older pause does not suspend what was paid since.
    const late = setting({ event_id: 'evt_late' });
    const answer = await keywright.sendSample('paddle', 'subscription.paused', late);
    expect(answer.json).toMatchObject({ status: 'done', reason: expect.stringMatching(/newer/) });
    expect(suspended(keywright)).toEqual([]);
  }));

describe('P11: other origins', () => {
  test.each([
    'transaction.completed-subscription-charge',
    'transaction.completed-subscription-payment-method-change',
    'transaction.completed-unknown-origin',
  ])('P11: %s is answered 200, ignored with a reason, no call', (sample) =>
    withPaddle({ given: { licenses: four() } }, async (keywright) => {
      const answer = await keywright.sendSample('paddle', sample);
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({
        status: 'ignored',
        rule: 'other-transaction',
        reason: expect.stringMatching(/origin/),
      });
      expect(calls(keywright)).toEqual([]);
    }),
  );

  test('P11: no origin at all is ignored, too', () =>
    withPaddle({}, async (keywright) => {
      const answer = await keywright.sendSample(
        'paddle',
        RECURRING,
        setting({ 'data.origin': null }),
      );
      expect(answer.json['status']).toBe('ignored');
      expectUntouched(keywright);
    }));
});

describe('P13: a canceled subscription', () => {
  test('P13: is not handled by default: 400, licenses untouched', () =>
    withPaddle({ given: { licenses: four() } }, async (keywright) => {
      const answer = await keywright.sendSample('paddle', 'subscription.canceled');
      expect(answer.status).toBe(400);
      expect(answer.json['error']).toBe('EVENT_UNMATCHED');
      expect(calls(keywright)).toEqual([]);
    }));

  test('P13: the rule that the file holds ready revokes its licenses once its setting says so', () => {
    const switchedOn = (text: string) => {
      return withSetting(text, 'cancellation', 'revoke');
    };
    const options = { rules: { paddle: switchedOn }, given: { licenses: four() } };
    return withPaddle(options, async (keywright) => {
      const answer = await keywright.sendSample('paddle', 'subscription.canceled');
      expect(answer.json).toMatchObject({ status: 'done', rule: 'canceled' });
      const revoked = keywright.sandbox.state.licenses.filter((license) => license.revoked);
      expect(revoked.map(({ id }) => id)).toEqual(['active1', 'paused1', 'active2', 'paused2']);
    });
  });
});
