// The limits of a signature's age, from both sides and in both directions.

import { describe, expect, test } from 'vitest';
import { createVerifier } from '../../src/verifiers/create-verifier.ts';
import {
  codeOf,
  NOW_SECONDS,
  OTHER_SECRET,
  SECRET,
  signedRequest,
  verifierOf,
} from './deliveries.ts';

describe.each([
  ['stripe', undefined, 300],
  ['stripe', 60, 60],
  ['stripe', 0, 0],
  ['paddle', undefined, 5],
  ['paddle', 600, 600],
  ['paddle', 0, 0],
] as const)('%s, tolerance %s: limits', (provider, toleranceSeconds, limitSeconds) => {
  const verifier = createVerifier(provider, { secrets: [SECRET], toleranceSeconds });
  const codeAtAge = (ageSeconds: number, secret = SECRET) =>
    codeOf(
      verifier,
      signedRequest(provider, { timestampSeconds: NOW_SECONDS - ageSeconds, secret }),
    );

  test.each([
    ['just now', 0, 'verified'],
    ['as old as allowed', limitSeconds, 'verified'],
    ['one second older', limitSeconds + 1, 'SIGNATURE_STALE'],
    ['ten years old', 315_360_000, 'SIGNATURE_STALE'],
    ['as far ahead as allowed', -limitSeconds, 'verified'],
    ['one second further ahead', -limitSeconds - 1, 'SIGNATURE_FUTURE'],
    ['ten years ahead', -315_360_000, 'SIGNATURE_FUTURE'],
  ])('%s', async (_name, ageSeconds, code) => {
    expect(await codeAtAge(ageSeconds)).toBe(code);
  });

  test('old and signed with another secret: the secret is what is wrong', async () => {
    expect(await codeAtAge(limitSeconds + 1, OTHER_SECRET)).toBe('SIGNATURE_MISMATCH');
  });

  test('the clock that counts is the time of arrival, whatever the machine says', async () => {
    for (const seconds of [946_684_800, 4_000_000_000]) {
      const request = signedRequest(provider, {
        timestampSeconds: seconds,
        receivedAtMs: seconds * 1000,
      });
      expect(await codeOf(verifier, request)).toBe('verified');
    }
  });
});

test('each source keeps its own tolerance, also at the same moment', async () => {
  const strict = verifierOf('paddle');
  const patient = createVerifier('paddle', { secrets: [SECRET], toleranceSeconds: 60 });
  const request = signedRequest('paddle', { timestampSeconds: NOW_SECONDS - 30 });
  const codes = await Promise.all(
    [strict, patient, strict, patient].map((verifier) => codeOf(verifier, request)),
  );
  expect(codes).toEqual(['SIGNATURE_STALE', 'verified', 'SIGNATURE_STALE', 'verified']);
});

test('a tolerance that is no number lets nothing old in', async () => {
  const verifier = createVerifier('stripe', { secrets: [SECRET], toleranceSeconds: Number.NaN });
  const request = signedRequest('stripe', { timestampSeconds: NOW_SECONDS - 400 });
  expect(await codeOf(verifier, request)).toBe('SIGNATURE_STALE');
});
