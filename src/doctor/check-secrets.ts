// The doctor's look at secrets, tokens and addresses: whether they are plausible, without asking anybody.
// Takes them, gives findings. Shows nothing of a secret.

import type { Config } from '../config/config.ts';
import type { Secret } from '../core/secret.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

const TOKEN_EXPIRY_WARNING_MS = 14 * 24 * 60 * 60 * 1000;

const SECRET_FORMS: Readonly<Record<string, readonly [RegExp, string]>> = {
  STRIPE_WEBHOOK_SECRET: [/^whsec_./, 'whsec_'],
  PADDLE_WEBHOOK_SECRET: [/^pdl_ntfset_./, 'pdl_ntfset_'],
};

/** A pasted API key in place of a signing secret is the commonest mistake; nothing of it is shown. */
export function secretFindings(
  secrets: ReadonlyMap<string, readonly Secret[]>,
): readonly Finding[] {
  const findings: Finding[] = [];
  const owners = new Map<string, string>();
  for (const [name, list] of secrets) {
    const check = `secret ${name}`;
    const [form, prefix] = SECRET_FORMS[name] ?? [];
    const texts = list.map((secret) => secret.reveal());
    const twin = texts.map((text) => owners.get(text)).find((owner) => owner !== undefined);
    for (const text of texts) owners.set(text, name);
    if (twin !== undefined) {
      const remedy = 'Copy the signing secret of this very webhook from its provider.';
      findings.push(problem(check, `it is the same as ${twin}`, remedy));
    } else if (form !== undefined && texts.some((text) => !form.test(text))) {
      const remedy = 'Copy the signing secret of the webhook again; an API key is another thing.';
      findings.push(warning(check, `it does not begin with ${prefix}`, remedy));
    } else if (texts.some((text) => text.length < 16)) {
      const remedy = 'Choose at least 16 random characters: whoever guesses it can make licenses.';
      findings.push(warning(check, 'it is shorter than 16 characters', remedy));
    } else findings.push(ok(check, list.length > 1 ? `${list.length} are set` : 'is set'));
  }
  return findings;
}

/** What the tokens themselves tell, without asking anybody. */
export function tokenTexts({ accessToken }: Config, nowMs: number): readonly Finding[] {
  const findings: Finding[] = [];
  const expiresAtMs = expiryOf(accessToken.reveal());
  if (expiresAtMs !== undefined && expiresAtMs < nowMs + TOKEN_EXPIRY_WARNING_MS) {
    const when = new Date(expiresAtMs).toISOString().slice(0, 10);
    const make = expiresAtMs < nowMs ? problem : warning;
    const remedy = 'Make a new token in Cryptlex, set CRYPTLEX_ACCESS_TOKEN and restart.';
    findings.push(make('token-expiry', `the access token ends on ${when}`, remedy));
  }
  return findings;
}

/** Tokens of Cryptlex are JWTs; their second part says when they end, in seconds. */
function expiryOf(token: string): number | undefined {
  const [, claims, signature] = token.split('.');
  if (claims === undefined || signature === undefined) return undefined;
  try {
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as {
      exp?: unknown;
    };
    return typeof exp === 'number' ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}

export function baseUrlFinding({ baseUrl }: Config): Finding {
  const { protocol, hostname } = new URL(baseUrl);
  const isLocal = /^(?:localhost|127\.|\[::1\]|.*\.(?:local|internal)$)/.test(hostname);
  if (protocol === 'http:' && !isLocal) {
    const remedy = 'Write https:// in CRYPTLEX_WEB_API_BASE_URL: the access token goes along.';
    return problem('base-url', `${baseUrl} is not encrypted`, remedy);
  }
  if (/^(?:app|portal|www)\.|^cryptlex\.com$/.test(hostname)) {
    const remedy = 'The Web API is at https://api.cryptlex.com or https://api.eu.cryptlex.com.';
    return problem('base-url', `${baseUrl} is a page for people`, remedy);
  }
  return ok('base-url', baseUrl);
}

/** Keys and prices of billing links, as far as their form tells. */
export function billingFindings({ billing, billingLacks, adminToken }: Config): readonly Finding[] {
  if (billingLacks !== undefined) {
    const remedy = `Set ${billingLacks}, or take the other key away.`;
    return [warning('billing', `billing links are off: ${billingLacks} is not set`, remedy)];
  }
  if (billing === undefined) return [];
  const key = billing.apiKey.reveal();
  const token = billing.token.reveal();
  const findings: Finding[] = [];
  if (!/^(?:sk|rk)_(?:live|test)_./.test(key)) {
    const remedy = 'Copy a restricted key (rk_…) of Stripe, from Developers → API keys.';
    const message = 'STRIPE_API_KEY does not begin with rk_live_, rk_test_, sk_live_ or sk_test_';
    findings.push(warning('billing-key', message, remedy));
  }
  const isGuessable = token.length < 16;
  if (isGuessable || token === adminToken?.reveal() || token === key) {
    const message = isGuessable ? 'is shorter than 16 characters' : 'is the same as another secret';
    const remedy = 'Choose a long random text, such as that of `openssl rand -hex 32`.';
    findings.push(warning('billing-token', `BILLING_API_TOKEN ${message}`, remedy));
  }
  for (const [plan, price] of billing.prices) {
    if (/^(?:price|plan)_./.test(price)) continue;
    const remedy = 'Copy the id of the price, not of its product: it begins with price_.';
    findings.push(warning(`billing-price ${plan}`, `${price} is no id of a price`, remedy));
  }
  const plans = [...billing.prices.keys()].join(', ');
  return findings.length > 0 ? findings : [ok('billing', `billing links for ${plans}`)];
}
