// What holds for every provider: a good delivery is let in, and with one thing spoiled it is not.

import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/core/error-codes.ts';
import type { RawRequest } from '../../src/core/model.ts';
import { PROVIDERS, type Provider } from '../../src/core/providers.ts';
import { Secret } from '../../src/core/secret.ts';
import { createVerifier } from '../../src/verifiers/create-verifier.ts';
import { readEvents } from '../../src/verifiers/read-events.ts';
import {
  BODY_TEXTS,
  codeOf,
  NOW_MS,
  OTHER_SECRET,
  outcomeOf,
  SECRET,
  signedRequest,
  verifierOf,
} from './deliveries.ts';

type Spoil = (provider: Provider) => RawRequest;

const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));

/** A good request whose body was swapped after it was signed. */
const withBody =
  (change: (rawBody: Uint8Array) => Uint8Array): Spoil =>
  (provider) => {
    const request = signedRequest(provider);
    return { ...request, rawBody: change(request.rawBody) };
  };

const withSignature =
  (signature: string | null): Spoil =>
  (provider) => ({ ...signedRequest(provider), signature });

const signedBody =
  (body: Uint8Array | string): Spoil =>
  (provider) =>
    signedRequest(provider, { body });

const reserialised = (rawBody: Uint8Array) =>
  Buffer.from(JSON.stringify(JSON.parse(rawBody.toString())));

/** Lists and objects inside each other, where every provider's events may hold what they like. */
const deep = (provider: Provider, levels: number): string => {
  const nest = '['.repeat(levels) + ']'.repeat(levels);
  return BODY_TEXTS[provider].replace('"Ren\\u00e9e', `"x","deep":${nest},"last":"Ren\\u00e9e`);
};

const SPOILED: readonly (readonly [string, Spoil, string])[] = [
  ['nothing spoiled', (provider) => signedRequest(provider), 'verified'],
  ['first byte of the body changed', withBody((body) => flipped(body, 0)), 'SIGNATURE_MISMATCH'],
  [
    'last byte of the body changed',
    withBody((body) => flipped(body, body.length - 1)),
    'SIGNATURE_MISMATCH',
  ],
  [
    'a line break added',
    withBody((body) => Buffer.concat([body, Buffer.from('\n')])),
    'SIGNATURE_MISMATCH',
  ],
  ['body parsed and written again', withBody(reserialised), 'SIGNATURE_MISMATCH'],
  ['body emptied', withBody(() => Buffer.alloc(0)), 'SIGNATURE_MISMATCH'],
  [
    'a byte order mark put before it',
    withBody((body) => Buffer.concat([Buffer.from('\uFEFF'), body])),
    'SIGNATURE_MISMATCH',
  ],
  ['no header', withSignature(null), 'SIGNATURE_MISSING'],
  ['empty header', withSignature(''), 'SIGNATURE_MISSING'],
  ['blank header', withSignature(' \t'), 'SIGNATURE_MISSING'],
  [
    'signed with another secret',
    (provider) => signedRequest(provider, { secret: OTHER_SECRET }),
    'SIGNATURE_MISMATCH',
  ],
  [
    'signed with an empty secret',
    (provider) => signedRequest(provider, { secret: new Secret('') }),
    'SIGNATURE_MISMATCH',
  ],
  ['empty body, well signed', signedBody(''), 'BODY_MALFORMED'],
  ['null, well signed', signedBody('null'), 'BODY_MALFORMED'],
  ['empty list, well signed', signedBody('[]'), 'BODY_MALFORMED'],
  ['empty object, well signed', signedBody('{}'), 'BODY_MALFORMED'],
  ['text, well signed', signedBody('"text"'), 'BODY_MALFORMED'],
  ['number, well signed', signedBody('42'), 'BODY_MALFORMED'],
  ['true, well signed', signedBody('true'), 'BODY_MALFORMED'],
  ['no JSON, well signed', signedBody('id=evt_1&type=a'), 'BODY_MALFORMED'],
  [
    'half an event, well signed',
    (provider) => signedBody(BODY_TEXTS[provider].slice(0, -1))(provider),
    'BODY_MALFORMED',
  ],
  ['100000 open brackets, well signed', signedBody('['.repeat(100_000)), 'BODY_MALFORMED'],
  [
    '100000 brackets in a good event',
    (provider) => signedRequest(provider, { body: deep(provider, 100_000) }),
    'BODY_MALFORMED',
  ],
  [
    '50 brackets in a good event',
    (provider) => signedRequest(provider, { body: deep(provider, 50) }),
    'verified',
  ],
];

describe.each(PROVIDERS)('%s: one thing spoiled, one code', (provider) => {
  test.each(SPOILED)('%s', async (_name, spoil, code) => {
    expect(await codeOf(verifierOf(provider), spoil(provider))).toBe(code);
  });

  test.each([
    [
      'upper-case digest',
      (signature: string) =>
        signature.toUpperCase().replace(/^TS?=|[VH]1=/g, (key) => key.toLowerCase()),
    ],
    ['digest cut short', (signature: string) => signature.slice(0, -1)],
    ['digest too long', (signature: string) => `${signature}0`],
  ])('%s is a mismatch, no crash', async (_name, change) => {
    const request = signedRequest(provider);
    const spoiled = { ...request, signature: change(request.signature ?? '') };
    expect(spoiled.signature).not.toBe(request.signature);
    expect(await codeOf(verifierOf(provider), spoiled)).toBe('SIGNATURE_MISMATCH');
  });

  test.each(PROVIDERS.filter((other) => other !== provider))(
    'a delivery of %s is not let in',
    async (other) => {
      const code = await codeOf(verifierOf(provider), signedRequest(other));
      expect(code).toBe(provider === 'fastspring' ? 'SIGNATURE_MISMATCH' : 'SIGNATURE_MALFORMED');
    },
  );

  test.each([
    ['first', [SECRET, OTHER_SECRET, new Secret('c')]],
    ['in the middle', [OTHER_SECRET, SECRET, new Secret('c')]],
    ['last', [new Secret('c'), OTHER_SECRET, SECRET]],
  ])('rotated secrets: the right one %s', async (_name, secrets) => {
    const verifier = verifierOf(provider, ...secrets);
    expect(await codeOf(verifier, signedRequest(provider))).toBe('verified');
    const forged = signedRequest(provider, { secret: new Secret('d') });
    expect(await codeOf(verifier, forged)).toBe('SIGNATURE_MISMATCH');
  });

  test('a secret with a pasted line break is named in the hint', async () => {
    const padded = verifierOf(provider, new Secret(`${SECRET.reveal()}\n`));
    const refusal = await outcomeOf(padded, signedRequest(provider));
    expect(refusal).toMatchObject({ code: 'SIGNATURE_MISMATCH' });
    expect(refusal).toHaveProperty('hint', expect.stringMatching(/space or a line break/));
    const clean = await outcomeOf(verifierOf(provider, OTHER_SECRET), signedRequest(provider));
    expect(clean).toHaveProperty('hint', expect.not.stringMatching(/space or a line break/));
  });

  test('the delivery says where it came through and when', async () => {
    const delivery = await verifierOf(provider).verify(signedRequest(provider), 'shop-eu');
    expect(delivery).toMatchObject({ provider, source: 'shop-eu', receivedAtMs: NOW_MS });
    expect(delivery.events).toHaveLength(1);
    expect(delivery.events[0]).toMatchObject({ provider, source: 'shop-eu' });
  });

  test('names outside ASCII arrive whole, escaped or not', async () => {
    const delivery = await verifierOf(provider).verify(signedRequest(provider), 'shop');
    expect(JSON.stringify(delivery.events[0]?.payload)).toMatch(/Renée.*Zoë/);
  });

  test('__proto__ in a body changes no prototype and is not carried on', async () => {
    const body = BODY_TEXTS[provider].replace(
      /"data":\s*\{/,
      '"data":{"__proto__":{"polluted":1},"list":[{"__proto__":{"polluted":1}}],',
    );
    const delivery = await verifierOf(provider).verify(signedRequest(provider, { body }), 'shop');
    expect(JSON.stringify(delivery.events[0]?.payload)).toContain('"list":[{}]');
    expect(JSON.stringify(delivery.events[0]?.payload)).not.toContain('polluted');
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('a body of 1 MiB is let in', async () => {
    const filler = 'x'.repeat(2 ** 20 - Buffer.byteLength(BODY_TEXTS[provider]));
    const body = BODY_TEXTS[provider].replace('Ren\\u00e9e', `Ren\\u00e9e${filler}`);
    expect(Buffer.byteLength(body)).toBe(2 ** 20);
    expect(await codeOf(verifierOf(provider), signedRequest(provider, { body }))).toBe('verified');
  });

  test.each([
    ['the id missing', /"(event_)?id"(:\s*"(evt|fs)_)/, '"no"$2'],
    ['the id blank', /"(evt|fs)_[^"]*"/, '" "'],
    ['a number for an id', /"(evt|fs)_[^"]*"/, '7'],
    ['a line break in the id', /"(evt|fs)_/, '"$1_a\\nb'],
    ['an id of 300 characters', /"(evt|fs)_/, `"$1_${'x'.repeat(300)}`],
    ['the type missing', /"(event_)?type"/, '"no"'],
    ['null for a type', /("(event_)?type":\s*)"[^"]*"/, '$1null'],
  ])('%s: malformed', async (_name, pattern, replacement) => {
    const body = BODY_TEXTS[provider].replace(pattern, replacement);
    expect(body).not.toBe(BODY_TEXTS[provider]);
    expect(JSON.parse(body)).toBeTypeOf('object');
    expect(await codeOf(verifierOf(provider), signedRequest(provider, { body }))).toBe(
      'BODY_MALFORMED',
    );
  });

  test.each([
    ['missing', '"no":1'],
    ['null', '"$1":null'],
    ['negative', '"$1":-1'],
    ['a word', '"$1":"soon"'],
    ['a short number as text', '"$1":"1"'],
    ['beyond any calendar', '"$1":1e300'],
  ])('time of the event %s: the time of arrival stands in', async (_name, replacement) => {
    const body = BODY_TEXTS[provider].replace(
      /"(created|occurred_at)":\s*("[^"]*"|\d+)/,
      replacement,
    );
    expect(body).not.toBe(BODY_TEXTS[provider]);
    const delivery = await verifierOf(provider).verify(signedRequest(provider, { body }), 'shop');
    expect(delivery.events[0]?.timeMs).toBe(NOW_MS);
  });

  test('no secret and blank secrets: no verifier', () => {
    for (const secrets of [[], [new Secret('')], [SECRET, new Secret(' \n')]]) {
      const make = () => createVerifier(provider, { secrets, toleranceSeconds: undefined });
      expect(make).toThrow(expect.objectContaining({ code: 'ENV_BLANK' }));
    }
  });

  test('a file is read without a signature, into the same events', async () => {
    const rawBody = Buffer.from(BODY_TEXTS[provider]);
    const events = readEvents(provider, rawBody, { source: 'shop', receivedAtMs: NOW_MS });
    const delivery = await verifierOf(provider).verify(signedRequest(provider), 'shop');
    expect(events).toEqual(delivery.events);
    const read = () => readEvents(provider, Buffer.from('nope'), { source: 'a', receivedAtMs: 1 });
    expect(read).toThrow(expect.objectContaining({ code: 'BODY_MALFORMED' }));
  });
});

test('the helper of these tests throws on what is no refusal', async () => {
  const broken = { verify: () => Promise.reject(new TypeError('a defect')) };
  await expect(outcomeOf(broken, signedRequest('stripe'))).rejects.toThrow('a defect');
  expect(
    await outcomeOf(verifierOf('stripe', OTHER_SECRET), signedRequest('stripe')),
  ).toBeInstanceOf(AppError);
});
