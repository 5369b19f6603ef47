// One fact, one effect: however often it is told, under whatever event id, with a crash at any call.

import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/core/error-codes.ts';
import type { CryptlexError } from '../../src/cryptlex/errors.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { callsOf, createBench, type Step, stateOf, writesOf } from './bench.ts';
import { CREATE_FIVE, CREATE_ONE, RENEW_THREE, RENEW_TO_DATE, SCENARIOS } from './scenarios.ts';

const given = (scenario: (typeof SCENARIOS)[number]) =>
  scenario.given === undefined ? {} : { given: scenario.given };

describe('a fact told again', () => {
  for (const scenario of [CREATE_ONE, CREATE_FIVE, RENEW_THREE, RENEW_TO_DATE]) {
    test(`${scenario.name}: under a new event id, nothing is written again`, async () => {
      const bench = createBench(given(scenario));
      await bench.run(scenario.steps, { id: 'evt_1' });
      const state = await stateOf(bench);
      const writes = writesOf(bench).length;
      const again = await bench.run(scenario.steps, { id: 'evt_2' });
      expect(again.status).toBe('done');
      expect(writesOf(bench)).toHaveLength(writes);
      expect(await stateOf(bench)).toEqual(state);
    });
  }

  for (const scenario of SCENARIOS.filter(({ name }) => name !== 'a deletion')) {
    test(`${scenario.name}: replayed as the same event, nothing is written again`, async () => {
      const bench = createBench(given(scenario));
      await bench.run(scenario.steps);
      const writes = writesOf(bench).length;
      expect(await bench.run(scenario.steps)).toMatchObject({ status: 'done' });
      expect(writesOf(bench)).toHaveLength(writes);
    });
  }

  test('a purchase of three after one of two licenses of the same fact makes the third', async () => {
    const bench = createBench();
    const buy = (quantity: number): Step => ({
      action: 'license.create',
      input: { productId: 'p1', quantity, metadata: { sub: 's1' } },
      once: 'sale-1',
    });
    await bench.run([buy(2)], { id: 'evt_1' });
    await bench.run([buy(3)], { id: 'evt_2' });
    expect(bench.sandbox.state.licenses).toHaveLength(3);
  });

  test('by another provider is another fact', async () => {
    const bench = createBench();
    const steps = CREATE_ONE.steps;
    await bench.run(steps, { id: 'evt_1', provider: 'stripe' });
    await bench.run(steps, { id: 'evt_1', provider: 'paddle' });
    expect(bench.sandbox.state.licenses).toHaveLength(2);
  });
});

describe('a crash', () => {
  for (const scenario of SCENARIOS) {
    test(`${scenario.name}: at any call, before or after it took effect, then a new process`, async () => {
      const clean = createBench(given(scenario));
      await clean.run(scenario.steps);
      const wanted = await stateOf(clean);
      const calls = callsOf(clean).length;
      for (let struck = 1; struck <= calls; struck += 1) {
        for (const when of ['beforeCommit', 'afterCommit'] as const) {
          const bench = createBench(given(scenario));
          const crash = crashing(bench.journal);
          bench.sandbox.faults.onCall(({ index }) => {
            if (index !== struck) return undefined;
            crash.now();
            return { kind: 'disconnect', when };
          });
          await bench.tryOnce(scenario.steps).catch(() => undefined);
          crash.over();
          bench.restart();
          const { status } = await bench.run(scenario.steps);
          expect({ struck, when, status }).toEqual({ struck, when, status: 'done' });
          expect(await stateOf(bench)).toEqual(wanted);
        }
      }
    });
  }

  test('an open call of an earlier process is not repeated before it can no longer commit', async () => {
    const bench = createBench();
    const crash = crashing(bench.journal);
    bench.sandbox.faults.onCall(({ method, path }) => {
      if (method !== 'POST' || path !== '/v3/licenses') return undefined;
      crash.now();
      return { kind: 'timeout', when: 'beforeCommit' };
    });
    await bench.tryOnce(CREATE_ONE.steps).catch(() => undefined);
    crash.over();
    bench.sandbox.faults.clear();
    bench.restart();
    const posts = () => writesOf(bench).filter((call) => call === 'POST /v3/licenses').length;
    await bench.clock.advance(14_999);
    await expect(bench.tryOnce(CREATE_ONE.steps)).rejects.toMatchObject({
      code: 'CRYPTLEX_UNCLEAR',
    });
    expect(posts()).toBe(1);
    await bench.clock.advance(1);
    await bench.tryOnce(CREATE_ONE.steps);
    expect(posts()).toBe(2);
    expect(bench.sandbox.state.licenses).toHaveLength(1);
  });
});

describe('a process that is stopped between the note of a call and the call', () => {
  test.each([
    ['2.9 s, its lease being its own: the call leaves', 2_900, true, 1],
    ['3 s: the call is noted anew, and leaves', 3_000, true, 2],
    ['a moment, its lease being lost: nothing leaves', 0, false, 3],
  ])('for %s', async (_name, stoppedMs, holdsLease, notes) => {
    let intended = 0;
    const bench = createBench();
    const intend = bench.journal.intend.bind(bench.journal);
    Object.assign(bench.journal, {
      holdsLease: () => holdsLease,
      intend: async (...args: Parameters<Journal['intend']>) => {
        const noted = await intend(...args);
        intended += 1;
        // Stopped once; what comes after it goes on as always.
        if (intended === 1) bench.clock.step(stoppedMs);
        return noted;
      },
    });
    const input = { productId: 'p1', metadata: { sub: 's1' } };
    const outcome = await bench
      .tryOnce([{ action: 'license.create', input, once: 'sale-1' }])
      .catch((error: AppError) => error.code);
    expect(intended).toBe(notes);
    expect(bench.sandbox.state.licenses).toHaveLength(holdsLease ? 1 : 0);
    if (holdsLease) return;
    expect(outcome).toBe('CALL_TOO_LATE');
    expect(writesOf(bench)).toEqual([]);
  });
});

describe('an unclear call', () => {
  test('that the pace held back for long is waited for from its end, not from its intention', async () => {
    const bench = createBench();
    bench.sandbox.faults.onCall(async ({ method, path, index }) => {
      if (method !== 'POST' || path !== '/v3/licenses' || index > 5) return undefined;
      // As if the call had waited for its turn for a minute, after it was intended.
      bench.clock.step(60_000);
      return { kind: 'lateCommit', afterMs: 12_000 };
    });
    await bench.tryOnce(CREATE_ONE.steps).catch(() => undefined);
    // The provider delivers it again at once.
    await bench.tryOnce(CREATE_ONE.steps).catch(() => undefined);
    await bench.run(CREATE_ONE.steps);
    await stateOf(bench);
    expect(bench.sandbox.state.licenses).toHaveLength(1);
  });

  test('stays unclear for three days at most, then the event fails, with growing pauses until then', async () => {
    const bench = createBench();
    bench.sandbox.faults.add({
      method: 'POST',
      path: '/v3/licenses',
      effect: { kind: 'status', status: 504, body: 'html' },
    });
    const startedMs = bench.clock.nowMs();
    const { status, failure, attempts } = await bench.run(CREATE_ONE.steps, { attemptsMax: 5_000 });
    expect([status, failure?.code]).toEqual(['failed', 'CRYPTLEX_UNCLEAR']);
    expect(bench.clock.nowMs() - startedMs).toBeGreaterThan(3 * 86_400_000);
    expect(bench.clock.nowMs() - startedMs).toBeLessThan(3 * 86_400_000 + 30 * 60_000);
    expect(attempts).toBeLessThan(500);
  });

  test('an exception that nobody expected is no proof that nothing was done', async () => {
    const clean = createBench(given(RENEW_THREE));
    await clean.run(RENEW_THREE.steps);
    const bench = createBench(given(RENEW_THREE));
    const { renewLicense } = bench.client;
    let broken = true;
    bench.client.renewLicense = async (...args) => {
      const license = await renewLicense(...args);
      if (!broken) return license;
      broken = false;
      throw new TypeError('cannot read properties of undefined');
    };
    expect(await bench.run(RENEW_THREE.steps)).toMatchObject({ status: 'done', attempts: 2 });
    expect(await stateOf(bench)).toEqual(await stateOf(clean));
  });
});

describe('a definite answer that leaves open whether it was done', () => {
  for (const [scenario, path] of [
    [CREATE_ONE, '/v3/users'],
    [CREATE_ONE, '/v3/licenses'],
    [RENEW_THREE, '/v3/licenses/l1/renew'],
  ] as const) {
    for (const effect of [
      { kind: 'status', status: 500, when: 'afterCommit' },
      { kind: 'status', status: 503, when: 'afterCommit', body: 'html' },
      { kind: 'garble', body: 'empty' },
    ] as const) {
      const what = effect.kind === 'garble' ? 'an empty 200' : `${effect.status}`;
      test(`${what} to POST ${path} is read back at once, and nothing is sent twice`, async () => {
        const bench = createBench(given(scenario));
        bench.sandbox.faults.add({ method: 'POST', path, effect });
        expect(await bench.run(scenario.steps)).toMatchObject({ status: 'done', attempts: 1 });
        expect(writesOf(bench).filter((call) => call === `POST ${path}`)).toHaveLength(1);
      });
    }
  }
});

describe('the choice of a renewal', () => {
  for (const [path, when] of [
    ['/v3/licenses/l2/expires-at', 'beforeCommit'],
    ['/v3/licenses/l2/expires-at', 'afterCommit'],
    ['/v3/licenses/l2', 'beforeCommit'],
    ['/v3/licenses/l2', 'afterCommit'],
  ] as const) {
    test(`to set the expiry is not made again after PATCH ${path} broke off ${when}`, async () => {
      const bench = createBench({ ...given(RENEW_TO_DATE) });
      const effect = { kind: 'timeout', when } as const;
      bench.sandbox.faults.add({ method: 'PATCH', path, call: 1, effect });
      // Somebody lifts the suspension by hand in between: an undecided renewal would renew now.
      await bench.tryOnce(RENEW_TO_DATE.steps).catch(() => undefined);
      await bench.sandbox.fetch(
        new Request('http://sandbox.test/v3/licenses/l2', {
          method: 'PATCH',
          headers: { authorization: 'Bearer token', 'content-type': 'application/json' },
          body: JSON.stringify({ suspended: false }),
        }),
      );
      await bench.clock.advance(15_000);
      expect(await bench.run(RENEW_TO_DATE.steps)).toMatchObject({ status: 'done' });
      const l2 = bench.sandbox.state.licenses.find(({ id }) => id === 'l2');
      expect(l2?.expiresAt?.slice(0, 10)).toBe('2026-06-01');
      expect(writesOf(bench)).not.toContain('POST /v3/licenses/l2/renew');
    });
  }
});

describe('a journal that fails', () => {
  for (const method of ['complete', 'intend', 'withdraw'] as const) {
    for (const scenario of [CREATE_FIVE, RENEW_THREE]) {
      test(`at ${method}, whenever it is called: ${scenario.name} is done once all the same`, async () => {
        const clean = createBench(given(scenario));
        await clean.run(scenario.steps);
        const wanted = await stateOf(clean);
        for (let struck = 1; struck <= 6; struck += 1) {
          const bench = createBench({
            ...given(scenario),
            wrapJournal: (journal) => failingAt(journal, method, struck),
          });
          bench.sandbox.faults.add({
            method: 'POST',
            call: 2,
            effect: { kind: 'status', status: 500 },
          });
          const { status } = await bench.run(scenario.steps);
          expect({ struck, status, state: await stateOf(bench) }).toEqual({
            struck,
            status: 'done',
            state: wanted,
          });
        }
      });
    }
  }
});

test('two events of one fact at the same moment make one license', async () => {
  const bench = createBench();
  const outcomes = await Promise.all(
    ['evt_1', 'evt_2', 'evt_3'].map((id) => bench.run(CREATE_FIVE.steps, { id })),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(['done', 'done', 'done']);
  expect(bench.sandbox.state.licenses).toHaveLength(5);
  expect(bench.sandbox.state.users).toHaveLength(1);
});

test('a call given up by a shutdown is told as such, and repeated by the next process', async () => {
  const bench = createBench();
  const stop = new AbortController();
  bench.sandbox.faults.onCall(({ method, path }) => {
    if (method !== 'POST' || path !== '/v3/licenses') return undefined;
    setImmediate(() => stop.abort());
    return { kind: 'timeout', when: 'afterCommit' };
  });
  const error = await bench.tryOnce(CREATE_ONE.steps, { signal: stop.signal }).catch((e) => e);
  expect(error).toMatchObject({ code: 'CRYPTLEX_UNCLEAR' });
  expect((error.cause as CryptlexError).aborted).toBe(true);
  bench.sandbox.faults.clear();
  bench.restart();
  expect(await bench.run(CREATE_ONE.steps)).toMatchObject({ status: 'done' });
  expect(bench.sandbox.state.licenses).toHaveLength(1);
});

/** While it is "now", the process is gone: nothing is written down any more. */
function crashing(journal: Journal): { now(): void; over(): void } {
  let gone = false;
  for (const method of ['intend', 'complete', 'withdraw', 'noteLastWrites'] as const) {
    const real = journal[method].bind(journal) as (...args: unknown[]) => Promise<never>;
    Object.assign(journal, {
      [method]: (...args: unknown[]) =>
        gone ? Promise.reject(new Error('the process is gone')) : real(...args),
    });
  }
  return {
    now: () => {
      gone = true;
    },
    over: () => {
      gone = false;
    },
  };
}

function failingAt(
  journal: Journal,
  method: 'complete' | 'intend' | 'withdraw',
  struck: number,
): Journal {
  const real = journal[method].bind(journal) as (...args: unknown[]) => Promise<never>;
  let calls = 0;
  Object.assign(journal, {
    [method]: (...args: unknown[]) => {
      calls += 1;
      const fails = calls === struck;
      return fails
        ? Promise.reject(new AppError('JOURNAL_UNAVAILABLE', 'disk full'))
        : real(...args);
    },
  });
  return journal;
}
