// Webhook bodies for commands: read from a file without a signature, or signed to be sent to a server.
// Beside compose.ts, and like it imported only by cli/ and tests. What is read here is no delivery, so
// it can reach neither the journal nor Cryptlex.

import { AppError } from '../core/error-codes.ts';
import type { WebhookEvent } from '../core/model.ts';
import { PROVIDER_FACTS, type Provider } from '../core/providers.ts';
import type { Secret } from '../core/secret.ts';
import { readEvents } from './read-events.ts';
import { signDelivery } from './sign.ts';

/**
 * The events of a webhook body; a single FastSpring event is taken as well as the whole POST.
 * @throws INPUT_UNREADABLE
 */
export function readWebhookBody(
  provider: Provider,
  body: Uint8Array,
  source: string,
): readonly WebhookEvent[] {
  const origin = { source, receivedAtMs: 0 };
  try {
    return readEvents(provider, wrapEvent(provider, body), origin);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, hint } = error;
    throw new AppError('INPUT_UNREADABLE', `it is no event of ${provider}: ${message}`, {
      hint: code === 'THIN_EVENT' ? hint : 'Is this the right provider for the file?',
    });
  }
}

/** A single event is taken as well as the whole batch. */
function wrapEvent(provider: Provider, body: Uint8Array): Uint8Array {
  const { batchMember } = PROVIDER_FACTS[provider];
  if (batchMember === undefined) return body;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    const single = typeof value === 'object' && value !== null && !(batchMember in value);
    return single ? new TextEncoder().encode(JSON.stringify({ [batchMember]: [value] })) : body;
  } catch {
    return body;
  }
}

/** The headers of a signed delivery, as the provider would send them. */
export function signedHeaders(
  provider: Provider,
  body: Uint8Array,
  options: { secret: Secret; timestampSeconds: number },
): Readonly<Record<string, string>> {
  const { header, value } = signDelivery(provider, body, options);
  return { 'content-type': 'application/json; charset=utf-8', [header]: value };
}
