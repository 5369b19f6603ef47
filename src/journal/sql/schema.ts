// Brings a database to the schema of this version, one migration after the other.
// A database with a newer schema is refused: an older Keywright would not know what it means.

import { randomBytes } from 'node:crypto';
import { AppError } from '../../core/error-codes.ts';
import type { SqlDatabase, SqlTransaction } from './database.ts';
import { MIGRATIONS } from './migrations.ts';

/** The schema that this version of Keywright writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Brings the database to this version's schema; a test stops at an older one.
 * @throws JOURNAL_NEWER | JOURNAL_UNAVAILABLE
 */
export async function migrate(database: SqlDatabase, upTo = SCHEMA_VERSION): Promise<void> {
  await database.transaction(async (tx) => {
    await database.lockSubjects(tx, ['keywright schema']);
    await tx.query(
      'create table if not exists keywright_meta (name text primary key, value text not null)',
    );
    const found = await readMeta(tx, 'schema_version');
    const version = Number(found ?? 0);
    if (version > SCHEMA_VERSION) {
      const message = `its schema is version ${version}; this Keywright knows up to ${SCHEMA_VERSION}`;
      throw new AppError('JOURNAL_NEWER', message);
    }
    for (const migration of MIGRATIONS.slice(version, upTo)) {
      for (const statement of migration(database.kind)) await tx.query(statement);
    }
    if (version < upTo) await writeMeta(tx, 'schema_version', String(upTo));
    if ((await readMeta(tx, 'hash_key')) === undefined) {
      // E-mail addresses are kept as hashes under this key only.
      await writeMeta(tx, 'hash_key', randomBytes(32).toString('hex'));
    }
  });
}

/** What is known of a journal once it is open. */
export interface JournalMeta {
  /** When this process opened it, on the database's clock. */
  readonly openedMs: number;
  /** The key of the hashes of e-mail addresses. */
  readonly hashKey: string;
}

export function readAllMeta(database: SqlDatabase): Promise<JournalMeta> {
  return database.transaction(async (tx) => ({
    openedMs: tx.nowMs,
    hashKey: (await readMeta(tx, 'hash_key')) ?? '',
  }));
}

async function readMeta(tx: SqlTransaction, name: string): Promise<string | undefined> {
  const rows = await tx.query<{ value: string }>(
    'select value from keywright_meta where name = $1',
    [name],
  );
  return rows[0]?.value;
}

async function writeMeta(tx: SqlTransaction, name: string, value: string): Promise<void> {
  await tx.query(
    'insert into keywright_meta (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value',
    [name, value],
  );
}
