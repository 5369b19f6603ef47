// Stripe verifier. Takes the raw request, returns a VerifiedDelivery of one event or throws.
// Stripe's own SDK decides about the signature; around it stands what it lacks.
// Never keeps an error of the SDK: those carry the header and the whole body.

import type Stripe from 'stripe';
import type { RawRequest } from '../../core/model.ts';
import type { Secret } from '../../core/secret.ts';
import { eventObject, parseEventBody, utf8Text } from '../event-body.ts';
import { lateLibrary } from '../lazy-import.ts';
import { eventsOf } from '../read-events.ts';
import { checkSignatureAge } from '../signature-age.ts';
import type { HeaderScheme, SignatureHeader } from '../signature-header.ts';
import { readSignatureHeader } from '../signature-header.ts';
import { signatureMismatch } from '../signature-mismatch.ts';
import { verifiedDelivery } from '../verified-delivery.ts';
import type { Verifier, VerifierSettings } from '../verifier.ts';

const TOLERANCE_SECONDS_DEFAULT = 300; // 5 min, Stripe's documented default

/** https://docs.stripe.com/webhooks/signature, read 2026-11. Other schemes (v0) do not count. */
const SCHEME: HeaderScheme = {
  provider: 'stripe',
  separator: ',',
  timeKey: 't',
  digestKey: 'v1',
};

/** What the SDK says: no secret matches, or it matches and the body is or is not a snapshot event. */
type SdkVerdict =
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'event'; readonly value: unknown }
  | { readonly kind: 'not-an-event' };

/** Only who sells through Stripe loads its SDK; see late.ts for when. */
const sdk = lateLibrary(async (): Promise<typeof Stripe> => (await import('stripe')).default);

/** Accepts any v1 of the header with any of the secrets. Errors: see Verifier. */
export function createVerifier({ secrets, toleranceSeconds }: VerifierSettings): Verifier {
  sdk.soon();
  return {
    async verify(request, source) {
      const header = readSignatureHeader(request.signature, SCHEME);
      const verdict = await askSdk(request, header, secrets);
      if (verdict.kind === 'mismatch') {
        throw signatureMismatch(secrets);
      }
      const { receivedAtMs } = request;
      checkSignatureAge(
        header.timestampSeconds,
        receivedAtMs,
        toleranceSeconds ?? TOLERANCE_SECONDS_DEFAULT,
      );
      // The SDK parsed the body already; what it could not take is read again to say why.
      const body =
        verdict.kind === 'event' ? eventObject(verdict.value) : parseEventBody(request.rawBody);
      const events = eventsOf('stripe', body, { source, receivedAtMs });
      return verifiedDelivery({ source, provider: 'stripe', receivedAtMs, events });
    },
  };
}

async function askSdk(
  request: RawRequest,
  header: SignatureHeader,
  secrets: readonly Secret[],
): Promise<SdkVerdict> {
  const { webhooks, errors } = await sdk.get();
  if (!isPlainText(request.rawBody)) {
    return { kind: 'mismatch' };
  }
  const digests = header.digests.map((digest) => `${SCHEME.digestKey}=${digest}`);
  const signature = [`${SCHEME.timeKey}=${header.timestampSeconds}`, ...digests].join(',');
  for (const secret of secrets) {
    try {
      // Tolerance 0 leaves the age to checkSignatureAge: the SDK looks at the past only.
      const value: unknown = await webhooks.constructEventAsync(
        request.rawBody,
        signature,
        secret.reveal(),
        0,
      );
      return { kind: 'event', value };
    } catch (error) {
      if (!(error instanceof errors.StripeSignatureVerificationError)) {
        // The SDK checks the signature before it parses, so this secret was the right one.
        return { kind: 'not-an-event' };
      }
    }
  }
  return { kind: 'mismatch' };
}

/**
 * The SDK signs what its decoder made of the body, which replaces bad bytes and drops a byte order
 * mark: different bodies would pass as one. Stripe sends plain UTF-8, so a body of which the
 * decoder changes anything is not the one that Stripe signed.
 */
function isPlainText(rawBody: Uint8Array): boolean {
  const text = utf8Text(rawBody);
  return text !== null && !text.startsWith('\uFEFF');
}
