import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type QueuedItem, SubjectQueues } from '../../src/journal/subject-queues.ts';

interface Item extends QueuedItem {
  dueAtMs: number | undefined;
  /** How often it is put off before it is done. */
  putOffs: number;
}

type Step = { readonly kind: 'add' | 'take' | 'release' | 'pass'; readonly pick: number };

const anItem = fc.record({
  subjects: fc.uniqueArray(fc.constantFrom('s1', 's2', 's3', 's4'), { minLength: 1, maxLength: 3 }),
  timeMs: fc.integer({ min: 0, max: 5 }),
  putOffs: fc.integer({ min: 0, max: 2 }),
});
const aStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('add', 'take', 'take', 'release', 'pass'),
  pick: fc.nat(1_000),
});

const isBefore = (a: QueuedItem, b: QueuedItem): boolean =>
  a.event.timeMs < b.event.timeMs || (a.event.timeMs === b.event.timeMs && a.sequence < b.sequence);

/** The queues under test beside what is known of them, checked at every step. */
class Watched {
  readonly queues = new SubjectQueues<Item>();
  readonly inWork: Item[] = [];
  readonly waiting = new Set<Item>();
  readonly done: Item[] = [];
  nowMs = 0;

  add(item: Item): void {
    this.queues.add(item);
    this.waiting.add(item);
  }

  /** Takes one; nobody shares a subject with it, and no older one of its subjects waits. */
  take(): boolean {
    const item = this.queues.take(this.nowMs);
    if (item === undefined) {
      expect(this.#takeable()).toEqual([]);
      return false;
    }
    expect(this.waiting.has(item)).toBe(true);
    expect(this.inWork.filter((other) => shareSubject(other, item))).toEqual([]);
    expect(
      [...this.waiting].filter((other) => shareSubject(other, item) && isBefore(other, item)),
    ).toEqual([]);
    expect(item.dueAtMs ?? 0).toBeLessThanOrEqual(this.nowMs);
    this.waiting.delete(item);
    this.inWork.push(item);
    return true;
  }

  /** What the queues would have to give: found by looking at everything. */
  #takeable(): Item[] {
    return [...this.waiting].filter(
      (item) =>
        (item.dueAtMs ?? 0) <= this.nowMs &&
        !this.inWork.some((other) => shareSubject(other, item)) &&
        ![...this.waiting].some((other) => shareSubject(other, item) && isBefore(other, item)),
    );
  }

  release(pick: number): void {
    const [item] = this.inWork.splice(pick % this.inWork.length, 1);
    if (item === undefined) return;
    this.queues.release(item);
    if (item.putOffs === 0) {
      this.done.push(item);
      return;
    }
    item.putOffs -= 1;
    item.dueAtMs = this.nowMs + 10;
    this.add(item);
  }
}

function shareSubject(a: QueuedItem, b: QueuedItem): boolean {
  return a !== b && a.subjects.some((subject) => b.subjects.includes(subject));
}

test('never two of one subject in work, each in its turn, nothing starves, all is drained', () => {
  fc.assert(
    fc.property(
      fc.array(anItem, { maxLength: 25 }),
      fc.array(aStep, { maxLength: 120 }),
      (all, steps) => {
        const items: Item[] = all.map(({ subjects, timeMs, putOffs }, sequence) => ({
          key: String(sequence),
          subjects,
          event: { timeMs },
          sequence,
          dueAtMs: undefined,
          putOffs,
        }));
        const left = [...items];
        const watched = new Watched();
        for (const { kind, pick } of steps) {
          const next = kind === 'add' ? left.shift() : undefined;
          if (next !== undefined) watched.add(next);
          if (kind === 'take') watched.take();
          if (kind === 'release' && watched.inWork.length > 0) watched.release(pick);
          if (kind === 'pass') watched.nowMs += pick % 15;
        }
        for (const item of left) watched.add(item);
        for (let rounds = 0; watched.done.length < items.length; rounds += 1) {
          expect(rounds).toBeLessThan(1_000);
          while (watched.take()) {}
          while (watched.inWork.length > 0) watched.release(rounds);
          watched.nowMs += 10;
        }
        expect(new Set(watched.done)).toEqual(new Set(items));
        expect(watched.queues.take(Number.MAX_SAFE_INTEGER)).toBeUndefined();
        expect(watched.queues.nextDueAtMs()).toBeUndefined();
      },
    ),
    { numRuns: 500 },
  );
});

test('the next due time is that of the first in line, not of one behind it', () => {
  const queues = new SubjectQueues<Item>();
  const item = (key: string, timeMs: number, dueAtMs: number): Item => ({
    key,
    subjects: ['s'],
    event: { timeMs },
    sequence: timeMs,
    dueAtMs,
    putOffs: 0,
  });
  queues.add(item('second', 2, 10));
  expect(queues.nextDueAtMs()).toBe(10);
  queues.add(item('first', 1, 20));
  expect(queues.nextDueAtMs()).toBe(20);
});

test('ten thousand events of one subject are put in and taken in well under a second', () => {
  const queues = new SubjectQueues<Item>();
  const startedMs = performance.now();
  for (let sequence = 0; sequence < 10_000; sequence += 1) {
    const timeMs = (sequence * 7_919) % 10_000;
    const key = String(sequence);
    queues.add({
      key,
      subjects: ['s'],
      event: { timeMs },
      sequence,
      dueAtMs: undefined,
      putOffs: 0,
    });
  }
  let last = -1;
  for (let item = queues.take(0); item !== undefined; item = queues.take(0)) {
    expect(item.event.timeMs).toBeGreaterThanOrEqual(last);
    last = item.event.timeMs;
    queues.release(item);
  }
  expect(last).toBe(9_999);
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});
