// The fsync of SQLite's write-ahead log, on a thread of its own. Takes commits that wait for it, tells each once
// what it wrote is durable, or that it could not be made so. Never writes anything itself.

import { closeSync, fstatSync, openSync } from 'node:fs';
import { AppError, messageOf } from '../../core/error-codes.ts';
import { type FileIdentity, requireSame } from './sqlite-file.ts';

/** SQLITE_TOOBIG: it is about the row, not about the file. */
const TOO_BIG = 18;

/** A transaction that was committed and waits for the disk. */
interface Committed {
  commit(): void;
  fail(error: unknown): void;
}

export interface LogSyncOptions {
  /** Of the write-ahead log. */
  readonly path: string;
  readonly sync: (descriptor: number) => Promise<void>;
  /** Throws when the journal beside the log is not the one that is open any more. */
  check(): void;
}

interface OpenLog {
  readonly descriptor: number;
  readonly opened: FileIdentity;
}

/** Makes the write-ahead log durable, for all who ask while it is at it by one further fsync. */
export class LogSync {
  readonly #options: LogSyncOptions;
  #log: OpenLog | undefined;
  #asked: Committed[] = [];
  #running: Promise<void> | undefined;

  constructor(options: LogSyncOptions) {
    this.#options = options;
  }

  get path(): string {
    return this.#options.path;
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
        await this.#makeDurable();
        for (const job of jobs) job.commit();
      } catch (error) {
        const failure = unavailable(error, 'the journal');
        for (const job of jobs) job.fail(failure);
      }
    }
    this.#running = undefined;
  }

  /** After the fsync, and before anybody is told: what is lost with its file is not answered 200. */
  async #makeDurable(): Promise<void> {
    const { path, sync, check } = this.#options;
    this.#log ??= openLog(path);
    const { descriptor, opened } = this.#log;
    await sync(descriptor);
    requireSame(path, opened);
    check();
  }

  async close(): Promise<void> {
    await this.#running;
    if (this.#log !== undefined) closeSync(this.#log.descriptor);
    this.#log = undefined;
  }
}

/** Windows makes durable only what may be written to. */
function openLog(path: string): OpenLog {
  const descriptor = openSync(path, 'r+');
  return { descriptor, opened: fstatSync(descriptor, { bigint: true }) };
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
