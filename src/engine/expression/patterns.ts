// Regular expressions in rule files. Takes a pattern, says whether it may be used and on texts of what
// length, so that none can stall the server: time limits do not reach into a regular expression.
// Never looks at an event.

import { AppError } from '../../core/error-codes.ts';
import { worstSteps } from './pattern-cost.ts';
import { parsePattern } from './pattern-syntax.ts';

export type PatternVerdict =
  | { readonly kind: 'bounded'; readonly textLengthMax: number }
  | { readonly kind: 'refused'; readonly reason: string };

/** Steps that one search may take at worst; measured as about 0.1 s on Node 24. */
const STEPS_MAX = 2e7;
const TEXT_LENGTH_MAX = 10_000;
/** Below this length a pattern would refuse ordinary names and ids. */
const TEXT_LENGTH_MIN = 64;
const PATTERN_LENGTH_MAX = 1_000;

/**
 * Judges a pattern by the steps that a search may take, as `worstSteps` estimates them: the longest text is
 * the one that stays below STEPS_MAX.
 * @param source of a RegExp, so that it is one
 */
export function judgePattern(source: string, flags: string): PatternVerdict {
  if (source.length > PATTERN_LENGTH_MAX) {
    return refused(
      `this pattern has ${source.length} characters; at most ${PATTERN_LENGTH_MAX} are allowed`,
    );
  }
  const root = parsePattern(source, flags);
  const fits = (length: number): boolean => worstSteps(root, flags, length) <= STEPS_MAX;
  if (!fits(TEXT_LENGTH_MIN)) {
    return refused('this pattern can match one text in too many ways, which can take for ever');
  }
  let textLengthMax = TEXT_LENGTH_MIN;
  let tooLong = TEXT_LENGTH_MAX + 1;
  while (tooLong - textLengthMax > 1) {
    const length = Math.floor((textLengthMax + tooLong) / 2);
    if (fits(length)) textLengthMax = length;
    else tooLong = length;
  }
  return { kind: 'bounded', textLengthMax };
}

function refused(reason: string): PatternVerdict {
  return { kind: 'refused', reason };
}

/** By the pattern as it is written in a formula, which is there as long as the formula. */
const judged = new WeakMap<RegExp, number>();

function textLengthMaxOf(pattern: RegExp): number {
  let max = judged.get(pattern);
  if (max === undefined) {
    const verdict = judgePattern(pattern.source, pattern.flags);
    max = verdict.kind === 'bounded' ? verdict.textLengthMax : 0;
    judged.set(pattern, max);
  }
  return max;
}

/** What formulas are given for RegExp: a pattern that knows which texts it may be asked about. */
export class BoundedRegExp extends RegExp {
  readonly #textLengthMax: number;

  constructor(pattern: RegExp | string, flags?: string) {
    super(pattern, flags);
    this.#textLengthMax = textLengthMaxOf(pattern instanceof RegExp ? pattern : this);
  }

  override exec(text: string): RegExpExecArray | null {
    if (text.length <= this.#textLengthMax) return super.exec(text);
    const message = `the text has ${text.length} characters; this pattern may be asked about ${this.#textLengthMax} at most`;
    throw new AppError('FORMULA_FAILED', message);
  }
}
