// Regular expressions in rule files. Takes a pattern, says whether it may be used and on texts of what
// length, so that none can stall the server: time limits do not reach into a regular expression.
// Never looks at an event.

import { AppError } from '../../core/error-codes.ts';

export type PatternVerdict =
  | { readonly kind: 'bounded'; readonly textLengthMax: number }
  | { readonly kind: 'refused'; readonly reason: string };

/** Steps that one search may take at worst; measured as about 0.1 s on Node 24. */
const STEPS_MAX = 2e7;
const TEXT_LENGTH_MAX = 10_000;
/** Below this length a pattern would refuse ordinary names and ids. */
const TEXT_LENGTH_MIN = 64;
/** Each optional piece may double the ways to match. */
const OPTIONAL_MAX = 10;

const REPEAT = /^(?:[*+]|\{(\d+)(?:(,)(\d*))?\})/;

/**
 * Judges a pattern by its shape. A repeated group that itself repeats or chooses can match one text in
 * exponentially many ways, so it is refused; n open repeats in a row cost about length^n / n! steps,
 * so they bound the text.
 */
export function judgePattern(source: string): PatternVerdict {
  const groups: { varies: boolean }[] = [];
  const plain = source
    .replaceAll(/\\./g, 'x')
    .replaceAll(/\[[^\]]*\]/g, 'x')
    .replaceAll(/\(\?(?:[:=!]|<[=!]|<\w+>)/g, '(');
  let repeats = 0;
  let optional = 0;
  for (let index = 0; index < plain.length; index += 1) {
    const character = plain[index] ?? '';
    if (character === '(') groups.push({ varies: false });
    const quantifier = quantifierAt(plain, character === ')' ? index + 1 : index);
    if (character === ')') {
      const group = groups.pop();
      if (group?.varies === true && quantifier !== 'none' && quantifier !== 'optional') {
        const reason =
          'this pattern repeats a group that repeats or chooses, which can take for ever';
        return { kind: 'refused', reason };
      }
      const outer = groups.at(-1);
      if (outer !== undefined && group?.varies === true) outer.varies = true;
      continue;
    }
    if (quantifier === 'open') repeats += 1;
    // The "?" behind another quantifier makes that one lazy and chooses nothing.
    if (quantifier === 'optional' && !/[*+?}]/.test(plain[index - 1] ?? '')) optional += 1;
    const innermost = groups.at(-1);
    const varies = character === '|' || (quantifier !== 'none' && quantifier !== 'exact');
    if (innermost !== undefined && varies) innermost.varies = true;
  }
  if (optional > OPTIONAL_MAX) {
    return {
      kind: 'refused',
      reason: `this pattern has more than ${OPTIONAL_MAX} optional pieces`,
    };
  }
  const textLengthMax = longestText(repeats, source.startsWith('^'));
  return textLengthMax < TEXT_LENGTH_MIN
    ? {
        kind: 'refused',
        reason: `this pattern repeats in ${repeats} places, which can take too long`,
      }
    : { kind: 'bounded', textLengthMax };
}

/** A pattern that is not bound to the beginning is tried at every character. */
function longestText(repeats: number, anchored: boolean): number {
  const exponent = repeats + (anchored ? 0 : 1);
  let factorial = 1;
  for (let factor = 2; factor <= exponent; factor += 1) factorial *= factor;
  if (exponent === 0) return TEXT_LENGTH_MAX;
  return Math.min(TEXT_LENGTH_MAX, Math.floor((STEPS_MAX * factorial) ** (1 / exponent)));
}

function quantifierAt(
  plain: string,
  index: number,
): 'none' | 'optional' | 'exact' | 'short' | 'open' {
  if (plain[index] === '?') return 'optional';
  const match = REPEAT.exec(plain.slice(index));
  if (match === null) return 'none';
  const [, least, comma, most] = match;
  if (least === undefined) return 'open';
  if (comma === undefined) return 'exact';
  return most === '' || most === undefined || Number(most) > 20 ? 'open' : 'short';
}

/** What formulas are given for RegExp: a pattern that knows which texts it may be asked about. */
export class BoundedRegExp extends RegExp {
  readonly #textLengthMax: number;

  constructor(pattern: RegExp | string, flags?: string) {
    super(pattern, flags);
    const verdict = judgePattern(this.source);
    this.#textLengthMax = verdict.kind === 'bounded' ? verdict.textLengthMax : 0;
  }

  override exec(text: string): RegExpExecArray | null {
    if (text.length <= this.#textLengthMax) return super.exec(text);
    const message = `the text has ${text.length} characters; this pattern may be asked about ${this.#textLengthMax} at most`;
    throw new AppError('FORMULA_FAILED', message);
  }
}
