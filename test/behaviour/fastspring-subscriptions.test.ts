// FastSpring's later events with the default rules: charges, overdue payments, the end. All licenses of the
// subscription, those in a state that asks for nothing, and Cryptlex failing in between.

import { describe, expect, test } from 'vitest';
import {
  calls,
  EXPIRY,
  EXPIRY_1M,
  EXPIRY_2M,
  expiries,
  monthly,
  replacing,
  setting,
  suspended,
  withFastSpring,
  writes,
} from './support.ts';

const SUBSCRIPTION = 'DTQVErcdZx1FvGSxKpX0ZA';
const REFERENCE = { fastspring_subscription_id: SUBSCRIPTION };
const CHARGE = 'subscription.charge.completed';
const OVERDUE = 'subscription.payment.overdue';
const DEACTIVATED = 'subscription.deactivated';
const three = (isSuspended = false) => [
  monthly('l1', REFERENCE),
  monthly('l2', REFERENCE, { suspended: isSuspended }),
  monthly('l3', { ...REFERENCE, fastspring_driver: 'addon_northlight-pro-monthly' }),
  monthly('other', { fastspring_subscription_id: 'other' }),
];

test('F7: a successful charge renews every license of the subscription and resumes the suspended', () =>
  withFastSpring({ given: { licenses: three(true) } }, async (keywright) => {
    const answer = await keywright.sendSample('fastspring', CHARGE);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      status: 'done',
      rule: 'charge-completed',
      licenseIds: ['l1', 'l2', 'l3'],
    });
    expect(expiries(keywright)).toEqual({
      l1: EXPIRY_1M,
      l2: EXPIRY_1M,
      l3: EXPIRY_1M,
      other: EXPIRY,
    });
    expect(suspended(keywright)).toEqual([]);
  }));

test('F7, F11: charges with and without webhook expansion renew once each', () =>
  withFastSpring({ given: { licenses: three() } }, async (keywright) => {
    await keywright.sendSample('fastspring', CHARGE);
    await keywright.sendSample('fastspring', 'subscription.charge.completed-no-expansion');
    expect(expiries(keywright)).toEqual({
      l1: EXPIRY_2M,
      l2: EXPIRY_2M,
      l3: EXPIRY_2M,
      other: EXPIRY,
    });
  }));

test('F7, E6: a manual resend under a new event id renews nothing again', () =>
  withFastSpring({ given: { licenses: three() } }, async (keywright) => {
    await keywright.sendSample('fastspring', CHARGE);
    const resent = setting({ 'events.0.id': 'RESENT' });
    const answer = await keywright.sendSample('fastspring', CHARGE, resent);
    expect(answer.json).toMatchObject({ status: 'done', eventId: 'RESENT' });
    expect(expiries(keywright)['l1']).toBe(EXPIRY_1M);
    expect(writes(keywright)).toHaveLength(3);
  }));

test('F8: an overdue payment suspends every license of the subscription', () =>
  withFastSpring({ given: { licenses: three() } }, async (keywright) => {
    const answer = await keywright.sendSample('fastspring', OVERDUE);
    expect(answer.json).toMatchObject({ status: 'done', licenseIds: ['l1', 'l2', 'l3'] });
    expect(suspended(keywright)).toEqual(['l1', 'l2', 'l3']);
    expect(expiries(keywright)['l1']).toBe(EXPIRY);
    // Reminders come several times, under ids of their own.
    const again = setting({ 'events.0.id': 'second-reminder' });
    expect((await keywright.sendSample('fastspring', OVERDUE, again)).json['status']).toBe('done');
    expect(writes(keywright)).toHaveLength(3);
  }));

test('F9: a deactivated subscription loses all its licenses, nobody else’s', () =>
  withFastSpring({ given: { licenses: three(true) } }, async (keywright) => {
    const answer = await keywright.sendSample('fastspring', DEACTIVATED);
    expect(answer.json).toMatchObject({ status: 'done', licenseIds: ['l1', 'l2', 'l3'] });
    expect(keywright.sandbox.state.licenses.map(({ id }) => id)).toEqual(['other']);
    expect(writes(keywright)).toEqual(['l1', 'l2', 'l3'].map((id) => `DELETE /v3/licenses/${id}`));
    const again = await keywright.sendSample('fastspring', DEACTIVATED);
    expect(again.json).toMatchObject({ status: 'done', duplicate: true });
    expect(writes(keywright)).toHaveLength(3);
  }));

describe('E5: a supported type in another state', () => {
  const cases = [
    ['a charge that failed', 'subscription.charge.completed-failed-status', {}],
    ['a charge that does not say', CHARGE, { 'events.0.data.status': undefined }],
    ['an overdue reminder after the payment', 'subscription.payment.overdue-active', {}],
    ['an overdue reminder without a state', OVERDUE, { 'events.0.data.state': null }],
    ['a deactivation that says active', DEACTIVATED, { 'events.0.data.state': 'active' }],
    ['a deactivation that says canceled', DEACTIVATED, { 'events.0.data.state': 'canceled' }],
  ] as const;
  test.each(cases)(
    'F7, F8, F9, E5: %s: 200, ignored with a reason, no call',
    (_, sample, changes) =>
      withFastSpring({ given: { licenses: three() } }, async (keywright) => {
        const answer = await keywright.sendSample('fastspring', sample, setting(changes));
        expect(answer.status).toBe(200);
        expect(answer.json).toMatchObject({
          status: 'ignored',
          reason: expect.stringMatching(/\w/),
        });
        expect(calls(keywright)).toEqual([]);
      }),
  );

  test.each(['subscription.activated', 'subscription.canceled', 'return.created'])(
    'S5: %s, which no rule names, is refused with 400',
    (sample) =>
      withFastSpring({ given: { licenses: three() } }, async (keywright) => {
        const answer = await keywright.sendSample('fastspring', sample);
        expect(answer.status).toBe(400);
        expect(answer.json['error']).toBe('EVENT_UNMATCHED');
        expect(calls(keywright)).toEqual([]);
      }),
  );
});

describe('F11: no subscription anywhere', () => {
  const cases = [
    [CHARGE, { 'events.0.data.subscription': null }],
    [CHARGE, { 'events.0.data.subscription': '' }],
    [CHARGE, { 'events.0.data.subscription': { object: 'subscription' } }],
    [OVERDUE, { 'events.0.data.id': null }],
    [DEACTIVATED, { 'events.0.data.id': '' }],
  ] as const;
  test.each(cases)(
    'F11: %s %j is refused without a call: an empty search would find all licenses',
    (sample, changes) => {
      const licenses = [...three(), monthly('u', { fastspring_subscription_id: 'undefined' })];
      return withFastSpring({ given: { licenses } }, async (keywright) => {
        const answer = await keywright.sendSample('fastspring', sample, setting(changes));
        expect(answer.status).toBe(400);
        expect(answer.json['message']).toMatch(/fastspring_subscription_id/);
        expect(calls(keywright)).toEqual([]);
      });
    },
  );
});

describe('F13: Cryptlex fails', () => {
  const cases = [
    ['suspend', OVERDUE, 'PATCH', '/v3/licenses/{id}'],
    ['renew', CHARGE, 'POST', '/v3/licenses/{id}/renew'],
    ['delete', DEACTIVATED, 'DELETE', '/v3/licenses/{id}'],
  ] as const;
  test.each(cases)(
    'F13: on %s: told as not done, tried again, done when Cryptlex is back',
    (_, sample, method, path) => {
      const env = { WEBHOOK_DEADLINE_MS: '300' };
      return withFastSpring({ env, given: { licenses: three() } }, async (keywright) => {
        keywright.sandbox.faults.add({ method, path, effect: { kind: 'status', status: 500 } });
        const before = keywright.sandbox.state.licenses;
        const answer = await keywright.sendSample('fastspring', sample);
        expect(answer.status).toBe(503);
        expect(answer.json['error']).toBe('NOT_FINISHED');
        expect(answer.json['details']).toMatchObject({
          status: 'queued',
          reason: expect.stringContaining('500'),
        });
        expect(answer.text).not.toMatch(/successful/);
        expect(keywright.sandbox.state.licenses).toEqual(before);
        keywright.sandbox.faults.clear();
        const again = await keywright.sendSample('fastspring', sample);
        expect(again.status).toBe(200);
        expect(again.json['status']).toBe('done');
        const { licenses } = keywright.sandbox.state;
        if (method === 'DELETE') expect(licenses.map(({ id }) => id)).toEqual(['other']);
        else if (method === 'PATCH') expect(suspended(keywright)).toEqual(['l1', 'l2', 'l3']);
        else
          expect(Object.values(expiries(keywright)).slice(0, 3)).toEqual(Array(3).fill(EXPIRY_1M));
      });
    },
  );

  test.each(cases)(
    'F13: on %s for one of three: the others are not told as all, a refusal is a failure',
    (_, sample, method, path) =>
      withFastSpring({ given: { licenses: three() } }, async (keywright) => {
        keywright.sandbox.faults.add({
          method,
          path,
          call: 2,
          effect: { kind: 'status', status: 400 },
        });
        const answer = await keywright.sendSample('fastspring', sample);
        expect(answer.status).toBe(400);
        expect(answer.json['error']).toBe('CRYPTLEX_REFUSED');
        expect(answer.json['details']).toMatchObject({ reason: expect.stringContaining('400') });
      }),
  );
});

describe('S13: FastSpring’s live and test mode', () => {
  const modes = [
    ['live', false, 'ignored'],
    ['live', true, 'done'],
    ['test', false, 'done'],
    ['test', true, 'ignored'],
    ['any', true, 'done'],
  ] as const;
  test.each(modes)('S13: mode: %s, an event with live %s is %s', (mode, live, status) => {
    const rules = { fastspring: replacing('mode: any', `mode: ${mode}`) };
    return withFastSpring({ rules, given: { licenses: three() } }, async (keywright) => {
      const answer = await keywright.sendSample(
        'fastspring',
        CHARGE,
        setting({ 'events.0.live': live }),
      );
      expect(answer.status).toBe(200);
      expect(answer.json['status']).toBe(status);
      if (status === 'ignored') expect(answer.json['reason']).toMatch(/live|test/);
      expect(expiries(keywright)['l1']).toBe(status === 'done' ? EXPIRY_1M : EXPIRY);
    });
  });
});
