// Signing in, as a person does it.

import { afterAll, beforeAll } from 'vitest';
import { type Keywright, startKeywright } from '../support/keywright.ts';
import { ADMIN_TOKEN, describeInBrowser, expect, expectAccessible, test } from './browser.ts';

let keywright: Keywright;
beforeAll(async () => {
  keywright = await startKeywright({ providers: ['stripe'], env: { ADMIN_TOKEN } });
});
afterAll(() => keywright.close());

describeInBrowser('signing in', (browser) => {
  test('takes the token, and leads where one wanted to go', () =>
    browser.visit(
      {
        url: keywright.url,
        path: '/console?from=mail',
        signedIn: false,
        mayComplain: /status of 401/,
      },
      async (page) => {
        await expectAccessible(page);
        await page.getByLabel('Admin token').fill('a wrong one');
        await page.keyboard.press('Enter');
        await page.getByRole('alert').waitFor();
        await page.getByLabel('Admin token').fill(ADMIN_TOKEN);
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { name: 'Overview' }).waitFor();
        expect(page.url()).toBe(`${keywright.url}/console?from=mail`);
        await expectAccessible(page);
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.getByLabel('Admin token').waitFor();
      },
    ));
});
