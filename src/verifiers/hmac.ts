// The keyed digest that all three providers sign with. Takes bytes and a secret, gives text.
// Never compares by `===`, whose duration tells how much of a guess was right.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../core/secret.ts';

/** HMAC-SHA256 over the parts, one after the other. */
export function hmacSha256(
  secret: Secret,
  parts: readonly (Uint8Array | string)[],
  encoding: 'hex' | 'base64',
): string {
  const hmac = createHmac('sha256', secret.reveal());
  for (const part of parts) {
    hmac.update(part);
  }
  return hmac.digest(encoding);
}

/**
 * Compares the digests as they are written, not as they are decoded: decoders forgive (hex in upper
 * case, the unused last bits of base64), and then a changed signature would still pass.
 * A text of another length is not the same; its length tells nothing, as ours is publicly known.
 */
export function sameDigest(expected: string, given: string): boolean {
  const expectedBytes = Buffer.from(expected);
  const givenBytes = Buffer.from(given);
  return expectedBytes.length === givenBytes.length && timingSafeEqual(expectedBytes, givenBytes);
}
