// What a verifier is and what it is made of. Types only.

import type { RawRequest, VerifiedDelivery } from '../core/model.ts';
import type { Secret } from '../core/secret.ts';

export interface Verifier {
  /**
   * Lets a request in, or throws why not. The signature is checked first, then its age, then the
   * shape of the body: nothing of an unsigned body is parsed.
   * No error holds the secret, the signature or a part of the body.
   * @param source the rule file's name; it is written on the delivery and its events.
   * @throws SIGNATURE_MISSING | SIGNATURE_MALFORMED | SIGNATURE_MISMATCH | SIGNATURE_STALE |
   *   SIGNATURE_FUTURE | BODY_MALFORMED | THIN_EVENT
   */
  verify(request: RawRequest, source: string): Promise<VerifiedDelivery>;
}

export interface VerifierSettings {
  /** One, or several while a secret is rotated: any of them may match. */
  readonly secrets: readonly Secret[];
  /**
   * How far the signature's time may be from ours, in both directions. `undefined`: the default of
   * the provider's own SDK (Stripe 300 s, Paddle 5 s). FastSpring signs no time; there it has no effect.
   */
  readonly toleranceSeconds: number | undefined;
  /** The source handles its events for itself, whatever another one did with them. */
  readonly ownEvents?: boolean | undefined;
}
