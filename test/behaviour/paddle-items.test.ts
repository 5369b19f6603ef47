// Paddle's items with the default rules: recurring or one-time, each with its own interval, joined by price.

import { describe, expect, test } from 'vitest';
import { parseInterval } from '../../src/core/interval.ts';
import type { JsonObject, JsonValue } from '../../src/core/model.ts';
import {
  expectUntouched,
  LENS,
  LENS_TEMPLATE,
  MONTHLY,
  made,
  onlyLicense,
  PRO,
  STUDIO,
  STUDIO_TEMPLATE,
  setting,
  withPaddle,
  YEARLY,
} from './support.ts';

const WEB = 'transaction.completed-web';
const LINE = 'data.details.line_items.0';
const PRICE = 'data.items.0.price';

describe('P2, P3: recurring and one-time items', () => {
  const cycles = [
    ['day', 10, 'P10D'],
    ['week', 2, 'P2W'],
    ['month', 3, 'P3M'],
    ['year', 1, 'P1Y'],
  ] as const;
  test.each(cycles)('P2: every %s × %i is %s', (interval, frequency, wanted) =>
    withPaddle({}, async (keywright) => {
      const edit = setting({ [`${PRICE}.billing_cycle`]: { interval, frequency } });
      await keywright.sendSample('paddle', WEB, edit);
      const sent = keywright.sandbox.requests.at(-1)?.body as JsonObject;
      expect(sent['subscriptionInterval']).toBe(wanted);
      expect(parseInterval(onlyLicense(keywright).subscriptionInterval ?? '')).toEqual(
        parseInterval(wanted),
      );
    }),
  );

  test('P2: an interval that does not exist is refused', () =>
    withPaddle({}, async (keywright) => {
      const edit = setting({ [`${PRICE}.billing_cycle`]: { interval: 'quarter', frequency: 1 } });
      const answer = await keywright.sendSample('paddle', WEB, edit);
      expect(answer.status).toBe(400);
      expectUntouched(keywright);
    }));

  test.each([
    ['as the sample has it', 'transaction.completed-web-no-subscription', {}],
    ['empty', WEB, { 'data.subscription_id': '' }],
    ['missing', WEB, { 'data.subscription_id': undefined }],
  ] as const)(
    'P2: no subscription yet (%s): refused, never written as null',
    (_, sample, changes) =>
      withPaddle({}, async (keywright) => {
        const answer = await keywright.sendSample('paddle', sample, setting(changes));
        expect(answer.status).toBe(400);
        expect(answer.json['error']).toBe('FIELD_MISSING');
        expect(answer.json['message']).toMatch(/subscription_id/);
        expectUntouched(keywright);
      }),
  );

  test('P3: a one-time item is perpetual and carries the transaction', () =>
    withPaddle({}, async (keywright) => {
      await keywright.sendSample('paddle', 'transaction.completed-web-one-time');
      expect(made(keywright)).toEqual([
        [STUDIO, STUDIO_TEMPLATE, '', { paddle_transaction_id: 'txn_01m6c5g0hrxxa8qs029heccbez' }],
      ]);
      expect(onlyLicense(keywright).expiresAt).toBeNull();
    }));

  test('P2, P3: both in one cart', () =>
    withPaddle({}, async (keywright) => {
      await keywright.sendSample('paddle', 'transaction.completed-web-mixed');
      expect(made(keywright)).toEqual([
        [PRO, MONTHLY, 'P1M', { paddle_subscription_id: 'sub_01m6eqzn9rv2rwajxxcxd4fnv1' }],
        [LENS, LENS_TEMPLATE, '', { paddle_transaction_id: 'txn_01m6eqwqhra6arjfqtf03pycjn' }],
      ]);
    }));
});

describe('P10: line items and items', () => {
  test('P10: are joined by price id, not by position', () =>
    withPaddle({}, async (keywright) => {
      await keywright.sendSample('paddle', 'transaction.completed-web-shuffled');
      const sub = { paddle_subscription_id: 'sub_01m6y6bz9r0tnkbtbeg9qp5wwh' };
      const txn = { paddle_transaction_id: 'txn_01m6y691hrcak56rv71kcxs1tm' };
      expect(made(keywright)).toEqual([
        ...Array(3).fill([LENS, LENS_TEMPLATE, '', txn]),
        ...Array(2).fill([PRO, MONTHLY, 'P1M', sub]),
        [STUDIO, STUDIO_TEMPLATE, '', txn],
      ]);
    }));

  test('P2, P10: two intervals in one cart are kept apart', () =>
    withPaddle({}, async (keywright) => {
      await keywright.sendSample('paddle', 'transaction.completed-web-two-intervals');
      const sub = { paddle_subscription_id: 'sub_01m6hacc9r7w60xw0hx24me0yw' };
      expect(made(keywright)).toEqual([
        [LENS, LENS_TEMPLATE, 'P1M', sub],
        [PRO, YEARLY, 'P1Y', sub],
      ]);
    }));

  test('P10: a line whose price is not among the items is refused, naming it', () =>
    withPaddle({}, async (keywright) => {
      const answer = await keywright.sendSample(
        'paddle',
        WEB,
        setting({ [`${LINE}.price_id`]: 'pri_gone' }),
      );
      expect(answer.status).toBe(400);
      expect(answer.json['message']).toMatch(/pri_gone/);
      expectUntouched(keywright);
    }));

  test('P10: one price in two lines makes a license for each', () =>
    withPaddle({}, async (keywright) => {
      const edit = (body: JsonObject) => {
        const data = body['data'] as { items: JsonValue[]; details: { line_items: JsonObject[] } };
        const [line = {}] = data.details.line_items;
        data.details.line_items.push({ ...line, id: 'txnitm_second' });
        data.items.push(...data.items);
      };
      await keywright.sendSample('paddle', WEB, { edit });
      expect(keywright.sandbox.state.licenses).toHaveLength(2);
      await keywright.sendSample('paddle', WEB, {
        edit: (body) => {
          edit(body);
          body['event_id'] = 'evt_again';
        },
      });
      expect(keywright.sandbox.state.licenses).toHaveLength(2);
    }));
});
