// What two versions of the rules make different of one event. Takes two results of the engine's evaluation, gives
// differences in words that many events can share. Pure; nothing is executed, and no value that may be a
// person's (addresses, names, metadata) is ever put into words.

import type { JsonObject, JsonValue, MatchResult, PlannedStep } from '../../core/model.ts';
import { dangerOfAdding, dangerOfRemoving, dangerOfValue } from './danger.ts';
import { shownValue } from './shown-values.ts';
import { timerDifferences } from './timer-difference.ts';

export interface Difference {
  /** The rule that it belongs to: of the new version where it has one. */
  readonly rule: string;
  readonly kind: 'outcome' | 'step' | 'input' | 'identity' | 'rule' | 'problem' | 'timer';
  /** `matched → ignored`, `license.suspend`, `license.create subscriptionInterval: P1M → P1Y`. */
  readonly text: string;
  /** Steps of the plan that are added or removed; 0 for what is no step. */
  readonly steps: number;
  /** Why a reviewer should look at it before it goes live; nothing where customers and sales lose nothing. */
  readonly danger: string | undefined;
}

/** What one version makes of an event; undefined where it has no rules for the event's source. */
export type Verdict = MatchResult | undefined;

/** Every difference between two verdicts on one event; none where it is handled alike. */
export function differencesOf(
  type: string,
  before: Verdict,
  after: Verdict,
): readonly Difference[] {
  const rule = ruleOf(after) ?? ruleOf(before) ?? `(${type})`;
  const differences = [
    ...outcomeDifference(rule, before, after),
    ...timerDifferences(rule, before, after),
    ...planDifferences(rule, stepsOf(before), stepsOf(after)),
  ];
  if (differences.length > 0) return differences;
  const [was, is] = [ruleOf(before), ruleOf(after)];
  if (was === is) return [];
  const text = `decided by ${is ?? 'no rule'} instead of ${was ?? 'none'}, with the same effect`;
  return [{ rule, kind: 'rule', text, steps: 0, danger: undefined }];
}

function stepsOf(verdict: Verdict): readonly PlannedStep[] {
  return verdict?.kind === 'matched' ? verdict.plan.steps : [];
}

function ruleOf(verdict: Verdict): string | undefined {
  if (verdict === undefined || verdict.kind === 'unmatched') return undefined;
  return verdict.kind === 'matched' ? verdict.rules.at(-1)?.id : verdict.rule?.id;
}

// ---- Outcomes -------------------------------------------------------------------------------

function outcomeDifference(rule: string, before: Verdict, after: Verdict): readonly Difference[] {
  const [was, is] = [outcomeOf(before), outcomeOf(after)];
  if (was !== is) {
    const danger =
      isRefused(after) && !isRefused(before)
        ? 'the provider is answered with an error, and nothing is done'
        : undefined;
    return [{ rule, kind: 'outcome', text: `${was} → ${is}`, steps: 0, danger }];
  }
  const [had, has] = [codesOf(before), codesOf(after)];
  if (had === has) return [];
  const text = `fails for another reason: ${had} → ${has}`;
  return [{ rule, kind: 'problem', text, steps: 0, danger: undefined }];
}

function outcomeOf(verdict: Verdict): string {
  if (verdict === undefined) return 'no rules for its source';
  if (verdict.kind !== 'unmatched') return verdict.kind;
  return verdict.answer === 'reject' ? 'unmatched (400)' : 'unmatched (200)';
}

function isRefused(verdict: Verdict): boolean {
  if (verdict === undefined || verdict.kind === 'failed') return true;
  return verdict.kind === 'unmatched' && verdict.answer === 'reject';
}

function codesOf(verdict: Verdict): string {
  if (verdict?.kind !== 'failed') return '';
  return [...new Set(verdict.problems.map(({ code }) => code))].sort().join(', ');
}

// ---- Plans ----------------------------------------------------------------------------------

function planDifferences(
  rule: string,
  before: readonly PlannedStep[],
  after: readonly PlannedStep[],
): readonly Difference[] {
  const { pairs, removed, added } = align(before, after);
  const named = (step: PlannedStep): string => step.rule || rule;
  return [
    ...removed.map(
      (step): Difference => ({
        ...{ rule: named(step), kind: 'step', text: step.action, steps: -1 },
        danger: dangerOfRemoving(step.action),
      }),
    ),
    ...added.map(
      (step): Difference => ({
        ...{ rule: named(step), kind: 'step', text: step.action, steps: 1 },
        danger: dangerOfAdding(step.action),
      }),
    ),
    ...pairs.flatMap(([was, is]) => stepDifferences(named(is), was, is)),
  ];
}

interface Alignment {
  readonly pairs: readonly (readonly [PlannedStep, PlannedStep])[];
  readonly removed: readonly PlannedStep[];
  readonly added: readonly PlannedStep[];
}

/** What makes two steps of two plans the same step; the surest first. */
const LIKENESSES: readonly ((step: PlannedStep) => string)[] = [
  ({ once, unitKey, input }) => JSON.stringify([once, unitKey, input['find']]),
  ({ once, unitKey }) => JSON.stringify([once, unitKey]),
  ({ item }) => JSON.stringify([item]),
  () => '',
];

function align(before: readonly PlannedStep[], after: readonly PlannedStep[]): Alignment {
  const pairs: (readonly [PlannedStep, PlannedStep])[] = [];
  let removed = [...before];
  let added = [...after];
  for (const likeness of LIKENESSES) {
    const open = new Map<string, PlannedStep[]>();
    for (const step of added) {
      const name = `${step.action} ${likeness(step)}`;
      open.set(name, [...(open.get(name) ?? []), step]);
    }
    const paired = new Set<PlannedStep>();
    removed = removed.filter((step) => {
      const twin = open.get(`${step.action} ${likeness(step)}`)?.shift();
      if (twin === undefined) return true;
      pairs.push([step, twin]);
      paired.add(twin);
      return false;
    });
    added = added.filter((step) => !paired.has(step));
  }
  return { pairs, removed, added };
}

function stepDifferences(
  rule: string,
  before: PlannedStep,
  after: PlannedStep,
): readonly Difference[] {
  const { action } = after;
  const differences: Difference[] = [];
  if (before.once !== after.once || before.unitKey !== after.unitKey) {
    const what = before.once === after.once ? 'key' : 'once';
    differences.push({
      ...{ rule, kind: 'identity', text: `${action} ${what}: the fact has another name`, steps: 0 },
      danger: 'what was done before under the old name would be done again when it is told again',
    });
  }
  const was = leavesOf(asFields(before));
  const is = leavesOf(asFields(after));
  for (const field of new Set([...was.keys(), ...is.keys()])) {
    const [from, to] = [was.get(field), is.get(field)];
    if (JSON.stringify(from) === JSON.stringify(to)) continue;
    const text = `${action} ${field}: ${shownValue(field, from, to)}`;
    const danger = dangerOfValue(action, field, from, to);
    differences.push({ rule, kind: 'input', text, steps: 0, danger });
  }
  return differences;
}

/** What it was paid with and its rank are compared like fields. */
function asFields({ input, payments, rank }: PlannedStep): JsonObject {
  return {
    ...input,
    ...(payments === undefined ? {} : { payment: [...payments] }),
    ...(rank === undefined ? {} : { rank }),
  };
}

/** `{metadata: {a: 1}}` → `metadata.a`; references to results and lists are values. */
function leavesOf(input: JsonObject): ReadonlyMap<string, JsonValue> {
  const leaves = new Map<string, JsonValue>();
  const walk = (value: JsonValue, path: string): void => {
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isMap || '$ref' in value || '$firstOf' in value) {
      leaves.set(path, value);
      return;
    }
    for (const [name, member] of Object.entries(value)) {
      walk(member, path === '' ? name : `${path}.${name}`);
    }
  };
  walk(input, '');
  return leaves;
}
