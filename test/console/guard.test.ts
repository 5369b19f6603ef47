// Who gets into the console, and what a browser is told not to do there. Over real HTTP, in front of the whole server.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newSqlite } from '../call-budget/support.ts';
import { type Keywright, startKeywright, withKeywright } from '../support/keywright.ts';
import { ADMIN_TOKEN, ask, cookieOf, type SignedIn, signedIn, signInWith } from './signed-in.ts';

let keywright: Keywright;
let user: SignedIn;
let eventPath: string;
beforeAll(async () => {
  keywright = await startKeywright({
    providers: ['stripe'],
    env: { ADMIN_TOKEN, DATABASE_URL: newSqlite() },
  });
  user = await signedIn(keywright.url);
  const { json } = await keywright.sendSample('stripe', 'customer.created');
  eventPath = `/console/events/${encodeURIComponent(`stripe:${String(json['eventId'])}`)}`;
});
afterAll(() => keywright.close());

const PATHS = [
  ...['/console', '/console/events', '/console/live', '/console/session', '/console/nothing'],
  ...[
    '/console/events/evt_1',
    '/console/events/evt_1/payload.json',
    '/console/events/evt_1/replay',
  ],
];

describe('without ADMIN_TOKEN', () => {
  test('there is nothing at these addresses', () =>
    withKeywright({ providers: ['stripe'] }, async ({ url }) => {
      for (const path of [...PATHS, '/console/sign-in']) {
        expect((await ask(`${url}${path}`)).status, path).toBe(404);
      }
      expect((await signInWith(url, { token: '' })).status).toBe(404);
    }));
});

describe('without a session', () => {
  test.each(PATHS)('%s asks for the token, and tells nothing', async (path) => {
    const { status, text } = await ask(`${keywright.url}${path}`);
    expect(status).toBe(401);
    expect(text).toContain('Admin token');
    expect(text).not.toMatch(/csrf|customer\.created|stripe/);
  });

  test('the admin token as a bearer opens no page: a page is for browsers', async () => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    expect((await ask(`${keywright.url}/console`, { headers })).status).toBe(401);
  });

  test('nothing is changed', async () => {
    const { status } = await ask(`${keywright.url}${eventPath}/replay`, {
      method: 'POST',
      body: new URLSearchParams({ mode: 'force' }),
    });
    expect(status).toBe(401);
    expect(await attemptsOf(eventPath)).toBe(1);
  });
});

describe('signing in', () => {
  test.each(['', 'x', ADMIN_TOKEN.slice(0, -1), `${ADMIN_TOKEN}x`, ADMIN_TOKEN.toUpperCase()])(
    'with the wrong token "%s" sets no cookie',
    async (token) => {
      const answer = await signInWith(keywright.url, { token });
      expect(answer.status).toBe(401);
      expect(cookieOf(answer)).toBe('');
      expect(answer.text).toContain('This is not the admin token.');
    },
  );

  test('sets a cookie that no script reads and no other site sends', async () => {
    const plain = await signInWith(keywright.url, { token: ADMIN_TOKEN });
    const cookie = plain.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; SameSite=Strict/);
    expect(cookie).toMatch(/; Path=\/console/);
    expect(cookie).not.toMatch(/; Secure/);
    expect(cookie).not.toContain(ADMIN_TOKEN);
    const behindTls = { 'x-forwarded-proto': 'https' };
    const secure = await signInWith(keywright.url, { token: ADMIN_TOKEN }, behindTls);
    expect(secure.headers.get('set-cookie')).toMatch(/; Secure/);
  });

  test.each([
    ['/console/events?q=a%40b.c&status=done', true],
    ['/console', true],
    ['https://elsewhere.example/console', false],
    ['//elsewhere.example/console', false],
    ['/console/../admin', true],
    ['/consoles', false],
    ['/console\\@elsewhere.example', false],
    ['/console/\r\nset-cookie: a=b', false],
    ['javascript:alert(1)', false],
  ])('leads to %s: %s', async (next, isFollowed) => {
    const { headers } = await signInWith(keywright.url, { token: ADMIN_TOKEN, next });
    expect(headers.get('location')).toBe(isFollowed ? next : '/console');
    expect(headers.get('set-cookie')).not.toContain('a=b');
  });

  test('from another site does nothing', async () => {
    const headers = { 'sec-fetch-site': 'cross-site' };
    const answer = await signInWith(keywright.url, { token: ADMIN_TOKEN }, headers);
    expect([answer.status, cookieOf(answer)]).toEqual([401, '']);
  });

  test('works on every replica, until the token is changed', () =>
    withKeywright({ providers: ['stripe'], env: { ADMIN_TOKEN } }, async ({ url }) => {
      const headers = { cookie: user.cookie };
      expect((await ask(`${url}/console`, { headers })).status).toBe(200);
      const env = { ADMIN_TOKEN: 'another-admin-token' };
      await withKeywright({ providers: ['stripe'], env }, async (changed) => {
        expect((await ask(`${changed.url}/console`, { headers })).status).toBe(401);
      });
    }));

  test('ends with signing out, which is a change as well', async () => {
    const guest = await signedIn(keywright.url);
    const stranger = { method: 'POST', headers: { cookie: guest.cookie } };
    expect((await ask(`${keywright.url}/console/sign-out`, stranger)).status).toBe(403);
    const out = await guest.post('/console/sign-out');
    expect(out.status).toBe(303);
    expect(out.headers.get('set-cookie')).toMatch(/^keywright_console=;.*Max-Age=0/);
  });
});

describe('a stolen cookie without the CSRF token', () => {
  test.each([
    ['no token', {}, {}],
    ['an empty token', { csrf: '' }, {}],
    ['a token of another session', { csrf: 'A'.repeat(43) }, {}],
    ['a wrong header', {}, { 'x-csrf-token': 'A'.repeat(43) }],
  ])('changes nothing: %s', async (_, fields, headers) => {
    const answer = await ask(`${keywright.url}${eventPath}/replay`, {
      method: 'POST',
      headers: { cookie: user.cookie, ...headers },
      body: new URLSearchParams({ mode: 'force', ...fields }),
    });
    expect(answer.status).toBe(403);
    expect(await attemptsOf(eventPath)).toBe(1);
  });

  test('nor with the token, where the browser says that another site sent it', async () => {
    for (const site of ['cross-site', 'same-site']) {
      const headers = { 'sec-fetch-site': site };
      const answer = await user.post(`${eventPath}/replay`, { mode: 'force' }, headers);
      expect(answer.status).toBe(403);
    }
    expect(await attemptsOf(eventPath)).toBe(1);
  });

  test('a replay is no link: asked for by GET it only shows what it would do', async () => {
    expect((await user.get(`${eventPath}/replay?mode=force`)).status).toBe(200);
    expect(await attemptsOf(eventPath)).toBe(1);
  });
});

describe('a link from elsewhere', () => {
  test('comes without the cookie, and is asked for once more from here', async () => {
    const headers = { 'sec-fetch-site': 'cross-site' };
    const { status, text } = await ask(`${keywright.url}/console/events?q="><b>`, { headers });
    expect(status).toBe(200);
    expect(text).toContain(
      '<meta http-equiv="refresh" content="0; url=/console/events?q=%22%3E%3Cb%3E">',
    );
  });
});

describe('every answer', () => {
  test('forbids what is not ours, and is kept by nobody', async () => {
    const answers = [
      await ask(`${keywright.url}/console/sign-in`),
      ...(await Promise.all(
        ['/console', '/console/events', '/console/nothing'].map((path) => user.get(path)),
      )),
    ];
    for (const { headers } of answers) {
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    for (const { text } of answers) {
      expect(text).not.toMatch(/<style|\sstyle=|<script(?! type="module" src="\/console\/files\/)/);
      expect(text).not.toMatch(/\son[a-z]+=/);
      expect(text).not.toMatch(/(?:href|src|action)="(?!\/console|#content)/);
    }
  });

  test('never repeats the admin token, nor does the log', async () => {
    expect((await user.get('/console')).text).not.toContain(ADMIN_TOKEN);
    expect(keywright.log.join('')).not.toContain(ADMIN_TOKEN);
  });

  test('refuses a form that is too large', async () => {
    const { status } = await user.post('/console/sign-out', { x: 'x'.repeat(6 * 1024 * 1024) });
    expect(status).toBe(413);
  });
});

describe('the files of the page', () => {
  const filesOf = async (path: string): Promise<string[]> =>
    [...(await user.get(path)).text.matchAll(/"(\/console\/files\/[^"]+)"/g)].map(
      ([, file = '']) => file,
    );

  test('are kept for ever under names that change with their content', async () => {
    const files = await filesOf('/console');
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      const { status, headers } = await ask(`${keywright.url}${file}`);
      expect([status, headers.get('cache-control')]).toEqual([
        200,
        'public, max-age=31536000, immutable',
      ]);
      const etag = headers.get('etag') ?? '';
      const again = await ask(`${keywright.url}${file}`, { headers: { 'if-none-match': etag } });
      expect([again.status, again.text]).toEqual([304, '']);
    }
  });

  test('weigh less than 400 KB, all of them', async () => {
    const files = new Set([
      ...(await filesOf('/console')),
      ...(await filesOf('/console/events')),
      ...(await filesOf(eventPath)),
    ]);
    let bytes = 0;
    for (const file of files) {
      const headers = { 'accept-encoding': 'br' };
      const response = await fetch(`${keywright.url}${file}`, { headers });
      bytes += Number(response.headers.get('content-length'));
    }
    expect(bytes).toBeGreaterThan(1_000);
    expect(bytes).toBeLessThan(400_000);
  });

  test('come compressed for whoever can read that, and plain for others', async () => {
    const [style = ''] = (await filesOf('/console')).filter((file) => file.endsWith('.css'));
    const plain = await ask(`${keywright.url}${style}`, {
      headers: { 'accept-encoding': 'identity' },
    });
    const gzip = await ask(`${keywright.url}${style}`, { headers: { 'accept-encoding': 'gzip' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(gzip.headers.get('content-encoding')).toBe('gzip');
    expect(gzip.headers.get('vary')).toBe('accept-encoding');
    expect(gzip.text).toBe(plain.text);
  });

  test.each(['..%2f..%2fpackage.json', 'console.css', 'x'.repeat(5000)])(
    'are only those: %s is none',
    async (name) => {
      expect((await ask(`${keywright.url}/console/files/${name}`)).status).toBe(404);
    },
  );
});

describe('guessing', () => {
  test('is slowed down after a minute of it, and never who has the token', () =>
    withKeywright({ providers: ['stripe'], env: { ADMIN_TOKEN } }, async ({ url, log }) => {
      const guess = () => signInWith(url, { token: 'guess' });
      await Promise.all(Array.from({ length: 60 }, guess));
      const isSlow = await Promise.race([
        guess().then(() => false),
        signedIn(url).then(() => true),
      ]);
      expect(isSlow).toBe(true);
      expect(log.filter((line) => line.includes('too many refused requests'))).toHaveLength(1);
    }));
});

async function attemptsOf(path: string): Promise<number> {
  const { text } = await user.get(path);
  return [...text.matchAll(/Try \d+/g)].length;
}
