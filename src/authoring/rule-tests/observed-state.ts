// What a rule test sees. Takes what the rules made of an event and what is in the sandbox, gives plain data
// in the words of a test file: metadata by key, actions by name, moments without fractions of a second.

import { KEYWRIGHT_ID } from '../../actions/license/create.ts';
import type {
  EventOutcome,
  JsonObject,
  JsonValue,
  MatchResult,
  PlannedStep,
} from '../../core/model.ts';
import type { RecordedRequest, SandboxUser } from '../../sandbox/types.ts';

/** The rules that fitted; of an event that only one rule spoke of, that one. */
export function rulesIn(match: MatchResult): readonly string[] {
  if (match.kind === 'matched') return match.rules.map(({ id }) => id);
  return match.kind === 'unmatched' || match.rule === undefined ? [] : [match.rule.id];
}

export function errorsIn(match: MatchResult, outcome: EventOutcome | undefined): readonly string[] {
  if (match.kind === 'failed') return match.problems.map(({ code }) => code);
  const { failure } = outcome ?? {};
  return failure === undefined ? [] : [failure.code];
}

/** A step of a plan as it is written in a rule: `{ "license.renew": {…}, once: … }`. */
export function stepFacts(step: PlannedStep): JsonObject {
  const { action, input, as, once, rank, payments, item, rule } = step;
  return {
    [action]: withoutReferences(input),
    ...(once === undefined ? {} : { once }),
    ...(rank === undefined ? {} : { rank }),
    ...(payments === undefined ? {} : { payments: [...payments] }),
    ...(item === undefined ? {} : { item }),
    ...(as === undefined ? {} : { as }),
    rule,
  };
}

/** The clock that a plan waits for; null where it waits for none. */
export function timerFacts(match: MatchResult): JsonObject | null {
  if (match.kind !== 'matched' || match.timer === undefined) return null;
  const { name, key, after, dueAtMs } = match.timer;
  return { name, key, after, dueAt: new Date(dueAtMs).toISOString().replace('.000Z', 'Z') };
}

/** `{ "$ref": "user.id" }` is written `$user.id`. */
function withoutReferences(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutReferences);
  if (typeof value !== 'object' || value === null) return value;
  if (typeof value['$ref'] === 'string') return `$${value['$ref']}`;
  const members = Object.entries(value).map(([name, inner]) => [name, withoutReferences(inner)]);
  return Object.fromEntries(members) as JsonObject;
}

export function requestFacts({ method, path, query, body }: RecordedRequest): JsonObject {
  return {
    method,
    path,
    query: Object.fromEntries(query),
    ...(body === undefined ? {} : { body }),
  };
}

type Resource = Readonly<Record<string, unknown>> & {
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
};

/**
 * A license or a user as a test writes it: metadata by key, without our own mark; the owner by e-mail
 * address.
 */
export function resourceFacts(resource: Resource): JsonObject {
  const { metadata, user, ...members } = resource;
  const written = Object.entries(members).map(([name, value]) => [name, shortMoment(value)]);
  return {
    ...(Object.fromEntries(written) as JsonObject),
    ...(user === undefined ? {} : { user: (user as SandboxUser | null)?.email ?? null }),
    metadata: Object.fromEntries(
      metadata.filter(({ key }) => key !== KEYWRIGHT_ID).map(({ key, value }) => [key, value]),
    ),
  };
}

/** Cryptlex writes seven fractional digits, a person none. */
function shortMoment(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT.*\.\d{7}Z$/.test(value)) return value;
  return new Date(value).toISOString().replace('.000Z', 'Z');
}
