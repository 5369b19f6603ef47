// `when:` of a rule or a step. Takes what stands in the YAML, gives Conditions; reports what can
// never be asked. Never looks at an event.

import type { JsonValue } from '../../core/model.ts';
import { PROVIDER_FACTS } from '../../core/providers.ts';
import { didYouMean } from '../diagnostics/closest.ts';
import type { YamlPath } from '../diagnostics/yaml-places.ts';
import { judgePattern } from '../expression/patterns.ts';
import type { Condition, ConditionPath, LeafTest } from '../rules/rule-set.ts';
import type { StaticScope } from './static-scope.ts';
import { compileFormula, type TemplateContext } from './templates.ts';

const OPERATORS = ['exists', 'not', 'in', 'matches', 'gt', 'gte', 'lt', 'lte'];

/** The conditions of one `when:`; all of them must hold. */
export function compileConditions(
  value: unknown,
  path: YamlPath,
  scope: StaticScope,
  context: TemplateContext,
): readonly Condition[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return compileConditionFormula(value, path, scope, context);
  if (!isMap(value)) {
    report(context, path, 'conditions are a map of `path: value`, or one formula');
    return [];
  }
  return Object.entries(value).flatMap(([name, expected]) => {
    const at = [...path, name];
    if (name === 'any' || name === 'all' || name === 'not') {
      return compileGroup(name, expected, at, scope, context);
    }
    return compileLeaf(name, expected, at, scope, context);
  });
}

function compileConditionFormula(
  text: string,
  path: YamlPath,
  scope: StaticScope,
  context: TemplateContext,
): readonly Condition[] {
  if (!text.startsWith('=')) {
    report(context, path, `"${text}" is a text; a condition is a formula, beginning with "="`);
    return [];
  }
  const formula = compileFormula(text, path, scope, context);
  if (formula === undefined) return [];
  if (scope.needsRun(formula)) {
    const options = { location: formula.location, length: context.yaml.lengthOf(path) };
    const message = 'a condition is asked before anything is done, so it cannot use a result';
    context.findings.error('FORMULA_REFERENCE', message, options);
  }
  return [{ kind: 'formula', formula }];
}

function compileGroup(
  kind: 'any' | 'all' | 'not',
  value: unknown,
  path: YamlPath,
  scope: StaticScope,
  context: TemplateContext,
): readonly Condition[] {
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) {
    report(context, path, `"${kind}" needs at least one condition`);
    return [];
  }
  // A map under `any` reads as its members being alternatives; in a list each map is one, as a whole.
  if (kind === 'any' && isMap(value)) {
    return [{ kind, items: compileConditions(value, path, scope, context) }];
  }
  const list = Array.isArray(value) ? value : [value];
  const items = list.map((item, index) => {
    const at = Array.isArray(value) ? [...path, index] : path;
    const conditions = compileConditions(item, at, scope, context);
    const [only] = conditions;
    return only !== undefined && conditions.length === 1
      ? only
      : ({ kind: 'all', items: conditions } as const);
  });
  return [{ kind, items }];
}

function compileLeaf(
  written: string,
  expected: unknown,
  path: YamlPath,
  scope: StaticScope,
  context: TemplateContext,
): readonly Condition[] {
  const conditionPath = compilePath(written, path, scope, context);
  const tests = compileTests(expected, path, context);
  if (conditionPath === undefined || tests === undefined) return [];
  const location = context.yaml.locateKey(path);
  return [{ kind: 'leaf', path: conditionPath, tests, expected: expected as JsonValue, location }];
}

function compilePath(
  written: string,
  path: YamlPath,
  scope: StaticScope,
  context: TemplateContext,
): ConditionPath | undefined {
  const [head = '', ...rest] = written.split('.');
  const at = { location: context.yaml.locateKey(path), length: written.length };
  if ([head, ...rest].some((name) => !/^\$?[\p{L}_][\p{L}\p{N}_-]*$/u.test(name))) {
    const hint = 'Write a formula for anything more: `when: =…`.';
    const message = `"${written}" is no path: names joined by dots`;
    context.findings.error('RULE_WRONG_TYPE', message, { ...at, hint });
    return undefined;
  }
  if (head.startsWith('$')) {
    const name = head.slice(1);
    const use = { name, members: rest, inside: true, offset: 0 };
    scope.check(use, () => at.location, context.findings);
    return { text: written, variable: name, names: rest };
  }
  const roots = PROVIDER_FACTS[context.provider].members;
  if (!roots.includes(head)) {
    const message = `no event has a member "${head}"${didYouMean(head, [...roots, ...OPERATORS])}`;
    context.findings.error('FORMULA_UNKNOWN_NAME', message, at);
    return undefined;
  }
  return { text: written, variable: undefined, names: [head, ...rest] };
}

function compileTests(
  expected: unknown,
  path: YamlPath,
  context: TemplateContext,
): readonly LeafTest[] | undefined {
  if (!isMap(expected)) {
    const test = compileValueTest(expected, path, context);
    return test === undefined ? undefined : [test];
  }
  const tests: LeafTest[] = [];
  if (Object.keys(expected).length === 0) {
    report(context, path, 'there is nothing to compare with', 'For "blank", write null.');
    return undefined;
  }
  for (const [operator, operand] of Object.entries(expected)) {
    const test = compileOperator(operator, operand, [...path, operator], context);
    if (test === undefined) return undefined;
    tests.push(test);
  }
  return tests;
}

/** A literal, a list of them (any of), or null (blank). */
function compileValueTest(
  expected: unknown,
  path: YamlPath,
  context: TemplateContext,
): LeafTest | undefined {
  if (expected === null || expected === undefined) return { kind: 'blank', wanted: true };
  const values = Array.isArray(expected) ? expected : [expected];
  if (values.length === 0) {
    report(context, path, 'an empty list fits nothing');
    return undefined;
  }
  for (const [index, value] of values.entries()) {
    const at = Array.isArray(expected) ? [...path, index] : path;
    if (typeof value === 'object') {
      report(context, at, 'an expected value is a text, a number, true or false');
      return undefined;
    }
    if (typeof value === 'string' && value.startsWith('=')) {
      report(
        context,
        at,
        'an expected value is no formula',
        'Write the whole condition as one: `when: =a = b`.',
      );
      return undefined;
    }
  }
  return { kind: 'in', values: values as JsonValue[], wanted: true };
}

function compileOperator(
  operator: string,
  operand: unknown,
  path: YamlPath,
  context: TemplateContext,
): LeafTest | undefined {
  switch (operator) {
    case 'exists':
      if (typeof operand === 'boolean') return { kind: 'blank', wanted: !operand };
      break;
    case 'not':
    case 'in': {
      const test = compileValueTest(operand, path, context);
      if (test === undefined) return undefined;
      const wanted = operator === 'in';
      if (test.kind === 'in' || test.kind === 'blank') return { ...test, wanted };
      break;
    }
    case 'matches':
      return compilePattern(operand, path, context);
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      if (typeof operand === 'number' || typeof operand === 'string') {
        return { kind: 'compare', operator, limit: operand };
      }
      break;
    default: {
      const message = `there is no comparison "${operator}"${didYouMean(operator, OPERATORS)}`;
      context.findings.error('RULE_UNKNOWN_FIELD', message, {
        location: context.yaml.locateKey(path),
        length: operator.length,
        hint: `Comparisons are ${OPERATORS.join(', ')}. A path goes on with dots: "a.b", not a map.`,
      });
      return undefined;
    }
  }
  report(context, path, `"${operator}" does not take this value`);
  return undefined;
}

function compilePattern(
  operand: unknown,
  path: YamlPath,
  context: TemplateContext,
): LeafTest | undefined {
  if (typeof operand !== 'string') {
    report(context, path, '"matches" takes a regular expression as text');
    return undefined;
  }
  let pattern: RegExp;
  try {
    pattern = new RegExp(operand, 'u');
  } catch {
    report(context, path, `"${operand}" is no regular expression`);
    return undefined;
  }
  const verdict = judgePattern(pattern.source, pattern.flags);
  if (verdict.kind === 'refused') {
    report(context, path, verdict.reason);
    return undefined;
  }
  return { kind: 'matches', pattern, textLengthMax: verdict.textLengthMax };
}

function report(context: TemplateContext, path: YamlPath, message: string, hint?: string): void {
  context.findings.error('RULE_WRONG_TYPE', message, {
    location: context.yaml.locate(path),
    length: context.yaml.lengthOf(path),
    ...(hint === undefined ? {} : { hint }),
  });
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
