// The playground, as somebody uses it who writes a rule: mistakes and their mends, help, results while typing,
// recorded events, a diff; and what happens when the session ends or the server goes away meanwhile.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { type Keywright, sampleBody, startKeywright } from '../support/keywright.ts';
import { ADMIN_TOKEN, describeInBrowser, expect, expectAccessible, test } from './browser.ts';
import { HOSTILE } from './hostile.ts';

const PATH = '/console/playground';

let keywright: Keywright;
beforeAll(async () => {
  keywright = await startKeywright({ providers: ['stripe'], env: { ADMIN_TOKEN } });
  await keywright.sendSample('stripe', 'checkout.session.completed-payment');
  await keywright.sendSample('stripe', 'customer.created');
});
afterAll(() => keywright.close());

function rulesOf(page: Page): Locator {
  return page.getByRole('textbox', { name: 'Rules of stripe' });
}

/** Waits for a part of the page to say so. */
async function says(part: Locator, text: string | RegExp): Promise<void> {
  await part.filter({ hasText: text }).first().waitFor();
}

function verdictOf(page: Page): Locator {
  return page.locator('.pg-verdict').first();
}

/** Puts a text into an editor as a paste does: at once, without its own indentation and completions. */
async function paste(page: Page, editor: Locator, text: string): Promise<void> {
  await editor.click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(text);
}

const SMALL = `provider: stripe
subject: =data.object.id
rules:
  - id: mine
    on: checkout.session.completed
    ignore: My own reason.
`;

describeInBrowser('the playground', (browser) => {
  test('opens with the running rules; a mistake is shown at its place; after its mend the result is new', () =>
    browser.visit({ url: keywright.url, path: PATH }, async (page) => {
      await says(verdictOf(page), 'checkout-paid');
      await says(page.locator('[data-findings]'), 'no findings');
      await says(page.locator('.pg-head'), 'Nothing here goes live');
      await says(page.locator('.pg-plan'), 'license.create');
      await says(page.locator('.pg-trace'), 'checkout-setup');
      await says(page.locator('[data-part="changes"]'), 'sofia.rossi@example.com');
      await expectAccessible(page);

      await paste(page, rulesOf(page), SMALL.replace('ignore:', 'ignroe:'));
      await says(page.locator('[data-findings]'), 'error');
      const list = page.locator('.pg-findings');
      await says(list, 'RULE_UNKNOWN_FIELD');
      await page.locator('.cm-lintRange-error').first().waitFor();
      await says(page.locator('[data-result]'), 'last version that could be read');
      await expectAccessible(page);

      await list.getByRole('button', { name: 'line 6' }).first().click();
      for (let index = 0; index < 'ignroe'.length; index += 1) await page.keyboard.press('Delete');
      await page.keyboard.insertText('ignore');
      await says(verdictOf(page), 'My own reason.');
      await says(page.locator('[data-findings]'), 'no findings');

      // Kept in this tab until it is taken back.
      await page.reload();
      await says(verdictOf(page), 'My own reason.');
      await page.getByRole('button', { name: 'Back to the running rules' }).click();
      await says(verdictOf(page), 'checkout-paid');
      const onDisk = readFileSync(join(keywright.rulesDir, 'stripe.yaml'), 'utf8');
      expect(onDisk).not.toContain('My own reason.');
    }));

  test('offers what fits, explains what stands there, and lets the keyboard out again', () =>
    browser.visit({ url: keywright.url, path: PATH }, async (page) => {
      await says(verdictOf(page), 'checkout-paid');
      const editor = rulesOf(page);
      await paste(page, editor, `${SMALL}    `);
      await page.keyboard.type('wh');
      await says(page.locator('.cm-tooltip-autocomplete'), 'when');
      await page.keyboard.press('Escape');
      await page.keyboard.insertText('en: { data.object.payment_st');
      await page.keyboard.press('Control+Space');
      await says(page.locator('.cm-tooltip-autocomplete'), 'data.object.payment_status');
      // The editor takes no Enter for a list that has only just opened.
      await page.waitForTimeout(150);
      await page.keyboard.press('Enter');
      await page.keyboard.insertText(': ');
      await page.keyboard.press('Control+Space');
      // The words that Stripe documents, and that of the event beside the rules.
      await says(page.locator('.cm-tooltip-autocomplete'), 'no_payment_required');
      await says(page.locator('.cm-tooltip-autocomplete'), /paid\s*in this event/);
      await page.keyboard.press('Escape');

      // Help by the keyboard, then by the mouse.
      await page.keyboard.press('Control+Home');
      await page.keyboard.press('F1');
      await says(page.locator('.kw-help'), 'Who sends the events.');
      await page.keyboard.press('ArrowRight');
      await page.locator('.kw-help').waitFor({ state: 'detached' });
      await editor.getByText('data.object.payment_status').hover();
      await says(page.locator('.kw-help'), 'In this event: "paid"');

      // Tab indents; after Escape it leaves: no keyboard trap.
      await page.keyboard.press('Escape');
      await page.keyboard.press('Tab');
      expect(await editor.evaluate((element) => element.matches(':focus'))).toBe(false);
      await page.keyboard.press('Shift+Tab');
      expect(await editor.evaluate((element) => element.matches(':focus'))).toBe(true);
    }));

  test('tries a recorded event, and shows as a diff what would have been done otherwise', () =>
    browser.visit({ url: keywright.url, path: PATH }, async (page) => {
      const picker = page.getByLabel('Event', { exact: true });
      const recorded = page.locator('optgroup[label="Recorded here"] option');
      expect(await recorded.count()).toBe(2);
      await picker.selectOption(
        await recorded.filter({ hasText: 'customer.created' }).getAttribute('value'),
      );
      await says(verdictOf(page), 'customer-created');
      await paste(
        page,
        rulesOf(page),
        `${SMALL}  - id: theirs\n    on: customer.created\n    ignore: We wait for the sale.\n`,
      );
      await says(verdictOf(page), 'We wait for the sale.');
      await page.getByRole('button', { name: 'Show as diff' }).click();
      const difference = page.locator('[data-compare-result]');
      await says(difference, '2 events');
      await says(difference, 'a sale is not licensed any more');
      await says(difference, 'matched → ignored');
      await expectAccessible(page);
    }));
});

describeInBrowser('the playground, when something is in the way', (browser) => {
  const mayComplain = /status of (?:401|403)|ERR_CONNECTION_REFUSED|Failed to load resource/;

  test('a session that ends while typing takes nothing away: signing in, and it goes on', () =>
    browser.visit({ url: keywright.url, path: PATH, mayComplain }, async (page) => {
      await says(verdictOf(page), 'checkout-paid');
      const [cookie] = await page.context().cookies();
      await page.context().clearCookies();
      await paste(page, rulesOf(page), SMALL.replace('My own', 'An unsaved'));
      const notice = page.locator('[data-notice]');
      await says(notice, 'Your session has ended. What you typed is kept');
      // Nothing takes the keyboard away from whoever is typing.
      await page.keyboard.insertText('# typed on\n');
      await says(rulesOf(page), '# typed on');
      await expectAccessible(page);

      // In place.
      await notice.getByRole('button', { name: 'Sign in again' }).click();
      await page.getByLabel('Admin token').fill(ADMIN_TOKEN);
      await page.keyboard.press('Enter');
      await says(verdictOf(page), 'An unsaved reason.');
      await says(rulesOf(page), '# typed on');

      // In another tab: the token of this page is then of an older session.
      expect(cookie?.value).toBeDefined();
      await page.context().clearCookies();
      const other = await page.context().newPage();
      await other.goto('/console');
      await other.getByLabel('Admin token').fill(ADMIN_TOKEN);
      await other.keyboard.press('Enter');
      await other.getByRole('heading', { name: 'Overview' }).waitFor();
      await other.close();
      await page.bringToFront();
      await paste(page, rulesOf(page), SMALL.replace('My own', 'A third'));
      await says(verdictOf(page), 'A third reason.');
    }));

  test('a server that is away is waited for, and what was typed is tried when it is back', () =>
    browser.visit({ url: keywright.url, path: PATH, mayComplain }, async (page) => {
      await says(verdictOf(page), 'checkout-paid');
      await page.context().setOffline(true);
      await paste(page, rulesOf(page), SMALL);
      await says(page.locator('[data-notice]'), 'The server does not answer');
      await page.context().setOffline(false);
      await says(verdictOf(page), 'My own reason.');
      expect(await page.locator('[data-notice]').innerText()).toBe('');
    }));

  test('what is too large is said, and an answer that comes late never replaces a newer one', () =>
    browser.visit({ url: keywright.url, path: PATH }, async (page) => {
      await says(verdictOf(page), 'checkout-paid');
      // The first answer is held back until the second one is shown.
      let release: () => void = () => undefined;
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      await page.route('**/console/playground', async (route) => {
        const isFirst = route.request().postData()?.includes('The older') === true;
        const response = await route.fetch();
        if (isFirst) await released;
        await route.fulfill({ response });
      });
      await paste(page, rulesOf(page), SMALL.replace('My own', 'The older'));
      await page.waitForRequest((request) => request.postData()?.includes('The older') === true);
      await paste(page, rulesOf(page), SMALL.replace('My own', 'The newer'));
      await says(verdictOf(page), 'The newer reason.');
      const late = page.waitForResponse(
        (response) => response.request().postData()?.includes('The older') === true,
      );
      release();
      await late;
      await says(verdictOf(page), 'The newer reason.');
      await page.unroute('**/console/playground');

      await paste(page, rulesOf(page), `# ${'x'.repeat(600_000)}`);
      await says(page.locator('[data-result]'), 'larger than 512 KiB');
    }));

  test('text that means harm stays text, wherever it stands', () =>
    browser.visit({ url: keywright.url, path: PATH }, async (page) => {
      await says(verdictOf(page), 'checkout-paid');
      const event = sampleBody('stripe', 'checkout.session.completed-payment');
      // Others are no e-mail address and no name.
      const harm = HOSTILE.filter((text) => !/\p{C}/u.test(text)).join(' ');
      const object = (event['data'] as { object: JsonObject }).object;
      object['customer_details'] = { email: `"${harm}"@example.com`, name: harm };
      object['id'] = harm;
      await paste(
        page,
        page.getByRole('textbox', { name: 'Event, as JSON' }),
        JSON.stringify(event),
      );
      await says(page.locator('[data-result]'), '<script>alert(1)</script>');
      const texts = [...new Set(HOSTILE)].map((text) => JSON.stringify(text));
      const members = texts.map((text) => `    ${text}: ${text}\n`).join('');
      await paste(page, rulesOf(page), `${SMALL}${members}`);
      await says(page.locator('[data-findings]'), /\d\d errors/);
      // No dialog, no request elsewhere, nothing refused by the policy: `visit` looks for all three.
      expect(
        await page
          .locator('[data-result] :is(script, img, svg), [data-problems] :is(script, img, svg)')
          .count(),
      ).toBe(0);
    }));

  test('works on a narrow screen in the dark', () =>
    browser.visit(
      {
        url: keywright.url,
        path: PATH,
        colorScheme: 'dark',
        viewport: { width: 360, height: 740 },
      },
      async (page) => {
        await says(verdictOf(page), 'checkout-paid');
        const width = await page
          .locator('html')
          .evaluate((element) => (element as unknown as { scrollWidth: number }).scrollWidth);
        expect(width).toBeLessThanOrEqual(360);
        await expectAccessible(page);
      },
    ));
});
