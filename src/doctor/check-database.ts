// The doctor's look at the journal: reachable, writable, how fast a write is safe, room on the disk, and
// what the last events say. Takes DATABASE_URL, gives findings. Makes no journal, and changes none.

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { DatabaseUrl } from '../config/config.ts';
import { createSystemClock } from '../core/clock.ts';
import { AppError } from '../core/error-codes.ts';
import { openDatabase } from '../journal/open-journal.ts';
import type { SqlDatabase } from '../journal/sql/database.ts';
import { createSqlArchive } from '../journal/sql/sql-archive.ts';
import { type Finding, ok, problem, skipped, warning } from './finding.ts';

const FREE_BYTES_PROBLEM = 100 * 1024 * 1024;
const FREE_BYTES_WARNING = 1024 * 1024 * 1024;
/** Each event is written down with about four of them; a slow one shows in every answer. */
const COMMIT_MS_WARNING = 50;
const EVENTS_LOOKED_AT = 50;
/** The oldest version of Stripe's API that the shipped rules are tried with. */
const STRIPE_VERSION_MIN = '2022-11-15';

export async function databaseFindings(url: DatabaseUrl): Promise<readonly Finding[]> {
  if (url.kind === 'memory') {
    const remedy = 'Where there is a disk or a database, use sqlite:PATH or postgres://….';
    const message = 'the journal is in memory: after a restart, what is sent again is done again';
    return [warning('database', message, remedy)];
  }
  if (url.kind === 'sqlite') {
    const file = resolve(url.path);
    const findings = diskFindings(file);
    const isWell = findings.every(({ verdict }) => verdict !== 'problem');
    if (!isWell || !existsSync(file)) {
      const why = isWell ? 'there is no journal yet; the first start makes it' : 'no journal';
      return [...findings, skipped('events', why)];
    }
    return [
      ...findings,
      ...(await withDatabase(url, async (database) => [await eventsFinding(database)])),
    ];
  }
  return withDatabase(url, async (database) => [
    await postgresFinding(database),
    await eventsFinding(database),
  ]);
}

async function withDatabase(
  url: Exclude<DatabaseUrl, { kind: 'memory' }>,
  look: (database: SqlDatabase) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  let database: SqlDatabase | undefined;
  try {
    database = await openDatabase(url, createSystemClock(), { works: false });
    return await look(database);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const remedy = 'Check DATABASE_URL, that the database runs, its user, password and network.';
    return [problem('database', error.message, remedy), skipped('events', 'no journal')];
  } finally {
    await database?.close();
  }
}

/** Whether the folder can be written to, how long a write takes to be safe, and how much room is left. */
function diskFindings(file: string): readonly Finding[] {
  let folder = dirname(file);
  // The server makes missing folders; what counts is the first that is there.
  while (!existsSync(folder)) folder = dirname(folder);
  const probe = join(folder, `.keywright-doctor-${process.pid}`);
  let commitMs = 0;
  try {
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
    const handle = openSync(probe, 'wx', 0o600);
    try {
      writeSync(handle, 'x'.repeat(4096));
      const beganMs = performance.now();
      fsyncSync(handle);
      commitMs = performance.now() - beganMs;
    } finally {
      closeSync(handle);
      rmSync(probe, { force: true });
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const remedy =
      'Give the user of the server the right to write there, or say another DATABASE_URL.';
    return [problem('database', `${file} cannot be written (${code})`, remedy)];
  }
  return [commitFinding('SQLite', commitMs), spaceFinding(folder)];
}

function commitFinding(what: string, commitMs: number): Finding {
  const message = `${what} can be written; a write is safe after ${commitMs.toFixed(1)} ms`;
  if (commitMs <= COMMIT_MS_WARNING) return ok('database', message);
  const remedy = 'Put the journal on a local disk; a network drive is slow and not safe.';
  return warning('database', message, remedy);
}

function spaceFinding(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const bytes = bavail * bsize;
  const message = `${(bytes / 1e9).toFixed(1)} GB are free at ${folder}`;
  const remedy = 'Make room, or lower RETENTION_DAYS: without it webhooks are answered 503.';
  if (bytes < FREE_BYTES_PROBLEM) return problem('disk-space', message, remedy);
  if (bytes < FREE_BYTES_WARNING) return warning('disk-space', message, remedy);
  return ok('disk-space', message);
}

/** A message in the write-ahead log is written to disk like any row, and leaves none. */
async function postgresFinding(database: SqlDatabase): Promise<Finding> {
  const beganMs = performance.now();
  const rights = await database.transaction(async (tx) => {
    const [row] = await tx.query<{ standby: boolean; create: boolean }>(
      `select pg_is_in_recovery() as standby,
              coalesce(has_schema_privilege(current_schema(), 'create'), false) as "create"`,
    );
    if (row?.standby === false) {
      await tx.query(`select pg_logical_emit_message(true, 'keywright', 'doctor')::text as lsn`);
    }
    return row;
  });
  if (rights?.standby === true) {
    return problem(
      'database',
      'this PostgreSQL is a standby, which cannot be written',
      'Name the primary in DATABASE_URL.',
    );
  }
  if (rights?.create !== true) {
    const remedy =
      'grant create on its schema to the role, or give Keywright a database of its own.';
    return problem('database', 'the role may not create tables in PostgreSQL', remedy);
  }
  return commitFinding('PostgreSQL', performance.now() - beganMs);
}

/** Which version of its API Stripe speaks, by the events that came last. The others tell none. */
async function eventsFinding(database: SqlDatabase): Promise<Finding> {
  const check = 'events';
  const archive = createSqlArchive(database);
  try {
    const { events } = await archive.list({}, { limit: EVENTS_LOOKED_AT });
    if (events.length === 0) return skipped(check, 'none came yet');
    const failed = events.filter(({ status }) => status === 'failed' || status === 'parked').length;
    const stripe = events.find(({ event, isErased }) => event.provider === 'stripe' && !isErased);
    const details = stripe === undefined ? undefined : await archive.details(stripe.key);
    const version = details?.record.event.payload['api_version'];
    const told = `of the last ${events.length}, ${failed} are failed or parked`;
    const message =
      typeof version === 'string' ? `${told}; Stripe's API version is ${version}` : told;
    if (typeof version === 'string' && version < STRIPE_VERSION_MIN) {
      const remedy = `Set the version of the webhook in Stripe to ${STRIPE_VERSION_MIN} or newer.`;
      return warning(check, message, remedy);
    }
    if (failed === 0) return ok(check, message);
    return warning(check, message, 'keywright events list --status failed (or parked) tells why.');
  } catch (error) {
    // A journal that no server has begun, or of another version, has no tables to look into.
    if (!(error instanceof AppError)) throw error;
    return skipped(check, 'there is no journal of this version yet');
  }
}
