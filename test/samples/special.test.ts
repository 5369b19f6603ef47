// What makes each sample special. Takes the field that a sample is there for, checks that it still says so:
// a field that is tidied away would leave other tests green and empty. Never changes a file.

import { describe, expect, test } from 'vitest';
import { PROVIDERS, type Provider } from '../../src/core/providers.ts';
import { at, eventsOf, sample } from '../support/read-samples.ts';

/** `undefined`: the path leads nowhere. */
const SPECIAL: Record<Provider, [name: string, path: string, value: unknown][]> = {
  stripe: [
    ['invoice.paid-subscription-create-legacy', 'data.object.parent', undefined],
    ['invoice.paid-subscription-create-legacy', 'data.object.lines.data.0.pricing', undefined],
    ['invoice.paid-subscription-create', 'data.object.subscription', undefined],
    ['invoice.paid-subscription-create', 'data.object.lines.data.0.price', undefined],
    [
      'invoice.paid-subscription-cycle-both-shapes',
      'data.object.lines.data.0.type',
      'subscription',
    ],
    [
      'invoice.paid-subscription-cycle-with-proration',
      'data.object.lines.data.0.parent.subscription_item_details.proration',
      true,
    ],
    [
      'invoice.paid-subscription-cycle-with-proration',
      'data.object.lines.data.2.parent.subscription_item_details.proration',
      false,
    ],
    ['invoice.paid-subscription-update', 'data.object.billing_reason', 'subscription_update'],
    ['invoice.paid-manual', 'data.object.billing_reason', 'manual'],
    ['invoice.paid-manual', 'data.object.parent', null],
    ['invoice.paid-no-subscription', 'data.object.billing_reason', 'subscription_cycle'],
    ['invoice.paid-no-subscription', 'data.object.parent', null],
    ['invoice.paid-no-name', 'data.object.customer_name', null],
    ['invoice.paid-no-email', 'data.object.customer_email', null],
    ['invoice.paid-open', 'data.object.status', 'open'],
    ['invoice.created', 'data.object.status', 'draft'],
    ['checkout.session.completed-unpaid', 'data.object.payment_status', 'unpaid'],
    ['checkout.session.async_payment_succeeded', 'data.object.payment_status', 'paid'],
    ['checkout.session.async_payment_failed', 'data.object.payment_status', 'unpaid'],
    ['checkout.session.completed-setup', 'data.object.mode', 'setup'],
    [
      'checkout.session.completed-no-payment-required',
      'data.object.payment_status',
      'no_payment_required',
    ],
    ['checkout.session.completed-no-name', 'data.object.customer_details.name', null],
    ['checkout.session.completed-prefilled-email', 'data.object.customer_details', null],
    ['checkout.session.completed-payment-link', 'data.object.customer', null],
    ['customer.created-no-name', 'data.object.name', null],
    ['customer.created-no-email', 'data.object.email', null],
    ['v1.invoice.paid-thin', 'data', undefined],
  ],
  fastspring: [
    ['order.completed-pending', 'events.0.data.completed', false],
    ['order.completed-quantity-zero', 'events.0.data.items.0.quantity', 0],
    ['order.completed-quantity', 'events.0.data.items.0.quantity', 3],
    [
      'order.completed-seats',
      'events.0.data.items.0.attributes.cryptlex_mappings_quantity',
      'allowed_activations',
    ],
    [
      'order.completed-total-licenses',
      'events.0.data.items.0.attributes.cryptlex_mappings_quantity',
      'total_licenses',
    ],
    [
      'order.completed-legacy-interval',
      'events.0.data.items.0.attributes.cryptlex_subscription_interval',
      'P1M',
    ],
    [
      'order.completed-legacy-interval',
      'events.0.data.items.0.attributes.cryptlex_license_subscription_interval',
      undefined,
    ],
    [
      'order.completed-version',
      'events.0.data.items.0.attributes.cryptlex_max_allowed_release_version',
      '4.9.9',
    ],
    ['order.completed-bundle', 'events.0.data.items.0.attributes.cryptlex_is_bundle', 'true'],
    ['order.completed-bundle', 'events.0.data.items.2.driver.type', 'bundle'],
    ['order.completed-addon', 'events.0.data.items.1.driver.type', 'addon'],
    ['order.completed-addon-later', 'events.0.data.items.1', undefined],
    ['order.completed-cross-sell', 'events.0.data.items.1.driver.type', 'cross-sell'],
    ['order.completed-mixed-cart', 'events.0.data.items.2.attributes', undefined],
    ['order.completed-unlicensed-only', 'events.0.data.items.0.attributes', undefined],
    ['order.completed-no-expansion', 'events.0.data.account.id', undefined],
    ['order.completed-no-expansion', 'events.0.data.items.0.attributes', undefined],
    ['subscription.charge.completed', 'events.0.data.order.items.0.attributes', undefined],
    ['subscription.charge.completed-no-expansion', 'events.0.data.order.id', undefined],
    ['subscription.charge.completed-failed-status', 'events.0.data.status', 'failed'],
    ['subscription.payment.overdue-active', 'events.0.data.state', 'active'],
    ['subscription.canceled', 'events.0.data.active', true],
    ['batch-order-and-activation', 'events.2.type', 'order.completed'],
    ['batch-two-orders', 'events.1.data.items.0.attributes', undefined],
  ],
  paddle: [
    ['transaction.completed-web-no-subscription', 'data.subscription_id', null],
    ['transaction.paid', 'data.subscription_id', null],
    [
      'transaction.completed-web-no-custom-data',
      'data.details.line_items.0.product.custom_data',
      null,
    ],
    ['transaction.completed-web-no-custom-data', 'data.items.0.price.custom_data', null],
    [
      'transaction.completed-web-price-custom-data',
      'data.details.line_items.0.product.custom_data',
      null,
    ],
    [
      'transaction.completed-web-price-custom-data',
      'data.details.line_items.1.product.custom_data.cryptlex_license_template_id',
      undefined,
    ],
    [
      'transaction.completed-web-price-custom-data',
      'data.items.1.price.custom_data.cryptlex_product_id',
      undefined,
    ],
    ['transaction.completed-web-mixed', 'data.items.1.price.billing_cycle', null],
    [
      'transaction.completed-web-two-intervals',
      'data.items.0.price.billing_cycle.interval',
      'month',
    ],
    [
      'transaction.completed-web-two-intervals',
      'data.items.1.price.billing_cycle.interval',
      'year',
    ],
    ['transaction.completed-web-quantity', 'data.details.line_items.0.quantity', 3],
    ['transaction.completed-api', 'data.origin', 'api'],
    ['transaction.completed-subscription-charge', 'data.origin', 'subscription_charge'],
    [
      'transaction.completed-subscription-payment-method-change',
      'data.details.totals.grand_total',
      '0',
    ],
    ['customer.created-no-name', 'data.name', null],
    ['adjustment.created', 'data.status', 'pending_approval'],
  ],
};

describe.each(PROVIDERS)('what is special in the samples of %s', (provider) => {
  test.each(SPECIAL[provider])('%s: %s is %s', (name, path, value) => {
    expect(at(sample(provider, name).body, path)).toEqual(value);
  });
});

test('the batch is not sorted by time, and the lines of the shuffled cart not by item', () => {
  const times = eventsOf(sample('fastspring', 'batch-order-and-activation')).map(
    ({ timeMs }) => timeMs,
  );
  expect(times).not.toEqual(times.toSorted((a, b) => a - b));

  const { body } = sample('paddle', 'transaction.completed-web-shuffled');
  const ids = (list: string, path: string) =>
    [0, 1, 2].map((place) => at(body, `${list}.${place}.${path}`));
  const lines = ids('data.details.line_items', 'price_id');
  const items = ids('data.items', 'price.id');
  expect(lines).not.toEqual(items);
  expect(lines.toSorted()).toEqual(items.toSorted());
});
