// FastSpring's add-ons with the default rules: in one order with their subscription, or bought later.

import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/core/model.ts';
import {
  calls,
  LENS,
  LENS_TEMPLATE,
  MONTHLY,
  monthly,
  type onlyUser,
  referencesOf,
  setting,
  withFastSpring,
  writes,
} from './support.ts';

const ITEM = 'events.0.data.items.0';
const ATTRIBUTES = `${ITEM}.attributes`;

describe('F5: add-ons', () => {
  const templates = [
    { id: MONTHLY, subscriptionInterval: 'P2M', subscriptionStartTrigger: 'activation' },
    { id: LENS_TEMPLATE, subscriptionInterval: 'P9Y', subscriptionStartTrigger: 'creation' },
  ] as const;
  const PARENT = 'rAN2znoBQDSoxhCSM3xfEg';
  const lens = (keywright: Parameters<typeof onlyUser>[0]) => {
    const found = keywright.sandbox.state.licenses.filter(({ productId }) => productId === LENS);
    expect(found).toHaveLength(1);
    return found[0] as (typeof found)[number];
  };

  test('F5: carries the parent’s subscription and its driver; interval of the parent item, start trigger of its template', () =>
    withFastSpring({ given: { licenseTemplates: templates } }, async (keywright) => {
      const answer = await keywright.sendSample('fastspring', 'order.completed-addon');
      expect(answer.json['status']).toBe('done');
      const license = lens(keywright);
      expect(license).toMatchObject({
        licenseTemplateId: LENS_TEMPLATE,
        subscriptionInterval: 'P1M',
        subscriptionStartTrigger: 'activation',
      });
      expect(referencesOf(license)).toEqual({
        fastspring_subscription_id: PARENT,
        fastspring_driver: 'addon_northlight-pro-monthly',
      });
      // The template is read before anything is made.
      const made = calls(keywright);
      expect(made[0]).toBe(`GET /v3/license-templates/${MONTHLY}`);
      const [firstWrite = ''] = writes(keywright);
      expect(made.indexOf(firstWrite)).toBeGreaterThan(0);
    }));

  test('F5: without an interval at the parent item: that of the parent’s template', () =>
    withFastSpring({ given: { licenseTemplates: templates } }, async (keywright) => {
      const name = `${ATTRIBUTES}.cryptlex_license_subscription_interval`;
      await keywright.sendSample(
        'fastspring',
        'order.completed-addon',
        setting({ [name]: undefined }),
      );
      expect(lens(keywright)).toMatchObject({ subscriptionInterval: 'P2M' });
    }));

  test('F5: the add-on before its parent in the order is the same', () =>
    withFastSpring({ given: { licenseTemplates: templates } }, async (keywright) => {
      await keywright.sendSample('fastspring', 'order.completed-addon', {
        edit: (body) => {
          const [event] = body['events'] as { data: { items: JsonValue[] } }[];
          event?.data.items.reverse();
        },
      });
      expect(lens(keywright)).toMatchObject({
        subscriptionInterval: 'P1M',
        subscriptionStartTrigger: 'activation',
      });
    }));

  test('F5: bought later: interval and start trigger of a license that the subscription has', () => {
    const parent = monthly(
      'parent',
      { fastspring_subscription_id: 'DTQVErcdZx1FvGSxKpX0ZA' },
      { subscriptionInterval: 'P5M', subscriptionStartTrigger: 'activation' },
    );
    return withFastSpring({ given: { licenses: [parent] } }, async (keywright) => {
      const answer = await keywright.sendSample('fastspring', 'order.completed-addon-later');
      expect(answer.json['status']).toBe('done');
      const license = lens(keywright);
      expect(license).toMatchObject({
        subscriptionInterval: 'P5M',
        subscriptionStartTrigger: 'activation',
      });
      expect(referencesOf(license)).toEqual({
        fastspring_subscription_id: 'DTQVErcdZx1FvGSxKpX0ZA',
        fastspring_driver: 'addon_northlight-pro-monthly',
      });
      expect(calls(keywright)[0]).toBe('GET /v3/licenses');
    });
  });

  test('F5, E3: bought later, but told before the subscription: it waits, and is made when that comes', () =>
    withFastSpring({}, async (keywright) => {
      const early = await keywright.sendSample('fastspring', 'order.completed-addon-later');
      expect(early.status).toBe(503);
      expect(early.json['details']).toMatchObject({
        status: 'waiting',
        reason: expect.stringContaining('fastspring_subscription_id = DTQVErcdZx1FvGSxKpX0ZA'),
      });
      expect(writes(keywright)).toEqual([]);
      await keywright.sendSample('fastspring', 'order.completed');
      const again = await keywright.sendSample('fastspring', 'order.completed-addon-later');
      expect(again.json['status']).toBe('done');
      expect(lens(keywright)).toMatchObject({ subscriptionInterval: 'P1M' });
      expect(keywright.sandbox.state.licenses).toHaveLength(2);
    }));
});
