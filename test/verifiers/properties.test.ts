// What holds for any body: signed, it is let in; with any one bit flipped, it is not; and no refusal
// ever shows the secret, the signature or a part of the body.

import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/core/error-codes.ts';
import type { RawRequest } from '../../src/core/model.ts';
import { PROVIDERS, type Provider } from '../../src/core/providers.ts';
import { Secret } from '../../src/core/secret.ts';
import {
  codeOf,
  NOW_SECONDS,
  OTHER_SECRET,
  outcomeOf,
  SECRET,
  signedRequest,
  verifierOf,
} from './deliveries.ts';

/** An event of the provider around any JSON value. */
function eventAround(provider: Provider, value: unknown): string {
  const texts = {
    stripe: { id: 'evt_1', type: 'a.b', created: 1, data: { object: { value } } },
    fastspring: { events: [{ id: 'evt_1', type: 'a.b', created: 1, data: { value } }] },
    paddle: { event_id: 'evt_1', event_type: 'a.b', data: { value } },
  };
  return JSON.stringify(texts[provider]);
}

/** As JSON.parse reads it, without members named `__proto__`. */
function parsedSafely(text: string): { readonly events?: readonly unknown[] } {
  return JSON.parse(text, (key, value) => (key === '__proto__' ? undefined : value));
}

function flipBit(bytes: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  const at = bit >> 3;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

describe.each(PROVIDERS)('%s', (provider) => {
  const verifier = verifierOf(provider);

  test('what is signed is let in, with the very content', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.nat(3), async (value, spaces) => {
        const compact = eventAround(provider, value);
        const body = JSON.stringify(JSON.parse(compact), null, spaces);
        const delivery = await verifier.verify(signedRequest(provider, { body }), 'shop');
        const expected = parsedSafely(body);
        const payload = provider === 'fastspring' ? expected.events?.[0] : expected;
        expect(JSON.stringify(delivery.events[0]?.payload)).toBe(JSON.stringify(payload));
      }),
    );
  });

  test('any bytes, well signed, are an event or malformed, never a crash', async () => {
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json(),
      fc.json().map((json) => `{"events":${json}}`),
      fc.json().map((json) => `{"events":[${json}]}`),
      fc
        .json()
        .map((json) => `{"id":"a","type":"b","event_id":"a","event_type":"b","data":${json}}`),
    );
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const code = await codeOf(verifier, signedRequest(provider, { body }));
        // Stripe's SDK reads text, so bytes that its decoder would change count as not Stripe's.
        const bytes = Buffer.from(body);
        const decoded = Buffer.from(new TextDecoder().decode(bytes));
        const refusal = provider === 'stripe' && !decoded.equals(bytes);
        expect(refusal ? ['SIGNATURE_MISMATCH'] : ['verified', 'BODY_MALFORMED']).toContain(code);
      }),
    );
  });

  test('any one bit of the body flipped: refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.nat(), async (value, seed) => {
        const request = signedRequest(provider, { body: eventAround(provider, value) });
        const rawBody = flipBit(request.rawBody, seed % (request.rawBody.length * 8));
        expect(await codeOf(verifier, { ...request, rawBody })).toBe('SIGNATURE_MISMATCH');
      }),
    );
  });

  test('every single bit of the header flipped: refused', async () => {
    const request = signedRequest(provider);
    const header = Buffer.from(request.signature ?? '', 'latin1');
    const passed: string[] = [];
    for (let bit = 0; bit < header.length * 8; bit += 1) {
      const signature = flipBit(header, bit).toString('latin1');
      const code = await codeOf(verifier, { ...request, signature });
      if (!code.startsWith('SIGNATURE_M')) {
        passed.push(`bit ${bit}: ${code}`);
      }
    }
    expect(header.length).toBeGreaterThan(40);
    expect(passed).toEqual([]);
  });

  test('a random header is refused, never a crash', async () => {
    const part = fc.constantFrom('t', 'ts', 'v1', 'h1', '=', ',', ';', ' ', '1', `${NOW_SECONDS}`);
    const headers = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 20 }).map((parts) => parts.join('')),
    );
    await fc.assert(
      fc.asyncProperty(headers, async (signature) => {
        const code = await codeOf(verifier, { ...signedRequest(provider), signature });
        expect(code).toMatch(/^SIGNATURE_(MISSING|MALFORMED|MISMATCH)$/);
      }),
    );
  });
});

describe('no refusal shows the secret, the signature or a part of the body', () => {
  // Short enough to be quoted whole by the message of a JSON.parse.
  const MARK = 'q4711zq';
  const SECRETS = [SECRET, OTHER_SECRET];

  /** Everything that a log could make of an error. */
  function everythingShown(error: AppError): string {
    const members = Object.getOwnPropertyNames(error).map((name) => Reflect.get(error, name));
    return [
      inspect(error, { depth: null, showHidden: true }),
      JSON.stringify(members),
      String(error.cause),
    ].join('\n');
  }

  function secretsIn(shown: string, request: RawRequest): string[] {
    const digests = request.signature?.match(/[0-9a-f]{64}|[\w+/]{43}=/g) ?? [];
    const wanted = [MARK, ...SECRETS.map((secret) => secret.reveal()), ...digests];
    return wanted.filter((text) => shown.includes(text));
  }

  test('the check itself finds each of them', () => {
    for (const provider of PROVIDERS) {
      const request = signedRequest(provider);
      const { signature } = request;
      for (const leak of [MARK, SECRET.reveal(), `${signature}`]) {
        const inMessage = everythingShown(new AppError('INTERNAL', `bad ${leak}`));
        expect(secretsIn(inMessage, request)).toHaveLength(1);
        const inCause = new AppError('INTERNAL', 'bad', { cause: { deep: { leak } } });
        expect(secretsIn(everythingShown(inCause), request)).toHaveLength(1);
      }
    }
  });

  test.each(PROVIDERS)('%s', async (provider) => {
    const verifier = verifierOf(provider, ...SECRETS);
    const bodies = fc.oneof(
      fc.constant(MARK),
      fc.string().map((text) => `${MARK}${text}`),
      fc.string().map((text) => `{"${MARK}": ${text}`),
      fc.jsonValue().map((value) => JSON.stringify([MARK, value])),
      fc.jsonValue().map((value) => JSON.stringify({ events: [{ id: MARK, type: value }] })),
      fc.jsonValue().map((value) => JSON.stringify({ id: MARK, event_id: MARK, type: value })),
      fc.constant(JSON.stringify({ object: 'v2.core.event', id: MARK })),
    );
    const changes = fc.constantFrom(
      (request: RawRequest) => request,
      (request: RawRequest) => ({
        ...request,
        rawBody: Buffer.concat([request.rawBody, Buffer.from(' ')]),
      }),
      (request: RawRequest) => ({ ...request, signature: null }),
      (request: RawRequest) => ({ ...request, signature: `x${request.signature}` }),
      (request: RawRequest) => ({ ...request, receivedAtMs: request.receivedAtMs + 1e9 }),
      (request: RawRequest) => ({ ...request, receivedAtMs: request.receivedAtMs - 1e9 }),
    );
    const secrets = fc.constantFrom(...SECRETS, new Secret('somebody else'));
    let refusals = 0;
    await fc.assert(
      fc.asyncProperty(bodies, changes, secrets, async (body, change, secret) => {
        const request = change(signedRequest(provider, { body, secret }));
        const outcome = await outcomeOf(verifier, request);
        if (outcome instanceof AppError) {
          refusals += 1;
          expect(secretsIn(everythingShown(outcome), request)).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
    expect(refusals).toBeGreaterThan(100);
  });
});
