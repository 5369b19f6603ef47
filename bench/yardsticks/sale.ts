// What both yardsticks read out of a body, in the few lines that a seller would write who knows the own shop:
// no rules, no checks of what cannot be. Takes a parsed body, gives what has to be done.

import type { Provider } from '../../src/core/providers.ts';

interface Entry {
  readonly key: string;
  readonly value: string;
}

export interface LicenseOrder {
  readonly productId: string;
  readonly licenseTemplateId?: string;
  readonly subscriptionInterval?: string;
  readonly metadata: readonly Entry[];
}

export type Work =
  | {
      readonly kind: 'purchase';
      readonly email: string;
      readonly firstName: string;
      readonly licenses: readonly LicenseOrder[];
    }
  | { readonly kind: 'renew' | 'suspend'; readonly find: Entry }
  | { readonly kind: 'none' };

interface StripeEvent {
  readonly type: string;
  readonly data: {
    readonly object: {
      readonly id: string;
      readonly customer_details: { readonly email: string; readonly name: string };
      readonly parent: { readonly subscription_details: { readonly subscription: string } };
    };
  };
}

function workOfStripe({ type, data: { object } }: StripeEvent): Work {
  const key = 'stripe_subscription_id';
  if (type === 'checkout.session.completed') {
    const productId = process.env['CRYPTLEX_PRODUCT_ID'] ?? '';
    const { email, name } = object.customer_details;
    const licenses = [{ productId, metadata: [{ key, value: object.id }] }];
    return { kind: 'purchase', email: email.toLowerCase(), firstName: name, licenses };
  }
  if (type !== 'invoice.paid') return { kind: 'none' };
  return { kind: 'renew', find: { key, value: object.parent.subscription_details.subscription } };
}

interface CryptlexMembers {
  readonly cryptlex_product_id: string;
  readonly cryptlex_license_template_id: string;
}

interface FastSpringEvent {
  readonly type: string;
  readonly data: {
    readonly id: string;
    readonly customer: { readonly email: string; readonly first: string };
    readonly items: readonly {
      readonly attributes: CryptlexMembers & {
        readonly cryptlex_license_subscription_interval: string;
      };
      readonly subscription: { readonly id: string };
    }[];
    readonly subscription: { readonly id: string };
  };
}

function workOfFastSpring({ type, data }: FastSpringEvent): Work {
  const key = 'fastspring_subscription_id';
  if (type === 'order.completed') {
    const { email, first: firstName } = data.customer;
    const licenses = data.items.map(({ attributes, subscription }) => ({
      productId: attributes.cryptlex_product_id,
      licenseTemplateId: attributes.cryptlex_license_template_id,
      subscriptionInterval: attributes.cryptlex_license_subscription_interval,
      metadata: [{ key, value: subscription.id }],
    }));
    return { kind: 'purchase', email, firstName, licenses };
  }
  if (type === 'subscription.charge.completed') {
    return { kind: 'renew', find: { key, value: data.subscription.id } };
  }
  if (type !== 'subscription.payment.overdue') return { kind: 'none' };
  return { kind: 'suspend', find: { key, value: data.id } };
}

interface PaddleEvent {
  readonly event_type: string;
  readonly data: {
    readonly id: string;
    readonly origin: string;
    readonly customer_id: string;
    readonly subscription_id: string;
    readonly details: {
      readonly line_items: readonly {
        readonly product: { readonly custom_data: CryptlexMembers };
      }[];
    };
  };
}

function workOfPaddle({ event_type: type, data }: PaddleEvent): Work {
  const key = 'paddle_subscription_id';
  if (type === 'subscription.paused') return { kind: 'suspend', find: { key, value: data.id } };
  if (type !== 'transaction.completed') return { kind: 'none' };
  const { customer_id: firstName, subscription_id: value } = data;
  if (data.origin === 'subscription_recurring') return { kind: 'renew', find: { key, value } };
  const licenses = data.details.line_items.map(({ product: { custom_data: custom } }) => ({
    productId: custom.cryptlex_product_id,
    licenseTemplateId: custom.cryptlex_license_template_id,
    subscriptionInterval: 'P1M',
    metadata: [{ key, value }],
  }));
  return { kind: 'purchase', email: `${firstName}@cryptlexpaddle.com`, firstName, licenses };
}

/** What an event asks for. */
export function workOf(provider: Provider, event: unknown): Work {
  if (provider === 'stripe') return workOfStripe(event as StripeEvent);
  if (provider === 'fastspring') return workOfFastSpring(event as FastSpringEvent);
  return workOfPaddle(event as PaddleEvent);
}
