// Stripe tells of one subscription twice, by its checkout and by its first invoice. Whatever comes first,
// however often and at whatever moment, it is one license.

import { expect, test } from 'vitest';
import { type Keywright, PRODUCT_ID, type WebhookAnswer } from '../support/keywright.ts';
import {
  calls,
  catalog,
  MONTHLY,
  onlyLicense,
  onlyUser,
  PRO,
  referencesOf,
  setting,
  TEAM,
  withStripe,
  writes,
} from './support.ts';

const SUBSCRIPTION = 'sub_114uSCN0rTh7LghtB3w7AGHU';
const INVOICE = 'invoice.paid-subscription-create';
const CHECKOUT = 'checkout.session.completed-subscription';
const PRICE = 'price_1isOX3N0rTh7LghtkrmNkaH4';

const send = (keywright: Keywright, sample: string) => keywright.sendSample('stripe', sample);
const statuses = (answers: readonly WebhookAnswer[]) =>
  answers.map(({ status, json }) => [status, json['status']]);

const ONE_LICENSE_WRITES = ['POST /v3/users', 'POST /v3/licenses'];
const orders = [
  ['invoice, then checkout', INVOICE, CHECKOUT],
  ['checkout, then invoice', CHECKOUT, INVOICE],
] as const;

test.each(orders)(
  'S6: %s, each told twice: one user, one license, no further call',
  (_, first, second) =>
    withStripe({}, async (keywright) => {
      await send(keywright, first);
      const license = onlyLicense(keywright);
      const later = [
        await send(keywright, second),
        await send(keywright, first),
        await send(keywright, second),
      ];
      expect(onlyLicense(keywright)).toEqual(license);
      expect(license.productId).toBe(PRODUCT_ID);
      expect(referencesOf(license)).toEqual({ stripe_subscription_id: SUBSCRIPTION });
      onlyUser(keywright);
      expect(writes(keywright)).toEqual(ONE_LICENSE_WRITES);
      expect(statuses(later)).toEqual(Array(3).fill([200, 'done']));
      for (const { json } of later) expect(json['licenseIds']).toEqual([license.id]);
      expect(later.map(({ json }) => json['duplicate'])).toEqual([undefined, true, true]);
    }),
);

test.each(orders)('S6: %s at the very same moment, each twice: one license', (_, first, second) =>
  withStripe({}, async (keywright) => {
    const answers = await Promise.all(
      [first, second, first, second].map((sample) => send(keywright, sample)),
    );
    const license = onlyLicense(keywright);
    expect(license.userId).toBe(onlyUser(keywright).id);
    expect(writes(keywright)).toEqual(ONE_LICENSE_WRITES);
    expect(statuses(answers)).toEqual(Array(4).fill([200, 'done']));
    for (const { json } of answers) expect(json['licenseIds']).toEqual([license.id]);
  }),
);

test.each(orders)(
  'S6: %s at the same moment while Cryptlex is slow: one license',
  (_, first, second) =>
    withStripe({}, async (keywright) => {
      keywright.sandbox.faults.add({ effect: { kind: 'slow', ms: 40 } });
      const [one, other] = await Promise.all([send(keywright, first), send(keywright, second)]);
      onlyLicense(keywright);
      onlyUser(keywright);
      expect(statuses([one, other])).toEqual([
        [200, 'done'],
        [200, 'done'],
      ]);
    }),
);

test('S6, E6: twenty identical deliveries at once make one license, and one calls Cryptlex', () =>
  withStripe({}, async (keywright) => {
    const sending = Array.from({ length: 20 }, () => send(keywright, INVOICE));
    const answers = await Promise.all(sending);
    const license = onlyLicense(keywright);
    expect(statuses(answers)).toEqual(Array(20).fill([200, 'done']));
    for (const { json } of answers) expect(json['licenseIds']).toEqual([license.id]);
    expect(answers.filter(({ json }) => json['duplicate'] !== true)).toHaveLength(1);
    expect(writes(keywright)).toEqual(ONE_LICENSE_WRITES);
  }));

test('S6: twenty checkouts and invoices under ids of their own, at once: one license', () =>
  withStripe({}, async (keywright) => {
    const sending = Array.from({ length: 20 }, (_, index) =>
      keywright.sendSample(
        'stripe',
        index % 2 ? INVOICE : CHECKOUT,
        setting({ id: `evt_${index}` }),
      ),
    );
    const answers = await Promise.all(sending);
    const license = onlyLicense(keywright);
    expect(writes(keywright)).toEqual(ONE_LICENSE_WRITES);
    for (const { json } of answers) {
      expect(json).toMatchObject({ status: 'done', licenseIds: [license.id] });
    }
  }));

test.each([
  ['invoice first', false],
  ['checkout first', true],
])('S6, S11: both with the CRYPTLEX_* metadata, %s: one license of that product', (_, turned) =>
  withStripe({}, async (keywright) => {
    const samples = [
      'invoice.paid-subscription-create-metadata',
      'checkout.session.completed-subscription-metadata',
    ];
    for (const sample of turned ? samples.reverse() : samples) {
      expect((await send(keywright, sample)).json['status']).toBe('done');
    }
    const license = onlyLicense(keywright);
    expect(license).toMatchObject({
      productId: PRO,
      licenseTemplateId: MONTHLY,
      entitlementSetId: TEAM,
    });
    expect(referencesOf(license)).toEqual({
      stripe_subscription_id: 'sub_11JG8XN0rTh7LghtMZbfWkKd',
    });
  }),
);

test.each(orders)(
  'S6: with a filled catalog the checkout leaves it to the invoice (%s)',
  (_, first, second) => {
    const line = `${PRICE}: { productId: ${PRO}, licenseTemplateId: ${MONTHLY}, subscriptionInterval: P1M }`;
    return withStripe({ rules: { stripe: catalog(line) } }, async (keywright) => {
      for (const sample of [first, second, first, second]) {
        const { status, json } = await send(keywright, sample);
        expect(status).toBe(200);
        expect(json['status']).toBe(sample === CHECKOUT ? 'ignored' : 'done');
        if (sample === CHECKOUT) expect(json['reason']).toMatch(/invoice/);
      }
      expect(onlyLicense(keywright)).toMatchObject({
        productId: PRO,
        licenseTemplateId: MONTHLY,
        subscriptionInterval: 'P1M',
      });
    });
  },
);

test('S6: with a filled catalog a checkout alone makes no call', () => {
  const rules = { stripe: catalog(`${PRICE}: { productId: ${PRO} }`) };
  return withStripe({ rules }, async (keywright) => {
    await send(keywright, CHECKOUT);
    expect(calls(keywright)).toEqual([]);
  });
});

test('S6: two subscriptions of one buyer are two licenses of one user', () =>
  withStripe({}, async (keywright) => {
    const other = setting({
      id: 'evt_other',
      'data.object.id': 'in_other',
      'data.object.parent.subscription_details.subscription': 'sub_other',
    });
    await Promise.all([send(keywright, INVOICE), keywright.sendSample('stripe', INVOICE, other)]);
    const references = keywright.sandbox.state.licenses.map(
      (license) => referencesOf(license)['stripe_subscription_id'],
    );
    expect(references.toSorted()).toEqual([SUBSCRIPTION, 'sub_other']);
    onlyUser(keywright);
  }));

test('S6: a license that other software made for the subscription counts as the one', () => {
  const licenses = [
    { id: 'l1', productId: PRODUCT_ID, metadata: { stripe_subscription_id: SUBSCRIPTION } },
  ];
  return withStripe({ given: { licenses } }, async (keywright) => {
    for (const sample of [INVOICE, CHECKOUT]) {
      expect((await send(keywright, sample)).json['licenseIds']).toEqual(['l1']);
    }
    onlyLicense(keywright);
    expect(writes(keywright)).toEqual(['POST /v3/users']);
  });
});
