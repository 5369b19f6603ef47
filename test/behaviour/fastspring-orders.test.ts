// FastSpring's orders with the default rules: which licenses follow from which item, by attributes, and in
// bundles. Real HTTP, real signatures, the sandbox at the other end.

import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/core/model.ts';
import {
  expectUntouched,
  LENS,
  LENS_TEMPLATE,
  MONTHLY,
  onlyLicense,
  onlyUser,
  PRO,
  referencesOf,
  STUDIO,
  STUDIO_TEMPLATE,
  sampleText,
  setting,
  withFastSpring,
} from './support.ts';

const ITEM = 'events.0.data.items.0';
const ATTRIBUTES = `${ITEM}.attributes`;
const orderId = (sample: string) => sampleText('fastspring', sample, 'events.0.data.id');

describe('F1: a completed order', () => {
  test('F1, F2: makes the user, and the license by the item’s attributes with its subscription', () =>
    withFastSpring({}, async (keywright) => {
      const answer = await keywright.sendSample('fastspring', 'order.completed');
      const user = onlyUser(keywright);
      expect(user).toMatchObject({
        email: 'taro.yamada@example.org',
        firstName: '太郎',
        lastName: '山田',
        company: '合同会社ひかり工房',
      });
      const license = onlyLicense(keywright);
      expect(license).toMatchObject({
        productId: PRO,
        licenseTemplateId: MONTHLY,
        subscriptionInterval: 'P1M',
        userId: user.id,
      });
      expect(referencesOf(license)).toEqual({
        fastspring_subscription_id: 'DTQVErcdZx1FvGSxKpX0ZA',
      });
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({
        status: 'done',
        rule: 'order-completed',
        userId: user.id,
        licenseIds: [license.id],
      });
    }));

  test('F1: the interval is read under both of its names; the newer one counts', () =>
    withFastSpring({}, async (keywright) => {
      await keywright.sendSample('fastspring', 'order.completed-legacy-interval');
      const both = setting({ [`${ATTRIBUTES}.cryptlex_subscription_interval`]: 'P6M' });
      await keywright.sendSample('fastspring', 'order.completed', both);
      const { licenses } = keywright.sandbox.state;
      expect(licenses.map(({ subscriptionInterval }) => subscriptionInterval)).toEqual([
        'P1M',
        'P1M',
      ]);
    }));

  test('F1: cryptlex_max_allowed_release_version bounds the updates', () =>
    withFastSpring({}, async (keywright) => {
      await keywright.sendSample('fastspring', 'order.completed-version');
      expect(onlyLicense(keywright).maxAllowedReleaseVersion).toBe('4.9.9');
    }));

  test('F1: one without a template is refused before anything is made', () =>
    withFastSpring({}, async (keywright) => {
      const edit = setting({ [`${ATTRIBUTES}.cryptlex_license_template_id`]: undefined });
      const answer = await keywright.sendSample('fastspring', 'order.completed', edit);
      expect(answer.status).toBe(400);
      expect(answer.json['message']).toMatch(
        /northlight-pro-monthly.*cryptlex_license_template_id/,
      );
      expectUntouched(keywright);
    }));

  const notCompleted = [
    ['a pending order', 'order.completed-pending', {}],
    ['one that does not say', 'order.completed', { 'events.0.data.completed': undefined }],
    ['one without items', 'order.completed', { 'events.0.data.items': [] }],
    ['one with items null', 'order.completed', { 'events.0.data.items': null }],
  ] as const;
  test.each(notCompleted)(
    'F1, E5: %s is ignored with a reason, without a call',
    (_, sample, changes) =>
      withFastSpring({}, async (keywright) => {
        const answer = await keywright.sendSample(
          'fastspring',
          sample,
          setting(changes as Record<string, JsonValue>),
        );
        expect(answer.status).toBe(200);
        expect(answer.json).toMatchObject({
          status: 'ignored',
          reason: expect.stringMatching(/not completed|no items/),
        });
        expectUntouched(keywright);
      }),
  );
});

test('F2: without the attribute the interval is the template’s', () => {
  const given = { licenseTemplates: [{ id: MONTHLY, subscriptionInterval: 'P3M' }] };
  return withFastSpring({ given }, async (keywright) => {
    const name = `${ATTRIBUTES}.cryptlex_license_subscription_interval`;
    await keywright.sendSample('fastspring', 'order.completed', setting({ [name]: undefined }));
    expect(keywright.sandbox.requests.at(-1)?.body).not.toHaveProperty('subscriptionInterval');
    expect(onlyLicense(keywright).subscriptionInterval).toBe('P3M');
  });
});

test('F3: a one-time item carries the order’s id', () =>
  withFastSpring({}, async (keywright) => {
    await keywright.sendSample('fastspring', 'order.completed-one-time');
    const license = onlyLicense(keywright);
    expect(license).toMatchObject({ productId: STUDIO, licenseTemplateId: STUDIO_TEMPLATE });
    expect(referencesOf(license)).toEqual({ fastspring_order_id: 'mHCadYi1GX9vlyR1ABdxzA' });
  }));

test('F3: an offer (driver cross-sell) and an unknown driver are ordinary items', () =>
  withFastSpring({}, async (keywright) => {
    const edit = setting({ [`${ITEM}.driver`]: { type: 'something-new', path: 'x' } });
    await keywright.sendSample('fastspring', 'order.completed-cross-sell', edit);
    const { licenses } = keywright.sandbox.state;
    expect(licenses.map(({ productId }) => productId)).toEqual([STUDIO, LENS]);
    for (const license of licenses) {
      expect(referencesOf(license)).toEqual({
        fastspring_order_id: orderId('order.completed-cross-sell'),
      });
    }
  }));

test('F2, F3: two lines of one product are told apart by their subscriptions', () =>
  withFastSpring({}, async (keywright) => {
    const sample = 'order.completed-two-of-one-product';
    await keywright.sendSample('fastspring', sample);
    await keywright.sendSample('fastspring', sample, setting({ 'events.0.id': 'resent' }));
    expect(keywright.sandbox.state.licenses.map(referencesOf)).toEqual([
      { fastspring_subscription_id: 'ta4xnZVGaP2ZJ-UdFZL0Hg' },
      { fastspring_subscription_id: 'DxIqm5Oy11iB1wTIGKCV6w' },
    ]);
  }));

test('F4: a bundle gets no license, its parts get perpetual ones that name order and bundle', () =>
  withFastSpring({}, async (keywright) => {
    const answer = await keywright.sendSample('fastspring', 'order.completed-bundle');
    expect(answer.json['status']).toBe('done');
    const { licenses } = keywright.sandbox.state;
    expect(
      licenses.map(({ productId, licenseTemplateId }) => [productId, licenseTemplateId]),
    ).toEqual([
      [STUDIO, STUDIO_TEMPLATE],
      [LENS, LENS_TEMPLATE],
    ]);
    for (const license of licenses) {
      expect(license).toMatchObject({ perpetual: true, expiresAt: null });
      expect(referencesOf(license)).toEqual({
        fastspring_order_id: orderId('order.completed-bundle'),
        fastspring_driver: 'bundle_maker-bundle',
      });
    }
    const sent = keywright.sandbox.requests.filter(
      ({ path, method }) => `${method} ${path}` === 'POST /v3/licenses',
    );
    for (const { body } of sent) expect(body).toMatchObject({ subscriptionInterval: '' });
  }));

test('F4: a part of a bundle is perpetual even if its attributes name an interval', () =>
  withFastSpring({}, async (keywright) => {
    const name = 'events.0.data.items.1.attributes.cryptlex_license_subscription_interval';
    await keywright.sendSample('fastspring', 'order.completed-bundle', setting({ [name]: 'P1Y' }));
    expect(keywright.sandbox.state.licenses[0]).toMatchObject({
      productId: STUDIO,
      perpetual: true,
    });
  }));
