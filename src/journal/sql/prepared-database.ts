// A database whose schema is brought up to date before its first transaction. Takes a database, gives the
// same with what is noted in it once. A PostgreSQL that is away at the start may come later: until then every
// transaction is refused as at any other time when it is away, and the first one that gets through prepares it.

import { AppError } from '../../core/error-codes.ts';
import type { Durability, News, SqlDatabase, SqlTransaction } from './database.ts';
import { type JournalMeta, migrate, readAllMeta } from './schema.ts';

export class PreparedDatabase implements SqlDatabase {
  readonly #database: SqlDatabase;
  #preparing: Promise<JournalMeta> | undefined;
  #meta: JournalMeta | undefined;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  get kind(): SqlDatabase['kind'] {
    return this.#database.kind;
  }

  /** @throws JOURNAL_UNAVAILABLE before anything got through. */
  get meta(): JournalMeta {
    if (this.#meta !== undefined) return this.#meta;
    throw new AppError('JOURNAL_UNAVAILABLE', 'the database has not answered yet');
  }

  /** @throws JOURNAL_NEWER | JOURNAL_UNAVAILABLE; asked again, it tries again */
  async prepare(): Promise<JournalMeta> {
    this.#preparing ??= this.#prepareOnce();
    try {
      return await this.#preparing;
    } catch (error) {
      this.#preparing = undefined;
      throw error;
    }
  }

  async #prepareOnce(): Promise<JournalMeta> {
    await migrate(this.#database);
    this.#meta = await readAllMeta(this.#database);
    return this.#meta;
  }

  async transaction<Result>(
    work: (tx: SqlTransaction) => Promise<Result>,
    durability?: Durability,
  ): Promise<Result> {
    if (this.#meta === undefined) await this.prepare();
    return this.#database.transaction(work, durability);
  }

  lockSubjects(tx: SqlTransaction, subjects: readonly string[]): Promise<void> {
    return this.#database.lockSubjects(tx, subjects);
  }

  tryLockSubjects(tx: SqlTransaction, subjects: readonly string[]): Promise<boolean> {
    return this.#database.tryLockSubjects(tx, subjects);
  }

  lockEvent(tx: SqlTransaction, eventKey: string): Promise<void> {
    return this.#database.lockEvent(tx, eventKey);
  }

  presentMs(tx: SqlTransaction): Promise<number> {
    return this.#database.presentMs(tx);
  }

  requireSpace(): Promise<void> {
    return this.#database.requireSpace();
  }

  scrub(): Promise<void> {
    return this.#database.scrub();
  }

  listItems(parameter: string): string {
    return this.#database.listItems(parameter);
  }

  announce(tx: SqlTransaction, news?: News): Promise<void> {
    return this.#database.announce(tx, news);
  }

  onAnnounce(listener: (news: News) => void): () => void {
    return this.#database.onAnnounce(listener);
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  abandon(): Promise<void> {
    return this.#database.abandon();
  }
}

/** What the network and PostgreSQL itself say while it is not there, or not yet (PostgreSQL, appendix A). */
const AWAY: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  '57P03', // it is starting up or shutting down
  '57P01', // it was shut down
  '53300', // too many connections
]);

/** Whether the database may come by itself. A wrong password, name or schema never gets right by waiting. */
export function isAway(error: unknown): error is AppError {
  if (!(error instanceof AppError) || error.code !== 'JOURNAL_UNAVAILABLE') return false;
  const { cause } = error;
  if (!(cause instanceof Error)) return false;
  // The driver's own time-out and a connection that was cut carry no code.
  if (/timeout|terminated unexpectedly/i.test(cause.message)) return true;
  // A name with several addresses fails with all of them at once.
  const causes = cause instanceof AggregateError ? cause.errors : [cause];
  return causes.some((one: unknown) => AWAY.has((one as { code?: unknown }).code));
}
