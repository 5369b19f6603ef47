// What one formula may give: texts and lists have a size, in the running rules as in a draft, and so has the
// work that a function does without a pause.

import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/core/model.ts';
import { compileExpression } from '../../../src/engine/expression/compile.ts';
import { ASK_JSONATA } from '../../../src/engine/expression/direct.ts';
import { TEXT_LENGTH_MAX } from '../../../src/engine/expression/size-limits.ts';
import { toPlain } from '../../../src/engine/expression/values.ts';
import { eventOf, linesOf, match, stripeRules } from '../support/rules.ts';

const NO_CATALOG = { size: 0, get: () => undefined };

async function give(text: string, data: JsonValue = {}) {
  const result = compileExpression(text, ['data'], NO_CATALOG);
  if (result.kind === 'refused') {
    throw new Error(result.problems.map(({ message }) => message).join('; '));
  }
  const { evaluateNow, evaluate } = result.expression;
  const now = evaluateNow({ data }, {});
  return toPlain(now === ASK_JSONATA ? await evaluate({ data }, {}) : now);
}

const MILLION = 1_000_000;
const BIG = `$big := $pad("", ${MILLION}, "a")`;
/** Maps that hold the map before twice: a few lines, and a million million values when they are written out. */
const doubled = (times: number) =>
  Array.from(
    { length: times },
    (_, index) => `$m${index + 1} := {"a": $m${index}, "b": $m${index}}`,
  ).join('; ');

describe('what would fill the memory is refused, where it stands in the formula', () => {
  it.each([
    ['a text that is padded', '$base64encode($pad("a", 300000000))'],
    ['to the left as well', '$pad("a", -300000000)'],
    ['with a long piece', `(${BIG}; $pad("a", 2000, $big))`],
    ['a list that is joined', `(${BIG}; $join([1..100].($big)))`],
    ['by a long separator', `(${BIG}; $join([1..100].("a"), $big))`],
    ['a text that is replaced by a longer one', `(${BIG}; $replace($big, "a", "bbb"))`],
    ['by a pattern', `(${BIG}; $replace($pad("", 900, "a"), /a/, $big))`],
    [
      'by what the pattern found',
      `(${BIG}; $replace($pad("", 9000, "a"), /^a+/, $pad("", 600, "$0")))`,
    ],
    ['by a function', `(${BIG}; $replace($pad("", 900, "a"), /a/, function($m) { $big }))`],
    ['texts that are added', `(${BIG}; $big & $big)`],
    ['one after the other', `(${BIG}; $reduce([1..200], function($a, $b) { $a & $big }))`],
    ['a text as base64', `(${BIG}; $base64encode($big))`],
    ['a text for a URL', `$encodeUrl($pad("", ${MILLION}, "é"))`],
    ['a part of one', `$encodeUrlComponent($pad("", ${MILLION}, "é"))`],
    ['a list as text', `(${BIG}; $string([[$big, $big]]))`],
    ['a number in a long form', `(${BIG}; $formatNumber(1, $pad("", 2000, "0")))`],
    ['an integer in a long form', `$formatInteger(1, $pad("", ${MILLION}, "0"))`],
    ['a date in a long form', `$fromMillis(0, $pad("", ${MILLION}, "[Y]"))`],
    ['columns of lists', `(${BIG}; $l := $split($big, ""); $zip($l, $l, $l, $l, $l))`],
    ['a range', '[1..10000000]'],
    ['ranges of a range', '[1..9999].([1..9999])'],
    ['a list that doubles itself', '$reduce([1..40], function($a, $b) { $append($a, $a) }, [1])'],
    ['maps in maps', `($m0 := {"a": 1}; ${doubled(40)}; $m40)`],
    ['maps in maps as text', `($m0 := {"a": 1}; ${doubled(40)}; $string($m40))`],
    ['maps in maps compared', `($m0 := {"a": 1}; ${doubled(40)}; $m40 = {"a": 1})`],
    ['groups', `(${BIG}; $l := $map([1..9], function($i) { $big }); $l{$: $l})`],
    ['a chain of functions', '"a" ~> $pad(300000000) ~> $uppercase() ~> $base64encode()'],
  ])('%s', async (_name, formula) => {
    const before = process.memoryUsage().rss;
    await expect(give(formula)).rejects.toMatchObject({
      code: 'FORMULA_TOO_LARGE',
      position: expect.any(Number),
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
  });
});

describe('what would fill it bit by bit is refused, or its time is over before', () => {
  it.each([
    ['a list as a long text', '$string([1..9000].{"a": [[[[[[[[[$]]]]]]]]]}, true)'],
    ['many long texts', `$map([1..9999], function($i) { $pad("", ${MILLION}) })`],
    ['many by a function that is handed on', `$map([1..9999].($string($)), $pad(?, ${MILLION}))`],
    ['many pieces of one', `(${BIG}; $map([1..9999], $substring($big, ?)))`],
    ['lists of lists', '$map([1..9999], function($i) { [1..9999] })'],
    ['lists that are appended', '$map([1..9999], $append(?, [1..9000]))'],
  ])('%s', async (_name, formula) => {
    const before = process.memoryUsage().rss;
    const ended = give(formula).catch((error: { code: string }) => {
      throw new Error(error.code);
    });
    await expect(ended).rejects.toThrow(/FORMULA_TOO_LARGE|D1012/);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
  });
});

describe('what would hold the server up in one call is refused', () => {
  const NEEDLE = '$pad("", 500, "a") & "b" & $pad("", 50000, "a")';
  it.each([
    ['a long text in a long text', `(${BIG}; $contains($big, ${NEEDLE}))`],
    ['split by it', `(${BIG}; $split($big, ${NEEDLE}))`],
    ['replaced', `(${BIG}; $replace($big, ${NEEDLE}, "x"))`],
    ['before it', `(${BIG}; $substringBefore($big, ${NEEDLE}))`],
    ['after it', `(${BIG}; $substringAfter($big, ${NEEDLE}))`],
    ['a long list without doubles', `$distinct([1..9999].([[[1..30]]]))`],
    ['a long list in order', `(${BIG}; $sort($split($big, "")))`],
  ])('%s', async (_name, formula) => {
    await expect(give(formula)).rejects.toMatchObject({ code: 'FORMULA_TOO_LARGE' });
  });

  it('and many such calls end when the time of a formula is over', async () => {
    const formula = `(${BIG}; $count($map([1..10000], $contains(?, $big))) + $count($map([1..10000].($big), $length)))`;
    await expect(give(formula)).rejects.toBeDefined();
    const many = '$map([1..10000], $lookup(?, $pad("", 100000)))';
    await expect(give(`(${BIG}; $each({"a": 1}, function($v) { ${many} }))`)).rejects.toBeDefined();
  });
});

describe('what is as large as it may be comes out as it is', () => {
  const max = TEXT_LENGTH_MAX;
  it.each([
    ['$pad', `$length($pad("a", ${max}))`, `$length($pad("a", ${max + 1}))`],
    ['&', `$length($pad("a", ${max - 1}) & "b")`, `$length($pad("a", ${max}) & "b")`],
    [
      '$join',
      `$length($join([$pad("a", ${max - 2}), "b"], "-"))`,
      `$length($join([$pad("a", ${max - 1}), "b"], "-"))`,
    ],
    [
      '$replace',
      `$length($replace($pad("", ${max / 2}, "a"), "a", "bb"))`,
      `$length($replace($pad("", ${max / 2 + 1}, "a"), "a", "bb"))`,
    ],
    [
      '$string',
      `$length($string([$pad("", ${max - 4}, "a")]))`,
      `$length($string([$pad("", ${max - 3}, "a")]))`,
    ],
  ])('%s', async (_name, fits, isTooLong) => {
    expect(await give(fits)).toBe(max);
    await expect(give(isTooLong)).rejects.toMatchObject({ code: 'FORMULA_TOO_LARGE' });
  });

  it.each([
    ['a text of the event, as large as a webhook may be', 'data.text', 'x'.repeat(MILLION)],
    ['its items', '$count(data.items)', 300_000],
  ])('%s', async (_name, formula, expected) => {
    const items = Array.from({ length: 300_000 }, () => 1);
    expect(await give(formula, { text: 'x'.repeat(MILLION), items })).toBe(expected);
  });

  it.each([
    ['$replace("a-b-c", "-", "")', 'abc'],
    ['$replace("a-b-c", /-(.)/, "+$1")', 'a+b+c'],
    ['$replace("265USD", /([0-9]+)USD/, function($m) { "EUR" & $m.groups[0] })', 'EUR265'],
    ['$join($map(["a", "b"], $uppercase), ",")', 'A,B'],
    ['$map(["a", "b"], $pad(?, 3, "-"))', ['a--', 'b--']],
    ['["ab", "cd"] ~> $map($substring(?, 1))', ['b', 'd']],
    ['("ab").$uppercase()', 'AB'],
    ['"ab" ~> $uppercase() ~> $length()', 2],
    ['$sort([3, 1, 2])', [1, 2, 3]],
    ['$sort(["b", "a"], function($l, $r) { $l > $r })', ['a', 'b']],
    ['$reduce([1, 2, 3], function($a, $b) { $a + $b })', 6],
    ['$split("a b", " ")', ['a', 'b']],
    ['$string({"a": [1, "x"]})', '{"a":[1,"x"]}'],
    ['$formatNumber(12.5, "#0.00")', '12.50'],
    ['$distinct([1, 1, 2])', [1, 2]],
    ['$filter([1, 2, 3], function($v, $i) { $i > 0 })', [2, 3]],
    ['$each({"a": 1}, function($v, $k) { $k & $v })', 'a1'],
  ])('%s is what it always was', async (formula, expected) => {
    expect(await give(formula)).toEqual(expected);
  });
});

describe('in a running rule', () => {
  const rule = (reason: string, letBlock = '') =>
    stripeRules(`  - id: a\n    on: sale\n${letBlock}    ignore: ${reason}\n`);

  it('only its event fails, and the message names the place in the formula', async () => {
    const rules = rule(`=$first(data.why, $base64encode($pad("a", 300000000)))`);
    const [failed] = linesOf(await match(rules, eventOf({ id: '1' }))).slice(1);
    expect(failed).toMatch(/^FORMULA_TOO_LARGE a: \$pad would need 300000000 characters/);
    const plain = rule('=$first(data.why, "Why.")');
    expect(linesOf(await match(plain, eventOf({ why: 'So.' })))).toEqual(['ignored a: So.']);
  });

  it('maps that are put together by names are counted as well', async () => {
    const names = Array.from(
      { length: 40 },
      (_, index) => `      m${index + 1}: { a: =$m${index}, b: =$m${index} }\n`,
    ).join('');
    const rules = rule('=$string($m40)', `    let:\n      m0: { a: =data.id }\n${names}`);
    const [failed] = linesOf(await match(rules, eventOf({ id: '1' }))).slice(1);
    expect(failed).toMatch(/^FORMULA_TOO_LARGE/);
  });
});
