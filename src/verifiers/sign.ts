// Signs sample deliveries the way the providers do: for the demo, `simulate` and tests.
// Takes a body and a secret, gives the header. Never used for verifying, and shares no code with it,
// so that each checks the other.

import { createHmac } from 'node:crypto';
import type { Provider } from '../core/model.ts';
import { SIGNATURE_HEADERS } from '../core/model.ts';
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
  const header = SIGNATURE_HEADERS[provider];
  const hmac = createHmac('sha256', secret.reveal());
  switch (provider) {
    case 'stripe': {
      const digest = hmac.update(`${timestampSeconds}.`).update(rawBody).digest('hex');
      return { header, value: `t=${timestampSeconds},v1=${digest}` };
    }
    case 'fastspring':
      return { header, value: hmac.update(rawBody).digest('base64') };
    case 'paddle': {
      const digest = hmac.update(`${timestampSeconds}:`).update(rawBody).digest('hex');
      return { header, value: `ts=${timestampSeconds};h1=${digest}` };
    }
    default:
      return provider satisfies never;
  }
}
