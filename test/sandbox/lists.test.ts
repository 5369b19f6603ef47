import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createWorkbench, type WireObject } from './bench.ts';

const ids = (list: readonly WireObject[] | undefined) => list?.map((item) => item.id);

function seeded(options = {}) {
  const bench = createWorkbench(options);
  bench.sandbox.seed({
    licenses: [
      {
        id: 'a',
        metadata: { order: '1', sub: '9' },
        allowedActivations: 1,
        tags: ['x', 'y'],
        expiresAt: '2026-01-01',
        user: 'ada@x.de',
      },
      {
        id: 'b',
        metadata: { order: '2', sub: '1' },
        allowedActivations: 2,
        suspended: true,
        expiresAt: '2026-02-01',
        productId: 'other',
      },
      { id: 'c', allowedActivations: 3, tags: ['y'], perpetual: true, notes: 'Big one' },
    ],
  });
  return bench;
}

describe('a filter', () => {
  for (const [query, expected] of [
    ['', ['a', 'b', 'c']],
    ['id[eq]=a', ['a']],
    ['id[ne]=a', ['b', 'c']],
    ['id[in]=a,c', ['a', 'c']],
    ['id[nin]=a,c', ['b']],
    ['productId[sw]=prod', ['a', 'c']],
    ['productId[ew]=her', ['b']],
    ['productId[cn]=uct', ['a', 'c']],
    ['productId[nc]=uct', ['b']],
    ['productId[eq]=Other', []],
    ['notes[eq]=Big one', ['c']],
    ['notes[ne]=Big one', ['a', 'b']],
    ['tags[eq]=y', ['a', 'c']],
    ['tags[ne]=x', ['b', 'c']],
    ['allowedActivations[eq]=2', ['b']],
    ['allowedActivations[ne]=2', ['a', 'c']],
    ['allowedActivations[gt]=2', ['c']],
    ['allowedActivations[gte]=2', ['b', 'c']],
    ['allowedActivations[lt]=2', ['a']],
    ['allowedActivations[lte]=2', ['a', 'b']],
    ['expiresAt[lt]=2026-02-01T00:00:00Z', ['a']],
    ['expiresAt[lte]=2026-02-01T00:00:00Z', ['a', 'b']],
    ['expiresAt[eq]=2026-02-01T01:00:00%2B01:00', ['b']],
    ['suspended=true', ['b']],
    ['suspended=false', ['a', 'c']],
    ['expired=true', ['a']],
    ['expiringSoon=true', ['b']],
    ['perpetual=true', ['c']],
    ['user.email[eq]=ada@x.de', ['a']],
    ['search=BIG', ['c']],
    ['metadata.key[eq]=order&metadata.value[eq]=2', ['b']],
    ['metadata.value[in]=1,2', ['a', 'b']],
    // Not the same entry: the harsher of two readings, and the default.
    ['metadata.key[eq]=order&metadata.value[eq]=1', ['a', 'b']],
    // An empty value counts as not sent.
    ['metadata.key[eq]=order&metadata.value[eq]=', ['a', 'b']],
    ['metadata.key[eq]=&metadata.value[eq]=', ['a', 'b', 'c']],
    ['id[eq]=', ['a', 'b', 'c']],
    ['suspended=', ['a', 'b', 'c']],
    // So do names and operators that nobody knows.
    ['colour[eq]=red', ['a', 'b', 'c']],
    ['id[like]=a', ['a', 'b', 'c']],
    ['userId[eq]=nobody', ['a', 'b', 'c']],
    ['userId=nobody', []],
    ['toString=1', ['a', 'b', 'c']],
    ['sort=-allowedActivations', ['c', 'b', 'a']],
    ['sort=allowedActivations', ['a', 'b', 'c']],
    ['sort=expiresAt', ['c', 'a', 'b']],
    ['sort=-suspended', ['b', 'a', 'c']],
  ] as const) {
    test(`?${query} gives ${expected.join(' ') || 'none'}`, async () => {
      const { get } = seeded();
      const reply = await get(`/v3/licenses?${query}`);
      expect(reply.status).toBe(200);
      expect(ids(reply.list)).toEqual(expected);
    });
  }

  test('key and value in the same entry, by option', async () => {
    const { get } = seeded({ metadataMatch: 'sameEntry' });
    const reply = await get('/v3/licenses?metadata.key[eq]=order&metadata.value[eq]=1');
    expect(ids(reply.list)).toEqual(['a']);
  });

  test('the plain userId also finds licenses that the user may use besides', async () => {
    const { get, sandbox } = createWorkbench();
    sandbox.seed({
      users: [{ id: 'u1' }, { id: 'u2' }],
      licenses: [
        { id: 'a', userId: 'u1' },
        { id: 'b', userId: 'u2', additionalUserIds: ['u1'] },
      ],
    });
    expect(ids((await get('/v3/licenses?userId=u1')).list)).toEqual(['a', 'b']);
    expect(ids((await get('/v3/users?productId[eq]=product-1')).list)).toEqual(['u1', 'u2']);
  });

  for (const query of [
    'limit=0',
    'limit=101',
    'limit=ten',
    'limit=1.5',
    'page=0',
    'page=-1',
    'expiresAt[gt]=soon',
    'allowedActivations[gt]=many',
    'suspended=perhaps',
    'sort=colour',
    'sort=metadata.key',
  ]) {
    test(`?${query} is 400`, async () => {
      const reply = await seeded().get(`/v3/licenses?${query}`);
      expect([reply.status, reply.body]).toEqual([400, { message: expect.any(String) }]);
    });
  }

  for (const query of ['id[eq]=', 'colour[eq]=red', 'id[like]=a', 'id=a', 'metadata.value[eq]=']) {
    test(`?${query} is served, and remembered as a violation`, async () => {
      const { get, sandbox } = seeded();
      expect((await get(`/v3/licenses?${query}`)).status).toBe(200);
      expect(sandbox.violations).toHaveLength(1);
    });
  }
});

describe('pages', () => {
  for (const [query, count] of [
    ['', 10],
    ['?limit=1', 1],
    ['?limit=100', 100],
    ['?limit=100&page=2', 1],
    ['?limit=100&page=3', 0],
    ['?page=11', 1],
    ['?limit=', 10],
  ] as const) {
    test(`of 101 licenses, ${query || 'no limit'} gives ${count}`, async () => {
      const { get, sandbox } = createWorkbench();
      sandbox.seed({ licenses: Array.from({ length: 101 }, () => ({})) });
      expect((await get(`/v3/licenses${query}`)).list).toHaveLength(count);
    });
  }

  test('are by creation, not by arrival', async () => {
    const { get, sandbox } = createWorkbench();
    sandbox.seed({
      licenses: [
        { id: 'new' },
        { id: 'old', createdAt: '2020-01-01' },
        { id: 'mid', createdAt: '2024-01-01' },
      ],
    });
    expect(ids((await get('/v3/licenses')).list)).toEqual(['old', 'mid', 'new']);
    expect(ids((await get('/v3/licenses?sort=-createdAt')).list)).toEqual(['new', 'mid', 'old']);
  });

  test('put together are the whole, whatever the filter, the limit and the writes before', async () => {
    const license = fc.record({
      key: fc.constantFrom('a', 'b'),
      value: fc.constantFrom('1', '2', '3'),
      suspended: fc.boolean(),
      allowedActivations: fc.integer({ min: -1, max: 3 }),
    });
    const filter = fc.constantFrom<[string, (l: Wire) => boolean]>(
      ['', () => true],
      ['metadata.value[eq]=2', (l) => l.metadata.some((entry) => entry.value === '2')],
      [
        'metadata.key[eq]=a&metadata.value[ne]=1',
        (l) => l.metadata.some((e) => e.key === 'a') && l.metadata.some((e) => e.value !== '1'),
      ],
      ['suspended=true', (l) => l.suspended],
      ['allowedActivations[gte]=1', (l) => l.allowedActivations >= 1],
      ['suspended=false&allowedActivations[lt]=2', (l) => !l.suspended && l.allowedActivations < 2],
    );
    type Wire = {
      id: string;
      suspended: boolean;
      allowedActivations: number;
      metadata: { key: string; value: string }[];
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(license, { maxLength: 40 }),
        fc.array(fc.nat(60), { maxLength: 10 }),
        fc.integer({ min: 1, max: 100 }),
        filter,
        async (given, deletions, limit, [query, fits]) => {
          const { call, get, patch, sandbox } = createWorkbench();
          sandbox.seed({
            licenses: given.map(({ key, value, ...rest }) => ({
              ...rest,
              metadata: { [key]: value },
            })),
          });
          for (const place of deletions) {
            const id = sandbox.state.licenses[place]?.id;
            if (id === undefined) continue;
            if (place % 2 === 0) await call('DELETE', `/v3/licenses/${id}`);
            else await patch(`/v3/licenses/${id}`, { metadata: [{ key: 'b', value: '2' }] });
          }
          const pages: WireObject[] = [];
          for (let page = 1; ; page += 1) {
            const reply = await get(`/v3/licenses?limit=${limit}&page=${page}&${query}`);
            pages.push(...(reply.list ?? []));
            if ((reply.list ?? []).length < limit) break;
          }
          const whole = sandbox.state.licenses.filter((license) =>
            fits(license as unknown as Wire),
          );
          expect(ids(pages)).toEqual(whole.map((item) => item.id));
          expect(sandbox.violations).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a stale list', () => {
  test('does not show creations, changes and deletions until they are old enough', async () => {
    const { call, get, post, patch, clock, sandbox } = createWorkbench({ staleListMs: 1000 });
    sandbox.seed({ licenses: [{ id: 'a' }, { id: 'b', metadata: { k: '1' } }] });
    await clock.advance(5000);
    await call('DELETE', '/v3/licenses/a');
    await patch('/v3/licenses/b', { metadata: [{ key: 'k', value: '2' }] });
    const made = await post('/v3/licenses', { productId: 'p' });
    await clock.advance(999);
    expect(ids((await get('/v3/licenses')).list)).toEqual(['a', 'b']);
    expect(ids((await get('/v3/licenses?metadata.value[eq]=1')).list)).toEqual(['b']);
    expect((await get('/v3/licenses?metadata.value[eq]=2')).list).toEqual([]);
    // Reading one by its id is never stale.
    expect((await get('/v3/licenses/a')).status).toBe(404);
    await clock.advance(1);
    expect(ids((await get('/v3/licenses')).list)).toEqual(['b', made.body.id]);
    expect(ids((await get('/v3/licenses?metadata.value[eq]=2')).list)).toEqual(['b']);
  });
});
