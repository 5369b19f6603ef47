// What a dry run tells of one event. Takes rules and an event, gives the verdict on every rule, the plan,
// the requests as they would go out and what would become of the licenses. Runs on the sandbox only;
// no call leaves the process.

import { type Tryout, type TryoutRequest, tryOut } from './compose-sandbox.ts';
import { type Env, matchEvent, subjectsOf } from './engine/match.ts';
import type { RuleSet } from './engine/rules.ts';
import type {
  JsonObject,
  MatchResult,
  PlannedStep,
  Problem,
  RulePointer,
  RuleTrace,
  WebhookEvent,
} from './model.ts';
import type { SandboxGiven, SandboxLicense } from './sandbox/types.ts';

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
  readonly plan: readonly PlannedStep[];
  readonly requests: readonly TryoutRequest[];
  readonly errors: readonly Problem[];
  /** Why it is ignored or unmatched. */
  readonly reason: string | null;
  /** What the sandbox was given because the plan looks for it. */
  readonly assumed: readonly JsonObject[];
  readonly licenses: {
    readonly before: readonly JsonObject[];
    readonly after: readonly JsonObject[];
  };
  /** Whether the webhook would be answered with a 4xx. */
  readonly refused: boolean;
}

/** Explains one event. */
export async function explainEvent(
  ruleSet: RuleSet,
  event: WebhookEvent,
  options: { env: Env; given: SandboxGiven | undefined },
): Promise<Explanation> {
  const match = await matchEvent(ruleSet, event, options.env);
  const subjects = await subjectsOf(ruleSet, event, options.env);
  const { maxDelete } = ruleSet.settings;
  const tryout =
    match.kind === 'matched'
      ? await tryOut(match.plan, event, { given: options.given, maxDelete })
      : undefined;
  const { provider, id, type } = event;
  return {
    event: { provider, id, type, subjects },
    outcome: match.kind,
    rule: ruleOf(match),
    trace: [...match.trace, ...rulesOfOtherTypes(ruleSet, event)],
    plan: match.kind === 'matched' ? match.plan.steps : [],
    requests: tryout?.requests ?? [],
    errors: errorsOf(match, tryout),
    reason: match.kind === 'ignored' || match.kind === 'unmatched' ? match.reason : null,
    assumed: tryout?.assumed ?? [],
    licenses: {
      before: (tryout?.before ?? []).map(licenseFacts),
      after: (tryout?.after ?? []).map(licenseFacts),
    },
    refused: isRefused(match, tryout),
  };
}

function ruleOf(match: MatchResult): RulePointer | null {
  if (match.kind === 'matched') return match.rules.at(-1) ?? null;
  return match.kind === 'unmatched' ? null : (match.rule ?? null);
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
  if (match.kind === 'failed' || tryout?.error !== undefined) return true;
  return match.kind === 'unmatched' && match.answer === 'reject';
}

/** What a person wants to know of a license. */
function licenseFacts(license: SandboxLicense): JsonObject {
  const metadata = Object.fromEntries(license.metadata.map(({ key, value }) => [key, value]));
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
    metadata,
  };
}
