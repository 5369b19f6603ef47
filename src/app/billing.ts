// Billing links, put together: configuration, Stripe and the client of Cryptlex. Beside compose.ts; gives
// nothing where they are not switched on. Stripe's SDK is loaded with the first link.

import { createBillingLinks } from '../billing/links.ts';
import { createStripeCalls } from '../billing/stripe.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../core/log.ts';
import type { Clock } from '../core/model.ts';
import type { CryptlexClient } from '../cryptlex/client.ts';
import type { Transport } from '../http/transport.ts';
import type { BillingDependencies } from '../server/billing.ts';

export function composeBilling(
  { billing, billingLacks }: Config,
  parts: {
    readonly client: CryptlexClient;
    readonly clock: Clock;
    readonly log: Logger;
    /** How calls to Stripe leave. */
    readonly transport: Transport;
    /** Of one call to Stripe. */
    readonly timeoutMs: number | undefined;
  },
): { readonly billing?: BillingDependencies } {
  const { client, clock, log, transport, timeoutMs } = parts;
  if (billingLacks !== undefined) {
    log.warn({ missing: billingLacks }, 'billing links are off: one of their two keys is not set');
  }
  if (billing === undefined) return {};
  const { apiKey, token, stripeBaseUrl: baseUrl, ...settings } = billing;
  const stripe = createStripeCalls({
    ...{ apiKey, baseUrl, transport },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const links = createBillingLinks({ client, stripe, clock, ...settings });
  return { billing: { token, links, clock, log } };
}
