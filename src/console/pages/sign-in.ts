// Signing in and out. Takes the admin token in a form, gives a session cookie. Whoever guesses waits, as at
// the admin API. Never says whether a wrong token was close.

import type { Context } from 'hono';
import { html } from 'hono/html';
import { dropSession, isFromHere, keepSession } from '../guard.ts';
import { answerBare, type Html, mark } from '../layout.ts';
import type { ConsoleApp, ConsoleEnv, ConsoleParts } from '../parts.ts';
import type { Sessions } from '../session.ts';

const HOME = '/console';

/** Adds what everybody may reach. */
export function addSignIn(app: ConsoleApp, sessions: Sessions, { clock }: ConsoleParts): void {
  app.get('/sign-in', (c) => answerSignIn(c, {}));

  app.post('/sign-in', async (c) => {
    const form = await c.req.parseBody();
    const token = typeof form['token'] === 'string' ? form['token'].trim() : '';
    const next = safeNext(form['next']);
    if (!isFromHere(c) || !sessions.isToken(token)) {
      const headers = await c.env.refused();
      for (const [name, value] of Object.entries(headers)) c.header(name, value);
      return answerSignIn(c, { isWrong: true, next });
    }
    const nowMs = clock.nowMs();
    const session = sessions.start(nowMs);
    keepSession(c, sessions, session, nowMs);
    // A page that is open asks so, and goes on with the new session.
    if (c.req.header('accept') === 'application/json') {
      return c.json({ csrfToken: session.csrfToken });
    }
    return c.redirect(next, 303);
  });
}

/** Adds what only who is signed in may reach. */
export function addSignOut(app: ConsoleApp): void {
  app.post('/sign-out', (c) => {
    dropSession(c);
    return c.redirect('/console/sign-in', 303);
  });
}

interface SignInState {
  readonly isWrong?: boolean;
  /** There was a session, and its time is over. */
  readonly hasEnded?: boolean;
  readonly next?: string;
}

/** The page that asks for the token: 401 wherever something else was asked for. */
export function answerSignIn(
  c: Context<ConsoleEnv>,
  { isWrong = false, hasEnded = false, next = nextOf(c) }: SignInState,
): Promise<Response> | Response {
  const isAsked = c.req.path === '/console/sign-in' && !isWrong;
  return answerBare(c, {
    title: 'Sign in',
    status: isAsked ? 200 : 401,
    body: html`<form class="sign-in card" method="post" action="/console/sign-in">
      ${mark()}
      <h1>Keywright console</h1>
      ${messageOf(isWrong, hasEnded)}
      <input type="hidden" name="next" value="${next}">
      <input type="text" name="username" value="admin" autocomplete="username" hidden>
      <label for="token">Admin token</label>
      <input id="token" name="token" type="password" autocomplete="current-password" required autofocus
        ${isWrong ? html`aria-invalid="true" aria-describedby="sign-in-message"` : ''}>
      <button type="submit">Sign in</button>
      <p class="hint">It is the value of <code>ADMIN_TOKEN</code> in the server's environment.</p>
    </form>`,
  });
}

function messageOf(isWrong: boolean, hasEnded: boolean): Html | '' {
  if (isWrong)
    return html`<p class="message bad" id="sign-in-message" role="alert">This is not the admin token.</p>`;
  if (hasEnded)
    return html`<p class="message" role="status">Your session has ended. Please sign in again.</p>`;
  return '';
}

function nextOf(c: Context<ConsoleEnv>): string {
  if (c.req.path === '/console/sign-in') return safeNext(c.req.query('next'));
  // What was sent cannot be sent again, so it leads back to where it came from.
  const address = c.req.method === 'GET' ? c.req.url : (c.req.header('referer') ?? '');
  if (!URL.canParse(address)) return HOME;
  const { pathname, search } = new URL(address);
  return safeNext(`${pathname}${search}`);
}

/** Only an address of the console: nobody is sent elsewhere by a link to here. */
function safeNext(value: unknown): string {
  return typeof value === 'string' && /^\/console(?:[/?][\w\-./?=&%+:@~,]*)?$/.test(value)
    ? value
    : HOME;
}
