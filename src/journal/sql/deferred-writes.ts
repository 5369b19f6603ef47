// Writes that need no transaction of their own: that a call was done, that a user is known. They are kept
// until something is written or asked that has to do with them, and go into the same transaction, first.
// A process that dies in between has lost what it would find out again: the operation is still intended, and
// is read back (docs/decisions/0008-durability.md). Never keeps anything back from who asks this journal.
// With PostgreSQL nothing is deferred: transactions there do not follow one another, so that what went along with
// one could come after the end of the event that it is about, and another replica may ask.

import {
  type Durability,
  READING_ANY_TIME,
  type SqlDatabase,
  type SqlTransaction,
  WITHOUT_WAITING,
} from './database.ts';

/** Sets what is so, whatever stood there: it may run a second time after a transaction that failed. */
type Write = (tx: SqlTransaction) => Promise<unknown>;

/** What a write or a question is about: an operation, a field, an event, a user. */
type About = `${'operation' | 'field' | 'event' | 'user' | 'reference'} ${string}`;

interface Deferred {
  readonly about: readonly About[];
  readonly write: Write;
}

export class DeferredWrites {
  readonly #database: SqlDatabase;
  #waiting: Deferred[] = [];
  /** Handed to a transaction that is not committed yet. */
  readonly #leaving = new Set<Deferred>();

  get kind(): SqlDatabase['kind'] {
    return this.#database.kind;
  }

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  /** Written with the next transaction; no process but this one needs to know of it before. */
  async defer(about: readonly About[], write: Write): Promise<void> {
    if (this.#database.kind === 'sqlite') this.#waiting.push({ about, write });
    else await this.#database.transaction(write, WITHOUT_WAITING);
  }

  /** As the database's own, after everything that was deferred. */
  async transaction<Result>(
    work: (tx: SqlTransaction) => Promise<Result>,
    durability: Durability = {},
  ): Promise<Result> {
    const written = this.#waiting;
    if (written.length === 0) return this.#database.transaction(work, durability);
    this.#waiting = [];
    for (const deferred of written) this.#leaving.add(deferred);
    const onVisible = (): void => {
      for (const deferred of written) this.#leaving.delete(deferred);
      durability.onVisible?.();
    };
    try {
      return await this.#database.transaction(
        async (tx) => {
          for (const { write } of written) await write(tx);
          return work(tx);
        },
        { ...durability, onVisible },
      );
    } catch (error) {
      // What was undone with this transaction is written with the next one.
      for (const deferred of written) this.#leaving.delete(deferred);
      this.#waiting = [...written, ...this.#waiting];
      throw error;
    }
  }

  /** Asks; what was deferred about it is written first. Without `about`, everything is. */
  read<Result>(
    work: (tx: SqlTransaction) => Promise<Result>,
    about?: readonly About[],
  ): Promise<Result> {
    const standing = [...this.#leaving, ...this.#waiting];
    const concerned =
      about === undefined
        ? standing.length > 0
        : standing.some((deferred) => deferred.about.some((name) => about.includes(name)));
    if (concerned) return this.transaction(work, WITHOUT_WAITING);
    return this.#database.transaction(work, READING_ANY_TIME);
  }

  async flush(): Promise<void> {
    if (this.#waiting.length > 0) await this.transaction(async () => undefined);
  }

  presentMs(tx: SqlTransaction): Promise<number> {
    return this.#database.presentMs(tx);
  }

  listItems(parameter: string): string {
    return this.#database.listItems(parameter);
  }
}
