// What counting events by time costs, as statements and as the way that SQLite reads for them: not as time, which
// depends on the machine. What is counted is a promise of every archive (archive.ts).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import { PreparedDatabase } from '../../src/journal/sql/prepared-database.ts';
import { openSqlite } from '../../src/journal/sql/sqlite.ts';
import { createTimeCounts } from '../../src/journal/sql/time-counts.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-time-counts-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const DAY_MS = 24 * 3_600_000;
const DAYS = 30;
const EVENTS = 3_000;
const STORE = `with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < ${EVENTS})
  insert into events (event_key, source, provider, event_id, type, time_ms, live, subjects, status, ready,
    due_ms, attempts, accepted_ms)
  select 'e' || i, 'source' || (i % 3), 'stripe', 'e' || i, 't', 0, 1, '[]',
    case i % 9 when 0 then 'failed' when 1 then 'waiting' else 'done' end, 0, 0, 1,
    i * ${(DAYS * DAY_MS) / EVENTS} from n`;

test('a month that is counted again is not counted event by event, and never but by an index', async () => {
  const path = join(directory, 'month.db');
  const clock = new VirtualClock({ startMs: DAYS * DAY_MS - 1 });
  const database = new PreparedDatabase(openSqlite({ path, clock, works: true }));
  await database.transaction((tx) => tx.query(STORE));
  let statements: string[] = [];
  const countByTime = createTimeCounts({
    kind: database.kind,
    transaction: (work, durability) =>
      database.transaction(
        (tx) =>
          work({
            nowMs: tx.nowMs,
            query: (text, parameters) => {
              statements.push(text);
              return tx.query(text, parameters);
            },
          }),
        durability,
      ),
  });
  const first = await countByTime(0, DAY_MS);
  expect(first.reduce((sum, { events }) => sum + events, 0)).toBe(EVENTS);
  const counting = statements;
  statements = [];
  expect(await countByTime(0, DAY_MS)).toEqual(first);
  // The days that are over as they stand, what is unfinished in them, and today.
  expect(statements).toHaveLength(3);
  const plans = new DatabaseSync(path, { readOnly: true });
  const ways = [...counting, ...statements].flatMap((text) =>
    plans.prepare(`explain query plan ${text.replaceAll(/\$\d+/g, '1')}`).all(),
  );
  plans.close();
  await database.close();
  const reads = ways.map(({ detail }) => String(detail)).filter((way) => /\bevents\b/.test(way));
  const byIndex =
    /^SEARCH events USING (COVERING INDEX events_(counted|begun_anew|by_acceptance)|INDEX events_unfinished) /;
  expect(reads.filter((way) => !byIndex.test(way))).toEqual([]);
});
