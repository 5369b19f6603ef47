// Suspensions and revocations `because` of something, and what takes them back: whatever order the events come
// in, however often they are told, and whatever a person does in between.

import { describe, expect, test } from 'vitest';
import type { PlannedStep } from '../../src/core/model.ts';
import { createBench, type Step, writesOf } from './bench.ts';

const FIND = { metadata: { sub: 's1' } };
const license = (suspended = false) => ({
  licenses: [
    {
      id: 'l1',
      productId: 'p1',
      metadata: { sub: 's1' },
      subscriptionInterval: 'P1M',
      expiresAt: '2026-02-01T00:00:00Z',
      suspended,
    },
  ],
});

const step = (action: string, more: PlannedStep['input'] = {}): Step => ({
  action,
  input: { find: FIND, ...more },
});
const overdue = step('license.suspend');
const disputed = (because: string) => step('license.suspend', { because });
const revoked = (because: string) => step('license.revoke', { because });
const won = (because: string) => step('license.restore', { because });
const paid = (once: string): Step => ({
  ...step('license.renew', { whenSuspended: { resume: true } }),
  once,
});
const resumed = step('license.resume');

type Event = readonly [atMs: number, Step];

/** Works on the events in the order given, each at its own time; gives what has become of the license. */
async function play(events: readonly Event[], given = license()) {
  const bench = createBench({ given });
  let reason: string | undefined;
  for (const [index, [atMs, each]] of events.entries()) {
    const outcome = await bench.run([each], { id: `evt_${index}`, atMs });
    expect(outcome.status).toBe('done');
    reason = outcome.reason;
  }
  const [found] = bench.sandbox.state.licenses;
  return { bench, reason, suspended: found?.suspended, revoked: found?.revoked };
}

function orders<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((item, index) =>
    orders(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}

/** What happens, by its time, and whether the license is suspended in the end. */
const STORIES: readonly (readonly [name: string, events: readonly Event[], suspended: boolean])[] =
  [
    ['a dispute', [[1, disputed('a')]], true],
    [
      'a dispute that is won',
      [
        [1, disputed('a')],
        [2, won('a')],
      ],
      false,
    ],
    [
      'another one is won',
      [
        [1, disputed('a')],
        [2, won('b')],
      ],
      true,
    ],
    [
      'one of two is won',
      [
        [1, disputed('a')],
        [2, disputed('b')],
        [3, won('a')],
      ],
      true,
    ],
    [
      'both are won',
      [
        [1, disputed('a')],
        [2, disputed('b')],
        [3, won('b')],
        [4, won('a')],
      ],
      false,
    ],
    [
      'overdue, and a dispute is won',
      [
        [1, overdue],
        [2, disputed('a')],
        [3, won('a')],
      ],
      true,
    ],
    [
      'a dispute is won, and overdue meanwhile',
      [
        [1, disputed('a')],
        [2, overdue],
        [3, won('a')],
      ],
      true,
    ],
    [
      'overdue, paid, disputed, won',
      [
        [1, overdue],
        [2, paid('i')],
        [3, disputed('a')],
        [4, won('a')],
      ],
      false,
    ],
    [
      'paid before a dispute',
      [
        [1, paid('i')],
        [2, disputed('a')],
      ],
      true,
    ],
    [
      'paid after a dispute',
      [
        [1, disputed('a')],
        [2, paid('i')],
      ],
      false,
    ],
    [
      'resumed by a rule after a dispute',
      [
        [1, disputed('a')],
        [2, resumed],
      ],
      false,
    ],
    [
      'paid after the first of two',
      [
        [1, disputed('a')],
        [2, paid('i')],
        [3, disputed('b')],
      ],
      true,
    ],
    [
      'won, then overdue, then paid',
      [
        [1, disputed('a')],
        [2, won('a')],
        [3, overdue],
        [4, paid('i')],
      ],
      false,
    ],
    [
      'paid and disputed at one time',
      [
        [1, disputed('a')],
        [1, paid('i')],
      ],
      false,
    ],
  ];

describe('whatever order the events come in', () => {
  test.each(STORIES)('%s', async (_, events, suspended) => {
    for (const order of orders(events)) {
      const told = order.map(([atMs, { action }]) => `${atMs} ${action}`).join(', ');
      expect((await play(order)).suspended, told).toBe(suspended);
    }
  });

  test('a revocation comes back when its cause is gone, and no payment lifts it', async () => {
    for (const order of orders([
      [1, revoked('a')],
      [2, paid('i')],
    ] as const)) {
      expect((await play(order)).revoked).toBe(true);
    }
    for (const order of orders([
      [1, revoked('a')],
      [2, won('a')],
    ] as const)) {
      expect((await play(order)).revoked).toBe(false);
    }
  });

  test('a revocation that a rule gave no cause for stays', async () => {
    const events: readonly Event[] = [
      [1, revoked('a')],
      [2, step('license.revoke')],
      [3, won('a')],
    ];
    for (const order of orders(events)) expect((await play(order)).revoked).toBe(true);
  });
});

describe('what a person did', () => {
  test('before the dispute stays, and is told', async () => {
    const { suspended, reason, bench } = await play(
      [
        [1, disputed('a')],
        [2, won('a')],
      ],
      license(true),
    );
    expect(suspended).toBe(true);
    expect(reason).toContain('this did not make it suspended');
    expect(writesOf(bench)).toEqual([]);
  });

  test('during the dispute stays, however often the dispute is told', async () => {
    const bench = createBench({ given: license() });
    await bench.run([disputed('a')], { id: 'evt_1', atMs: 1 });
    await bench.client.updateLicense('l1', { suspended: false });
    const again = await bench.run([disputed('a')], { id: 'evt_2', atMs: 5 });
    expect(again.reason).toContain('it was done before');
    await bench.run([won('a')], { id: 'evt_3', atMs: 6 });
    expect(bench.sandbox.state.licenses[0]?.suspended).toBe(false);
  });

  test('after the dispute was won stays', async () => {
    const bench = createBench({ given: license() });
    await bench.run([disputed('a')], { id: 'evt_1', atMs: 1 });
    await bench.run([won('a')], { id: 'evt_2', atMs: 2 });
    await bench.client.updateLicense('l1', { suspended: true });
    await bench.run([won('a')], { id: 'evt_3', atMs: 3 });
    await bench.run([won('a')], { id: 'evt_2', atMs: 2 });
    expect(bench.sandbox.state.licenses[0]?.suspended).toBe(true);
  });
});

describe('a crash', () => {
  test('after the call, before it is written down, leaves the suspension ours', async () => {
    const bench = createBench({ given: license() });
    const { updateLicense } = bench.client;
    bench.client.updateLicense = async (...parameters) => {
      await updateLicense(...parameters);
      throw new Error('the process died');
    };
    await bench.tryOnce([disputed('a')], { id: 'evt_1', atMs: 1 }).catch(() => undefined);
    bench.client.updateLicense = updateLicense;
    bench.restart();
    expect(bench.sandbox.state.licenses[0]?.suspended).toBe(true);
    await bench.run([disputed('a')], { id: 'evt_1', atMs: 1 });
    await bench.run([won('a')], { id: 'evt_2', atMs: 2 });
    expect(bench.sandbox.state.licenses[0]?.suspended).toBe(false);
  });
});

describe('a payment', () => {
  const buy = (quantity: number): Step => ({
    action: 'license.create',
    input: { productId: 'p1', quantity, metadata: { sub: 's2' } },
    once: 'sale-1',
    payments: ['in_1', 'cs_1'],
  });
  const refund = (payment: string): Step => ({
    action: 'license.revoke',
    input: { find: { payment }, because: 'refund-1' },
  });
  const link: Step = { action: 'payment.link', input: { id: 'pi_1', to: 'in_1' } };

  test('is found under each of its ids, in whatever order they were told', async () => {
    for (const steps of orders([buy(3), link])) {
      for (const id of ['in_1', 'cs_1', 'pi_1']) {
        const bench = createBench({ given: license() });
        for (const [index, each] of steps.entries())
          await bench.run([each], { id: `evt_${index}` });
        await bench.run([refund(id)], { id: 'evt_9', atMs: 9 });
        const revocations = bench.sandbox.state.licenses.map((one) => one.revoked);
        // The one that was there before was not bought with it.
        expect(revocations.filter(Boolean)).toHaveLength(3);
        expect(bench.sandbox.state.licenses.find(({ id: own }) => own === 'l1')?.revoked).toBe(
          false,
        );
      }
    }
  });

  test('that is not known is waited for, and so is one of another provider', async () => {
    const bench = createBench();
    expect(await bench.run([refund('pi_1')])).toMatchObject({ status: 'waiting' });
    await bench.run([buy(1)], { id: 'evt_2', provider: 'paddle' });
    const again = await bench.run([refund('in_1')], { id: 'evt_3' });
    expect(again).toMatchObject({ status: 'waiting' });
    expect(again.reason).toContain('payment = in_1');
  });

  test('of licenses that are gone by now finds nothing more', async () => {
    const bench = createBench();
    const { licenseIds = [] } = await bench.run([buy(1)]);
    await bench.client.deleteLicense(licenseIds[0] ?? '');
    expect(await bench.run([refund('in_1')], { id: 'evt_2' })).toMatchObject({ status: 'waiting' });
  });

  test('that came out empty in the run searches for nothing', async () => {
    const bench = createBench({ given: license() });
    const failed = await bench.run([refund('')]);
    expect(failed).toMatchObject({ status: 'failed', failure: { code: 'FILTER_EMPTY' } });
  });
});
