// What must never happen: a license of a stranger touched, too many deleted, one issued twice for a sale,
// an administrator changed.

import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { callsOf, createBench, type Step, writesOf } from './bench.ts';

const FIND = { metadata: { sub: 's1' } };

const EACH_ACTION: readonly (readonly [string, Step])[] = [
  ['suspend', { action: 'license.suspend', input: { find: FIND } }],
  ['resume', { action: 'license.resume', input: { find: FIND } }],
  ['revoke', { action: 'license.revoke', input: { find: FIND } }],
  ['delete', { action: 'license.delete', input: { find: FIND } }],
  ['update', { action: 'license.update', input: { find: FIND, notes: 'n' } }],
  [
    'setExpiry',
    { action: 'license.setExpiry', input: { find: FIND, expiresAt: '2027-01-01T00:00:00Z' } },
  ],
  [
    'renew',
    { action: 'license.renew', input: { find: FIND, whenSuspended: { resume: true } }, once: 'i' },
  ],
];

describe('the licenses of strangers', () => {
  // Each is what Cryptlex may answer to a search for sub = s1, by what is not known of its filters.
  const strangers = [
    { id: 'x1', metadata: { sub: 'other', ref: 's1' } },
    { id: 'x2', metadata: { sub: 'S1', ref: 's1' } },
    { id: 'x3', metadata: { SUB: 's1', sub: 's1 ', other: 's1' } },
  ].map((license) => ({
    ...license,
    productId: 'p1',
    suspended: true,
    expiresAt: '2026-03-01T00:00:00Z',
  }));

  for (const [name, step] of EACH_ACTION) {
    test(`${name}: those that the API answers along are never touched`, async () => {
      const own = {
        ...strangers[0],
        id: 'own',
        suspended: name !== 'suspend',
        metadata: { sub: 's1' },
      };
      const bench = createBench({
        given: { licenses: [...strangers, own] },
        sandbox: { metadataMatch: 'anyEntry' },
      });
      expect(await bench.run([step])).toMatchObject({ status: 'done', licenseIds: ['own'] });
      expect(writesOf(bench).filter((call) => !call.includes('/own'))).toEqual([]);
      expect(writesOf(bench)).not.toEqual([]);
    });

    for (const [what, find] of [
      ['its only criterion', { metadata: { sub: { $ref: 'user.nothing' } } }],
      ['one of two entries', { metadata: { ref: 's1', sub: { $ref: 'user.nothing' } } }],
      ['one of two criteria', { productId: { $ref: 'user.nothing' }, ...FIND }],
      ['all alternatives', { metadata: { sub: { $firstOf: [{ $ref: 'user.nothing' }, ''] } } }],
      ['the user', { userId: { $ref: 'user.nothing' } }],
    ] as const) {
      test(`${name}: a search that loses ${what} in the run is refused`, async () => {
        const bench = createBench({ given: { licenses: strangers } });
        const input = { ...step.input, find: find as JsonObject };
        const { status, failure } = await bench.run([{ ...step, input }]);
        expect([status, failure?.code]).toEqual(['failed', 'FILTER_EMPTY']);
        expect(callsOf(bench)).toEqual([]);
      });
    }
  }

  test('a user is not looked up by address when its search lost its value', async () => {
    const bench = createBench({ given: { users: [{ email: 'a@example.com' }] } });
    const { failure } = await bench.run([
      {
        action: 'user.upsert',
        input: {
          email: 'a@example.com',
          firstName: 'X',
          find: { metadata: { c: { $ref: 'u.id' } } },
        },
      },
    ]);
    expect(failure?.code).toBe('FILTER_EMPTY');
    expect(callsOf(bench)).toEqual([]);
  });

  test('more than one page of them is read before the first is changed', async () => {
    const licenses = Array.from({ length: 150 }, (_, index) => ({
      id: `l${index}`,
      productId: 'p1',
      metadata: { sub: 's1' },
    }));
    const bench = createBench({ given: { licenses } });
    await bench.run([{ action: 'license.delete', input: { find: FIND } }], { maxDelete: 150 });
    expect(bench.sandbox.state.licenses).toEqual([]);
    expect(callsOf(bench).slice(0, 3)).toEqual([
      'GET /v3/licenses',
      'GET /v3/licenses',
      'DELETE /v3/licenses/l0',
    ]);
  });
});

describe('maxDelete', () => {
  const licenses = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      id: `l${index}`,
      productId: 'p1',
      metadata: { sub: 's1' },
    }));
  const steps: readonly Step[] = [{ action: 'license.delete', input: { find: FIND } }];

  for (const [count, status] of [
    [3, 'done'],
    [4, 'failed'],
  ] as const) {
    test(`of 3 with ${count} licenses that Keywright did not make: ${status}`, async () => {
      const bench = createBench({ given: { licenses: licenses(count) } });
      const outcome = await bench.run(steps, { maxDelete: 3 });
      expect(outcome.status).toBe(status);
      expect(bench.sandbox.state.licenses).toHaveLength(status === 'done' ? 0 : count);
      if (status === 'failed') expect(outcome.failure?.code).toBe('DELETE_TOO_MANY');
    });
  }

  test('does not count those that Keywright made', async () => {
    const bench = createBench({ given: { licenses: licenses(3) } });
    const create = { productId: 'p2', quantity: 5, metadata: { sub: 's1' } };
    await bench.run([{ action: 'license.create', input: create, once: 'sale' }], { id: 'evt_0' });
    expect(bench.sandbox.state.licenses).toHaveLength(8);
    expect(await bench.run(steps, { maxDelete: 3 })).toMatchObject({ status: 'done' });
    expect(bench.sandbox.state.licenses).toEqual([]);
  });
});

describe('a sale that is licensed already', () => {
  const create = (productId: string, more: object = {}): Step => ({
    action: 'license.create',
    input: { productId, metadata: { sub: 's1' }, ...more },
    once: 'sale-1',
  });

  test('as another product is a conflict that shows both, and nothing is made', async () => {
    const bench = createBench();
    const first = await bench.run([create('p1')], { id: 'evt_1' });
    const { status, failure } = await bench.run([create('p2')], { id: 'evt_2' });
    expect([status, failure?.code]).toEqual(['failed', 'CONFLICT']);
    expect(failure?.message).toMatch(/p1.*p2/);
    expect(failure?.message).toContain(first.licenseIds?.[0]);
    expect(bench.sandbox.state.licenses).toHaveLength(1);
  });

  test('as another product by a process that remembers nothing is a conflict, too', async () => {
    const one = createBench();
    await one.run([create('p1')]);
    const [made] = one.sandbox.state.licenses;
    const metadata = Object.fromEntries(
      (made?.metadata ?? []).map(({ key, value }) => [key, value]),
    );
    const bench = createBench({ given: { licenses: [{ id: 'l1', productId: 'p1', metadata }] } });
    expect((await bench.run([create('p2')])).failure?.code).toBe('CONFLICT');
    expect(writesOf(bench)).toEqual([]);
    // The same product is found, and nothing is made either.
    expect(await bench.run([create('p1')], { id: 'evt_2' })).toMatchObject({
      status: 'done',
      licenseIds: ['l1'],
    });
    expect(writesOf(bench)).toEqual([]);
  });

  for (const [name, quantity, made] of [
    ['one of one', 1, 0],
    ['one of three', 3, 2],
  ] as const) {
    test(`by other software counts for ${name}`, async () => {
      const bench = createBench({
        given: { licenses: [{ id: 'old', productId: 'p1', metadata: { sub: 's1' } }] },
      });
      const outcome = await bench.run([create('p1', { quantity })]);
      expect(outcome.licenseIds).toContain('old');
      expect(bench.sandbox.state.licenses).toHaveLength(1 + made);
      expect(writesOf(bench)).toHaveLength(made);
    });
  }

  test('by other software does not count for two lines of the sale', async () => {
    const bench = createBench({
      given: { licenses: [{ id: 'old', productId: 'p1', metadata: { sub: 's1' } }] },
    });
    const lines = ['1', '2'].map((unitKey) => ({ ...create('p1'), unitKey }));
    await bench.run(lines);
    await bench.run(lines, { id: 'evt_2' });
    expect(bench.sandbox.state.licenses).toHaveLength(2);
  });

  for (const [name, other] of [
    ['for another product', { productId: 'p9', metadata: { sub: 's1' } }],
    ['for another sale', { productId: 'p1', metadata: { sub: 's2' } }],
    ['with one of two entries', { productId: 'p1', metadata: { sub: 's1' }, second: 'x' }],
  ] as const) {
    test(`by other software ${name} does not count`, async () => {
      const { productId, metadata } = other;
      const bench = createBench({ given: { licenses: [{ productId, metadata }] } });
      const wanted = 'second' in other ? { metadata: { sub: 's1', driver: 'addon_x' } } : {};
      await bench.run([create('p1', wanted)]);
      expect(bench.sandbox.state.licenses).toHaveLength(2);
    });
  }
});

describe('somebody who works for the seller', () => {
  const given = {
    users: [{ id: 'boss', email: 'boss@example.com', firstName: 'Boss', role: 'admin' }],
  };
  const event = { email: 'boss@example.com', firstName: 'Buyer', lastName: 'Smith' };

  for (const action of ['user.insert', 'user.upsert', 'user.update'] as const) {
    test(`${action}: is found, never renamed, and keeps the role`, async () => {
      const bench = createBench({ given });
      expect(await bench.run([{ action, input: event }])).toMatchObject({ userId: 'boss' });
      expect(bench.sandbox.state.users).toMatchObject([
        { firstName: 'Boss', email: 'boss@example.com', role: 'admin', lastName: null },
      ]);
      expect(writesOf(bench)).toEqual([]);
    });
  }

  test('gets metadata and licenses all the same', async () => {
    const bench = createBench({ given });
    const input = { ...event, metadata: { customer: 'c1' } };
    await bench.run([
      { action: 'user.upsert', input, as: 'user' },
      {
        action: 'license.create',
        input: { productId: 'p1', userId: { $ref: 'user.id' }, metadata: { sub: 's1' } },
        once: 'sale-1',
      },
    ]);
    expect(bench.sandbox.state.users[0]).toMatchObject({
      firstName: 'Boss',
      role: 'admin',
      metadata: [{ key: 'customer', value: 'c1', viewPermissions: [] }],
    });
    expect(bench.sandbox.state.licenses[0]?.userId).toBe('boss');
  });

  test('no request ever changes a role, and a new user gets the role of a customer', async () => {
    const bench = createBench({ given: { users: [{ email: 'a@example.com', role: 'user' }] } });
    for (const email of ['a@example.com', 'b@example.com']) {
      const input = { email, firstName: 'New', metadata: { c: email } };
      await bench.run([{ action: 'user.upsert', input }], { id: email });
    }
    const sent = bench.sandbox.requests.filter(({ method }) => method !== 'GET');
    expect(sent.map(({ method, body }) => [method, (body as { role?: string }).role])).toEqual([
      ['PATCH', undefined],
      ['POST', 'user'],
    ]);
  });
});

describe('a license that is not there', () => {
  for (const [name, step] of EACH_ACTION) {
    const withMissing = (missing: string): Step => ({ ...step, input: { ...step.input, missing } });

    test(`${name}: waits, then fails after the horizon with what was searched`, async () => {
      const bench = createBench();
      const waiting = await bench.run([step], { waitForMs: 60_000 });
      expect(waiting).toMatchObject({ status: 'waiting' });
      expect(waiting.reason).toContain('sub = s1');
    });

    test(`${name}: missing: fail fails, missing: ignore is done`, async () => {
      const bench = createBench();
      expect(await bench.run([withMissing('fail')])).toMatchObject({
        status: 'failed',
        failure: { code: 'LICENSE_NOT_FOUND' },
      });
      expect(await bench.run([withMissing('ignore')])).toMatchObject({ status: 'done' });
      expect(writesOf(bench)).toEqual([]);
    });
  }

  test('what a delete took away in an earlier attempt is not waited for', async () => {
    const licenses = [{ id: 'l1', productId: 'p1', metadata: { sub: 's1' } }];
    const bench = createBench({ given: { licenses } });
    const effect = { kind: 'timeout', when: 'afterCommit' } as const;
    bench.sandbox.faults.add({ method: 'DELETE', call: 1, effect });
    const outcome = await bench.run([{ action: 'license.delete', input: { find: FIND } }]);
    expect(outcome).toMatchObject({ status: 'done', attempts: 2 });
  });
});

describe('a definite refusal', () => {
  for (const status of [400, 404, 409] as const) {
    test(`${status} to a create is final: nothing is repeated, and a later event may do it`, async () => {
      const bench = createBench();
      const create: Step = {
        action: 'license.create',
        input: { productId: 'p1', quantity: 3, metadata: { sub: 's1' } },
        once: 'sale-1',
      };
      const effect = { kind: 'status', status, body: 'text' } as const;
      bench.sandbox.faults.add({ method: 'POST', call: 2, effect });
      const outcome = await bench.run([create]);
      expect(outcome).toMatchObject({
        status: 'failed',
        attempts: 1,
        failure: { code: 'CRYPTLEX_REFUSED' },
      });
      expect(outcome.failure?.message).toContain(String(status));
      const made = bench.sandbox.state.licenses.length;
      expect(outcome.licenseIds ?? []).toHaveLength(made);
      expect(await bench.run([create], { id: 'evt_2' })).toMatchObject({ status: 'done' });
      expect(bench.sandbox.state.licenses).toHaveLength(3);
    });
  }

  test('a perpetual license is left as it is by a renewal, and by an expiry', async () => {
    const licenses = [{ id: 'l1', productId: 'p1', metadata: { sub: 's1' }, perpetual: true }];
    const bench = createBench({ given: { licenses } });
    const renewed = await bench.run([
      { action: 'license.renew', input: { find: FIND }, once: 'i' },
    ]);
    expect(renewed).toMatchObject({ status: 'done', licenseIds: ['l1'] });
    expect(renewed.reason).toContain('perpetual');
    const expiresAt = '2027-01-01T00:00:00Z';
    await bench.run([{ action: 'license.setExpiry', input: { find: FIND, expiresAt } }]);
    expect(writesOf(bench)).toEqual([]);
  });
});
