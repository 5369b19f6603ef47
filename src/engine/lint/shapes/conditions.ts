// Conditions against what the events look like. Takes the conditions of a rule or a step; notes paths that no
// event has or that cross a list, values of a kind or a word that never comes, and formulas that are
// neither true nor false.

import type { Condition, LeafTest } from '../../rules/rule-set.ts';
import type { EventWalk } from './event-walk.ts';
import type { Suspicion } from './notebook.ts';
import { wordProblem } from './operators.ts';
import type { ShapeScope } from './scope.ts';
import { isKnown, isMapShape, type Letter } from './shape.ts';
import { describe, isNever, memberOf, type Value } from './value.ts';

export function checkConditions(
  conditions: readonly Condition[],
  scope: ShapeScope,
  walk: EventWalk,
  lenient = false,
): void {
  for (const condition of conditions) {
    switch (condition.kind) {
      case 'all':
      case 'not':
        checkConditions(condition.items, scope, walk, lenient);
        break;
      case 'any':
        checkConditions(condition.items, scope, walk, true);
        break;
      case 'formula': {
        const { formula } = condition;
        const value = walk.template(formula, scope, lenient);
        const wrong = isNever(value, ['b']) || (value.many && isKnown(value.shape));
        const message = `this condition is ${describe(value)}, neither true nor false`;
        const problem = wrong ? ({ code: 'CONDITION_NOT_BOOLEAN', message } as const) : undefined;
        walk.noteFormula(formula, 'condition', problem, value);
        break;
      }
      case 'leaf':
        checkLeaf(condition, scope, walk, lenient);
    }
  }
}

type Leaf = Extract<Condition, { kind: 'leaf' }>;

function checkLeaf(leaf: Leaf, scope: ShapeScope, walk: EventWalk, lenient: boolean): void {
  const { variable, names, text } = leaf.path;
  let value = variable === undefined ? walk.root() : walk.variable(variable, scope);
  let offset = variable === undefined ? 0 : variable.length + 2;
  for (const [index, name] of names.entries()) {
    const at = walk.inKey(leaf.location, offset);
    const crossing =
      index > 0 || variable !== undefined ? crossesList(value, name, text) : undefined;
    const place = { lenient, inFilter: false, written: name };
    walk.note(at, 'crossing', crossing, isKnown(value.shape));
    if (crossing !== undefined) return;
    walk.lookUp(at, value, name, place);
    const member = memberOf(value, name);
    if (member.kind !== 'found') return;
    value = member.value;
    offset += name.length + 1;
  }
  for (const test of leaf.tests) {
    walk.note(leaf.location, test.kind, testProblem(test, value, text), isKnown(value.shape));
  }
}

function crossesList(value: Value, name: string, text: string): Suspicion | undefined {
  if (!value.many || !isKnown(value.shape)) return undefined;
  const message = `${text} crosses a list before "${name}"`;
  const hint = `Ask with a formula: "x" in ${text}, or inside a \`forEach\`.`;
  return { code: 'SHAPE_LIST', message, hint, length: name.length };
}

function testProblem(test: LeafTest, value: Value, text: string): Suspicion | undefined {
  const { length } = text;
  const { shape, many } = value;
  if (test.kind === 'blank' || !isKnown(shape)) return undefined;
  if (many) {
    const message = `${text} is a list, so it is never one value`;
    const hint = `Ask with a formula: when: ="x" in ${text}.`;
    return { code: 'SHAPE_LIST', message, hint, length };
  }
  const letters = lettersOf(test);
  if (isNever(value, letters)) {
    const message = `${text} is ${describe(value)}, and never ${wantedBy(test)}`;
    const hint = isMapShape(shape) ? `It has ${namesOf(value)}.` : hintFor(test, value, text);
    return { code: 'SHAPE_TYPE', message, hint, length };
  }
  if (test.kind !== 'in') return undefined;
  const words = test.values.filter((word) => typeof word === 'string');
  const problems = words.map((word) => wordProblem(value, word, length));
  return problems.find((problem) => problem !== undefined);
}

function lettersOf(test: Exclude<LeafTest, { kind: 'blank' }>): readonly Letter[] {
  if (test.kind === 'matches') return ['t'];
  const values = test.kind === 'compare' ? [test.limit] : test.values;
  return values.map(
    (value): Letter => (typeof value === 'number' ? 'n' : typeof value === 'boolean' ? 'b' : 't'),
  );
}

function wantedBy(test: Exclude<LeafTest, { kind: 'blank' }>): string {
  if (test.kind === 'matches') return 'a text to be matched';
  const values = test.kind === 'compare' ? [test.limit] : test.values;
  return values.map((value) => JSON.stringify(value)).join(' or ');
}

function hintFor(
  test: Exclude<LeafTest, { kind: 'blank' }>,
  { shape }: Value,
  text: string,
): string | undefined {
  if (test.kind === 'matches') return undefined;
  if (test.kind === 'compare') {
    const symbol = SYMBOLS[test.operator];
    const isText = shape.plain.has('t') && typeof test.limit === 'number';
    return isText
      ? `Ask with a formula: when: =$number(${text}) ${symbol} ${test.limit}.`
      : undefined;
  }
  const [value] = test.values;
  if (shape.plain.has('t')) return `Put it in quotes: "${String(value)}".`;
  if (typeof value === 'string' && /^(?:true|false|-?\d+(?:\.\d+)?)$/.test(value)) {
    return `Take the quotes away: ${value}.`;
  }
  return shape.plain.has('b') ? 'Write true or false, without quotes.' : undefined;
}

const SYMBOLS = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

function namesOf({ shape }: Value): string {
  return [...(shape.members?.keys() ?? [])].slice(0, 8).join(', ') || 'members of its own';
}
