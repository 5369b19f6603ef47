// What the SQL journal needs of a database: transactions, a clock, a way to serialise on subjects.
// The interface; sqlite.ts and postgres.ts keep it.

import { storedText } from '../../core/stored-text.ts';

export type SqlValue = string | number | null;

/** What a statement is given: no text in it that a database cannot hold. */
export function storedValues(parameters: readonly SqlValue[]): SqlValue[] {
  return parameters.map((value) => (typeof value === 'string' ? storedText(value) : value));
}

/** A list of texts for `listItems`; in JSON a U+0000 is an escape, so that it is replaced before. */
export function listed(texts: readonly string[]): string {
  return JSON.stringify(texts.map(storedText));
}

export interface SqlTransaction {
  /** One statement with `$1 … $n`; gives its rows with lower-case names. */
  query<Row>(statement: string, parameters?: readonly SqlValue[]): Promise<readonly Row[]>;
  /** The database's clock, in milliseconds since 1970; the same throughout the transaction. */
  readonly nowMs: number;
}

/** How far a transaction's promise waits. */
export interface Durability {
  /**
   * false: it resolves as soon as all see what was written, before that would outlive a loss of power. What
   * is durable later makes it durable as well, and what is lost is always the end, never the middle; so it
   * suits what a restart would find out again.
   */
  readonly durable?: boolean;
  /** It writes nothing, so that nothing has to be committed for it. Each statement sees what is committed by then. */
  readonly reads?: boolean;
  /** It does not look at the time, so that no database has to be asked for it: `nowMs` is no number. */
  readonly timeless?: boolean;
  /** Called as soon as all see what was written, which may be before it is durable. */
  readonly onVisible?: () => void;
}

/** For what a restart would find out again. */
export const WITHOUT_WAITING: Durability = { durable: false };

/** For what only reads. */
export const READING: Durability = { durable: false, reads: true };

/** For what only reads, and whatever the time is. */
export const READING_ANY_TIME: Durability = { ...READING, timeless: true };

/** There may be something to take; or somebody who looks on would see something new. */
export type News = 'work' | 'change';

export interface SqlDatabase {
  readonly kind: 'sqlite' | 'postgres';
  /**
   * Runs the work in one transaction; what it wrote is durable when the promise resolves, unless it is
   * told not to wait for that. The work may be run again after a serialisation failure, so it touches nothing but the database.
   * @throws JOURNAL_UNAVAILABLE
   */
  transaction<Result>(
    work: (tx: SqlTransaction) => Promise<Result>,
    durability?: Durability,
  ): Promise<Result>;
  /** Holds the subjects for this transaction against all others that hold one of them; waits. */
  lockSubjects(tx: SqlTransaction, subjects: readonly string[]): Promise<void>;
  /** The same without waiting; false when somebody else holds one of them. */
  tryLockSubjects(tx: SqlTransaction, subjects: readonly string[]): Promise<boolean>;
  /** Holds one event's row for this transaction; waits. */
  lockEvent(tx: SqlTransaction, eventKey: string): Promise<void>;
  /** The database's clock at this moment, for whoever has waited for a lock; milliseconds since 1970. */
  presentMs(tx: SqlTransaction): Promise<number>;
  /** @throws JOURNAL_UNAVAILABLE when the disk has no room for the largest delivery, where we can see that */
  requireSpace(): Promise<void>;
  /** Forgets what was erased for good: freed pages and what the log still holds of them. */
  scrub(): Promise<void>;
  /** The items of a JSON list of texts, for `in ( … )`. */
  listItems(parameter: string): string;
  /** Tells all processes the news, of work unless said otherwise, once the transaction is committed. */
  announce(tx: SqlTransaction, news?: News): Promise<void>;
  /** Hears of it. Gives the way to stop. */
  onAnnounce(listener: (news: News) => void): () => void;
  close(): Promise<void>;
  /** Closes without waiting for transactions that are under way; they are undone. */
  abandon(): Promise<void>;
}
