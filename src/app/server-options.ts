// What a server is put together from, and what comes of it: the outside world's side, and the handle by
// which it is started, asked and stopped. Types only; compose.ts does it.

import type { Config } from '../config/config.ts';
import type { EnvironmentVariables, ReadFile } from '../config/environment.ts';
import type { Reach } from '../core/failpoints.ts';
import type { Logger } from '../core/log.ts';
import type { Clock } from '../core/model.ts';
import type { CallRecord } from '../cryptlex/call-record.ts';
import type { Fetch } from '../http/fetch.ts';
import type { Archive } from '../journal/archive.ts';
import type { JournalOddities } from '../journal/open-journal.ts';
import type { Worker } from '../pipeline/worker.ts';
import type { createApp } from '../server/app.ts';
import type { Listening } from '../server/listen.ts';
import type { TestRules } from '../sources/read-sources.ts';
import type { RulesState } from '../sources/reload.ts';

/** What the outside world gives. */
export interface World extends JournalOddities {
  readonly env: EnvironmentVariables;
  readonly readFile: ReadFile;
  /** Takes one line of the log with its line break. */
  readonly writeLog: (line: string) => void;
  readonly stdoutIsTty: boolean;
  readonly clock?: Clock;
  /** Takes the calls to Cryptlex in place of connections. */
  readonly fetch?: Fetch;
  readonly random?: () => number;
  /** Hears of every call to Cryptlex. */
  readonly onCall?: (call: CallRecord) => void;
  /** The time-out of one call to Cryptlex. */
  readonly cryptlexTimeoutMs?: number;
  /** The time-out of one call to Stripe. */
  readonly stripeTimeoutMs?: number;
  /** How long changed rule files have to stand still before they are read. */
  readonly rulesSettleMs?: number;
  /** How rule tests are run, where RULES_TEST asks for it. */
  readonly testRules?: TestRules;
  /** Where a test stops the process. */
  readonly reach?: Reach;
  /** False where the host stops the process with the answer: 200 is then answered for what is done only. */
  readonly worksBehindAnswers?: boolean;
  /** False where the host tries the whole start again at its next call: it is refused without the database. */
  readonly journalMayComeLater?: boolean;
  /** Less time for an answer than WEBHOOK_DEADLINE_MS, where the host leaves less; asked for each webhook. */
  readonly deadlineMsMax?: () => number;
}

export interface ServerHandle {
  readonly config: Config;
  readonly log: Logger;
  /** The app without a port, for calls in process. */
  readonly app: ReturnType<typeof createApp>;
  readonly archive: Archive;
  /** Whether what was accepted survives this process. */
  readonly keepsState: boolean;
  readonly warnings: readonly string[];
  /** Reads the rules anew, as a change on disk does; see live-rules.ts. */
  reloadRules(): Promise<RulesState>;
  /** Begins to work and to watch the rule files; `listen` opens the port as well. */
  start(): void;
  /** The worker alone, for hosts that freeze the process: pause, resume, work off; and whether Cryptlex is away. */
  readonly worker: Pick<Worker, 'start' | 'pause' | 'workOff'> & { isDown(): boolean };
  /** @throws PORT_UNAVAILABLE */
  listen(): Promise<Listening>;
  /** Ends as by a power cut: nothing is finished, nothing is written down. For tests of crashes. */
  abandon(): Promise<void>;
  /** Stops accepting, finishes what is running within the grace time, closes the journal. */
  stop(graceMs?: number): Promise<void>;
}

export type Composition =
  | { readonly kind: 'composed'; readonly server: ServerHandle }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };
