// A delivery until it is answered: what is done within the deadline, what goes on behind the answer.

import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/core/error-codes.ts';
import { createLogger } from '../../src/core/log.ts';
import type { EventOutcome, EventStatus, VerifiedDelivery } from '../../src/core/model.ts';
import type { Journal, Settlement, TakenEvent } from '../../src/journal/journal.ts';
import { createMemoryJournal } from '../../src/journal/memory.ts';
import { receive } from '../../src/pipeline/receive.ts';
import { createWorker } from '../../src/pipeline/worker.ts';
import { keyOf, newEvent } from '../journal/contract.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const DEADLINE_MS = 4_000;

interface Act {
  readonly afterMs?: number;
  readonly status: EventStatus;
  /** For what is put off: in how long. */
  readonly againMs?: number;
}

/** Each event plays its acts, one an attempt; the last one stays. */
function scene(acts: readonly Act[], wrap?: (journal: Journal) => void) {
  const clock = new VirtualClock();
  const journal = createMemoryJournal({ clock });
  wrap?.(journal);
  const runs: string[] = [];
  const process = async (taken: TakenEvent): Promise<Settlement> => {
    runs.push(taken.event.id);
    const act = acts[Math.min(taken.attempt, acts.length) - 1] ?? { status: 'done' };
    if (act.afterMs !== undefined) await clock.sleep(act.afterMs);
    return {
      outcome: { eventId: taken.event.id, status: act.status, message: `attempt ${taken.attempt}` },
      wakesWaiting: false,
      ...(act.againMs === undefined ? {} : { dueAtMs: clock.nowMs() + act.againMs }),
    };
  };
  const worker = createWorker({
    journal,
    pipeline: { process },
    clock,
    log: createLogger({ level: 'silent', format: 'json', write: () => undefined }),
  });
  worker.start();
  const deliver = (...ids: string[]): Promise<readonly EventOutcome[]> => {
    const events = ids.map((id) => newEvent(id, { subjects: [id] }));
    return receive({ events: events.map(({ event }) => event) } as unknown as VerifiedDelivery, {
      pipeline: { accept: () => journal.accept(events) },
      journal,
      worker,
      clock,
      deadlineMs: DEADLINE_MS,
    });
  };
  return { clock, journal, worker, runs, deliver };
}

describe('the deadline', () => {
  for (const [afterMs, status] of [
    [DEADLINE_MS - 1, 'done'],
    [DEADLINE_MS + 1, 'running'],
  ] as const) {
    test(`an event that takes ${afterMs} ms is told as ${status}, and is done in the end`, async () => {
      const { clock, deliver, journal } = scene([{ status: 'done', afterMs }]);
      const answer = deliver('a');
      await clock.advance(DEADLINE_MS);
      expect(await answer).toMatchObject([{ eventId: 'a', status }]);
      await clock.advance(10);
      expect(await journal.find(keyOf('a'))).toMatchObject({ status: 'done' });
    });
  }

  test('short back-offs are waited for, as long as it goes', async () => {
    const again = { status: 'queued', againMs: 1_000 } as const;
    const { clock, deliver } = scene([again, again, { status: 'done' }]);
    const answer = deliver('a');
    await clock.advance(2_000);
    expect(await answer).toMatchObject([{ status: 'done', message: 'attempt 3' }]);
  });

  test('a long back-off is told as queued, with the reason of the last attempt', async () => {
    const { clock, deliver } = scene([{ status: 'queued', againMs: 60_000 }]);
    const answer = deliver('a');
    await clock.advance(DEADLINE_MS);
    expect(await answer).toMatchObject([{ status: 'queued', message: 'attempt 1' }]);
  });

  for (const status of ['waiting', 'parked'] as const) {
    test(`${status} is told at once`, async () => {
      const { clock, deliver } = scene([{ status, againMs: 60_000 }]);
      const answer = deliver('a');
      await clock.settle();
      expect(await answer).toMatchObject([{ status }]);
    });
  }

  test('of a batch: what is done is told beside what goes on', async () => {
    const { clock, deliver, journal } = scene([{ status: 'done' }]);
    await journal.accept([newEvent('slow', { subjects: ['slow'] })]);
    const held = await journal.take();
    expect(held?.event.id).toBe('slow');
    const answer = deliver('slow', 'quick');
    await clock.advance(DEADLINE_MS);
    expect(await answer).toMatchObject([
      { eventId: 'slow', status: 'running' },
      { eventId: 'quick', status: 'done' },
    ]);
  });
});

describe('the same event again', () => {
  test('while it runs waits for the first, and is told as a duplicate', async () => {
    const { clock, deliver, runs } = scene([{ status: 'done', afterMs: 500 }]);
    const first = deliver('a');
    await clock.advance(100);
    const second = deliver('a');
    await clock.advance(400);
    expect(await first).toMatchObject([{ status: 'done' }]);
    expect((await first)[0]?.duplicate).toBeUndefined();
    expect(await second).toMatchObject([{ status: 'done', duplicate: true }]);
    expect(runs).toEqual(['a']);
  });

  test('twenty times at once is done once, and all are told', async () => {
    const { clock, deliver, runs } = scene([{ status: 'done', afterMs: 500 }]);
    const answers = Array.from({ length: 20 }, () => deliver('a'));
    await clock.advance(500);
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject([{ status: 'done', message: 'attempt 1' }]);
    }
    expect(runs).toEqual(['a']);
  });

  test('after it was done is answered from the journal', async () => {
    const { clock, deliver, runs } = scene([{ status: 'done' }]);
    const first = deliver('a');
    await clock.settle();
    await first;
    const second = deliver('a');
    await clock.settle();
    expect(await second).toMatchObject([{ duplicate: true, message: 'attempt 1' }]);
    expect(runs).toEqual(['a']);
  });

  test('after it failed is evaluated anew', async () => {
    const { clock, deliver } = scene([{ status: 'failed' }, { status: 'done' }]);
    const first = deliver('a');
    await clock.settle();
    expect(await first).toMatchObject([{ status: 'failed' }]);
    const second = deliver('a');
    await clock.settle();
    expect(await second).toMatchObject([{ status: 'done', message: 'attempt 2' }]);
  });
});

describe('a journal that is away', () => {
  const away = () => Promise.reject(new AppError('JOURNAL_UNAVAILABLE', 'disk full'));

  test('when a delivery comes: it is not acknowledged, and nobody goes on waiting', async () => {
    const { clock, deliver } = scene([{ status: 'done' }], (journal) => {
      journal.accept = away;
    });
    await expect(deliver('a')).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' });
    await clock.settle();
    // What sleeps is the idle worker alone; the deadline's timer is gone.
    expect(clock.sleeping).toBe(1);
  });

  test('when the deadline is over: it is not acknowledged', async () => {
    const { clock, deliver } = scene([{ status: 'done', afterMs: 60_000 }], (journal) => {
      journal.find = away;
    });
    const answer = expect(deliver('a')).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' });
    await clock.advance(DEADLINE_MS);
    await answer;
  });
});
