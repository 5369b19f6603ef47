// Two events of one sale of Stripe that name two products: the earlier decides, the later is a conflict.

import { describe, expect, test } from 'vitest';
import { PRODUCT_ID } from '../support/keywright.ts';
import { catalog, onlyLicense, PRO, STUDIO, setting, withStripe, writes } from './support.ts';

const INVOICE = 'invoice.paid-subscription-create';
const CHECKOUT = 'checkout.session.completed-subscription';
const PRICE = 'price_1isOX3N0rTh7LghtkrmNkaH4';

describe('S11: two events that name two products', () => {
  const onSession = setting({ 'data.object.metadata': { CRYPTLEX_PRODUCT_ID: STUDIO } });
  const filled = { stripe: catalog(`${PRICE}: { productId: ${PRO} }`) };
  const cases = [
    ['empty catalog, checkout first', {}, [CHECKOUT, INVOICE], [STUDIO, PRODUCT_ID]],
    ['empty catalog, invoice first', {}, [INVOICE, CHECKOUT], [PRODUCT_ID, STUDIO]],
    ['filled catalog, checkout first', filled, [CHECKOUT, INVOICE], [STUDIO, PRO]],
    ['filled catalog, invoice first', filled, [INVOICE, CHECKOUT], [PRO, STUDIO]],
  ] as const;
  test.each(cases)(
    'S11: keys on the checkout alone: the earlier decides, the later is a conflict (%s)',
    (_, rules, samples, products) =>
      withStripe({ rules }, async (keywright) => {
        const send = (sample: string) =>
          keywright.sendSample('stripe', sample, sample === CHECKOUT ? onSession : {});
        const first = await send(samples[0]);
        expect(first.json['status']).toBe('done');
        const later = await send(samples[1]);
        const license = onlyLicense(keywright);
        expect(license.productId).toBe(products[0]);
        expect(later.status).toBe(400);
        expect(later.json['error']).toBe('CONFLICT');
        for (const product of products) expect(later.json['message']).toContain(product);
        expect(later.json['details']).toMatchObject({
          reason: expect.stringContaining(license.id),
        });
        expect(writes(keywright).filter((call) => call === 'POST /v3/licenses')).toHaveLength(1);
        // However often the provider asks again.
        expect((await send(samples[1])).json['error']).toBe('CONFLICT');
        onlyLicense(keywright);
      }),
  );

  test('S11: at the same moment: one license, one conflict', () =>
    withStripe({}, async (keywright) => {
      const answers = await Promise.all([
        keywright.sendSample('stripe', INVOICE),
        keywright.sendSample('stripe', CHECKOUT, onSession),
      ]);
      onlyLicense(keywright);
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400]);
    }));
});
