// What the console is put together from, and the types that every page of it uses. Types only;
// compose-console.ts hands the parts in, console.ts makes the app of them.

import type { Hono } from 'hono';
import type { Archive } from '../journal/archive.ts';
import type { Logger } from '../log.ts';
import type { Clock } from '../model.ts';
import type { CurrentRules } from '../pipeline.ts';
import type { Secret } from '../secret.ts';
import type { Workbench } from '../workbench.ts';
import type { ConsoleFiles } from './files.ts';
import type { Session } from './session.ts';

export interface ConsoleParts {
  readonly token: Secret;
  readonly archive: Archive;
  readonly clock: Clock;
  readonly log: Logger;
  /** False where the host ends each request soon: pages then say nothing of what comes in meanwhile. */
  readonly streams: boolean;
  /** The rules that run now. */
  currentRules(): CurrentRules;
  /** Where rules are tried that somebody is writing; nothing of it goes live. */
  readonly workbench: Workbench;
}

/** What is known of whoever asks. */
export interface Visitor {
  /** Notes a refused token; resolves when the answer may go out: late for whoever guesses often. */
  refused(): Promise<void>;
}

/** What a handler finds in its context: `c.var.session` (signed in for sure), `c.var.files`. */
export interface ConsoleEnv {
  Bindings: Visitor;
  Variables: { session: Session; files: ConsoleFiles };
}

export type ConsoleApp = Hono<ConsoleEnv>;

/** The server's side of the console. */
export interface Console {
  fetch(request: Request, visitor: Visitor): Response | Promise<Response>;
  /** Ends the streams that are open, so that the server can stop. */
  stop(): void;
}
