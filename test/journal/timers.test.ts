// The decision about a clock, against a few lines that say what is meant: whatever order failures and
// payments come in, the clock is held from the first failure since the last payment.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cancelTimer, decideTimer, type TimerState } from '../../src/journal/timers.ts';

const GRACE = 100;

interface Told {
  readonly kind: 'failure' | 'payment';
  readonly time: number;
}

/** When the clock runs out that is running when all is told; undefined where none is. */
function meant(told: readonly Told[]): number | undefined {
  const paid = Math.max(-1, ...told.filter(({ kind }) => kind === 'payment').map((t) => t.time));
  const open = told.filter(({ kind, time }) => kind === 'failure' && time > paid);
  return open.length === 0 ? undefined : Math.min(...open.map(({ time }) => time)) + GRACE;
}

function play(told: readonly Told[]): number | undefined {
  let state: TimerState | undefined;
  let paid: number | undefined;
  for (const [index, { kind, time }] of told.entries()) {
    if (kind === 'payment') {
      paid = Math.max(paid ?? time, time);
      state = cancelTimer(state, paid).state;
      // The journals let the event of such a failure ask again.
      const since = paid;
      const next = told
        .slice(0, index)
        .map((one, place) => ({ ...one, place }))
        .filter((one) => one.kind === 'failure' && one.time > since)
        .sort((one, other) => one.time - other.time)[0];
      if (state === undefined && next !== undefined)
        state = ask(state, next.place, next.time, paid);
    } else {
      state = ask(state, index, time, paid);
    }
  }
  return state?.dueMs;
}

function ask(state: TimerState | undefined, place: number, timeMs: number, paid?: number) {
  const question = { eventKey: `f${place}`, timeMs, dueAtMs: timeMs + GRACE, nowMs: 0 };
  return decideTimer(state, question, paid).state;
}

test('in whatever order failures and payments are told, the same clock runs in the end', () => {
  const one = fc.record({
    kind: fc.constantFrom('failure' as const, 'payment' as const),
    time: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 7 }), (told) => {
      expect(play(told)).toBe(meant(told));
    }),
    { numRuns: 2_000 },
  );
});
