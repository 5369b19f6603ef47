import { describe, expect, test } from 'vitest';
import type { SandboxGiven } from '../../src/sandbox/types.ts';
import { createWorkbench } from './bench.ts';

describe('what is given', () => {
  test('is completed: a user, a license of that user, in the order of the list', async () => {
    const { sandbox, get } = createWorkbench();
    sandbox.seed({
      users: [{ email: 'Ada@x.de' }, {}],
      licenses: [
        {
          user: 'ada@X.de',
          metadata: { sub: 's1' },
          suspended: true,
          expiresAt: '2026-01-01T00:00:00Z',
        },
        { user: 'new@x.de', productId: 'p9', licenseTemplateId: 't9' },
        {},
      ],
    });
    const { users, licenses, products, licenseTemplates } = sandbox.state;
    expect(users.map((user) => user.email)).toEqual(['Ada@x.de', 'user-2@example.com', 'new@x.de']);
    expect(users[0]).toMatchObject({ firstName: 'Ada', role: 'user' });
    expect(licenses).toMatchObject([
      {
        user: { email: 'Ada@x.de' },
        suspended: true,
        expiresAt: '2026-01-01T00:00:00.0000000Z',
        subscriptionInterval: 'P1Y',
        metadata: [{ key: 'sub', value: 's1', viewPermissions: [] }],
      },
      {
        user: { email: 'new@x.de' },
        productId: 'p9',
        licenseTemplateId: 't9',
        expiresAt: '2027-01-31T10:00:00.0000000Z',
      },
      { user: null, productId: 'product-1' },
    ]);
    expect(products.map((product) => product.id)).toEqual(['product-1', 'p9']);
    expect(licenseTemplates.map((template) => template.id)).toContain('t9');
    // Each of them is a whole answer.
    expect((await get('/v3/licenses')).list).toHaveLength(3);
    expect((await get('/v3/users')).list).toHaveLength(3);
    expect(sandbox.violations).toEqual([]);
  });

  test('may name an owner by id, and null members stay null', () => {
    const { sandbox } = createWorkbench();
    sandbox.seed({ licenses: [{ user: 'u7', expiresAt: null, perpetual: false }] });
    expect(sandbox.state.licenses[0]).toMatchObject({
      userId: 'u7',
      expiresAt: null,
      perpetual: false,
    });
  });

  test('is there beside closed lists, and opens them for what it names', async () => {
    const { sandbox, post } = createWorkbench({ knownProducts: [], knownTemplates: [] });
    sandbox.seed({ products: [{ id: 'p' }], licenses: [{ productId: 'q' }] });
    expect((await post('/v3/licenses', { productId: 'p' })).status).toBe(201);
    expect((await post('/v3/licenses', { productId: 'q' })).status).toBe(201);
    expect((await post('/v3/licenses', { productId: 'r' })).status).toBe(400);
  });

  for (const [name, given] of [
    ['a misspelt list', { license: [] }],
    ['a misspelt member', { licenses: [{ suspend: true }] }],
    ['a misspelt member of a user', { users: [{ mail: 'a@x.de' }] }],
    ['a misspelt member of a template', { licenseTemplates: [{ interval: 'P1M' }] }],
    ['a date that is none', { licenses: [{ expiresAt: 'tomorrow' }] }],
    ['an interval that is none', { licenses: [{ subscriptionInterval: '1 month' }] }],
    ['one address twice', { users: [{ email: 'a@x.de' }, { email: 'A@x.de' }] }],
    ['one user id twice', { users: [{ id: 'u' }, { id: 'u' }] }],
    ['one license id twice', { licenses: [{ id: 'l' }, { id: 'l' }] }],
    ['one key twice', { licenses: [{ key: 'x'.repeat(16) }, { key: 'x'.repeat(16) }] }],
    ['metadata that is no text', { licenses: [{ metadata: [{ key: 'k', value: 1 }] }] }],
  ] as const) {
    test(`${name} is told`, () => {
      const { sandbox } = createWorkbench();
      expect(() => sandbox.seed(given as unknown as SandboxGiven)).toThrow(
        expect.objectContaining({ code: 'INPUT_UNREADABLE' }),
      );
    });
  }

  test('is forgotten by clear, and ids begin anew', async () => {
    const { sandbox, get } = createWorkbench();
    const fill = () => {
      sandbox.seed({ licenses: [{ user: 'a@x.de', metadata: { k: 'v' }, key: 'x'.repeat(16) }] });
      return structuredClone(sandbox.state.licenses);
    };
    const first = fill();
    await get('/v3/nothing');
    sandbox.clear();
    expect(sandbox.state.licenses).toEqual([]);
    expect(sandbox.state.users).toEqual([]);
    expect(sandbox.requests).toEqual([]);
    expect(sandbox.violations).toEqual([]);
    expect((await get('/v3/licenses?metadata.value[eq]=v')).list).toEqual([]);
    expect(fill()).toEqual(first);
  });
});
