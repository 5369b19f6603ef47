// The files of a SQLite journal as the system has them. Takes a path, gives the file behind it, and says whether what
// is at a path is still what was opened: a file that is deleted, moved or replaced takes every write all the same,
// and nobody ever finds it again. Never opens a file that SQLite has open: closing it would drop SQLite's locks.

import { type BigIntStats, closeSync, existsSync, openSync, realpathSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../../core/error-codes.ts';

/** The file itself, made where there is none; SQLite puts its log beside it, and so does our lock. */
export function realFile(path: string): string {
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o644));
  return realpathSync(path);
}

/** An open file, as the system tells it from others. */
export type FileIdentity = Pick<BigIntStats, 'dev' | 'ino'>;

/** @throws Error of the system when there is nothing */
export function identityOf(path: string): FileIdentity {
  return statSync(path, { bigint: true });
}

/** @throws JOURNAL_UNAVAILABLE when this is not what is at the path; two microseconds otherwise */
export function requireSame(path: string, opened: FileIdentity): void {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (found?.ino === opened.ino && found.dev === opened.dev) return;
  const what = found === undefined ? 'deleted or moved' : 'replaced';
  throw new AppError('JOURNAL_UNAVAILABLE', `its file was ${what} while it was open`, {
    hint: 'Put the file back, or restart Keywright on the one that is there.',
  });
}

/** The largest delivery is 1 MiB, and what follows from it is as much again. */
const SPACE_BYTES_MIN = 2 * 1024 * 1024;

/** @throws JOURNAL_UNAVAILABLE when the disk of this file is full */
export async function requireSpace(path: string): Promise<void> {
  const { bavail, bsize, blocks } = await statfs(dirname(path));
  // Some systems that grow as they are filled have no size at all.
  if (blocks === 0 || bavail * bsize >= SPACE_BYTES_MIN) return;
  const kilobytes = Math.floor((bavail * bsize) / 1024);
  throw new AppError('JOURNAL_UNAVAILABLE', `its disk is full: ${kilobytes} kB are left`);
}
