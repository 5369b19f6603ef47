// The console as a person uses it, in a real browser: by mouse, by keyboard only, in the dark, on a phone, without
// scripts, with an expired session and with a server that went away.

import { afterAll, beforeAll, describe } from 'vitest';
import { SESSION_COOKIE } from '../../src/console/session.ts';
import { SHUTDOWN_GRACE_MS } from '../../src/server/listen.ts';
import { newSqlite } from '../call-budget/support.ts';
import { type Keywright, sampleBody, startKeywright } from '../support/keywright.ts';
import { ADMIN_TOKEN, describeInBrowser, expect, expectAccessible, test } from './browser.ts';
import { HOSTILE, hostileEvent } from './hostile.ts';

const SALE = 'invoice.paid-subscription-create';
const MISSING = /status of (?:401|503)|net::ERR_|Failed to fetch/;

let keywright: Keywright;
let url: string;
let sold: string;
beforeAll(async () => {
  keywright = await startKeywright({
    providers: ['stripe'],
    env: { ADMIN_TOKEN, DATABASE_URL: newSqlite() },
  });
  ({ url } = keywright);
  const { json } = await keywright.sendSample('stripe', SALE);
  sold = `/console/events/stripe%3A${String(json['eventId'])}`;
  await keywright.sendSample('stripe', 'invoice.created');
  await keywright.sendSample('stripe', 'customer.created');
  await keywright.sendSample('stripe', SALE, {
    edit: (body) => Object.assign(body, { id: 'evt_unmatched', type: 'unknown.type' }),
  });
  for (const index of HOSTILE.keys()) await keywright.send('stripe', hostileEvent(index));
});
afterAll(() => keywright.close());

describeInBrowser('the console', (browser) => {
  describe('for whoever asks "where is my license?"', () => {
    test('leads from an e-mail address to the story of the sale, by keyboard only', () =>
      browser.visit({ url }, async (page) => {
        const { object } = sampleBody('stripe', SALE)['data'] as never as {
          object: { customer_email: string };
        };
        await page.keyboard.press('Tab');
        expect(await page.locator(':focus').innerText()).toBe('Skip to the content');
        for (let steps = 0; steps < 6; steps += 1) {
          if ((await page.locator(':focus').innerText()) === 'Events') break;
          await page.keyboard.press('Tab');
        }
        await page.keyboard.press('Enter');
        await page.waitForURL('**/console/events');
        await page.keyboard.press('/');
        await page.keyboard.type(object.customer_email);
        await page.keyboard.press('Enter');
        await page.waitForURL('**/console/events?q=*');
        await page.locator('h1').click();
        const types: string[] = [];
        for (;;) {
          await page.keyboard.press('j');
          const type = await page.locator(':focus').innerText();
          if (type === types.at(-1)) break;
          types.push(type);
          if (type === 'invoice.paid') break;
        }
        expect(types.at(-1)).toBe('invoice.paid');
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { name: /^Why subscription-started/ }).waitFor();
      }));

    test('finds nothing, and says so', () =>
      browser.visit({ url, path: '/console/events?q=nobody@example.com' }, async (page) => {
        await page.getByText('No event is like this.').waitFor();
      }));
  });

  describe('follows what happens', () => {
    test('a webhook that comes stands at the top, with the focus where it was', () =>
      browser.visit({ url, path: '/console/events' }, async (page) => {
        await page.getByText('Live', { exact: true }).waitFor();
        await page.keyboard.press('j');
        const focused = await page.locator(':focus').getAttribute('href');
        await keywright.sendSample('stripe', 'customer.created', {
          edit: (body) => Object.assign(body, { id: 'evt_live' }),
        });
        await page.locator('tr.fresh[data-key="stripe:evt_live"]').waitFor();
        const [first = ''] = await page.locator('tbody tr .what').allInnerTexts();
        expect(first).toContain('evt_live');
        expect(await page.locator(':focus').getAttribute('href')).toBe(focused);
      }));

    test('the overview counts a webhook that comes while it is open', () =>
      browser.visit({ url }, async (page) => {
        await page.getByText('Live', { exact: true }).waitFor();
        const done = page.getByRole('link', { name: 'Done in 24 hours' }).locator('b');
        const before = Number(await done.innerText());
        await keywright.sendSample('stripe', 'customer.created', {
          edit: (body) => Object.assign(body, { id: 'evt_counted' }),
        });
        await done.filter({ hasText: new RegExp(`^${before + 1}$`) }).waitFor();
      }));

    test('a server that was away is found again, with what came meanwhile', async () => {
      const database = newSqlite();
      const env = { ADMIN_TOKEN, DATABASE_URL: database };
      const first = await startKeywright({ providers: ['stripe'], env });
      const port = new URL(first.url).port;
      try {
        const visited = { url: first.url, path: '/console/events', mayComplain: MISSING };
        await browser.visit(visited, async (page) => {
          await page.getByText('Live', { exact: true }).waitFor();
          const startMs = performance.now();
          await first.close();
          // An open page does not hold up the end of the server.
          expect(performance.now() - startMs).toBeLessThan(SHUTDOWN_GRACE_MS);
          await page.getByText('The server does not answer.').waitFor();
          const second = await startKeywright({
            providers: ['stripe'],
            env: { ...env, PORT: port },
          });
          try {
            await second.sendSample('stripe', SALE);
            await page.getByText('Live', { exact: true }).waitFor();
            await page.getByRole('link', { name: 'invoice.paid' }).waitFor();
          } finally {
            await second.close();
          }
        });
      } finally {
        await first.close();
      }
    });
  });

  describe('replays', () => {
    test('after a preview, and tells that it is in line and what came of it', () =>
      browser.visit({ url, path: sold }, async (page) => {
        await page.getByRole('link', { name: 'Replay…' }).click();
        await page.getByRole('heading', { name: 'What it would do' }).waitFor();
        await expectAccessible(page);
        await page.getByRole('button', { name: 'Replay now' }).click();
        await page.getByText('The event is in line again.').waitFor();
        await page.getByText('Try 2').waitFor();
      }));

    test('saves an event as a test', () =>
      browser.visit({ url, path: sold }, async (page) => {
        const [download] = await Promise.all([
          page.waitForEvent('download'),
          page.getByRole('link', { name: 'Save as test' }).click(),
        ]);
        expect(download.suggestedFilename()).toMatch(/^invoice\.paid-evt_\w+\.yaml$/);
      }));
  });

  describe('a session that has ended', () => {
    test('in the middle of a form asks for the token on top of it, and nothing chosen is lost', () =>
      browser.visit({ url, path: `${sold}/replay`, mayComplain: MISSING }, async (page) => {
        await page.getByLabel('Look licenses up anew').check();
        await page.context().clearCookies({ name: SESSION_COOKIE });
        await page.getByRole('button', { name: 'Replay now' }).click();
        const dialog = page.getByRole('dialog', { name: 'Sign in again' });
        await dialog.getByLabel('Admin token').fill('a wrong one');
        await page.keyboard.press('Enter');
        await dialog.getByText('This is not the admin token.').waitFor();
        await expectAccessible(page);
        expect(await page.getByLabel('Look licenses up anew').isChecked()).toBe(true);
        await dialog.getByLabel('Admin token').fill(ADMIN_TOKEN);
        await page.keyboard.press('Enter');
        await page.getByText('The event is in line again.').waitFor();
      }));

    test('leads back to the form where there are no scripts', () =>
      browser.visit(
        { url, path: `${sold}/replay`, javaScriptEnabled: false, mayComplain: MISSING },
        async (page) => {
          await page.context().clearCookies({ name: SESSION_COOKIE });
          await page.getByRole('button', { name: 'Replay now' }).click();
          await page.getByLabel('Admin token').fill(ADMIN_TOKEN);
          await page.keyboard.press('Enter');
          await page.getByRole('heading', { name: 'What it would do' }).waitFor();
        },
      ));

    test('is told on a page that follows what happens', () =>
      browser.visit({ url, path: '/console/events', mayComplain: MISSING }, async (page) => {
        await page.getByText('Live', { exact: true }).waitFor();
        await page.context().clearCookies({ name: SESSION_COOKIE });
        await keywright.sendSample('stripe', 'customer.created', {
          edit: (body) => Object.assign(body, { id: 'evt_late' }),
        });
        await page.getByText('Your session has ended.').waitFor();
      }));
  });

  describe.each([
    { name: 'light, wide', colorScheme: 'light', viewport: { width: 1280, height: 900 } },
    { name: 'dark, narrow', colorScheme: 'dark', viewport: { width: 360, height: 740 } },
  ] as const)('$name', ({ colorScheme, viewport }) => {
    test('every page is accessible, and none is wider than the screen', () =>
      browser.visit({ url, colorScheme, viewport }, async (page) => {
        const paths = [
          '/console',
          '/console/events',
          sold,
          '/console/events/stripe%3Aevt_unmatched',
        ];
        for (const path of paths) {
          await page.goto(path);
          for (const summary of await page.locator('summary').all()) await summary.click();
          await expectAccessible(page);
          // What is wider lies in a part that scrolls by itself; nothing else reaches beyond the screen.
          const tooWide = await page.evaluate(`[...document.querySelectorAll('body *')]
            .filter((one) => !one.closest('.scroll, .code, .unseen, .bar nav'))
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
            .map((one) => one.outerHTML.slice(0, 120))`);
          expect(tooWide, path).toEqual([]);
          const scrollable = await page.evaluate(
            'document.documentElement.scrollWidth - innerWidth',
          );
          expect(scrollable, path).toBeLessThanOrEqual(0);
        }
        const ground = await page.evaluate(
          'getComputedStyle(document.documentElement).backgroundColor',
        );
        expect(ground).toBe(colorScheme === 'dark' ? 'rgb(14, 17, 22)' : 'rgb(246, 247, 249)');
      }));
  });

  test('works without scripts: search, story and replay', () =>
    browser.visit({ url, javaScriptEnabled: false }, async (page) => {
      await page.getByRole('link', { name: 'Events' }).click();
      await page.getByLabel('Status').selectOption('done');
      await page.getByLabel('Type').fill('invoice.paid');
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByRole('link', { name: 'invoice.paid' }).first().click();
      await page.getByRole('link', { name: 'Replay…' }).click();
      await page.getByRole('button', { name: 'Replay now' }).click();
      await page.getByText('The event is in line again.').waitFor();
    }));

  test('a link from another site opens the page, though it comes without the cookie', () =>
    browser.visit({ url }, async (page) => {
      // Another name of this machine is another site.
      const elsewhere = url.replace('127.0.0.1', 'localhost');
      await page.route(`${elsewhere}/**`, (route) =>
        route.fulfill({ contentType: 'text/html', body: `<a href="${url}${sold}">the sale</a>` }),
      );
      page.removeAllListeners('request');
      await page.goto(`${elsewhere}/mail`);
      await page.getByRole('link', { name: 'the sale' }).click();
      await page.getByRole('heading', { name: 'invoice.paid' }).waitFor();
    }));

  test('hostile texts stay texts, wherever one goes', () =>
    browser.visit({ url, path: '/console/events' }, async (page) => {
      const hrefs = await page
        .locator('[data-row]')
        .evaluateAll((links) => links.map((link) => (link as never as { href: string }).href));
      expect(hrefs.length).toBeGreaterThan(HOSTILE.length);
      // What is in the HTML is looked at in pages.test.ts; here is what a browser makes of it.
      for (const href of hrefs.filter((_, index) => index % 6 === 0)) {
        await page.goto(href);
        expect(page.url().startsWith(url), href).toBe(true);
      }
      const hostile = HOSTILE.join(' ').slice(0, 290);
      await page.goto(`/console/events?${new URLSearchParams({ q: hostile, source: hostile })}`);
    }));

  test('is printed without what is only for the screen', () =>
    browser.visit({ url, path: sold }, async (page) => {
      await page.emulateMedia({ media: 'print' });
      expect(await page.locator('.bar').isVisible()).toBe(false);
      expect(await page.getByRole('link', { name: 'Replay…' }).isVisible()).toBe(false);
      expect(
        await page.getByRole('heading', { name: 'What was changed in Cryptlex' }).isVisible(),
      ).toBe(true);
    }));

  test('older events come below the newer ones, each once', async () => {
    const many = await startKeywright({ providers: ['stripe'], env: { ADMIN_TOKEN } });
    try {
      for (let index = 0; index < 220; index += 1) {
        await many.sendSample('stripe', 'invoice.created', {
          edit: (body) => Object.assign(body, { id: `evt_${index}` }),
        });
      }
      await browser.visit({ url: many.url, path: '/console/events' }, async (page) => {
        const rows = page.locator('[data-key]');
        for (const count of [100, 200]) {
          expect(await rows.count()).toBe(count);
          await page.getByRole('link', { name: 'Show older events' }).click();
          await rows.nth(count).waitFor();
        }
        const keys = await rows.evaluateAll((all) =>
          all.map((row) => (row as never as { dataset: { key: string } }).dataset.key),
        );
        expect(new Set(keys).size).toBe(220);
        expect(await page.getByRole('link', { name: 'Show older events' }).count()).toBe(0);
      });
    } finally {
      await many.close();
    }
  });
});
