// Deliveries for the tests of this folder. Takes what a test wants to spoil, gives a signed request
// and what became of it. The clock stands still at a moment of 2023, so no test depends on today.

import { AppError, type AppErrorCode } from '../../src/core/error-codes.ts';
import type { RawRequest, VerifiedDelivery } from '../../src/core/model.ts';
import type { Provider } from '../../src/core/providers.ts';
import { Secret } from '../../src/core/secret.ts';
import { createVerifier } from '../../src/verifiers/create-verifier.ts';
import { signDelivery } from '../../src/verifiers/sign.ts';
import type { Verifier } from '../../src/verifiers/verifier.ts';

export const NOW_SECONDS = 1_700_000_000;
/** In the middle of a second, as clocks are. */
export const NOW_MS = NOW_SECONDS * 1000 + 500;

export const SECRET = new Secret('whsec_only-for-tests-9vQ2');
export const OTHER_SECRET = new Secret('whsec_an-older-one-Lm71');

/** The least that each provider sends. Written as providers write, which is not as JSON.stringify does. */
export const BODY_TEXTS = {
  stripe: `{
  "id": "evt_1Nq", "object": "event", "type": "customer.created", "created": 1699999990,
  "livemode": true, "data": {"object": {"id": "cus_9", "name": "Ren\\u00e9e \\/ Zo\u00eb"}}
}`,
  fastspring: `{"events": [{"id":"fs_1","type":"order.completed","created":1699999990000,"live":true,"processed":false,
  "data":{"order":"o1","customer":{"first":"Ren\\u00e9e","last":"Zo\u00eb"},"totalDisplay":"\u20ac\u00a028,00"}}]}`,
  paddle: `{"data":{"id":"ctm_1","name":"Ren\\u00e9e \\/ Zo\u00eb"},"event_id":"evt_01h","event_type":"customer.created",
  "occurred_at":"2023-11-14T22:13:10.123456Z","notification_id":"ntf_01h"}`,
} as const satisfies Record<Provider, string>;

interface Wish {
  readonly body?: Uint8Array | string;
  readonly secret?: Secret;
  /** When it was signed. */
  readonly timestampSeconds?: number;
  readonly receivedAtMs?: number;
}

/** A request as the provider would send it. */
export function signedRequest(provider: Provider, wish: Wish = {}): RawRequest {
  const rawBody = Buffer.from(wish.body ?? BODY_TEXTS[provider]);
  const { value } = signDelivery(provider, rawBody, {
    secret: wish.secret ?? SECRET,
    timestampSeconds: wish.timestampSeconds ?? NOW_SECONDS,
  });
  return { signature: value, rawBody, receivedAtMs: wish.receivedAtMs ?? NOW_MS };
}

export function verifierOf(provider: Provider, ...secrets: readonly Secret[]): Verifier {
  return createVerifier(provider, {
    secrets: secrets.length === 0 ? [SECRET] : secrets,
    toleranceSeconds: undefined,
  });
}

/** The delivery, or the refusal. Anything thrown that is no AppError is thrown on. */
export async function outcomeOf(
  verifier: Verifier,
  request: RawRequest,
): Promise<VerifiedDelivery | AppError> {
  try {
    return await verifier.verify(request, 'shop');
  } catch (error) {
    if (error instanceof AppError) {
      return error;
    }
    throw error;
  }
}

/** The code of the refusal, or `verified`. */
export async function codeOf(
  verifier: Verifier,
  request: RawRequest,
): Promise<AppErrorCode | 'verified'> {
  const outcome = await outcomeOf(verifier, request);
  return outcome instanceof AppError ? outcome.code : 'verified';
}
