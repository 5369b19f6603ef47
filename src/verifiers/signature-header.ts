// Reads a signature header that holds a time and digests, as Stripe and Paddle send it.
// Takes the header's text, gives its parts. Never puts the header into an error.

import { AppError } from '../core/error-codes.ts';
import { PROVIDER_FACTS, type Provider } from '../core/providers.ts';

export interface HeaderScheme {
  readonly provider: Provider;
  readonly separator: ',' | ';';
  readonly timeKey: string;
  readonly digestKey: string;
}

export interface SignatureHeader {
  /** As it is signed: decimal digits, without sign or leading zero. */
  readonly timestampSeconds: number;
  /** Lower-case hex, each of 64 digits; several while a secret rotates. Empty: none had that shape. */
  readonly digests: readonly string[];
}

/**
 * Stricter than the SDKs in what counts as a time: theirs read `12abc` as 12, and one of theirs
 * skips the age for a time it cannot read. More tolerant in one thing: spaces around the parts.
 * @throws SIGNATURE_MISSING | SIGNATURE_MALFORMED
 */
export function readSignatureHeader(header: string | null, scheme: HeaderScheme): SignatureHeader {
  const parts = requiredHeader(header, scheme.provider).split(scheme.separator).map(keyAndValue);
  const times = parts.filter(([key]) => key === scheme.timeKey);
  const [, timeText] = times[0] ?? ['', ''];
  if (times.length !== 1 || !/^(0|[1-9]\d{0,11})$/.test(timeText)) {
    throw malformed(scheme, `it must hold one "${scheme.timeKey}" with a time in whole seconds`);
  }
  const digests = parts.filter(([key]) => key === scheme.digestKey).map(([, value]) => value);
  if (digests.length === 0) {
    throw malformed(scheme, `it holds no "${scheme.digestKey}"`);
  }
  return {
    timestampSeconds: Number(timeText),
    // A digest of another shape cannot match, and Stripe's SDK stumbles over an empty one.
    digests: digests.filter((digest) => /^[0-9a-f]{64}$/.test(digest)),
  };
}

/** @throws SIGNATURE_MISSING when there is no header, or a blank one. */
export function requiredHeader(header: string | null, provider: Provider): string {
  const text = header?.trim() ?? '';
  if (text === '') {
    throw new AppError(
      'SIGNATURE_MISSING',
      `there is no ${PROVIDER_FACTS[provider].signatureHeader} header in the request`,
    );
  }
  return text;
}

function keyAndValue(part: string): readonly [string, string] {
  const at = part.indexOf('=');
  return at === -1 ? [part.trim(), ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
}

function malformed(scheme: HeaderScheme, reason: string): AppError {
  return new AppError(
    'SIGNATURE_MALFORMED',
    `the ${PROVIDER_FACTS[scheme.provider].signatureHeader} header cannot be read: ${reason}`,
  );
}
