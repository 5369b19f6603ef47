// Failures, whatever the provider: what is said after half of the work, and how the rest is done; events that
// need a license which is not there yet.

import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import type { Provider } from '../../src/core/providers.ts';
import { type Keywright, withKeywright } from '../support/keywright.ts';
import {
  calls,
  EXPIRY,
  EXPIRY_1M,
  expiries,
  monthly,
  onlyLicense,
  onlyUser,
  RENEWALS,
  replacing,
  suspended,
  underId,
  writes,
} from './support.ts';

describe('E2: a failure after half of the work', () => {
  const halves: [Provider, string, number][] = [
    ['fastspring', 'order.completed-cross-sell', 2],
    ['fastspring', 'order.completed-quantity', 3],
    ['paddle', 'transaction.completed-web-mixed', 2],
    ['paddle', 'transaction.completed-web-shuffled', 6],
  ];
  test.each(halves)(
    'E2: %s %s: says event, user, licenses done and the reason; the redelivery completes it',
    (provider, sample, count) =>
      withKeywright({}, async (keywright) => {
        const { sandbox } = keywright;
        const fault = { method: 'POST', path: '/v3/licenses', call: 2 } as const;
        sandbox.faults.add({ ...fault, effect: { kind: 'status', status: 400 } });
        const answer = await keywright.sendSample(provider, sample);
        expect(answer.status).toBe(400);
        expect(answer.json['error']).toBe('CRYPTLEX_REFUSED');
        const made = sandbox.state.licenses.map(({ id }) => id);
        expect(made.length).toBeGreaterThan(0);
        expect(made.length).toBeLessThan(count);
        const details = answer.json['details'] as JsonObject;
        expect(details).toMatchObject({
          eventId: expect.stringMatching(/\w/),
          userId: onlyUser(keywright).id,
          reason: expect.stringMatching(/POST \/v3\/licenses.*400.*sandbox fault/),
        });
        expect((details['licenseIds'] as string[]).toSorted()).toEqual(made.toSorted());

        const again = await keywright.sendSample(provider, sample);
        expect(again.status).toBe(200);
        const licenses = sandbox.state.licenses.map(({ id }) => id);
        expect(licenses).toHaveLength(count);
        expect((again.json['licenseIds'] as string[]).toSorted()).toEqual(licenses.toSorted());
        onlyUser(keywright);
        const third = await keywright.sendSample(provider, sample);
        expect(third.json).toMatchObject({ status: 'done', duplicate: true });
        expect(sandbox.state.licenses).toHaveLength(count);
      }),
  );

  test('E2: the same when it is resent by hand, under an id of its own', () =>
    withKeywright({}, async (keywright) => {
      const sample = 'order.completed-quantity';
      const fault = { method: 'POST', path: '/v3/licenses', call: 2 } as const;
      keywright.sandbox.faults.add({ ...fault, effect: { kind: 'status', status: 400 } });
      expect((await keywright.sendSample('fastspring', sample)).status).toBe(400);
      const resent = underId('fastspring', 'RESENT');
      expect((await keywright.sendSample('fastspring', sample, resent)).status).toBe(200);
      expect(keywright.sandbox.state.licenses).toHaveLength(3);
    }));

  test('E2: a license that Cryptlex refuses leaves the user and says so', () =>
    withKeywright({}, async (keywright) => {
      const path = '/v3/licenses';
      keywright.sandbox.faults.add({
        method: 'POST',
        path,
        effect: { kind: 'status', status: 400 },
      });
      const answer = await keywright.sendSample('stripe', 'invoice.paid-subscription-create');
      expect(answer.status).toBe(400);
      expect(answer.json['details']).toMatchObject({
        eventId: 'evt_1BKmaLN0rTh7LghtvKbJ2rKs',
        rule: 'subscription-started',
        userId: onlyUser(keywright).id,
        licenseIds: [],
      });
    }));

  test.each(RENEWALS)(
    'E2: %s: the second of three renewals refused: the first is not renewed again',
    (provider, _, renewal, metadata) => {
      const licenses = ['l1', 'l2', 'l3'].map((id) => monthly(id, metadata));
      return withKeywright({ given: { licenses } }, async (keywright) => {
        const path = '/v3/licenses/{id}/renew';
        keywright.sandbox.faults.add({
          method: 'POST',
          path,
          call: 2,
          effect: { kind: 'status', status: 400 },
        });
        const answer = await keywright.sendSample(provider, renewal);
        expect(answer.status).toBe(400);
        expect(expiries(keywright)).toMatchObject({ l1: EXPIRY_1M, l2: EXPIRY });
        expect((await keywright.sendSample(provider, renewal)).json['status']).toBe('done');
        expect(expiries(keywright)).toEqual({ l1: EXPIRY_1M, l2: EXPIRY_1M, l3: EXPIRY_1M });
      });
    },
  );
});

describe('E3: no license where one is needed', () => {
  test.each(RENEWALS)(
    'E3: %s: 503 waiting with what was searched; the sale comes, the redelivery succeeds',
    (provider, sale, renewal, metadata) =>
      withKeywright({}, async (keywright) => {
        const early = await keywright.sendSample(provider, renewal);
        expect(early.status).toBe(503);
        const [[key = '', value = ''] = []] = Object.entries(metadata);
        expect(early.json).toMatchObject({
          error: 'NOT_FINISHED',
          details: { status: 'waiting', reason: expect.stringContaining(`${key} = ${value}`) },
        });
        expect(writes(keywright)).toEqual([]);
        expect((await keywright.sendSample(provider, sale)).json['status']).toBe('done');
        const again = await keywright.sendSample(provider, renewal);
        expect(again.status).toBe(200);
        const { id } = onlyLicense(keywright);
        expect(again.json).toMatchObject({ status: 'done', licenseIds: [id] });
        // Woken by the sale or by the redelivery, it renewed once.
        await keywright.sendSample(provider, renewal);
        const renewals = calls(keywright).filter((call) => call.endsWith('/renew'));
        expect(renewals).toEqual([`POST /v3/licenses/${id}/renew`]);
      }),
  );

  test.each(RENEWALS)(
    'E3: %s: sale and renewal at the same moment, the renewal first: made and renewed',
    (provider, sale, renewal) =>
      withKeywright({}, async (keywright) => {
        await Promise.all([
          keywright.sendSample(provider, renewal),
          keywright.sendSample(provider, sale),
        ]);
        const again = await keywright.sendSample(provider, renewal);
        expect(again.json['status']).toBe('done');
        const { id } = onlyLicense(keywright);
        const renewals = calls(keywright).filter((call) => call.endsWith('/renew'));
        expect(renewals).toEqual([`POST /v3/licenses/${id}/renew`]);
      }),
  );

  const others: [Provider, string, string][] = [
    [
      'fastspring',
      'subscription.payment.overdue',
      'fastspring_subscription_id = DTQVErcdZx1FvGSxKpX0ZA',
    ],
    [
      'fastspring',
      'subscription.deactivated',
      'fastspring_subscription_id = DTQVErcdZx1FvGSxKpX0ZA',
    ],
    ['paddle', 'subscription.paused', 'paddle_subscription_id = sub_01m68tb2z0hh8fc72fmn3nh7pg'],
  ];
  test.each(others)(
    'E3: %s %s waits, too, and says what was searched',
    (provider, sample, searched) =>
      withKeywright({}, async (keywright) => {
        const answer = await keywright.sendSample(provider, sample);
        expect(answer.status).toBe(503);
        expect(answer.json['details']).toMatchObject({
          status: 'waiting',
          reason: expect.stringContaining(searched),
        });
      }),
  );

  test('E3: a suspension that waited is done as soon as the license is there, by itself', () =>
    withKeywright({}, async (keywright) => {
      await keywright.sendSample('fastspring', 'subscription.payment.overdue');
      await keywright.sendSample('fastspring', 'order.completed');
      await expect.poll(() => suspended(keywright)).toHaveLength(1);
    }));

  /** The log's line on an event's end. */
  const settled = (keywright: Keywright, status: string) =>
    keywright.log.filter((line) => line.includes(`"status":"${status}"`));

  test('E3: failed after the horizon, by itself, with what was searched', () => {
    const rules = { stripe: replacing('mode: any', 'waitFor: PT1S\nmode: any') };
    return withKeywright({ rules }, async (keywright) => {
      const renewal = 'invoice.paid-subscription-cycle';
      expect((await keywright.sendSample('stripe', renewal)).status).toBe(503);
      expect(settled(keywright, 'failed')).toEqual([]);
      await expect.poll(() => settled(keywright, 'failed')).toHaveLength(1);
      const [line = ''] = settled(keywright, 'failed');
      expect(line).toContain('LICENSE_NOT_FOUND');
      expect(line).toContain('stripe_subscription_id = sub_114uSCN0rTh7LghtB3w7AGHU');
    });
  });

  test('E3: a license to delete that never came is done after the horizon, told as such', () => {
    const rules = { fastspring: replacing('mode: any', 'waitFor: PT1S\nmode: any') };
    return withKeywright({ rules }, async (keywright) => {
      const sample = 'subscription.deactivated';
      expect((await keywright.sendSample('fastspring', sample)).status).toBe(503);
      await expect.poll(() => settled(keywright, 'done')).toHaveLength(1);
      const answer = await keywright.sendSample('fastspring', sample);
      expect(answer.json).toMatchObject({ status: 'done', duplicate: true });
      expect(answer.json['reason']).toContain('fastspring_subscription_id');
      expect(writes(keywright)).toEqual([]);
    });
  });
});
