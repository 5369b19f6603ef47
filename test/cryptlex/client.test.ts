// What a caller of the client gets when Cryptlex works: the right requests on the wire, and only the
// objects that were asked for.

import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/core/error-codes.ts';
import { Secret } from '../../src/core/secret.ts';
import type { CryptlexClient } from '../../src/cryptlex/client.ts';
import { createCryptlexClient } from '../../src/cryptlex/client.ts';
import type { LicenseFilter, UserFilter } from '../../src/cryptlex/filters.ts';
import { NO_PROXIES } from '../../src/http/proxies.ts';
import { createTransport } from '../../src/http/transport.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { license, queryOf, TOKEN, user, widePace, withClient } from './fixture.ts';
import { json, noBody, raw, status } from './scripted-server.ts';

const NEW_USER = { firstName: 'Ada', email: 'ada@example.com', password: 'correct-horse-battery' };

type Run = (client: CryptlexClient) => Promise<unknown>;

describe('each method sends its one request, with the token', () => {
  const cases: [name: string, run: Run, line: string, body: unknown, answer: unknown][] = [
    ['getUser', (c) => c.getUser('u 1'), 'GET /v3/users/u%201', undefined, user('u 1')],
    ['createUser', (c) => c.createUser(NEW_USER), 'POST /v3/users', NEW_USER, user('u')],
    [
      'updateUser',
      (c) => c.updateUser('u', { lastName: 'L' }),
      'PATCH /v3/users/u',
      { lastName: 'L' },
      user('u'),
    ],
    ['getLicense', (c) => c.getLicense('l'), 'GET /v3/licenses/l', undefined, license('l')],
    [
      'createLicense',
      (c) => c.createLicense({ productId: 'p', subscriptionInterval: '' }),
      'POST /v3/licenses',
      { productId: 'p', subscriptionInterval: '' },
      license('l'),
    ],
    [
      'updateLicense',
      (c) => c.updateLicense('l', { suspended: true }),
      'PATCH /v3/licenses/l',
      { suspended: true },
      license('l'),
    ],
    [
      'renewLicense',
      (c) => c.renewLicense('l'),
      'POST /v3/licenses/l/renew',
      undefined,
      license('l'),
    ],
    [
      'setLicenseExpiry',
      (c) => c.setLicenseExpiry('l', '2026-05-01T00:00:00Z'),
      'PATCH /v3/licenses/l/expires-at',
      { expiresAt: '2026-05-01T00:00:00Z' },
      license('l'),
    ],
    [
      'getLicenseTemplate',
      (c) => c.getLicenseTemplate('t'),
      'GET /v3/license-templates/t',
      undefined,
      { id: 't', name: 'Yearly' },
    ],
  ];
  for (const [name, run, line, body, answer] of cases) {
    it(name, () =>
      withClient([json(line.startsWith('POST') ? 201 : 200, answer)], async ({ client, seen }) => {
        expect(await run(client)).toEqual(answer);
        expect(seen.map((r) => `${r.method} ${r.url}`)).toEqual([line]);
        expect(seen[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
        expect(seen[0]?.body).toBe(body === undefined ? '' : JSON.stringify(body));
      }),
    );
  }
  it('deleteLicense', () =>
    withClient([noBody(204)], async ({ client, seen }) => {
      expect(await client.deleteLicense('l')).toBe('deleted');
      expect(`${seen[0]?.method} ${seen[0]?.url}`).toBe('DELETE /v3/licenses/l');
    }));
  it('an answer without content-length (chunked) is read as well', () =>
    withClient(
      [(response) => response.writeHead(200).end(JSON.stringify(license('l')))],
      async ({ client }) => expect(await client.getLicense('l')).toEqual(license('l')),
    ));
});

describe('what is not there', () => {
  const cases: [name: string, run: Run, expected: unknown][] = [
    ['a user', (c) => c.getUser('u'), undefined],
    ['a license', (c) => c.getLicense('l'), undefined],
    ['a license to delete', (c) => c.deleteLicense('l'), 'gone'],
  ];
  for (const [name, run, expected] of cases) {
    it(`${name}: 404 is an answer, with a body or without`, () =>
      withClient([status(404), raw(404, '')], async ({ client, seen }) => {
        expect(await run(client)).toBe(expected);
        expect(await run(client)).toBe(expected);
        expect(seen.length).toBe(2);
      }));
  }
});

describe('a token that no header can hold is refused at once, unseen', () => {
  for (const token of ['', '  ', 'two words', 'line\nbreak', 'tökén-with-umlauts']) {
    it(JSON.stringify(token), () => {
      const clock = new VirtualClock();
      const make = () =>
        createCryptlexClient({
          baseUrl: 'https://cryptlex.example.com',
          token: new Secret(token),
          pace: widePace(clock),
          clock,
          transport: createTransport(NO_PROXIES),
        });
      expect(make).toThrow(expect.objectContaining({ code: 'CRYPTLEX_TOKEN' }));
      if (token.trim() !== '') expect(make).not.toThrow(token);
    });
  }
});

describe('searching licenses', () => {
  it('sends the criteria with the operator eq, limit 100, and only the first metadata pair', () =>
    withClient([json(200, [])], async ({ client, seen }) => {
      await client.findLicenses({
        metadata: { 'sub scription': 'a+b & ü=1', order: 'o-1' },
        productId: 'p',
        userId: 'u',
        suspended: false,
        key: 'K',
      });
      expect(queryOf(seen[0])).toEqual({
        'metadata.key[eq]': 'sub scription',
        'metadata.value[eq]': 'a+b & ü=1',
        'productId[eq]': 'p',
        userId: 'u',
        suspended: 'false',
        'key[eq]': 'K',
        page: '1',
        limit: '100',
      });
    }));

  const pages = (...sizes: number[]) => {
    let made = 0;
    return sizes.map((size) =>
      json(
        200,
        Array.from({ length: size }, () => license(`l${made++}`)),
      ),
    );
  };
  for (const [name, sizes, total] of [
    ['nothing', [0], 0],
    ['99, one page', [99], 99],
    ['exactly 100, then an empty page', [100, 0], 100],
    ['100, 100 and 3', [100, 100, 3], 203],
  ] as const) {
    it(`reads the list to its end: ${name}`, () =>
      withClient(pages(...sizes), async ({ client, seen }) => {
        const found = await client.findLicenses({ metadata: { order: 'o-1' } });
        expect(found.map(({ id }) => id)).toEqual(Array.from({ length: total }, (_, i) => `l${i}`));
        expect(seen.map((r) => queryOf(r)['page'])).toEqual(sizes.map((_, i) => `${i + 1}`));
      }));
  }
  it('gives a license that moved between two pages once, as seen last', () => {
    const first = Array.from({ length: 100 }, (_, i) => license(`l${i}`));
    const second = [license('l99', { notes: 'later' }), license('l100')];
    return withClient([json(200, first), json(200, second)], async ({ client }) => {
      const found = await client.findLicenses({ productId: 'product-1' });
      expect(found.length).toBe(101);
      expect(found[99]?.notes).toBe('later');
    });
  });
  it('fails when the server repeats its first page for ever', () => {
    const page = json(
      200,
      Array.from({ length: 100 }, (_, i) => license(`l${i}`)),
    );
    return withClient([page, page, page], async ({ client, seen }) => {
      await expect(client.findLicenses({ productId: 'product-1' })).rejects.toMatchObject({
        code: 'CRYPTLEX_NONSENSE',
      });
      expect(seen.length).toBe(2);
    });
  });

  const order = { metadata: { order: 'o-1' } };
  const entry = (key: string, value: string) => ({ id: 'm', key, value });
  const strangers: [name: string, filter: LicenseFilter, members: Record<string, unknown>][] = [
    ['no metadata', order, { metadata: [] }],
    ['metadata null', order, { metadata: null }],
    ['another value', order, { metadata: [entry('order', 'o-2')] }],
    ['a value in other case', order, { metadata: [entry('order', 'O-1')] }],
    ['a value with a space', order, { metadata: [entry('order', 'o-1 ')] }],
    ['a longer value', order, { metadata: [entry('order', 'o-11')] }],
    ['a key in other case', order, { metadata: [entry('Order', 'o-1')] }],
    [
      'key and value in two entries',
      order,
      { metadata: [entry('order', 'o-2'), entry('ref', 'o-1')] },
    ],
    ['the second pair differs', { metadata: { order: 'o-1', unit: '2' } }, {}],
    ['another product', { productId: 'product-2' }, {}],
    ['another key', { key: 'key-s' }, {}],
    ['another user', { userId: 'user-2' }, {}],
    ['only an additional user', { userId: 'user-2' }, { additionalUserIds: ['user-2'] }],
    ['no user', { userId: 'user-1' }, { user: null }],
    ['not suspended', { suspended: true }, {}],
    ['suspended', { ...order, suspended: false }, { suspended: true }],
  ];
  for (const [name, filter, members] of strangers) {
    it(`drops a stranger's license: ${name}`, () =>
      withClient([json(200, [license('s', members)])], async ({ client }) => {
        expect(await client.findLicenses(filter)).toEqual([]);
      }));
  }
  it('refuses a license whose metadata is asked about and left out: nobody can say whose it is', () =>
    withClient([json(200, [license('s', { metadata: undefined })])], async ({ client }) => {
      await expect(client.findLicenses(order)).rejects.toMatchObject({ code: 'CRYPTLEX_NONSENSE' });
    }));
  const own: [name: string, filter: LicenseFilter, members: Record<string, unknown>][] = [
    [
      'by metadata among other entries',
      order,
      { metadata: [entry('x', ''), entry('order', 'o-1')] },
    ],
    ['by everything', { ...order, productId: 'product-1', userId: 'user-1', key: 'KEY-l' }, {}],
    ['by the user id beside no user object', { userId: 'u9' }, { user: null, userId: 'u9' }],
    ['by suspension', { suspended: true }, { suspended: true }],
  ];
  for (const [name, filter, members] of own) {
    it(`keeps the wanted license ${name}`, () =>
      withClient(
        [json(200, [license('s', { key: 'x' }), license('l', members)])],
        async (scene) => {
          const found = await scene.client.findLicenses(filter);
          expect(found.map(({ id }) => id)).toContain('l');
        },
      ));
  }
});

describe('a search or call that would reach strangers is never sent', () => {
  const metadata = (value: unknown) => ({ metadata: value }) as LicenseFilter & UserFilter;
  const cases: [name: string, run: Run][] = [
    ['no criterion', (c) => c.findLicenses({})],
    ['metadata without entries', (c) => c.findLicenses({ metadata: {} })],
    [
      'metadata without entries beside a product',
      (c) => c.findLicenses({ productId: 'p', metadata: {} }),
    ],
    ['an empty metadata value', (c) => c.findLicenses({ metadata: { order: '' } })],
    ['a blank metadata value', (c) => c.findLicenses({ metadata: { order: ' \t' } })],
    ['an empty second value', (c) => c.findLicenses({ metadata: { order: 'o', unit: '' } })],
    ['an empty metadata key', (c) => c.findLicenses({ metadata: { '': 'o' } })],
    ['a missing metadata value', (c) => c.findLicenses(metadata({ order: undefined }))],
    ['a metadata value that is no text', (c) => c.findLicenses(metadata({ order: 1 }))],
    ['metadata undefined', (c) => c.findLicenses(metadata(undefined))],
    ['metadata null', (c) => c.findLicenses(metadata(null))],
    ['an empty product', (c) => c.findLicenses({ metadata: { order: 'o' }, productId: '' })],
    ['an empty user', (c) => c.findLicenses({ metadata: { order: 'o' }, userId: ' ' })],
    ['an empty key', (c) => c.findLicenses({ key: '' })],
    [
      'suspended undefined',
      (c) => c.findLicenses({ suspended: undefined } as unknown as LicenseFilter),
    ],
    ['an unknown criterion', (c) => c.findLicenses({ order: 'o' } as LicenseFilter)],
    ['an empty e-mail', (c) => c.findUsers({ email: '' })],
    ['a blank e-mail', (c) => c.findUsers({ email: '  ' })],
    ['a missing e-mail', (c) => c.findUsers({ email: undefined } as unknown as UserFilter)],
    ['empty user metadata', (c) => c.findUsers({ metadata: {} })],
    ['an empty user metadata value', (c) => c.findUsers({ metadata: { customer: '' } })],
    ['the license "" to delete', (c) => c.deleteLicense('')],
    ['the license " " to delete', (c) => c.deleteLicense(' ')],
    ['the license ".." to delete', (c) => c.deleteLicense('..')],
    ['the license "." to change', (c) => c.updateLicense('.', { suspended: true })],
    ['the user "" to read', (c) => c.getUser('')],
  ];
  for (const [name, run] of cases) {
    it(name, () =>
      withClient([json(200, [license('s')])], async ({ client, seen }) => {
        const error = await run(client).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(AppError);
        expect(error).toMatchObject({ code: 'FILTER_EMPTY' });
        expect(seen).toEqual([]);
      }),
    );
  }
});

describe('searching users', () => {
  const searches: [
    name: string,
    email: string,
    answers: object[][],
    asked: string[],
    ids: string[],
  ][] = [
    ['as given', 'a@example.com', [[user('u')]], ['a@example.com'], ['u']],
    ['trimmed', ' a@example.com\n', [[user('u')]], ['a@example.com'], ['u']],
    ['nobody', 'a@example.com', [[]], ['a@example.com'], []],
    ['capitals, found as given', 'A@Example.com', [[user('u')]], ['A@Example.com'], ['u']],
    [
      'capitals, found in lower case',
      'A@Example.com',
      [[], [user('u')]],
      ['A@Example.com', 'a@example.com'],
      ['u'],
    ],
    [
      'strangers are dropped and do not end the search',
      'A@Example.com',
      [
        [user('x', { email: 'b@example.com' })],
        [user('u'), user('y', { email: 'aa@example.com' })],
      ],
      ['A@Example.com', 'a@example.com'],
      ['u'],
    ],
    [
      'stored with capitals',
      'a@example.com',
      [[user('u', { email: 'A@EXAMPLE.com' })]],
      ['a@example.com'],
      ['u'],
    ],
    [
      'plus and non-ASCII survive the query string',
      'jörg+büro&x=1@exämple.de',
      [[user('u', { email: 'jörg+büro&x=1@exämple.de' })]],
      ['jörg+büro&x=1@exämple.de'],
      ['u'],
    ],
  ];
  for (const [name, email, answers, asked, ids] of searches) {
    it(`by e-mail: ${name}`, () =>
      withClient(
        answers.map((list) => json(200, list)),
        async ({ client, seen }) => {
          const found = await client.findUsers({ email });
          expect(found.map(({ id }) => id)).toEqual(ids);
          expect(seen.map((request) => queryOf(request))).toEqual(
            asked.map((eq) => ({ 'email[eq]': eq, page: '1', limit: '100' })),
          );
        },
      ));
  }
  it('never sends a bare plus, which a server would read as a space', () =>
    withClient([json(200, [])], async ({ client, seen }) => {
      await client.findUsers({ email: 'a+b@example.com' });
      expect(seen[0]?.url).toContain('a%2Bb%40example.com');
    }));
  it('by metadata: exact text in one entry', () => {
    const entry = (value: string) => ({ metadata: [{ id: 'm', key: 'customer', value }] });
    const list = [user('x', entry('CUS_1')), user('u', entry('cus_1')), user('y')];
    return withClient([json(200, list)], async ({ client, seen }) => {
      const found = await client.findUsers({ metadata: { customer: 'cus_1' } });
      expect(found.map(({ id }) => id)).toEqual(['u']);
      expect(queryOf(seen[0])).toMatchObject({
        'metadata.key[eq]': 'customer',
        'metadata.value[eq]': 'cus_1',
      });
    });
  });
});

describe('what a listener hears of each attempt', () => {
  it('holds request and answer, but neither token nor password', () =>
    withClient([json(201, user('u')), json(200, [])], async ({ client, calls }) => {
      await client.createUser(NEW_USER);
      await client.findLicenses({ metadata: { order: 'o-1' } });
      expect(calls).toEqual([
        {
          method: 'POST',
          route: '/v3/users',
          path: '/v3/users',
          query: {},
          body: { ...NEW_USER, password: '<secret>' },
          status: 201,
          durationMs: 0,
        },
        {
          method: 'GET',
          route: '/v3/licenses',
          path: '/v3/licenses',
          query: {
            'metadata.key[eq]': 'order',
            'metadata.value[eq]': 'o-1',
            page: '1',
            limit: '100',
          },
          body: undefined,
          status: 200,
          durationMs: 0,
        },
      ]);
      expect(JSON.stringify(calls)).not.toContain(TOKEN);
    }));
  it('names the route beside the path, and the error with its status', () =>
    withClient([status(409)], async ({ client, calls }) => {
      await expect(client.renewLicense('l1')).rejects.toThrow();
      expect(calls[0]).toMatchObject({
        route: '/v3/licenses/{id}/renew',
        path: '/v3/licenses/l1/renew',
        status: 409,
        error: { code: 'CRYPTLEX_REFUSED' },
      });
    }));
  it('a listener that throws does not turn a write into a failure', () =>
    withClient(
      [json(201, license('l'))],
      async ({ client }) => {
        expect(await client.createLicense({ productId: 'p' })).toEqual(license('l'));
      },
      {
        onCall: () => {
          throw new Error('listener');
        },
      },
    ));
});
