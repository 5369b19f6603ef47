// Routes and refusals, called in process.

import { describe, expect, it } from 'vitest';
import { AppError, ERRORS } from '../../src/core/error-codes.ts';
import { PROVIDER_FACTS, PROVIDERS, type Provider } from '../../src/core/providers.ts';
import { done, fakeServer, fakeSource, jsonOf, signed } from './fakes.ts';

describe('POST /v1 goes to the source that its signature header names', () => {
  for (const provider of PROVIDERS) {
    it(`${PROVIDER_FACTS[provider].signatureHeader} is ${provider}`, async () => {
      const { app, received } = fakeServer();
      const response = await app.request('/v1', signed(provider));
      expect(response.status).toBe(200);
      expect(received).toMatchObject([{ source: provider, provider }]);
      expect(await jsonOf(response)).toEqual({
        message: 'licensed',
        status: 'done',
        eventId: 'evt_1',
      });
    });
  }

  it('and not to another source of that provider', async () => {
    const { app, received } = fakeServer({ sources: [fakeSource('stripe-eu')] });
    const response = await app.request('/v1', signed());
    expect(response.status).toBe(503);
    expect(received).toEqual([]);
  });
});

const off = fakeSource('stripe', { verifier: undefined });
const stripeSecret = { error: 'external_service_error', details: { service: 'Stripe' } };
const noSignature = { 'stripe-signature': undefined };

describe('what is not let in', () => {
  interface Row {
    readonly name: string;
    readonly path?: string;
    readonly init?: RequestInit;
    readonly sources?: Parameters<typeof fakeServer>[0];
    readonly status: number;
    readonly body: object;
  }
  const code = (error: string) => ({ error, details: {} });
  const type = (contentType: string | undefined) =>
    signed('stripe', '{}', { 'content-type': contentType });
  const encoded = (encoding: string) => signed('stripe', '{}', { 'content-encoding': encoding });
  const rows: Row[] = [
    {
      name: 'no signature at /v1',
      init: signed('stripe', '{}', noSignature),
      status: 400,
      body: code('SIGNATURE_MISSING'),
    },
    {
      name: 'no signature at a source',
      path: '/webhooks/stripe',
      init: signed('stripe', '{}', noSignature),
      status: 400,
      body: code('SIGNATURE_MISSING'),
    },
    {
      name: 'the signature of another provider at a source',
      path: '/webhooks/stripe',
      init: signed('paddle'),
      status: 400,
      body: code('SIGNATURE_MISSING'),
    },
    {
      name: 'two signatures at /v1',
      init: signed('stripe', '{}', { 'paddle-signature': 'good' }),
      status: 400,
      body: code('SIGNATURE_MALFORMED'),
    },
    {
      name: 'an empty signature',
      init: signed('stripe', '{}', { 'stripe-signature': '' }),
      status: 400,
      body: code('SIGNATURE_MISMATCH'),
    },
    {
      name: 'a wrong signature',
      init: signed('stripe', '{}', { 'stripe-signature': 'bad' }),
      status: 400,
      body: code('SIGNATURE_MISMATCH'),
    },
    {
      name: 'a wrong signature over what is no JSON',
      init: signed('stripe', '{"ids', { 'stripe-signature': 'bad' }),
      status: 400,
      body: code('SIGNATURE_MISMATCH'),
    },
    {
      name: 'a good signature over what is no JSON',
      init: signed('stripe', '{"ids'),
      status: 400,
      body: code('BODY_MALFORMED'),
    },
    {
      name: 'a good signature over nothing',
      init: signed('stripe', ''),
      status: 400,
      body: code('BODY_MALFORMED'),
    },
    {
      name: 'a provider without secret at /v1',
      sources: { sources: [off] },
      status: 503,
      body: stripeSecret,
    },
    {
      name: 'a provider without secret at its source',
      path: '/webhooks/stripe',
      sources: { sources: [off] },
      status: 503,
      body: stripeSecret,
    },
    {
      name: 'a provider without secret and without signature',
      path: '/webhooks/stripe',
      init: signed('stripe', '{}', noSignature),
      sources: { sources: [off] },
      status: 503,
      body: stripeSecret,
    },
    {
      name: 'a provider without rule file at /v1',
      sources: { sources: [] },
      status: 503,
      body: stripeSecret,
    },
    {
      name: 'an unknown source',
      path: '/webhooks/stripe-eu',
      status: 404,
      body: code('SOURCE_UNKNOWN'),
    },
    { name: 'no source', path: '/webhooks', status: 404, body: code('PATH_UNKNOWN') },
    {
      name: 'a path that names no source',
      path: '/webhooks/toString',
      status: 404,
      body: code('SOURCE_UNKNOWN'),
    },
    {
      name: 'a path that cannot be decoded',
      path: '/webhooks/%zz',
      status: 404,
      body: code('SOURCE_UNKNOWN'),
    },
    { name: 'an unknown path', path: '/v2', status: 404, body: code('PATH_UNKNOWN') },
    {
      name: 'the admin API, not built',
      path: '/admin/events',
      status: 404,
      body: code('PATH_UNKNOWN'),
    },
    {
      name: 'the metrics, not built',
      path: '/metrics',
      init: {},
      status: 404,
      body: code('PATH_UNKNOWN'),
    },
    { name: 'the start page', path: '/', init: {}, status: 404, body: code('PATH_UNKNOWN') },
    {
      name: 'no content type',
      init: signed('stripe', '{}', { 'content-type': '' }),
      status: 415,
      body: code('BODY_NOT_JSON'),
    },
    {
      name: 'a form',
      init: type('application/x-www-form-urlencoded'),
      status: 415,
      body: code('BODY_NOT_JSON'),
    },
    { name: 'plain text', init: type('text/plain'), status: 415, body: code('BODY_NOT_JSON') },
    {
      name: 'JSON lines',
      init: type('application/jsonl'),
      status: 415,
      body: code('BODY_NOT_JSON'),
    },
    {
      name: 'JSON only in a parameter',
      init: type('text/plain; a=application/json'),
      status: 415,
      body: code('BODY_NOT_JSON'),
    },
    { name: 'a compressed body', init: encoded('gzip'), status: 415, body: code('BODY_NOT_JSON') },
    {
      name: 'a body compressed twice',
      init: encoded('identity, br'),
      status: 415,
      body: code('BODY_NOT_JSON'),
    },
  ];
  for (const { name, path = '/v1', init = signed(), sources, status, body } of rows) {
    it(`${name}: ${status}`, async () => {
      const { app, received } = fakeServer(sources);
      const response = await app.request(path, init);
      const answered = await jsonOf(response);
      expect({ status: response.status, answered }).toMatchObject({ status, answered: body });
      expect(answered['message']).toMatch(/^[A-Z].+\.$/);
      expect(Object.keys(answered)).toEqual(['message', 'error', 'details']);
      expect(received).toEqual([]);
    });
  }

  it('says which three headers were looked for', async () => {
    const response = await fakeServer().app.request('/v1', signed('stripe', '{}', noSignature));
    const { message } = await jsonOf(response);
    for (const { signatureHeader } of Object.values(PROVIDER_FACTS))
      expect(message).toContain(signatureHeader);
  });

  it('a request without any content type: 415', async () => {
    const init = signed('stripe', '{}', { 'content-type': undefined });
    // A text body would be given a content type by fetch itself; bytes are not.
    const response = await fakeServer().app.request('/v1', {
      ...init,
      body: new Uint8Array([123, 125]),
    });
    expect(response.status).toBe(415);
  });
});

describe('content types that are JSON', () => {
  for (const contentType of [
    'application/json',
    'application/json; charset=UTF-8',
    'Application/JSON;charset=utf-8',
    'application/cloudevents+json',
    ' application/json ',
  ]) {
    it(contentType, async () => {
      const init = signed('stripe', undefined, { 'content-type': contentType });
      expect((await fakeServer().app.request('/v1', init)).status).toBe(200);
    });
  }
  it('with content-encoding identity', async () => {
    const init = signed('stripe', undefined, { 'content-encoding': 'Identity' });
    expect((await fakeServer().app.request('/v1', init)).status).toBe(200);
  });
});

describe('only POST', () => {
  for (const path of ['/v1', '/webhooks/stripe', '/hooks/shop']) {
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      it(`${method} ${path} is answered 405 with Allow`, async () => {
        const { app } = fakeServer({ sources: [fakeSource('stripe', { path: '/hooks/shop' })] });
        const response = await app.request(path, { method });
        expect(response.status).toBe(405);
        expect(response.headers.get('allow')).toBe('POST');
        if (method !== 'HEAD')
          expect(await jsonOf(response)).toMatchObject({ error: 'METHOD_NOT_ALLOWED' });
      });
    }
  }
});

describe('a named source', () => {
  const eu = fakeSource('stripe-eu', { path: '/hooks/eu', answer: { received: true } });
  for (const path of ['/webhooks/stripe-eu', '/webhooks/stripe%2Deu', '/hooks/eu']) {
    it(`is reached at ${path}`, async () => {
      const { app, received } = fakeServer({ sources: [fakeSource('stripe'), eu] });
      const response = await app.request(path, signed());
      expect(response.status).toBe(200);
      expect(await jsonOf(response)).toEqual({ received: true });
      expect(received).toMatchObject([{ source: 'stripe-eu' }]);
    });
  }

  it('may claim an address below /webhooks', async () => {
    const source = fakeSource('stripe', { path: '/webhooks/shop' });
    const { app, received } = fakeServer({ sources: [source] });
    expect((await app.request('/webhooks/shop', signed())).status).toBe(200);
    expect(received).toHaveLength(1);
  });

  it('cannot take the address of another, nor a fixed one', async () => {
    const thief = fakeSource('thief', { provider: 'paddle', path: '/webhooks/stripe' });
    const second = fakeSource('second', { provider: 'paddle', path: '/healthz' });
    const { app, received } = fakeServer({ sources: [thief, second, fakeSource('stripe')] });
    expect((await app.request('/webhooks/stripe', signed())).status).toBe(200);
    expect(received).toMatchObject([{ source: 'stripe' }]);
    expect(await jsonOf(await app.request('/healthz'))).toEqual({ status: 'ok' });
  });
});

describe('a verified delivery', () => {
  const batch = JSON.stringify({ ids: ['a', 'b', 'c'] });

  it('of several events, one of which failed, is answered 202 with the ids of the others', async () => {
    const { app } = fakeServer({
      receive: async () => [
        done('a'),
        { eventId: 'b', status: 'failed', message: 'no email' },
        { eventId: 'c', status: 'ignored', message: 'not ours' },
      ],
    });
    const response = await app.request('/v1', signed('fastspring', batch));
    expect(response.status).toBe(202);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe('a\nc');
  });

  it('on memory: is 503 as long as it is not done', async () => {
    const { app } = fakeServer({
      journalKeepsState: false,
      receive: async () => [{ eventId: 'evt_1', status: 'queued', message: 'in a moment' }],
    });
    const response = await app.request('/v1', signed());
    expect(response.status).toBe(503);
    expect(await jsonOf(response)).toMatchObject({ error: 'NOT_FINISHED' });
  });

  it('with an event that nobody tells the outcome of is not acknowledged', async () => {
    const { app } = fakeServer({ receive: async () => [done('a'), done('c')] });
    const response = await app.request('/v1', signed('fastspring', batch));
    expect(response.status).toBe(503);
    expect(await jsonOf(response)).toMatchObject({ error: 'INTERNAL' });
  });

  const broken: [string, () => never, string][] = [
    [
      'the journal is away',
      () => {
        throw new AppError('JOURNAL_UNAVAILABLE', 'the disk is full');
      },
      'JOURNAL_UNAVAILABLE',
    ],
    [
      'another code is thrown',
      () => {
        throw new AppError('FIELD_MISSING', 'hunter2');
      },
      'INTERNAL',
    ],
    [
      'anything is thrown',
      () => {
        throw new TypeError('hunter2 is undefined');
      },
      'INTERNAL',
    ],
    [
      'no Error is thrown',
      () => {
        throw 'hunter2';
      },
      'INTERNAL',
    ],
  ];
  for (const [name, receive, code] of broken) {
    it(`is 503 ${code} when ${name}, and the log tells of it`, async () => {
      const { app, lines } = fakeServer({ receive: async () => receive() });
      const response = await app.request('/v1', signed());
      const text = await response.text();
      expect(response.status).toBe(503);
      expect(JSON.parse(text)).toMatchObject({ error: code });
      expect(text).not.toContain('hunter2');
      expect(lines).toContainEqual(
        expect.objectContaining({ level: 'error', message: 'a delivery broke' }),
      );
    });
  }
});

describe('a verifier that breaks', () => {
  it('is 503 INTERNAL, and neither answer nor log repeat what it said', async () => {
    const verify = () => Promise.reject(new SyntaxError('Unexpected token in "hunter2"'));
    const { app, lines } = fakeServer({
      sources: [fakeSource('stripe', { verifier: { verify } })],
    });
    const response = await app.request('/v1', signed());
    const text = await response.text();
    expect(response.status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ error: 'INTERNAL' });
    expect(text + JSON.stringify(lines)).not.toContain('hunter2');
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', fault: 'SyntaxError' }));
  });
});

describe('health', () => {
  it('GET /healthz is 200 while the process lives', async () => {
    const response = await fakeServer().app.request('/healthz');
    expect([response.status, await jsonOf(response)]).toEqual([200, { status: 'ok' }]);
  });

  const concern = { code: 'CRYPTLEX_UNAVAILABLE', message: 'it does not answer' };
  const rows: [string, boolean, number][] = [
    ['ready, with a concern', true, 200],
    ['not ready', false, 503],
  ];
  for (const [name, ready, status] of rows) {
    it(`GET /readyz is ${status} when ${name}`, async () => {
      const readiness = async () => ({ ready, concerns: [concern], details: { rules: 'abc' } });
      const response = await fakeServer({ readiness }).app.request('/readyz');
      expect(response.status).toBe(status);
      const expected = { status: ready ? 'ready' : 'not ready', concerns: [concern], rules: 'abc' };
      expect(await jsonOf(response)).toEqual(expected);
    });
  }

  it('GET /readyz is 503 INTERNAL when readiness itself breaks', async () => {
    const readiness = () => Promise.reject(new Error('hunter2'));
    const response = await fakeServer({ readiness }).app.request('/readyz');
    const { title, hint } = ERRORS.INTERNAL;
    const body = { message: `${title}. ${hint}`, error: 'INTERNAL', details: {} };
    expect([response.status, await jsonOf(response)]).toEqual([503, body]);
  });

  for (const path of ['/healthz', '/readyz']) {
    it(`HEAD ${path} is 200 without a body`, async () => {
      const response = await fakeServer().app.request(path, { method: 'HEAD' });
      expect([response.status, await response.text()]).toEqual([200, '']);
    });
    it(`POST ${path} is 405`, async () => {
      const response = await fakeServer().app.request(path, signed());
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    });
  }
});

describe('every answer', () => {
  for (const [path, init] of [
    ['/v1', signed()],
    ['/v1', {}],
    ['/nowhere', {}],
    ['/healthz', {}],
  ] as const) {
    it(`${init.method ?? 'GET'} ${path} is not cached and tells nothing of the software`, async () => {
      const { headers } = await fakeServer().app.request(path, init);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect([headers.get('x-powered-by'), headers.get('server')]).toEqual([null, null]);
    });
  }
});

describe('the log', () => {
  const provider: Provider = 'fastspring';

  it('has one line for a delivery, with what happened to each event', async () => {
    const { app, lines } = fakeServer({
      receive: async () => [
        done('a'),
        { eventId: 'b', status: 'unmatched', rejected: true, message: 'no rule' },
      ],
      clock: { nowMs: ticking(250), sleep: async () => true },
    });
    await app.request('/v1', signed(provider, '{"ids":["a","b"]}'));
    expect(lines).toEqual([
      {
        level: 'warn',
        time: expect.any(String),
        message: 'delivery answered',
        source: 'fastspring',
        provider: 'fastspring',
        eventIds: ['a', 'b'],
        types: ['some.type', 'some.type'],
        statuses: ['done', 'unmatched'],
        httpStatus: 202,
        durationMs: 250,
        bytes: 17,
        codes: ['EVENT_UNMATCHED'],
      },
    ]);
  });

  it('has code, source and size of a refused delivery, and nothing of its content', async () => {
    const { app, lines } = fakeServer();
    const init = signed(provider, '{"name":"hunter2"}', { 'x-fs-signature': 'hunter2hunter2' });
    await app.request('/webhooks/fastspring', init);
    expect(lines).toEqual([
      {
        level: 'warn',
        time: expect.any(String),
        message: 'delivery refused',
        source: 'fastspring',
        codes: ['SIGNATURE_MISMATCH'],
        bytes: 18,
        httpStatus: 400,
        durationMs: expect.any(Number),
      },
    ]);
  });

  it('warns of a signed delivery at a wrong address, and keeps quiet about scanners', async () => {
    const { app, lines } = fakeServer();
    await app.request('/webhook/stripe', signed());
    await app.request('/wp-login.php');
    expect(lines).toMatchObject([
      { level: 'warn', path: '/webhook/stripe', httpStatus: 404 },
      { level: 'debug', path: '/wp-login.php', httpStatus: 404 },
    ]);
  });
});

/** A clock that is `stepMs` further on at each look. */
function ticking(stepMs: number): () => number {
  let nowMs = 1_000_000;
  return () => {
    nowMs += stepMs;
    return nowMs - stepMs;
  };
}
