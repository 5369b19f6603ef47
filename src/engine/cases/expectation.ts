// What a rule test expects, against what was seen. Takes the `expect:` of a step and what became of its
// events, gives every difference with its place in the test file. Pure; says nothing of how they are shown.

import type { JsonObject, JsonValue, RuleTrace } from '../../core/model.ts';
import { didYouMean } from '../diagnostics/closest.ts';
import type { YamlPath } from '../diagnostics/yaml-places.ts';
import { alignInOrder, pairInAnyOrder } from './compare-lists.ts';
import { compareValue, type Difference, type Draft } from './compare-values.ts';

/** The `expect:` of a step, as the schema lets it through. */
export interface Expectation extends EventExpectation {
  readonly events?: readonly EventExpectation[];
  readonly licenses?: readonly JsonObject[];
  readonly licenseCount?: number;
  readonly users?: readonly JsonObject[];
  readonly userCount?: number;
  readonly requests?: readonly JsonObject[];
  readonly exact?: boolean;
}

export interface EventExpectation {
  readonly rule?: string | readonly string[] | null;
  readonly outcome?: string;
  readonly status?: string;
  readonly duplicate?: boolean;
  readonly reason?: string | null;
  readonly message?: string | null;
  readonly errors?: readonly string[];
  readonly plan?: readonly JsonObject[];
  readonly timer?: JsonObject | null;
  readonly cancels?: readonly string[];
}

/** What became of one event. */
export interface EventSeen {
  /** `stripe invoice.paid evt_1` */
  readonly title: string;
  readonly type: string;
  readonly rules: readonly string[];
  /** The ids of all rules of the file, for suggestions. */
  readonly knownRules: readonly string[];
  readonly outcome: string;
  readonly status: string;
  readonly duplicate: boolean;
  readonly reason: string | null;
  readonly message: string | null;
  readonly errors: readonly string[];
  /** Its steps as a test writes them: `{ "license.renew": {…}, once: … }`. */
  readonly plan: readonly JsonObject[];
  /** The clock that the plan waits for: `{ name, key, after, dueAt }`. */
  readonly timer: JsonObject | null;
  /** The names of the clocks that the event stops. */
  readonly cancels: readonly string[];
  readonly trace: readonly RuleTrace[];
}

/** What is there after a step. */
export interface StepSeen {
  readonly events: readonly EventSeen[];
  readonly licenses: readonly JsonObject[];
  readonly users: readonly JsonObject[];
  /** The calls of this step. */
  readonly requests: readonly JsonObject[];
}

/** How an event stands that did what its rules say. */
const ENDED_WELL: readonly string[] = ['done', 'ignored'];

/**
 * Every difference, in the order of what was expected. An event that does not end well differs, unless
 * the expectation speaks of how it ends: no case passes over a failure.
 * @param path where `expect` stands
 */
export function compareStep(
  expectation: Expectation | undefined,
  seen: StepSeen,
  path: YamlPath,
): readonly Difference[] {
  const expected = expectation ?? {};
  const exact = expected.exact === true;
  const differences: Difference[] = seen.events.flatMap((event, index) => {
    const single = seen.events.length === 1 && expected.events === undefined;
    const at = single
      ? { path, label: '' }
      : { path: [...path, 'events', index], label: `events[${index}].` };
    return compareEvent(single ? expected : (expected.events?.[index] ?? {}), event, at, exact);
  });
  // An event that came together with another of its id, or was not let in, cannot be as expected.
  for (const [index, wanted] of (expected.events ?? []).entries()) {
    if (index < seen.events.length) continue;
    const at = { path: [...path, 'events', index], label: `events[${index}]` };
    differences.push({ ...at, kind: 'absent', expected: { ...wanted } as JsonObject });
  }
  const whole = { path, label: '' };
  const count = (name: 'licenseCount' | 'userCount', list: readonly JsonObject[]) =>
    expected[name] === undefined
      ? []
      : compareValue(expected[name], list.length, member(whole, name), exact);
  return [
    ...differences,
    ...(expected.licenses === undefined
      ? []
      : pairInAnyOrder(expected.licenses, seen.licenses, member(whole, 'licenses'), exact)),
    ...count('licenseCount', seen.licenses),
    ...(expected.users === undefined
      ? []
      : pairInAnyOrder(expected.users, seen.users, member(whole, 'users'), exact)),
    ...count('userCount', seen.users),
    ...(expected.requests === undefined
      ? []
      : alignInOrder(expected.requests, seen.requests, member(whole, 'requests'), exact)),
  ];
}

function compareEvent(
  expected: EventExpectation,
  seen: EventSeen,
  at: Draft,
  exact: boolean,
): readonly Difference[] {
  const differences: Difference[] = [];
  if (expected.rule !== undefined) {
    const { rules } = seen;
    const rule = Array.isArray(expected.rule) || rules.length > 1 ? [...rules] : (rules[0] ?? null);
    const differs = compareValue(expected.rule as JsonValue, rule, member(at, 'rule'), true);
    differences.push(...differs.map((one) => ({ ...one, ...misspelt(expected.rule, seen) })));
  }
  for (const name of ['outcome', 'status', 'duplicate'] as const) {
    const wanted = expected[name];
    if (wanted === undefined) continue;
    differences.push(...compareValue(wanted, seen[name], member(at, name), exact));
  }
  for (const name of ['reason', 'message'] as const) {
    const wanted = expected[name];
    if (wanted === undefined || (wanted !== null && seen[name]?.includes(wanted) === true))
      continue;
    differences.push(...compareValue(wanted, seen[name], member(at, name), exact));
  }
  differences.push(...compareErrors(expected.errors, seen.errors, member(at, 'errors'), exact));
  if (expected.plan !== undefined) {
    differences.push(...alignInOrder(expected.plan, seen.plan, member(at, 'plan'), exact));
  }
  for (const name of ['timer', 'cancels'] as const) {
    const wanted = expected[name];
    if (wanted === undefined) continue;
    const isSeen = name === 'cancels' ? [...seen.cancels] : seen.timer;
    differences.push(...compareValue(wanted as JsonValue, isSeen, member(at, name), exact));
  }
  differences.push(...unsaid(expected, seen, at));
  return differences;
}

/** A rule that the file does not have was renamed, or is misspelt. */
function misspelt(
  rule: EventExpectation['rule'],
  { knownRules }: EventSeen,
): { note: string } | undefined {
  if (knownRules.length === 0) return undefined;
  const unknown = [rule ?? []].flat().find((name) => !knownRules.includes(name));
  if (unknown === undefined) return undefined;
  return { note: `there is no rule "${unknown}"${didYouMean(unknown, knownRules)}` };
}

function compareErrors(
  expected: readonly string[] | undefined,
  seen: readonly string[],
  at: Draft,
  exact: boolean,
): readonly Difference[] {
  if (expected === undefined) return [];
  const missing = expected.filter((code) => !seen.includes(code));
  const isWhole = exact || expected.length === 0;
  const further = isWhole ? seen.filter((code) => !expected.includes(code)) : [];
  if (missing.length === 0 && further.length === 0) return [];
  const distinct = [...new Set(seen)];
  return [{ ...at, kind: 'differs', expected: [...expected], seen: distinct }];
}

/** What a case has to say, because it would otherwise pass over it. */
function unsaid(expected: EventExpectation, seen: EventSeen, at: Draft): readonly Difference[] {
  const speaks = ['status', 'outcome', 'errors'].some((name) => name in expected);
  const differences: Difference[] = [];
  if (!ENDED_WELL.includes(seen.status) && !speaks) {
    const note = 'the event did not end well, and nothing is said of that';
    const draft = { path: at.path, label: `${at.label}status` };
    differences.push({
      ...draft,
      kind: 'unsaid',
      name: 'status',
      seen: seen.status,
      note,
    });
  }
  if (seen.duplicate && expected.duplicate === undefined) {
    const note =
      'the event was done before, so nothing was called; a new event has an id of its own (`set`)';
    const draft = { path: at.path, label: `${at.label}duplicate` };
    differences.push({ ...draft, kind: 'unsaid', name: 'duplicate', seen: true, note });
  }
  return differences;
}

function member({ path, label }: Draft, name: string): Draft {
  return { path: [...path, name], label: `${label}${name}` };
}
