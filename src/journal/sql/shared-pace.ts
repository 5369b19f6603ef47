// One pace for all replicas on one database: together they start no more calls within any period than
// Cryptlex admits, and when it asks one of them to wait, all of them wait.
// Takes the pace of this process (its order and its number of calls at once) and adds the shared window.

import type { Pace } from '../../cryptlex/pace.ts';
import type { Clock } from '../../model.ts';
import type { SqlDatabase, SqlTransaction } from './database.ts';

interface SharedPaceOptions {
  readonly database: SqlDatabase;
  /** The pace of this process. */
  readonly local: Pace;
  readonly requests: number;
  readonly periodMs: number;
  readonly clock: Clock;
}

/** Starts as they are kept, oldest first, and until when nobody may start. */
interface PaceState {
  readonly startedMs: readonly number[];
  readonly pausedUntilMs: number;
}

interface Grant {
  readonly count: number;
  /** How long to wait before asking again, when nothing was granted. */
  readonly waitMs: number;
}

/** Starts asked for in one go: a burst costs one transaction for several calls. */
const GRANT_MAX = 8;
const PAUSE_MS_DEFAULT = 1_000;
const PAUSE_MS_MAX = 60_000;
const NAME = 'pace';

export function createSharedPace(options: SharedPaceOptions): Pace {
  const { local, clock } = options;
  let granted = 0;
  let waiting = 0;
  let asking: Promise<void> | undefined;

  const ask = async (): Promise<void> => {
    const grant = await takeStarts(options, Math.max(1, Math.min(waiting, GRANT_MAX)));
    granted += grant.count;
    if (grant.count === 0) await clock.sleep(grant.waitMs);
  };

  const takeOne = async (signal: AbortSignal | undefined): Promise<void> => {
    waiting += 1;
    try {
      while (granted === 0) {
        if (signal?.aborted === true) throw signal.reason;
        asking ??= ask().finally(() => {
          asking = undefined;
        });
        await asking;
      }
      granted -= 1;
    } finally {
      waiting -= 1;
    }
  };

  return {
    acquire: async (signal) => {
      const release = await local.acquire(signal);
      try {
        await takeOne(signal);
        return release;
      } catch (error) {
        release();
        throw error;
      }
    },
    observe: (status, headers) => {
      local.observe(status, headers);
      if (status !== 429) return;
      const seconds = Number(headers.get('retry-after'));
      const askedMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : PAUSE_MS_DEFAULT;
      // The local pace waits in any case; a database that is away must not break the answer.
      pauseAll(options.database, Math.min(askedMs, PAUSE_MS_MAX)).catch(() => undefined);
    },
  };
}

function takeStarts(options: SharedPaceOptions, wanted: number): Promise<Grant> {
  const { database, requests, periodMs } = options;
  return database.transaction(async (tx) => {
    await database.lockSubjects(tx, ['keywright pace']);
    const { startedMs, pausedUntilMs } = await readState(tx);
    const recent = startedMs.filter((ms) => ms > tx.nowMs - periodMs - 1);
    const pausedMs = Math.max(0, pausedUntilMs - tx.nowMs);
    const count = pausedMs > 0 ? 0 : Math.min(wanted, Math.max(0, requests - recent.length));
    const next = [...recent, ...Array.from({ length: count }, () => tx.nowMs)];
    await writeState(tx, { startedMs: next, pausedUntilMs });
    const oldest = recent[0] ?? tx.nowMs;
    const windowMs = recent.length < requests ? 0 : oldest + periodMs + 1 - tx.nowMs;
    return { count, waitMs: Math.max(1, pausedMs, windowMs) };
  });
}

async function pauseAll(database: SqlDatabase, ms: number): Promise<void> {
  await database.transaction(async (tx) => {
    await database.lockSubjects(tx, ['keywright pace']);
    const state = await readState(tx);
    const pausedUntilMs = Math.max(state.pausedUntilMs, tx.nowMs + ms);
    await writeState(tx, { ...state, pausedUntilMs });
  });
}

async function readState(tx: SqlTransaction): Promise<PaceState> {
  const [row] = await tx.query<{ value: string }>(
    'select value from keywright_meta where name = $1',
    [NAME],
  );
  return row === undefined ? { startedMs: [], pausedUntilMs: 0 } : JSON.parse(row.value);
}

async function writeState(tx: SqlTransaction, state: PaceState): Promise<void> {
  await tx.query(
    `insert into keywright_meta (name, value) values ($1, $2)
      on conflict (name) do update set value = excluded.value`,
    [NAME, JSON.stringify(state)],
  );
}
