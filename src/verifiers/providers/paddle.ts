// Paddle verifier. Takes the raw request, returns a VerifiedDelivery of one event or throws.
// Two must agree on a signature: our own check over the bytes, in constant time, and Paddle's SDK.
// Never parses the body before both did, and never uses the SDK's event object: it renames members,
// drops those it does not know and crashes on missing ones, while rules read Paddle's own JSON.

import type { Webhooks } from '@paddle/paddle-node-sdk';
import type { RawRequest } from '../../core/model.ts';
import type { Secret } from '../../core/secret.ts';
import { parseEventBody, utf8Text } from '../event-body.ts';
import { hmacSha256, sameDigest } from '../hmac.ts';
import { lateLibrary } from '../lazy-import.ts';
import { eventsOf } from '../read-events.ts';
import { checkSignatureAge } from '../signature-age.ts';
import type { HeaderScheme, SignatureHeader } from '../signature-header.ts';
import { readSignatureHeader } from '../signature-header.ts';
import { signatureMismatch } from '../signature-mismatch.ts';
import { verifiedDelivery } from '../verified-delivery.ts';
import type { Verifier, VerifierSettings } from '../verifier.ts';

const TOLERANCE_SECONDS_DEFAULT = 5; // as in Paddle's SDKs

/** https://developer.paddle.com/webhooks/about/signature-verification, read 2026-11 */
const SCHEME: HeaderScheme = {
  provider: 'paddle',
  separator: ';',
  timeKey: 'ts',
  digestKey: 'h1',
};

const CENTURY_SECONDS = 100 * 365 * 86_400;

const sdk = lateLibrary(loadSdk);

/** Accepts any h1 of the header with any of the secrets. Errors: see Verifier. */
export function createVerifier({ secrets, toleranceSeconds }: VerifierSettings): Verifier {
  sdk.soon();
  return {
    async verify(request, source) {
      const header = readSignatureHeader(request.signature, SCHEME);
      if (!(await isSigned(request, header, secrets))) {
        throw signatureMismatch(secrets);
      }
      const { rawBody, receivedAtMs } = request;
      checkSignatureAge(
        header.timestampSeconds,
        receivedAtMs,
        toleranceSeconds ?? TOLERANCE_SECONDS_DEFAULT,
      );
      const events = eventsOf('paddle', parseEventBody(rawBody), { source, receivedAtMs });
      return verifiedDelivery({ source, provider: 'paddle', receivedAtMs, events });
    },
  };
}

/**
 * The SDK takes the time limit from one static member for the whole process, against the machine's
 * clock, and looks at the past only. A limit for each source cannot be told to it. So the SDK's limit
 * is moved out of the way, once and for good, and checkSignatureAge keeps the limit of each source,
 * in both directions. The SDK is left with what it is asked: is this Paddle's signature?
 * Nothing else in Keywright uses the SDK. A test fails if an upgrade renames the member.
 * Only who sells through Paddle loads it; see late.ts for when.
 */
async function loadSdk(): Promise<Webhooks> {
  const { NodeRuntime, Webhooks, WebhooksValidator } = await import('@paddle/paddle-node-sdk');
  // `new Webhooks()` has no crypto of its own before this; the other way is a client with an API key.
  NodeRuntime.initialize();
  Reflect.set(WebhooksValidator, 'MAX_VALID_TIME_DIFFERENCE', CENTURY_SECONDS);
  return new Webhooks();
}

/**
 * Our own check comes first and is in constant time; the SDK compares by `===`, so it is asked only
 * about digests of which nothing is left to guess. It keeps the last h1 of a header, so each one is
 * given to it as a header of its own.
 */
async function isSigned(
  { rawBody }: RawRequest,
  { timestampSeconds, digests }: SignatureHeader,
  secrets: readonly Secret[],
): Promise<boolean> {
  const webhooks = await sdk.get();
  const text = utf8Text(rawBody);
  for (const secret of secrets) {
    const expected = hmacSha256(secret, [`${timestampSeconds}:`, rawBody], 'hex');
    for (const digest of digests) {
      if (!sameDigest(expected, digest)) {
        continue;
      }
      // The SDK takes text only. Bytes that are no text are refused right after, as a malformed body.
      const header = `${SCHEME.timeKey}=${timestampSeconds};${SCHEME.digestKey}=${digest}`;
      if (text === null || (await webhooks.isSignatureValid(text, secret.reveal(), header))) {
        return true;
      }
    }
  }
  return false;
}
