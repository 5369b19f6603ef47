// The console: a small web page at /console, for whoever answers "where is my license?" and whoever edits
// the rules. Takes requests and what compose-console.ts hands in, gives pages made on the server.
// Loaded at its first request, so that the server starts as fast without it. Never calls Cryptlex by itself.
//
// How to add to it:
// - A page: a file in pages/ with `addX(app, parts)`, called below; it registers `app.get('/x', …)` (paths are
//   below /console) and answers with `answerPage(c, {title, area, body})`; `body` is made with the tag `html`.
//   Its entry in the navigation stands in layout.ts. What it needs of the server goes into `ConsoleParts`
//   (parts.ts), and is handed in by compose-console.ts.
// - A change: `app.post('/x', …)`, with `${csrfField(c)}` in the form. A script sends the same token as
//   the header `x-csrf-token`; client/shared/post.ts does so, and asks to sign in again where the session
//   has ended. guard.ts refuses every change without it, before any handler runs.
// - A script: client/NAME.ts, and `scripts: ['NAME']` on the page; parts for several scripts in client/shared/.
//   It may import npm packages and types of src/, is type-checked by client/tsconfig.json, and finds what it
//   works on by `data-…` attributes. A page should be of use without it.
// - A style: styles/NAME.css and `styles: ['NAME']`. Colours and sizes are variables of styles/console.css. The
//   Content-Security-Policy allows neither <style> nor style="…" nor inline scripts; `element.style.x = …` and
//   constructed style sheets (`adoptedStyleSheets`) work.
// - A browser test: test/console/*.browser.test.ts with `describeInBrowser` of test/console/browser.ts.

import { Hono } from 'hono';
import { html } from 'hono/html';
import { AppError, type AppErrorCode, registryEntry } from '../core/error-codes.ts';
import { addLive } from './event-stream.ts';
import { FILES_PATH, loadConsoleFiles } from './files.ts';
import { limitBody, requireSession, securityHeaders } from './guard.ts';
import { answerBare } from './layout.ts';
import { addCatalog } from './pages/catalog.ts';
import { addEvent } from './pages/event/event.ts';
import { addHeld } from './pages/event/held.ts';
import { addReplay } from './pages/event/replay.ts';
import { addEvents } from './pages/events.ts';
import { addOverview } from './pages/overview/overview.ts';
import { addPlayground } from './pages/playground/playground.ts';
import { addSignIn, addSignOut } from './pages/sign-in.ts';
import type { Console, ConsoleApp, ConsoleEnv, ConsoleParts } from './parts.ts';
import { createSessions } from './session.ts';

const STATUS_OF: Readonly<Partial<Record<AppErrorCode, number>>> = {
  JOURNAL_UNAVAILABLE: 503,
  EVENT_UNKNOWN: 404,
};
const YEAR_SECONDS = 365 * 24 * 60 * 60;

/** @throws AppError CONSOLE_NOT_BUILT where its files are neither there nor can be made */
export async function createConsole(parts: ConsoleParts): Promise<Console> {
  const files = await loadConsoleFiles();
  const sessions = createSessions(parts.token);
  const app: ConsoleApp = new Hono<ConsoleEnv>().basePath('/console');

  app.use('*', securityHeaders());
  app.use('*', async (c, next) => {
    c.set('files', files);
    await next();
  });
  addFiles(app);
  app.use('*', limitBody());
  addSignIn(app, sessions, parts);
  app.use('*', requireSession(sessions, parts));
  addSignOut(app);
  app.get('/session', (c) => c.json({ csrfToken: c.var.session.csrfToken }));
  const live = addLive(app, parts);
  addOverview(app, parts);
  addEvents(app, parts);
  addEvent(app, parts);
  addReplay(app, parts);
  addHeld(app, parts);
  addPlayground(app, parts);
  addCatalog(app, parts);

  app.notFound((c) =>
    answerBare(c as never, {
      title: 'Not found',
      status: 404,
      body: html`<h1>There is no such page</h1><p><a href="/console">To the overview</a></p>`,
    }),
  );
  app.onError((error, c) => {
    if (!(error instanceof AppError)) throw error;
    const { code, message, hint } = error;
    return answerBare(c, {
      title: registryEntry(code).title,
      status: STATUS_OF[code] ?? 400,
      body: html`<h1>${registryEntry(code).title}</h1><p>${message}</p><p>${hint}</p>
        <p><a href="/console">To the overview</a></p>`,
    });
  });
  const stop = (): void => {
    live.stop();
  };
  return { fetch: (request, visitor) => app.fetch(request, visitor), stop };
}

/** Scripts, styles, the icon: the same for everybody, so they need no session, and may be kept for ever. */
function addFiles(app: ConsoleApp): void {
  app.get(`${FILES_PATH.replace('/console', '')}/:name`, (c) => {
    const name = c.req.param('name');
    const file = c.var.files.find(name);
    if (file === undefined) return c.notFound();
    const headers = {
      'content-type': file.type,
      'cache-control': `public, max-age=${YEAR_SECONDS}, immutable`,
      // The name holds the hash of the content.
      etag: `"${name}"`,
      vary: 'accept-encoding',
    };
    if (c.req.header('if-none-match') === `"${name}"`) return c.body(null, 304, headers);
    const accepted = c.req.header('accept-encoding') ?? '';
    const coding = (['br', 'gzip'] as const).find(
      (one) => new RegExp(`\\b${one}\\b`).test(accepted) && file.compressed.has(one),
    );
    const bytes = coding === undefined ? file.bytes : (file.compressed.get(coding) ?? file.bytes);
    return c.body(bytes, 200, {
      ...headers,
      ...(coding === undefined ? {} : { 'content-encoding': coding }),
    });
  });
}
