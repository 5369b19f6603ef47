// A stand-in for the two endpoints of Stripe that billing links call, over real HTTP: takes form-encoded
// requests with a key, makes sessions, keeps idempotency keys, answers errors as Stripe does. A test may
// make it slow, broken or talk nonsense. Shapes: Stripe API reference and stripe-node 23.1.0, read 2026-11.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../src/core/model.ts';
import { sampleBody } from './keywright.ts';

export const STRIPE_KEY = ['rk', 'test', 'standin0000000000'].join('_');
const PRICES = ['price_monthly', 'price_yearly'];

export interface StripeRequest {
  readonly path: string;
  readonly idempotencyKey: string | undefined;
  readonly form: Readonly<Record<string, string>>;
}

/** What the stand-in does in place of its work; asked for each request. */
export type Trouble =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  | { readonly kind: 'silent' }
  | { readonly kind: 'cut' };

export interface StripeStandIn {
  readonly url: string;
  readonly requests: StripeRequest[];
  /** Customers that Stripe knows. */
  readonly customers: Set<string>;
  trouble: ((request: StripeRequest) => Trouble | undefined) | undefined;
  /** The event that Stripe sends when the buyer has paid. */
  completedEvent(sessionId: string, paid: { customerId: string; eventId: string }): JsonObject;
  close(): Promise<void>;
}

export async function startStripe(): Promise<StripeStandIn> {
  const sessions = new Map<string, StripeRequest>();
  const remembered = new Map<string, { form: string; answer: JsonObject }>();
  const server = createServer((incoming, response) => {
    void handle(incoming, response);
  });

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of incoming) body += String(chunk);
    const key = incoming.headers['idempotency-key'];
    const request: StripeRequest = {
      path: `${incoming.method} ${incoming.url}`,
      idempotencyKey: typeof key === 'string' ? key : undefined,
      form: Object.fromEntries(new URLSearchParams(body)),
    };
    standIn.requests.push(request);
    const trouble = standIn.trouble?.(request);
    if (trouble?.kind === 'cut') return void incoming.destroy();
    if (trouble?.kind === 'silent') {
      await sleep(3_000, undefined, { ref: false });
      return void response.destroy();
    }
    if (trouble?.kind === 'answer') {
      response.writeHead(trouble.status, { 'content-type': 'application/json' });
      return void response.end(trouble.body);
    }
    const [status, answer] = answerTo(request, body, incoming.headers.authorization);
    response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_standin' });
    response.end(JSON.stringify(answer));
  };

  const answerTo = (
    request: StripeRequest,
    body: string,
    authorization: string | undefined,
  ): [number, JsonObject] => {
    const { path, form, idempotencyKey } = request;
    if (authorization !== `Bearer ${STRIPE_KEY}`) {
      return [401, failure('Invalid API Key provided: rk_test_****0000')];
    }
    const known = remembered.get(idempotencyKey ?? '');
    if (known !== undefined && known.form !== `${path} ${body}`) {
      const message = 'Keys for idempotent requests can only be used with the same parameters.';
      return [400, failure(message, { type: 'idempotency_error' })];
    }
    if (known !== undefined) return [200, known.answer];
    const { customer } = form;
    if (customer !== undefined && !standIn.customers.has(customer)) {
      const details = { code: 'resource_missing', param: 'customer' };
      return [400, failure(`No such customer: '${customer}'`, details)];
    }
    const made = make(request);
    if (made[0] === 200 && idempotencyKey !== undefined) {
      remembered.set(idempotencyKey, { form: `${path} ${body}`, answer: made[1] });
    }
    return made;
  };

  const make = (request: StripeRequest): [number, JsonObject] => {
    const { path, form } = request;
    if (path === 'POST /v1/billing_portal/sessions') {
      if (form['customer'] === undefined)
        return [400, failure('Missing required param: customer.')];
      const id = `bps_${sessions.size + 1}`;
      sessions.set(id, request);
      return [
        200,
        { id, object: 'billing_portal.session', url: `https://billing.stripe.com/p/${id}` },
      ];
    }
    if (path !== 'POST /v1/checkout/sessions')
      return [404, failure(`Unrecognized request URL (${path})`)];
    const price = form['line_items[0][price]'] ?? '';
    if (!PRICES.includes(price)) {
      const details = { code: 'resource_missing', param: 'line_items[0][price]' };
      return [400, failure(`No such price: '${price}'`, details)];
    }
    if (form['customer'] !== undefined && form['customer_email'] !== undefined) {
      return [
        400,
        failure('You may only specify one of these parameters: customer, customer_email.'),
      ];
    }
    const id = `cs_test_${sessions.size + 1}`;
    sessions.set(id, request);
    const url = `https://checkout.stripe.com/c/pay/${id}`;
    return [200, { id, object: 'checkout.session', url, expires_at: 1793351495 }];
  };

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const standIn: StripeStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    customers: new Set(),
    trouble: undefined,
    completedEvent: (sessionId, { customerId, eventId }) => {
      const form = sessions.get(sessionId)?.form ?? {};
      const event = sampleBody('stripe', 'checkout.session.completed-billing-link');
      const object = (event['data'] as { object: JsonObject }).object;
      const metadata = Object.entries(form).flatMap(([name, value]) => {
        const key = /^metadata\[(.+)\]$/.exec(name)?.[1];
        return key === undefined ? [] : ([[key, value]] as const);
      });
      object['id'] = sessionId;
      object['customer'] = customerId;
      object['metadata'] = Object.fromEntries(metadata);
      // The buyer may write another address in the form.
      object['customer_email'] = form['customer_email'] ?? null;
      (object['customer_details'] as JsonObject)['email'] = 'other.address@example.com';
      return { ...event, id: eventId };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return standIn;
}

/** Stripe's error body. */
export function failure(message: string, details: JsonObject = {}): JsonObject {
  return { error: { message, type: 'invalid_request_error', ...details } };
}
