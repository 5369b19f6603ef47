// Which product a sale of Stripe is licensed as: the metadata of the sale, else the catalog, else, while the
// catalog is empty, CRYPTLEX_PRODUCT_ID.

import { describe, expect, test } from 'vitest';
import {
  all,
  catalog,
  expectUntouched,
  LENS,
  MONTHLY,
  onlyLicense,
  PRO,
  referencesOf,
  replacing,
  STUDIO,
  STUDIO_TEMPLATE,
  setting,
  TEAM,
  withStripe,
  YEARLY,
} from './support.ts';

const INVOICE = 'invoice.paid-subscription-create';
const CHECKOUT = 'checkout.session.completed-subscription';
const PAYMENT = 'checkout.session.completed-payment';
const LINK = 'checkout.session.completed-payment-link';
const PRICE = 'price_1isOX3N0rTh7LghtkrmNkaH4';
const PRODUCT = 'prod_P9Chn7cpUNkzsA';
const YEARLY_PRICE = 'price_19rXffN0rTh7Lghth5xXQ4xM';
const SECOND_PRICE = 'price_1DJBZaN0rTh7LghtQJ48NjMu';
const PLINK = 'plink_1iXt1wN0rTh7LghtHJNFhuhX';
const SUB_METADATA = 'data.object.parent.subscription_details.metadata';

describe('S11: metadata', () => {
  const cases = [
    [
      'on the session of a one-time purchase',
      'checkout.session.completed-payment-metadata',
      { productId: STUDIO, licenseTemplateId: STUDIO_TEMPLATE, entitlementSetId: TEAM },
    ],
    [
      'on the session of a subscription',
      'checkout.session.completed-subscription-metadata',
      { productId: PRO, licenseTemplateId: MONTHLY, entitlementSetId: TEAM },
    ],
    [
      'on the subscription, which the invoice tells',
      'invoice.paid-subscription-create-metadata',
      { productId: PRO, licenseTemplateId: MONTHLY, entitlementSetId: TEAM },
    ],
  ] as const;
  test.each(cases)('S11: %s says product, template and entitlement set', (_, sample, wanted) =>
    withStripe({}, async (keywright) => {
      const answer = await keywright.sendSample('stripe', sample);
      expect(answer.json['status']).toBe('done');
      expect(onlyLicense(keywright)).toMatchObject(wanted);
    }),
  );

  test('S11: on the subscription, in the place of older API versions', () =>
    withStripe({}, async (keywright) => {
      const metadata = { CRYPTLEX_PRODUCT_ID: STUDIO };
      const edit = setting({ 'data.object.subscription_details': { metadata } });
      await keywright.sendSample('stripe', 'invoice.paid-subscription-create-legacy', edit);
      expect(onlyLicense(keywright).productId).toBe(STUDIO);
    }));

  test.each([
    ['invoice', INVOICE, SUB_METADATA],
    ['checkout', CHECKOUT, 'data.object.metadata'],
  ])('S11: metadata wins over a filled catalog (%s)', (_, sample, path) => {
    const rules = { stripe: catalog(`${PRICE}: { productId: ${PRO} }`) };
    return withStripe({ rules }, async (keywright) => {
      const edit = setting({ [path]: { CRYPTLEX_PRODUCT_ID: STUDIO } });
      await keywright.sendSample('stripe', sample, edit);
      expect(onlyLicense(keywright)).toMatchObject({ productId: STUDIO });
    });
  });

  test('S11: a template in the metadata and the product in the catalog go together', () => {
    const line = `${PRICE}: { productId: ${PRO}, licenseTemplateId: ${MONTHLY} }`;
    return withStripe({ rules: { stripe: catalog(line) } }, async (keywright) => {
      const edit = setting({ [SUB_METADATA]: { CRYPTLEX_LICENSE_TEMPLATE: YEARLY } });
      await keywright.sendSample('stripe', INVOICE, edit);
      expect(onlyLicense(keywright)).toMatchObject({ productId: PRO, licenseTemplateId: YEARLY });
    });
  });
});

describe('S11: the catalog', () => {
  const entry = `{ productId: ${PRO}, licenseTemplateId: ${MONTHLY}, subscriptionInterval: P1Y }`;
  const cases = [
    ['the price of an invoice line', INVOICE, PRICE],
    ['the product of an invoice line', INVOICE, PRODUCT],
    ['the price as older API versions tell it', 'invoice.paid-subscription-create-legacy', PRICE],
    [
      'the product as older API versions tell it',
      'invoice.paid-subscription-create-legacy',
      PRODUCT,
    ],
    ['the payment link of a checkout', LINK, PLINK],
  ] as const;
  test.each(cases)('S11: is read by %s', (_, sample, key) =>
    withStripe({ rules: { stripe: catalog(`${key}: ${entry}`) } }, async (keywright) => {
      const answer = await keywright.sendSample('stripe', sample);
      expect(answer.json['status']).toBe('done');
      expect(onlyLicense(keywright)).toMatchObject({
        productId: PRO,
        licenseTemplateId: MONTHLY,
        subscriptionInterval: 'P1Y',
      });
    }),
  );

  test('S11: the price says more than its product', () => {
    const rules = {
      stripe: catalog(`${PRODUCT}: { productId: ${LENS} }`, `${PRICE}: { productId: ${PRO} }`),
    };
    return withStripe({ rules }, async (keywright) => {
      await keywright.sendSample('stripe', INVOICE);
      expect(onlyLicense(keywright).productId).toBe(PRO);
    });
  });

  test('S11: two lines in it make a license each, however often they are told', () => {
    const rules = {
      stripe: catalog(
        `${YEARLY_PRICE}: { productId: ${PRO}, licenseTemplateId: ${YEARLY} }`,
        `${SECOND_PRICE}: { productId: ${LENS} }`,
      ),
    };
    return withStripe({ rules }, async (keywright) => {
      const answer = await keywright.sendSample('stripe', 'invoice.paid-two-lines');
      const again = setting({ id: 'evt_again' });
      await keywright.sendSample('stripe', 'invoice.paid-two-lines', again);
      const { licenses } = keywright.sandbox.state;
      expect(licenses.map(({ productId }) => productId)).toEqual([PRO, LENS]);
      expect(licenses[0]).toMatchObject({ licenseTemplateId: YEARLY });
      for (const license of licenses) {
        expect(referencesOf(license)).toEqual({
          stripe_subscription_id: 'sub_1CVIMjN0rTh7LghtmL33UMYu',
        });
      }
      expect(answer.json['licenseIds']).toEqual(licenses.map(({ id }) => id));
    });
  });

  test('S11, F12: one of two lines missing in it: refused before anything is made, naming the line', () => {
    const rules = { stripe: catalog(`${YEARLY_PRICE}: { productId: ${PRO} }`) };
    return withStripe({ rules }, async (keywright) => {
      const answer = await keywright.sendSample('stripe', 'invoice.paid-two-lines');
      expect(answer.status).toBe(400);
      expect(answer.json['error']).toBe('RULE_REJECTED');
      expect(answer.json['message']).toMatch(/item 2.*not.* in the catalog|item 2.*Neither/);
      expectUntouched(keywright);
    });
  });

  test('S11, F12: with `unlicensedItems: skip` the line outside it passes', () => {
    const stripe = all(
      catalog(`${YEARLY_PRICE}: { productId: ${PRO} }`),
      replacing('default: reject', 'default: skip'),
    );
    return withStripe({ rules: { stripe } }, async (keywright) => {
      await keywright.sendSample('stripe', 'invoice.paid-two-lines');
      expect(onlyLicense(keywright).productId).toBe(PRO);
      const nothing = await keywright.sendSample('stripe', INVOICE);
      expect(nothing.json).toMatchObject({ status: 'ignored' });
      onlyLicense(keywright);
    });
  });

  test.each([
    ['an invoice', INVOICE],
    ['a one-time checkout', PAYMENT],
    ['a checkout through another payment link', LINK],
  ])(
    'S11: %s that a filled catalog does not name is refused, never CRYPTLEX_PRODUCT_ID',
    (_, sample) => {
      const rules = { stripe: catalog(`price_of_something_else: { productId: ${PRO} }`) };
      return withStripe({ rules }, async (keywright) => {
        const answer = await keywright.sendSample('stripe', sample);
        expect(answer.status).toBe(400);
        expect(answer.json['message']).toMatch(/catalog/);
        expectUntouched(keywright);
      });
    },
  );

  test('S11: the shipped catalog is empty, so every sale is licensed as CRYPTLEX_PRODUCT_ID', () =>
    withStripe({ env: { CRYPTLEX_PRODUCT_ID: STUDIO } }, async (keywright) => {
      for (const sample of [INVOICE, PAYMENT, LINK]) await keywright.sendSample('stripe', sample);
      const products = keywright.sandbox.state.licenses.map(({ productId }) => productId);
      expect(products).toEqual([STUDIO, STUDIO, STUDIO]);
    }));

  test('S11: with a filled catalog CRYPTLEX_PRODUCT_ID may be left out', () => {
    const stripe = all(
      catalog(`${PRICE}: { productId: ${PRO} }`),
      replacing('env: [CRYPTLEX_PRODUCT_ID]', 'env: { CRYPTLEX_PRODUCT_ID: { optional: true } }'),
    );
    const env = { CRYPTLEX_PRODUCT_ID: undefined };
    return withStripe({ rules: { stripe }, env }, async (keywright) => {
      await keywright.sendSample('stripe', INVOICE);
      expect(onlyLicense(keywright).productId).toBe(PRO);
    });
  });
});
