// One pace for all replicas on one database: together they start no more calls within any period than
// Cryptlex admits, and when it asks one of them to wait, all of them wait.
// Takes the pace of this process (its order and its number of calls at once) and adds the shared window.

import type { Clock } from '../../core/model.ts';
import type { Grant as LocalGrant, Pace } from '../../cryptlex/rate-limiter.ts';
import type { SqlDatabase, SqlTransaction } from './database.ts';

interface SharedPaceOptions {
  readonly database: SqlDatabase;
  /** The pace of this process. */
  readonly local: Pace;
  readonly requests: number;
  readonly periodMs: number;
  readonly clock: Clock;
}

/** Starts that were granted, by the latest moment each may be used, and until when nobody may start. */
interface PaceState {
  readonly usableUntilMs: readonly number[];
  readonly pausedUntilMs: number;
}

interface Starts {
  readonly count: number;
  /** How long to wait before asking again, when nothing was granted. */
  readonly waitMs: number;
}

/** Starts asked for in one go: a burst costs one transaction for several calls. */
const GRANT_MAX = 8;
/**
 * Between the moment a start is granted and the start itself lies a commit and the way back. A start
 * is used within this time from when it was *asked* for, or given up, and takes its place in the window
 * from the end of that time: so no window holds too many, however slow the database is. A longer time
 * makes the pace slower; so it is short, and doubles only while grants come too late.
 */
const USE_SHARE = 0.05;
const USE_MS_MIN = 50;
const USE_MS_MAX = 250;
const USE_MS_SLOW_MAX = 4_000;
const PAUSE_MS_DEFAULT = 1_000;
const PAUSE_MS_MAX = 60_000;
const NAME = 'pace';

export function createSharedPace(options: SharedPaceOptions): Pace {
  const { local, clock } = options;
  const shortUseMs = Math.min(Math.max(options.periodMs * USE_SHARE, USE_MS_MIN), USE_MS_MAX);
  let useMs = shortUseMs;
  let granted = 0;
  let usableUntilMs = 0;
  let lastUseMs = 0;
  let waiting = 0;
  let asking: Promise<void> | undefined;
  let nobodyWaits = new AbortController();

  const ask = async (): Promise<void> => {
    // The database's moment of the grant lies after this one, so the time is over here first.
    const askedMs = clock.nowMs();
    const wanted = Math.max(1, Math.min(waiting, GRANT_MAX));
    const grant = await takeStarts(options, { wanted, useMs });
    granted = grant.count;
    usableUntilMs = askedMs + useMs;
    const tookMs = clock.nowMs() - askedMs;
    if (tookMs >= useMs) useMs = Math.min(useMs * 2, USE_MS_SLOW_MAX);
    else if (Math.max(tookMs, lastUseMs) < useMs / 4) useMs = Math.max(shortUseMs, useMs / 2);
    if (grant.count === 0) await clock.sleep(grant.waitMs, nobodyWaits.signal);
  };

  /** Gives until when the start may be used. */
  const takeOne = async (signal: AbortSignal | undefined): Promise<number> => {
    waiting += 1;
    try {
      for (;;) {
        if (signal?.aborted === true) throw signal.reason;
        if (clock.nowMs() >= usableUntilMs) granted = 0;
        if (granted > 0) break;
        asking ??= ask().finally(() => {
          asking = undefined;
        });
        await unlessAborted(asking, signal);
      }
      granted -= 1;
      return usableUntilMs;
    } finally {
      waiting -= 1;
      if (waiting === 0) {
        // A sleep left over would keep the process alive for nothing.
        nobodyWaits.abort();
        nobodyWaits = new AbortController();
      }
    }
  };

  /** Between the grant and the call lies the note of what is intended, which may take its time. */
  const begin = (grant: LocalGrant, untilMs: number, askedForMs: number): boolean => {
    const nowMs = clock.nowMs();
    lastUseMs = nowMs - (untilMs - askedForMs);
    if (nowMs < untilMs) return grant.begin();
    useMs = Math.min(Math.max(useMs, askedForMs * 2), USE_MS_SLOW_MAX);
    return false;
  };

  return {
    acquire: async (signal) => {
      const grant = await local.acquire(signal);
      try {
        const untilMs = await takeOne(signal);
        const askedForMs = useMs;
        return { begin: () => begin(grant, untilMs, askedForMs), release: grant.release };
      } catch (error) {
        grant.release();
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

function takeStarts(
  { database, requests, periodMs }: SharedPaceOptions,
  { wanted, useMs }: { readonly wanted: number; readonly useMs: number },
): Promise<Starts> {
  return database.transaction(async (tx) => {
    await database.lockSubjects(tx, ['keywright pace']);
    // Read with the lock held, since the lock may have been waited for.
    const nowMs = await database.presentMs(tx);
    const { usableUntilMs, pausedUntilMs } = await readState(tx, nowMs);
    const recent = usableUntilMs.filter((ms) => ms > nowMs - periodMs - 1);
    const pausedMs = Math.max(0, pausedUntilMs - nowMs);
    const count = pausedMs > 0 ? 0 : Math.min(wanted, Math.max(0, requests - recent.length));
    const next = [...recent, ...Array.from({ length: count }, () => nowMs + useMs)];
    await writeState(tx, { usableUntilMs: next, pausedUntilMs });
    // A replica with a slow way grants itself a longer time, so they are in no order.
    const windowMs = recent.length < requests ? 0 : Math.min(...recent) + periodMs + 1 - nowMs;
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

/** When the database's clock was put back, moments that lie far ahead count as the nearest that can be. */
async function readState(tx: SqlTransaction, nowMs: number): Promise<PaceState> {
  const [row] = await tx.query<{ value: string }>(
    'select value from keywright_meta where name = $1',
    [NAME],
  );
  // A row as an older version wrote it knows no such moments; its window is over within seconds.
  const kept = row === undefined ? {} : (JSON.parse(row.value) as Partial<PaceState>);
  return {
    usableUntilMs: (kept.usableUntilMs ?? []).map((ms) => Math.min(ms, nowMs + USE_MS_SLOW_MAX)),
    pausedUntilMs: Math.min(kept.pausedUntilMs ?? 0, nowMs + PAUSE_MS_MAX),
  };
}

async function writeState(tx: SqlTransaction, state: PaceState): Promise<void> {
  await tx.query(
    `insert into keywright_meta (name, value) values ($1, $2)
      on conflict (name) do update set value = excluded.value`,
    [NAME, JSON.stringify(state)],
  );
}
