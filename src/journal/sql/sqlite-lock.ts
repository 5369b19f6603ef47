// One working process for a SQLite journal: an exclusive transaction on a file beside it. It ends with its process,
// however that ends, so there is nothing to clean up.

import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../core/error-codes.ts';

/** @throws JOURNAL_LOCKED */
export function takeLock(file: string): DatabaseSync {
  const lock = new DatabaseSync(file);
  try {
    lock.exec('pragma busy_timeout = 0; begin exclusive');
    return lock;
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new AppError('JOURNAL_LOCKED', `another process works on ${file.replace(/\.lock$/, '')}`);
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && /database is locked|SQLITE_BUSY/.test(error.message);
}
