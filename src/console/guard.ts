// What stands before every page: the headers that keep a browser from doing anything we did not write, the
// session, and the CSRF token that every change has to carry. Takes a request, lets it through with
// `c.var.session` set, or answers it. Never looks at what a page is about.

import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { getCookie, setCookie } from 'hono/cookie';
import { html } from 'hono/html';
import { answerBare } from './layout.ts';
import { answerSignIn } from './pages/sign-in.ts';
import type { ConsoleEnv, ConsoleParts } from './parts.ts';
import { SESSION_COOKIE, type Session, type Sessions } from './session.ts';

/** Events are 1 MiB at most; a form may hold one, escaped, beside a rule file. */
const BODY_BYTES_MAX = 5 * 1024 * 1024;

/** Nothing but our own files: no inline script or style, no other address, no frame around it. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** On every answer of the console. */
export function securityHeaders(): MiddlewareHandler<ConsoleEnv> {
  return async (c, next) => {
    await next();
    const { headers } = c.res;
    headers.set('content-security-policy', CONTENT_SECURITY_POLICY);
    headers.set('x-content-type-options', 'nosniff');
    headers.set('referrer-policy', 'same-origin');
    headers.set('cross-origin-opener-policy', 'same-origin');
    headers.set('cross-origin-resource-policy', 'same-origin');
    if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
  };
}

export function limitBody(): MiddlewareHandler<ConsoleEnv> {
  return bodyLimit({
    maxSize: BODY_BYTES_MAX,
    onError: (c) => c.text('The form is larger than 5 MiB.\n', 413),
  });
}

/** Lets in who is signed in; a change needs the session's CSRF token as well. */
export function requireSession(
  sessions: Sessions,
  { clock }: Pick<ConsoleParts, 'clock'>,
): MiddlewareHandler<ConsoleEnv> {
  return async (c, next) => {
    const nowMs = clock.nowMs();
    const session = sessions.read(getCookie(c, SESSION_COOKIE), nowMs);
    if (session === undefined) {
      // A link from elsewhere comes without the cookie (SameSite=Strict). Asked for once more by a page
      // of ours, it comes with it.
      if (c.req.method === 'GET' && c.req.header('sec-fetch-site') === 'cross-site') {
        const head = html`<meta http-equiv="refresh" content="0; url=${pathOf(c.req.url)}">`;
        return answerBare(c, { title: 'One moment', head, body: html`<p>One moment…</p>` });
      }
      return answerSignIn(c, { hasEnded: getCookie(c, SESSION_COOKIE) !== undefined });
    }
    c.set('session', session);
    if (!isReading(c.req.method)) {
      const refusal = await refuseForgery(c, sessions);
      if (refusal !== undefined) return refusal;
    }
    const longer = sessions.prolong(session, nowMs);
    await next();
    // Signing out has set the cookie itself.
    if (longer !== undefined && !c.res.headers.has('set-cookie')) {
      keepSession(c, sessions, longer, nowMs);
    }
    return undefined;
  };
}

type ConsoleContext = Parameters<MiddlewareHandler<ConsoleEnv>>[0];

export function keepSession(
  c: ConsoleContext,
  sessions: Sessions,
  session: Session,
  nowMs: number,
): void {
  setCookie(c, SESSION_COOKIE, sessions.write(session), {
    ...cookieScope(c),
    maxAge: Math.ceil((session.expiresAtMs - nowMs) / 1000),
  });
}

export function dropSession(c: ConsoleContext): void {
  setCookie(c, SESSION_COOKIE, '', { ...cookieScope(c), maxAge: 0 });
}

function cookieScope(c: ConsoleContext) {
  const isSecure =
    new URL(c.req.url).protocol === 'https:' ||
    c.req.header('x-forwarded-proto')?.split(',')[0]?.trim() === 'https';
  return { path: '/console', httpOnly: true, sameSite: 'Strict', secure: isSecure } as const;
}

/** The answer to a change that carries no token of this session; undefined for one that does. */
async function refuseForgery(c: ConsoleContext, sessions: Sessions): Promise<Response | undefined> {
  const given = c.req.header('x-csrf-token') ?? (await fieldOf(c, 'csrf'));
  const isOurs = isFromHere(c) && sessions.isCsrfToken(c.var.session, given);
  if (isOurs) return undefined;
  return answerBare(c, {
    title: 'Not done',
    status: 403,
    body: html`<h1>This was not done</h1>
      <p>The request did not come from a page of this console, or the page is older than your session.</p>
      <p><a href="/console">Open the console anew</a></p>`,
  });
}

/** What the browser says of who sent it, where it says so. */
export function isFromHere(c: ConsoleContext): boolean {
  const site = c.req.header('sec-fetch-site');
  return site === undefined || site === 'same-origin' || site === 'none';
}

/** A text field of a form; undefined for another kind of body. */
async function fieldOf(c: ConsoleContext, name: string): Promise<string | undefined> {
  const type = c.req.header('content-type') ?? '';
  if (!/^(?:application\/x-www-form-urlencoded|multipart\/form-data)/i.test(type)) return undefined;
  const value = (await c.req.parseBody())[name];
  return typeof value === 'string' ? value : undefined;
}

function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function pathOf(address: string): string {
  const { pathname, search } = new URL(address);
  return `${pathname}${search}`;
}
