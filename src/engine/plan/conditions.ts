// Asks the conditions of a rule. Takes conditions and an event, gives a verdict with what every leaf
// expected and what it saw. Never guesses: types that do not agree are an error, not "false".

import type { ConditionTrace, JsonValue } from '../../core/model.ts';
import { describeValue, isBlank, isDeferred, kindOf } from '../expression/values.ts';
import type { Condition, ConditionPath, LeafTest, Observer } from '../rules/rule-set.ts';
import { type Evaluation, plainAt } from './evaluation.ts';
import { EvaluationFailure, problemAt } from './evaluation-failure.ts';
import type { RunScope } from './run-scope.ts';

export interface Verdict {
  readonly ok: boolean;
  readonly trace: readonly ConditionTrace[];
}

/**
 * All conditions must hold. Those after the first that does not are asked only where that is free,
 * and decide nothing: the observer does not hear of them.
 */
export async function askAll(
  conditions: readonly Condition[],
  scope: RunScope,
  evaluation: Evaluation,
  observer: Observer | undefined = evaluation.observer,
): Promise<Verdict> {
  const trace: ConditionTrace[] = [];
  let ok = true;
  for (const condition of conditions) {
    if (!ok && !isPlainPath(condition)) continue;
    try {
      const verdict = await ask(condition, scope, evaluation, ok ? observer : undefined);
      trace.push(...verdict.trace);
      ok = ok && verdict.ok;
    } catch (error) {
      // What no longer decides anything must not fail the event.
      if (ok) throw error;
    }
  }
  return { ok, trace };
}

function isPlainPath(condition: Condition): boolean {
  return condition.kind === 'leaf' && condition.path.variable === undefined;
}

async function ask(
  condition: Condition,
  scope: RunScope,
  evaluation: Evaluation,
  observer: Observer | undefined,
): Promise<Verdict> {
  switch (condition.kind) {
    case 'all':
      return askAll(condition.items, scope, evaluation, observer);
    case 'any': {
      const trace: ConditionTrace[] = [];
      for (const item of condition.items) {
        const verdict = await ask(item, scope, evaluation, observer);
        trace.push(...verdict.trace);
        if (verdict.ok) return { ok: true, trace };
      }
      return { ok: false, trace };
    }
    case 'not': {
      const verdict = await askAll(condition.items, scope, evaluation, observer);
      const trace = verdict.trace.map((leaf) => ({
        ...leaf,
        expected: { not: leaf.expected },
        ok: !leaf.ok,
      }));
      return { ok: !verdict.ok, trace };
    }
    case 'formula': {
      const { formula } = condition;
      const value = await evaluation.plain(formula, scope);
      if (typeof value !== 'boolean') {
        const message = `=${formula.text} is ${describeValue(value)}, neither true nor false`;
        throw new EvaluationFailure(problemAt('CONDITION_NOT_BOOLEAN', message, formula.location));
      }
      observer?.sawCondition(condition, value);
      const path = `=${formula.text}`;
      const isExplained = evaluation.lookups !== undefined;
      const parts = isExplained ? await evaluation.parts(formula, scope) : [];
      const seen = parts.length === 0 ? {} : { parts };
      return { ok: value, trace: [{ path, expected: true, actual: value, ok: value, ...seen }] };
    }
    case 'leaf': {
      const actual = await lookUp(condition.path, scope, evaluation, condition);
      const ok = condition.tests.every((test) => passes(test, actual, condition));
      observer?.sawCondition(condition, ok);
      const { path, expected } = condition;
      // What stands in the event is plain JSON; a copy of all items of an order would cost more than the rest.
      const plain = path.variable === undefined ? actual : plainAt(actual, condition.location);
      const seen = (plain ?? null) as JsonValue;
      return { ok, trace: [{ path: path.text, expected, actual: seen, ok }] };
    }
  }
}

type Leaf = Extract<Condition, { kind: 'leaf' }>;

async function lookUp(
  path: ConditionPath,
  scope: RunScope,
  evaluation: Evaluation,
  leaf: Leaf,
): Promise<unknown> {
  let value: unknown =
    path.variable === undefined ? evaluation.root : await evaluation.variable(path.variable, scope);
  for (const name of path.names) {
    if (Array.isArray(value)) {
      const message = `${path.text} crosses a list before "${name}"`;
      const hint = 'Ask with a formula, or inside a `forEach`.';
      throw new EvaluationFailure(problemAt('CONDITION_TYPE', message, leaf.location, hint));
    }
    if (typeof value !== 'object' || value === null || isDeferred(value)) return undefined;
    value = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}

function passes(test: LeafTest, actual: unknown, leaf: Leaf): boolean {
  if (test.kind === 'blank') return isBlank(actual) === test.wanted;
  // A missing value equals nothing, and is neither smaller nor larger than anything.
  if (actual === undefined) return test.kind === 'in' && !test.wanted;
  switch (test.kind) {
    case 'in':
      requireType(test.values, actual, leaf);
      return test.values.some((value) => value === actual) === test.wanted;
    case 'matches':
      requireType([''], actual, leaf);
      return matches(test, String(actual), leaf);
    case 'compare':
      requireType([test.limit], actual, leaf);
      return compare(test.operator, actual as number | string, test.limit);
  }
}

function matches(test: Extract<LeafTest, { kind: 'matches' }>, text: string, leaf: Leaf): boolean {
  if (text.length > test.textLengthMax) {
    const message = `${leaf.path.text} holds ${text.length} characters; this pattern may be asked about ${test.textLengthMax} at most`;
    throw new EvaluationFailure(problemAt('FORMULA_FAILED', message, leaf.location));
  }
  return test.pattern.test(text);
}

function compare(
  operator: 'gt' | 'gte' | 'lt' | 'lte',
  actual: number | string,
  limit: number | string,
): boolean {
  switch (operator) {
    case 'gt':
      return actual > limit;
    case 'gte':
      return actual >= limit;
    case 'lt':
      return actual < limit;
    case 'lte':
      return actual <= limit;
  }
}

function requireType(wanted: readonly JsonValue[], actual: unknown, leaf: Leaf): void {
  if (wanted.some((value) => value === null || typeof value === typeof actual)) return;
  const kinds = [...new Set(wanted.map(kindOf))].join(' or ');
  const message = `${leaf.path.text} is compared with ${kinds}, but holds ${kindOf(actual)}: ${describeValue(actual)}`;
  throw new EvaluationFailure(problemAt('CONDITION_TYPE', message, leaf.location));
}
