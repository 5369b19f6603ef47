// The fsync of SQLite's write-ahead log, on a thread of its own. Takes commits that wait for it, tells each once
// what it wrote is durable, or that it could not be made so. Never writes anything itself.

import { closeSync, openSync } from 'node:fs';
import { AppError, messageOf } from '../../core/error-codes.ts';

/** SQLITE_TOOBIG: it is about the row, not about the file. */
const TOO_BIG = 18;

/** A transaction that was committed and waits for the disk. */
interface Committed {
  commit(): void;
  fail(error: unknown): void;
}

/** Makes the write-ahead log durable, for all who ask while it is at it by one further fsync. */
export class LogSync {
  readonly #path: string;
  readonly #sync: (descriptor: number) => Promise<void>;
  #descriptor: number | undefined;
  #asked: Committed[] = [];
  #running: Promise<void> | undefined;

  constructor(path: string, sync: (descriptor: number) => Promise<void>) {
    this.#path = path;
    this.#sync = sync;
  }

  /** These were committed; they are told once that is durable, or that it could not be made so. */
  ask(jobs: readonly Committed[]): void {
    if (jobs.length === 0) return;
    this.#asked.push(...jobs);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    while (this.#asked.length > 0) {
      const jobs = this.#asked;
      this.#asked = [];
      try {
        // Windows makes durable only what may be written to.
        this.#descriptor ??= openSync(this.#path, 'r+');
        await this.#sync(this.#descriptor);
        for (const job of jobs) job.commit();
      } catch (error) {
        const failure = unavailable(error, 'the journal');
        for (const job of jobs) job.fail(failure);
      }
    }
    this.#running = undefined;
  }

  async close(): Promise<void> {
    await this.#running;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** What the system says, with what it means for whoever runs the server. */
export function unavailable(error: unknown, what: string): AppError {
  if (error instanceof AppError) return error;
  const { errcode } = error as { errcode?: unknown };
  if (errcode === TOO_BIG) {
    return new AppError('JOURNAL_REFUSES_TEXT', `SQLite error ${TOO_BIG}`);
  }
  const why = messageOf(error);
  return new AppError('JOURNAL_UNAVAILABLE', `${what}: ${why}`, { cause: error });
}
