// SQLite under the SQL journal: one file, one working process. Transactions that come at the same time
// are committed together. The lock is an exclusive transaction on a second file: it ends with its process,
// however that ends.
// A commit writes the write-ahead log; the fsync that makes it durable is made here, on a thread of its own,
// and shared by all that were committed before it began. A slow disk so never holds up the event loop,
// which an fsync by SQLite itself would (docs/decisions/0008-durability.md).

import { fdatasync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { AppError } from '../../core/error-codes.ts';
import type { Clock } from '../../core/model.ts';
import {
  type Durability,
  type News,
  type SqlDatabase,
  type SqlTransaction,
  type SqlValue,
  storedValues,
} from './database.ts';
import { identityOf, realFile, requireSame, requireSpace } from './sqlite-file.ts';
import { takeLock } from './sqlite-lock.ts';
import { LogSync, unavailable } from './sqlite-log.ts';

export interface SqliteOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Whether this process works on the events; a command that only looks takes no lock. */
  readonly works: boolean;
  /** Makes what was written to an open file durable; stands in for the system's own in tests. */
  readonly sync?: (descriptor: number) => Promise<void>;
}

interface Job {
  readonly durable: boolean;
  readonly reads: boolean;
  run(tx: SqlTransaction): Promise<void>;
  /** All see what it wrote. */
  show(): void;
  commit(): void;
  fail(error: unknown): void;
}

/** Transactions of one commit; a burst does not make the first of them wait for all. */
const GROUP_MAX = 256;
/** Turns of the event loop that a commit waits at most for more to come. */
const TURNS_MAX = 32;
/** So many turns that bring nothing more, and it waits no longer: some tens of microseconds where nothing else is done. */
const QUIET_TURNS = 3;
/**
 * The write-ahead log is taken over into the file each time it has grown by so many pages (16 MB). A page that
 * was written often meanwhile is taken over once; SQLite's own 1,000 would be some twenty sales.
 */
const CHECKPOINT_PAGES = 4_000;

/** @throws JOURNAL_LOCKED | JOURNAL_UNAVAILABLE */
export function openSqlite(options: SqliteOptions): SqlDatabase {
  const { path, clock, works, sync = promisify(fdatasync) } = options;
  const given = resolve(path);
  let lock: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(given), { recursive: true });
    const file = realFile(given);
    if (works) lock = takeLock(`${file}.lock`);
    const connection = new DatabaseSync(file);
    connection.exec(
      `pragma journal_mode = wal; pragma synchronous = normal; pragma busy_timeout = 3000;
       pragma secure_delete = on; pragma temp_store = memory;
       pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
    );
    // By the path that was given: a link that leads elsewhere by now is what the next start will follow.
    const opened = identityOf(given);
    const log = new LogSync({ path: `${file}-wal`, sync, check: () => requireSame(given, opened) });
    return new SqliteDatabase(connection, lock, clock, log);
  } catch (error) {
    lock?.close();
    throw unavailable(error, path);
  }
}

class SqliteDatabase implements SqlDatabase {
  readonly kind = 'sqlite';
  readonly #connection: DatabaseSync;
  readonly #lock: DatabaseSync | undefined;
  readonly #clock: Clock;
  readonly #log: LogSync;
  readonly #statements = new Map<string, { statement: StatementSync; places: readonly number[] }>();
  readonly #listeners = new Set<(news: News) => void>();
  #jobs: Job[] = [];
  #working: Promise<void> | undefined;
  /** What is read now would see what may still be undone. */
  #isCommitting = false;
  #announced: News | undefined;
  #closed = false;

  constructor(
    connection: DatabaseSync,
    lock: DatabaseSync | undefined,
    clock: Clock,
    log: LogSync,
  ) {
    this.#connection = connection;
    this.#lock = lock;
    this.#clock = clock;
    this.#log = log;
  }

  transaction<Result>(
    work: (tx: SqlTransaction) => Promise<Result>,
    { durable = true, reads = false, onVisible }: Durability = {},
  ): Promise<Result> {
    if (this.#closed) return Promise.reject(unavailable(new Error('it is closed'), 'the journal'));
    // What only reads sees what is committed, and waits for no commit but the one that is being made.
    if (reads && !this.#isCommitting) return this.#readNow(work);
    return new Promise<Result>((accept, reject) => {
      let result: { value: Result } | undefined;
      this.#jobs.push({
        durable,
        reads,
        show: () => onVisible?.(),
        run: async (tx) => {
          result = { value: await work(tx) };
        },
        commit: () => {
          if (result !== undefined) accept(result.value);
        },
        fail: reject,
      });
      this.#working ??= this.#workOff();
    });
  }

  /** Statements here are synchronous, so that nothing is written between those of one work. */
  async #readNow<Result>(work: (tx: SqlTransaction) => Promise<Result>): Promise<Result> {
    try {
      return await work(this.#tx());
    } catch (error) {
      throw unavailable(error, 'the journal');
    }
  }

  #tx(): SqlTransaction {
    return {
      nowMs: this.#clock.nowMs(),
      query: async (text, parameters) => this.#query(text, parameters),
    };
  }

  async #workOff(): Promise<void> {
    await this.#gather();
    this.#isCommitting = true;
    while (this.#jobs.length > 0) {
      const group = this.#jobs.splice(0, GROUP_MAX);
      await this.#commitGroup(group);
    }
    this.#isCommitting = false;
    this.#working = undefined;
    const news = this.#announced;
    if (news === undefined) return;
    this.#announced = undefined;
    for (const listener of this.#listeners) listener(news);
  }

  /**
   * What comes within this turn of the event loop goes into the same commit, and for as long as each further
   * turn brings more, what comes in that one too: a busy server commits seldom, one that is not does not wait.
   */
  async #gather(): Promise<void> {
    let known = 0;
    let quiet = 0;
    for (let turns = 0; turns < TURNS_MAX && quiet < QUIET_TURNS; turns += 1) {
      quiet = this.#jobs.length > known ? 0 : quiet + 1;
      known = this.#jobs.length;
      await new Promise((turn) => setImmediate(turn));
    }
  }

  async #commitGroup(group: readonly Job[]): Promise<void> {
    const done: Job[] = [];
    // What only reads needs no transaction around it; beside others it sees what they have just written.
    const writes = group.some(({ reads }) => !reads);
    try {
      if (writes) this.#query('begin immediate');
      for (const job of group) {
        if (await this.#runOne(job)) done.push(job);
      }
      if (writes) this.#query('commit');
    } catch (error) {
      if (!this.#closed && this.#connection.isTransaction) this.#connection.exec('rollback');
      const failure = unavailable(error, 'the journal');
      for (const job of group) job.fail(failure);
      return;
    }
    for (const job of done) job.show();
    for (const job of done) if (!job.durable) job.commit();
    this.#log.ask(done.filter((job) => job.durable));
  }

  /** One transaction of the group; its failure undoes it alone. */
  async #runOne(job: Job): Promise<boolean> {
    if (!job.reads) this.#query('savepoint one');
    try {
      await job.run(this.#tx());
      if (!job.reads) this.#query('release one');
      return true;
    } catch (error) {
      if (!job.reads) this.#connection.exec('rollback to one; release one');
      job.fail(error instanceof AppError ? error : unavailable(error, 'the journal'));
      return false;
    }
  }

  #query<Row>(text: string, parameters: readonly SqlValue[] = []): readonly Row[] {
    let known = this.#statements.get(text);
    if (known === undefined) {
      // Node 22 binds no numbered parameters, so each place gets a value of its own, in order.
      const places = [...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number) - 1);
      known = { statement: this.#connection.prepare(text.replaceAll(/\$\d+/g, '?')), places };
      this.#statements.set(text, known);
    }
    const stored = storedValues(parameters);
    const values = known.places.map((place) => stored[place] ?? null);
    return known.statement.all(...values) as unknown as readonly Row[];
  }

  // Transactions run one after the other here, so every subject is locked already.
  async lockSubjects(): Promise<void> {}

  async tryLockSubjects(): Promise<boolean> {
    return true;
  }

  async lockEvent(): Promise<void> {}

  async presentMs(tx: SqlTransaction): Promise<number> {
    return tx.nowMs;
  }

  requireSpace(): Promise<void> {
    return requireSpace(this.#log.path);
  }

  /** Freed pages are overwritten at once (secure_delete); here the write-ahead log is emptied as well. */
  async scrub(): Promise<void> {
    await this.#working;
    if (this.#closed) return;
    // A reader beside would be waited for, and everything with it; the log is emptied another time then.
    this.#connection.exec(
      'pragma busy_timeout = 0; pragma wal_checkpoint(truncate); pragma busy_timeout = 3000',
    );
  }

  listItems(parameter: string): string {
    return `select value from json_each(${parameter})`;
  }

  async announce(_tx: SqlTransaction, news: News = 'work'): Promise<void> {
    // Who looks for work sees what has changed as well.
    this.#announced = this.#announced === 'work' ? 'work' : news;
  }

  onAnnounce(listener: (news: News) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async abandon(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    // Closing undoes the transaction that is open, as the next start after a crash would.
    this.#statements.clear();
    this.#connection.close();
    this.#lock?.close();
    await this.#log.close();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#working;
    await this.#log.close();
    this.#listeners.clear();
    this.#statements.clear();
    this.#connection.close();
    this.#lock?.close();
  }
}
