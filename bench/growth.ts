// How the cost of an event grows with what it meets: stored events, events that wait, licenses of a
// subscription, bytes of a body. Takes sizes, gives processor time and calls for each, from one server each.

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Arena, openArena } from './contenders.ts';
import { createDeliveries } from './events.ts';
import { load } from './load.ts';
import { type Spread, spreadOf } from './stats.ts';

export interface GrowthPoint {
  readonly size: number;
  readonly cpuMs: Spread;
  readonly p50Ms: number;
  readonly callsPerEvent: number;
}

export interface Growth {
  readonly name: string;
  readonly unit: string;
  readonly points: readonly GrowthPoint[];
}

export interface GrowthSizes {
  readonly stored: readonly number[];
  readonly waiting: readonly number[];
  readonly licenses: readonly number[];
  readonly bytes: readonly number[];
  readonly rounds: number;
  readonly events: number;
}

const NUMBERS = 'with recursive n(i) as (select ? union all select i + 1 from n where i + 1 < ?)';
const STORE = (status: string, due: string, ended: string): string => `${NUMBERS}
  insert into events (event_key, source, provider, event_id, type, time_ms, live, subjects, status, ready,
    due_ms, attempts, accepted_ms, settled_ms, outcome)
  select 'stripe:old' || i, 'stripe', 'stripe', 'old' || i, 'type' || (i % 20), i * 1000, 1,
    '["stripe:old' || i || '"]', '${status}', 0, ${due}, 1, i * 1000, ${ended},
    '{"eventId":"old' || i || '","status":"${status}","message":"Done."}' from n`;
const STORE_SUBJECTS = `${NUMBERS} insert into event_subjects (subject, event_key, position, time_ms, sequence)
  select 'stripe:old' || i, 'stripe:old' || i, 0, i * 1000, i from n`;
const STORE_PAYLOADS = `insert into payloads select sequence, '{"id":"' || event_id || '"}' from events
  where sequence not in (select sequence from payloads)`;

export async function measureGrowth(sizes: GrowthSizes): Promise<readonly Growth[]> {
  const far = String(Date.now() + 86_400_000);
  return [
    await inJournal('stored events', sizes.stored, sizes, STORE('done', '1', 'i * 1000')),
    await inJournal('events that wait', sizes.waiting, sizes, STORE('waiting', far, 'i * 1000')),
    await bySize('licenses of a subscription', 'a renewal', sizes.licenses, sizes, (licenses) =>
      createDeliveries('stripe', 'renewal-1', { run: `licenses${licenses}`, licenses }),
    ),
    await bySize('bytes of a body', 'a first purchase', sizes.bytes, sizes, (bytes) =>
      createDeliveries('stripe', 'first-purchase', { run: `bytes${bytes}`, bytes }),
    ),
  ];
}

/** First purchases, in one journal that is filled between the rounds by a second connection. */
async function inJournal(
  name: string,
  counts: readonly number[],
  sizes: GrowthSizes,
  statement: string,
): Promise<Growth> {
  const arena = await openArena({ names: ['sqlite'] });
  try {
    const points: GrowthPoint[] = [];
    let stored = 0;
    for (const size of counts) {
      fill(arena, statement, stored, size);
      stored = Math.max(stored, size);
      const make = createDeliveries('stripe', 'first-purchase', { run: `grown${size}` });
      points.push(await measurePoint(arena, make, size, sizes));
    }
    return { name, unit: 'a first purchase', points };
  } finally {
    await arena.close();
  }
}

function fill(arena: Arena, statement: string, from: number, to: number): void {
  if (to <= from) return;
  const database = new DatabaseSync(join(arena.directory, 'journal.db'), { timeout: 30_000 });
  const portion = 20_000;
  for (let first = from; first < to; first += portion) {
    const range = [first, Math.min(first + portion, to)];
    database.exec('begin immediate');
    database.prepare(statement).run(...range);
    database.prepare(STORE_SUBJECTS).run(...range);
    database.exec('commit');
  }
  database.exec(STORE_PAYLOADS);
  database.close();
}

async function bySize(
  name: string,
  unit: string,
  values: readonly number[],
  sizes: GrowthSizes,
  makerFor: (value: number) => ReturnType<typeof createDeliveries>,
): Promise<Growth> {
  const arena = await openArena({ names: ['sqlite'] });
  try {
    const points: GrowthPoint[] = [];
    for (const size of values) {
      // A renewal of thousands is thousands of calls: fewer of them tell enough.
      const events = Math.max(3, Math.min(sizes.events, Math.ceil(5_000 / size)));
      const few = name.startsWith('licenses') ? { ...sizes, events } : sizes;
      points.push(await measurePoint(arena, makerFor(size), size, few));
    }
    return { name, unit, points };
  } finally {
    await arena.close();
  }
}

async function measurePoint(
  arena: Arena,
  make: ReturnType<typeof createDeliveries>,
  size: number,
  { rounds, events }: GrowthSizes,
): Promise<GrowthPoint> {
  const [contender] = arena.contenders;
  if (contender === undefined) throw new Error('there is no server');
  const cpuMs: number[] = [];
  const latenciesMs: number[] = [];
  let calls = 0;
  for (let round = -1; round < rounds; round += 1) {
    const callsBefore = (await arena.cryptlex.tell({ ask: 'forget' })).calls;
    const before = await contender.usage();
    const from = (round + 1) * events;
    const done = await load(contender.sender, make, {
      from,
      count: events,
      inFlight: 4,
      status: 200,
    });
    const after = await contender.usage();
    if (round < 0) continue;
    cpuMs.push((after.cpuMs - before.cpuMs) / events);
    latenciesMs.push(...done.latenciesMs);
    calls = ((await arena.cryptlex.tell({ ask: 'calls' })).calls - callsBefore) / events;
  }
  const p50Ms = spreadOf(latenciesMs).median;
  return { size, cpuMs: spreadOf(cpuMs), p50Ms, callsPerEvent: calls };
}
