// Signed samples are what the providers would send.

import Stripe from 'stripe';
import { expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { signDelivery } from '../../src/verifiers/sign.ts';
import { BODY_TEXTS, NOW_SECONDS, SECRET } from './deliveries.ts';

// Made with `openssl dgst -sha256 -hmac 'key one'` over `1700000000.{"a":"é"}` and its like.
test.each([
  [
    'stripe',
    'stripe-signature',
    't=1700000000,v1=eb5d751ce623ec79d1b355c3550d48ff247c9babfc05819eeebee96df5bb0f37',
  ],
  ['fastspring', 'x-fs-signature', 'vCPk+mtfqMbQcSETL9fwIbgQldvtEicUqnZ0i+7ABZE='],
  [
    'paddle',
    'paddle-signature',
    'ts=1700000000;h1=418e8499877340a2607a5be3cd9f1b1e36a4e56f43e3c4ec674915f4268658b3',
  ],
] as const)('%s as openssl does it, for text and for bytes', (provider, header, value) => {
  const options = { secret: new Secret('key one'), timestampSeconds: 1_700_000_000 };
  expect(signDelivery(provider, '{"a":"é"}', options)).toEqual({ header, value });
  expect(signDelivery(provider, Buffer.from('{"a":"é"}'), options)).toEqual({ header, value });
});

test('stripe as its SDK does it', () => {
  const theirs = Stripe.webhooks.generateTestHeaderString({
    payload: BODY_TEXTS.stripe,
    secret: SECRET.reveal(),
    timestamp: NOW_SECONDS,
  });
  const ours = signDelivery('stripe', BODY_TEXTS.stripe, {
    secret: SECRET,
    timestampSeconds: NOW_SECONDS,
  });
  expect(ours.value).toBe(theirs);
});
