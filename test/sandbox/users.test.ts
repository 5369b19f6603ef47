import { describe, expect, test } from 'vitest';
import { createWorkbench, USER } from './bench.ts';

describe('creating a user', () => {
  test('answers 201 with the whole user, and role user', async () => {
    const { post, sandbox } = createWorkbench();
    const reply = await post('/v3/users', { ...USER, lastName: 'Lovelace' });
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({
      id: '00000000-0000-4000-8000-000000000001',
      name: 'Ada Lovelace',
      role: 'user',
      roles: ['user'],
      createdAt: '2026-01-31T10:00:00.0000000Z',
      metadata: [],
    });
    expect(reply.body).not.toHaveProperty('password');
    expect(sandbox.state.users).toEqual([reply.body]);
    expect(sandbox.violations).toEqual([]);
  });

  for (const [name, change, status] of [
    ['a password of 8 characters', { password: '12345678' }, 201],
    ['a password of 7 characters', { password: '1234567' }, 400],
    ['a password of 256 characters', { password: 'x'.repeat(256) }, 201],
    ['a password of 257 characters', { password: 'x'.repeat(257) }, 400],
    ['a first name of 256 characters', { firstName: 'x'.repeat(256) }, 201],
    ['a first name of 257 characters', { firstName: 'x'.repeat(257) }, 400],
    ['an empty first name', { firstName: '' }, 400],
    ['an empty last name', { lastName: '' }, 201],
    ['an address without an @', { email: 'ada' }, 400],
    ['an address with + and umlauts', { email: 'jürgen+shop@exämple.com' }, 201],
    ['ten tags', { tags: Array.from({ length: 10 }, String) }, 201],
    ['eleven tags', { tags: Array.from({ length: 11 }, String) }, 400],
    ['a metadata key of 256', { metadata: [{ key: 'k'.repeat(256), value: '' }] }, 201],
    ['a metadata key of 257', { metadata: [{ key: 'k'.repeat(257), value: '' }] }, 400],
    ['an empty metadata key', { metadata: [{ key: '', value: 'v' }] }, 400],
    ['a metadata value of 4096', { metadata: [{ key: 'k', value: 'v'.repeat(4096) }] }, 201],
    ['a metadata value of 4097', { metadata: [{ key: 'k', value: 'v'.repeat(4097) }] }, 400],
    [
      'a viewer that does not exist',
      { metadata: [{ key: 'k', value: 'v', viewPermissions: ['all'] }] },
      400,
    ],
    [
      'a repeated metadata key',
      {
        metadata: [
          { key: 'k', value: '1' },
          { key: 'k', value: '2' },
        ],
      },
      400,
    ],
  ] as const) {
    test(`${name} is ${status}`, async () => {
      const { post, sandbox } = createWorkbench();
      const body = JSON.parse(JSON.stringify({ ...USER, ...change }));
      const reply = await post('/v3/users', body);
      expect(reply.status).toBe(status);
      expect(sandbox.state.users).toHaveLength(status === 201 ? 1 : 0);
      if (status === 400) expect(reply.body.message).toEqual(expect.any(String));
    });
  }

  test('an address is unique whatever its case: 409', async () => {
    const { post, sandbox } = createWorkbench();
    await post('/v3/users', USER);
    const reply = await post('/v3/users', { ...USER, email: 'ADA@Example.com' });
    expect(reply.status).toBe(409);
    expect(reply.body).toEqual({ message: expect.any(String) });
    expect(sandbox.state.users).toHaveLength(1);
  });
});

describe('changing a user', () => {
  test('changes the given members only', async () => {
    const { patch, clock, sandbox } = createWorkbench();
    sandbox.seed({ users: [{ id: 'u1', firstName: 'Ada', company: 'Engines', role: 'admin' }] });
    await clock.advance(1000);
    const reply = await patch('/v3/users/u1', { lastName: 'King' });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ name: 'Ada King', company: 'Engines', role: 'admin' });
    expect(reply.body).toMatchObject({
      createdAt: '2026-01-31T10:00:00.0000000Z',
      updatedAt: '2026-01-31T10:00:01.0000000Z',
    });
  });

  test('an address of somebody else is 400, not 409; its own in another case is fine', async () => {
    const { patch, sandbox } = createWorkbench();
    sandbox.seed({
      users: [
        { id: 'u1', email: 'a@x.de' },
        { id: 'u2', email: 'b@x.de' },
      ],
    });
    expect((await patch('/v3/users/u1', { email: 'B@x.de' })).status).toBe(400);
    expect((await patch('/v3/users/u1', { email: 'A@X.de' })).status).toBe(200);
    expect((await patch('/v3/users/u1', { email: 'c@x.de' })).status).toBe(200);
    // The old address is free again.
    expect((await patch('/v3/users/u2', { email: 'a@x.de' })).status).toBe(200);
  });

  for (const [mode, keys] of [
    ['replace', ['new']],
    ['merge', ['old', 'new']],
  ] as const) {
    test(`metadata by ${mode} leaves ${keys.join(' and ')}`, async () => {
      const { patch, get, sandbox } = createWorkbench({ metadataPatch: mode });
      sandbox.seed({ users: [{ id: 'u1', metadata: { old: '1' } }] });
      const reply = await patch('/v3/users/u1', { metadata: [{ key: 'new', value: '2' }] });
      expect(reply.body.metadata?.map((entry) => entry.key)).toEqual(keys);
      const found = await get('/v3/users?metadata.value[eq]=1');
      expect(found.list).toHaveLength(mode === 'merge' ? 1 : 0);
    });
  }

  test('nobody of that id: 404', async () => {
    const { patch, get } = createWorkbench();
    expect((await patch('/v3/users/u1', { lastName: 'x' })).status).toBe(404);
    expect((await get('/v3/users/u1')).status).toBe(404);
  });
});

describe('finding a user by e-mail', () => {
  for (const [emailFilter, found] of [
    ['caseSensitive', 0],
    ['caseBlind', 1],
  ] as const) {
    test(`in another case, ${emailFilter}: ${found}`, async () => {
      const { get, sandbox } = createWorkbench({ emailFilter });
      sandbox.seed({ users: [{ email: 'Ada+x@example.com' }] });
      const other = await get(`/v3/users?email[eq]=${encodeURIComponent('ada+x@example.com')}`);
      expect(other.list).toHaveLength(found);
      const same = await get(`/v3/users?email[eq]=${encodeURIComponent('Ada+x@example.com')}`);
      expect(same.list).toHaveLength(1);
    });
  }

  test('a + that is not encoded is a blank, and finds nobody', async () => {
    const { get, sandbox } = createWorkbench();
    sandbox.seed({ users: [{ email: 'ada+x@example.com' }] });
    expect((await get('/v3/users?email[eq]=ada+x@example.com')).list).toEqual([]);
  });
});
