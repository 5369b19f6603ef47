// What a dry run tells of one event. Takes rules and an event, gives the verdict on every rule, where each
// value came from, the plan, the requests as they would go out, and users and licenses before and after.
// Runs on the sandbox, where no call leaves the process; or on a stage that is handed in.

import { MissingLicense } from '../../actions/failures.ts';
import { registryEntry } from '../../core/error-codes.ts';
import type {
  JsonObject,
  MatchResult,
  NameTrace,
  PlannedStep,
  Problem,
  RulePointer,
  RuleTrace,
  ValueTrace,
  WebhookEvent,
} from '../../core/model.ts';
import { type Env, matchEvent, subjectsOf } from '../../engine/plan/match.ts';
import type { RuleSet } from '../../engine/rules/rule-set.ts';
import type { SandboxGiven, SandboxLicense, SandboxUser } from '../../sandbox/types.ts';
import { type Stage, sandboxStage, type Tryout, type TryoutRequest, tryOut } from './run-plan.ts';

/** One object of `dry-run --json`; the contract fixes the names of its first members. */
export interface Explanation {
  readonly event: {
    readonly provider: string;
    readonly id: string;
    readonly type: string;
    readonly subjects: readonly string[];
  };
  readonly outcome: MatchResult['kind'];
  readonly rule: RulePointer | null;
  readonly trace: readonly RuleTrace[];
  /** The names of `let` that were looked up, in that order. */
  readonly names: readonly NameTrace[];
  readonly plan: readonly PlannedStep[];
  /** The clock that the plan waits for. */
  readonly timer: TimerFacts | null;
  /** The clocks that the event stops, where they run. */
  readonly cancels: readonly { readonly name: string; readonly key: string }[];
  /** Which expression gave which value of the plan. */
  readonly values: readonly ValueTrace[];
  readonly requests: readonly TryoutRequest[];
  readonly errors: readonly Problem[];
  /** Why it is ignored or unmatched. */
  readonly reason: string | null;
  /** What the sandbox was given because the plan looks for it. */
  readonly assumed: readonly JsonObject[];
  /** What a person should know of all this. */
  readonly notes: readonly string[];
  readonly licenses: BeforeAndAfter;
  readonly users: BeforeAndAfter;
  /** Whether the webhook would be answered with a 4xx. */
  readonly refused: boolean;
}

export interface TimerFacts {
  readonly name: string;
  readonly key: string;
  readonly after: string;
  readonly dueAt: string;
  /** The rules that may stop it before. */
  readonly cancelledBy: readonly string[];
}

export interface BeforeAndAfter {
  readonly before: readonly JsonObject[];
  readonly after: readonly JsonObject[];
}

export interface ExplainOptions {
  readonly env: Env;
  /** What exists in Cryptlex; undefined: one of each that the plan looks for. */
  readonly given: SandboxGiven | undefined;
  /** Where the plan is tried out, if not on a sandbox; a new one for each event. */
  readonly stage?: () => Stage;
}

/** Explains one event. */
export async function explainEvent(
  ruleSet: RuleSet,
  event: WebhookEvent,
  options: ExplainOptions,
): Promise<Explanation> {
  const match = await matchEvent(ruleSet, event, options.env, { explain: true });
  const subjects = await subjectsOf(ruleSet, event, options.env);
  const { settings } = ruleSet;
  const tryout =
    match.kind === 'matched'
      ? await tryOut(match.plan, event, {
          stage: options.stage?.() ?? sandboxStage(match.plan, event, options.given),
          settings,
        })
      : undefined;
  const { provider, id, type } = event;
  return {
    event: { provider, id, type, subjects },
    outcome: match.kind,
    rule: ruleOf(match),
    trace: [...match.trace, ...rulesOfOtherTypes(ruleSet, event)],
    names: match.lookups?.names ?? [],
    plan: match.kind === 'matched' ? match.plan.steps : [],
    timer: timerOf(match, ruleSet),
    cancels: (match.cancels ?? []).map(({ name, key }) => ({ name, key })),
    values: match.kind === 'matched' ? (match.lookups?.values ?? []) : [],
    requests: tryout?.requests ?? [],
    errors: errorsOf(match, tryout),
    reason: match.kind === 'ignored' || match.kind === 'unmatched' ? match.reason : null,
    assumed: tryout?.assumed ?? [],
    notes: notesOf(tryout),
    licenses: {
      before: (tryout?.before.licenses ?? []).map(licenseFacts),
      after: (tryout?.after.licenses ?? []).map(licenseFacts),
    },
    users: {
      before: (tryout?.before.users ?? []).map(userFacts),
      after: (tryout?.after.users ?? []).map(userFacts),
    },
    refused: isRefused(match, tryout),
  };
}

function ruleOf(match: MatchResult): RulePointer | null {
  if (match.kind === 'matched') return match.rules.at(-1) ?? null;
  return match.kind === 'unmatched' ? null : (match.rule ?? null);
}

function timerOf(match: MatchResult, { rules }: RuleSet): TimerFacts | null {
  if (match.kind !== 'matched' || match.timer === undefined) return null;
  const { name, key, after, dueAtMs } = match.timer;
  const cancelledBy = rules
    .filter(({ cancels }) => cancels.some((timer) => timer.name === name))
    .map(({ id }) => id);
  return { name, key, after, dueAt: new Date(dueAtMs).toISOString(), cancelledBy };
}

/** "Why not the others?" is asked of every rule of the file. */
function rulesOfOtherTypes(ruleSet: RuleSet, event: WebhookEvent): readonly RuleTrace[] {
  return ruleSet.rules
    .filter((rule) => !rule.types.includes(event.type))
    .map((rule) => ({
      rule: rule.id,
      matched: false,
      conditions: [
        { path: '$event.type', expected: [...rule.types], actual: event.type, ok: false },
      ],
    }));
}

function errorsOf(match: MatchResult, tryout: Tryout | undefined): readonly Problem[] {
  if (match.kind === 'failed') return match.problems;
  if (tryout?.error === undefined) return [];
  const { code, message, hint } = tryout.error;
  return [{ code, message, hint, location: undefined }];
}

function isRefused(match: MatchResult, tryout: Tryout | undefined): boolean {
  if (match.kind === 'failed') return true;
  if (tryout?.error !== undefined) return !isTriedAgain(tryout.error);
  return match.kind === 'unmatched' && match.answer === 'reject';
}

/** Such an event is kept and answered 200, whatever becomes of it later. */
function isTriedAgain(error: NonNullable<Tryout['error']>): boolean {
  return error instanceof MissingLicense || registryEntry(error.code).retryable;
}

function notesOf(tryout: Tryout | undefined): readonly string[] {
  const { error, notes = [] } = tryout ?? {};
  if (!(error instanceof MissingLicense)) return notes;
  return [...notes, 'The event would be kept, and wait for such a license to be made.'];
}

/** What a person wants to know of a license. */
function licenseFacts(license: SandboxLicense): JsonObject {
  const { id, productId, subscriptionInterval, expiresAt, suspended, revoked } = license;
  const { allowedActivations, perpetual } = license;
  return {
    id,
    productId,
    user: license.user?.email ?? null,
    subscriptionInterval,
    perpetual,
    expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    suspended,
    revoked,
    allowedActivations,
    metadata: metadataOf(license),
  };
}

/** What a person wants to know of a user. */
function userFacts(user: SandboxUser): JsonObject {
  const { id, email, firstName, lastName, company, role } = user;
  return { id, email, firstName, lastName, company, role, metadata: metadataOf(user) };
}

function metadataOf({ metadata }: Pick<SandboxUser, 'metadata'>): JsonObject {
  return Object.fromEntries(metadata.map(({ key, value }) => [key, value]));
}
