// Whatever goes wrong at whichever call: the event ends well, in the state that one application gives.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FaultEffect } from '../../src/sandbox/faults.ts';
import { type Bench, createBench, stateOf } from './bench.ts';
import { CREATE_FIVE, RENEW_TO_DATE, SCENARIOS, type Scenario } from './scenarios.ts';

const FAULTS: readonly (readonly [string, FaultEffect])[] = [
  ['a refused connection', { kind: 'disconnect', when: 'beforeCommit' }],
  ['a connection lost after the commit', { kind: 'disconnect', when: 'afterCommit' }],
  ['a time-out before the commit', { kind: 'timeout', when: 'beforeCommit' }],
  ['a time-out after the commit', { kind: 'timeout', when: 'afterCommit' }],
  ['a commit 12 s late', { kind: 'lateCommit', afterMs: 12_000 }],
  ['a commit 14.9 s late', { kind: 'lateCommit', afterMs: 14_900 }],
  ['429 with Retry-After', { kind: 'status', status: 429, retryAfterSeconds: 7 }],
  ['429 without', { kind: 'status', status: 429, body: 'text' }],
  ['500 before the commit', { kind: 'status', status: 500 }],
  ['500 after the commit', { kind: 'status', status: 500, when: 'afterCommit' }],
  ['an empty 500', { kind: 'status', status: 500, body: 'empty' }],
  [
    'an empty 500 after the commit',
    { kind: 'status', status: 500, body: 'empty', when: 'afterCommit' },
  ],
  ['502 before the commit', { kind: 'status', status: 502, body: 'html' }],
  ['502 after the commit', { kind: 'status', status: 502, body: 'html', when: 'afterCommit' }],
  ['503 with a web page', { kind: 'status', status: 503, body: 'html' }],
  ['503 after the commit', { kind: 'status', status: 503, body: 'empty', when: 'afterCommit' }],
  ['408', { kind: 'status', status: 408, body: 'empty' }],
  ['401 once', { kind: 'status', status: 401, body: 'empty' }],
  ['a broken 200', { kind: 'garble', body: 'invalidJson' }],
  ['an empty 200', { kind: 'garble', body: 'empty' }],
  ['a 200 with a web page', { kind: 'garble', body: 'html' }],
  ['a 200 that is something else', { kind: 'garble', body: 'emptyObject' }],
  ['a 200 without an id', { kind: 'garble', body: 'withoutId' }],
];

interface End {
  readonly state: Awaited<ReturnType<typeof stateOf>>;
  readonly calls: number;
  readonly status: string;
  readonly attempts: number;
}

async function runWith(
  scenario: Scenario,
  effectAt: (call: number, method: string) => FaultEffect | undefined,
): Promise<End> {
  const bench = createBench({
    sandbox: { metadataMatch: 'anyEntry' },
    ...(scenario.given === undefined ? {} : { given: scenario.given }),
  });
  bench.sandbox.faults.onCall(({ index, method }) => effectAt(index, method));
  const { status, attempts } = await bench.run(scenario.steps);
  const calls = bench.sandbox.requests.length;
  const state = await stateOf(bench);
  expectNoViolation(bench);
  return { state, calls, status, attempts };
}

function expectNoViolation({ sandbox }: Bench): void {
  expect(sandbox.violations).toEqual([]);
}

for (const scenario of SCENARIOS) {
  describe(scenario.name, () => {
    for (const [name, effect] of FAULTS) {
      test(`${name} at any one of its calls`, async () => {
        const clean = await runWith(scenario, () => undefined);
        expect(clean).toMatchObject({ status: 'done', attempts: 1 });
        for (let struck = 1; struck <= clean.calls; struck += 1) {
          const end = await runWith(scenario, (call) => (call === struck ? effect : undefined));
          expect({ struck, status: end.status, state: end.state }).toEqual({
            struck,
            status: 'done',
            state: clean.state,
          });
        }
      });
    }
  });
}

test('a table that would not notice a doubled renewal is no table', async () => {
  const [scenario] = SCENARIOS.filter(({ name }) => name === 'a renewal of three licenses');
  if (scenario === undefined) throw new Error('the scenario is gone');
  const clean = await runWith(scenario, () => undefined);
  const bench = createBench(scenario.given === undefined ? {} : { given: scenario.given });
  await bench.run(scenario.steps, { id: 'evt_1' });
  await bench.run(
    scenario.steps.map((step) => ({ ...step, once: 'invoice-2' })),
    { id: 'evt_2' },
  );
  expect(await stateOf(bench)).not.toEqual(clean.state);
});

describe('several faults in one event', () => {
  for (const scenario of [CREATE_FIVE, RENEW_TO_DATE]) {
    test(`${scenario.name}: any faults at its first twenty calls`, async () => {
      const clean = await runWith(scenario, () => undefined);
      const aFault = fc.option(fc.constantFrom(...FAULTS), { nil: undefined, freq: 2 });
      await fc.assert(
        fc.asyncProperty(fc.array(aFault, { minLength: 1, maxLength: 20 }), async (faults) => {
          const end = await runWith(scenario, (call) => faults[call - 1]?.[1]);
          expect(end.status).toBe('done');
          expect(end.state).toEqual(clean.state);
        }),
        { numRuns: 25 },
      );
    });
  }
});
