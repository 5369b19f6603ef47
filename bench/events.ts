// Signed deliveries to measure with. Takes a provider and a case, gives as many bodies as are wanted, each of
// an event of its own, made of the samples. Made as text, so that making them costs the load little.
// Never sends anything.

import { readFileSync } from 'node:fs';
import type { JsonObject } from '../src/core/model.ts';
import type { Provider } from '../src/core/providers.ts';
import { Secret } from '../src/core/secret.ts';
import { signedHeaders } from '../src/verifiers/webhook-body.ts';

export const CASES = [
  'first-purchase',
  'order-50',
  'repeat-customer',
  'renewal-1',
  'renewal-10',
  'renewal-1000',
  'suspend',
  'duplicate',
  'unmatched',
  'forged',
] as const;
export type Case = (typeof CASES)[number];

export const SECRET = 'bench-secret-of-all-providers';

export interface SignedDelivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A delivery of its own for each number; the same number gives the same event. */
export type DeliveryMaker = (number: number) => SignedDelivery;

const SAMPLES: Readonly<
  Record<Provider, Partial<Record<'purchase' | 'renewal' | 'suspend', string>>>
> = {
  stripe: {
    purchase: 'checkout.session.completed-payment',
    renewal: 'invoice.paid-subscription-cycle',
  },
  fastspring: {
    purchase: 'order.completed',
    renewal: 'subscription.charge.completed',
    suspend: 'subscription.payment.overdue',
  },
  paddle: {
    purchase: 'transaction.completed-web',
    renewal: 'transaction.completed-subscription-recurring',
    suspend: 'subscription.paused',
  },
};

/** Why a case is not there for a provider; undefined where it is. */
export function missingCase(provider: Provider, name: Case): string | undefined {
  if (name === 'order-50' && provider !== 'fastspring')
    return 'only an order of FastSpring has so many items';
  if (name === 'suspend' && provider === 'stripe')
    return 'the shipped rules suspend nothing for Stripe';
  return undefined;
}

/** Marks in a body's text that are replaced: this event's id, its customer, its subscription, its time. */
const MARK = { id: '@ID@', customer: '@WHO@', subscription: '@SUB@', time: '"@TIME@"' } as const;

interface Shape {
  readonly sample: string;
  /** Another type than the sample's. */
  readonly type?: string;
  readonly items?: number;
}

function shapeOf(provider: Provider, name: Case): Shape {
  const { purchase = '', renewal = '', suspend = '' } = SAMPLES[provider];
  if (name.startsWith('renewal')) return { sample: renewal };
  if (name === 'suspend') return { sample: suspend };
  if (name === 'unmatched') return { sample: purchase, type: 'something.unheard' };
  return { sample: purchase, items: name === 'order-50' ? 50 : 1 };
}

function markedText(provider: Provider, shape: Shape): string {
  const file = new URL(`../samples/${provider}/${shape.sample}.json`, import.meta.url);
  const body = JSON.parse(readFileSync(file, 'utf8')) as JsonObject;
  const event = (provider === 'fastspring' ? (body['events'] as JsonObject[])[0] : body) ?? {};
  const typeName = provider === 'paddle' ? 'event_type' : 'type';
  if (shape.type !== undefined) event[typeName] = shape.type;
  MARKERS[provider](event, event['data'] as JsonObject, shape);
  return JSON.stringify(body);
}

const MARKERS: Readonly<
  Record<Provider, (event: JsonObject, data: JsonObject, shape: Shape) => void>
> = {
  stripe: (event, data) => {
    const object = data['object'] as JsonObject;
    Object.assign(event, { id: `evt_${MARK.id}`, created: '@TIME@' });
    object['id'] = `cs_${MARK.id}`;
    if ('payment_intent' in object) object['payment_intent'] = `pi_${MARK.id}`;
    if ('customer' in object) object['customer'] = `cus_${MARK.customer}`;
    const details = object['customer_details'] as JsonObject | undefined;
    if (details !== undefined) details['email'] = `${MARK.customer}@example.com`;
    const parent = object['parent'] as JsonObject | undefined;
    if (parent !== undefined) {
      (parent['subscription_details'] as JsonObject)['subscription'] = `sub_${MARK.subscription}`;
    }
  },
  fastspring: (event, data, { items = 1 }) => {
    Object.assign(event, { id: MARK.id, created: '@TIME@' });
    const { subscription, order } = data;
    if (typeof order === 'object') (order as JsonObject)['id'] = `order-${MARK.id}`;
    // What belongs to one order or one subscription is done one after the other.
    if (typeof order === 'string') data['order'] = `order-${MARK.id}`;
    if ('initialOrderId' in data) data['initialOrderId'] = `order-${MARK.id}`;
    if (typeof subscription === 'string') data['subscription'] = `sub-${MARK.subscription}`;
    if (typeof subscription === 'object') {
      (subscription as JsonObject)['id'] = `sub-${MARK.subscription}`;
    } else {
      data['id'] = subscription === undefined ? `order-${MARK.id}` : `sub-${MARK.subscription}`;
    }
    const customer = data['customer'] as JsonObject | undefined;
    if (customer !== undefined) customer['email'] = `${MARK.customer}@example.com`;
    const [item] = (data['items'] ?? []) as JsonObject[];
    if (item === undefined) return;
    data['items'] = Array.from({ length: items }, (_, index) => ({
      ...item,
      product: `product-${index}`,
      subscription: { ...(item['subscription'] as JsonObject), id: `sub-${MARK.id}-${index}` },
    }));
  },
  paddle: (event, data) => {
    Object.assign(event, { event_id: `evt_${MARK.id}`, occurred_at: '@TIME@' });
    Object.assign(event, { notification_id: `ntf_${MARK.id}` });
    Object.assign(data, { customer_id: `ctm_${MARK.customer}` });
    if ('subscription_id' in data) {
      Object.assign(data, { id: `txn_${MARK.id}`, subscription_id: `sub_${MARK.subscription}` });
    } else data['id'] = `sub_${MARK.subscription}`;
  },
};

function timeText(provider: Provider, nowMs: number): string {
  if (provider === 'stripe') return String(Math.floor(nowMs / 1000));
  return provider === 'paddle' ? JSON.stringify(new Date(nowMs).toISOString()) : String(nowMs);
}

/** Made longer by a list of small objects, as long bodies are. */
function padded(text: string, bytes: number): string {
  const item = '{"id":"filler","amount":100,"name":"An item that nobody asks for"}';
  const count = Math.ceil(Math.max(0, bytes - text.length) / (item.length + 1));
  if (count === 0) return text;
  return text.replace('"data":{', `"data":{"filler":[${Array(count).fill(item).join(',')}],`);
}

interface DeliveryOptions {
  /** Tells this run's events from those of others: part of every id. */
  readonly run: string;
  /** For a repeat customer: how many customers there are, told by their numbers. */
  readonly customers?: number;
  /** The body has at least so many. */
  readonly bytes?: number;
  /** Of the subscription that is renewed. */
  readonly licenses?: number;
  /** When the event happens; the system's clock unless it is said. */
  readonly nowMs?: () => number;
}

export function createDeliveries(
  provider: Provider,
  name: Case,
  {
    run,
    customers = 1,
    bytes = 0,
    nowMs = Date.now,
    licenses = name.startsWith('renewal-') ? Number(name.slice('renewal-'.length)) : 1,
  }: DeliveryOptions,
): DeliveryMaker {
  const text = padded(markedText(provider, shapeOf(provider, name)), bytes);
  const secret = new Secret(SECRET);
  return (number) => {
    const id = name === 'duplicate' ? `${run}-twice` : `${run}-${name}-${number}`;
    const who = name === 'repeat-customer' ? `${run}-customer-${number % customers}` : id;
    const timeMs = nowMs();
    const body = Buffer.from(
      text
        .replaceAll(MARK.id, id)
        .replaceAll(MARK.customer, who)
        .replaceAll(MARK.subscription, `${id}-of-${licenses}`)
        .replaceAll(MARK.time, timeText(provider, timeMs)),
    );
    const signed = { secret, timestampSeconds: Math.floor(timeMs / 1000) };
    const headers = signedHeaders(provider, body, signed);
    // One bit of the last byte: a text that is still JSON, and no longer what was signed.
    if (name === 'forged') body[body.length - 1] = 0x20;
    return { headers, body };
  };
}
