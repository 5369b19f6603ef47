// The age of a signature. Takes the signed time and the time of arrival, throws when they are too
// far apart. Never lets a time pass that cannot be compared.

import { AppError } from '../core/error-codes.ts';

/**
 * Counts in whole seconds, since providers sign whole seconds: at exactly the tolerance a signature
 * is good, one second beyond it is not. Both directions count: a signature from the future could
 * otherwise be kept and sent again for as long as one likes. A tolerance of 0 is no exception.
 * @throws SIGNATURE_STALE | SIGNATURE_FUTURE
 */
export function checkSignatureAge(
  timestampSeconds: number,
  receivedAtMs: number,
  toleranceSeconds: number,
): void {
  const ageSeconds = Math.floor(receivedAtMs / 1000) - timestampSeconds;
  if (ageSeconds < -toleranceSeconds) {
    throw new AppError(
      'SIGNATURE_FUTURE',
      `signed ${-ageSeconds} s ahead of our clock; ${toleranceSeconds} s are allowed`,
    );
  }
  // Asked this way round, a tolerance that is no number refuses instead of letting everything in.
  if (!(ageSeconds <= toleranceSeconds)) {
    throw new AppError(
      'SIGNATURE_STALE',
      `signed ${ageSeconds} s ago; ${toleranceSeconds} s are allowed`,
    );
  }
}
