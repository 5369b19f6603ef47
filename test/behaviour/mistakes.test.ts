// Mistakes in what an event holds: all of them are found before the first write.

import { describe, expect, test } from 'vitest';
import type { Provider } from '../../src/core/providers.ts';
import { withKeywright } from '../support/keywright.ts';
import { expectUntouched, setting, underId } from './support.ts';

describe('E4: mapping errors are found before the first write', () => {
  const bad: [Provider, string, Record<string, number | null>, RegExp][] = [
    [
      'fastspring',
      'order.completed-cross-sell',
      { 'events.0.data.items.1.quantity': null },
      /lens-pack.*quantity/,
    ],
    [
      'fastspring',
      'order.completed-bundle',
      { 'events.0.data.items.2.attributes.cryptlex_license_template_id': null },
      /lens-pack.*cryptlex_license_template_id/,
    ],
    [
      'paddle',
      'transaction.completed-web-mixed',
      { 'data.details.line_items.1.quantity': 0 },
      /pri_01kghfazm0w4yk9vwscksdmr8p/,
    ],
    [
      'paddle',
      'transaction.completed-web-mixed',
      { 'data.subscription_id': null },
      /subscription_id/,
    ],
  ];
  test.each(bad)(
    'E4: %s %s with one bad item (%j): refused, nothing written, nothing asked',
    (provider, sample, changes, message) =>
      withKeywright({}, async (keywright) => {
        const answer = await keywright.sendSample(provider, sample, setting(changes));
        expect(answer.status).toBe(400);
        expect(answer.json['message']).toMatch(message);
        expectUntouched(keywright);
      }),
  );

  test('E4: once the product is put right, the same event is done', () =>
    withKeywright({}, async (keywright) => {
      const sample = 'order.completed-cross-sell';
      const broken = setting({ 'events.0.data.items.1.attributes': null });
      expect((await keywright.sendSample('fastspring', sample, broken)).status).toBe(400);
      expectUntouched(keywright);
      const resent = underId('fastspring', 'RESENT');
      expect((await keywright.sendSample('fastspring', sample, resent)).status).toBe(200);
      expect(keywright.sandbox.state.licenses).toHaveLength(2);
    }));
});
