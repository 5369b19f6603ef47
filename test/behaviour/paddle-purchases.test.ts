// Paddle's purchases with the default rules: the placeholder user, and the licenses of each line, by custom
// data or catalog. Real HTTP, real signatures, the sandbox at the other end.

import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/core/model.ts';
import {
  all,
  catalog,
  expectUntouched,
  LENS,
  LENS_TEMPLATE,
  MONTHLY,
  made,
  metadataOf,
  onlyLicense,
  onlyUser,
  PRO,
  replacing,
  STUDIO,
  STUDIO_TEMPLATE,
  setting,
  withPaddle,
  writes,
  YEARLY,
} from './support.ts';

const WEB = 'transaction.completed-web';
const CUSTOMER = 'ctm_01m68t8b2gfnk7dvqewc6ek5b6';
const SUBSCRIPTION = 'sub_01m68tb2z0hh8fc72fmn3nh7pg';
const LINE = 'data.details.line_items.0';
const PRICE = 'data.items.0.price';
const NO_DATA = 'transaction.completed-web-no-custom-data';
const NO_DATA_PRICE = 'pri_01kghfazm0yfv6qt8hkyc490k9';
const NO_DATA_PRODUCT = 'pro_01kghf3n80qw5h16s7krzb84p3';

describe('P1: a purchase', () => {
  test('P1, P2: makes a placeholder user by paddle_customer_id, and the license of the subscription', () =>
    withPaddle({}, async (keywright) => {
      const answer = await keywright.sendSample('paddle', WEB);
      const user = onlyUser(keywright);
      expect(user).toMatchObject({ email: `${CUSTOMER}@cryptlexpaddle.com`, role: 'user' });
      expect(metadataOf(user)).toEqual({ paddle_customer_id: CUSTOMER });
      const license = onlyLicense(keywright);
      expect(made(keywright)).toEqual([
        [PRO, MONTHLY, 'P1M', { paddle_subscription_id: SUBSCRIPTION }],
      ]);
      expect(license.userId).toBe(user.id);
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({
        status: 'done',
        rule: 'purchase',
        userId: user.id,
        licenseIds: [license.id],
      });
    }));

  test('P1: a user found by paddle_customer_id is used, whatever his address', () => {
    const users = [
      { id: 'u0', metadata: { paddle_customer_id: 'ctm_other', note: CUSTOMER } },
      { id: 'u1', email: 'real@example.com', metadata: { paddle_customer_id: CUSTOMER } },
    ];
    return withPaddle({ given: { users } }, async (keywright) => {
      await keywright.sendSample('paddle', WEB);
      expect(onlyLicense(keywright).userId).toBe('u1');
      expect(writes(keywright)).toEqual(['POST /v3/licenses']);
    });
  });

  test('P1: origin api is a purchase, too; every item times its quantity', () =>
    withPaddle({}, async (keywright) => {
      await keywright.sendSample('paddle', 'transaction.completed-api');
      const reference = { paddle_subscription_id: 'sub_01m6znywpgmee7phjzmqdv6z3h' };
      expect(made(keywright)).toEqual(Array(2).fill([PRO, YEARLY, 'P1Y', reference]));
    }));

  test('P1, E6: three of one product are three licenses, also when told again or at once', () =>
    withPaddle({}, async (keywright) => {
      const sample = 'transaction.completed-web-quantity';
      await Promise.all([
        keywright.sendSample('paddle', sample),
        keywright.sendSample('paddle', sample, setting({ event_id: 'evt_second' })),
        keywright.sendSample('paddle', sample),
      ]);
      const reference = { paddle_subscription_id: 'sub_01m6kws39r6xcjb4ndekj219he' };
      expect(made(keywright)).toEqual(Array(3).fill([PRO, YEARLY, 'P1Y', reference]));
    }));

  test('P1: product and template come from the product, else from the price, field by field', () =>
    withPaddle({}, async (keywright) => {
      await keywright.sendSample('paddle', 'transaction.completed-web-price-custom-data');
      expect(made(keywright)).toEqual([
        [PRO, MONTHLY, 'P3M', { paddle_subscription_id: 'sub_01m6pf5t9rskg81mgecqzza2rv' }],
        [LENS, LENS_TEMPLATE, '', { paddle_transaction_id: 'txn_01m6pf2whr7ar41zhnnes2v8a1' }],
      ]);
    }));

  test('P1: where both say it, the product’s custom data counts', () =>
    withPaddle({}, async (keywright) => {
      const data = { cryptlex_product_id: LENS, cryptlex_license_template_id: LENS_TEMPLATE };
      await keywright.sendSample('paddle', WEB, setting({ [`${PRICE}.custom_data`]: data }));
      expect(onlyLicense(keywright)).toMatchObject({ productId: PRO, licenseTemplateId: MONTHLY });
    }));

  test.each([
    ['price', NO_DATA_PRICE],
    ['product', NO_DATA_PRODUCT],
  ])('P1: else from the catalog, by %s', (_, key) => {
    const rules = {
      paddle: catalog(`${key}: { productId: ${STUDIO}, licenseTemplateId: ${STUDIO_TEMPLATE} }`),
    };
    return withPaddle({ rules }, async (keywright) => {
      await keywright.sendSample('paddle', NO_DATA);
      expect(onlyLicense(keywright)).toMatchObject({
        productId: STUDIO,
        licenseTemplateId: STUDIO_TEMPLATE,
      });
    });
  });

  test('P1: custom data wins over the catalog', () => {
    const rules = { paddle: catalog(`pri_01kghfazm0wy1pcwcbtjj5ztpm: { productId: ${STUDIO} }`) };
    return withPaddle({ rules }, async (keywright) => {
      await keywright.sendSample('paddle', WEB);
      expect(onlyLicense(keywright).productId).toBe(PRO);
    });
  });

  const incomplete = [
    ['no template', { cryptlex_product_id: PRO }, /cryptlex_license_template_id/],
    ['no product', { cryptlex_license_template_id: MONTHLY }, /cryptlex_product_id/],
    [
      'blank ones',
      { cryptlex_product_id: '', cryptlex_license_template_id: ' ' },
      /cryptlex_product_id/,
    ],
    ['none', null, /cryptlex_product_id/],
  ] as const;
  test.each(incomplete)(
    'P1: custom data with %s is refused before anything is made',
    (_, data, message) =>
      withPaddle({}, async (keywright) => {
        const edit = setting({ [`${LINE}.product.custom_data`]: data as JsonValue });
        const answer = await keywright.sendSample('paddle', WEB, edit);
        expect(answer.status).toBe(400);
        expect(answer.json['message']).toMatch(message);
        expectUntouched(keywright);
      }),
  );

  test.each([0, -1, 1.5, null, 'many', 1e9])('P1: a quantity of %j is refused', (quantity) =>
    withPaddle({}, async (keywright) => {
      const answer = await keywright.sendSample(
        'paddle',
        WEB,
        setting({ [`${LINE}.quantity`]: quantity }),
      );
      expect(answer.status).toBe(400);
      expectUntouched(keywright);
    }),
  );

  test('P1, F12: an item without a license: refused by default, passed over under skip', async () => {
    const two = setting({ 'data.details.line_items.1.product.custom_data': null });
    const sample = 'transaction.completed-web-mixed';
    await withPaddle({}, async (keywright) => {
      const answer = await keywright.sendSample('paddle', sample, two);
      expect(answer.status).toBe(400);
      expect(answer.json['message']).toContain('pri_01kghfazm0w4yk9vwscksdmr8p');
      expectUntouched(keywright);
    });
    const rules = { paddle: replacing('default: reject', 'default: skip') };
    await withPaddle({ rules }, async (keywright) => {
      expect((await keywright.sendSample('paddle', sample, two)).json['status']).toBe('done');
      expect(onlyLicense(keywright).productId).toBe(PRO);
      const nothing = await keywright.sendSample('paddle', NO_DATA);
      expect(nothing.json['status']).toBe('ignored');
      onlyUser(keywright);
    });
  });
});

test('P11, E5: a transaction that is not completed by its own status makes nothing', () =>
  withPaddle({}, async (keywright) => {
    const answer = await keywright.sendSample('paddle', 'transaction.paid');
    expect(answer.status).toBe(400);
    expect(answer.json['error']).toBe('EVENT_UNMATCHED');
    expectUntouched(keywright);
  }));

test('P1: the setting of both, skip and catalog, go together', () => {
  const paddle = all(
    replacing('default: reject', 'default: skip'),
    catalog(`${NO_DATA_PRICE}: { productId: ${STUDIO} }`),
  );
  return withPaddle({ rules: { paddle } }, async (keywright) => {
    expect((await keywright.sendSample('paddle', NO_DATA)).json['status']).toBe('done');
    expect(onlyLicense(keywright).productId).toBe(STUDIO);
  });
});
