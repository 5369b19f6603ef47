// FastSpring: its batches, and what its header has of its own.

import { describe, expect, test } from 'vitest';
import { BODY_TEXTS, codeOf, NOW_MS, outcomeOf, signedRequest, verifierOf } from './deliveries.ts';

const verifier = verifierOf('fastspring');
const batch = (events: unknown) =>
  signedRequest('fastspring', { body: JSON.stringify({ events }) });
const entry = (id: string, created?: unknown) => ({ id, type: 'order.completed', created });
const idsOf = async (events: unknown) =>
  (await verifier.verify(batch(events), 'shop')).events.map((event) => event.id);

test('the event is the entry as it was sent', async () => {
  const delivery = await verifier.verify(signedRequest('fastspring'), 'shop');
  expect(delivery.events).toEqual([
    {
      source: 'shop',
      provider: 'fastspring',
      id: 'fs_1',
      type: 'order.completed',
      timeMs: 1_699_999_990_000,
      live: true,
      payload: JSON.parse(BODY_TEXTS.fastspring).events[0],
    },
  ]);
});

describe('a batch', () => {
  test.each([
    [
      'in the order of their times',
      [entry('a', 300), entry('b', 100), entry('c', 200)],
      ['b', 'c', 'a'],
    ],
    ['equal times by their place', [entry('z', 5), entry('a', 5), entry('m', 5)], ['z', 'a', 'm']],
    ['one without a time comes as of now', [entry('none'), entry('b', 100)], ['b', 'none']],
    ['an id twice counts once', [entry('a', 5), entry('b', 1), entry('a', 5)], ['b', 'a']],
    [
      'an id twice: its first place counts',
      [entry('a', 9), entry('b', 5), entry('a', 1)],
      ['b', 'a'],
    ],
    [
      'names like members of objects',
      [entry('__proto__', 1), entry('constructor', 2)],
      ['__proto__', 'constructor'],
    ],
  ])('%s', async (_name, events, ids) => {
    expect(await idsOf(events)).toEqual(ids);
  });

  test('a time missing is the time of arrival', async () => {
    const delivery = await verifier.verify(batch([entry('a')]), 'shop');
    expect(delivery.events[0]?.timeMs).toBe(NOW_MS);
  });

  test('2000 events are let in', async () => {
    const events = Array.from({ length: 2000 }, (_, index) => entry(`e${index}`, 5000 - index));
    const ids = await idsOf(events);
    expect(ids).toHaveLength(2000);
    expect([ids[0], ids[1999]]).toEqual(['e1999', 'e0']);
  });

  test('test and live are told apart for each event', async () => {
    const events = [
      { ...entry('a', 1), live: true },
      { ...entry('b', 2), live: false },
      entry('c', 3),
    ];
    const delivery = await verifier.verify(batch(events), 'shop');
    expect(delivery.events.map((event) => event.live)).toEqual([true, false, null]);
  });

  test('odd data under a type that nobody handles does not stop the others', async () => {
    expect(
      await idsOf([{ id: 'odd', type: 'a.b', created: 1, data: 'text' }, entry('b', 2)]),
    ).toEqual(['odd', 'b']);
  });

  test.each([
    ['no list', undefined],
    ['null', null],
    ['an empty list', []],
    ['an object', { 0: entry('a', 1) }],
    ['a text', 'abc'],
    ['null among good ones', [entry('a', 1), null]],
    ['a list among good ones', [entry('a', 1), []]],
    ['a text among good ones', [entry('a', 1), 'b']],
    ['no id among good ones', [entry('a', 1), { type: 't', created: 1 }]],
    ['no type among good ones', [entry('a', 1), { id: 'b', created: 1 }]],
  ])('%s: refused whole', async (_name, events) => {
    expect(await codeOf(verifier, batch(events))).toBe('BODY_MALFORMED');
  });

  test('the refusal says which entry', async () => {
    const refusal = await outcomeOf(verifier, batch([entry('a', 1), { id: 'b' }]));
    expect(refusal).toHaveProperty('message', 'entry 2 of "events" has no usable "type"');
  });
});

describe('the header', () => {
  const request = signedRequest('fastspring');
  const signature = request.signature ?? '';

  test.each([
    ['spaces around it', ` ${signature} `, 'verified'],
    ['one bit of its unused end', flipLastBit(signature), 'SIGNATURE_MISMATCH'],
    ['its padding missing', signature.replace(/=+$/, ''), 'SIGNATURE_MISMATCH'],
    ['written in hex', Buffer.from(signature, 'base64').toString('hex'), 'SIGNATURE_MISMATCH'],
    ['another sign for its padding', `${signature.slice(0, -1)}-`, 'SIGNATURE_MISMATCH'],
    ['many bytes for a letter', 'é'.repeat(44), 'SIGNATURE_MISMATCH'],
    ['a kilobyte', 'A'.repeat(1024), 'SIGNATURE_MISMATCH'],
    ['a single letter', 'A', 'SIGNATURE_MISMATCH'],
  ])('%s', async (_name, value, code) => {
    expect(await codeOf(verifier, { ...request, signature: value })).toBe(code);
  });

  test('the changed end is the same to a decoder, so the test above means something', () => {
    expect(flipLastBit(signature)).not.toBe(signature);
    expect(Buffer.from(flipLastBit(signature), 'base64')).toEqual(Buffer.from(signature, 'base64'));
  });
});

test.each([
  ['no UTF-8', Buffer.from('{"events":[{"id":"a\xff","type":"b"}]}', 'latin1')],
  ['a byte order mark', Buffer.from(`\uFEFF${BODY_TEXTS.fastspring}`)],
])('%s, signed over its bytes: malformed', async (_name, body) => {
  expect(await codeOf(verifier, signedRequest('fastspring', { body }))).toBe('BODY_MALFORMED');
});

/** Changes the last character before the padding in a bit that base64 does not use there. */
function flipLastBit(signature: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const last = alphabet.indexOf(signature.charAt(42));
  return `${signature.slice(0, 42)}${alphabet.charAt(last ^ 1)}=`;
}
