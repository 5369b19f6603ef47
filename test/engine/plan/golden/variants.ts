// What the shipped rules make of a sample when a seller fills the catalog or turns a setting, or when the
// event lacks something. Each line: what it shows, the sample, the changes of the file, what comes out.

import type { JsonObject } from '../../../../src/core/model.ts';

const PRO = 'price_1isOX3N0rTh7LghtkrmNkaH4';
const PRO_YEARLY = 'price_19rXffN0rTh7Lghth5xXQ4xM';
const LENS = 'price_1DJBZaN0rTh7LghtQJ48NjMu';
const LINK = 'plink_1iXt1wN0rTh7LghtHJNFhuhX';

/** A catalog in the place of the empty one. */
function catalog(...entries: string[]): readonly [string, string] {
  return ['catalog: {}', `catalog: { ${entries.join(', ')} }`];
}
const pro = (key: string) => `${key}: { productId: pro, licenseTemplateId: monthly }`;
const SKIP = ['default: reject', 'default: skip'] as const;
const ENDED_REVOKES = [
  'default: off\n    about: Licenses of a subscription that has ended.',
  'default: revoke\n    about: Licenses of a subscription that has ended.',
] as const;
const FULL = catalog(
  pro(PRO),
  pro(PRO_YEARLY),
  `${LENS}: { productId: lens, subscriptionInterval: "" }`,
  `${LINK}: { productId: studio, quantity: 2 }`,
);

type Change = readonly [from: string, to: string];
type Case = readonly [
  name: string,
  sample: string,
  changes: readonly Change[],
  lines: readonly (string | RegExp)[],
  payload?: (payload: JsonObject) => void,
];

const objectOf = (payload: JsonObject) => (payload['data'] as JsonObject)['object'] as JsonObject;
const dataOf = (payload: JsonObject) => payload['data'] as JsonObject;
const itemsOf = (payload: JsonObject) => dataOf(payload)['items'] as JsonObject[];

/** What each sample becomes when the shipped file, or the event, is changed a little. */
export const VARIANTS: readonly Case[] = [
  // ---- Stripe: the catalog (S6, S11) ----
  [
    'a filled catalog leaves a subscription checkout to the invoice',
    'stripe/checkout.session.completed-subscription',
    [FULL],
    ['ignored checkout-left-to-invoice: The first invoice of the subscription makes the license.'],
  ],
  [
    'a subscription checkout with its own mapping makes its license all the same',
    'stripe/checkout.session.completed-subscription-metadata',
    [FULL],
    [
      'matched checkout-paid',
      /^user\.insert/,
      /productId=a9197f4a\S* licenseTemplateId=04ba627c.* once sub_11JG8XN0rTh7LghtMZbfWkKd #1$/,
    ],
  ],
  [
    'the invoice of the same sale comes to the same fact',
    'stripe/invoice.paid-subscription-create-metadata',
    [FULL],
    [
      'matched subscription-started',
      /^user\.insert/,
      /productId=a9197f4a\S* licenseTemplateId=04ba627c.* once sub_11JG8XN0rTh7LghtMZbfWkKd #1$/,
    ],
  ],
  [
    'two lines in the catalog make a license each',
    'stripe/invoice.paid-two-lines',
    [FULL],
    [
      'matched subscription-started-by-catalog',
      /^user\.insert as user: email=j\.mueller@example\.net/,
      /^license\.create: productId=pro licenseTemplateId=monthly userId=\$user\.id .* once sub_1CVIMjN0rTh7LghtmL33UMYu #1$/,
      /^license\.create: productId=lens subscriptionInterval= userId=\$user\.id .* once sub_1CVIMjN0rTh7LghtmL33UMYu #2$/,
    ],
  ],
  [
    'an old invoice is found by the price in its line',
    'stripe/invoice.paid-subscription-create-legacy',
    [FULL],
    [
      'matched subscription-started-by-catalog',
      /^user\.insert/,
      /productId=pro .* once sub_12wvNBN0rTh7LghtGEJqSiCv #1$/,
    ],
  ],
  [
    'a line may be found by its product',
    'stripe/invoice.paid-two-lines',
    [catalog(pro('prod_P9Chn7cpUNkzsA'), pro('prod_bhnOR1e5VJy2bf'))],
    ['matched subscription-started-by-catalog', /^user/, /productId=pro/, /productId=pro/],
  ],
  [
    'a line that the catalog does not know fails the whole invoice',
    'stripe/invoice.paid-two-lines',
    [catalog(pro(PRO_YEARLY))],
    [
      'failed subscription-started-by-catalog',
      'RULE_REJECTED subscription-started-by-catalog/unlicensed-line, item 2: Neither its price nor its product is in the catalog.',
    ],
  ],
  [
    'or is passed over where the seller says so',
    'stripe/invoice.paid-two-lines',
    [catalog(pro(PRO_YEARLY)), SKIP],
    ['matched subscription-started-by-catalog', /^user/, /productId=pro/],
  ],
  [
    'nothing in the catalog at all is ignored then',
    'stripe/invoice.paid-two-lines',
    [catalog(pro('price_of_something_else')), SKIP],
    ['ignored subscription-without-licenses: Nothing in this subscription has a license.'],
  ],
  [
    'a payment link is found in the catalog',
    'stripe/checkout.session.completed-payment-link',
    [FULL],
    [
      'matched checkout-paid',
      /^user\.insert/,
      /^license\.create: productId=studio quantity=2 userId=\$user\.id/,
    ],
  ],
  [
    'a one-time checkout that nothing maps is refused while the catalog is filled',
    'stripe/checkout.session.completed-payment',
    [FULL],
    [
      'failed checkout-paid',
      /^FORMULA_FAILED checkout-paid: This checkout has no CRYPTLEX_PRODUCT_ID/,
    ],
  ],
  // ---- Stripe: the rest ----
  [
    'a test event is ignored in live mode',
    'stripe/invoice.paid-subscription-cycle',
    [['mode: any', 'mode: live']],
    ['ignored -: it is a test event, and rules/stripe.yaml lets in live events only'],
  ],
  [
    'a test event is let in in test mode',
    'stripe/invoice.paid-subscription-cycle',
    [['mode: any', 'mode: test']],
    ['matched subscription-renewed', /^license\.renew/],
  ],
  [
    'an event of FastSpring says whether it is live, too',
    'fastspring/subscription.deactivated',
    [['mode: any', 'mode: live']],
    ['ignored -: it is a test event, and rules/fastspring.yaml lets in live events only'],
  ],
  [
    'other event types may be answered 200',
    'stripe/charge.refunded',
    [['unmatched: reject', 'unmatched: ignore']],
    ['unmatched, ignore'],
  ],
  [
    'the paid-through date is the latest end of a line that is no proration',
    'stripe/invoice.paid-subscription-cycle-with-proration',
    [
      [
        'whenSuspended: { resume: true }',
        'whenSuspended: { resume: true, expiresAt: =$paidThrough }',
      ],
    ],
    ['matched subscription-renewed', /whenSuspended\.expiresAt=2026-12-30T01:22:40\.000Z/],
  ],
  [
    'the e-mail address is needed for a first invoice, not for a renewal',
    'stripe/invoice.paid-subscription-cycle',
    [],
    ['matched subscription-renewed', /^license\.renew/],
    (payload) => {
      objectOf(payload)['customer_email'] = null;
    },
  ],
  [
    'a misspelt path in a rule is blamed, with what is there',
    'stripe/invoice.paid-subscription-create',
    [['email: =data.object.customer_email', 'email: =data.object.custmer_email']],
    [
      'failed subscription-started',
      'FIELD_MISSING subscription-started: user.insert.email came out missing: data.object.custmer_email is missing (there is customer_email)',
    ],
  ],
  // ---- FastSpring ----
  [
    'an unlicensed item is passed over where the seller says so',
    'fastspring/order.completed-mixed-cart',
    [SKIP],
    ['matched order-completed', /^user\.insert/, /northlight-pro-monthly#1$/, /lens-pack#1$/],
  ],
  [
    'an order without any license is then ignored, and makes no user',
    'fastspring/order.completed-unlicensed-only',
    [SKIP],
    ['ignored order-without-licenses: Nothing in this order has a license.'],
  ],
  [
    'expansion that is switched off is no unlicensed item',
    'fastspring/order.completed-no-expansion',
    [SKIP],
    ['failed order-completed', /no-attributes-sent.*Switch on "webhook expansion"/],
  ],
  [
    'without expansion the catalog says the license',
    'fastspring/order.completed-no-expansion',
    [catalog(pro('NL-PRO-M'))],
    [
      'matched order-completed',
      /^user\.insert/,
      /productId=pro licenseTemplateId=monthly .*fastspring_subscription_id=/,
    ],
  ],
  [
    'an item may be found by its path, attributes win over the catalog',
    'fastspring/order.completed-mixed-cart',
    [catalog('northlight-tshirt: { productId: shirt }', pro('lens-pack'))],
    [
      'matched order-completed',
      /^user/,
      /productId=a9197f4a/,
      /productId=5860e441/,
      /productId=shirt .*northlight-tshirt#1$/,
    ],
  ],
  [
    'the parent of an add-on without an interval lends that of its template',
    'fastspring/order.completed-addon',
    [],
    [
      'matched order-completed',
      /^user/,
      /^license\.create/,
      /^licenseTemplate\.get as template: id=04ba627c/,
      /subscriptionInterval=\$template\.subscriptionInterval subscriptionStartTrigger=\$template\.subscriptionStartTrigger/,
    ],
    (payload) => {
      for (const item of itemsOf(payload)) {
        delete (item['attributes'] as JsonObject)['cryptlex_license_subscription_interval'];
      }
    },
  ],
  [
    'several unlicensed items are told of at once',
    'fastspring/order.completed-mixed-cart',
    [],
    [
      'failed order-completed',
      /item northlight-pro-monthly: It has no/,
      /item lens-pack: It has no/,
      /item northlight-tshirt: It has no/,
    ],
    (payload) => {
      for (const item of itemsOf(payload)) item['attributes'] = {};
    },
  ],
  [
    'a quantity that is missing is refused, and not taken for one',
    'fastspring/order.completed-one-time',
    [],
    [
      'failed order-completed',
      /^FORMULA_FAILED order-completed\/one-time, item northlight-studio: It has no quantity/,
    ],
    (payload) => {
      for (const item of itemsOf(payload)) item['quantity'] = null;
    },
  ],
  [
    'a mapping of quantities that does not exist is refused',
    'fastspring/order.completed-seats',
    [],
    [
      'failed order-completed',
      /unknown-quantity-mapping.*neither total_licenses nor allowed_activations/,
    ],
    (payload) => {
      for (const item of itemsOf(payload)) {
        (item['attributes'] as JsonObject)['cryptlex_mappings_quantity'] = 'seats';
      }
    },
  ],
  [
    'no seats are refused, since 0 would mean unlimited',
    'fastspring/order.completed-seats',
    [],
    [
      'failed order-completed',
      /^QUANTITY_INVALID .*allowedActivations needs a whole number from 1/,
    ],
    (payload) => {
      for (const item of itemsOf(payload)) item['quantity'] = 0;
    },
  ],
  // ---- Paddle ----
  [
    'the catalog says the license of a price without custom data',
    'paddle/transaction.completed-web-no-custom-data',
    [catalog(pro('pri_01kghfazm0yfv6qt8hkyc490k9'))],
    [
      'matched purchase',
      /^user\.insert/,
      /^license\.create: productId=pro licenseTemplateId=monthly .*quantity=/,
    ],
  ],
  [
    'the same by its product',
    'paddle/transaction.completed-web-no-custom-data',
    [catalog(pro('pro_01kghf3n80qw5h16s7krzb84p3'))],
    ['matched purchase', /^user\.insert/, /^license\.create: productId=pro /],
  ],
  [
    'a purchase without any license is ignored where the seller says so',
    'paddle/transaction.completed-web-no-custom-data',
    [SKIP],
    ['ignored purchase-without-licenses: Nothing in this purchase has a license.'],
  ],
  [
    'a canceled subscription is revoked by the setting that is ready',
    'paddle/subscription.canceled',
    [ENDED_REVOKES],
    ['matched canceled', /^license\.revoke: find\.metadata\.paddle_subscription_id=sub_/],
  ],
  [
    'half a mapping is refused',
    'paddle/transaction.completed-web-one-time',
    [],
    ['failed purchase', /incomplete-line.*It needs both/],
    (payload) => {
      const details = dataOf(payload)['details'] as JsonObject;
      for (const line of details['line_items'] as JsonObject[]) {
        const product = line['product'] as JsonObject;
        product['custom_data'] = { cryptlex_product_id: 'pro' };
      }
    },
  ],
  [
    'a line without its price is refused, by name',
    'paddle/transaction.completed-web-one-time',
    [],
    ['failed purchase', /item pri_\w+: Its price is not among the items/],
    (payload) => {
      dataOf(payload)['items'] = [];
    },
  ],
];
