// FastSpring's deliveries of several events. What is answered to FastSpring is the point here: only an exact
// 200, or a 202 with ids, is a receipt.

import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { sampleBody } from '../support/keywright.ts';
import {
  calls,
  EXPIRY_1M,
  expectUntouched,
  expiries,
  monthly,
  onlyLicense,
  onlyUser,
  PRO,
  referencesOf,
  replacing,
  STUDIO,
  suspended,
  withFastSpring,
} from './support.ts';

const REFERENCE = { fastspring_subscription_id: 'DTQVErcdZx1FvGSxKpX0ZA' };
const CHARGE = 'subscription.charge.completed';
const OVERDUE = 'subscription.payment.overdue';

/** One POST of the events of several samples, each changed before. */
function batchOf(...parts: readonly (readonly [string, JsonObject])[]): JsonObject {
  const events = parts.flatMap(([sample, changes]) => {
    const { events: inside } = sampleBody('fastspring', sample);
    return (inside as JsonObject[]).map((event) => ({ ...event, ...changes }));
  });
  return { events };
}

describe('F10: several events in one POST', () => {
  test('F10: an unsupported type beside a good order costs the order nothing: 202 with the id of what was done', () =>
    withFastSpring({}, async (keywright) => {
      const answer = await keywright.sendSample('fastspring', 'batch-order-and-activation');
      expect(answer.status).toBe(202);
      expect(answer.text).toBe('6caY9Pi-Hceu5-El0vR9OQ');
      const license = onlyLicense(keywright);
      expect(license.productId).toBe(PRO);
      expect(referencesOf(license)).toEqual({
        fastspring_subscription_id: 'yNOG6pIaaQBbfWDoeak3vg',
      });
      expect(onlyUser(keywright).email).toBe('j.mueller@example.net');
    }));

  test('F10: a 202 is text, one id a line', () =>
    withFastSpring({}, async (keywright) => {
      const parts = [
        ['order.completed', {}],
        ['return.created', {}],
        ['order.completed-one-time', {}],
        ['subscription.payment.overdue-active', {}],
      ] as const;
      const response = await keywright.send('fastspring', batchOf(...parts));
      expect(response.status).toBe(202);
      // In the order in which they happened: two orders done, one reminder ignored.
      expect(response.text.split('\n')).toEqual([
        'VTZZRXQLJUDI46CS7KNAOLABGVZEOX',
        '5EWMYHTMQDPVJETX2VPGHZ3E6TSX46',
        'ZKFSO6F5ZB6J5JQWAHUSVGX3NDLBSI',
      ]);
    }));

  test('F10: with `unmatched: ignore` the same POST is a plain 200', () => {
    const rules = { fastspring: replacing('unmatched: reject', 'unmatched: ignore') };
    return withFastSpring({ rules }, async (keywright) => {
      const answer = await keywright.sendSample('fastspring', 'batch-order-and-activation');
      expect(answer.status).toBe(200);
      const events = answer.json['events'] as JsonObject[];
      expect(events.map(({ status }) => status)).toEqual(['unmatched', 'done', 'unmatched']);
      onlyLicense(keywright);
    });
  });

  test('F10: every event done: 200 with an answer for each', () =>
    withFastSpring({}, async (keywright) => {
      const body = batchOf(['order.completed', {}], ['order.completed-one-time', {}]);
      const answer = await keywright.send('fastspring', body);
      expect(answer.status).toBe(200);
      const events = answer.json['events'] as JsonObject[];
      const licenses = keywright.sandbox.state.licenses.map(({ id }) => [id]);
      expect(events.map(({ status }) => status)).toEqual(['done', 'done']);
      expect(events.map(({ licenseIds }) => licenseIds).toSorted()).toEqual(licenses.toSorted());
      const again = await keywright.send('fastspring', body);
      expect(again.status).toBe(200);
      expect((again.json['events'] as JsonObject[]).map(({ duplicate }) => duplicate)).toEqual([
        true,
        true,
      ]);
      expect(keywright.sandbox.state.licenses).toHaveLength(2);
    }));

  test('F10: a bad order beside a good one: 202, the good one is made, the bad one leaves nothing', () =>
    withFastSpring({}, async (keywright) => {
      const answer = await keywright.sendSample('fastspring', 'batch-two-orders');
      expect(answer.status).toBe(202);
      expect(answer.text).toBe('SJ14yaRC9QvLlpiC3gRbnw');
      expect(onlyLicense(keywright).productId).toBe(STUDIO);
      expect(onlyUser(keywright).email).toBe('leila.haddad@example.org');
    }));

  test('F10: none can be processed: 400 with the reason of each', () =>
    withFastSpring({}, async (keywright) => {
      const body = batchOf(['return.created', {}], ['order.completed-unlicensed-only', {}]);
      const answer = await keywright.send('fastspring', body);
      expect(answer.status).toBe(400);
      const events = answer.json['events'] as JsonObject[];
      // In the order in which they happened.
      expect(events.map(({ error }) => error)).toEqual(['RULE_REJECTED', 'EVENT_UNMATCHED']);
      expectUntouched(keywright);
    }));

  const T = 1_796_000_000_000;
  const orders = [
    ['charge, then overdue', [CHARGE, T], [OVERDUE, T + 1000], ['l1']],
    ['overdue, then charge', [CHARGE, T + 1000], [OVERDUE, T], []],
  ] as const;
  for (const turned of [false, true]) {
    test.each(orders)(
      `F10: handled by created, whatever their place (%s, ${turned ? 'the other way round' : 'in this way'} in the POST)`,
      (_, charge, overdue, wanted) => {
        const given = { licenses: [monthly('l1', REFERENCE)] };
        return withFastSpring({ given }, async (keywright) => {
          const parts: [string, JsonObject][] = [
            [charge[0], { created: charge[1] }],
            [overdue[0], { created: overdue[1] }],
          ];
          const answer = await keywright.send(
            'fastspring',
            batchOf(...(turned ? parts.reverse() : parts)),
          );
          expect(answer.status).toBe(200);
          expect(suspended(keywright)).toEqual(wanted);
          expect(expiries(keywright)).toEqual({ l1: EXPIRY_1M });
        });
      },
    );
  }

  test('F10: of one created, their place decides', () => {
    const given = { licenses: [monthly('l1', REFERENCE)] };
    const same = { created: T };
    return withFastSpring({ given }, async (keywright) => {
      const body = batchOf([CHARGE, same], ['subscription.deactivated', same]);
      const answer = await keywright.send('fastspring', body);
      expect(answer.status).toBe(200);
      expect(calls(keywright).filter((call) => /renew|DELETE/.test(call))).toEqual([
        'POST /v3/licenses/l1/renew',
        'DELETE /v3/licenses/l1',
      ]);
    });
  });

  test('F10: an order and its first charge in one POST, the charge first: made, then renewed', () =>
    withFastSpring({}, async (keywright) => {
      const answer = await keywright.send(
        'fastspring',
        batchOf([CHARGE, {}], ['order.completed', {}]),
      );
      expect(answer.status).toBe(200);
      const { id } = onlyLicense(keywright);
      expect(calls(keywright).at(-1)).toBe(`POST /v3/licenses/${id}/renew`);
    }));
});
