import { describe, expect, test } from 'vitest';
import { createWorkbench } from './bench.ts';

const KEY = 'ABCDEF-ABCDEF-01';

function metadata(count: number): { key: string; value: string }[] {
  return Array.from({ length: count }, (_, index) => ({ key: `k${index}`, value: 'v' }));
}

describe('creating a license', () => {
  test('takes what is left out from the template', async () => {
    const { post, sandbox } = createWorkbench();
    sandbox.seed({
      licenseTemplates: [
        { id: 't1', subscriptionInterval: 'P1M', allowedActivations: 3, type: 'hosted-floating' },
      ],
      products: [{ id: 'p1', licenseTemplateId: 't1' }],
      users: [{ id: 'u1', email: 'ada@example.com' }],
    });
    const reply = await post('/v3/licenses', { productId: 'p1', userId: 'u1' });
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({
      type: 'hosted-floating',
      allowedActivations: 3,
      subscriptionInterval: 'P1M',
      expiresAt: '2026-02-28T10:00:00.0000000Z',
      perpetual: false,
      suspended: false,
      user: { id: 'u1', email: 'ada@example.com' },
    });
    expect(reply.body.key).toMatch(/^([A-F0-9]{6}-){5}[A-F0-9]{6}$/);
    // The API does not tell which template a license was made from.
    expect(reply.body).not.toHaveProperty('licenseTemplateId');
    expect(sandbox.state.licenses[0]).toMatchObject({ licenseTemplateId: 't1', userId: 'u1' });
    expect(sandbox.violations).toEqual([]);
  });

  for (const [name, body, expected] of [
    [
      'no interval: the template’s',
      {},
      { subscriptionInterval: 'P1M', expiresAt: '2026-02-28T10:00:00.0000000Z' },
    ],
    ['null: the template’s', { subscriptionInterval: null }, { subscriptionInterval: 'P1M' }],
    ['an empty one: perpetual', { subscriptionInterval: '' }, { expiresAt: null, perpetual: true }],
    ['its own', { subscriptionInterval: 'P2W' }, { expiresAt: '2026-02-14T10:00:00.0000000Z' }],
    [
      'from activation on: no expiry yet',
      { subscriptionStartTrigger: 'activation' },
      { expiresAt: null, perpetual: false },
    ],
    [
      'a fixed expiry',
      { expiresAt: '2027-01-01T00:00:00Z' },
      { expiresAt: '2027-01-01T00:00:00.0000000Z', perpetual: false },
    ],
    [
      'an imported creation',
      { createdAt: '2025-03-31T00:00:00Z' },
      { expiresAt: '2025-04-30T00:00:00.0000000Z' },
    ],
  ] as const) {
    test(`interval: ${name}`, async () => {
      const { post } = createWorkbench({ defaultTemplate: { subscriptionInterval: 'P1M' } });
      const reply = await post('/v3/licenses', { productId: 'p', ...body });
      expect(reply.status).toBe(201);
      expect(reply.body).toMatchObject(expected);
    });
  }

  test('a template that is named counts more than the product’s; a perpetual one makes perpetual', async () => {
    const { post, sandbox } = createWorkbench();
    sandbox.seed({
      licenseTemplates: [{ id: 'forever', subscriptionInterval: null }],
      products: [{ id: 'p1' }],
    });
    const reply = await post('/v3/licenses', { productId: 'p1', licenseTemplateId: 'forever' });
    expect(reply.body).toMatchObject({ perpetual: true, expiresAt: null });
    const other = await post('/v3/licenses', { productId: 'p1' });
    expect(other.body).toMatchObject({ perpetual: false, subscriptionInterval: 'P1Y' });
  });

  for (const [name, change, status] of [
    ['5 tags', { tags: ['1', '2', '3', '4', '5'] }, 201],
    ['6 tags', { tags: ['1', '2', '3', '4', '5', '6'] }, 400],
    ['50 metadata', { metadata: metadata(50) }, 201],
    ['51 metadata', { metadata: metadata(51) }, 400],
    ['the same metadata key twice', { metadata: [...metadata(1), ...metadata(1)] }, 400],
    ['a key of 16', { key: 'x'.repeat(16) }, 201],
    ['a key of 15', { key: 'x'.repeat(15) }, 400],
    ['a key of 256', { key: 'x'.repeat(256) }, 201],
    ['a key of 257', { key: 'x'.repeat(257) }, 400],
    ['an empty key', { key: '' }, 201],
    ['version 1', { maxAllowedReleaseVersion: '1' }, 400],
    ['version 1.0', { maxAllowedReleaseVersion: '1.0' }, 201],
    ['version 1.0.0.0', { maxAllowedReleaseVersion: '1.0.0.0' }, 201],
    ['version 1.0.0.0.0', { maxAllowedReleaseVersion: '1.0.0.0.0' }, 400],
    ['version v1.0', { maxAllowedReleaseVersion: 'v1.0' }, 400],
    ['-1 activations', { allowedActivations: -1 }, 201],
    ['-2 activations', { allowedActivations: -2 }, 400],
    ['2147483647 activations', { allowedActivations: 2147483647 }, 201],
    ['2147483648 activations', { allowedActivations: 2147483648 }, 400],
    ['half an activation', { allowedActivations: 1.5 }, 400],
    ['activations as a text', { allowedActivations: '3' }, 400],
    ['no product', { productId: undefined }, 400],
    ['a nonsense interval', { subscriptionInterval: 'monthly' }, 400],
    ['an interval past the calendar', { subscriptionInterval: 'P9000Y' }, 400],
    ['a nonsense expiry', { expiresAt: 'tomorrow' }, 400],
    ['an unknown user', { userId: 'nobody' }, 400],
    ['no user', { userId: null }, 201],
    ['an unknown further user', { additionalUserIds: ['nobody'] }, 400],
  ] as const) {
    test(`${name}: ${status}`, async () => {
      const { post, sandbox } = createWorkbench();
      const body = JSON.parse(JSON.stringify({ productId: 'p', ...change }));
      const reply = await post('/v3/licenses', body);
      expect([reply.status, reply.text]).toEqual([status, expect.any(String)]);
      expect(sandbox.state.licenses).toHaveLength(status === 201 ? 1 : 0);
    });
  }

  test('a key that exists: 409; the same call without one makes a second license', async () => {
    const { post, sandbox } = createWorkbench();
    expect((await post('/v3/licenses', { productId: 'p', key: KEY })).status).toBe(201);
    expect((await post('/v3/licenses', { productId: 'q', key: KEY })).status).toBe(409);
    await post('/v3/licenses', { productId: 'p' });
    await post('/v3/licenses', { productId: 'p' });
    expect(new Set(sandbox.state.licenses.map((license) => license.key)).size).toBe(3);
  });

  for (const [name, body, status] of [
    ['a known product', { productId: 'p1' }, 201],
    ['an unknown product', { productId: 'p2' }, 400],
    ['a known template', { productId: 'p1', licenseTemplateId: 't1' }, 201],
    ['an unknown template', { productId: 'p1', licenseTemplateId: 't2' }, 400],
  ] as const) {
    test(`closed lists: ${name} is ${status}`, async () => {
      const { post } = createWorkbench({ knownProducts: ['p1'], knownTemplates: ['t1'] });
      expect((await post('/v3/licenses', body)).status).toBe(status);
    });
  }

  test('metadata that the template requires has to be there', async () => {
    const { post, sandbox } = createWorkbench();
    sandbox.seed({ licenseTemplates: [{ id: 't', requiredMetadataKeys: ['k0'] }] });
    const body = { productId: 'p', licenseTemplateId: 't' };
    expect((await post('/v3/licenses', body)).status).toBe(400);
    expect((await post('/v3/licenses', { ...body, metadata: metadata(1) })).status).toBe(201);
  });

  test('a template is readable; an unknown one of a closed list is 404', async () => {
    const { get } = createWorkbench({ knownTemplates: ['t1'] });
    const reply = await get('/v3/license-templates/t1');
    expect(reply.body).toMatchObject({ id: 't1', subscriptionInterval: 'P1Y' });
    expect((await get('/v3/license-templates/t2')).status).toBe(404);
  });
});

describe('changing a license', () => {
  test('suspends, and passes over what its model does not hold, noting it', async () => {
    const { patch, sandbox } = createWorkbench();
    sandbox.seed({ licenses: [{ id: 'l1', subscriptionInterval: 'P1M' }] });
    const reply = await patch('/v3/licenses/l1', { suspended: true, subscriptionInterval: 'P1Y' });
    expect(reply.body).toMatchObject({ suspended: true, subscriptionInterval: 'P1M' });
    expect(sandbox.violations).toEqual([
      {
        method: 'PATCH',
        path: '/v3/licenses/l1',
        message: expect.stringContaining('subscriptionInterval'),
      },
    ]);
  });

  test('moves it to another user, or to none; an unknown one is 400', async () => {
    const { patch, sandbox } = createWorkbench();
    sandbox.seed({ users: [{ id: 'u2' }], licenses: [{ id: 'l1', user: 'a@x.de' }] });
    expect((await patch('/v3/licenses/l1', { userId: 'u2' })).body.user?.id).toBe('u2');
    expect((await patch('/v3/licenses/l1', { userId: 'nobody' })).status).toBe(400);
    expect((await patch('/v3/licenses/l1', { userId: null })).body.user).toBe(null);
  });

  for (const [mode, keys] of [
    ['replace', ['b']],
    ['merge', ['a', 'b']],
  ] as const) {
    test(`metadata by ${mode}; the search follows`, async () => {
      const { patch, get, sandbox } = createWorkbench({ metadataPatch: mode });
      sandbox.seed({ licenses: [{ id: 'l1', metadata: { a: '1' } }] });
      const before = sandbox.state.licenses[0]?.metadata[0]?.id;
      const reply = await patch('/v3/licenses/l1', { metadata: [{ key: 'b', value: '2' }] });
      const entries = reply.body.metadata ?? [];
      expect(entries.map((entry) => entry.key)).toEqual(keys);
      expect(entries[0]?.id === before).toBe(mode === 'merge');
      const old = await get('/v3/licenses?metadata.key[eq]=a&metadata.value[eq]=1');
      expect(old.list).toHaveLength(mode === 'merge' ? 1 : 0);
      expect((await get('/v3/licenses?metadata.value[eq]=2')).list).toHaveLength(1);
    });
  }

  test('a key of another license is 400: no 409 is declared here', async () => {
    const { patch, sandbox } = createWorkbench();
    sandbox.seed({ licenses: [{ id: 'l1', key: KEY }, { id: 'l2' }] });
    expect((await patch('/v3/licenses/l2', { key: KEY })).status).toBe(400);
    expect((await patch('/v3/licenses/l1', { key: KEY })).status).toBe(200);
  });

  test('deletes for good: 204 without a body, then 404 everywhere', async () => {
    const { call, get, patch, post, sandbox } = createWorkbench();
    sandbox.seed({ licenses: [{ id: 'l1', metadata: { a: '1' } }] });
    const reply = await call('DELETE', '/v3/licenses/l1');
    expect([reply.status, reply.text]).toEqual([204, '']);
    expect((await call('DELETE', '/v3/licenses/l1')).status).toBe(404);
    expect((await get('/v3/licenses/l1')).status).toBe(404);
    expect((await patch('/v3/licenses/l1', { suspended: true })).status).toBe(404);
    expect((await post('/v3/licenses/l1/renew')).status).toBe(404);
    expect((await get('/v3/licenses?metadata.value[eq]=1')).list).toEqual([]);
  });
});

describe('renewing and setting the expiry', () => {
  test('adds to the stored expiry, however long ago, and again with each call', async () => {
    const { post, sandbox } = createWorkbench();
    sandbox.seed({
      licenses: [{ id: 'l1', subscriptionInterval: 'P1M', expiresAt: '2024-01-31' }],
    });
    expect((await post('/v3/licenses/l1/renew')).body.expiresAt).toBe(
      '2024-02-29T00:00:00.0000000Z',
    );
    const again = await post('/v3/licenses/l1/renew');
    expect([again.status, again.body.expiresAt]).toEqual([200, '2024-03-29T00:00:00.0000000Z']);
  });

  test('leaves a suspension alone', async () => {
    const { post, sandbox } = createWorkbench();
    sandbox.seed({ licenses: [{ id: 'l1', suspended: true }] });
    expect((await post('/v3/licenses/l1/renew')).body.suspended).toBe(true);
  });

  test('counts the older validity in seconds where there is no interval', async () => {
    const { post, sandbox } = createWorkbench({ defaultTemplate: { subscriptionInterval: null } });
    sandbox.seed({ licenses: [{ id: 'l1', validity: 86_400, expiresAt: '2026-01-01' }] });
    expect((await post('/v3/licenses/l1/renew')).body.expiresAt).toBe(
      '2026-01-02T00:00:00.0000000Z',
    );
  });

  for (const status of [400, 409, 200] as const) {
    for (const [name, given] of [
      ['perpetual', { perpetual: true }],
      [
        'not activated yet',
        { subscriptionStartTrigger: 'activation', subscriptionInterval: 'P1M' },
      ],
    ] as const) {
      test(`a license that is ${name}: ${status}, unchanged`, async () => {
        const { post, sandbox } = createWorkbench({ renewWithoutExpiry: status });
        sandbox.seed({ licenses: [{ id: 'l1', ...given }] });
        expect((await post('/v3/licenses/l1/renew')).status).toBe(status);
        expect(sandbox.state.licenses[0]?.expiresAt).toBe(null);
      });
    }
  }

  test('sets an exact moment, twice the same', async () => {
    const { patch, sandbox } = createWorkbench();
    sandbox.seed({ licenses: [{ id: 'l1' }] });
    for (const expiresAt of ['2026-03-01T00:00:00.1234567Z', '2026-03-01T00:00:00.1234567Z']) {
      const reply = await patch('/v3/licenses/l1/expires-at', { expiresAt });
      expect([reply.status, reply.body.expiresAt]).toEqual([200, '2026-03-01T00:00:00.1230000Z']);
    }
  });

  for (const [name, options, body, status] of [
    ['null', {}, { expiresAt: null }, 400],
    ['nothing', {}, {}, 400],
    ['a date that is none', {}, { expiresAt: '2026-02-30' }, 400],
    ['on a perpetual license', {}, { expiresAt: '2026-03-01T00:00:00Z' }, 400],
    [
      'on a perpetual license, allowed',
      { expiryOnPerpetual: 200 },
      { expiresAt: '2026-03-01T00:00:00Z' },
      200,
    ],
  ] as const) {
    test(`${name}: ${status}`, async () => {
      const { patch, sandbox } = createWorkbench(options);
      sandbox.seed({ licenses: [{ id: 'l1', perpetual: true }] });
      expect((await patch('/v3/licenses/l1/expires-at', body)).status).toBe(status);
      expect(sandbox.state.licenses[0]?.perpetual).toBe(status !== 200);
    });
  }
});
