// What samples cannot teach: members that only some events have, places that a provider moved, and the
// words that a member takes. Data only, with its sources.
// Sources: stripe-node 23.1.0 (Invoices.d.ts, Sessions.d.ts, Subscriptions.d.ts, CHANGELOG 18.0.0) and
// docs.stripe.com/changelog/basil/2025-03-31; developer.fastspring.com/reference; paddle-node-sdk 3.10.0
// (enums), developer.paddle.com. Read 2026-11.

import type { Provider } from '../../../core/providers.ts';

/** Members that an object may have beside those of the samples; nothing is said of what they hold. */
export const FURTHER_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  'stripe invoice': [
    ...['amount_paid_off_stripe', 'confirmation_secret', 'deleted', 'payments', 'status_details'],
    'threshold_reason',
  ],
  'stripe customer': [
    ...['business_name', 'cash_balance', 'deleted', 'individual_name', 'invoice_credit_balance'],
    ...['sources', 'subscriptions', 'tax_ids'],
  ],
  'stripe checkout.session': [
    ...['excluded_payment_method_types', 'line_items', 'name_collection', 'optional_items'],
    ...['presentment_details', 'redirect_on_completion', 'return_url'],
    ...['shipping', 'shipping_details'],
  ],
  'stripe subscription': ['presentment_details', 'status_details'],
  'stripe charge': [
    ...['authorization_code', 'level3', 'presentment_details', 'refunds', 'transfer'],
  ],
  'fastspring order': ['recipients', 'notes', 'coupons'],
  'fastspring subscription': [
    ...[
      'addons',
      'instructions',
      'fulfillments',
      'deactivationDate',
      'canceledDate',
      'remainingPeriods',
    ],
    ...[
      'paymentOverdue',
      'initialOrderId',
      'initialOrderReference',
      'customReferenceId',
      'trialReminder',
    ],
  ],
  'paddle transaction': [
    ...['address', 'adjustments', 'business', 'customer', 'discount', 'available_payment_methods'],
    ...['receipt_data', 'revised_at', 'discount_id', 'business_id'],
  ],
  'paddle subscription': [
    ...[
      'transaction_id',
      'consent_requirements',
      'next_transaction',
      'recurring_transaction_details',
    ],
    ...['management_urls', 'discount'],
  ],
};

/** A place that newer API versions of a provider no longer fill. */
export interface MovedPath {
  /** The object of the event, and the path inside it. */
  readonly family: string;
  readonly path: string;
  /** Where it is today; undefined where nothing took its place. */
  readonly now: string | undefined;
  /** What to write instead. */
  readonly hint: string;
}

function moved(path: string, now: string): MovedPath {
  const hint = `Write $first(data.object.${now}, data.object.${path}): the new place, else the old one.`;
  return { family: 'stripe invoice', path, now, hint };
}

/** Where they are empty. */
export const MOVED_SINCE = "Stripe's API versions from 2025-03-31 on";

export const MOVED_PATHS: readonly MovedPath[] = [
  moved('subscription', 'parent.subscription_details.subscription'),
  moved('subscription_details', 'parent.subscription_details'),
  moved('lines.data.price', 'lines.data.pricing.price_details'),
  moved('lines.data.plan', 'lines.data.pricing.price_details'),
  moved('lines.data.proration', 'lines.data.parent.subscription_item_details.proration'),
  moved('lines.data.subscription', 'lines.data.parent.subscription_item_details.subscription'),
  moved(
    'lines.data.subscription_item',
    'lines.data.parent.subscription_item_details.subscription_item',
  ),
  moved('lines.data.type', 'lines.data.parent.type'),
  moved('tax', 'total_taxes'),
  moved('discount', 'discounts'),
  {
    family: 'stripe invoice',
    path: 'paid',
    now: undefined,
    hint: 'Ask for `data.object.status: paid`.',
  },
  ...['charge', 'payment_intent'].map((path) => ({
    family: 'stripe invoice',
    path,
    now: undefined,
    hint: 'An invoice no longer names its payment; the event invoice_payment.paid does.',
  })),
  {
    family: 'stripe charge',
    path: 'invoice',
    now: undefined,
    hint: 'A charge no longer names its invoice; go by payment_intent.',
  },
  ...['current_period_start', 'current_period_end'].map((path) => ({
    family: 'stripe subscription',
    path,
    now: `items.data.${path}`,
    hint: `Write $first($max(data.object.items.data.${path}), data.object.${path}): the new place, else the old one.`,
  })),
];

/** The words a member takes, by object and path. */
export const WORDS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'stripe invoice': {
    status: ['draft', 'open', 'paid', 'uncollectible', 'void'],
    billing_reason: [
      ...['subscription_create', 'subscription_cycle', 'subscription_update', 'subscription'],
      ...['subscription_threshold', 'manual', 'upcoming', 'quote_accept'],
      'automatic_pending_invoice_item_invoice',
    ],
    collection_method: ['charge_automatically', 'send_invoice'],
  },
  'stripe checkout.session': {
    mode: ['payment', 'setup', 'subscription'],
    status: ['open', 'complete', 'expired'],
    payment_status: ['paid', 'unpaid', 'no_payment_required'],
  },
  'stripe subscription': {
    status: [
      ...['incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'canceled'],
      ...['unpaid', 'paused'],
    ],
    collection_method: ['charge_automatically', 'send_invoice'],
  },
  'fastspring subscription': {
    state: ['trial', 'active', 'overdue', 'deactivated', 'canceled', 'paused'],
  },
  'paddle transaction': {
    status: ['draft', 'ready', 'billed', 'paid', 'completed', 'canceled', 'past_due'],
    origin: [
      ...['api', 'web', 'subscription_charge', 'subscription_payment_method_change'],
      ...['subscription_recurring', 'subscription_update'],
    ],
    collection_mode: ['automatic', 'manual'],
  },
  'paddle subscription': {
    status: ['active', 'canceled', 'past_due', 'paused', 'trialing'],
    collection_mode: ['automatic', 'manual'],
  },
  'paddle customer': { status: ['active', 'archived'] },
};

/**
 * What the event's object is: all events about one kind of object share its shape, since each sample
 * shows only some of what there may be.
 */
export function familyOf(provider: Provider, type: string, object: unknown): string {
  if (provider === 'stripe') return `stripe ${typeof object === 'string' ? object : type}`;
  if (/^subscription\.charge\./.test(type)) return `${provider} charge`;
  return `${provider} ${type.split('.')[0] ?? type}`;
}
