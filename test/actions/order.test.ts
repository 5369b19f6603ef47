// Events that come in another order than they happened: an older one never overrides a newer one.

import { describe, expect, test } from 'vitest';
import type { PlannedStep } from '../../src/core/model.ts';
import { createBench, type Step, stateOf, writesOf } from './bench.ts';

const FIND = { metadata: { sub: 's1' } };
const GIVEN = {
  licenses: [
    {
      id: 'l1',
      productId: 'p1',
      metadata: { sub: 's1' },
      subscriptionInterval: 'P1M',
      expiresAt: '2026-02-01T00:00:00Z',
    },
  ],
};
const SUSPENDED = { licenses: GIVEN.licenses.map((license) => ({ ...license, suspended: true })) };

const suspend: Step = { action: 'license.suspend', input: { find: FIND } };
const resume: Step = { action: 'license.resume', input: { find: FIND } };
const resumeThoseSuspended: Step = {
  action: 'license.resume',
  input: { find: { ...FIND, suspended: true }, missing: 'ignore' },
};
const renew = (once: string, whenSuspended: PlannedStep['input'] = { resume: true }): Step => ({
  action: 'license.renew',
  input: { find: FIND, whenSuspended },
  once,
});
const expire = (day: string): Step => ({
  action: 'license.setExpiry',
  input: { find: FIND, expiresAt: `2026-${day}T00:00:00Z` },
});
const update = (notes: string): Step => ({
  action: 'license.update',
  input: { find: FIND, notes },
});

/** Works on events in the order given, each at its own time, and gives what has become of l1. */
async function play(given: typeof GIVEN, events: readonly (readonly [atMs: number, Step])[]) {
  const bench = createBench({ given });
  const outcomes = [];
  for (const [index, [atMs, step]] of events.entries()) {
    const outcome = await bench.run([step], { id: `evt_${index}`, atMs });
    expect(outcome.status).toBe('done');
    outcomes.push(outcome);
  }
  const [license] = bench.sandbox.state.licenses;
  return {
    bench,
    outcomes,
    suspended: license?.suspended,
    expires: license?.expiresAt?.slice(0, 10),
    notes: license?.notes,
  };
}

describe('an older event that comes late', () => {
  test('a suspension does not override a newer payment, and says so', async () => {
    const { outcomes, suspended, bench } = await play(SUSPENDED, [
      [2, resume],
      [1, suspend],
    ]);
    expect(suspended).toBe(false);
    expect(outcomes[1]?.reason).toContain('a newer event has set it already');
    expect(writesOf(bench)).toHaveLength(1);
  });

  test('a resumption does not override a newer suspension', async () => {
    const { suspended } = await play(GIVEN, [
      [2, suspend],
      [1, resume],
    ]);
    expect(suspended).toBe(true);
  });

  test('a renewal still renews, but does not lift a newer suspension', async () => {
    const { suspended, expires, outcomes } = await play(GIVEN, [
      [2, suspend],
      [1, renew('invoice-1')],
    ]);
    expect([suspended, expires]).toEqual([true, '2026-03-01']);
    expect(outcomes[1]?.reason).toContain('suspended by a newer event');
  });

  test('two renewals add up in either order', async () => {
    const { expires } = await play(GIVEN, [
      [2, renew('invoice-2')],
      [1, renew('invoice-1')],
    ]);
    expect(expires).toBe('2026-04-01');
  });

  test('a renewal is contained in the paid-through date that a newer one has set', async () => {
    const paidThrough = { resume: true, expiresAt: '2026-04-01T00:00:00Z' };
    const { expires, suspended, outcomes } = await play(SUSPENDED, [
      [3, renew('invoice-2', paidThrough)],
      [1, renew('invoice-1', { resume: true, expiresAt: '2026-03-01T00:00:00Z' })],
    ]);
    expect([expires, suspended]).toEqual(['2026-04-01', false]);
    expect(outcomes[1]?.reason).toContain('contains this renewal');
  });

  test('a renewal after a paid-through date adds up', async () => {
    const paidThrough = { resume: true, expiresAt: '2026-04-01T00:00:00Z' };
    const { expires } = await play(SUSPENDED, [
      [3, renew('invoice-2', paidThrough)],
      [4, renew('invoice-3', paidThrough)],
    ]);
    expect(expires).toBe('2026-05-01');
  });

  test('an expiry does not override a newer one, though it is later', async () => {
    const { expires } = await play(GIVEN, [
      [2, expire('03-01')],
      [1, expire('12-01')],
    ]);
    expect(expires).toBe('2026-03-01');
  });

  test('an expiry does not override a newer renewal, not even after a late one came between', async () => {
    const { expires } = await play(GIVEN, [
      [3, renew('invoice-3')],
      [1, renew('invoice-1')],
      [2, expire('02-15')],
    ]);
    expect(expires).toBe('2026-04-01');
  });

  test('a newer correction may move an expiry back', async () => {
    const { expires } = await play(GIVEN, [
      [1, expire('12-01')],
      [2, expire('02-15')],
    ]);
    expect(expires).toBe('2026-02-15');
  });

  test('an update does not override a newer one', async () => {
    const { notes } = await play(GIVEN, [
      [2, update('new')],
      [1, update('old')],
    ]);
    expect(notes).toBe('new');
  });
});

describe('of the same time', () => {
  for (const [name, events] of [
    ['first', [resume, suspend]],
    ['last', [suspend, resume]],
    ['first, as a renewal', [renew('i'), suspend]],
    ['last, as a renewal', [suspend, renew('i')]],
  ] as const) {
    test(`a payment wins over a suspension, when it comes ${name}`, async () => {
      const { suspended } = await play(
        SUSPENDED,
        events.map((step) => [5, step] as const),
      );
      expect(suspended).toBe(false);
    });
  }

  test('the later of two expiries wins: equal is not older', async () => {
    const { expires } = await play(GIVEN, [
      [5, expire('05-01')],
      [5, expire('04-01')],
    ]);
    expect(expires).toBe('2026-04-01');
  });
});

describe('an event that found everything as it wants it', () => {
  for (const [name, given, newer, older, suspended] of [
    ['a renewal of an active license', GIVEN, renew('i'), suspend, false],
    ['a resumption of an active license', GIVEN, resume, suspend, false],
    [
      'a resumption that looks for suspended ones only',
      GIVEN,
      resumeThoseSuspended,
      suspend,
      false,
    ],
    ['a suspension of a suspended license', SUSPENDED, suspend, resume, true],
  ] as const) {
    test(`${name} counts as a write`, async () => {
      const played = await play(given, [
        [2, newer],
        [1, older],
      ]);
      expect(played.suspended).toBe(suspended);
    });
  }

  test('a user that is as the event says is not renamed by an older event', async () => {
    const bench = createBench({ given: { users: [{ email: 'a@example.com', firstName: 'New' }] } });
    const upsert = (firstName: string): Step => ({
      action: 'user.upsert',
      input: { email: 'a@example.com', firstName },
    });
    await bench.run([upsert('New')], { id: 'evt_2', atMs: 2 });
    const late = await bench.run([upsert('Old')], { id: 'evt_1', atMs: 1 });
    expect(late).toMatchObject({ status: 'done' });
    expect(bench.sandbox.state.users[0]?.firstName).toBe('New');
  });

  test('a user that an event created is not renamed by an older event', async () => {
    const bench = createBench();
    const upsert = (firstName: string): Step => ({
      action: 'user.upsert',
      input: { email: 'a@example.com', firstName },
    });
    await bench.run([upsert('New')], { id: 'evt_2', atMs: 2 });
    await bench.run([upsert('Old')], { id: 'evt_1', atMs: 1 });
    await bench.run([upsert('Newest')], { id: 'evt_3', atMs: 3 });
    expect((await stateOf(bench)).users[0]).toContain('"firstName":"Newest"');
    await bench.run([upsert('Old')], { id: 'evt_0', atMs: 0 });
    expect((await stateOf(bench)).users[0]).toContain('"firstName":"Newest"');
  });
});

describe("a user's metadata", () => {
  const GIVEN_USER = { users: [{ email: 'a@example.com', metadata: { team: 'design' } }] };
  const tell = (metadata: Record<string, string>, rank?: number): Step => ({
    action: 'user.update',
    input: { email: 'a@example.com', metadata },
    ...(rank === undefined ? {} : { rank }),
  });
  const entriesOf = (bench: ReturnType<typeof createBench>): Record<string, string> =>
    Object.fromEntries(
      (bench.sandbox.state.users[0]?.metadata ?? []).map(({ key, value }) => [key, value]),
    );

  test('keeps of each entry what the newest event said, and entries that nobody told', async () => {
    const bench = createBench({ given: GIVEN_USER });
    await bench.run([tell({ plan: 'free', status: 'canceled' })], { id: 'evt_3', atMs: 3 });
    const late = await bench.run([tell({ plan: 'pro', customer: 'cus_1' })], {
      id: 'evt_1',
      atMs: 1,
    });
    expect(late.status).toBe('done');
    expect(entriesOf(bench)).toEqual({
      ...{ team: 'design', plan: 'free', status: 'canceled', customer: 'cus_1' },
    });
    const later = await bench.run([tell({ plan: 'pro' })], { id: 'evt_2', atMs: 2 });
    expect(later.reason).toContain('a newer event has set it already');
    expect(entriesOf(bench)['plan']).toBe('free');
  });

  test('that is so already counts as told', async () => {
    const bench = createBench({ given: GIVEN_USER });
    await bench.run([tell({ team: 'design' })], { id: 'evt_2', atMs: 2 });
    await bench.run([tell({ team: 'sales' })], { id: 'evt_1', atMs: 1 });
    expect(entriesOf(bench)).toEqual({ team: 'design' });
  });

  test('is no matter of its names: neither holds the other up', async () => {
    const bench = createBench({ given: GIVEN_USER });
    const rename: Step = {
      action: 'user.upsert',
      input: { email: 'a@example.com', firstName: 'New' },
    };
    await bench.run([rename], { id: 'evt_2', atMs: 2 });
    const find = { metadata: { team: 'design' } };
    const input = { find, metadata: { plan: 'pro' } };
    await bench.run([{ action: 'user.update', input }], { id: 'evt_1', atMs: 1 });
    expect(entriesOf(bench)['plan']).toBe('pro');
    const older = { email: 'a@example.com', firstName: 'Old', metadata: { plan: 'pro' } };
    await bench.run([{ action: 'user.upsert', input: older }], { id: 'evt_0', atMs: 0 });
    expect(bench.sandbox.state.users[0]?.firstName).toBe('New');
  });

  test.each(['user.insert', 'user.upsert'])('that %s made counts as told', async (action) => {
    const bench = createBench();
    const made: Step = { action, input: { email: 'a@example.com', metadata: { plan: 'pro' } } };
    await bench.run([made], { id: 'evt_2', atMs: 2 });
    await bench.run([tell({ plan: 'free' })], { id: 'evt_1', atMs: 1 });
    expect(entriesOf(bench)).toEqual({ plan: 'pro' });
  });

  test.each([
    ['the higher rank wins when it comes first', 3, 1, 'first'],
    ['the higher rank wins when it comes last', 1, 3, 'last'],
    ['of equal ranks the last one wins', 2, 2, 'last'],
    ['without ranks the last one wins', undefined, undefined, 'last'],
    ['a rank of 0 is that of a rule without one', 1, undefined, 'first'],
  ])('of two events of one time: %s', async (_, first, last, wins) => {
    const bench = createBench({ given: GIVEN_USER });
    await bench.run([tell({ plan: 'first' }, first)], { id: 'evt_1', atMs: 5 });
    await bench.run([tell({ plan: 'last' }, last)], { id: 'evt_2', atMs: 5 });
    expect(entriesOf(bench)['plan']).toBe(wins);
  });

  test('a rank never helps an older event', async () => {
    const bench = createBench({ given: GIVEN_USER });
    await bench.run([tell({ plan: 'newer' }, 0)], { id: 'evt_2', atMs: 2 });
    await bench.run([tell({ plan: 'older' }, 99)], { id: 'evt_1', atMs: 1 });
    expect(entriesOf(bench)['plan']).toBe('newer');
  });
});

test('a rank decides about licenses, too: a suspension may outrank the payment of its second', async () => {
  const bench = createBench({ given: SUSPENDED });
  await bench.run([{ ...suspend, rank: 5 }], { id: 'evt_1', atMs: 5 });
  await bench.run([resume], { id: 'evt_2', atMs: 5 });
  expect(bench.sandbox.state.licenses[0]?.suspended).toBe(true);
});
