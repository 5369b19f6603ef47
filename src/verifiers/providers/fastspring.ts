// FastSpring verifier. Takes the raw request, returns a VerifiedDelivery of 1..n events or throws.
// Never parses the body before the digest matches. FastSpring signs no time, so there is no age to
// check: a delivery sent again is told by its event ids, in the journal.

import { parseEventBody } from '../event-body.ts';
import { hmacSha256, sameDigest } from '../hmac.ts';
import { eventsOf } from '../read-events.ts';
import { requiredHeader } from '../signature-header.ts';
import { signatureMismatch } from '../signature-mismatch.ts';
import { verifiedDelivery } from '../verified-delivery.ts';
import type { Verifier, VerifierSettings } from '../verifier.ts';

/**
 * The header is the base64 HMAC-SHA256 of the raw body. One signature is sent, so while the secret
 * is rotated both the old and the new one are tried. Errors: see Verifier.
 * @see https://developer.fastspring.com/reference/message-security, read 2026-11
 */
export function createVerifier({ secrets }: VerifierSettings): Verifier {
  return {
    async verify(request, source) {
      const signature = requiredHeader(request.signature, 'fastspring');
      const { rawBody, receivedAtMs } = request;
      const matches = secrets.some((secret) =>
        sameDigest(hmacSha256(secret, [rawBody], 'base64'), signature),
      );
      if (!matches) {
        throw signatureMismatch(secrets);
      }
      const events = eventsOf('fastspring', parseEventBody(rawBody), { source, receivedAtMs });
      return verifiedDelivery({ source, provider: 'fastspring', receivedAtMs, events });
    },
  };
}
