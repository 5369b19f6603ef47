// Answers of Cryptlex that lack a member: what nobody reads may be missing, and what is read is never taken for
// "no" or "none": the event is tried again and says which member it was, and nothing is written.

import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { createBench, type Step, writesOf } from './bench.ts';

const FIND = { metadata: { sub: 's1' } };
const LICENSE = {
  id: 'l1',
  productId: 'p1',
  user: 'u1',
  expiresAt: '2026-03-01T00:00:00Z',
  subscriptionInterval: 'P1M',
  metadata: { sub: 's1' },
};
const GIVEN = {
  users: [{ id: 'u1', email: 'ann@example.com' }],
  licenseTemplates: [{ id: 't1', name: 'Yearly' }],
};

const MEMBERS = [
  ...['key', 'productId', 'revoked', 'suspended', 'expiresAt', 'user', 'userId', 'metadata'],
  ...['createdAt', 'subscriptionInterval', 'allowedActivations', 'email', 'role', 'name'],
] as const;

function without(...members: readonly string[]) {
  return (item: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(item).filter(([name]) => !members.includes(name)));
}

interface Row {
  readonly step: Step;
  readonly reads: readonly string[];
  readonly suspended?: boolean;
}

const ROWS: Readonly<Record<string, Row>> = {
  suspend: {
    step: { action: 'license.suspend', input: { find: FIND } },
    reads: ['metadata', 'suspended'],
  },
  resume: {
    step: { action: 'license.resume', input: { find: FIND } },
    reads: ['metadata', 'suspended'],
    suspended: true,
  },
  revoke: {
    step: { action: 'license.revoke', input: { find: FIND } },
    reads: ['metadata', 'revoked'],
  },
  delete: { step: { action: 'license.delete', input: { find: FIND } }, reads: ['metadata'] },
  'set expiry': {
    step: { action: 'license.setExpiry', input: { find: FIND, expiresAt: '2027-01-01T00:00:00Z' } },
    reads: ['metadata', 'expiresAt'],
  },
  renew: {
    step: { action: 'license.renew', input: { find: FIND }, once: 'i1' },
    reads: ['metadata', 'expiresAt', 'suspended'],
  },
  update: {
    step: { action: 'license.update', input: { find: { key: 'KEY-OF-THE-LICENSE' }, notes: 'n' } },
    reads: ['key'],
  },
  'update metadata': {
    step: { action: 'license.update', input: { find: FIND, metadata: { a: 'b' } } },
    reads: ['metadata'],
  },
  'find by product': {
    step: { action: 'license.delete', input: { find: { productId: 'p1' } } },
    reads: ['productId'],
  },
  'read a template': {
    step: { action: 'licenseTemplate.get', input: { id: 't1' } },
    reads: [],
  },
  'update a user': {
    step: { action: 'user.update', input: { userId: 'u1', email: 'ann@example.org' } },
    reads: ['email'],
  },
};

describe('an answer without a member', () => {
  for (const [name, { step, reads, suspended = false }] of Object.entries(ROWS)) {
    test(`${name}: needs ${reads.join(', ') || 'none but the id'}`, async () => {
      const needed: string[] = [];
      for (const member of MEMBERS) {
        const bench = createBench({
          given: { ...GIVEN, licenses: [{ ...LICENSE, key: 'KEY-OF-THE-LICENSE', suspended }] },
          editAnswer: without(member),
        });
        const { status, reason } = await bench.run([step], { attemptsMax: 1 });
        if (status === 'done') continue;
        expect([status, reason]).toEqual([
          'queued',
          expect.stringContaining(`no member ${member}`),
        ]);
        expect(writesOf(bench)).toEqual([]);
        needed.push(member);
      }
      expect(needed.sort()).toEqual([...reads].sort());
    });
  }

  test('a sale: a license that is there and does not tell its product is not passed over', async () => {
    const bench = createBench({
      given: { ...GIVEN, licenses: [LICENSE] },
      editAnswer: without('productId'),
    });
    const sale = { productId: 'p1', userId: 'u1', metadata: { sub: 's1' } };
    const step = { action: 'license.create', input: sale, once: 's1' };
    // The look-back of an event that is not new.
    await bench.clock.advance(3_600_000);
    const { status, reason } = await bench.run([step], { attemptsMax: 1 });
    expect([status, reason]).toEqual(['queued', expect.stringContaining('no member productId')]);
    expect(writesOf(bench)).toEqual([]);
  });
});

describe('a merge of two users', () => {
  const merge: Step = {
    action: 'user.upsert',
    input: {
      find: { metadata: { customer: 'c1' } },
      email: 'ann@example.com',
      metadata: { customer: 'c1' },
      emailTaken: 'merge',
    },
  };
  const given = {
    users: [
      { id: 'u1', email: 'ann@example.com' },
      { id: 'u2', email: 'c1@placeholder.invalid', metadata: { customer: 'c1' } },
    ],
    licenses: [{ ...LICENSE, user: 'u2' }],
  };
  const ownerIn = (bench: ReturnType<typeof createBench>) =>
    bench.sandbox.state.licenses[0]?.userId;

  test('takes the owner from userId where there is no user (a server of on-premise)', async () => {
    const bench = createBench({
      given,
      editAnswer: ({ user, ...rest }) => ({
        ...rest,
        userId: (user as JsonObject | undefined)?.['id'] ?? null,
      }),
    });
    expect(await bench.run([merge])).toMatchObject({ status: 'done' });
    expect(ownerIn(bench)).toBe('u1');
  });

  test('takes it from user where there is no userId', async () => {
    const bench = createBench({
      given,
      editAnswer: without('userId'),
    });
    expect(await bench.run([merge])).toMatchObject({ status: 'done' });
    expect(ownerIn(bench)).toBe('u1');
  });

  test('leaves a license whose owner is not told, and says so', async () => {
    const bench = createBench({
      given,
      editAnswer: without('user', 'userId'),
    });
    const { status, reason } = await bench.run([merge]);
    expect([status, reason]).toEqual([
      'done',
      expect.stringContaining('license.move l1: it stays'),
    ]);
    expect(ownerIn(bench)).toBe('u2');
  });
});
