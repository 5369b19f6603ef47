// What the journal costs when much is in it: taking from a subject with thousands of deliveries in its
// line, accepting and listing among a hundred thousand stored events. Judged by ratios within one run.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { EventFilter } from '../../src/journal/archive.ts';
import type { Journal, NewEvent } from '../../src/journal/journal.ts';
import { createSqlArchive } from '../../src/journal/sql/sql-archive.ts';
import { openSqlJournal } from '../../src/journal/sql/sql-journal.ts';
import { openSqlite } from '../../src/journal/sql/sqlite.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-growth-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A thousand times as much may cost this much more, on a machine that does other things as well. */
const RATIO_MAX = 12;
let files = 0;

async function open(): Promise<{
  journal: Journal;
  archive: ReturnType<typeof createSqlArchive>;
  store(from: number, to: number): Promise<void>;
  /** Events that wait for a license, each of a subject of its own. */
  storeWaiting(count: number): Promise<void>;
}> {
  files += 1;
  const clock = new VirtualClock();
  const database = openSqlite({ path: join(directory, `${files}.db`), clock, works: true });
  const journal = await openSqlJournal(database, clock);
  // Finished events of many subjects, types and times, as years leave them behind.
  const store = async (from: number, to: number): Promise<void> => {
    await database.transaction(async (tx) => {
      await tx.query(STORE_EVENTS, [from, to]);
      await tx.query(STORE_SUBJECTS, [from, to]);
    });
  };
  const storeWaiting = async (count: number): Promise<void> => {
    await database.transaction(async (tx) => {
      await tx.query(STORE_WAITING, [0, count, clock.nowMs() + 3_600_000]);
      await tx.query(STORE_SUBJECTS, [0, count]);
    });
  };
  return { journal, archive: createSqlArchive(database), store, storeWaiting };
}

const NUMBERS = 'with recursive n(i) as (select $1 union all select i + 1 from n where i + 1 < $2)';
const STORE_EVENTS = `${NUMBERS} insert into events (event_key, source, provider, event_id, type,
    time_ms, live, subjects, status, ready, due_ms, attempts, accepted_ms, settled_ms, outcome)
  select 'stripe:evt' || i, 'stripe', 'stripe', 'evt' || i, 'type' || (i % 20), i * 1000, 1,
    '["stripe:s' || (i % 30000) || '"]', case i % 50 when 0 then 'failed' else 'done' end, 0, 0, 1,
    i * 1000, i * 1000, '{"eventId":"evt' || i || '","status":"done","message":"Done."}' from n`;
const STORE_WAITING = `${NUMBERS} insert into events (event_key, source, provider, event_id, type,
    time_ms, live, subjects, status, ready, due_ms, attempts, accepted_ms, settled_ms)
  select 'stripe:evt' || i, 'stripe', 'stripe', 'evt' || i, 'type', i * 1000, 1,
    '["stripe:s' || (i % 30000) || '"]', 'waiting', 0, $3, 1, i * 1000, i * 1000 from n`;
const STORE_SUBJECTS = `${NUMBERS} insert into event_subjects (subject, event_key, position, time_ms,
    sequence) select 'stripe:s' || (i % 30000), 'stripe:evt' || i, 0, i * 1000, i from n`;

function delivery(id: string, subject: string, timeMs: number): NewEvent {
  return {
    event: {
      ...{ source: 'stripe', provider: 'stripe', id, type: 'paid', timeMs, live: true },
      payload: { id },
    },
    subjects: [subject],
  };
}

/** The least time that one run takes, in milliseconds, of as many as are made. */
async function leastMs(runs: number, run: (index: number) => Promise<void>): Promise<number> {
  let leastMs = Number.POSITIVE_INFINITY;
  for (let index = 0; index < runs; index += 1) {
    const startedAtMs = performance.now();
    await run(index);
    leastMs = Math.min(leastMs, performance.now() - startedAtMs);
  }
  return leastMs;
}

test('taking from a line of 10,000 deliveries costs what it costs from a line of 10', async () => {
  const costMs = async (waiting: number): Promise<number> => {
    const { journal } = await open();
    const events = Array.from({ length: waiting }, (_, index) =>
      // Every third is older than the one that came before it.
      delivery(`evt${index}`, 's', index * 1000 - (index % 3) * 1500),
    );
    await journal.accept(events);
    const times: number[] = [];
    const cost = await leastMs(10, async () => {
      const taken = await journal.take();
      if (taken === undefined) throw new Error('nothing can be taken');
      times.push(taken.event.timeMs);
      const { id } = taken.event;
      const outcome = { eventId: id, status: 'done', message: 'Done.' } as const;
      await journal.settle(taken.key, { outcome, wakesWaiting: true });
    });
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    await journal.close();
    return cost;
  };
  const few = await costMs(10);
  expect((await costMs(10_000)) / few).toBeLessThan(RATIO_MAX);
});

test('a sale costs what it costs, however many events of others wait for a license', async () => {
  const costMs = async (waiting: number): Promise<number> => {
    const { journal, storeWaiting } = await open();
    await storeWaiting(waiting);
    const cost = await leastMs(10, async (index) => {
      await journal.accept([delivery(`sale${index}`, `buyer${index}`, index)]);
      const taken = await journal.take();
      if (taken === undefined) throw new Error('nothing can be taken');
      const outcome = { eventId: taken.event.id, status: 'done', message: 'Done.' } as const;
      await journal.settle(taken.key, { outcome, wakesWaiting: true });
    });
    await journal.close();
    return cost;
  };
  const few = await costMs(10);
  expect((await costMs(200_000)) / few).toBeLessThan(RATIO_MAX);
});

describe('among 100,000 stored events', () => {
  const filters: readonly (readonly [string, EventFilter])[] = [
    ['the newest', {}],
    ['those of a status that is rare', { status: 'failed' }],
    ['those of a type', { type: 'type7' }],
    ['those of a subject', { subject: 's77' }],
    ['those of a minute long ago', { sinceMs: 10_000, untilMs: 70_000 }],
    ['those that are not there', { status: 'parked' }],
  ];

  test('listing and accepting cost what they cost among a hundred', async () => {
    const bench = async (stored: number): Promise<Map<string, number>> => {
      const { journal, archive, store } = await open();
      await store(0, stored);
      const costs = new Map<string, number>();
      for (const [name, filter] of filters) {
        costs.set(
          name,
          await leastMs(10, async () => void (await archive.list(filter, { limit: 50 }))),
        );
      }
      costs.set(
        'accepting',
        await leastMs(10, async (index) => {
          await journal.accept([delivery(`new${index}`, 's1', index)]);
        }),
      );
      costs.set(
        'a duplicate',
        await leastMs(10, async () => void (await journal.accept([delivery('evt7', 's7', 7_000)]))),
      );
      await journal.close();
      return costs;
    };
    const few = await bench(100);
    const many = await bench(100_000);
    const ratios = [...many].map(
      ([name, ms]) => [name, ms / (few.get(name) ?? Number.NaN)] as const,
    );
    expect(ratios.filter(([, ratio]) => !(ratio < RATIO_MAX))).toEqual([]);
  });
});
