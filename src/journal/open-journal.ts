// Journals, put together: from DATABASE_URL to the kind behind it. Beside compose.ts, and like it
// imported only by cli/ and tests.

import { existsSync, readFileSync } from 'node:fs';
import { type DatabaseUrl, DEFAULT_DATABASE_URL, parseDatabaseUrl } from '../config/config.ts';
import { createEnvironment } from '../config/environment.ts';
import { createSystemClock } from '../core/clock.ts';
import { AppError } from '../core/error-codes.ts';
import type { Clock } from '../core/model.ts';
import type { Pace } from '../cryptlex/rate-limiter.ts';
import type { Archive } from './archive.ts';
import type { Journal } from './journal.ts';
import { createMemoryJournal } from './memory.ts';
import type { SqlDatabase } from './sql/database.ts';
import type { Lease } from './sql/held-events.ts';
import { isAway, PreparedDatabase } from './sql/prepared-database.ts';
import { migrate } from './sql/schema.ts';
import { createSharedPace } from './sql/shared-rate-limit.ts';
import { createSqlArchive } from './sql/sql-archive.ts';
import { openPreparedJournal } from './sql/sql-journal.ts';

export interface OpenedJournal {
  readonly journal: Journal;
  readonly archive: Archive;
  /** Why PostgreSQL cannot be reached yet; the journal works as soon as it can. */
  readonly away: AppError | undefined;
  /** Adds the window that replicas share, where there are any. */
  sharePace(local: Pace, limit: { requests: number; periodMs: number }): Pace;
}

/** What a test may want different. */
export interface JournalOddities {
  /** Stands in for PostgreSQL's own clock where a test owns time. */
  readonly databaseClock?: Clock;
  readonly lease?: Lease;
}

/**
 * @throws JOURNAL_LOCKED | JOURNAL_NEWER | JOURNAL_UNAVAILABLE
 */
export async function openJournal(
  url: DatabaseUrl,
  clock: Clock,
  { databaseClock, lease }: JournalOddities = {},
): Promise<OpenedJournal> {
  if (url.kind === 'memory') {
    const journal = createMemoryJournal({ clock });
    return {
      journal,
      archive: journal.archive,
      away: undefined,
      sharePace: (local) => local,
    };
  }
  const database = new PreparedDatabase(
    await openDatabase(url, clock, { works: true, databaseClock }),
  );
  try {
    const away = await awayAtStart(database);
    const journal = await openPreparedJournal(database, clock, lease);
    return {
      journal,
      away,
      archive: createSqlArchive(database),
      sharePace: (local, limit) =>
        url.kind === 'postgres' ? createSharedPace({ database, local, ...limit, clock }) : local,
    };
  } catch (error) {
    await database.close().catch(() => undefined);
    throw error;
  }
}

/** Only what may come by itself is waited for; anything else is wrong now and stays so. */
async function awayAtStart(database: PreparedDatabase): Promise<AppError | undefined> {
  try {
    await database.prepare();
    return undefined;
  } catch (error) {
    if (database.kind === 'postgres' && isAway(error)) return error;
    throw error;
  }
}

/** The database alone, as it is; nothing is brought up to date. @throws JOURNAL_LOCKED | JOURNAL_UNAVAILABLE */
export async function openDatabase(
  url: Exclude<DatabaseUrl, { kind: 'memory' }>,
  clock: Clock,
  { works, databaseClock }: { works: boolean; databaseClock?: Clock | undefined },
): Promise<SqlDatabase> {
  // Each with its driver; the other one's is never loaded.
  if (url.kind === 'sqlite') {
    const { openSqlite } = await import('./sql/sqlite.ts');
    return openSqlite({ path: url.path, clock, works });
  }
  const { openPostgres } = await import('./sql/postgres.ts');
  return openPostgres({
    url: url.url,
    ...(databaseClock === undefined ? {} : { clock: databaseClock }),
  });
}

/**
 * The archive beside a running server, for commands that look and mark.
 * @throws USAGE when the journal is in a server's memory, where no command can look
 */
export async function openArchive(
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ archive: Archive; close(): Promise<void> }> {
  const environment = createEnvironment(env, (path) => readFileSync(path, 'utf8'));
  const text = environment.resolveEnv('DATABASE_URL') ?? DEFAULT_DATABASE_URL;
  const [problem] = environment.problems();
  if (problem !== undefined) throw new AppError(problem.code, problem.message);
  const url = parseDatabaseUrl(text);
  if (url === undefined)
    throw new AppError('ENV_INVALID', 'DATABASE_URL takes sqlite:PATH or postgres://…');
  if (url.kind === 'memory') {
    throw new AppError('USAGE', 'the journal is in the memory of the server', {
      hint: 'Ask the server itself: GET /admin/events with the admin token.',
    });
  }
  // Opening would make an empty journal where a path is mistyped, and then find nothing in it.
  if (url.kind === 'sqlite' && !existsSync(url.path)) {
    throw new AppError('JOURNAL_UNAVAILABLE', `there is no journal at ${url.path}`);
  }
  const database = await openDatabase(url, createSystemClock(), { works: false });
  try {
    await migrate(database);
  } catch (error) {
    await database.close().catch(() => undefined);
    throw error;
  }
  return { archive: createSqlArchive(database), close: () => database.close() };
}
