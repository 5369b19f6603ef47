// The frame around every page: head, navigation, what a script finds. Takes a page's own part, gives the
// whole document as an answer. All HTML of the console is made by the tag `html` of hono, which escapes
// every value; `raw` is used nowhere, and a test keeps it so.

import type { Context } from 'hono';
import { html } from 'hono/html';
import type { ConsoleEnv } from './parts.ts';

/** What the tag `html` gives: a text that is escaped already. */
export type Html = ReturnType<typeof html>;

export interface Page {
  readonly title: string;
  /** The entry of the navigation that it belongs to; see NAVIGATION. */
  readonly area?: string;
  /** Names of files in client/, without `.ts`, beside `console`, which every page loads. */
  readonly scripts?: readonly string[];
  /** Names of files in styles/, without `.css`, beside `console`. */
  readonly styles?: readonly string[];
  readonly body: Html;
  readonly status?: number;
}

/** The areas of the console, in their order. A page that is added here has its icon in `iconOf`. */
const NAVIGATION: readonly {
  readonly path: string;
  readonly name: string;
  readonly icon: string;
}[] = [
  { path: '/console', name: 'Overview', icon: 'M3 12h4l3-8 4 16 3-8h4' },
  { path: '/console/events', name: 'Events', icon: 'M4 6h16M4 12h16M4 18h10' },
  {
    path: '/console/playground',
    name: 'Playground',
    icon: 'M9 3h6M10 3v6l-5 9a2 2 0 0 0 2 3h10a2 2 0 0 0 2-3l-5-9V3M8 15h8',
  },
  { path: '/console/catalog', name: 'Catalog', icon: 'M3 12V4h8l10 10-8 8L3 12ZM7.5 8.5h.01' },
];

/** The answer with a page for whoever is signed in. */
export function answerPage(c: Context<ConsoleEnv>, page: Page): Promise<Response> | Response {
  const { files, session } = c.var;
  const body = html`
    <a class="skip" href="#content">Skip to the content</a>
    <header class="bar">
      <a class="brand" href="/console" aria-label="Keywright console">${mark()}<span>Keywright</span></a>
      <nav aria-label="Areas"><ul>
        ${NAVIGATION.map(
          ({ path, name, icon: shape }) => html`<li><a href="${path}"
            ${page.area === name ? html`aria-current="page"` : ''}>${icon(shape)}<span>${name}</span></a></li>`,
        )}
      </ul></nav>
      <form class="leave" method="post" action="/console/sign-out">${csrfField(c)}
        <button class="quiet" type="submit">${icon('M10 4H5v16h5M14 8l4 4-4 4M18 12H9')}<span>Sign out</span></button>
      </form>
    </header>
    <main id="content" tabindex="-1">${page.body}</main>`;
  return document(c, {
    ...page,
    scripts: ['console', ...(page.scripts ?? [])],
    body,
    head: html`<meta name="csrf-token" content="${session.csrfToken}">`,
    files,
  });
}

/** The answer with a page that stands alone: signing in, and what went wrong. */
export function answerBare(c: Context<ConsoleEnv>, page: Page & { readonly head?: Html }) {
  const body = html`<main id="content" class="bare">${page.body}</main>`;
  return document(c, { ...page, body, files: c.var.files });
}

/** Goes into every form that changes something. */
export function csrfField(c: Context<ConsoleEnv>): Html {
  return html`<input type="hidden" name="csrf" value="${c.var.session.csrfToken}">`;
}

/** Where a page says whether it follows what happens; client/live.ts fills it in. */
export function liveState(nowMs: number): Html {
  return html`<span class="live" data-live-state="${nowMs}"></span>`;
}

/** A line drawing on a field of 24 × 24; says nothing to a screen reader, so text must stand beside it. */
export function icon(path: string): Html {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
}

/** The mark of Keywright: a key in a square. */
export function mark(): Html {
  return html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8"/><path d="M12.5 19.5a5 5 0 1 1 3.4-8.7 5 5 0 0 1 1.1 4.7l7 7v3h-3.5v-2.5H18v-2.5h-2.2l-1.4-1.4a5 5 0 0 1-1.9.4Zm-1.2-6.3a1 1 0 1 0 0 2 1 1 0 0 0 0-2Z"/></svg>`;
}

interface DocumentParts extends Page {
  readonly head?: Html;
  readonly files: ConsoleEnv['Variables']['files'];
}

function document(c: Context<ConsoleEnv>, parts: DocumentParts): Promise<Response> | Response {
  const { files, title, styles = [], scripts = [], head, body, status = 200 } = parts;
  c.status(status as 200);
  return c.html(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
${head ?? ''}<title>${title} · Keywright</title>
<link rel="icon" type="image/svg+xml" href="${files.address('mark.svg')}">
${['console', ...styles].map((name) => html`<link rel="stylesheet" href="${files.address(`${name}.css`)}">`)}
${scripts.map((name) => html`<script type="module" src="${files.address(`${name}.js`)}"></script>`)}
</head>
<body>${body}</body>
</html>`);
}
