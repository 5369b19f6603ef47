// Stripe: what its header and its events have of their own.

import Stripe from 'stripe';
import { describe, expect, test } from 'vitest';
import { signDelivery } from '../../src/verifiers/sign.ts';
import {
  BODY_TEXTS,
  codeOf,
  NOW_SECONDS,
  OTHER_SECRET,
  outcomeOf,
  SECRET,
  signedRequest,
  verifierOf,
} from './deliveries.ts';

const request = signedRequest('stripe');
const good = request.signature?.split('v1=')[1] ?? '';
const other = signedRequest('stripe', { secret: OTHER_SECRET }).signature?.split('v1=')[1] ?? '';
const T = `t=${NOW_SECONDS}`;

test.each([
  ['the good v1 first of three', `${T},v1=${good},v1=${other},v1=${other}`, 'verified'],
  ['the good v1 in the middle', `${T},v1=${other},v1=${good},v1=${other}`, 'verified'],
  ['the good v1 last', `${T},v1=${other},v1=${other},v1=${good}`, 'verified'],
  ['a v1 that is no digest beside it', `${T},v1=dummy,v1=,v1,v1=${good}`, 'verified'],
  ['a v1 of 64 other letters beside it', `${T},v1=${'é'.repeat(64)},v1=${good}`, 'verified'],
  ['a v0 beside it', `${T},v1=${good},v0=${other}`, 'verified'],
  ['the time last', `v1=${good},${T}`, 'verified'],
  ['spaces after the commas', ` ${T}, v1=${other}, v1=${good} `, 'verified'],
  ['only other v1', `${T},v1=${other},v1=${other}`, 'SIGNATURE_MISMATCH'],
  ['only a v1 that is no digest', `${T},v1=dummy`, 'SIGNATURE_MISMATCH'],
  ['an empty v1', `${T},v1=`, 'SIGNATURE_MISMATCH'],
  ['the good digest as v0', `${T},v0=${good}`, 'SIGNATURE_MALFORMED'],
  ['no v1', T, 'SIGNATURE_MALFORMED'],
  ['no time', `v1=${good}`, 'SIGNATURE_MALFORMED'],
  ['an empty time', `t=,v1=${good}`, 'SIGNATURE_MALFORMED'],
  ['a word for a time', `t=now,v1=${good}`, 'SIGNATURE_MALFORMED'],
  ['letters behind the time', `${T}abc,v1=${good}`, 'SIGNATURE_MALFORMED'],
  ['a negative time', `t=-1,v1=${good}`, 'SIGNATURE_MALFORMED'],
  ['a zero before the time', `t=0${NOW_SECONDS},v1=${good}`, 'SIGNATURE_MALFORMED'],
  ['a time with a fraction', `${T}.5,v1=${good}`, 'SIGNATURE_MALFORMED'],
  ['a time in milliseconds of the year 33658', `${T}000,v1=${good}`, 'SIGNATURE_MALFORMED'],
  ['two times', `${T},t=1,v1=${good}`, 'SIGNATURE_MALFORMED'],
  ['the same time twice', `${T},${T},v1=${good}`, 'SIGNATURE_MALFORMED'],
  ['garbage', 'Bearer abc', 'SIGNATURE_MALFORMED'],
  ['only separators', ',,,=,', 'SIGNATURE_MALFORMED'],
])('header with %s', async (_name, signature, code) => {
  expect(await codeOf(verifierOf('stripe'), { ...request, signature })).toBe(code);
});

test('a time that is no number is refused even when it is well signed', async () => {
  const value = signDelivery('stripe', request.rawBody, {
    secret: SECRET,
    timestampSeconds: Number.NaN,
  }).value;
  expect(value).toMatch(/^t=NaN,v1=/);
  expect(await codeOf(verifierOf('stripe'), { ...request, signature: value })).toBe(
    'SIGNATURE_MALFORMED',
  );
});

describe('thin events', () => {
  const thin = JSON.stringify({
    id: 'evt_thin_1',
    object: 'v2.core.event',
    type: 'v1.invoice.paid',
    created: '2026-10-01T10:00:00.000Z',
    related_object: { id: 'in_1', type: 'invoice', url: '/v1/invoices/in_1' },
  });

  test('a signed one is refused with the way out', async () => {
    const refusal = await outcomeOf(verifierOf('stripe'), signedRequest('stripe', { body: thin }));
    expect(refusal).toMatchObject({ code: 'THIN_EVENT' });
    expect(refusal).toHaveProperty('message', expect.stringContaining('snapshot payload'));
  });

  test.each([
    ['signed with another secret', { secret: OTHER_SECRET }, 'SIGNATURE_MISMATCH'],
    ['too old', { timestampSeconds: NOW_SECONDS - 301 }, 'SIGNATURE_STALE'],
  ])('%s: nothing is said of its content', async (_name, wish, code) => {
    const spoiled = signedRequest('stripe', { body: thin, ...wish });
    expect(await codeOf(verifierOf('stripe'), spoiled)).toBe(code);
  });
});

test.each([
  ['no data', '{"id":"evt_1","type":"a","created":1}'],
  ['data null', '{"id":"evt_1","type":"a","created":1,"data":null}'],
  ['data a list', '{"id":"evt_1","type":"a","created":1,"data":[]}'],
  ['no data.object', '{"id":"evt_1","type":"a","created":1,"data":{}}'],
  ['data.object a text', '{"id":"evt_1","type":"a","created":1,"data":{"object":"in_1"}}'],
  ['data.object a list', '{"id":"evt_1","type":"a","created":1,"data":{"object":[]}}'],
])('%s: malformed, not a crash later', async (_name, body) => {
  expect(await codeOf(verifierOf('stripe'), signedRequest('stripe', { body }))).toBe(
    'BODY_MALFORMED',
  );
});

test('the event is Stripe\u2019s own JSON, with its time in milliseconds', async () => {
  const delivery = await verifierOf('stripe').verify(request, 'shop');
  expect(delivery.events).toEqual([
    {
      source: 'shop',
      provider: 'stripe',
      id: 'evt_1Nq',
      type: 'customer.created',
      timeMs: 1_699_999_990_000,
      live: true,
      payload: JSON.parse(BODY_TEXTS.stripe),
    },
  ]);
});

test.each([
  ['"livemode": false', false],
  ['"livemode": "false"', null],
  ['"no": true', null],
])('%s gives live = %s', async (mark, live) => {
  const body = BODY_TEXTS.stripe.replace('"livemode": true', mark);
  const delivery = await verifierOf('stripe').verify(signedRequest('stripe', { body }), 'shop');
  expect(delivery.events[0]?.live).toBe(live);
});

describe('bytes, not text', () => {
  const withByte = (byte: readonly number[]) =>
    Buffer.concat([
      Buffer.from('{"id":"evt_1","type":"a","data":{"object":{"name":"'),
      Buffer.from(byte),
      Buffer.from('"}}}'),
    ]);

  test('a body with a bad byte does not pass for one with a replacement character', async () => {
    const honest = signedRequest('stripe', { body: withByte([0xef, 0xbf, 0xbd]) });
    expect(await codeOf(verifierOf('stripe'), honest)).toBe('verified');
    const swapped = { ...honest, rawBody: withByte([0xff]) };
    expect(await codeOf(verifierOf('stripe'), swapped)).toBe('SIGNATURE_MISMATCH');
    // The very trick works on the SDK alone, which is why the check stands around it.
    await expect(
      Stripe.webhooks.constructEventAsync(
        swapped.rawBody,
        swapped.signature ?? '',
        SECRET.reveal(),
        0,
      ),
    ).resolves.toBeTypeOf('object');
  });

  test.each([
    ['no UTF-8', withByte([0xff])],
    ['half a character', withByte([0xc3])],
    ['a byte order mark', Buffer.from(`\uFEFF${BODY_TEXTS.stripe}`)],
  ])('%s, signed over its bytes: not what Stripe signs', async (_name, body) => {
    expect(await codeOf(verifierOf('stripe'), signedRequest('stripe', { body }))).toBe(
      'SIGNATURE_MISMATCH',
    );
  });
});
