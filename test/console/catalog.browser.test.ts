// The catalog, as somebody looks at it who wonders what is sold and whether Cryptlex knows it.

import { afterAll, beforeAll } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { type Keywright, PRODUCT_ID, sampleBody, startKeywright } from '../support/keywright.ts';
import { ADMIN_TOKEN, describeInBrowser, expect, expectAccessible, test } from './browser.ts';
import { HOSTILE } from './hostile.ts';

const PRODUCT = '7c1d0f8e-2f5a-4a55-9a3e-0b7f3a3a9b10';
const UNKNOWN = '0b8f6a1c-6d53-4c0e-8b43-7e1f6f0f7c55';
const TEMPLATE = '51d0c7e2-88a1-4f0b-b6f4-0d5d7a1c2e33';

const SAMPLE = 'checkout.session.completed-payment-link';
const { object } = sampleBody('stripe', SAMPLE)['data'] as { object: JsonObject };
const LINK = String(object['payment_link']);

const ENTRIES = [
  `${LINK}: { productId: ${PRODUCT}, licenseTemplateId: ${TEMPLATE}, subscriptionInterval: P1Y }`,
  `lifetime: { productId: ${UNKNOWN}, subscriptionInterval: "", allowedActivations: 3 }`,
  ...[...new Set(HOSTILE)].map(
    (text) =>
      `${JSON.stringify(text)}: { productId: ${JSON.stringify(text)}, entitlementSetId: ${JSON.stringify(text)} }`,
  ),
  ...Array.from({ length: 120 }, (_, index) => `sku-${index}: { productId: ${PRODUCT} }`),
];

let keywright: Keywright;
beforeAll(async () => {
  keywright = await startKeywright({
    providers: ['stripe'],
    env: { ADMIN_TOKEN },
    rules: {
      stripe: (text) => text.replace('catalog: {}', `catalog:\n  ${ENTRIES.join('\n  ')}`),
    },
    sandbox: { knownProducts: [PRODUCT, PRODUCT_ID], knownTemplates: [TEMPLATE] },
  });
  const answer = await keywright.sendSample('stripe', SAMPLE);
  expect(answer.json).toMatchObject({ status: 'done' });
});
afterAll(() => keywright.close());

describeInBrowser('the catalog', (browser) => {
  test('shows what is sold, looks the ids up when asked, and counts what was made', () =>
    browser.visit({ url: keywright.url, path: '/console/catalog' }, async (page) => {
      const row = (key: string) => page.getByRole('row').filter({ hasText: key });
      await row('lifetime').getByText('perpetual').waitFor();
      await row('lifetime').getByText('allowedActivations: 3').waitFor();
      // The sale by the payment link; the link leads to its event.
      expect(await row('plink_').locator('td.number').innerText()).toBe('1');
      expect(await row('plink_').getByRole('link').last().getAttribute('href')).toContain('evt_');
      expect(await row('lifetime').innerText()).toContain('none yet');
      const asked = () =>
        keywright.sandbox.requests.filter(({ path }) => path.startsWith('/v3/products')).length;
      expect(asked()).toBe(0);
      await expectAccessible(page);

      await page.getByRole('button', { name: 'Look the ids up in Cryptlex' }).click();
      await page.getByText('Looked up in Cryptlex').waitFor();
      await row('plink_').getByText('known', { exact: true }).first().waitFor();
      await row('lifetime').getByText('not known').waitFor();
      const once = asked();
      expect(once).toBeGreaterThan(0);
      await expectAccessible(page);
      // Kept for a while: neither a view nor another press asks again.
      await page.goto('/console/catalog');
      await row('lifetime').getByText('not known').waitFor();
      await page.getByRole('button', { name: 'Look the ids up in Cryptlex' }).click();
      await row('lifetime').getByText('not known').waitFor();
      expect(asked()).toBe(once);

      // Nothing of what stands in a catalog is taken for HTML.
      await page.getByText('<script>alert(1)</script>').first().waitFor();
      expect(await page.locator('main :is(script, img)').count()).toBe(0);

      // 50 rows of a page, by key, product or template.
      expect(await page.locator('tbody tr').count()).toBe(50);
      await page.getByRole('link', { name: 'Next 50' }).click();
      await row('sku-45').waitFor();
      await page.getByLabel('Key, product or template').fill('sku-11');
      await page.keyboard.press('Enter');
      await page.getByText('11 of').waitFor();
    }));
});
