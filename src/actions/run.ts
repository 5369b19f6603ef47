// What an action gets to work with, and how it gives up. Types and the errors of execution;
// no action and no call stands here.

import { AppError } from '../core/error-codes.ts';
import type { Reach } from '../core/failpoints.ts';
import type { Clock, JsonObject, OperationResult, WebhookEvent } from '../core/model.ts';
import type { CryptlexClient } from '../cryptlex/client.ts';
import type { Effect } from '../cryptlex/errors.ts';
import type { License } from '../cryptlex/types.ts';
import type { Journal, ReplayMark } from '../journal/journal.ts';
import type { Brake } from './brake.ts';
import type { Operation } from './operations.ts';

/** What has been done for the event so far; told whatever comes after. */
export interface Progress {
  userId: string | undefined;
  readonly licenseIds: Set<string>;
  readonly operations: { readonly action: string; readonly result: OperationResult }[];
  /** The action at which it ended early. */
  brokenAt?: string;
  /** It noted what a payment paid for; a refund may wait for that. */
  hasNotedPayment?: boolean;
  /** The brake counts what it was about to do. */
  isCounted?: boolean;
}

/** One event's execution: the world that actions may touch. */
export interface ActionRun {
  readonly client: CryptlexClient;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly event: WebhookEvent;
  readonly eventKey: string;
  /** The attempt at the event; 1 for the first. */
  readonly attempt: number;
  /** What the event is about, as the journal names it. */
  readonly subjects: readonly string[];
  readonly progress: Progress;
  /** An earlier attempt at this event has begun to write. */
  readonly isResumed: boolean;
  /**
   * Nobody can have handled the event's fact but this journal, which knows that it has not: look-ups
   * that could only find nothing are left out.
   */
  readonly isFresh: boolean;
  /** Users that were taken from memory; if Cryptlex refuses one, it is looked up after all. */
  readonly recalledUsers: Set<string>;
  /** Searches of this run, so that the items of one sale share them. */
  readonly searches: Map<string, Promise<readonly License[]>>;
  /** Licenses that were found before the first write for the step of that index, which takes them. */
  readonly found: Map<number, readonly License[]>;
  /** A replay that a person asked for. */
  readonly replay: ReplayMark | undefined;
  /** How many licenses one event may delete that Keywright did not create. */
  readonly maxDelete: number;
  /** How many licenses may be taken away; undefined for an event that a person released. */
  readonly brake: Brake | undefined;
  /** Operations that the brake let pass in this run. */
  readonly passed: Set<string>;
  /** Set while it is only found out what would be done: operations are put here instead of being performed. */
  readonly counted?: Operation[];
  /** Gives up calls when the process shuts down. */
  readonly signal: AbortSignal | undefined;
  /** Tells a test where it stands; nothing otherwise. */
  readonly reach: Reach;
  /** Called before the first write is intended: from then on the plan is finished as it stands. */
  beforeWrite(): Promise<void>;
}

/** One step with its references resolved. */
export interface ActionStep {
  readonly action: string;
  readonly input: JsonObject;
  /** Its place in the plan, from 0. */
  readonly index: number;
  readonly once: string | undefined;
  /** What the rule says of events of the same time; see last-writes.ts. */
  readonly rank: number | undefined;
  readonly unitKey: string | undefined;
  /** Ids of what it was paid with. */
  readonly payments: readonly string[];
  /** For messages: the rule, and the item of the loop. */
  readonly place: string;
}

/** Members that later steps refer to as `$as.member`. */
export type ActionOutput = JsonObject;

export type ActionFunction = (step: ActionStep, run: ActionRun) => Promise<ActionOutput>;

/** What a failed call to Cryptlex may have done; undefined when the error is none of a call. */
export function effectOf(error: unknown): Effect | undefined {
  return error instanceof AppError && 'effect' in error ? (error.effect as Effect) : undefined;
}

/** The status of a failed call's answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof AppError && 'status' in error
    ? (error.status as number | undefined)
    : undefined;
}
