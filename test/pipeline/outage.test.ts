import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createLogger } from '../../src/core/log.ts';
import type { CallRecord } from '../../src/cryptlex/call-record.ts';
import { createOutageWatch } from '../../src/cryptlex/circuit-breaker.ts';
import { CryptlexError } from '../../src/cryptlex/errors.ts';
import { withKeywright } from '../support/keywright.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-outage-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

type Heard = Pick<CallRecord, 'status' | 'error'>;

function failed(status: number | undefined, code = 'CRYPTLEX_UNAVAILABLE' as const): Heard {
  return { status, error: new CryptlexError(code, 'x', { effect: 'none', status }) };
}
const refused: Heard = {
  status: 400,
  error: new CryptlexError('CRYPTLEX_REFUSED', 'x', { effect: 'none', status: 400 }),
};
const badToken: Heard = {
  status: 401,
  error: new CryptlexError('CRYPTLEX_TOKEN', 'x', { effect: 'none', status: 401 }),
};
const noScope: Heard = {
  status: 403,
  error: new CryptlexError('CRYPTLEX_TOKEN', 'x', { effect: 'none', status: 403 }),
};
const fine: Heard = { status: 200 };

function watchOver(probe: () => Promise<undefined>) {
  const clock = new VirtualClock();
  let woken = 0;
  let probes = 0;
  const watch = createOutageWatch({
    client: {
      getUser: () => {
        probes += 1;
        return probe();
      },
    },
    clock,
    log: createLogger({ level: 'silent', format: 'json', write: () => undefined }),
    wakeAll: async () => {
      woken += 1;
    },
  });
  return { clock, watch, woken: () => woken, probes: () => probes };
}

describe('Cryptlex is known to be down', () => {
  for (const [name, calls, isDown] of [
    ['after five calls that fail in a row', Array(5).fill(failed(503)), true],
    ['not after four', Array(4).fill(failed(503)), false],
    ['not when one of them works', [...Array(4).fill(failed(undefined)), fine, failed(503)], false],
    ['not for requests that it refuses', Array(9).fill(refused), false],
    ['not for a token that it refuses: such events are parked', Array(9).fill(badToken), false],
  ] as const) {
    test(name, () => {
      const { watch } = watchOver(() => Promise.reject(failed(503).error));
      for (const call of calls) watch.hear(call);
      expect(watch.isDown()).toBe(isDown);
      watch.stop();
    });
  }
});

describe('the probe', () => {
  test('goes on every three seconds, alone, and its first success wakes everything once', async () => {
    let works = false;
    const { clock, watch, woken, probes } = watchOver(() =>
      works ? Promise.resolve(undefined) : Promise.reject(failed(503).error),
    );
    for (let call = 0; call < 20; call += 1) watch.hear(failed(503));
    await clock.advance(30_000);
    expect(probes()).toBe(10);
    expect(woken()).toBe(0);
    works = true;
    await clock.advance(3_000);
    expect([watch.isDown(), woken()]).toEqual([false, 1]);
    await clock.advance(60_000);
    expect(probes()).toBe(11);
  });

  test('looks after a token that was refused, but not after a scope, which it cannot see', async () => {
    const token = watchOver(() => Promise.resolve(undefined));
    token.watch.hear(badToken);
    await token.clock.advance(3_000);
    expect(token.woken()).toBe(1);
    const scope = watchOver(() => Promise.resolve(undefined));
    scope.watch.hear(noScope);
    await scope.clock.advance(60_000);
    expect(scope.probes()).toBe(0);
  });
});

test('deliveries are answered at once while Cryptlex is down, and done soon after it is back', async () => {
  const env = {
    DATABASE_URL: `sqlite:${join(directory, 'down.db')}`,
    WEBHOOK_DEADLINE_MS: '20000',
  };
  await withKeywright({ env, providers: ['stripe'] }, async ({ sandbox, send, log }) => {
    sandbox.faults.add({
      call: 'every',
      effect: { kind: 'status', status: 503, when: 'beforeCommit' },
    });
    const purchase = (number: number) => ({
      id: `evt_${number}`,
      object: 'event',
      type: 'invoice.paid',
      created: 1_790_000_000,
      livemode: false,
      data: {
        object: {
          id: `in_${number}`,
          status: 'paid',
          billing_reason: 'subscription_create',
          customer_email: `buyer${number}@example.com`,
          parent: { subscription_details: { subscription: `sub_${number}` } },
        },
      },
    });
    let isFirstAnswered = false;
    const first = Promise.all([1, 2, 3].map((number) => send('stripe', purchase(number)))).finally(
      () => {
        isFirstAnswered = true;
      },
    );
    await until(() => log.some((line) => line.includes('one probe goes on')));
    const late = await send('stripe', purchase(4));
    expect([late.status, late.json['status']]).toEqual([200, 'queued']);
    // Those that came before wait for their deadline; the late one was told at once.
    expect(isFirstAnswered).toBe(false);
    sandbox.faults.clear();
    expect((await first).map(({ status, json }) => [status, json['status']])).toEqual(
      Array(3).fill([200, 'done']),
    );
    await until(() => sandbox.state.licenses.length === 4);
  });
});

/** Ends the test by its own time limit when it never comes true. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
