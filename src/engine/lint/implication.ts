// What follows from conditions without knowing any event: one that holds whenever another does, two that
// never hold together, two of which one always holds. Takes conditions, gives true only where it is certain.

import type { JsonValue } from '../../core/model.ts';
import type { Condition, LeafTest } from '../rules/rule-set.ts';

type Leaf = Extract<Condition, { kind: 'leaf' }>;

/** Whether all of `conclusion` hold whenever all of `premise` hold. */
export function implies(premise: readonly Condition[], conclusion: readonly Condition[]): boolean {
  return conclusion.every((wanted) => impliesOne(premise, wanted));
}

function impliesOne(premise: readonly Condition[], wanted: Condition): boolean {
  if (wanted.kind === 'all') return implies(premise, wanted.items);
  if (premise.some((given) => sameCondition(given, wanted))) return true;
  if (wanted.kind === 'any' && wanted.items.some((item) => impliesOne(premise, item))) return true;
  return premise.some((given) => {
    if (given.kind === 'all') return impliesOne(given.items, wanted);
    if (given.kind === 'any') return given.items.every((item) => impliesOne([item], wanted));
    if (given.kind !== 'leaf' || wanted.kind !== 'leaf') return false;
    return given.path.text === wanted.path.text && leafImplies(given.tests, wanted.tests);
  });
}

function leafImplies(given: readonly LeafTest[], wanted: readonly LeafTest[]): boolean {
  return wanted.every((test) => given.some((known) => testImplies(known, test)));
}

function testImplies(given: LeafTest, wanted: LeafTest): boolean {
  if (sameTest(given, wanted)) return true;
  // A value that is one of these, or a number that compares, is there; an empty text compares, too.
  const isThere =
    (given.kind === 'in' && given.wanted && given.values.every(isSomething)) ||
    (given.kind === 'compare' && typeof given.limit === 'number');
  if (wanted.kind === 'blank') return !wanted.wanted && isThere;
  if (given.kind === 'in' && given.wanted) return given.values.every((v) => holds(wanted, v));
  if (given.kind === 'in' && wanted.kind === 'in') {
    return !wanted.wanted && wanted.values.every((value) => given.values.includes(value));
  }
  if (given.kind === 'compare' && wanted.kind === 'compare') return boundImplies(given, wanted);
  return false;
}

function isSomething(value: JsonValue): boolean {
  return typeof value !== 'string' || value.trim() !== '';
}

/** Whether a test certainly holds for a value. */
export function holds(test: LeafTest, value: JsonValue): boolean {
  switch (test.kind) {
    case 'blank':
      return !isSomething(value) === test.wanted;
    case 'in':
      return test.values.includes(value) === test.wanted;
    case 'compare':
      return typeof value === typeof test.limit && compares(test.operator, value, test.limit);
    case 'matches':
      return typeof value === 'string' && test.pattern.test(value);
  }
}

type Bound = Extract<LeafTest, { kind: 'compare' }>;

function compares(operator: Bound['operator'], value: JsonValue, limit: number | string): boolean {
  const [a, b] = [value as number | string, limit];
  if (operator === 'gt') return a > b;
  if (operator === 'gte') return a >= b;
  return operator === 'lt' ? a < b : a <= b;
}

function boundImplies(given: Bound, wanted: Bound): boolean {
  if (typeof given.limit !== typeof wanted.limit) return false;
  if (given.operator[0] !== wanted.operator[0]) return false;
  const isStricter = given.operator.startsWith('g')
    ? given.limit > wanted.limit
    : given.limit < wanted.limit;
  if (isStricter) return true;
  return given.limit === wanted.limit && given.operator.length <= wanted.operator.length;
}

/** Whether the tests of one path can never hold together. */
export function contradiction(tests: readonly LeafTest[]): boolean {
  const wanted = tests.filter((test) => test.kind === 'in' && test.wanted);
  const [first] = wanted;
  if (first?.kind === 'in') {
    const left = first.values.filter((value) => tests.every((test) => holds(test, value)));
    if (left.length === 0) return true;
  }
  const blank = tests.find((test) => test.kind === 'blank');
  if (blank?.kind === 'blank' && blank.wanted && tests.some((test) => needsValue(test)))
    return true;
  if (tests.some((a) => a.kind === 'blank' && tests.some((b) => isOppositeBlank(a, b))))
    return true;
  const bounds = tests.filter((test): test is Bound => test.kind === 'compare');
  return bounds.some((a) => bounds.some((b) => excludeEachOther(a, b)));
}

function isOppositeBlank(a: LeafTest, b: LeafTest): boolean {
  return a.kind === 'blank' && b.kind === 'blank' && a.wanted !== b.wanted;
}

/** Holds only for a value that is there. */
function needsValue(test: LeafTest): boolean {
  if (test.kind === 'in') return test.wanted && test.values.every(isSomething);
  return test.kind === 'compare' || test.kind === 'matches';
}

function excludeEachOther(low: Bound, high: Bound): boolean {
  if (!low.operator.startsWith('g') || !high.operator.startsWith('l')) return false;
  if (typeof low.limit !== typeof high.limit) return true;
  if (low.limit > high.limit) return true;
  return low.limit === high.limit && !(low.operator === 'gte' && high.operator === 'lte');
}

/** Whether one of the two always holds: `{ a: x }` and `{ a: { not: x } }`. */
export function coverAll(a: Condition, b: Condition): boolean {
  if (a.kind === 'not') {
    const { items } = a;
    return implies(items, [b]) && implies([b], items);
  }
  if (a.kind !== 'leaf' || b.kind !== 'leaf' || a.path.text !== b.path.text) return false;
  const [first, ...more] = a.tests;
  const [second, ...others] = b.tests;
  if (first === undefined || second === undefined || more.length + others.length > 0) return false;
  if (isOppositeBlank(first, second)) return true;
  if (first.kind !== 'in' || second.kind !== 'in' || first.wanted === second.wanted) return false;
  return sameValues(first.values, second.values);
}

function sameValues(a: readonly JsonValue[], b: readonly JsonValue[]): boolean {
  return a.length === b.length && a.every((value) => b.includes(value));
}

function sameTest(a: LeafTest, b: LeafTest): boolean {
  switch (a.kind) {
    case 'blank':
      return b.kind === 'blank' && a.wanted === b.wanted;
    case 'in':
      return b.kind === 'in' && a.wanted === b.wanted && sameValues(a.values, b.values);
    case 'compare':
      return b.kind === 'compare' && a.operator === b.operator && a.limit === b.limit;
    case 'matches':
      return b.kind === 'matches' && String(a.pattern) === String(b.pattern);
  }
}

function sameCondition(a: Condition, b: Condition): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'formula') return b.kind === 'formula' && a.formula.text === b.formula.text;
  if (a.kind === 'leaf') return b.kind === 'leaf' && sameLeaf(a, b);
  if (b.kind === 'formula' || b.kind === 'leaf' || a.items.length !== b.items.length) return false;
  return a.items.every((item, index) => {
    const other = b.items[index];
    return other !== undefined && sameCondition(item, other);
  });
}

function sameLeaf(a: Leaf, b: Leaf): boolean {
  if (a.path.text !== b.path.text || a.tests.length !== b.tests.length) return false;
  return a.tests.every((test, index) => {
    const other = b.tests[index];
    return other !== undefined && sameTest(test, other);
  });
}

/** The names of `let` and of loops that conditions ask for; a rule may mean its own by them. */
export function variablesOf(conditions: readonly Condition[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const condition of conditions) {
    if (condition.kind === 'formula') {
      for (const { name } of condition.formula.variables) names.add(name);
    } else if (condition.kind === 'leaf') {
      if (condition.path.variable !== undefined) names.add(condition.path.variable);
    } else for (const name of variablesOf(condition.items)) names.add(name);
  }
  return names;
}
