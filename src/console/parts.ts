// What the console is put together from, and the types that every page of it uses. Types only;
// compose-console.ts hands the parts in, console.ts makes the app of them.

import type { Hono } from 'hono';
import type { Explanation } from '../authoring/dry-run/explain.ts';
import type { Workbench } from '../authoring/playground/playground.ts';
import type { Logger } from '../core/log.ts';
import type { Clock } from '../core/model.ts';
import type { Secret } from '../core/secret.ts';
import type { CatalogFindings } from '../doctor/check-catalog.ts';
import type { Archive, EventDetails } from '../journal/archive.ts';
import type { CurrentRules } from '../pipeline/pipeline.ts';
import type { ConsoleFiles } from './files.ts';
import type { Session } from './session.ts';

export interface ConsoleParts {
  readonly token: Secret;
  readonly archive: Archive;
  readonly clock: Clock;
  readonly log: Logger;
  /** False where the host ends each request soon: pages then do not follow what comes in meanwhile. */
  readonly streams: boolean;
  /** The rules that run now. */
  currentRules(): CurrentRules;
  /** Where rules are tried that somebody is writing; nothing of it goes live. */
  readonly workbench: Workbench;
  /**
   * What Cryptlex says of the ids that the catalogs name; what was asked a short while ago is not asked again.
   * @param isAsked false: only what is known already, without a call
   */
  askAboutCatalog(isAsked: boolean): Promise<CatalogFindings | undefined>;
  /** Hears whenever events came in or moved on. Gives the way to stop. */
  onChange(listener: () => void): () => void;
  /** How the server stands. */
  facts(): Promise<ServerFacts>;
  /** What the rules say of an event that was not erased, as they were when it ran and as they are. */
  explain(details: EventDetails): Promise<Story>;
  /** The event as a rule test, without personal data: YAML. @throws AppError why it cannot be written */
  asTest(details: EventDetails): Promise<string>;
}

/** How this server stands. */
export interface ServerFacts {
  readonly isReady: boolean;
  readonly concerns: readonly { readonly code: string; readonly message: string }[];
  readonly journal: string;
  readonly rules: {
    /** Whether what lies on disk is what runs. */
    readonly isCurrent: boolean;
    readonly problems: readonly string[];
    readonly loadedAtMs: number;
    readonly sources: readonly {
      readonly name: string;
      readonly file: string;
      readonly rules: number;
      readonly hash: string;
    }[];
  };
  readonly cryptlex: {
    readonly isDown: boolean;
    readonly host: string;
    readonly rateLimit: { readonly requests: number; readonly periodMs: number };
    /** Of this server, in the last hour. */
    readonly calls: { readonly all: number; readonly failed: number; readonly refused: number };
  };
  readonly retentionDays: number;
}

/** What the rules say of an event. */
export interface Story {
  /** Undefined where the rules of then are not kept. */
  readonly before: Explanation | undefined;
  /** Undefined where the rules have errors or are gone. */
  readonly now: Explanation | undefined;
  readonly isSame: boolean;
  /** What would be different now, in short sentences. */
  readonly differences: readonly string[];
}

/** What is known of whoever asks. */
export interface Visitor {
  /** Notes a refused token; resolves with headers of the answer when that may go out: late for whoever guesses often. */
  refused(): Promise<Record<string, string>>;
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
