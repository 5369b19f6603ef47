// Writes that need no transaction of their own: that a call was done, that a user is known. They are kept
// until something is written or asked that has to do with them, and go into the same transaction, first.
// A process that dies in between has lost what it would find out again: the operation is still intended, and
// is read back (docs/decisions/0004-operations.md). Never keeps anything back from who asks this journal.

import type { Durability, SqlDatabase, SqlTransaction } from './database.ts';

/** May run more than once, and beside a run of its own: it sets what is so, whatever stood there. */
type Write = (tx: SqlTransaction) => Promise<unknown>;

export class DeferredWrites {
  readonly #database: SqlDatabase;
  #waiting: Write[] = [];

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  /** Written with the next transaction. */
  defer(write: Write): void {
    this.#waiting.push(write);
  }

  /** As the database's own, after everything that was deferred. */
  async transaction<Result>(
    work: (tx: SqlTransaction) => Promise<Result>,
    durability: Durability = {},
  ): Promise<Result> {
    const written = this.#waiting;
    if (written.length === 0) return this.#database.transaction(work, durability);
    const result = await this.#database.transaction(
      async (tx) => {
        for (const write of written) await write(tx);
        return work(tx);
      },
      { ...durability, reads: false },
    );
    // Not before: what was undone with this transaction is written with the next one.
    this.#waiting = this.#waiting.filter((write) => !written.includes(write));
    return result;
  }

  async flush(): Promise<void> {
    if (this.#waiting.length > 0) await this.transaction(async () => undefined);
  }

  listItems(parameter: string): string {
    return this.#database.listItems(parameter);
  }
}
