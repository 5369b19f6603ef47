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
/** A start that nobody used by then is given up: later it would come on top of another window's. */
const GRANT_USE_MS = 50;
/** Between the database's moment of a start and the start itself lies a commit, which takes its time. */
const COMMIT_SHARE = 0.05;
const COMMIT_MS_MAX = 250;
const PAUSE_MS_DEFAULT = 1_000;
const PAUSE_MS_MAX = 60_000;
const NAME = 'pace';

export function createSharedPace(options: SharedPaceOptions): Pace {
  const { local, clock } = options;
  let granted = 0;
  let grantedAtMs = 0;
  let waiting = 0;
  let asking: Promise<void> | undefined;
  let nobodyWaits = new AbortController();

  const ask = async (): Promise<void> => {
    const grant = await takeStarts(options, Math.max(1, Math.min(waiting, GRANT_MAX)));
    granted = grant.count;
    grantedAtMs = clock.nowMs();
    if (grant.count === 0) await clock.sleep(grant.waitMs, nobodyWaits.signal);
  };

  const takeOne = async (signal: AbortSignal | undefined): Promise<void> => {
    waiting += 1;
    try {
      for (;;) {
        if (signal?.aborted === true) throw signal.reason;
        if (clock.nowMs() - grantedAtMs > GRANT_USE_MS) granted = 0;
        if (granted > 0) break;
        asking ??= ask().finally(() => {
          asking = undefined;
        });
        await unlessAborted(asking, signal);
      }
      granted -= 1;
    } finally {
      waiting -= 1;
      if (waiting === 0) {
        // A sleep left over would keep the process alive for nothing.
        nobodyWaits.abort();
        nobodyWaits = new AbortController();
      }
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
      const askedMs = askedPauseMs(headers.get('retry-after'), clock.nowMs());
      // The local pace waits in any case; a database that is away must not break the answer.
      pauseAll(options.database, Math.min(askedMs, PAUSE_MS_MAX)).catch(() => undefined);
    },
  };
}

/** `Retry-After` in seconds or as a date; what is unreadable asks for the shortest pause. */
function askedPauseMs(text: string | null, nowMs: number): number {
  const asked = text?.trim() ?? '';
  const askedMs = /^\d{1,9}$/.test(asked) ? Number(asked) * 1000 : Date.parse(asked) - nowMs;
  return askedMs > 0 ? askedMs : PAUSE_MS_DEFAULT;
}

/** The promise, or the signal's reason as soon as it is aborted; the promise goes on for others. */
function unlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function takeStarts(options: SharedPaceOptions, wanted: number): Promise<Grant> {
  const { database, requests } = options;
  const periodMs = options.periodMs + Math.min(options.periodMs * COMMIT_SHARE, COMMIT_MS_MAX);
  return database.transaction(async (tx) => {
    await database.lockSubjects(tx, ['keywright pace']);
    // Read with the lock held, since the lock may have been waited for.
    const nowMs = await database.presentMs(tx);
    const { startedMs, pausedUntilMs } = await readState(tx, nowMs);
    const recent = startedMs.filter((ms) => ms > nowMs - periodMs - 1);
    const pausedMs = Math.max(0, pausedUntilMs - nowMs);
    const count = pausedMs > 0 ? 0 : Math.min(wanted, Math.max(0, requests - recent.length));
    const next = [...recent, ...Array.from({ length: count }, () => nowMs)];
    await writeState(tx, { startedMs: next, pausedUntilMs });
    const oldest = recent[0] ?? nowMs;
    const windowMs = recent.length < requests ? 0 : oldest + periodMs + 1 - nowMs;
    return { count, waitMs: Math.max(1, pausedMs, windowMs) };
  });
}

async function pauseAll(database: SqlDatabase, ms: number): Promise<void> {
  await database.transaction(async (tx) => {
    await database.lockSubjects(tx, ['keywright pace']);
    const nowMs = await database.presentMs(tx);
    const state = await readState(tx, nowMs);
    const pausedUntilMs = Math.max(state.pausedUntilMs, nowMs + ms);
    await writeState(tx, { ...state, pausedUntilMs });
  });
}

/** When the database's clock was put back, moments that lie ahead count as the present. */
async function readState(tx: SqlTransaction, nowMs: number): Promise<PaceState> {
  const [row] = await tx.query<{ value: string }>(
    'select value from keywright_meta where name = $1',
    [NAME],
  );
  if (row === undefined) return { startedMs: [], pausedUntilMs: 0 };
  const { startedMs, pausedUntilMs } = JSON.parse(row.value) as PaceState;
  return {
    startedMs: startedMs.map((ms) => Math.min(ms, nowMs)),
    pausedUntilMs: Math.min(pausedUntilMs, nowMs + PAUSE_MS_MAX),
  };
}

async function writeState(tx: SqlTransaction, state: PaceState): Promise<void> {
  await tx.query(
    `insert into keywright_meta (name, value) values ($1, $2)
      on conflict (name) do update set value = excluded.value`,
    [NAME, JSON.stringify(state)],
  );
}
