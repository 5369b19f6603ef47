// Billing links: who pays for what. Takes a plan and a user, by e-mail address or by id, gives the address
// of a checkout or of the customer portal. The customer is always the one that we know the user to be;
// a customer's id is taken from nobody.

import { createHash } from 'node:crypto';
import { AppError } from '../core/error-codes.ts';
import type { Clock } from '../core/model.ts';
import { told } from '../core/told.ts';
import type { CryptlexClient } from '../cryptlex/client.ts';
import type { User } from '../cryptlex/types.ts';
import type { CheckoutLink, StripeCalls } from './stripe.ts';

/** The metadata by which plan sync ties a user to Stripe; see rules/examples/plan-sync.yaml. */
const CUSTOMER_KEY = 'stripe_customer_id';
const USER_KEY = 'cryptlex_user_id';

export type UserName = { readonly userId: string } | { readonly email: string };

export interface LinkRequest {
  readonly user: UserName;
  /** The caller's own; made from the request where there is none. */
  readonly idempotencyKey: string | undefined;
}

/** @throws what Stripe and Cryptlex refuse, and what is said at each */
export interface BillingLinks {
  /** @throws BILLING_PLAN_UNKNOWN, USER_NOT_FOUND (of an id; an address may be new) */
  checkout(
    request: LinkRequest & { readonly plan: string },
  ): Promise<CheckoutLink & { readonly userId: string | undefined }>;
  /** @throws USER_NOT_FOUND, BILLING_CUSTOMER_UNKNOWN */
  portal(request: LinkRequest): Promise<{ readonly url: string; readonly userId: string }>;
}

export interface LinksWorld {
  readonly client: Pick<CryptlexClient, 'getUser' | 'findUsers'>;
  readonly stripe: StripeCalls;
  readonly clock: Clock;
  readonly prices: ReadonlyMap<string, string>;
  readonly successUrl: string;
  readonly cancelUrl: string;
  readonly portalReturnUrl: string;
}

/** Within this, the same request is taken for a second click, and gets the same session. */
const SAME_CHECKOUT_MS = 10 * 60 * 1000;
/** A portal's address is used up when it is opened, so only a true double click shares one. */
const SAME_PORTAL_MS = 5_000;

export function createBillingLinks(world: LinksWorld): BillingLinks {
  const { stripe, prices, successUrl, cancelUrl, portalReturnUrl } = world;
  return {
    checkout: async ({ plan, user: name, idempotencyKey }) => {
      const priceId = prices.get(plan);
      if (priceId === undefined) {
        const known = [...prices.keys()].join(', ');
        throw new AppError('BILLING_PLAN_UNKNOWN', `${JSON.stringify(plan)}; there is ${known}`);
      }
      const user = await findUser(name, world);
      if (user === undefined && 'userId' in name) throw userNotFound(name);
      const buyer = buyerOf(name, user);
      const metadata = { plan, ...(user === undefined ? {} : { [USER_KEY]: user.id }) };
      const order = { priceId, buyer, metadata, successUrl, cancelUrl };
      const key = idempotencyKey ?? keyFrom(['checkout', order], SAME_CHECKOUT_MS, world.clock);
      return { ...(await stripe.createCheckout(order, key)), userId: user?.id };
    },
    portal: async ({ user: name, idempotencyKey }) => {
      const user = await findUser(name, world);
      if (user === undefined) throw userNotFound(name);
      const customerId = customerOf(user);
      if (customerId === undefined) {
        throw new AppError('BILLING_CUSTOMER_UNKNOWN', `user ${user.id} has no ${CUSTOMER_KEY}`);
      }
      const order = { customerId, returnUrl: portalReturnUrl };
      const key = idempotencyKey ?? keyFrom(['portal', order], SAME_PORTAL_MS, world.clock);
      return { ...(await stripe.createPortal(order, key)), userId: user.id };
    },
  };
}

/** The client hands out only users that it has checked to be the one asked for. */
async function findUser(name: UserName, { client }: LinksWorld): Promise<User | undefined> {
  if ('email' in name) {
    const users = await client.findUsers({ email: name.email });
    // Who works for the seller may have a customer's address; the customer comes first.
    return users.find(({ role }) => (role ?? 'user') === 'user') ?? users[0];
  }
  try {
    return await client.getUser(name.userId);
  } catch (error) {
    // The reference leaves open whether a text that is no id is answered 400 or 404.
    if (error instanceof AppError && error.code === 'CRYPTLEX_REFUSED') return undefined;
    throw error;
  }
}

function userNotFound(name: UserName): AppError {
  const who = 'userId' in name ? `no user has the id ${name.userId}` : 'no user has this address';
  const hint = 'Name a user of Cryptlex by its id or its e-mail address.';
  return new AppError('USER_NOT_FOUND', who, { hint });
}

function buyerOf(
  name: UserName,
  user: User | undefined,
): { readonly customerId: string } | { readonly email: string } {
  const customerId = user === undefined ? undefined : customerOf(user);
  if (customerId !== undefined) return { customerId };
  return { email: user?.email ?? ('email' in name ? name.email : '') };
}

function customerOf(user: User): string | undefined {
  const entry = (told(user, 'metadata') ?? []).find(({ key }) => key === CUSTOMER_KEY);
  return entry !== undefined && /^cus_\w{1,250}$/.test(entry.value) ? entry.value : undefined;
}

/** Stripe answers the same request under the same key with the session of then, for a day. */
function keyFrom(request: unknown, windowMs: number, clock: Clock): string {
  const window = Math.floor(clock.nowMs() / windowMs);
  const hash = createHash('sha256')
    .update(JSON.stringify([request, window]))
    .digest('hex');
  return `keywright-${hash.slice(0, 40)}`;
}
