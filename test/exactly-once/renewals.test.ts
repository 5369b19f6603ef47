// One subscription whose events come close together while a call is lost or a list is old: named situations
// that random scenarios seldom meet. Each ends as each fact applied once would leave it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { FaultCall, FaultEffect } from '../../src/sandbox/faults.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { checkLicenses } from './check.ts';
import { type Story, scenarioOf } from './lifecycles.ts';
import { postgresTraffic } from './postgres-traffic.ts';
import { QuietClock } from './quiet-clock.ts';
import type { Trouble } from './trouble.ts';
import { World, type WorldOptions } from './world.ts';

const START_MS = Date.UTC(2026, 10, 30, 12);
const TROUBLE: Trouble = {
  ...{ seed: 1, faultRate: 0, faultCalls: 0, outage: undefined, crashes: [] },
};
const PROVIDERS = ['stripe', 'fastspring', 'paddle'] as const;

type Kind = Story['steps'][number]['kind'];

interface Situation {
  readonly name: string;
  /** What happens after the purchase: what, how long after the one before, and how late it is delivered. */
  readonly steps: readonly (readonly [kind: Kind, afterMs: number, delayMs: number])[];
  /** What befalls the nth change of the license that was bought. */
  readonly changes: Readonly<Record<number, FaultEffect>>;
  /** So old is each list. */
  readonly staleMs?: number;
}

const DROPPED: FaultEffect = { kind: 'disconnect', when: 'onTheWay' };
const UNANSWERED: FaultEffect = { kind: 'disconnect', when: 'afterCommit' };
const LATE: FaultEffect = { kind: 'lateCommit', afterMs: 12_000 };

/** The older of two payments comes 1.5 s after the newer one was put off. */
const OLDER_LATER = [
  ['payment', 60_000, 12_500],
  ['payment', 10_000, 0],
] as const;
const SOON_AFTER = [
  ['payment', 60_000, 0],
  ['payment', 2_000, 0],
] as const;

const SITUATIONS: readonly Situation[] = [
  ...(
    [
      ['is dropped', DROPPED],
      ['loses its answer', UNANSWERED],
      ['is refused with 502', { kind: 'status', status: 502 }],
      [
        'is carried out, and answered with 502',
        { kind: 'status', status: 502, when: 'afterCommit' },
      ],
      ['times out and comes late', LATE],
    ] as const
  ).map(([what, effect]) => ({
    name: `a call ${what}, and an older payment comes while it is put off`,
    steps: OLDER_LATER,
    changes: { 1: effect },
  })),
  ...[DROPPED, UNANSWERED, LATE].flatMap((effect) =>
    [1, 2].map((nth) => ({
      name: `lists are 3 s old, and change ${nth} is ${effect.kind} ${'when' in effect ? effect.when : ''}`,
      steps: SOON_AFTER,
      changes: { [nth]: effect },
      staleMs: 3_000,
    })),
  ),
  {
    name: 'lists are 4 s old when a subscription comes back right after its suspension',
    steps: [
      ['suspension', 60_000, 0],
      ['comeback', 2_000, 0],
    ],
    changes: {},
    staleMs: 4_000,
  },
  {
    name: 'lists are 4 s old when a payment comes right after a suspension, whose call is dropped',
    steps: [
      ['suspension', 60_000, 0],
      ['payment', 2_000, 0],
    ],
    changes: { 1: DROPPED },
    staleMs: 4_000,
  },
  {
    name: 'an older suspension comes while a payment that was dropped is put off',
    steps: [
      ['suspension', 60_000, 12_500],
      ['payment', 10_000, 0],
    ],
    changes: { 1: DROPPED },
  },
];

function storyOf(provider: Story['provider'], { steps }: Situation): Story {
  return {
    ...{ provider, buyer: 0, startMs: 0, end: undefined, inOrder: false },
    lines: [{ quantity: 1, product: 0, recurring: true }],
    purchase: { delayMs: 0, repeats: [], resend: undefined },
    steps: steps.map(([kind, afterMs, delayMs]) => ({
      ...{ kind, afterMs },
      telling: { delayMs, repeats: [], resend: undefined },
    })),
  };
}

/** Strikes the nth change of a license that exists, and makes lists old. */
function faultsOf({ changes, staleMs }: Situation): (call: FaultCall) => FaultEffect | undefined {
  let count = 0;
  return ({ method, path }) => {
    if (method === 'GET') {
      const isList = path === '/v3/licenses' && staleMs !== undefined;
      return isList ? { kind: 'staleList', ms: staleMs } : undefined;
    }
    if (!path.startsWith('/v3/licenses/')) return undefined;
    count += 1;
    return changes[count];
  };
}

async function live(
  provider: Story['provider'],
  situation: Situation,
  options: Pick<WorldOptions, 'clock' | 'databaseUrl' | 'replicas'>,
): Promise<void> {
  const { sales, deliveries } = scenarioOf(START_MS, [storyOf(provider, situation)]);
  await options.clock.run(
    (async () => {
      const world = new World({ ...options, trouble: TROUBLE });
      world.sandbox.faults.onCall(faultsOf(situation));
      await world.start();
      try {
        await world.deliverAll(deliveries);
        await world.settle(() => false);
        await world.sandbox.faults.settled();
        checkLicenses(world, sales);
      } catch (error) {
        const calls = world.sandbox.requests.map(({ method, path }) => `${method} ${path}`);
        throw new Error(
          `${(error as Error).message}\n${calls.join('\n')}\n${world.log.join('\n')}`,
        );
      } finally {
        await world.stop();
      }
    })(),
  );
}

const directory = mkdtempSync(join(tmpdir(), 'keywright-renewals-'));
let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
});

describe.each(PROVIDERS)('on SQLite, a subscription of %s', (provider) => {
  test.each(SITUATIONS)('$name', async (situation) => {
    const databaseUrl = `sqlite:${join(mkdtempSync(join(directory, 'db-')), 'events.db')}`;
    const clock = new QuietClock(START_MS - 60_000);
    await live(provider, situation, { clock, databaseUrl, replicas: 1 });
  });
});

describe('on PostgreSQL, with two replicas, a subscription of stripe', () => {
  test.each(SITUATIONS)('$name', async (situation) => {
    const databaseUrl = await postgres.createDatabase();
    const clock = new QuietClock(START_MS - 60_000, postgresTraffic);
    await live('stripe', situation, { clock, databaseUrl, replicas: 2 });
  });
});
