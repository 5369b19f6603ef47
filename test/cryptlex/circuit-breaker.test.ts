// Down means down for all: when the circuit opens, when it does not, and what its closing wakes.

import { describe, expect, test } from 'vitest';
import type { AppErrorCode } from '../../src/core/error-codes.ts';
import { createLogger } from '../../src/core/log.ts';
import type { CallRecord } from '../../src/cryptlex/call-record.ts';
import { createCircuitBreaker } from '../../src/cryptlex/circuit-breaker.ts';
import { CryptlexError } from '../../src/cryptlex/errors.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

type Heard = Pick<CallRecord, 'status' | 'error'>;

function failed(status: number | undefined, code: AppErrorCode = 'CRYPTLEX_UNAVAILABLE'): Heard {
  return { status, error: new CryptlexError(code, 'x', { effect: 'none', status }) };
}
const unreachable = failed(undefined);
const nonsense = failed(200, 'CRYPTLEX_NONSENSE');
const refused = failed(400, 'CRYPTLEX_REFUSED');
const badToken = failed(401, 'CRYPTLEX_TOKEN');
const noScope = failed(403, 'CRYPTLEX_TOKEN');
const fine: Heard = { status: 200 };
const aborted: Heard = {
  status: undefined,
  error: new CryptlexError('CRYPTLEX_UNAVAILABLE', 'x', { effect: 'none', aborted: true }),
};

/** What the two routes of the probe answer; may be changed. */
interface Routes {
  users: Heard;
  licenses: Heard;
}

function scene(routes: Routes) {
  const clock = new VirtualClock();
  const wakes: number[] = [];
  let probes = 0;
  const answer = async (heard: Heard): Promise<undefined> => {
    probes += 1;
    breaker.onCall(heard, undefined);
    if (heard.error !== undefined) throw heard.error;
  };
  const breaker = createCircuitBreaker({
    client: { getUser: () => answer(routes.users), getLicense: () => answer(routes.licenses) },
    clock,
    log: createLogger({ level: 'silent', format: 'json', write: () => undefined }),
    wake: async (sinceMs) => {
      wakes.push(sinceMs - startMs);
    },
  });
  const startMs = clock.nowMs();
  return { clock, breaker, wakes, probes: () => probes };
}

const ALL_DOWN: Routes = { users: failed(503), licenses: failed(503) };
const ALL_WELL: Routes = { users: fine, licenses: fine };
const many = (length: number, heard: Heard, event: (index: number) => string) =>
  Array.from({ length }, (_, index) => [heard, event(index)] as const);

describe('the circuit', () => {
  for (const [name, routes, calls, isOpen] of [
    [
      'opens when two events fail and no route answers',
      ALL_DOWN,
      many(2, failed(503), (i) => `e${i}`),
      true,
    ],
    [
      'opens when nothing can be reached',
      { users: unreachable, licenses: unreachable },
      many(2, unreachable, (i) => `e${i}`),
      true,
    ],
    [
      'opens when another server answers',
      { users: nonsense, licenses: nonsense },
      many(2, nonsense, (i) => `e${i}`),
      true,
    ],
    [
      'stays closed for one event alone, however often it fails',
      ALL_DOWN,
      many(50, failed(503), () => 'e'),
      false,
    ],
    [
      'stays closed for poison events, while a probe gets through',
      ALL_WELL,
      many(50, failed(500), (i) => `e${i % 9}`),
      false,
    ],
    [
      'stays closed for answers that are none, while a probe gets through',
      ALL_WELL,
      many(50, nonsense, (i) => `e${i % 9}`),
      false,
    ],
    [
      'stays closed when one route is down: the other one answers',
      { users: failed(500), licenses: fine },
      many(9, failed(500), (i) => `e${i}`),
      false,
    ],
    [
      'stays closed when the other route is down',
      { users: fine, licenses: failed(500) },
      many(9, failed(500), (i) => `e${i}`),
      false,
    ],
    [
      'stays closed when the probe is told to slow down: Cryptlex is there',
      { users: failed(429, 'CRYPTLEX_RATE_LIMITED'), licenses: failed(503) },
      many(9, failed(500), (i) => `e${i}`),
      false,
    ],
    [
      'stays closed when one call between gets through',
      ALL_DOWN,
      [
        [failed(503), 'a'],
        [fine, 'b'],
        [failed(503), 'c'],
      ],
      false,
    ],
    [
      'stays closed for requests that are refused',
      ALL_DOWN,
      many(9, refused, (i) => `e${i}`),
      false,
    ],
    [
      'stays closed for a token that is refused: such events are parked',
      ALL_DOWN,
      many(9, badToken, (i) => `e${i}`),
      false,
    ],
    [
      'stays closed for calls that we gave up ourselves',
      ALL_DOWN,
      many(9, aborted, (i) => `e${i}`),
      false,
    ],
  ] as const) {
    test(name, async () => {
      const { breaker, clock } = scene({ ...routes });
      for (const [heard, event] of calls) breaker.onCall(heard, event);
      await clock.advance(10);
      expect(breaker.isOpen()).toBe(isOpen);
      breaker.stop();
    });
  }

  test('knows Cryptlex to be away from one event, and opens with the second', async () => {
    const { breaker, clock } = scene({ ...ALL_DOWN });
    for (let call = 0; call < 3; call += 1) breaker.onCall(failed(503), 'a');
    await clock.advance(10);
    expect([breaker.health(), breaker.isOpen()]).toEqual([{ kind: 'away', status: 503 }, false]);
    breaker.onCall(failed(503), 'b');
    expect(breaker.isOpen()).toBe(true);
    breaker.stop();
  });

  test('of two poison events costs a probe in three seconds, and only while they fail', async () => {
    const { breaker, clock, probes } = scene({ ...ALL_WELL });
    for (let second = 0; second < 120; second += 1) {
      breaker.onCall(failed(500), second % 2 === 0 ? 'a' : 'b');
      breaker.onCall(nonsense, second % 2 === 0 ? 'a' : 'b');
      await clock.advance(1_000);
      expect(breaker.isOpen()).toBe(false);
    }
    expect(probes()).toBeLessThanOrEqual(2 * 41);
    const before = probes();
    await clock.advance(60_000);
    expect(probes() - before).toBeLessThanOrEqual(2);
  });
});

describe('the probe', () => {
  test('goes on every three seconds, alone; its first success closes and wakes what was put off since', async () => {
    const routes = { ...ALL_DOWN };
    const { clock, breaker, wakes, probes } = scene(routes);
    await clock.advance(500);
    for (let call = 0; call < 20; call += 1) breaker.onCall(failed(503), `e${call}`);
    await clock.advance(30_000);
    expect([probes(), wakes]).toEqual([2 + 10, []]);
    // One route that answers again is enough; both are asked by turns.
    routes.licenses = fine;
    await clock.advance(6_000);
    expect([breaker.isOpen(), breaker.health(), wakes]).toEqual([false, { kind: 'works' }, [500]]);
    await clock.advance(60_000);
    expect(probes()).toBe(2 + 12);
  });

  test('wakes nothing where the circuit was never open: one event has its own back-off', async () => {
    const routes = { ...ALL_DOWN };
    const { clock, breaker, wakes } = scene(routes);
    for (let call = 0; call < 9; call += 1) breaker.onCall(failed(503), 'a');
    await clock.advance(6_000);
    routes.users = fine;
    await clock.advance(6_000);
    expect([breaker.health(), wakes]).toEqual([{ kind: 'works' }, []]);
  });

  test('looks after a token that was refused, and wakes what was parked since', async () => {
    const routes = { users: badToken, licenses: badToken };
    const { clock, breaker, wakes } = scene(routes);
    await clock.advance(1_000);
    breaker.onCall(badToken, 'a');
    expect(breaker.health()).toEqual({ kind: 'refuses-token', status: 401 });
    await clock.advance(60_000);
    expect(wakes).toEqual([]);
    Object.assign(routes, ALL_WELL);
    await clock.advance(3_000);
    expect([breaker.health(), wakes]).toEqual([{ kind: 'works' }, [1_000]]);
  });

  test('does not look after a scope, which it cannot see', async () => {
    const { clock, breaker, probes } = scene({ ...ALL_WELL });
    breaker.onCall(noScope, 'a');
    await clock.advance(60_000);
    expect([probes(), breaker.health()]).toEqual([0, { kind: 'refuses-token', status: 403 }]);
    breaker.onCall(fine, 'b');
    expect(breaker.health()).toEqual({ kind: 'works' });
  });

  test('ends with the server', async () => {
    const { clock, breaker, probes } = scene({ ...ALL_DOWN });
    for (let call = 0; call < 3; call += 1) breaker.onCall(failed(503), 'a');
    await clock.advance(10);
    breaker.stop();
    const before = probes();
    await clock.advance(60_000);
    expect(probes()).toBe(before);
  });
});
