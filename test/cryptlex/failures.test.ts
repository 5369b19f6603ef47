// What a caller of the client gets when Cryptlex, the network or a proxy fails: the code, whether the
// call may have taken effect, and how often it was sent.

import { getEventListeners } from 'node:events';
import { connect, createServer } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { AppErrorCode } from '../../src/core/error-codes.ts';
import type { CryptlexClient } from '../../src/cryptlex/client.ts';
import type { Effect } from '../../src/cryptlex/errors.ts';
import { errorOf, license, TOKEN, user, withClient } from './fixture.ts';
import {
  type Answer,
  hang,
  hangAfterHead,
  json,
  noBody,
  raw,
  reset,
  resetAfterHead,
  status,
} from './scripted-server.ts';

const read = (client: CryptlexClient) => client.getLicense('l');
const write = (client: CryptlexClient) => client.renewLicense('l');
const HTML = '<!DOCTYPE html><html><body>Maintenance</body></html>';
const HUGE = JSON.stringify(license('l', { note: 'x'.repeat(5 * 1024 * 1024) }));
const GZIP = { 'content-encoding': 'gzip' };
const TIMEOUT_MS = 60;

interface Verdict {
  readonly code: AppErrorCode;
  readonly effect: Effect;
  readonly sent: number;
}
const verdict = (code: AppErrorCode, effect: Effect, sent: number): Verdict => ({
  code,
  effect,
  sent,
});

const UNAVAILABLE_READ = verdict('CRYPTLEX_UNAVAILABLE', 'none', 3);
const NONSENSE_READ = verdict('CRYPTLEX_NONSENSE', 'none', 3);
const READ_BACK = verdict('CRYPTLEX_UNAVAILABLE', 'readBack', 1);
const UNCLEAR = verdict('CRYPTLEX_UNCLEAR', 'unclear', 1);
const NONSENSE_WRITE = verdict('CRYPTLEX_NONSENSE', 'readBack', 1);
const both = (code: AppErrorCode, sent = 1) => [
  verdict(code, 'none', sent),
  verdict(code, 'none', sent),
];

const table: [
  name: string,
  answer: Answer,
  read: Verdict | undefined,
  write: Verdict | undefined,
][] = [
  ['400', status(400), ...pair(both('CRYPTLEX_REFUSED'))],
  ['401 with an empty body', raw(401, ''), ...pair(both('CRYPTLEX_TOKEN'))],
  ['403', status(403), ...pair(both('CRYPTLEX_TOKEN'))],
  ['404 of something to change', status(404), undefined, verdict('CRYPTLEX_REFUSED', 'none', 1)],
  ['404 with a web page', raw(404, HTML), NONSENSE_READ, verdict('CRYPTLEX_NONSENSE', 'none', 1)],
  ['409', status(409), ...pair(both('CRYPTLEX_REFUSED'))],
  ['422', status(422), ...pair(both('CRYPTLEX_REFUSED'))],
  ['408', status(408), UNAVAILABLE_READ, UNCLEAR],
  ['429', raw(429, 'API calls quota exceeded!'), ...pair(both('CRYPTLEX_RATE_LIMITED', 3))],
  ['500 with content-length 0', raw(500, ''), UNAVAILABLE_READ, READ_BACK],
  ['500 without a body', noBody(500), UNAVAILABLE_READ, READ_BACK],
  ['500', status(500), UNAVAILABLE_READ, READ_BACK],
  ['500 whose body is cut off', resetAfterHead(500), UNAVAILABLE_READ, READ_BACK],
  ['501', status(501), UNAVAILABLE_READ, UNCLEAR],
  ['502', raw(502, HTML), UNAVAILABLE_READ, UNCLEAR],
  ['503 with a web page', raw(503, HTML), UNAVAILABLE_READ, READ_BACK],
  ['504', noBody(504), UNAVAILABLE_READ, UNCLEAR],
  ['524 of a CDN', raw(524, HTML), UNAVAILABLE_READ, UNCLEAR],
  [
    'a redirect',
    raw(302, '', { location: '/login' }),
    NONSENSE_READ,
    verdict('CRYPTLEX_NONSENSE', 'none', 1),
  ],
  ['a lost connection', reset, UNAVAILABLE_READ, UNCLEAR],
  ['a lost connection in mid-answer', resetAfterHead(200), UNAVAILABLE_READ, UNCLEAR],
  ['no answer in time', hang, UNAVAILABLE_READ, UNCLEAR],
  ['half an answer in time', hangAfterHead(200), UNAVAILABLE_READ, UNCLEAR],
  ['200 with a web page', raw(200, HTML), NONSENSE_READ, NONSENSE_WRITE],
  ['200 with broken JSON', raw(200, '{"id":"l"'), NONSENSE_READ, NONSENSE_WRITE],
  ['200 with content-length 0', raw(200, ''), NONSENSE_READ, NONSENSE_WRITE],
  ['204 where a license is due', noBody(204), NONSENSE_READ, NONSENSE_WRITE],
  ['200 with 5 MiB', raw(200, HUGE), NONSENSE_READ, NONSENSE_WRITE],
  ['400 with 5 MiB', raw(400, HUGE), NONSENSE_READ, verdict('CRYPTLEX_NONSENSE', 'none', 1)],
  ['404 with 5 MiB', raw(404, HUGE), NONSENSE_READ, verdict('CRYPTLEX_NONSENSE', 'none', 1)],
  ['500 with 5 MiB', raw(500, HUGE), UNAVAILABLE_READ, READ_BACK],
  ['200 that calls itself compressed', raw(200, 'x', GZIP), NONSENSE_READ, NONSENSE_WRITE],
  ['200 with {}', json(200, {}), NONSENSE_READ, NONSENSE_WRITE],
  ['200 with null', json(200, null), NONSENSE_READ, NONSENSE_WRITE],
  ['200 with a list', json(200, [license('l')]), NONSENSE_READ, NONSENSE_WRITE],
  ['200 with an empty id', json(200, license('')), NONSENSE_READ, NONSENSE_WRITE],
  ['200 without id', json(200, license('l', { id: undefined })), NONSENSE_READ, NONSENSE_WRITE],
  [
    '200 with "suspended": "no"',
    json(200, license('l', { suspended: 'no' })),
    NONSENSE_READ,
    NONSENSE_WRITE,
  ],
  [
    '200 with a number for expiresAt',
    json(200, license('l', { expiresAt: 1 })),
    NONSENSE_READ,
    NONSENSE_WRITE,
  ],
  [
    '200 with metadata of texts',
    json(200, license('l', { metadata: ['x'] })),
    NONSENSE_READ,
    NONSENSE_WRITE,
  ],
];

function pair(verdicts: Verdict[]): [Verdict | undefined, Verdict | undefined] {
  return [verdicts[0], verdicts[1]];
}

describe('each failure, for a read and for a write', () => {
  for (const [name, answer, ofRead, ofWrite] of table) {
    for (const [kind, run, expected] of [
      ['read', read, ofRead],
      ['write', write, ofWrite],
    ] as const) {
      if (expected === undefined) continue;
      it(`${name}: ${kind} → ${expected.code}, ${expected.effect}, sent ${expected.sent}×`, () =>
        withClient(
          Array.from({ length: 5 }, () => answer),
          async ({ client, seen, calls }) => {
            const error = await errorOf(run(client));
            const { code, effect } = error;
            expect({ code, effect, sent: calls.length }).toEqual(expected);
            // On a busy machine the time may be over before the server has read the request.
            if (!name.endsWith('in time')) expect(seen.length).toBe(expected.sent);
            expect(inspect([error, calls], { depth: 20 })).not.toContain(TOKEN);
          },
          // On a busy machine an answer that comes must not be taken for one that does not.
          { timeoutMs: name.endsWith('in time') ? TIMEOUT_MS : 20_000 },
        ));
    }
  }
  it('a list that is no list', () =>
    withClient(
      [json(200, { data: [] })],
      async ({ client }) => {
        expect((await errorOf(client.findLicenses({ key: 'K' }))).code).toBe('CRYPTLEX_NONSENSE');
      },
      { retryPausesMs: [] },
    ));
  it('a list with one object that is none', () =>
    withClient(
      [json(200, [license('l'), { key: 'K' }])],
      async ({ client }) => {
        const error = await errorOf(client.findLicenses({ key: 'K' }));
        expect(error.code).toBe('CRYPTLEX_NONSENSE');
        expect(error.message).toContain('item 2');
      },
      { retryPausesMs: [] },
    ));
  it('a user without an id', () =>
    withClient([json(201, { email: 'u' })], async ({ client }) => {
      const error = await errorOf(
        client.createUser({ firstName: 'A', email: 'a@example.com', password: 'p'.repeat(16) }),
      );
      expect(error).toMatchObject({ code: 'CRYPTLEX_NONSENSE', effect: 'readBack', status: 201 });
    }));
  it('a deletion answered with a web page is not done', () =>
    withClient([raw(200, HTML)], async ({ client }) => {
      const error = await errorOf(client.deleteLicense('l'));
      expect(error).toMatchObject({ code: 'CRYPTLEX_NONSENSE', effect: 'readBack' });
    }));
  it('a deletion answered 404 with a web page is not "gone"', () =>
    withClient([raw(404, HTML)], async ({ client }) => {
      const error = await errorOf(client.deleteLicense('l'));
      expect(error).toMatchObject({ code: 'CRYPTLEX_NONSENSE', effect: 'none' });
    }));
  it('a template that does not exist is an error', () =>
    withClient([status(404)], async ({ client }) => {
      expect((await errorOf(client.getLicenseTemplate('t'))).code).toBe('CRYPTLEX_REFUSED');
    }));
});

/** A port of 127.0.0.1 at which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 1;
}

describe('a call that never left', () => {
  it('a refused connection did nothing, so a write is repeated, too', async () => {
    const baseUrl = `http://127.0.0.1:${await closedPort()}`;
    await withClient(
      [],
      async ({ client, calls, clock }) => {
        const startMs = clock.nowMs();
        const error = await errorOf(write(client));
        expect(error).toMatchObject({
          code: 'CRYPTLEX_UNAVAILABLE',
          effect: 'none',
          status: undefined,
        });
        expect(error.message).toContain('ECONNREFUSED');
        expect(calls.length).toBe(3);
        expect(clock.nowMs() - startMs).toBe(200 + 600);
      },
      { baseUrl },
    );
  });
  it('a host that does not exist did nothing either', () =>
    withClient(
      [],
      async ({ client }) => {
        const error = await errorOf(write(client));
        expect(error).toMatchObject({ code: 'CRYPTLEX_UNAVAILABLE', effect: 'none' });
      },
      { baseUrl: 'http://cryptlex.invalid', retryPausesMs: [] },
    ));
  it('several addresses: one that lost its connection later makes it unclear', () => {
    const refused = Object.assign(new Error('a'), { code: 'ECONNREFUSED', syscall: 'connect' });
    const lost = Object.assign(new Error('b'), { code: 'ECONNRESET', syscall: 'read' });
    const failing = (errors: Error[]) => async () => {
      throw new TypeError('fetch failed', { cause: new AggregateError(errors) });
    };
    return withClient(
      [],
      async ({ client }) => {
        expect((await errorOf(write(client))).effect).toBe('unclear');
      },
      { transport: failing([refused, lost]) },
    ).then(() =>
      withClient(
        [],
        async ({ client }) => {
          expect((await errorOf(write(client))).effect).toBe('none');
        },
        { transport: failing([refused, refused]), retryPausesMs: [] },
      ),
    );
  });
});

describe('repetition at once', () => {
  it('a read comes through after two failures, with the pauses between', () =>
    withClient([raw(500, ''), reset, json(200, license('l'))], async ({ client, calls, clock }) => {
      const startMs = clock.nowMs();
      expect(await read(client)).toEqual(license('l'));
      expect(clock.nowMs() - startMs).toBe(200 + 600);
      expect(calls.map((call) => call.status)).toEqual([500, undefined, 200]);
    }));
  it('a write comes through after a 429', () =>
    withClient([raw(429, '', { 'retry-after': '2' }), json(200, license('l'))], async (scene) => {
      expect(await write(scene.client)).toEqual(license('l'));
      expect(scene.seen.length).toBe(2);
    }));
  it('jitter adds at most a quarter of the pause', () =>
    withClient(
      [status(500), status(500), json(200, license('l'))],
      async ({ client, clock }) => {
        const startMs = clock.nowMs();
        await read(client);
        expect(clock.nowMs() - startMs).toBe(249 + 749);
      },
      { random: () => 0.999 },
    ));
});

describe('Retry-After', () => {
  const dated = (retryAfter: string) => ({
    'retry-after': retryAfter,
    date: 'Thu, 01 Jan 2026 00:00:00 GMT',
  });
  const cases: [name: string, headers: Record<string, string>, waitedMs: number][] = [
    ['2 seconds', { 'retry-after': '2' }, 2000],
    ['5 seconds, the longest that is waited for', { 'retry-after': '5' }, 5000],
    ['0 seconds: the ordinary pause', { 'retry-after': '0' }, 200],
    ['absent: 1 second', {}, 1000],
    ['garbage: 1 second', { 'retry-after': 'soon' }, 1000],
    ['negative: 1 second', { 'retry-after': '-5' }, 1000],
    ['a date 3 s ahead of the server', dated('Thu, 01 Jan 2026 00:00:03 GMT'), 3000],
    ['a date in the past', dated('Wed, 31 Dec 2025 23:00:00 GMT'), 200],
  ];
  for (const [name, headers, waitedMs] of cases) {
    it(`${name}: waits ${waitedMs} ms`, () =>
      withClient(
        [
          raw(429, 'API calls quota exceeded!', { 'content-type': 'text/plain', ...headers }),
          json(200, license('l')),
        ],
        async ({ client, clock }) => {
          const startMs = clock.nowMs();
          await read(client);
          expect(clock.nowMs() - startMs).toBe(waitedMs);
        },
      ));
  }
  for (const [name, headers, retryAfterMs] of [
    ['6 seconds', { 'retry-after': '6' }, 6000],
    ['a date an hour ahead', dated('Thu, 01 Jan 2026 01:00:00 GMT'), 3_600_000],
  ] as const) {
    it(`${name}: is left to the caller`, () =>
      withClient([raw(429, '', headers)], async ({ client, seen, clock }) => {
        const startMs = clock.nowMs();
        const error = await errorOf(read(client));
        expect(error).toMatchObject({ code: 'CRYPTLEX_RATE_LIMITED', retryAfterMs });
        expect(seen.length).toBe(1);
        expect(clock.nowMs()).toBe(startMs);
      }));
  }
  it('absent: the caller is told 1 second, too', () =>
    withClient(
      [raw(429, '')],
      async ({ client }) => {
        expect((await errorOf(write(client))).retryAfterMs).toBe(1000);
      },
      { retryPausesMs: [] },
    ));
  it('of a 503 is honoured as well', () =>
    withClient([raw(503, HTML, { 'retry-after': '3' }), json(200, license('l'))], async (scene) => {
      const startMs = scene.clock.nowMs();
      await read(scene.client);
      expect(scene.clock.nowMs() - startMs).toBe(3000);
    }));
});

describe('the message of a refusal', () => {
  const cases: [name: string, body: string, expected: RegExp][] = [
    [
      'message',
      '{"message":"No such product.","code":"X","more":[1]}',
      /with 400: No such product\.$/,
    ],
    [
      'a list of errors',
      '{"message":"Bad.","errors":[{"message":"key: too short","field":"key"}]}',
      /Bad\.; key: too short$/,
    ],
    [
      'a map of errors',
      '{"title":"Invalid","errors":{"key":["is taken"],"x":["is odd"]}}',
      /Invalid; is taken; is odd$/,
    ],
    ['a list', '[{"message":"one"},{"message":"two"}]', /one; two$/],
    ['plain text', 'API calls quota exceeded!', /API calls quota exceeded!$/],
    ['a JSON text', '"quota"', /quota$/],
    ['a web page', HTML, /a web page$/],
    ['nothing', '', /was answered with 400$/],
    ['an empty object', '{}', /was answered with 400$/],
    ['null', 'null', /was answered with 400$/],
    ['a number for a message', '{"message":5}', /was answered with 400$/],
    ['broken JSON', '{"message":', /\{"message":$/],
    ['control characters', '{"message":"a\\u0000b\\nc\\u001b[31md"}', /: a b c \[31md$/],
    ['our own token', `{"message":"token ${TOKEN} is bad"}`, /token <secret> is bad$/],
  ];
  for (const [name, body, expected] of cases) {
    it(name, () =>
      withClient([raw(400, body)], async ({ client }) => {
        const error = await errorOf(write(client));
        expect(error.message).toMatch(expected);
        expect(error.message).not.toContain(TOKEN);
      }),
    );
  }
  for (const [length, kept] of [
    [300, 300],
    [301, 300],
    [100_000, 300],
  ] as const) {
    it(`of ${length} characters is cut to ${kept}`, () =>
      withClient([json(400, { message: 'é'.repeat(length) })], async ({ client }) => {
        const text = (await errorOf(write(client))).message.split('with 400: ')[1] ?? '';
        expect(text.length).toBe(kept);
        expect(text.endsWith('…')).toBe(length > 300);
      }));
  }
  it('never repeats a password', () =>
    withClient([json(400, { message: 'password hunter2-hunter2 is weak' })], async ({ client }) => {
      const error = await errorOf(
        client.createUser({ firstName: 'A', email: 'a@example.com', password: 'hunter2-hunter2' }),
      );
      expect(error.message).toContain('password <secret> is weak');
    }));
});

describe('a caller that gives up', () => {
  it('before the call: nothing is sent', () =>
    withClient([json(200, license('l'))], async ({ client, seen, calls }) => {
      const error = await errorOf(client.renewLicense('l', { signal: AbortSignal.abort() }));
      expect(error).toMatchObject({ code: 'CRYPTLEX_UNAVAILABLE', effect: 'none', aborted: true });
      expect(seen.length).toBe(0);
      expect(calls.length).toBe(0);
    }));
  for (const [name, run, code, effect] of [
    [
      'a read',
      (c: CryptlexClient, signal: AbortSignal) => c.getLicense('l', { signal }),
      'CRYPTLEX_UNAVAILABLE',
      'none',
    ],
    [
      'a write',
      (c: CryptlexClient, signal: AbortSignal) => c.renewLicense('l', { signal }),
      'CRYPTLEX_UNCLEAR',
      'unclear',
    ],
  ] as const) {
    it(`during ${name}: ${effect}, sent once`, () => {
      const giving = new AbortController();
      return withClient([() => giving.abort()], async ({ client, seen }) => {
        const error = await errorOf(run(client, giving.signal));
        expect(error).toMatchObject({ code, effect, aborted: true });
        expect(seen.length).toBe(1);
      });
    });
  }
  it('at the moment the pace lets the call go: nothing is sent', () => {
    const giving = new AbortController();
    const pace = {
      acquire: async () => {
        giving.abort();
        return { begin: () => true, release: () => {} };
      },
      observe: () => {},
    };
    return withClient(
      [json(200, license('l'))],
      async ({ client, seen }) => {
        const error = await errorOf(client.renewLicense('l', { signal: giving.signal }));
        expect(error).toMatchObject({ effect: 'none', aborted: true });
        expect(seen.length).toBe(0);
      },
      { pace },
    );
  });
  it('during a pause: the failure before it is told', () => {
    const giving = new AbortController();
    return withClient(
      [status(500), json(200, license('l'))],
      async ({ client, seen }) => {
        const error = await errorOf(client.getLicense('l', { signal: giving.signal }));
        expect(error).toMatchObject({ status: 500, aborted: false });
        expect(seen.length).toBe(1);
      },
      { onCall: () => giving.abort() },
    );
  });
  it('leaves nothing behind that would end a later call', () => {
    const signal = new AbortController().signal;
    return withClient([json(200, license('l')), json(200, user('u'))], async ({ client }) => {
      expect(await client.getLicense('l', { signal })).toBeDefined();
      expect(await client.getUser('u', { signal })).toBeDefined();
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });
  });
});

describe('the pace', () => {
  it('is taken and given back for each attempt, and hears of each answer', async () => {
    const heard: string[] = [];
    const pace = {
      acquire: async () => {
        heard.push('start');
        return { begin: () => true, release: () => heard.push('end') };
      },
      observe: (code: number) => heard.push(`${code}`),
    };
    await withClient(
      [status(500), reset, json(200, license('l'))],
      async ({ client }) => {
        await read(client);
        expect(heard).toEqual(['start', '500', 'end', 'start', 'end', 'start', '200', 'end']);
      },
      { pace },
    );
  });
  it('that fails by itself is not blamed on Cryptlex', () =>
    withClient(
      [],
      async ({ client }) => {
        await expect(read(client)).rejects.toThrow('the database is away');
      },
      {
        pace: {
          acquire: () => Promise.reject(new Error('the database is away')),
          observe: () => {},
        },
      },
    ));
});

describe('the helpers of these tests', () => {
  it('errorOf fails when there is no error', async () => {
    await expect(errorOf(Promise.resolve(1))).rejects.toThrow('no error');
  });
  it('a closed port is closed', async () => {
    const port = await closedPort();
    const error = await new Promise<NodeJS.ErrnoException>((resolve, reject) =>
      connect(port, '127.0.0.1')
        .on('connect', () => reject(new Error('it is open')))
        .on('error', resolve),
    );
    expect(error.code).toBe('ECONNREFUSED');
  });
});
