// FastSpring's orders without webhook expansion, and items without a license beside licensed ones.
// Never a license and then an error.

import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/core/model.ts';
import {
  all,
  catalog,
  expectUntouched,
  LENS,
  onlyLicense,
  PRO,
  referencesOf,
  replacing,
  STUDIO,
  setting,
  withFastSpring,
} from './support.ts';

const REFERENCE = { fastspring_subscription_id: 'DTQVErcdZx1FvGSxKpX0ZA' };

describe('F11: webhook expansion off', () => {
  test('F11: an order without attributes is refused, saying to switch expansion on', () =>
    withFastSpring({}, async (keywright) => {
      const answer = await keywright.sendSample('fastspring', 'order.completed-no-expansion');
      expect(answer.status).toBe(400);
      expect(answer.json['message']).toMatch(/northlight-pro-monthly.*[Ww]ebhook expansion/s);
      expectUntouched(keywright);
    }));

  test('F11: it works where the catalog knows the product', () => {
    const rules = {
      fastspring: catalog(
        `northlight-pro-monthly: { productId: ${PRO}, subscriptionInterval: P1M }`,
      ),
    };
    return withFastSpring({ rules }, async (keywright) => {
      await keywright.sendSample('fastspring', 'order.completed-no-expansion');
      const license = onlyLicense(keywright);
      expect(license).toMatchObject({ productId: PRO, subscriptionInterval: 'P1M' });
      expect(referencesOf(license)).toEqual({
        fastspring_subscription_id: 'smr7KWMyMdIkxyUROL6Llw',
      });
    });
  });

  test('F11: it works where the SKU is in the catalog', () => {
    const rules = { fastspring: catalog(`NL-PRO-M: { productId: ${STUDIO} }`) };
    return withFastSpring({ rules }, async (keywright) => {
      await keywright.sendSample('fastspring', 'order.completed-no-expansion');
      expect(onlyLicense(keywright).productId).toBe(STUDIO);
    });
  });

  test('F11: an order whose items have attributes works with the account as an id', () =>
    withFastSpring({}, async (keywright) => {
      const edit = setting({
        'events.0.data.account': 'QE3TxEBxxL2cXhDUt0dGLA',
        'events.0.data.items.0.subscription': 'DTQVErcdZx1FvGSxKpX0ZA',
      });
      await keywright.sendSample('fastspring', 'order.completed', edit);
      expect(referencesOf(onlyLicense(keywright))).toEqual(REFERENCE);
    }));
});

describe('F12: an item without a license beside licensed ones', () => {
  const SKIP = replacing('default: reject', 'default: skip');

  test('F12: by default refused before anything is created, naming the item', () =>
    withFastSpring({}, async (keywright) => {
      const answer = await keywright.sendSample('fastspring', 'order.completed-mixed-cart');
      expect(answer.status).toBe(400);
      expect(answer.json['error']).toBe('RULE_REJECTED');
      expect(answer.json['message']).toMatch(/northlight-tshirt/);
      expect(answer.json['details']).toMatchObject({ userId: null, licenseIds: [] });
      expectUntouched(keywright);
    }));

  test('F12: `unlicensedItems: skip` lets it pass; the others are made', () =>
    withFastSpring({ rules: { fastspring: SKIP } }, async (keywright) => {
      const answer = await keywright.sendSample('fastspring', 'order.completed-mixed-cart');
      expect(answer.json['status']).toBe('done');
      const { licenses } = keywright.sandbox.state;
      expect(licenses.map(({ productId }) => productId)).toEqual([PRO, LENS]);
      expect(licenses.map(referencesOf)).toEqual([
        { fastspring_subscription_id: 'CllTutPJgacHIbwo8GwSUw' },
        { fastspring_order_id: 'uAY_gmInUvmRvx25ZTAFaw' },
      ]);
    }));

  test('F12: an order of T-shirts only: refused by default, ignored under skip', async () => {
    const sample = 'order.completed-unlicensed-only';
    await withFastSpring({}, async (keywright) => {
      expect((await keywright.sendSample('fastspring', sample)).status).toBe(400);
      expectUntouched(keywright);
    });
    await withFastSpring({ rules: { fastspring: SKIP } }, async (keywright) => {
      const answer = await keywright.sendSample('fastspring', sample);
      expect(answer.status).toBe(200);
      expect(answer.json['status']).toBe('ignored');
      expectUntouched(keywright);
    });
  });

  test('F12: a T-shirt in the catalog is licensed, with the setting and without', () => {
    const fastspring = all(SKIP, catalog(`NL-SHIRT-L: { productId: ${STUDIO} }`));
    return withFastSpring({ rules: { fastspring } }, async (keywright) => {
      await keywright.sendSample('fastspring', 'order.completed-mixed-cart');
      const products = keywright.sandbox.state.licenses.map(({ productId }) => productId);
      expect(products).toEqual([PRO, LENS, STUDIO]);
    });
  });

  const noExpansion: [string, (text: string) => string][] = [
    ['reject', (text) => text],
    ['skip', SKIP],
  ];
  test.each(noExpansion)(
    'F12: expansion off and no attributes: refused, saying so, under %s',
    (_, fastspring) =>
      withFastSpring({ rules: { fastspring } }, async (keywright) => {
        const answer = await keywright.sendSample('fastspring', 'order.completed-no-expansion');
        expect(answer.status).toBe(400);
        expect(answer.json['message']).toMatch(/webhook expansion/);
        expectUntouched(keywright);
      }),
  );

  test('F12, E4: several bad items are told together', () =>
    withFastSpring({}, async (keywright) => {
      const items = (body: JsonObject) =>
        (body['events'] as { data: { items: JsonObject[] } }[])[0]?.data.items ?? [];
      const answer = await keywright.sendSample('fastspring', 'order.completed-mixed-cart', {
        edit: (body) => {
          const [pro, lens] = items(body);
          if (pro !== undefined) pro['quantity'] = 0;
          if (lens !== undefined)
            delete (lens['attributes'] as JsonObject)['cryptlex_license_template_id'];
        },
      });
      expect(answer.status).toBe(400);
      const { problems } = answer.json['details'] as { problems: { message: JsonValue }[] };
      expect(problems).toHaveLength(3);
      const told = JSON.stringify(problems);
      for (const item of ['northlight-pro-monthly', 'lens-pack', 'northlight-tshirt']) {
        expect(told).toContain(item);
      }
      expectUntouched(keywright);
    }));
});
