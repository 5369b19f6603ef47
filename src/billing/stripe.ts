// The two calls to Stripe that billing links need, by Stripe's own SDK, which is loaded with the first of
// them. Takes what the link is for, gives its address, or throws an error of the registry.
// Never hands on an error of the SDK: those carry headers and the whole request.

import type Stripe from 'stripe';
import { AppError, type AppErrorCode } from '../core/error-codes.ts';
import type { Secret } from '../core/secret.ts';
import { fetchOver } from '../http/fetch.ts';
import type { Transport } from '../http/transport.ts';

export interface CheckoutOrder {
  readonly priceId: string;
  /** Whoever has bought before; else the address that the form is filled with. */
  readonly buyer: { readonly customerId: string } | { readonly email: string };
  /** Written on the session and on the subscription: the one does not reach the other's events. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly successUrl: string;
  readonly cancelUrl: string;
}

export interface CheckoutLink {
  readonly sessionId: string;
  readonly url: string;
  /** ISO 8601; undefined where Stripe does not say. */
  readonly expiresAt: string | undefined;
}

/**
 * Every method rejects with a StripeRefusal: STRIPE_KEY, STRIPE_REFUSED, STRIPE_RATE_LIMITED,
 * STRIPE_UNAVAILABLE, STRIPE_NONSENSE, IDEMPOTENCY_REUSED. A call that is asked again with the same
 * idempotency key makes no second session.
 */
export interface StripeCalls {
  createCheckout(order: CheckoutOrder, idempotencyKey: string): Promise<CheckoutLink>;
  createPortal(
    order: { readonly customerId: string; readonly returnUrl: string },
    idempotencyKey: string,
  ): Promise<{ readonly url: string }>;
}

export interface StripeOptions {
  readonly apiKey: Secret;
  /** Without a path. */
  readonly baseUrl: string;
  /** How calls leave. */
  readonly transport: Transport;
  /** For one attempt. */
  readonly timeoutMs?: number;
}

/** What Stripe said, as far as it helps whoever asked. */
export interface RefusalDetails {
  /** Stripe's code, such as `resource_missing`. */
  readonly stripeCode?: string;
  /** The parameter that it is about. */
  readonly param?: string;
  /** By which Stripe's own log finds it. */
  readonly requestId?: string;
}

export class StripeRefusal extends AppError {
  readonly details: RefusalDetails;
  constructor(code: AppErrorCode, message: string, details: RefusalDetails, hint?: string) {
    super(code, message, hint === undefined ? {} : { hint });
    this.name = 'StripeRefusal';
    this.details = details;
  }
}

/** A person waits for the answer, in front of a page that loads. */
const TIMEOUT_MS = 8_000;

export function createStripeCalls(options: StripeOptions): StripeCalls {
  let loading: Promise<{ sdk: typeof Stripe; stripe: Stripe }> | undefined;
  const call = async <Result>(work: (stripe: Stripe) => Promise<Result>): Promise<Result> => {
    loading ??= load(options);
    const { sdk, stripe } = await loading;
    try {
      return await work(stripe);
    } catch (error) {
      throw translate(error, sdk);
    }
  };
  return {
    createCheckout: async (order, idempotencyKey) => {
      const { buyer, metadata } = order;
      const session = await call((stripe) =>
        stripe.checkout.sessions.create(
          {
            mode: 'subscription',
            line_items: [{ price: order.priceId, quantity: 1 }],
            ...('customerId' in buyer
              ? { customer: buyer.customerId }
              : { customer_email: buyer.email }),
            metadata,
            subscription_data: { metadata },
            success_url: order.successUrl,
            cancel_url: order.cancelUrl,
          },
          { idempotencyKey },
        ),
      );
      const seconds: unknown = session.expires_at;
      const expiresAt =
        typeof seconds === 'number' ? new Date(seconds * 1000).toISOString() : undefined;
      if (typeof session.id !== 'string') throw nonsense('a session without an id');
      return { sessionId: session.id, url: addressIn(session), expiresAt };
    },
    createPortal: async ({ customerId, returnUrl }, idempotencyKey) => {
      const session = await call((stripe) =>
        stripe.billingPortal.sessions.create(
          { customer: customerId, return_url: returnUrl },
          { idempotencyKey },
        ),
      );
      return { url: addressIn(session) };
    },
  };
}

async function load({ apiKey, baseUrl, transport, timeoutMs = TIMEOUT_MS }: StripeOptions) {
  const { default: sdk } = await import('stripe');
  const { protocol, hostname, port } = new URL(baseUrl);
  const stripe = new sdk(apiKey.reveal(), {
    protocol: protocol === 'http:' ? 'http' : 'https',
    host: hostname,
    // The SDK takes 443 for both.
    port: port === '' ? (protocol === 'http:' ? 80 : 443) : port,
    timeout: timeoutMs,
    httpClient: sdk.createFetchHttpClient(fetchOver(transport)),
    maxNetworkRetries: 1,
    telemetry: false,
  });
  return { sdk, stripe };
}

/** A link is opened by a browser, so it must be one. */
function addressIn(session: unknown): string {
  const url: unknown = (session as { url?: unknown } | null)?.url;
  if (typeof url === 'string' && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) {
    return url;
  }
  throw nonsense('a session without an address');
}

function nonsense(what: string): StripeRefusal {
  return new StripeRefusal('STRIPE_NONSENSE', what, {});
}

/** The classes and members of the SDK's errors: stripe 23.1.0, read and run 2026-11. */
function translate(error: unknown, sdk: typeof Stripe): AppError {
  const { errors } = sdk;
  if (error instanceof AppError) return error;
  if (!(error instanceof errors.StripeError)) {
    return new StripeRefusal('STRIPE_NONSENSE', 'its answer could not be read', {});
  }
  const { code, param, requestId, statusCode } = error;
  const details = {
    ...(typeof code === 'string' ? { stripeCode: code } : {}),
    ...(typeof param === 'string' ? { param } : {}),
    ...(typeof requestId === 'string' ? { requestId } : {}),
  };
  const refusal = (ours: AppErrorCode, message: string, hint?: string) =>
    new StripeRefusal(ours, message, details, hint);
  // Its message quotes the end of the key.
  if (statusCode === 401 || statusCode === 403) return refusal('STRIPE_KEY', `${statusCode}`);
  if (statusCode === 429) return refusal('STRIPE_RATE_LIMITED', '429');
  if (code === 'idempotency_key_in_use') {
    return refusal('STRIPE_UNAVAILABLE', 'the same request is still being worked on');
  }
  if (error instanceof errors.StripeIdempotencyError) {
    return refusal('IDEMPOTENCY_REUSED', 'Stripe has another request under it');
  }
  if (error instanceof errors.StripeConnectionError) {
    return refusal('STRIPE_UNAVAILABLE', 'no answer in time');
  }
  if (statusCode !== undefined && statusCode >= 500) {
    return refusal('STRIPE_UNAVAILABLE', `${statusCode}`);
  }
  if (statusCode !== undefined && statusCode >= 400) {
    const isCustomer = param === 'customer' && code === 'resource_missing';
    const hint =
      "Stripe does not know the customer of the user's metadata stripe_customer_id: is it of test mode, or of another account?";
    return refusal('STRIPE_REFUSED', error.message, isCustomer ? hint : undefined);
  }
  return refusal('STRIPE_NONSENSE', 'it is not JSON');
}
