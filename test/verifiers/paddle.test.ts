// Paddle: what its header and its events have of their own, and what its SDK lacks.

import { Webhooks } from '@paddle/paddle-node-sdk';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { createVerifier } from '../../src/verifiers/create-verifier.ts';
import { signDelivery } from '../../src/verifiers/sign.ts';
import {
  BODY_TEXTS,
  codeOf,
  NOW_MS,
  NOW_SECONDS,
  OTHER_SECRET,
  SECRET,
  signedRequest,
  verifierOf,
} from './deliveries.ts';

const verifier = verifierOf('paddle');
const request = signedRequest('paddle');
const good = request.signature?.split('h1=')[1] ?? '';
const other = signedRequest('paddle', { secret: OTHER_SECRET }).signature?.split('h1=')[1] ?? '';
const TS = `ts=${NOW_SECONDS}`;

test.each([
  ['the good h1 first of three', `${TS};h1=${good};h1=${other};h1=${other}`, 'verified'],
  ['the good h1 in the middle', `${TS};h1=${other};h1=${good};h1=${other}`, 'verified'],
  ['the good h1 last', `${TS};h1=${other};h1=${other};h1=${good}`, 'verified'],
  ['an h1 that is no digest beside it', `${TS};h1=dummy;h1=;h1;h1=${good}`, 'verified'],
  ['an h2 beside it', `${TS};h1=${good};h2=RANDOM`, 'verified'],
  ['the time last', `h1=${good};${TS}`, 'verified'],
  ['spaces after the semicolons', ` ${TS}; h1=${other} ; h1=${good} `, 'verified'],
  ['a semicolon at its end', `${TS};h1=${good};`, 'verified'],
  ['only other h1', `${TS};h1=${other};h1=${other}`, 'SIGNATURE_MISMATCH'],
  ['only an h1 that is no digest', `${TS};h1=dummy`, 'SIGNATURE_MISMATCH'],
  ['the good digest as h2', `${TS};h2=${good}`, 'SIGNATURE_MALFORMED'],
  ['no h1', TS, 'SIGNATURE_MALFORMED'],
  ['no time', `h1=${good}`, 'SIGNATURE_MALFORMED'],
  ['an empty time', `ts=;h1=${good}`, 'SIGNATURE_MALFORMED'],
  ['letters behind the time', `${TS}abc;h1=${good}`, 'SIGNATURE_MALFORMED'],
  ['a zero before the time', `ts=0${NOW_SECONDS};h1=${good}`, 'SIGNATURE_MALFORMED'],
  ['two times', `${TS};ts=1;h1=${good}`, 'SIGNATURE_MALFORMED'],
  ['commas for semicolons', `${TS},h1=${good}`, 'SIGNATURE_MALFORMED'],
  ['garbage', 'Bearer abc', 'SIGNATURE_MALFORMED'],
  ['only separators', ';;;=;', 'SIGNATURE_MALFORMED'],
])('header with %s', async (_name, signature, code) => {
  expect(await codeOf(verifier, { ...request, signature })).toBe(code);
});

test('several h1 and several secrets: any pair may match', async () => {
  const rotated = verifierOf('paddle', new Secret('x'), SECRET);
  const signature = `${TS};h1=${other};h1=${good}`;
  expect(await codeOf(rotated, { ...request, signature })).toBe('verified');
});

test('the event is Paddle\u2019s own JSON, in snake_case, with members that the SDK drops', async () => {
  const body = `{"event_id":"evt_2","event_type":"new.type.of.tomorrow","occurred_at":"2023-11-14T23:13:10+01:00",
    "data":{"items":[{"price_id":"pri_1"}],"custom_data":{"cryptlex_product_id":"p","CamelKey":0}}}`;
  const delivery = await verifier.verify(signedRequest('paddle', { body }), 'shop');
  expect(delivery.events).toEqual([
    {
      source: 'shop',
      provider: 'paddle',
      id: 'evt_2',
      type: 'new.type.of.tomorrow',
      timeMs: Date.UTC(2023, 10, 14, 22, 13, 10),
      live: null,
      payload: JSON.parse(body),
    },
  ]);
});

test.each([
  ['2023-11-14T22:13:10.123456Z', Date.UTC(2023, 10, 14, 22, 13, 10, 123)],
  ['2023-11-14T22:13:10Z', Date.UTC(2023, 10, 14, 22, 13, 10)],
  ['2023-11-14T22:13:10.5+00:00', Date.UTC(2023, 10, 14, 22, 13, 10, 500)],
  ['2023-11-14T22:13:10', NOW_MS],
  ['2023-11-14', NOW_MS],
  ['2023-99-99T99:99:99Z', NOW_MS],
])('occurred_at %s is read as %i', async (text, timeMs) => {
  const body = BODY_TEXTS.paddle.replace('2023-11-14T22:13:10.123456Z', text);
  const delivery = await verifier.verify(signedRequest('paddle', { body }), 'shop');
  expect(delivery.events[0]?.timeMs).toBe(timeMs);
});

test.each([
  ['missing', '{"event_id":"e","event_type":"a"}'],
  ['null', '{"event_id":"e","event_type":"a","data":null}'],
  ['a list', '{"event_id":"e","event_type":"a","data":[]}'],
  ['a text', '{"event_id":"e","event_type":"a","data":"x"}'],
])('data %s: malformed', async (_name, body) => {
  expect(await codeOf(verifier, signedRequest('paddle', { body }))).toBe('BODY_MALFORMED');
});

describe('bytes, not text', () => {
  const withByte = (bytes: readonly number[]) =>
    Buffer.concat([
      Buffer.from('{"event_id":"e","event_type":"a","data":{"name":"'),
      Buffer.from(bytes),
      Buffer.from('"}}'),
    ]);

  test('a body with a bad byte does not pass for one with a replacement character', async () => {
    const honest = signedRequest('paddle', { body: withByte([0xef, 0xbf, 0xbd]) });
    expect(await codeOf(verifier, honest)).toBe('verified');
    const swapped = { ...honest, rawBody: withByte([0xff]) };
    expect(swapped.rawBody.toString()).toBe(honest.rawBody.toString());
    expect(await codeOf(verifier, swapped)).toBe('SIGNATURE_MISMATCH');
  });

  test.each([
    ['no UTF-8', withByte([0xff])],
    ['a byte order mark', Buffer.from(`\uFEFF${BODY_TEXTS.paddle}`)],
  ])('%s, signed over its bytes: malformed', async (_name, body) => {
    expect(await codeOf(verifier, signedRequest('paddle', { body }))).toBe('BODY_MALFORMED');
  });
});

describe('Paddle\u2019s SDK', () => {
  test('agrees with our signatures, and has the last word', async () => {
    const sdk = new Webhooks();
    const timestampSeconds = Math.floor(Date.now() / 1000);
    const { value } = signDelivery('paddle', BODY_TEXTS.paddle, {
      secret: SECRET,
      timestampSeconds,
    });
    expect(await sdk.isSignatureValid(BODY_TEXTS.paddle, SECRET.reveal(), value)).toBe(true);
    expect(await sdk.isSignatureValid(`${BODY_TEXTS.paddle} `, SECRET.reveal(), value)).toBe(false);

    const asked = Webhooks.prototype.isSignatureValid;
    try {
      Webhooks.prototype.isSignatureValid = async () => false;
      expect(await codeOf(verifier, request)).toBe('SIGNATURE_MISMATCH');
    } finally {
      Webhooks.prototype.isSignatureValid = asked;
    }
    expect(await codeOf(verifier, request)).toBe('verified');
  });

  test('its limit of 5 s on the machine\u2019s clock stands in no source\u2019s way', async () => {
    // If an upgrade renames the SDK's limit, this is refused: the request is years old to the machine.
    const patient = createVerifier('paddle', { secrets: [SECRET], toleranceSeconds: 60 });
    const old = signedRequest('paddle', { timestampSeconds: NOW_SECONDS - 60 });
    expect(await codeOf(patient, old)).toBe('verified');
  });
});
