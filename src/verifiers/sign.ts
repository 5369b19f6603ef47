// Signs sample deliveries the way the providers do: for the demo, `simulate` and tests.
// Takes a body and a secret, gives the header. Never used for verifying, and shares no code with it,
// so that each checks the other.

import { createHmac } from 'node:crypto';
import { PROVIDER_FACTS, type Provider } from '../core/providers.ts';
import type { Secret } from '../core/secret.ts';

interface SigningOptions {
  readonly secret: Secret;
  /** The time to sign, in whole seconds since 1970. FastSpring signs none. */
  readonly timestampSeconds: number;
}

/** The header that a provider would send with this body. A text is signed as UTF-8. */
export function signDelivery(
  provider: Provider,
  rawBody: Uint8Array | string,
  { secret, timestampSeconds }: SigningOptions,
): { readonly header: string; readonly value: string } {
  const { signatureHeader: header, signature } = PROVIDER_FACTS[provider];
  const hmac = createHmac('sha256', secret.reveal());
  if (signature.kind === 'plain') {
    return { header, value: hmac.update(rawBody).digest(signature.encoding) };
  }
  const { separator, timeKey, digestKey, joint } = signature;
  const digest = hmac.update(`${timestampSeconds}${joint}`).update(rawBody).digest('hex');
  return {
    header,
    value: `${timeKey}=${timestampSeconds}${separator}${digestKey}=${digest}`,
  };
}
