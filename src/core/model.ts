// The nouns of Keywright, in the order in which data flows through it:
// RawRequest → VerifiedDelivery → WebhookEvent → MatchResult → Plan → Operation → OperationResult → answer.
// Types, and the one function that says what makes an event the same event.
// Longer than usual: all nouns stand in one place, in one order.

import type { AppErrorCode } from './error-codes.ts';
import type { Provider } from './providers.ts';

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/** Tells the present, in milliseconds since 1970. Handed in, so that tests and the sandbox own time. */
export interface Clock {
  nowMs(): number;
  /** Resolves after that many milliseconds, or at once with `false` when `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<boolean>;
}

// ---- What arrives ---------------------------------------------------------------------------

/** One POST as it came. Nothing in it may be trusted, parsed, stored or logged. */
export interface RawRequest {
  /** The signature header of the source's provider; null when it is missing. */
  readonly signature: string | null;
  readonly rawBody: Uint8Array;
  readonly receivedAtMs: number;
}

declare const verified: unique symbol;

/**
 * A delivery whose signature matched. Only `verifiers/` can make one: the brand is a symbol that
 * exists for the compiler alone and is exported to nobody.
 */
export interface VerifiedDelivery {
  readonly [verified]: true;
  readonly source: string;
  readonly provider: Provider;
  readonly receivedAtMs: number;
  /** FastSpring: 1..n, in the order in which they are to be handled. Stripe and Paddle: one. */
  readonly events: readonly WebhookEvent[];
}

/** What a provider tells: the unit of work. */
export interface WebhookEvent {
  /** The source it came through: the rule file's name. */
  readonly source: string;
  readonly provider: Provider;
  /** The provider's id, unique within the provider. */
  readonly id: string;
  readonly type: string;
  /** When it happened, by the provider's clock. */
  readonly timeMs: number;
  /** Live or test mode; null where the provider does not say (Paddle). */
  readonly live: boolean | null;
  /** The provider's own event object, whole: the root of every formula. */
  readonly payload: JsonObject;
  /** Its source handles it for itself, whatever another source did with the same event. */
  readonly isOwn?: true;
}

/**
 * Event identity: the provider and its event id, whatever source it came through; with the source,
 * where that handles its events for itself (`ownEvents`).
 */
export function eventKeyOf(
  event: Pick<WebhookEvent, 'provider' | 'source' | 'id' | 'isOwn'>,
): string {
  return `${event.provider}:${ownIdOf(event)}`;
}

/** What tells an event from all others of its provider. */
export function ownIdOf({
  source,
  id,
  isOwn,
}: Pick<WebhookEvent, 'source' | 'id' | 'isOwn'>): string {
  return isOwn === true ? `${source}:${id}` : id;
}

// ---- Findings -------------------------------------------------------------------------------

/** A place in a user's file; line and column count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One finding in a user's file. */
export interface Diagnostic {
  readonly code: AppErrorCode;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly hint: string | undefined;
  readonly location: SourceLocation;
  /** How many characters the caret covers. */
  readonly length: number;
}

// ---- What the rules say ---------------------------------------------------------------------

/** One condition as it was evaluated: what the rule expected and what the event holds. */
export interface ConditionTrace {
  /** The path or the formula, as written in the rule. */
  readonly path: string;
  readonly expected: JsonValue;
  /** What was seen; `null` stands for absent, too. */
  readonly actual: JsonValue;
  readonly ok: boolean;
  /** Of a formula, where it is explained: what its parts were, outermost first. */
  readonly parts?: readonly FormulaPart[];
}

/** A part of a formula as written, and what it was; `null` stands for absent, too. */
export interface FormulaPart {
  readonly formula: string;
  readonly actual: JsonValue;
}

/** A name of a `let` that was looked up. */
export interface NameTrace {
  /** With its `$`. */
  readonly name: string;
  /** The item of the loop that it was looked up for. */
  readonly item?: string;
  /** As written in the rule. */
  readonly expression: string;
  readonly actual: JsonValue;
  readonly location: string;
}

/** Where a value of the plan came from. */
export interface ValueTrace {
  /** The step's place in the plan, from 0. */
  readonly step: number;
  /** `email`; inside a map `metadata.order_id`. */
  readonly field: string;
  readonly value: JsonValue;
  /** As written in the rule: the formula, or the literal. */
  readonly expression: string;
  readonly location: string;
}

/** What was looked up on the way to a plan; only where an event is explained. */
export interface Lookups {
  readonly names: readonly NameTrace[];
  readonly values: readonly ValueTrace[];
}

/** The verdict on one rule. */
export interface RuleTrace {
  /** The rule's id; inside a loop `order-completed/one-time`. */
  readonly rule: string;
  readonly matched: boolean;
  readonly conditions: readonly ConditionTrace[];
  /** The item of the loop that was asked about. */
  readonly item?: string;
  /** Why it was not even asked: another type, or an earlier rule had matched. */
  readonly skipped?: string;
}

/** Points at a rule in its file. */
export interface RulePointer {
  readonly id: string;
  readonly file: string;
  readonly line: number;
}

/** A problem met while planning or running an event. */
export interface Problem {
  readonly code: AppErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
  /** `file:line:column` in the rule file, where there is one. */
  readonly location: string | undefined;
}

/**
 * What an action's result will hold once it ran. In a plan it is written `{ "$ref": "user.id" }`;
 * `$firstOf` is a choice that can only be made at run time.
 */
export type PlanReference = { readonly $ref: string } | { readonly $firstOf: readonly JsonValue[] };

/** One step of a plan: plain data, printable, with references for what only the run can know. */
export interface PlannedStep {
  readonly action: string;
  readonly input: JsonObject;
  /** The name under which later steps refer to the result. */
  readonly as?: string;
  /** What makes the fact one; only for actions that create or renew. */
  readonly once?: string;
  /** Of two events of the same time the one of the higher rank counts as the later. */
  readonly rank?: number;
  /**
   * Tells apart what one fact makes several of: the loop item's key and its number among equal
   * ones. Part of the operation's identity, so it must not depend on the rule file's layout.
   */
  readonly unitKey?: string;
  /** Ids of what it was paid with: the licenses that the step touches are noted under them. */
  readonly payments?: readonly string[];
  /** The item of the loop it belongs to, for messages. */
  readonly item?: string;
  readonly rule: string;
  readonly location: string;
}

export interface Plan {
  readonly steps: readonly PlannedStep[];
}

/** One clock: its name in the rules, and whose it is. */
export interface TimerName {
  readonly name: string;
  /** What it belongs to, one of the event's subjects: a subscription. */
  readonly key: string;
  /** What makes the failure or the payment one, whatever event tells of it; undefined: each event. */
  readonly once: string | undefined;
}

/** A plan that is not carried out at once, but when the time is over. */
export interface PlannedTimer extends TimerName {
  /** As the rule says it: `P7D`. */
  readonly after: string;
  /** The event's time and so much later; of several events the first one counts. */
  readonly dueAtMs: number;
}

/** What the rules make of an event. Every kind carries the trace: a reason for every rule. */
export type MatchResult = {
  readonly lookups?: Lookups;
  /** The clocks that it stops, whatever else becomes of it. */
  readonly cancels?: readonly TimerName[];
} & MatchVerdict;

type MatchVerdict =
  | {
      readonly kind: 'matched';
      readonly rules: readonly RulePointer[];
      readonly plan: Plan;
      readonly timer?: PlannedTimer;
      readonly trace: readonly RuleTrace[];
    }
  | {
      readonly kind: 'ignored';
      readonly rule: RulePointer | undefined;
      readonly reason: string;
      readonly trace: readonly RuleTrace[];
    }
  | {
      readonly kind: 'unmatched';
      readonly answer: 'reject' | 'ignore';
      readonly reason: string;
      readonly trace: readonly RuleTrace[];
    }
  | {
      readonly kind: 'failed';
      readonly rule: RulePointer | undefined;
      readonly problems: readonly Problem[];
      readonly trace: readonly RuleTrace[];
    };

// ---- The fixed set of actions, as data ------------------------------------------------------

/** What a field of an action takes. The engine coerces and refuses by these; see engine/fields.ts. */
export type FieldType =
  | 'text'
  | 'email'
  | 'integer'
  | 'quantity'
  | 'boolean'
  | 'date'
  | 'interval'
  | 'version'
  | 'texts'
  | 'metadata'
  | 'find'
  | 'whenSuspended'
  | 'emailTaken'
  | 'missing'
  | 'startTrigger'
  | 'licenseType';

export interface ActionField {
  readonly type: FieldType;
  readonly required?: true;
  /** One sentence for the reference page and for completion in editors. */
  readonly description: string;
}

/** What the engine knows of an action. It never knows how one is done. */
export interface ActionDefinition {
  readonly name: string;
  readonly summary: string;
  readonly kind: 'read' | 'write';
  /** Creating and renewing need `once:`; see docs/rules.md. */
  readonly needsOnce: boolean;
  /** Whether `from:` may spread maps into the fields. */
  readonly takesFrom: boolean;
  readonly fields: Readonly<Record<string, ActionField>>;
  /** Members that later steps may refer to as `$as.member`. */
  readonly results: readonly string[];
}

export type ActionCatalog = Readonly<Record<string, ActionDefinition>>;

// ---- Execution ------------------------------------------------------------------------------

/** One writing call to Cryptlex, or the finding that none is needed. */
export type OperationResult =
  | { readonly kind: 'applied'; readonly targetId: string }
  | { readonly kind: 'unchanged'; readonly targetId: string; readonly reason: string }
  | { readonly kind: 'stale'; readonly targetId: string; readonly reason: string };

/** Status of an event, as the contract names them. */
export const EVENT_STATUSES = [
  'queued',
  'running',
  'waiting',
  'parked',
  'done',
  'ignored',
  'unmatched',
  'failed',
] as const;
export type EventStatus = (typeof EVENT_STATUSES)[number];

/** Why an event did not end well, for the answer and for the journal. */
export interface EventFailure {
  readonly code: AppErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
  readonly problems: readonly Problem[];
}

/** What is known of an event after it was worked on; the answer to the provider is made of it. */
export interface EventOutcome {
  readonly eventId: string;
  readonly status: EventStatus;
  readonly message: string;
  readonly rule?: string;
  readonly userId?: string;
  readonly licenseIds?: readonly string[];
  /** Already done by an earlier delivery; nothing was called. */
  readonly duplicate?: boolean;
  readonly reason?: string;
  /** What a person has to look at though it did not fail: BRAKE_HELD. */
  readonly code?: AppErrorCode;
  readonly failure?: EventFailure;
  /** `unmatched` under `reject` is answered 400, under `ignore` 200. */
  readonly rejected?: boolean;
}
