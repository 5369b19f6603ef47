// Values and verdicts in words, for the command line and for the console. Takes plain data, gives text on one
// line. Pure; knows nothing of where the text is shown.

import type { JsonValue, RuleTrace } from './model.ts';

const VALUE_LENGTH_MAX = 70;

/** A value as it is in the event; long ones are cut. `nothing` stands for absent. */
export function seen(value: JsonValue): string {
  if (value === null) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX - 1)}…` : text;
}

/** A value of a plan as a rule would write it: `{ "$ref": "user.id" }` is `$user.id`. */
export function written(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return value === '' ? '""' : String(value);
  if (typeof value['$ref'] === 'string') return `$${value['$ref']}`;
  const alternatives = value['$firstOf'];
  if (Array.isArray(alternatives)) return alternatives.map(written).join(', else ');
  const members = Object.entries(value).map(([name, inner]) => `${name}: ${written(inner)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

/** What a condition expects: `"paid" or "open"`, `more than 3`. */
export function expectation(expected: JsonValue): string {
  if (expected === null) return 'nothing';
  if (Array.isArray(expected)) return expected.map(seen).join(' or ');
  if (typeof expected !== 'object') return seen(expected);
  return Object.entries(expected)
    .map(([operator, operand]) => {
      if (operator === 'exists') return operand === true ? 'something' : 'nothing';
      if (operator === 'not') return `not ${expectation(operand)}`;
      return `${OPERATORS[operator] ?? operator} ${expectation(operand)}`;
    })
    .join(' and ');
}

const OPERATORS: Readonly<Record<string, string>> = {
  in: 'one of',
  matches: 'a text that matches',
  gt: 'more than',
  gte: 'at least',
  lt: 'less than',
  lte: 'at most',
};

/** Whether the rule is for other types of events, and was only listed. */
export function isOfOtherType({ conditions }: RuleTrace): boolean {
  const [only, ...more] = conditions;
  return only?.path === '$event.type' && !only.ok && more.length === 0;
}

/** `1 rule`, `2 rules` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
