// Billing links over HTTP, for the seller's own backend. Exists only with STRIPE_API_KEY and
// BILLING_API_TOKEN; without them the addresses are unknown. Takes requests with the token, gives the
// address of a checkout or of the portal. Never takes a customer's id, and logs no e-mail address.

import { type Context, Hono } from 'hono';
import type { BillingLinks, UserName } from '../billing/links.ts';
import { AppError, type AppErrorCode, registryEntry } from '../core/error-codes.ts';
import type { Logger } from '../core/log.ts';
import type { Clock, JsonObject, JsonValue } from '../core/model.ts';
import type { Secret } from '../core/secret.ts';
import { describeFault } from './describe-fault.ts';
import { type RequestOrigin, readBody } from './read-body.ts';
import { createTokenGuard, type GuessLimiter } from './token-guard.ts';

export interface BillingDependencies {
  readonly token: Secret;
  readonly links: BillingLinks;
  readonly clock: Clock;
  readonly log: Logger;
}

type Call = Context<{ Bindings: RequestOrigin }>;

/** A plan and a user; nobody needs more. */
const BODY_BYTES_MAX = 16 * 1024;
const RETRY_AFTER_SECONDS = 5;

/** A retryable code that is not here is a 503, any other a 502: the caller asked rightly. */
const STATUS_OF: Readonly<Partial<Record<AppErrorCode, number>>> = {
  BILLING_REQUEST: 400,
  BILLING_PLAN_UNKNOWN: 400,
  BILLING_UNAUTHORIZED: 401,
  BILLING_CUSTOMER_UNKNOWN: 404,
  USER_NOT_FOUND: 404,
  PATH_UNKNOWN: 404,
  METHOD_NOT_ALLOWED: 405,
  IDEMPOTENCY_REUSED: 409,
  BODY_TOO_LARGE: 413,
  BODY_NOT_JSON: 415,
  STRIPE_NONSENSE: 502,
};

/** Routes below /billing. */
export function createBilling(
  dependencies: BillingDependencies,
  guesses: GuessLimiter,
): Hono<{ Bindings: RequestOrigin }> {
  const { links, log, clock } = dependencies;
  const app = new Hono<{ Bindings: RequestOrigin }>();
  const refusalOf = createTokenGuard(dependencies.token, 'billing', guesses);

  app.use('*', async (c, next) => {
    const headers = await refusalOf(c);
    if (headers === undefined) return next();
    return toResponse(new AppError('BILLING_UNAUTHORIZED', ''), headers);
  });

  app.post('/checkout-session', async (c) => {
    const startedAtMs = clock.nowMs();
    const { plan, email, userId } = await readMembers(c);
    if (typeof plan !== 'string') throw request('`plan` is missing: a text such as pro-monthly');
    const user = toUser(email, userId);
    const link = await links.checkout({ plan, user, idempotencyKey: keyOf(c) });
    const { sessionId, url, expiresAt } = link;
    const durationMs = clock.nowMs() - startedAtMs;
    log.info({ plan, userId: link.userId, sessionId, durationMs }, 'checkout link made');
    return json(200, { url, sessionId, ...(expiresAt === undefined ? {} : { expiresAt }) });
  });

  app.get('/portal', async (c) => {
    const startedAtMs = clock.nowMs();
    const user = toUser(...readQuery(c));
    const { url, userId } = await links.portal({ user, idempotencyKey: keyOf(c) });
    log.info({ userId, durationMs: clock.nowMs() - startedAtMs }, 'portal link made');
    return json(200, { url });
  });

  app.all('/checkout-session', () => refuseMethod('POST'));
  app.all('/portal', () => refuseMethod('GET, HEAD'));
  app.notFound(() => toResponse(new AppError('PATH_UNKNOWN', '', { hint: ADDRESSES })));
  app.onError((error) => {
    if (!(error instanceof AppError)) {
      log.error(describeFault(error, false), 'a billing link broke');
      return toResponse(new AppError('INTERNAL', ''));
    }
    const { param, stripeCode, requestId } = detailsOf(error);
    const fields = { code: error.code, httpStatus: statusOf(error.code) };
    log.warn({ ...fields, param, stripeCode, requestId }, 'no billing link');
    return toResponse(error);
  });
  return app;
}

const ADDRESSES = 'There are POST /billing/checkout-session and GET /billing/portal.';

/** Only what is known: a `customer` here would be believed by nobody, and must not seem to be. */
async function readMembers(c: Call): Promise<Readonly<Record<string, JsonValue>>> {
  const type = c.req.header('content-type') ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) throw new AppError('BODY_NOT_JSON', '');
  const body = await readBody(c.req.raw, BODY_BYTES_MAX, c.env);
  if (body.kind === 'too_large') {
    const hint = 'It takes a plan and a user.';
    throw new AppError('BODY_TOO_LARGE', `the limit is ${BODY_BYTES_MAX} bytes`, { hint });
  }
  if (body.kind === 'broken_off') throw request('the body broke off');
  const members = parseObject(new TextDecoder().decode(body.bytes));
  refuseUnknown(Object.keys(members), ['plan', 'email', 'userId']);
  return members;
}

function parseObject(text: string): Readonly<Record<string, JsonValue>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, JsonValue>;
    }
  } catch {
    // Told below, as for every other body that is none.
  }
  throw request('the body is not a JSON object');
}

function readQuery(c: Call): readonly [string | undefined, string | undefined] {
  refuseUnknown(Object.keys(c.req.queries()), ['email', 'userId']);
  return [c.req.query('email'), c.req.query('userId')];
}

function refuseUnknown(names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const name = JSON.stringify(unknown.slice(0, 60));
  throw request(`there is no ${name} here; it takes ${known.join(', ')}`);
}

function toUser(email: JsonValue | undefined, userId: JsonValue | undefined): UserName {
  if ((email === undefined) === (userId === undefined)) {
    throw request('name the user by `email` or by `userId`, by one of them');
  }
  if (typeof email === 'string') {
    const address = email.trim();
    if (address.length <= 256 && /^[^\s@]+@[^\s@]+$/u.test(address)) return { email: address };
    throw request('`email` is no e-mail address');
  }
  if (typeof userId === 'string' && /^[\w-]{1,100}$/.test(userId)) return { userId };
  throw request(email === undefined ? '`userId` is no id of Cryptlex' : '`email` is no text');
}

/** The caller's key goes to Stripe as it is; Stripe takes up to 255 characters. */
function keyOf(c: Call): string | undefined {
  const key = c.req.header('idempotency-key');
  if (key === undefined || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw request('Idempotency-Key takes 1 to 255 visible characters');
}

function request(message: string): AppError {
  return new AppError('BILLING_REQUEST', message);
}

function refuseMethod(allow: string): Response {
  const hint = `This address takes ${allow}.`;
  return toResponse(new AppError('METHOD_NOT_ALLOWED', '', { hint }), { allow });
}

function statusOf(code: AppErrorCode): number {
  return STATUS_OF[code] ?? (registryEntry(code).retryable ? 503 : 502);
}

function detailsOf(error: AppError): Readonly<Record<string, string | undefined>> {
  return 'details' in error ? (error.details as Record<string, string | undefined>) : {};
}

/** `{error, message, details}`, as webhooks are refused. */
function toResponse(error: AppError, headers: Record<string, string> = {}): Response {
  const { code, message, hint } = error;
  const { title, retryable } = registryEntry(code);
  const status = statusOf(code);
  // Our own mistake says nothing of what went wrong, the log does; titles of webhooks are not meant here.
  const what = code === 'METHOD_NOT_ALLOWED' ? 'Wrong method' : title;
  const text = message === '' ? what : `${what}: ${message.replace(/\.$/, '')}`;
  const known = Object.entries(detailsOf(error)).filter(([, value]) => value !== undefined);
  const details = { ...(Object.fromEntries(known) as JsonObject), retryable };
  const again = status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {};
  return json(
    status,
    { error: code, message: `${text}. ${hint}`, details },
    { ...headers, ...again },
  );
}

function json(status: number, body: JsonObject, headers: Record<string, string> = {}): Response {
  const all = {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
  return new Response(JSON.stringify(body), { status, headers: all });
}
