// The token of a request. Takes the token that is wanted and a request's header, says whether it is
// there. In constant time, so that an answer's time tells nothing of the token.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../core/secret.ts';

/** Gives a check of `Authorization: Bearer …` headers. */
export function createBearerCheck(token: Secret): (header: string | undefined) => boolean {
  const wanted = hashOf(token.reveal());
  return (header) => {
    const given = /^Bearer (.+)$/.exec(header ?? '')?.[1] ?? '';
    // Hashes have one length, so the comparison tells nothing of the token's.
    return timingSafeEqual(hashOf(given), wanted);
  };
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
