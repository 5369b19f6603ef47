// The payment providers as data: one row each, with everything that is a fact of its webhooks. Whatever needs
// to know how a provider writes its events reads it here, so adding one is a row, a verifier and its rules.
// Sources: Stripe API reference "Event", FastSpring "Webhooks" reference, Paddle API reference "Events",
// and each provider's page on signatures; all read 2026-11.

import { isJsonObject } from './json.ts';
import type { JsonObject } from './model.ts';

export interface ProviderFacts {
  /** How it is written in messages. */
  readonly title: string;
  /** The header by which it signs, lower case. */
  readonly signatureHeader: string;
  /** What that header holds: a time and a digest of time and body, or a digest of the body alone. */
  readonly signature:
    | {
        readonly kind: 'timed';
        readonly separator: ',' | ';';
        readonly timeKey: string;
        readonly digestKey: string;
        /** Between time and body, in what is signed. */
        readonly joint: '.' | ':';
      }
    | { readonly kind: 'plain'; readonly encoding: 'base64' | 'hex' };
  /** The members of its event object: where paths of formulas may begin. */
  readonly members: readonly string[];
  /** The member that holds the event's id. */
  readonly idMember: string;
  /** A further id of the delivery, new each time. */
  readonly deliveryIdMember?: string;
  readonly typeMember: string;
  readonly timeMember: string;
  readonly timeUnit: 'seconds' | 'milliseconds' | 'iso8601';
  /** Whether an event is of live or test mode; undefined where the provider does not say. */
  readonly liveMember: string | undefined;
  /** The member of a body that holds a list of events; undefined where a body is one event. */
  readonly batchMember: string | undefined;
  /** Where the object of an event is. */
  readonly objectPath: readonly string[];
  /** Whether a body of unknown origin is its: by members that only its envelope has. */
  readonly owns: (body: JsonObject) => boolean;
  /** Why an event of it cannot be used, whatever rules say: a thin event. */
  readonly refuses?: (body: JsonObject) => string | undefined;
  /** Whether a text under a member is an id of one customer's doings, not of what is sold. */
  readonly isCustomerId: (text: string, member: string) => boolean;
  /** How it writes dates besides ISO 8601. */
  readonly dates: {
    /** Members that hold seconds since 1970. */
    readonly seconds: RegExp | undefined;
    /** Any large number is milliseconds since 1970. */
    readonly milliseconds: boolean;
    /** Days alone: `2026-12-03`, `Dec 3, 2026`. */
    readonly days: boolean;
  };
  /** Whether an object may come as its id alone, by a setting at the provider. */
  readonly expands: boolean;
  /** How it writes a body. */
  readonly json: 'indented' | 'compact' | 'ascii';
  /** The shipped sample of an event that makes a license. */
  readonly saleSample: string;
}

const FASTSPRING_ID_MEMBERS: ReadonlySet<string> = new Set([
  ...['id', 'order', 'orderId', 'initialOrderId', 'reference', 'initialOrderReference'],
  ...['subscription', 'subscriptions', 'parentSubscription', 'account', 'global', 'return'],
]);

const FACTS = {
  stripe: {
    title: 'Stripe',
    signatureHeader: 'stripe-signature',
    signature: { kind: 'timed', separator: ',', timeKey: 't', digestKey: 'v1', joint: '.' },
    members: [
      ...['id', 'object', 'account', 'api_version', 'context', 'created', 'data', 'livemode'],
      ...['pending_webhooks', 'request', 'type'],
    ],
    idMember: 'id',
    typeMember: 'type',
    timeMember: 'created',
    timeUnit: 'seconds',
    liveMember: 'livemode',
    batchMember: undefined,
    objectPath: ['data', 'object'],
    owns: (body) =>
      body['object'] === 'event' ||
      body['object'] === 'v2.core.event' ||
      (isJsonObject(body['data']) && isJsonObject(body['data']['object'])),
    refuses: (body) =>
      body['object'] === 'v2.core.event'
        ? 'this endpoint of Stripe sends thin events; choose the snapshot payload'
        : undefined,
    isCustomerId: (text) =>
      /^(?:evt|sub|cus|in|cs_test|cs_live|pi|ch|si|il|ii|pm|seti|txn|re|req)_(?=.*\d)\w+$/.test(
        text,
      ),
    dates: {
      // Amounts may be as large as a time, so the member has to say it.
      seconds: /^(?:created|start|end|date)$|_(?:at|on|start|end|date|anchor|attempt)$/,
      milliseconds: false,
      days: false,
    },
    expands: false,
    json: 'indented',
    saleSample: 'checkout.session.completed-payment',
  },
  fastspring: {
    title: 'FastSpring',
    signatureHeader: 'x-fs-signature',
    signature: { kind: 'plain', encoding: 'base64' },
    members: ['id', 'processed', 'created', 'type', 'live', 'data'],
    idMember: 'id',
    typeMember: 'type',
    timeMember: 'created',
    timeUnit: 'milliseconds',
    liveMember: 'live',
    batchMember: 'events',
    objectPath: ['data'],
    owns: (body) =>
      Array.isArray(body['events']) ||
      typeof body['processed'] === 'boolean' ||
      (typeof body['type'] === 'string' && isJsonObject(body['data'])),
    // Its ids have no mark; the member that they are under says it.
    isCustomerId: (text, member) => FASTSPRING_ID_MEMBERS.has(member) && /^[\w-]{2,}$/.test(text),
    dates: { seconds: /InSeconds$/, milliseconds: true, days: true },
    expands: true,
    json: 'compact',
    saleSample: 'order.completed',
  },
  paddle: {
    title: 'Paddle',
    signatureHeader: 'paddle-signature',
    signature: { kind: 'timed', separator: ';', timeKey: 'ts', digestKey: 'h1', joint: ':' },
    members: ['event_id', 'event_type', 'occurred_at', 'notification_id', 'data'],
    idMember: 'event_id',
    deliveryIdMember: 'notification_id',
    typeMember: 'event_type',
    timeMember: 'occurred_at',
    timeUnit: 'iso8601',
    liveMember: undefined,
    batchMember: undefined,
    objectPath: ['data'],
    owns: (body) => typeof body['event_type'] === 'string',
    isCustomerId: (text) =>
      /^(?:evt|ntf|txn|sub|ctm|add|biz|inv|txnitm|paymtd|adj|adjitm)_(?=.*\d)\w+$/.test(text),
    dates: { seconds: undefined, milliseconds: false, days: false },
    expands: false,
    json: 'ascii',
    saleSample: 'transaction.completed-web',
  },
} as const satisfies Record<string, ProviderFacts>;

export type Provider = keyof typeof FACTS;

/** All of them, by name. */
export const PROVIDER_FACTS: Readonly<Record<Provider, ProviderFacts>> = FACTS;

export const PROVIDERS = Object.keys(FACTS) as readonly Provider[];

export function isProvider(name: unknown): name is Provider {
  return (PROVIDERS as readonly unknown[]).includes(name);
}

/** "Stripe, FastSpring or Paddle" */
export const PROVIDER_LIST = new Intl.ListFormat('en', { type: 'disjunction' })
  .format(PROVIDERS.map((provider) => FACTS[provider].title))
  .replace(', or ', ' or ');

/** The variable that holds a provider's own signing secret: `STRIPE_WEBHOOK_SECRET`. */
export function mainSecretName(provider: Provider): string {
  return `${provider.toUpperCase()}_WEBHOOK_SECRET`;
}

/**
 * Whose event or delivery a body is, by its members; undefined for none. A member that only one envelope has
 * counts before one that others have as well, so the rows are asked in the order of how sure they are.
 */
export function providerOfBody(body: JsonObject): Provider | undefined {
  const marked = PROVIDERS.find((provider) => {
    const { members, owns } = PROVIDER_FACTS[provider];
    const known = Object.keys(body).filter((name) => members.includes(name));
    return owns(body) && known.length > 2;
  });
  return marked ?? PROVIDERS.find((provider) => PROVIDER_FACTS[provider].owns(body));
}

/** The event objects in a body. */
export function eventsInBody(provider: Provider, body: JsonObject): readonly JsonObject[] {
  const { batchMember } = PROVIDER_FACTS[provider];
  const list = batchMember === undefined ? undefined : body[batchMember];
  return Array.isArray(list) ? list.filter(isJsonObject) : [body];
}

/** A body of these events, as the provider would send it. Without a batch, the first event is the body. */
export function bodyOfEvents(provider: Provider, events: readonly JsonObject[]): JsonObject {
  const { batchMember } = PROVIDER_FACTS[provider];
  return batchMember === undefined ? (events[0] ?? {}) : { [batchMember]: [...events] };
}

/** When an event happened by its own word, in milliseconds since 1970; undefined when it does not say. */
export function eventTimeOf(provider: Provider, event: JsonObject): number | undefined {
  const { timeMember, timeUnit } = PROVIDER_FACTS[provider];
  const value = event[timeMember];
  let ms = Number.NaN;
  if (timeUnit === 'iso8601') {
    // Date.parse alone would read "1" as a year.
    const isTime =
      typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/i.test(value);
    if (isTime) ms = Date.parse(value);
  } else if (typeof value === 'number') ms = timeUnit === 'seconds' ? value * 1000 : value;
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

/** Lets an event happen at that moment; what else it says of times stays. */
export function setEventTime(provider: Provider, event: JsonObject, timeMs: number): void {
  const { timeMember, timeUnit } = PROVIDER_FACTS[provider];
  if (timeUnit === 'iso8601') event[timeMember] = new Date(timeMs).toISOString();
  else event[timeMember] = timeUnit === 'seconds' ? Math.floor(timeMs / 1000) : timeMs;
}
