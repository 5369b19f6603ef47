// Random sales of all three providers: what happens to each, and the webhooks that tell of it, made from
// the shipped samples. Takes fast-check's choices, gives sales for the model and deliveries for the server.
// Knows nothing of how a delivery is handled.

import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../src/core/model.ts';
import type { Provider } from '../../src/core/providers.ts';
import { PRODUCT_ID, sampleBody } from '../support/keywright.ts';
import type { Fact, Line, Sale } from './model.ts';

/** One POST. */
export interface Delivery {
  readonly provider: Provider;
  readonly body: JsonObject;
  /** `{provider}:{event id}` of each event in it, as the journal names them. */
  readonly keys: readonly string[];
  readonly atMs: number;
  /** Sent only when these events were accepted. */
  readonly after?: readonly string[];
}

export interface Scenario {
  /** A failed payment suspends after `GRACE`, not at once. */
  readonly hasGrace: boolean;
  readonly sales: readonly Sale[];
  readonly deliveries: readonly Delivery[];
}

const PROVIDERS = ['stripe', 'fastspring', 'paddle'] as const;
const PRODUCTS = [
  'a9197f4a-49e0-48a8-b8cc-365e12442b7a',
  'b30fa92d-11cb-4b76-8101-55c6c40ab47c',
] as const;
const TEMPLATE = '04ba627c-d8f2-4100-94e9-513cab4c05c3';
export const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** So long that some payments come before its end and some after, and outages cover it. */
export const GRACE = 'PT5M';
const IN_ORDER_MS = 5 * MINUTE_MS;

export interface Telling {
  /** How long after it happened the first delivery comes. */
  readonly delayMs: number;
  /** Further deliveries of the same event. */
  readonly repeats: readonly number[];
  /** The same fact under a new event id, as FastSpring's "resend" and Stripe's twin events. */
  readonly resend: number | undefined;
}

const ONCE: Telling = { delayMs: 0, repeats: [], resend: undefined };

export interface Step {
  readonly kind:
    | ('payment' | 'suspension' | 'comeback' | 'failure')
    | ('refund' | 'dispute' | 'won');
  /** Since what happened before; nothing for the same moment. */
  readonly afterMs: number;
  readonly telling: Telling;
}

export interface Story {
  readonly provider: Provider;
  readonly buyer: number;
  readonly lines: readonly {
    readonly quantity: number;
    readonly product: number;
    readonly recurring: boolean;
  }[];
  readonly startMs: number;
  readonly purchase: Telling;
  readonly steps: readonly Step[];
  readonly end: Telling | undefined;
  readonly inOrder: boolean;
}

const telling: fc.Arbitrary<Telling> = fc.record({
  delayMs: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 * MINUTE_MS }) },
  ),
  repeats: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5 * MINUTE_MS })), {
    maxLength: 2,
  }),
  resend: fc.option(fc.integer({ min: 0, max: 5 * MINUTE_MS }), { nil: undefined, freq: 2 }),
});

const story: fc.Arbitrary<Story> = fc.record({
  provider: fc.constantFrom(...PROVIDERS),
  buyer: fc.nat(2),
  lines: fc.array(
    fc.record({
      quantity: fc.integer({ min: 1, max: 3 }),
      product: fc.nat(1),
      recurring: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.boolean()),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  startMs: fc.integer({ min: 0, max: 2 * MINUTE_MS }),
  purchase: telling,
  steps: fc.array(
    fc.record({
      kind: fc.constantFrom(
        ...(['payment', 'payment', 'suspension', 'failure', 'failure', 'comeback'] as const),
        ...(['dispute', 'won', 'refund'] as const),
      ),
      afterMs: fc.oneof(
        { weight: 1, arbitrary: fc.constant(0) },
        { weight: 6, arbitrary: fc.integer({ min: 1_000, max: 4 * MINUTE_MS }) },
      ),
      telling,
    }),
    { maxLength: 4 },
  ),
  end: fc.option(telling, { nil: undefined, freq: 3 }),
  inOrder: fc.boolean(),
});

export interface Customer {
  readonly delayMs: number;
  readonly telling: Telling;
}

/** @param startMs when the first sale may happen; whole seconds, since Stripe tells no more */
export function scenarios(startMs: number): fc.Arbitrary<Scenario> {
  const customer: fc.Arbitrary<Customer> = fc.record({
    delayMs: fc.integer({ min: 0, max: 5 * MINUTE_MS }),
    telling,
  });
  return fc
    .record({
      stories: fc.array(story, { minLength: 1, maxLength: 5 }),
      customers: fc.tuple(...[0, 1, 2].map(() => fc.option(customer, { nil: undefined }))),
      batches: fc.boolean(),
      hasGrace: fc.boolean(),
    })
    .map(({ stories, customers, batches, hasGrace }) =>
      scenarioOf(startMs, stories, customers, { batches, hasGrace }),
    );
}

interface TellingOptions {
  readonly batches?: boolean;
  readonly hasGrace?: boolean;
  readonly firstId?: number;
}

/** The sales and deliveries of stories; `customers` by the number of the buyer, `firstId` that of the first sale. */
export function scenarioOf(
  startMs: number,
  stories: readonly Story[],
  customers: readonly (Customer | undefined)[] = [],
  { batches = false, hasGrace = false, firstId = 0 }: TellingOptions = {},
): Scenario {
  const told = stories.map((each, index) =>
    tell(withGrace(each, hasGrace), firstId + index, startMs, customers),
  );
  const buyers = new Set(stories.flatMap((s) => (s.provider === 'paddle' ? [s.buyer] : [])));
  const upserts = [...buyers].flatMap((buyer) => tellCustomer(buyer, customers[buyer], startMs));
  const deliveries = [...told.flatMap((each) => each.deliveries), ...upserts];
  return {
    hasGrace,
    sales: told.map(({ sale }) => sale),
    deliveries: batches ? batched(deliveries) : deliveries,
  };
}

/** FastSpring tells of one kind of failure only: what follows from it is for the rules to say. */
function withGrace(story: Story, hasGrace: boolean): Story {
  const isFastspring = story.provider === 'fastspring';
  const steps = story.steps.flatMap((step): readonly Step[] => {
    if (isFastspring && (step.kind === 'failure' || step.kind === 'suspension')) {
      return [{ ...step, kind: hasGrace ? 'failure' : 'suspension' }];
    }
    return step.kind === 'failure' && !hasGrace ? [] : [step];
  });
  return { ...story, steps };
}

const emailOf = (buyer: number): string => `buyer${buyer}@example.com`;
const customerOf = (buyer: number): string => `ctm_buyer${buyer}`;

function tell(
  { provider, buyer, lines, startMs: afterMs, purchase, steps, end, inOrder }: Story,
  index: number,
  startMs: number,
  customers: readonly (Customer | undefined)[],
): { sale: Sale; deliveries: readonly Delivery[] } {
  const id = `${index}`;
  const boughtMs = wholeSecond(startMs + afterMs);
  const tellers = TELLERS[provider];
  const sold = tellers.lines(id, lines);
  const facts: Fact[] = [];
  const tellings: { readonly telling: Telling; readonly fact: Fact | undefined }[] = [
    { telling: purchase, fact: undefined },
  ];
  let nowMs = boughtMs;
  for (const step of steps) {
    const isOver = !isMoneyBack(step.kind) && sold.every(({ isRecurring }) => !isRecurring);
    const payment = paymentOf(step.kind, facts);
    if (!tellers.kinds.includes(step.kind) || isOver || payment === undefined) continue;
    // Two payments of one moment, or a pause and a change of plan, do not happen.
    const before = facts.at(-1)?.kind;
    const mayCoincide =
      (before === 'suspension' || before === 'failure') && step.kind === 'payment';
    nowMs = wholeSecond(nowMs + Math.max(step.afterMs, mayCoincide ? 0 : 1_000));
    const paidUntilMs = boughtMs + (facts.length + 2) * 30 * DAY_MS;
    const dated = provider === 'paddle' ? { paidUntilMs } : {};
    const fact: Fact = isMoneyBack(step.kind)
      ? { kind: step.kind, timeMs: nowMs, payment }
      : step.kind === 'suspension' || step.kind === 'failure'
        ? { kind: step.kind, timeMs: nowMs }
        : step.kind === 'comeback'
          ? { kind: 'comeback', timeMs: nowMs, paidUntilMs }
          : { kind: 'payment', timeMs: nowMs, ...dated };
    facts.push(fact);
    tellings.push({ telling: step.telling, fact });
  }
  if (end !== undefined && sold.some(({ isRecurring }) => isRecurring)) {
    const fact = { kind: 'end', timeMs: wholeSecond(nowMs + 1_000) } as const;
    facts.push(fact);
    tellings.push({ telling: end, fact });
  }
  let notBeforeMs = 0;
  let purchasedMs = 0;
  const deliveries = tellings.flatMap(({ telling, fact }, place) => {
    const events = tellers.events({ id, buyer, boughtMs, lines, sold, fact, place });
    const happenedMs = fact?.timeMs ?? boughtMs;
    const firstMs = Math.max(
      happenedMs + telling.delayMs,
      notBeforeMs,
      // It would find nothing and be done; see the freedoms of the model.
      fact?.kind === 'comeback' ? purchasedMs + IN_ORDER_MS : 0,
    );
    if (fact === undefined) purchasedMs = firstMs;
    // Far enough behind for a crash in between: each is accepted before the next is sent.
    if (inOrder) notBeforeMs = firstMs + IN_ORDER_MS;
    const isPayment = fact === undefined || fact.kind === 'payment';
    const links = isPayment ? tellers.links({ id, place, happenedMs }) : [];
    return [
      ...deliveriesOf(provider, events, telling, firstMs),
      // Told by itself, before or after what it links.
      ...deliveriesOf(
        provider,
        links,
        ONCE,
        happenedMs + 20_000 - Math.round(telling.delayMs / 1000),
      ),
    ];
  });
  const hasCustomer = customers[buyer] !== undefined;
  const placeholder = `${customerOf(buyer)}@cryptlexpaddle.com`;
  const ownerEmail = provider === 'paddle' && !hasCustomer ? placeholder : emailOf(buyer);
  const sale = { provider, ownerEmail, lines: merged(sold), facts, cameInOrder: inOrder };
  return { sale, deliveries };
}

type MoneyBack = 'refund' | 'dispute' | 'won';

function isMoneyBack(kind: Step['kind']): kind is MoneyBack {
  return kind === 'refund' || kind === 'dispute' || kind === 'won';
}

/** The payment that a step is about: the newest, once for each kind. Undefined where there is none for it. */
function paymentOf(kind: Step['kind'], facts: readonly Fact[]): number | undefined {
  const of = (wanted: Fact['kind']): readonly number[] =>
    facts.flatMap((fact) => (fact.kind === wanted && 'payment' in fact ? [fact.payment] : []));
  if (kind === 'won') return of('dispute').findLast((payment) => !of('won').includes(payment));
  // The purchase is 0, the first fact after it 1.
  const newest = facts.findLastIndex((fact) => fact.kind === 'payment') + 1;
  return isMoneyBack(kind) && of(kind).includes(newest) ? undefined : newest;
}

/** Two lines of one product are found together. */
function merged(lines: readonly Line[]): readonly Line[] {
  const byName = new Map<string, Line>();
  for (const line of lines) {
    const name = `${line.reference.join()} ${line.productId}`;
    const quantity = line.quantity + (byName.get(name)?.quantity ?? 0);
    byName.set(name, { ...line, quantity });
  }
  return [...byName.values()];
}

const wholeSecond = (ms: number): number => Math.ceil(ms / 1000) * 1000;

/** The first event and its repetitions; the others of the fact are told at their own time. */
function deliveriesOf(
  provider: Provider,
  [event, ...twins]: readonly JsonObject[],
  telling: Telling,
  firstMs: number,
): readonly Delivery[] {
  if (event === undefined) return [];
  const afterMs = [0, ...telling.repeats];
  const own = afterMs.map((ms) => deliveryOf(provider, event, firstMs + ms));
  if (telling.resend === undefined) return own;
  const { resend } = telling;
  // FastSpring's has a later time, by which all would go if nothing had come before it.
  const after = provider === 'fastspring' ? { after: own[0]?.keys ?? [] } : {};
  return [
    ...own,
    ...twins.map((twin) => ({ ...deliveryOf(provider, twin, firstMs + resend), ...after })),
  ];
}

function deliveryOf(provider: Provider, event: JsonObject, atMs: number): Delivery {
  const body = provider === 'fastspring' ? { events: [event] } : event;
  const id = event[provider === 'paddle' ? 'event_id' : 'id'];
  return { provider, body, keys: [`${provider}:${id}`], atMs };
}

/** FastSpring's deliveries of about the same time, in one POST, in no order. */
function batched(deliveries: readonly Delivery[]): readonly Delivery[] {
  const others = deliveries.filter(({ provider }) => provider !== 'fastspring');
  const groups = new Map<number, Delivery[]>();
  for (const delivery of deliveries.filter(({ provider }) => provider === 'fastspring')) {
    const group = Math.ceil(delivery.atMs / MINUTE_MS) * MINUTE_MS;
    groups.set(group, [delivery, ...(groups.get(group) ?? [])]);
  }
  const together = [...groups].map(([atMs, group]): Delivery => {
    const events = group.flatMap(({ body }) => body['events'] as JsonValue[]);
    const keys = group.flatMap((each) => each.keys);
    const after = group.flatMap((each) => each.after ?? []).filter((key) => !keys.includes(key));
    return { provider: 'fastspring', body: { events }, keys, atMs, after };
  });
  return [...others, ...together];
}

interface Chapter {
  readonly id: string;
  readonly buyer: number;
  readonly boughtMs: number;
  readonly lines: Story['lines'];
  readonly sold: readonly Line[];
  /** Undefined for the purchase. */
  readonly fact: Fact | undefined;
  readonly place: number;
}

interface Teller {
  readonly kinds: readonly Step['kind'][];
  lines(id: string, lines: Story['lines']): readonly Line[];
  /** The event, then further ones that tell the same fact. */
  events(chapter: Chapter): readonly JsonObject[];
  /** What tells of another id of a payment. */
  links(payment: { id: string; place: number; happenedMs: number }): readonly JsonObject[];
}

const objectAt = (value: JsonObject, ...path: (string | number)[]): JsonObject =>
  path.reduce<JsonObject>((found, step) => found[step as string] as JsonObject, value);

const SAMPLE_OF = {
  stripe: {
    payment: 'invoice.paid-subscription-cycle',
    suspension: '',
    failure: '',
    comeback: '',
    end: 'customer.subscription.deleted',
    refund: 'charge.refunded',
    dispute: 'charge.dispute.created',
    won: 'charge.dispute.closed',
  },
  fastspring: {
    payment: 'subscription.charge.completed',
    suspension: 'subscription.payment.overdue',
    failure: 'subscription.payment.overdue',
    comeback: '',
    end: 'subscription.deactivated',
    refund: 'return.created',
    dispute: 'chargeback.created',
    won: '',
  },
  paddle: {
    payment: 'transaction.completed-subscription-recurring',
    suspension: 'subscription.paused',
    failure: 'subscription.past_due',
    comeback: 'transaction.completed-subscription-update',
    end: 'subscription.canceled',
    refund: 'adjustment.updated',
    dispute: 'adjustment.created-chargeback',
    won: 'adjustment.created-chargeback-reverse',
  },
} as const;

function stripeEvent(
  sample: string,
  { id, buyer, fact, boughtMs, place }: Chapter,
  twin = '',
): JsonObject {
  const event = sampleBody('stripe', sample);
  event['id'] = `evt_${id}_${place}${twin}`;
  event['created'] = (fact?.timeMs ?? boughtMs) / 1000;
  const object = objectAt(event, 'data', 'object');
  if (fact !== undefined && 'payment' in fact) {
    object['id'] = `${fact.kind === 'refund' ? 'ch' : 'du'}_${id}_${fact.payment}`;
    object['payment_intent'] = `pi_${id}_${fact.payment}`;
    return event;
  }
  if (sample.startsWith('customer.subscription')) {
    object['id'] = `sub_${id}`;
    if (fact?.kind === 'failure') object['latest_invoice'] = `in_${id}_${place}`;
    return event;
  }
  object['id'] = `${sample.startsWith('invoice') ? 'in' : 'cs'}_${id}_${place}`;
  if (sample.startsWith('invoice')) {
    object['customer_email'] = emailOf(buyer);
    objectAt(object, 'parent', 'subscription_details')['subscription'] = `sub_${id}`;
  } else {
    object['subscription'] = `sub_${id}`;
    object['invoice'] = `in_${id}_${place}`;
    objectAt(object, 'customer_details')['email'] = emailOf(buyer);
  }
  return event;
}

const stripe: Teller = {
  kinds: ['payment', 'failure', 'refund', 'dispute', 'won'],
  lines: (id) => [
    {
      productId: PRODUCT_ID,
      quantity: 1,
      interval: 'P1Y',
      isRecurring: true,
      reference: ['stripe_subscription_id', `sub_${id}`],
    },
  ],
  events: (chapter) =>
    chapter.fact === undefined
      ? [
          stripeEvent('invoice.paid-subscription-create', chapter),
          stripeEvent('checkout.session.completed-subscription', chapter, '_twin'),
        ]
      : chapter.fact.kind === 'failure'
        ? [
            stripeEvent('invoice.payment_failed', chapter),
            stripeEvent('customer.subscription.updated-payment-failed', chapter, '_twin'),
          ]
        : ['', '_twin'].map((twin) =>
            stripeEvent(SAMPLE_OF.stripe[chapter.fact?.kind ?? 'payment'], chapter, twin),
          ),
  links: ({ id, place, happenedMs }) => {
    const event = sampleBody('stripe', 'invoice_payment.paid');
    event['id'] = `evt_${id}_${place}_link`;
    event['created'] = happenedMs / 1000;
    const object = objectAt(event, 'data', 'object');
    object['id'] = `inpay_${id}_${place}`;
    object['invoice'] = `in_${id}_${place}`;
    objectAt(object, 'payment')['payment_intent'] = `pi_${id}_${place}`;
    return [event];
  },
};

function fastspringEvent(sample: string, chapter: Chapter, twin: string): JsonObject {
  const { id, buyer, fact, boughtMs, place, lines, sold } = chapter;
  const body = sampleBody('fastspring', sample);
  const event = objectAt(body, 'events', 0);
  const happenedMs = fact?.timeMs ?? boughtMs;
  event['id'] = `FSEVENT-${id}-${place}${twin}`;
  // A payment that is told again by hand has a new id, and the time of the telling.
  const isLater =
    twin !== '' && (fact === undefined || fact.kind === 'payment' || fact.kind === 'failure');
  event['created'] = happenedMs + (isLater ? 100 * MINUTE_MS : 0);
  const data = objectAt(event, 'data');
  if (fact === undefined) {
    data['id'] = `order-${id}`;
    data['order'] = `order-${id}`;
    const customer = objectAt(data, 'customer');
    customer['email'] = emailOf(buyer);
    const [first] = data['items'] as JsonObject[];
    data['items'] = lines.map((line, index): JsonObject => {
      const item = structuredClone(first) as JsonObject;
      item['quantity'] = line.quantity;
      item['product'] = `product-${index}`;
      const attributes = objectAt(item, 'attributes');
      attributes['cryptlex_product_id'] = sold[index]?.productId ?? '';
      attributes['cryptlex_license_template_id'] = TEMPLATE;
      attributes['cryptlex_license_subscription_interval'] = sold[index]?.interval ?? '';
      if (line.recurring) {
        const subscription = objectAt(item, 'subscription');
        subscription['id'] = `fsub-${id}`;
        subscription['subscription'] = `fsub-${id}`;
      } else {
        delete item['subscription'];
      }
      return item;
    });
  } else if ('payment' in fact) {
    const paid = fact.payment === 0 ? `order-${id}` : `charge-${id}-${fact.payment}`;
    if (fact.kind === 'dispute') data['order'] = paid;
    else {
      data['return'] = `return-${id}-${fact.payment}`;
      Object.assign(objectAt(data, 'original'), { id: paid, order: paid, subscriptions: [] });
    }
  } else if (fact.kind === 'payment') {
    const order = objectAt(data, 'order');
    order['id'] = `charge-${id}-${place}`;
    order['order'] = `charge-${id}-${place}`;
    objectAt(data, 'subscription')['id'] = `fsub-${id}`;
  } else {
    data['id'] = `fsub-${id}`;
    data['subscription'] = `fsub-${id}`;
    // The period that is not paid: what makes reminders one.
    data['sequence'] = place;
  }
  return event;
}

const fastspring: Teller = {
  // FastSpring does not tell that a chargeback was won.
  kinds: ['payment', 'suspension', 'failure', 'refund', 'dispute'],
  lines: (id, lines) =>
    lines.map(({ quantity, product, recurring }) => ({
      productId: PRODUCTS[product] ?? PRODUCTS[0],
      quantity,
      // The template's year, where the item says nothing.
      isRecurring: recurring,
      interval: recurring ? 'P1M' : 'P1Y',
      reference: recurring
        ? (['fastspring_subscription_id', `fsub-${id}`] as const)
        : (['fastspring_order_id', `order-${id}`] as const),
    })),
  events: (chapter) => {
    const sample =
      chapter.fact === undefined ? 'order.completed' : SAMPLE_OF.fastspring[chapter.fact.kind];
    return [fastspringEvent(sample, chapter, ''), fastspringEvent(sample, chapter, '-resent')];
  },
  links: () => [],
};

function paddleEvent(sample: string, chapter: Chapter): JsonObject {
  const { id, buyer, fact, boughtMs, place, lines, sold } = chapter;
  const event = sampleBody('paddle', sample);
  event['event_id'] = `evt_paddle_${id}_${place}`;
  event['occurred_at'] = new Date(fact?.timeMs ?? boughtMs).toISOString();
  const data = objectAt(event, 'data');
  data['customer_id'] = customerOf(buyer);
  if (fact?.kind === 'suspension' || fact?.kind === 'failure' || fact?.kind === 'end') {
    data['id'] = `psub_${id}`;
    if (fact.kind === 'failure') {
      objectAt(data, 'current_billing_period')['starts_at'] = new Date(fact.timeMs).toISOString();
    }
    return event;
  }
  if (fact !== undefined && 'payment' in fact) {
    data['id'] = `adj_${id}_${place}`;
    data['transaction_id'] = `txn_${id}_${fact.payment}`;
    data['subscription_id'] = `psub_${id}`;
    return event;
  }
  data['id'] = `txn_${id}_${place}`;
  data['subscription_id'] = `psub_${id}`;
  if (fact !== undefined && 'paidUntilMs' in fact && fact.paidUntilMs !== undefined) {
    data['billing_period'] = {
      starts_at: new Date(fact.timeMs).toISOString(),
      ends_at: new Date(fact.paidUntilMs).toISOString(),
    };
  }
  if (fact !== undefined) return event;
  const [item] = data['items'] as JsonObject[];
  const details = objectAt(data, 'details');
  const [lineItem] = details['line_items'] as JsonObject[];
  data['items'] = lines.map((line, index) => {
    const copy = structuredClone(item) as JsonObject;
    const price = objectAt(copy, 'price');
    price['id'] = `pri_${index}`;
    copy['price_id'] = `pri_${index}`;
    copy['quantity'] = line.quantity;
    price['billing_cycle'] = line.recurring ? { interval: 'month', frequency: 1 } : null;
    return copy;
  });
  details['line_items'] = lines.map((line, index) => {
    const copy = structuredClone(lineItem) as JsonObject;
    copy['price_id'] = `pri_${index}`;
    copy['quantity'] = line.quantity;
    objectAt(copy, 'product')['custom_data'] = {
      cryptlex_product_id: sold[index]?.productId ?? '',
      cryptlex_license_template_id: TEMPLATE,
    };
    return copy;
  });
  return event;
}

const paddle: Teller = {
  kinds: ['payment', 'suspension', 'failure', 'comeback', 'refund', 'dispute', 'won'],
  lines: (id, lines) =>
    lines.map(({ quantity, product, recurring }) => ({
      productId: PRODUCTS[product] ?? PRODUCTS[0],
      quantity,
      isRecurring: recurring,
      interval: recurring ? 'P1M' : '',
      reference: recurring
        ? (['paddle_subscription_id', `psub_${id}`] as const)
        : (['paddle_transaction_id', `txn_${id}_0`] as const),
    })),
  events: (chapter) => [
    paddleEvent(
      chapter.fact === undefined
        ? 'transaction.completed-web'
        : SAMPLE_OF.paddle[chapter.fact.kind],
      chapter,
    ),
  ],
  links: () => [],
};

const TELLERS: Readonly<Record<Provider, Teller>> = { stripe, fastspring, paddle };

function tellCustomer(
  buyer: number,
  customer: Customer | undefined,
  startMs: number,
): readonly Delivery[] {
  if (customer === undefined) return [];
  const event = sampleBody('paddle', 'customer.created');
  const happenedMs = wholeSecond(startMs + customer.delayMs);
  event['event_id'] = `evt_customer_${buyer}`;
  event['occurred_at'] = new Date(happenedMs).toISOString();
  const data = objectAt(event, 'data');
  data['id'] = customerOf(buyer);
  data['email'] = emailOf(buyer);
  return deliveriesOf('paddle', [event], customer.telling, happenedMs + customer.telling.delayMs);
}
