// What every journal promises of clocks, as tests: run over each kind of journal, beside contract.ts.
// Takes a journal whose time the test owns. Events here are failures (f…) and payments (p…) of one
// subscription; times are in the provider's words, minutes since the journal began.

import { describe, expect, test } from 'vitest';
import type { Settlement } from '../../src/journal/journal.ts';
import type { TimerAnswer } from '../../src/journal/timers.ts';
import { type JournalBench, keyOf, newEvent, settle, take } from './contract.ts';

type Get = () => JournalBench;

const MINUTE_MS = 60_000;
const GRACE_MS = 60 * MINUTE_MS;
const CLOCK = 'stripe:grace:sub-1';

export function timerContract(get: Get): void {
  describe('a clock', () => {
    test('is held by the first failure, due by the time of its event, not of its arrival', async () => {
      const bench = get();
      const at = bench.nowMs() - 10 * MINUTE_MS;
      await accept(bench, 'f1', at);
      await take(bench.journal, 'f1');
      expect(await ask(bench, 'f1', at)).toEqual({
        kind: 'holds',
        startMs: at,
        dueAtMs: at + GRACE_MS,
        isDue: false,
      });
    });

    test('is asked for by a second failure, and runs on', async () => {
      const bench = get();
      const at = bench.nowMs();
      expect(await ask(bench, 'f1', at)).toMatchObject({ kind: 'holds' });
      const second = await ask(bench, 'f2', at + MINUTE_MS);
      expect(second).toEqual({ kind: 'joined', startMs: at, dueAtMs: at + GRACE_MS });
      expect(await ask(bench, 'f1', at)).toMatchObject({ kind: 'holds', dueAtMs: at + GRACE_MS });
    });

    test('goes over to an older failure that comes late, and lets the newer event end', async () => {
      const bench = get();
      const at = bench.nowMs();
      await wait(bench, 'f2', at);
      expect(await ask(bench, 'f1', at - MINUTE_MS)).toMatchObject({
        kind: 'holds',
        dueAtMs: at - MINUTE_MS + GRACE_MS,
      });
      await take(bench.journal, 'f2');
      expect(await ask(bench, 'f2', at)).toMatchObject({ kind: 'joined', startMs: at - MINUTE_MS });
    });

    test('keeps the time that was promised, whatever the rules say since', async () => {
      const bench = get();
      const at = bench.nowMs();
      await ask(bench, 'f1', at);
      expect(await ask(bench, 'f1', at, { dueAtMs: at + 1 })).toMatchObject({
        dueAtMs: at + GRACE_MS,
      });
    });

    test('of another name, or of another subscription, is another clock', async () => {
      const bench = get();
      const at = bench.nowMs();
      await ask(bench, 'f1', at);
      for (const timerKey of ['stripe:other:sub-1', 'stripe:grace:sub-2', 'paddle:grace:sub-1']) {
        expect(await ask(bench, 'f2', at + 1, { timerKey })).toMatchObject({ kind: 'holds' });
      }
    });
  });

  describe('a payment', () => {
    for (const [name, offsetMs, answer] of [
      ['one millisecond before the failure', -1, 'holds'],
      ['at the same time', 0, 'cancelled'],
      ['after it', 1, 'cancelled'],
    ] as const) {
      test(`${name}: the clock is ${answer}, whichever comes first`, async () => {
        const bench = get();
        const at = bench.nowMs();
        await pay(bench, 'p1', at + offsetMs);
        expect(await ask(bench, 'f1', at)).toMatchObject({ kind: answer });
        await ask(bench, 'f2', at, { timerKey: 'b' });
        await pay(bench, 'p2', at + offsetMs, 'b');
        expect(await ask(bench, 'f2', at, { timerKey: 'b' })).toMatchObject({ kind: answer });
      });
    }

    test('wakes the event that held the clock, and tells that it ran', async () => {
      const bench = get();
      const at = bench.nowMs();
      await wait(bench, 'f1', at);
      expect(await bench.journal.take()).toBeUndefined();
      expect(await pay(bench, 'p1', at + 1)).toEqual([CLOCK]);
      await take(bench.journal, 'f1');
      expect(await ask(bench, 'f1', at)).toEqual({ kind: 'cancelled', paidAtMs: at + 1 });
      expect(await pay(bench, 'p2', at + 2)).toEqual([]);
    });

    test('leaves a clock alone that a later failure has started', async () => {
      const bench = get();
      const at = bench.nowMs();
      await wait(bench, 'f1', at);
      expect(await pay(bench, 'p1', at - 1)).toEqual([]);
      expect(await bench.journal.take()).toBeUndefined();
      expect(await ask(bench, 'f1', at)).toMatchObject({ kind: 'holds' });
    });

    test('between two failures lets the later one start its clock, though it had joined and was done', async () => {
      const bench = get();
      const at = bench.nowMs();
      await wait(bench, 'f1', at);
      await accept(bench, 'f2', at + 2);
      await take(bench.journal, 'f2');
      expect(await ask(bench, 'f2', at + 2)).toMatchObject({ kind: 'joined' });
      await settle(bench.journal, 'f2', 'done');
      await accept(bench, 'p1', at + 1);
      await take(bench.journal, 'p1');
      await pay(bench, 'p1', at + 1);
      await settle(bench.journal, 'p1', 'done');
      const ids = [(await bench.journal.take())?.event.id];
      const [first = ''] = ids;
      expect(['f1', 'f2']).toContain(first);
      await settle(bench.journal, first, 'done');
      await take(bench.journal, first === 'f1' ? 'f2' : 'f1');
      expect(await ask(bench, 'f1', at)).toMatchObject({ kind: 'cancelled' });
      expect(await ask(bench, 'f2', at + 2)).toMatchObject({ kind: 'holds', startMs: at + 2 });
    });

    test('that is told again later was made when it was told first', async () => {
      const bench = get();
      const at = bench.nowMs();
      await pay(bench, 'p1', at, CLOCK, 'invoice-1');
      await ask(bench, 'f1', at + 1);
      expect(await pay(bench, 'p2', at + 2, CLOCK, 'invoice-1')).toEqual([]);
      expect(await ask(bench, 'f1', at + 1)).toMatchObject({ kind: 'holds' });
    });

    test('is not undone by a failure that is told again later', async () => {
      const bench = get();
      const at = bench.nowMs();
      await ask(bench, 'f1', at, { fact: 'invoice-1' });
      await pay(bench, 'p1', at + 1);
      expect(await ask(bench, 'f2', at + 2, { fact: 'invoice-1' })).toMatchObject({
        kind: 'cancelled',
      });
      expect(await ask(bench, 'f3', at + 2, { fact: 'invoice-2' })).toMatchObject({
        kind: 'holds',
        startMs: at + 2,
      });
    });
  });

  describe('an event that waits for a time', () => {
    test('is due at its time exactly, is told as such, and is no backlog before', async () => {
      const bench = get();
      const at = bench.nowMs();
      await wait(bench, 'f1', at);
      expect(await bench.journal.find(keyOf('f1'))).toMatchObject({
        status: 'waiting',
        timerKey: CLOCK,
      });
      expect(await bench.journal.nextDueAtMs()).toBe(at + GRACE_MS);
      await bench.pass(GRACE_MS - 1);
      expect(await bench.journal.take()).toBeUndefined();
      await bench.pass(1);
      expect((await take(bench.journal, 'f1')).timerKey).toBe(CLOCK);
    });

    test('is not woken by a license, which it does not wait for', async () => {
      const bench = get();
      await wait(bench, 'f1', bench.nowMs());
      await accept(bench, 'sale', bench.nowMs());
      await take(bench.journal, 'sale');
      await settle(bench.journal, 'sale', 'done', {}, true);
      expect(await bench.journal.take()).toBeUndefined();
    });

    for (const [name, offsetMs, first] of [
      ['of the last millisecond comes before it', 0, 'p1'],
      ['of the next millisecond comes after it', 1, 'f1'],
    ] as const) {
      test(`lets go by what happened until then: a payment ${name}`, async () => {
        const bench = get();
        const at = bench.nowMs();
        await wait(bench, 'f1', at);
        await bench.pass(GRACE_MS + MINUTE_MS);
        // Both lie there when the server comes back; the payment arrived long after the time was over.
        await accept(bench, 'p1', at + GRACE_MS + offsetMs);
        await take(bench.journal, first);
        expect(await bench.journal.take()).toBeUndefined();
      });
    }

    test('keeps that place in back-off, and has its own once it has begun to write', async () => {
      const bench = get();
      const at = bench.nowMs();
      await wait(bench, 'f1', at);
      await bench.pass(GRACE_MS);
      await take(bench.journal, 'f1');
      await settleWith(bench, 'f1', 'queued', { dueAtMs: bench.nowMs() });
      await accept(bench, 'p1', at + GRACE_MS);
      await take(bench.journal, 'p1');
      await settle(bench.journal, 'p1', 'done');
      await take(bench.journal, 'f1');
      const timer = { key: CLOCK, dueAtMs: at + GRACE_MS };
      const plan = { plan: { steps: [] }, rules: [], rulesHash: 'hash-1', timer };
      await bench.journal.storePlan(keyOf('f1'), plan);
      await settleWith(bench, 'f1', 'queued', { dueAtMs: bench.nowMs() });
      await accept(bench, 'p2', at + GRACE_MS);
      expect((await take(bench.journal, 'f1')).storedPlan).toEqual(plan);
    });

    test('holds its clock no more once that has run out: later failures start another', async () => {
      const bench = get();
      const at = bench.nowMs();
      await wait(bench, 'f1', at);
      await bench.pass(GRACE_MS);
      await take(bench.journal, 'f1');
      await settleWith(bench, 'f1', 'done', { timer: { key: CLOCK, isOver: true } });
      const over = { kind: 'over', dueAtMs: at + GRACE_MS };
      expect(await ask(bench, 'f0', at - 1)).toEqual(over);
      expect(await ask(bench, 'f2', at + GRACE_MS)).toEqual(over);
      expect(await ask(bench, 'f3', at + GRACE_MS + 1)).toMatchObject({ kind: 'holds' });
    });

    test('delivered again while it waits is asked again, and waits on', async () => {
      const bench = get();
      const at = bench.nowMs();
      await wait(bench, 'f1', at);
      await accept(bench, 'f1', at);
      await take(bench.journal, 'f1');
      expect(await ask(bench, 'f1', at)).toMatchObject({ kind: 'holds', dueAtMs: at + GRACE_MS });
    });
  });
}

async function accept({ journal }: JournalBench, id: string, timeMs: number): Promise<void> {
  await journal.accept([newEvent(id, { subjects: ['sub-1'], timeMs })]);
}

function ask(
  { journal }: JournalBench,
  id: string,
  timeMs: number,
  {
    timerKey = CLOCK,
    fact = id,
    dueAtMs = timeMs + GRACE_MS,
  }: { timerKey?: string; fact?: string; dueAtMs?: number } = {},
): Promise<TimerAnswer> {
  return journal.askTimer({ timerKey, eventKey: keyOf(id), fact, timeMs, dueAtMs });
}

function pay(
  { journal }: JournalBench,
  id: string,
  timeMs: number,
  timerKey = CLOCK,
  fact = id,
): Promise<readonly string[]> {
  return journal.cancelTimers([{ timerKey, eventKey: keyOf(id), fact, timeMs }]);
}

/** A failure that came, asked, and waits. */
async function wait(bench: JournalBench, id: string, timeMs: number): Promise<void> {
  await accept(bench, id, timeMs);
  await take(bench.journal, id);
  await ask(bench, id, timeMs);
  const dueAtMs = timeMs + GRACE_MS;
  await settleWith(bench, id, 'waiting', { dueAtMs, timer: { key: CLOCK, isOver: false } });
}

async function settleWith(
  { journal }: JournalBench,
  id: string,
  status: 'queued' | 'waiting' | 'done',
  more: Partial<Settlement>,
): Promise<void> {
  const outcome = { eventId: id, status, message: 'message' } as const;
  await journal.settle(keyOf(id), { outcome, wakesWaiting: false, ...more });
}
