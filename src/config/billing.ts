// The part of the configuration that is about billing links. Takes the environment, gives what is set, and
// reports everything that is missing beside it. Off, and silent, unless both keys are there.

import type { Secret } from '../core/secret.ts';
import type { Environment } from './environment.ts';
import { readToken } from './environment.ts';

export interface BillingConfig {
  /** Of Stripe; a restricted one is enough. */
  readonly apiKey: Secret;
  /** What the seller's backend shows. */
  readonly token: Secret;
  /** Without a path, `https://api.stripe.com`. */
  readonly stripeBaseUrl: string;
  /** `pro-monthly` → the id of its price. */
  readonly prices: ReadonlyMap<string, string>;
  readonly successUrl: string;
  readonly cancelUrl: string;
  /** Where the customer portal leads back to. */
  readonly portalReturnUrl: string;
}

/** The two that switch billing links on, only together. */
export const BILLING_KEYS = ['STRIPE_API_KEY', 'BILLING_API_TOKEN'] as const;

const PRICE_PREFIX = 'STRIPE_PRICE_';
const DEFAULT_BASE_URL = 'https://api.stripe.com';

/**
 * Undefined unless both keys are set. Problems: ENV_MISSING, ENV_INVALID, and those of reading a variable.
 * @param names all variables of the environment; those of prices name the plans
 */
export function readBilling(
  environment: Environment,
  names: readonly string[],
): BillingConfig | undefined {
  const apiKey = readToken(environment, 'STRIPE_API_KEY');
  const token = readToken(environment, 'BILLING_API_TOKEN');
  if (!BILLING_KEYS.every((name) => environment.isSet(name))) return undefined;
  const prices = readPrices(environment, names);
  const successUrl = readUrl(environment, 'STRIPE_SUCCESS_URL');
  const cancelUrl = readUrl(environment, 'STRIPE_CANCEL_URL');
  const isReturnSet = environment.isSet('STRIPE_PORTAL_RETURN_URL');
  const portalReturnUrl = isReturnSet
    ? readUrl(environment, 'STRIPE_PORTAL_RETURN_URL')
    : cancelUrl;
  const stripeBaseUrl = readBaseUrl(environment);
  if (apiKey === undefined || token === undefined) return undefined;
  if (successUrl === undefined || cancelUrl === undefined || portalReturnUrl === undefined) {
    return undefined;
  }
  return { apiKey, token, stripeBaseUrl, prices, successUrl, cancelUrl, portalReturnUrl };
}

/** The key that is missing where the other one is set: billing links are off then, perhaps by mistake. */
export function missingBillingKey(environment: Environment): string | undefined {
  const missing = BILLING_KEYS.filter((name) => !environment.isSet(name));
  return missing.length === 1 ? missing[0] : undefined;
}

/** `STRIPE_PRICE_PRO_MONTHLY` is the price of the plan `pro-monthly`. */
function readPrices(
  environment: Environment,
  names: readonly string[],
): ReadonlyMap<string, string> {
  const variables = names
    .filter((name) => /^STRIPE_PRICE_[A-Z0-9_]+$/.test(name))
    .map((name) => name.replace(/_FILE$/, ''));
  const prices = new Map<string, string>();
  for (const name of [...new Set(variables)].sort()) {
    const price = environment.resolveEnv(name);
    if (price === undefined) continue;
    if (!/^[A-Za-z0-9_-]{1,255}$/.test(price)) {
      const message = `${name} takes the id of a price in Stripe, such as price_1QxYb2LkdIwHu7ix`;
      environment.report({ code: 'ENV_INVALID', message });
    }
    prices.set(name.slice(PRICE_PREFIX.length).toLowerCase().replaceAll('_', '-'), price);
  }
  if (variables.length === 0) {
    const message = `no plan has a price: set STRIPE_PRICE_PRO_MONTHLY, or ${PRICE_PREFIX} and a name of your own`;
    environment.report({ code: 'ENV_MISSING', message });
  }
  return prices;
}

function readUrl(environment: Environment, name: string): string | undefined {
  if (!environment.isSet(name)) {
    environment.report({ code: 'ENV_MISSING', message: `${name} is not set` });
    return undefined;
  }
  const text = environment.resolveEnv(name);
  if (text === undefined) return undefined;
  // Stripe fills this in; a URL could not hold the braces.
  const filled = text.replaceAll('{CHECKOUT_SESSION_ID}', 'id');
  const url = URL.canParse(filled) ? new URL(filled) : undefined;
  const isWeb = url !== undefined && /^https?:$/.test(url.protocol);
  if (isWeb && url.username === '' && url.password === '') return text;
  const message = `${name} takes an http(s) address without a password`;
  environment.report({ code: 'ENV_INVALID', message });
  return undefined;
}

function readBaseUrl(environment: Environment): string {
  const name = 'STRIPE_API_BASE_URL';
  const text = environment.resolveEnv(name);
  if (text === undefined) return DEFAULT_BASE_URL;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url !== undefined && /^https?:$/.test(url.protocol);
  if (isWeb && url.pathname === '/' && url.username === '' && !/[?#]/.test(text)) return url.origin;
  const message = `${name} takes an http(s) address without a path, such as ${DEFAULT_BASE_URL}`;
  environment.report({ code: 'ENV_INVALID', message });
  return DEFAULT_BASE_URL;
}
