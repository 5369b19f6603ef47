// Which patterns may be used, and on texts of what length: no search takes more steps than the judge says, whatever
// the pattern and the text.

import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { compileExpression } from '../../../src/engine/expression/compile.ts';
import { worstSteps } from '../../../src/engine/expression/pattern-cost.ts';
import { parsePattern } from '../../../src/engine/expression/pattern-syntax.ts';
import { judgePattern } from '../../../src/engine/expression/patterns.ts';
import { findingsOf } from '../support/rules.ts';
import { searchCounted, TooManySteps } from './counting-matcher.ts';

/** From public reports of patterns that stalled a program, and their kinds. */
const SLOW = [
  ...['(a+)+$', '(a*)*', '((a)*)*', '(a{2,})+', '(?<n>a+)+', '(?:x+y?)+', '(\\w+\\s?)*', '(.*)*b'],
  ...['(a|a)*$', '(a|ab)*c', '^(a|aa)+$', '^([a-z]|[a-m]){1,30}x', '(a|ab|abc){0,12}$'],
  ...['(a?){30}a{30}', `^${'a?'.repeat(40)}${'a'.repeat(40)}$`, '(?:a?b?c?){20}$'],
  `^${'a{0,20}'.repeat(7)}b$`,
  `^${'\\w{1,40}'.repeat(6)}$`,
  `${'.{0,50}'.repeat(4)}x`,
  `${'(?:\\d{0,9}\\s?)'.repeat(9)}x`,
  ...['.*.*.*.*.*x', '(?=(a+)+b)a', '(?!(a|a)+b)a', '(?<=(a+)+)b', '(a+)+\\1', '((a+)b?)+\\2$'],
  ...['^(([a-z])+.)+[A-Z]([a-z])+$', '(x+x+)+y', '^(\\w+\\.?)+@', '(\\s*,?)*$'],
  '^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$',
  '^(?:(?:[a-z]+,?)+)*$',
  '^a|(b+)+$',
];

/** What sellers write. */
const HONEST: readonly (readonly [source: string, lengthLeast: number])[] = [
  ['^pro-(monthly|yearly)(-v\\d+)?$', 10_000],
  ['^(pro|lite)-', 10_000],
  ['^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$', 10_000],
  ['^[A-Z]{2,5}-\\d{1,6}(-[A-Z0-9]{1,8})?$', 10_000],
  ['^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$', 1_000],
  ['^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}$', 1_000],
  ['^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d+)?(?:Z|[+-]\\d{2}:?\\d{2})$', 10_000],
  ['^[a-z0-9]+(?:-[a-z0-9]+)*$', 1_000],
  ['^(?:\\d{1,3}\\.){3}\\d{1,3}$', 10_000],
  ['^v?\\d+\\.\\d+(?:\\.\\d+)?(?:-[\\w.]+)?$', 10_000],
  ['^https?:\\/\\/[^/]+(\\/.*)?$', 1_000],
  ['(\\d+)\\s*(seats?|users?|licenses?)', 1_000],
  ['^(?=.*\\d)(?=.*[a-z]).{8,20}$', 1_000],
  ['^\\s*(.*?)\\s*$', 400],
  ['\\d{1,30}\\d{1,30}', 10_000],
  ['(?:a|b)c', 10_000],
  ['[(+*]+', 10_000],
  ['\\(\\d+\\)', 1_000],
  ['a?'.repeat(10), 1_000],
  ['(a|b)*', 1_000],
  ['', 10_000],
];

describe('a pattern', () => {
  it.each(SLOW)('%s is refused', (source) => {
    expect(new RegExp(source, 'u')).toBeDefined();
    expect(judgePattern(source, 'u').kind).toBe('refused');
    expect(judgePattern(source, 'gi').kind).toBe('refused');
  });

  it.each(HONEST)('%s is taken, for texts of %d characters at least', (source, lengthLeast) => {
    const verdict = judgePattern(source, 'u');
    expect(verdict.kind === 'bounded' && verdict.textLengthMax).toBeGreaterThanOrEqual(lengthLeast);
  });

  test('over lines is tried at each of them', () => {
    const [once, each] = ['', 'm'].map((flags) => judgePattern('^.*.*x', flags));
    expect(once).not.toEqual(each);
  });

  test.each([
    ['in a condition', (source: string) => `when: { data.text: { matches: '${source}' } }`],
    ['in $match', (source: string) => `when: '=$exists($match(data.text, /${source}/))'`],
    ['in $contains', (source: string) => `when: '=$contains(data.text, /${source}/)'`],
    ['in $replace', (source: string) => `when: '=$replace(data.text, /${source}/, "") = "x"'`],
    ['in $split', (source: string) => `when: '=$count($split(data.text, /${source}/)) > 1'`],
    ['called by itself', (source: string) => `when: '=$exists(/${source}/(data.text))'`],
    ['kept in a name', (source: string) => `when: '=($p := /${source}/i; $exists($p(data.text)))'`],
  ])('is judged wherever it is written: %s', (_name, when) => {
    const rules = (source: string) =>
      findingsOf(
        `provider: stripe\nsubject: =data.id\nrules:\n  - id: a\n    on: sale\n    ${when(source)}\n    ignore: Why.\n`,
      );
    expect(rules('^a{0,20}$')).toEqual([]);
    expect(rules(`^${'a{0,20}'.repeat(7)}b$`)).toHaveLength(1);
  });

  test('that refuses a short text says so in a formula as well', () => {
    const result = compileExpression('$contains(data, /(a+)+$/)', ['data'], {
      size: 0,
      get: () => undefined,
    });
    expect(result).toMatchObject({ problems: [{ code: 'FORMULA_REFUSED' }] });
  });
});

const atom = fc.constantFrom('a', 'b', '[ab]', '[^a]', '.', '\\d', '\\w', '\\b', 'c', 'aa', 'A');
const quantifier = fc.constantFrom('', '', '*', '+', '?', '*?', '{2}', '{0,3}', '{1,}', '{0,20}');
const { pattern } = fc.letrec<{ pattern: string; piece: string }>((tie) => ({
  piece: fc.oneof(
    { depthSize: 'small', maxDepth: 2 },
    atom,
    tie('pattern').map((inner) => `(${inner})`),
    tie('pattern').map((inner) => `(?:${inner})`),
    tie('pattern').map((inner) => `(?=${inner})`),
  ),
  pattern: fc
    .array(
      fc.array(
        fc
          .tuple(tie('piece'), quantifier)
          // Neither \b nor a lookahead can be repeated in a pattern of "u".
          .map(([piece, times]) => (/^(?:\\b|\(\?=)/.test(piece) ? piece : piece + times)),
        { minLength: 1, maxLength: 3 },
      ),
      { minLength: 1, maxLength: 2 },
    )
    .map((options) => options.map((items) => items.join('')).join('|')),
}));
const ends = fc.tuple(fc.constantFrom('', '^'), fc.constantFrom('', '$', 'x', 'x$'));
const text = fc.oneof(
  fc
    .tuple(fc.nat(24), fc.constantFrom('a', 'b', 'ab', 'aab', 'a1'))
    .map(([n, piece]) => piece.repeat(n).slice(0, 24)),
  fc.string({ unit: fc.constantFrom('a', 'b', '1', ' ', 'A', 'x'), maxLength: 24 }),
);

describe('the estimate', () => {
  /** Choosing among options is free in it, and so is what a piece of a few characters costs. */
  const FACTOR = 4;
  const STEPS_COUNTED_MAX = 20_000;

  test('is never less than what a search takes', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        pattern,
        ends,
        text,
        fc.constantFrom('u', 'iu'),
        (inner, [start, end], searched, flags) => {
          const source = `${start}(?:${inner})${end}`;
          const root = parsePattern(source, flags);
          const worst = worstSteps(root, flags, Math.max(1, searched.length));
          if (worst > STEPS_COUNTED_MAX) return;
          const stepsMax = FACTOR * worst;
          compared += 1;
          const { found } = searchCounted(root, searched, stepsMax);
          expect(found).toBe(new RegExp(source, flags).test(searched));
        },
      ),
      { numRuns: 1_500 },
    );
    expect(compared).toBeGreaterThan(300);
  });

  test('is checked by a matcher that does notice what is slow', () => {
    const root = parsePattern('^(a+)+$', '');
    expect(() => searchCounted(root, `${'a'.repeat(30)}!`, 100_000)).toThrow(TooManySteps);
    expect(searchCounted(root, 'aaa', 100_000).found).toBe(true);
  });

  test.each([
    '^a+a+a+b$',
    '(?:a|b)*c',
    'a*a*b',
    '^(?:a{0,9}b?)c',
    '\\w+\\w+@',
    '^[a-z]+(?:-[a-z]+)*$',
  ])('grows with the text at least as the search does: %s', (source) => {
    const root = parsePattern(source, '');
    const at = (length: number) => {
      const { steps } = searchCounted(root, 'a'.repeat(length), 1e7);
      return { steps, worst: worstSteps(root, '', length) };
    };
    const [short, long] = [at(20), at(80)];
    expect(long.worst / short.worst).toBeGreaterThanOrEqual((long.steps / short.steps) * 0.5);
  });
});
