// What the operators of a formula can do with what stands at their sides. Takes an operator and two values;
// gives what cannot be meant. Never walks a tree.

import { didYouMean } from '../../diagnostics/closest.ts';
import type { Suspicion } from './notebook.ts';
import { isKnown, isMapShape, type Letter } from './shape.ts';
import { describe, isNever, neverEqual, type Value } from './value.ts';

const ORDER = new Set(['<', '<=', '>', '>=']);
const ARITHMETIC = new Set(['+', '-', '*', '/', '%']);

/** What is wrong with the operands; undefined where nothing is. */
export function checkOperator(operator: string, left: Value, right: Value): Suspicion | undefined {
  const { length } = operator;
  if (operator === '=' || operator === '!=') return equality(operator, left, right);
  if (operator === 'in') {
    if (!neverEqual(left, right)) return undefined;
    const message = `${describe(left)} is never in ${describe(right)}`;
    return { code: 'SHAPE_TYPE', message, length };
  }
  if (ORDER.has(operator)) return order(operator, left, right);
  if (ARITHMETIC.has(operator)) {
    return needs(['n'], 'two numbers', operator, [left, right]);
  }
  if (operator === '&') return needs(['t', 'n'], 'two texts', operator, [left, right]);
  return undefined;
}

function equality(operator: string, left: Value, right: Value): Suspicion | undefined {
  const { length } = operator;
  const result = operator === '=' ? 'never' : 'always';
  if (neverEqual(left, right)) {
    const message = `${describe(left)} and ${describe(right)} are never equal, so this is ${result} true`;
    return { code: 'SHAPE_TYPE', message, length };
  }
  if (left.many !== right.many && isKnown(left.shape) && isKnown(right.shape)) {
    const hint = 'Write `x in list` to ask whether it is one of them.';
    const message = `"${operator}" compares the whole list, so it holds only while there is exactly one`;
    return { code: 'SHAPE_LIST', message, hint, length };
  }
  return unknownWord(left, right, length) ?? unknownWord(right, left, length);
}

/** A text of the rule that the provider never sends there. */
function unknownWord(value: Value, written: Value, length: number): Suspicion | undefined {
  const { path } = value;
  const [word, ...others] = written.path === undefined ? (written.shape.words ?? []) : [];
  if (path === undefined || word === undefined || others.length > 0) return undefined;
  return wordProblem(value, word, length);
}

/** A word that is none of those that the provider documents for a member. */
export function wordProblem(value: Value, word: string, length: number): Suspicion | undefined {
  const { words } = value.shape;
  if (words === undefined || words.includes(word)) return undefined;
  const name = value.path?.join('.') ?? 'it';
  const message = `${name} is never "${word}"${didYouMean(word, words)}`;
  return { code: 'SHAPE_WORD', message, hint: `It is one of ${words.join(', ')}.`, length };
}

function order(operator: string, left: Value, right: Value): Suspicion | undefined {
  const problem = needs(['t', 'n'], 'two numbers or two texts', operator, [left, right]);
  if (problem !== undefined) return problem;
  if (!neverEqual(left, right)) return undefined;
  const message = `${describe(left)} and ${describe(right)} cannot be compared by "${operator}"`;
  return { code: 'SHAPE_TYPE', message, length: operator.length };
}

function needs(
  letters: readonly Letter[],
  what: string,
  operator: string,
  sides: readonly Value[],
): Suspicion | undefined {
  const { length } = operator;
  for (const side of sides) {
    if (isNever(side, letters)) {
      const message = `"${operator}" needs ${what}, and one side is ${describe(side)}`;
      const isText = side.shape.plain.has('t') && !isMapShape(side.shape);
      const hint = isText ? 'Make a number of a text of digits with $number( ).' : undefined;
      return { code: 'SHAPE_TYPE', message, hint, length };
    }
    if (side.many && isKnown(side.shape)) {
      const message = `"${operator}" needs ${what}, and one side can be a list`;
      return { code: 'SHAPE_LIST', message, length };
    }
  }
  return undefined;
}
