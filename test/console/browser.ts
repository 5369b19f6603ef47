// A real browser for tests of the console: Chromium, driven by playwright-core. Takes a test with a page of
// its own, signed in or not. Where there is no Chromium the tests are skipped, and a line says so; with
// BROWSER_TESTS=required (as in .ci/run) that is a failure.
//
//   describeInBrowser('the page of …', (browser) => {
//     test('shows …', () => browser.visit({ url: keywright.url }, async (page) => { … }));
//   });
//
// `visit` fails a test whose page wrote an error to its console, broke the Content-Security-Policy or asked
// another host for anything. `expectAccessible(page)` runs axe on what is to be seen.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_TOKEN, cookieOf, signInWith } from './signed-in.ts';

export { ADMIN_TOKEN } from './signed-in.ts';

const named = process.env['CHROMIUM'];
const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const executablePath = (named === undefined ? PLACES : [named]).find(existsSync);
const isRequired = process.env['BROWSER_TESTS'] === 'required';

export interface VisitOptions extends BrowserContextOptions {
  /** Of the server. */
  readonly url: string;
  /** Where it begins; `/console` unless said otherwise. */
  readonly path?: string;
  /** False: nobody has signed in. */
  readonly signedIn?: boolean;
  /** What the page may write to its console: an answer of 401, say. */
  readonly mayComplain?: RegExp;
}

export interface TestBrowser {
  visit(options: VisitOptions, run: (page: Page) => Promise<void>): Promise<void>;
}

/** Like `describe`, with a browser; the callback is called in any case, so that the tests have names. */
export function describeInBrowser(name: string, define: (browser: TestBrowser) => void): void {
  if (executablePath === undefined && !isRequired) {
    const reason = 'no Chromium was found (apt-get install chromium, or set CHROMIUM)';
    process.stderr.write(`Skipped in the browser: ${name}: ${reason}.\n`);
    describe.skip(`${name} (skipped: ${reason})`, () => define({ visit: async () => undefined }));
    return;
  }
  describe(name, () => {
    let browser: Browser | undefined;
    beforeAll(async () => {
      if (executablePath === undefined) {
        throw new Error('BROWSER_TESTS=required, but there is no Chromium');
      }
      // As root, in a container, Chromium's own sandbox cannot be set up.
      const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
      browser = await chromium.launch({ executablePath, args, headless: true });
    });
    afterAll(() => browser?.close());
    define({
      visit: async (options, run) => {
        if (browser === undefined) throw new Error('the browser did not start');
        await visit(browser, options, run);
      },
    });
  });
}

async function visit(
  browser: Browser,
  { url, path = '/console', signedIn = true, mayComplain, ...context }: VisitOptions,
  run: (page: Page) => Promise<void>,
): Promise<void> {
  const opened = await browser.newContext({ baseURL: url, ...context });
  // A test is slow only where it fails.
  opened.setDefaultTimeout(120_000);
  const complaints: string[] = [];
  try {
    const page = await opened.newPage();
    page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return;
      if (mayComplain?.test(message.text()) !== true) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => {
      complaints.push(`a dialog opened: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(url)) complaints.push(`asked for ${request.url()}`);
    });
    if (signedIn) await opened.addCookies([await cookieFor(url)]);
    await page.goto(path);
    await run(page);
    expect(complaints).toEqual([]);
  } finally {
    await opened.close();
  }
}

/** One session for a server serves all tests. */
const cookies = new Map<string, string>();

async function cookieFor(url: string): Promise<{ name: string; value: string; url: string }> {
  const cookie = cookies.get(url) ?? cookieOf(await signInWith(url, { token: ADMIN_TOKEN }));
  cookies.set(url, cookie);
  const [name = '', value = ''] = cookie.split('=');
  return { name, value, url: `${url}/console` };
}

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);

/** Axe finds nothing: WCAG 2.2 AA and its best practices. */
export async function expectAccessible(page: Page): Promise<void> {
  // Evaluated by the browser's debugger, so no page has to allow it.
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as never as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`,
    );
  });
  expect(found).toEqual([]);
}

/** So that a file of browser tests imports its words from one place. */
export { expect, test };
