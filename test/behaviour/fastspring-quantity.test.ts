// FastSpring's quantities with the default rules: licenses, activations, and nonsense.

import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/core/model.ts';
import {
  expectUntouched,
  onlyLicense,
  PRO,
  STUDIO,
  STUDIO_TEMPLATE,
  setting,
  withFastSpring,
  YEARLY,
} from './support.ts';

const ITEM = 'events.0.data.items.0';
const ATTRIBUTES = `${ITEM}.attributes`;

describe('F6: quantity', () => {
  test.each([
    ['no mapping', 'order.completed-quantity', 3, PRO, YEARLY],
    ['total_licenses', 'order.completed-total-licenses', 2, STUDIO, STUDIO_TEMPLATE],
  ])('F6: %s: that many licenses, also when told again', (_, sample, count, productId, template) =>
    withFastSpring({}, async (keywright) => {
      const answer = await keywright.sendSample('fastspring', sample);
      await keywright.sendSample('fastspring', sample, setting({ 'events.0.id': 'resent' }));
      const { licenses } = keywright.sandbox.state;
      expect(licenses).toHaveLength(count);
      const ids = licenses.map(({ id }) => id);
      expect((answer.json['licenseIds'] as string[]).toSorted()).toEqual(ids.toSorted());
      for (const license of licenses) {
        expect(license).toMatchObject({
          productId,
          licenseTemplateId: template,
          allowedActivations: 1,
        });
      }
    }),
  );

  test('F6: allowed_activations: one license with that many activations', () =>
    withFastSpring({}, async (keywright) => {
      await keywright.sendSample('fastspring', 'order.completed-seats');
      expect(onlyLicense(keywright).allowedActivations).toBe(5);
    }));

  test('F6: a quantity that is a text of digits counts', () =>
    withFastSpring({}, async (keywright) => {
      const edit = setting({ [`${ITEM}.quantity`]: '2' });
      await keywright.sendSample('fastspring', 'order.completed-quantity', edit);
      expect(keywright.sandbox.state.licenses).toHaveLength(2);
    }));

  const nonsense: [string, JsonValue | undefined][] = [
    ['0', 0],
    ['-1', -1],
    ['1.5', 1.5],
    ['"three"', 'three'],
    ['"0"', '0'],
    ['null', null],
    ['missing', undefined],
    ['true', true],
    ['more than Cryptlex can hold', 1e10],
  ];
  for (const sample of ['order.completed-quantity', 'order.completed-seats']) {
    test.each(nonsense)(
      `F6: ${sample}: a quantity of %s is refused, nothing is made`,
      (_, quantity) =>
        withFastSpring({}, async (keywright) => {
          const edit = setting({ [`${ITEM}.quantity`]: quantity });
          const answer = await keywright.sendSample('fastspring', sample, edit);
          expect(answer.status).toBe(400);
          expect(answer.json['message']).toMatch(/northlight-pro-yearly/);
          expectUntouched(keywright);
        }),
    );
  }

  test('F6: the sample with quantity zero is refused', () =>
    withFastSpring({}, async (keywright) => {
      const answer = await keywright.sendSample('fastspring', 'order.completed-quantity-zero');
      expect(answer.status).toBe(400);
      expectUntouched(keywright);
    }));

  test('F6: a mapping that does not exist is refused', () =>
    withFastSpring({}, async (keywright) => {
      const edit = setting({ [`${ATTRIBUTES}.cryptlex_mappings_quantity`]: 'per_seat' });
      const answer = await keywright.sendSample('fastspring', 'order.completed-seats', edit);
      expect(answer.status).toBe(400);
      expect(answer.json['message']).toMatch(/cryptlex_mappings_quantity/);
      expectUntouched(keywright);
    }));
});
