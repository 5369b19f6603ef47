// The worker on a journal in memory, with a pipeline that does as the test says; time is the test's.

import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/core/error-codes.ts';
import { createLogger } from '../../src/core/log.ts';
import type { EventStatus } from '../../src/core/model.ts';
import type { Journal, Settlement, TakenEvent } from '../../src/journal/journal.ts';
import { createMemoryJournal } from '../../src/journal/memory.ts';
import { createWorker, type Worker } from '../../src/pipeline/worker.ts';
import { keyOf, newEvent } from '../journal/contract.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

type Process = (taken: TakenEvent, signal: AbortSignal | undefined) => Promise<Settlement>;

interface Scene {
  readonly worker: Worker;
  readonly journal: Journal;
  readonly clock: VirtualClock;
  readonly lines: readonly string[];
  accept(...ids: string[]): Promise<void>;
  statusOf(id: string): Promise<EventStatus | undefined>;
}

function scene(
  process: Process,
  { concurrency, wrap }: { concurrency?: number; wrap?: (journal: Journal) => void } = {},
): Scene {
  const clock = new VirtualClock();
  const journal = createMemoryJournal({ clock });
  wrap?.(journal);
  const lines: string[] = [];
  const log = createLogger({ level: 'info', format: 'json', write: (line) => lines.push(line) });
  const worker = createWorker({
    journal,
    pipeline: { process },
    clock,
    log,
    ...(concurrency === undefined ? {} : { concurrency }),
  });
  worker.start();
  return {
    worker,
    journal,
    clock,
    lines,
    accept: async (...ids) => {
      await journal.accept(ids.map((id) => newEvent(id, { subjects: [id[0] ?? id] })));
      await clock.settle();
    },
    statusOf: async (id) => (await journal.find(keyOf(id)))?.status,
  };
}

function settled(taken: TakenEvent, status: EventStatus, dueAtMs?: number): Settlement {
  return {
    outcome: { eventId: taken.event.id, status, message: 'm' },
    wakesWaiting: false,
    ...(dueAtMs === undefined ? {} : { dueAtMs }),
  };
}

/** A pipeline that holds every event until it is let go. */
function gate() {
  const held = new Map<string, (settlement: Settlement) => void>();
  const seen: string[] = [];
  const process: Process = (taken, signal) =>
    new Promise((resolve) => {
      seen.push(taken.event.id);
      held.set(taken.event.id, resolve);
      signal?.addEventListener('abort', () => resolve(settled(taken, 'queued', 0)));
    });
  const release = (id: string, status: EventStatus = 'done'): void => {
    const resolve = held.get(id);
    if (resolve === undefined) throw new Error(`${id} is not being worked on`);
    held.delete(id);
    const dueAtMs = status === 'queued' ? { dueAtMs: 1 } : {};
    resolve({ outcome: { eventId: id, status, message: 'm' }, wakesWaiting: false, ...dueAtMs });
  };
  return { process, release, seen, held };
}

/** As a journal gives an event that it accepts and hands on at once. */
function takenAs(id: string): TakenEvent {
  const { event, subjects } = newEvent(id, { subjects: [id] });
  const none = { storedPlan: undefined, replay: undefined, timerKey: undefined };
  return { key: keyOf(id), event, subjects, attempt: 1, begunAtMs: 0, ...none };
}

describe('the worker', () => {
  test('works on many subjects side by side, on one event of each', async () => {
    const { process, held, release } = gate();
    const { accept, clock } = scene(process);
    await accept('a1', 'a2', 'b1', 'c1');
    expect([...held.keys()]).toEqual(['a1', 'b1', 'c1']);
    release('a1');
    await clock.settle();
    expect([...held.keys()]).toEqual(['b1', 'c1', 'a2']);
  });

  test('works on as many as it may, and takes the next when a hand is free', async () => {
    const { process, held, release } = gate();
    const { accept, clock } = scene(process, { concurrency: 2 });
    await accept('a', 'b', 'c', 'd');
    expect([...held.keys()]).toEqual(['a', 'b']);
    release('b');
    await clock.settle();
    expect([...held.keys()]).toEqual(['a', 'c']);
  });

  test('begins what has just come beyond the hands that it has for what lay there', async () => {
    const { process, held } = gate();
    const { accept, worker, clock } = scene(process);
    const ids = Array.from({ length: 300 }, (_, number) => String.fromCodePoint(0x4e00 + number));
    await accept(...ids.slice(0, 31));
    const hands = ids.slice(31).map((id) => ({ id, hand: worker.offerHand() }));
    for (const { id, hand } of hands) hand?.(takenAs(id));
    await clock.settle();
    expect(held.size).toBe(256);
    expect(hands.filter(({ hand }) => hand === undefined)).toHaveLength(300 - 256);
  });

  test('does not ask the journal over and over while all hands are full', async () => {
    const { process, held, release } = gate();
    let asked = 0;
    const { accept, clock } = scene(process, {
      concurrency: 1,
      wrap: (journal) => {
        const nextDueAtMs = journal.nextDueAtMs.bind(journal);
        journal.nextDueAtMs = () => {
          asked += 1;
          return nextDueAtMs();
        };
      },
    });
    await accept('a');
    // It comes back at once, but another one has taken the only hand.
    await accept('b');
    release('a', 'queued');
    await clock.settle();
    expect([...held.keys()]).toEqual(['b']);
    asked = 0;
    await clock.advance(2_000);
    expect(asked).toBeLessThan(10);
  });

  test('wakes up for what was put off, at its time', async () => {
    const attempts: number[] = [];
    const { accept, clock, statusOf } = scene(async (taken) => {
      attempts.push(clock.nowMs());
      return settled(taken, attempts.length === 1 ? 'queued' : 'done', clock.nowMs() + 3_000);
    });
    const startMs = clock.nowMs();
    await accept('a');
    await clock.advance(2_999);
    expect(attempts).toEqual([startMs]);
    await clock.advance(1);
    expect(attempts).toEqual([startMs, startMs + 3_000]);
    expect(await statusOf('a')).toBe('done');
  });

  test('hears of work even when nobody calls it', async () => {
    const { process, held } = gate();
    const { accept, clock } = scene(process, {
      wrap: (journal) => {
        journal.onWork = () => () => undefined;
      },
    });
    await accept('a');
    expect([...held.keys()]).toEqual([]);
    await clock.advance(5_000);
    expect([...held.keys()]).toEqual(['a']);
  });
});

describe('an event that breaks the program', () => {
  for (const [name, broken] of [
    ['by a rejection', () => Promise.reject(new TypeError('x is undefined'))],
    [
      'by an exception',
      () => {
        throw new TypeError('x is undefined');
      },
    ],
  ] as const) {
    test(`${name} is told, does not hold its subject for ever, and is tried again`, async () => {
      let attempts = 0;
      const done: string[] = [];
      const { accept, clock, lines, statusOf, worker } = scene(async (taken) => {
        attempts += taken.event.id === 'a1' ? 1 : 0;
        if (taken.event.id === 'a1' && attempts < 3) return broken();
        done.push(taken.event.id);
        return settled(taken, 'done');
      });
      const outcome = worker.awaitOutcome(keyOf('a1'), new AbortController().signal);
      await accept('a1', 'a2');
      expect(await outcome).toMatchObject({ status: 'queued', reason: 'an unexpected error' });
      expect(await statusOf('a1')).toBe('queued');
      expect(lines.join('')).toContain('worker.test.ts');
      await clock.advance(60_000);
      expect(done).toEqual(['a1', 'a2']);
    });
  }
});

describe('a journal that fails', () => {
  test('at settling is asked again, and the event is done once', async () => {
    let failures = 3;
    let runs = 0;
    const { accept, clock, lines, statusOf } = scene(
      async (taken) => {
        runs += 1;
        return settled(taken, 'done');
      },
      {
        wrap: (journal) => {
          const settle = journal.settle.bind(journal);
          journal.settle = async (...args) => {
            failures -= 1;
            if (failures >= 0) throw new AppError('JOURNAL_UNAVAILABLE', 'disk full');
            return settle(...args);
          };
        },
      },
    );
    await accept('a1', 'a2');
    expect(await statusOf('a1')).toBe('running');
    await clock.advance(1_000 + 2_000 + 4_000);
    expect([await statusOf('a1'), await statusOf('a2')]).toEqual(['done', 'done']);
    expect(runs).toBe(2);
    expect(lines.filter((line) => line.includes('could not be settled'))).toHaveLength(3);
  });

  test('at settling for two minutes does not keep the slot of the event for ever', async () => {
    const { accept, clock, worker, statusOf } = scene(async (taken) => settled(taken, 'done'), {
      concurrency: 1,
      wrap: (journal) => {
        const settle = journal.settle.bind(journal);
        journal.settle = async (key, settlement) => {
          if (key === keyOf('a')) throw new AppError('JOURNAL_UNAVAILABLE', 'away');
          return settle(key, settlement);
        };
      },
    });
    await accept('a');
    await accept('b');
    await clock.advance(60_000);
    expect([worker.unsettled(), await statusOf('b')]).toEqual([1, 'queued']);
    await clock.advance(61_000);
    expect([worker.unsettled(), await statusOf('b')]).toEqual([0, 'done']);
  });

  test('at taking is asked again a second later', async () => {
    let failures = 2;
    const { accept, clock, statusOf } = scene(async (taken) => settled(taken, 'done'), {
      wrap: (journal) => {
        const take = journal.take.bind(journal);
        journal.take = () => {
          failures -= 1;
          return failures >= 0
            ? Promise.reject(new AppError('JOURNAL_UNAVAILABLE', 'away'))
            : take();
        };
      },
    });
    await accept('a');
    await clock.advance(2_000);
    expect(await statusOf('a')).toBe('done');
  });
});

describe('whoever waits for an outcome', () => {
  test('gets it, all of them', async () => {
    const { process, release } = gate();
    const { accept, clock, worker } = scene(process);
    const { signal } = new AbortController();
    const waiting = [1, 2, 3].map(() => worker.awaitOutcome(keyOf('a'), signal));
    await accept('a');
    release('a');
    await clock.settle();
    for (const outcome of await Promise.all(waiting)) expect(outcome?.status).toBe('done');
  });

  test('gets nothing when the time is over, and leaves nothing behind', async () => {
    const { process } = gate();
    const { accept, worker } = scene(process);
    const time = new AbortController();
    let listeners = 0;
    const { signal } = time;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    await accept('a');
    const outcome = worker.awaitOutcome(keyOf('a'), signal);
    time.abort();
    expect(await outcome).toBeUndefined();
    expect(await worker.awaitOutcome(keyOf('a'), signal)).toBeUndefined();
    expect(listeners).toBe(1);
  });
});

describe('a shutdown', () => {
  test('takes nothing more, and finishes what is running', async () => {
    const { process, release, seen } = gate();
    const { accept, clock, worker, statusOf } = scene(process);
    await accept('a');
    const stopping = worker.stop(10_000);
    await accept('b');
    await clock.advance(5_000);
    release('a');
    expect(await stopping).toBe(0);
    expect(seen).toEqual(['a']);
    expect([await statusOf('a'), await statusOf('b')]).toEqual(['done', 'queued']);
  });

  for (const [name, wait, cutOff] of [
    ['just before the grace is over', 9_999, 0],
    ['never', 10_000, 1],
  ] as const) {
    test(`with an event that ends ${name}: ${cutOff} cut off, and given back`, async () => {
      const { process, release } = gate();
      const { accept, clock, worker, statusOf } = scene(process);
      await accept('a');
      const stopping = worker.stop(10_000);
      await clock.advance(wait);
      if (cutOff === 0) release('a');
      expect(await stopping).toBe(cutOff);
      expect(await statusOf('a')).toBe(cutOff === 0 ? 'done' : 'queued');
    });
  }

  test('ends even when an event does not heed the signal', async () => {
    const { accept, clock, worker } = scene(() => new Promise(() => undefined));
    await accept('a');
    const stopping = worker.stop(1_000);
    await clock.advance(3_000);
    expect(await stopping).toBe(1);
  });

  test('waits for the event that was just being taken', async () => {
    let letTake: () => void = () => undefined;
    const { process, release, seen } = gate();
    const { accept, clock, worker, statusOf } = scene(process, {
      wrap: (journal) => {
        const take = journal.take.bind(journal);
        journal.take = async () => {
          const taken = await take();
          if (taken !== undefined) {
            await new Promise<void>((resolve) => {
              letTake = resolve;
            });
          }
          return taken;
        };
      },
    });
    await accept('a');
    const stopping = worker.stop(10_000);
    let isStopped = false;
    void stopping.then(() => {
      isStopped = true;
    });
    letTake();
    await clock.settle();
    expect([seen, isStopped]).toEqual([['a'], false]);
    release('a');
    await stopping;
    expect(await statusOf('a')).toBe('done');
  });

  test('ends while the journal refuses to settle', async () => {
    const { accept, clock, worker } = scene(async (taken) => settled(taken, 'done'), {
      wrap: (journal) => {
        journal.settle = () => Promise.reject(new AppError('JOURNAL_UNAVAILABLE', 'disk full'));
      },
    });
    await accept('a');
    const stopping = worker.stop(5_000);
    await clock.advance(5_000);
    expect(await stopping).toBe(1);
  });

  test('of a worker that was never started ends at once', async () => {
    const clock = new VirtualClock();
    const worker = createWorker({
      journal: createMemoryJournal({ clock }),
      pipeline: { process: async (taken) => settled(taken, 'done') },
      clock,
      log: createLogger({ level: 'silent', format: 'json', write: () => undefined }),
    });
    expect(await worker.stop(10_000)).toBe(0);
  });
});

describe('on a host that freezes the process between requests', () => {
  test('a paused worker takes nothing, waits for what is in work, and goes on when it is started', async () => {
    const { process, held, seen } = gate();
    const { worker, accept, clock, statusOf } = scene(process);
    await accept('a');
    const pausing = worker.pause(500);
    await accept('b');
    await clock.advance(500);
    expect(await pausing).toBe(1);
    expect(seen).toEqual(['a']);
    worker.start();
    worker.start();
    await clock.settle();
    expect(seen).toEqual(['a', 'b']);
    for (const [id, end] of held) end(settled({ event: { id } } as TakenEvent, 'done'));
    await clock.settle();
    expect([await statusOf('a'), await statusOf('b')]).toEqual(['done', 'done']);
  });

  test('working off ends when nothing is left, and tells how many were settled', async () => {
    const { worker, accept, statusOf } = scene(async (taken) => settled(taken, 'done'));
    expect(await worker.workOff(new AbortController().signal)).toBe(0);
    await worker.pause(1);
    await accept('a', 'b', 'c');
    expect(await statusOf('a')).toBe('queued');
    worker.start();
    expect(await worker.workOff(new AbortController().signal)).toBe(3);
    expect(await statusOf('c')).toBe('done');
  });

  test('working off ends when its time is over, with what is in work still in work', async () => {
    const { process, seen } = gate();
    const { worker, accept } = scene(process);
    await accept('a');
    const time = new AbortController();
    const working = worker.workOff(time.signal);
    time.abort();
    expect(await working).toBe(0);
    expect(seen).toEqual(['a']);
    expect(await worker.workOff(time.signal)).toBe(0);
  });
});
