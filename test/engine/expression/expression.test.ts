// What a formula gives, and what is refused in one, at which character. Every trap of JSONata that
// docs/rules.md names has its line here: it either means what it says or does not load.

import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/core/model.ts';
import { compileExpression } from '../../../src/engine/expression/compile.ts';
import { toPlain } from '../../../src/engine/expression/values.ts';

const ROOTS = ['id', 'type', 'data'];
const CATALOG = new Map([['pro', { productId: 'p1' }]]);
const LOOKUP = { size: 1, get: (key: string) => CATALOG.get(key) };

/** What formulas see: an event without its nulls. */
const EVENT = {
  id: 'evt_1',
  type: 'sale',
  data: {
    number: 5,
    text: '5',
    yes: 'true',
    blank: '',
    none: {},
    nobody: [],
    'my-key': 'dash',
    total: 9,
    customer: { email: 'ann@example.org', name: 'Ann Lee van Dam' },
    items: [{ id: 'i1', flag: 'true' }, { id: 'i2', flag: 'false', sub: 's1' }, { id: 'i3' }],
    only: [{ id: 'o1' }],
    date: '2026-01-31T12:00:00Z',
    lists: [{ product: ['a', 'b'] }, { product: ['c'] }],
  },
};

function compile(text: string) {
  const result = compileExpression(text, ROOTS, LOOKUP);
  if (result.kind === 'compiled') return result.expression;
  throw new Error(`refused: ${result.problems.map(({ message }) => message).join('; ')}`);
}

async function give(text: string, bindings: Record<string, unknown> = {}) {
  return toPlain(await compile(text).evaluate(structuredClone(EVENT), bindings));
}

/** The first problem, as `CODE offset+length`. */
function refusal(text: string): string {
  const result = compileExpression(text, ROOTS, LOOKUP);
  if (result.kind === 'compiled') return 'compiled';
  return result.problems.map((p) => `${p.code} ${p.offset}+${p.length}`).join(', ');
}

const GIVES: readonly (readonly [formula: string, value: JsonValue | undefined])[] = [
  // Choosing: `??` and $first.
  ['data.gone ?? "d"', 'd'],
  ['data.text ?? "d"', '5'],
  ['data.none ?? "d"', {}],
  ['$first(data.gone, data.blank, data.none, data.nobody, 0, "d")', 0],
  ['$first(data.gone, false)', false],
  ['(data.gone ?? "b") = "b"', true],
  ['"x" & (data.gone ?? "d")', 'xd'],
  ['data.gone ?? data.lost ?? "z"', 'z'],
  ['data.gone ?? (data.number > 3 ? 1 : 2)', 1],
  ['[data.gone ?? 1, 2]', [1, 2]],
  ['data.items[(sub ?? "none") = "none"].id', ['i1', 'i3']],
  // Not equal, with a side that is missing.
  ['data.items[flag != "true"].id', ['i2', 'i3']],
  ['data.gone != "a"', true],
  ['data.gone != data.lost', true],
  ['data.gone = data.lost', false],
  ['data.text != "5"', false],
  // Not.
  ['data.items[$not(sub)].id', ['i1', 'i3']],
  ['$not(data.gone)', true],
  ['$not(data.number)', false],
  // Types never agree by accident.
  ['data.text = 5', false],
  ['data.yes = true', false],
  // Lists of one.
  ['data.items[id = "i1"].id', 'i1'],
  ['data.items[id = "none"].id', undefined],
  ['["only"] = "only"', false],
  ['data.lists.product[0]', ['a', 'c']],
  // Names and minus.
  ['data.`my-key`', 'dash'],
  ['data.total - data.number', 4],
  ['data.total - 1', 8],
  ['data.total-1', 8],
  ['data.custmer.email', undefined],
  ['"data".customer.email', 'ann@example.org'],
  ["'single quotes'", 'single quotes'],
  // Instants: no clock, no local time.
  ['$toMillis("2026-01-01")', Date.UTC(2026, 0, 1)],
  ['$toMillis("2026-01-01T01:00:00+01:00")', Date.UTC(2026, 0, 1)],
  ['$fromMillis(0)', '1970-01-01T00:00:00.000Z'],
  // Patterns.
  ['$replace("a-b-c", /-/, "")', 'abc'],
  ['$contains("Abc", /^a/i)', true],
  ['$split("a, b", /,\\s*/)', ['a', 'b']],
  ['$match("ab12", /[0-9]+/).match', '12'],
  // What JSONata can do besides.
  ['$map(data.items, function($i) { $i.id })', ['i1', 'i2', 'i3']],
  ['$map(data.items.id, $uppercase)', ['I1', 'I2', 'I3']],
  ['( $x := data.number; $x + 1 )', 6],
  ['data.items^(>id).id', ['i3', 'i2', 'i1']],
  ['data.items{id: flag}', { i1: 'true', i2: 'false' }],
  ['$sum([1, 2])', 3],
  ['$max(data.gone)', undefined],
  ['1e3', 1000],
  ['data.number ~> $string()', '5'],
];

const FAILS: readonly (readonly [formula: string, message: RegExp])[] = [
  ['"a" & data.gone', /joins two texts; one side is missing/],
  ['"a" & data.customer', /one side is a map/],
  ['"a" & data.items', /one side is a list/],
  ['"a" & true', /one side is true or false/],
  ['data.text < 3', /must be of the same data type/],
  ['1 / 0', /no number/],
  ['0 / 0', /no number/],
  ['[1, 1 / 0]', /no number/],
  ['function($x) { $x }', /is a function/],
  ['$toMillis("10:00", "[H01]:[m01]")', /needs one date in ISO 8601/],
  ['$toMillis("2026-01-01T00:00:00")', /with its offset/],
  ['{ "$ref": "user.id" }', /member called "\$ref"/],
  ['{ "$firstOf": [] }', /member called "\$firstOf"/],
  ['[1..20000]', /20000 items; at most 10000/],
  ['$error("stop")', /stop/],
];

const REFUSED: readonly (readonly [formula: string, problem: string])[] = [
  ['"b" = data.gone ?? "b"', 'FORMULA_AMBIGUOUS 16+2'],
  ['"x" & data.gone ?? "d"', 'FORMULA_AMBIGUOUS 16+2'],
  ['data.gone ?? "b" = "b"', 'FORMULA_AMBIGUOUS 10+2'],
  ['data.gone ?? "b" & "c"', 'FORMULA_AMBIGUOUS 10+2'],
  ['data.number ?? 9 > 3 ? 1 : 2', 'FORMULA_AMBIGUOUS 12+2'],
  ['data.gone ?? 1 + 2', 'FORMULA_AMBIGUOUS 10+2'],
  ['data.gone ?? true and false', 'FORMULA_AMBIGUOUS 10+2'],
  ['data.gone ?? "a" in ["a"]', 'FORMULA_AMBIGUOUS 10+2'],
  ['data["items"]', 'FORMULA_REFUSED 5+7'],
  ['data.customer["email"].x', 'FORMULA_REFUSED 14+7'],
  ['data.my-key', 'FORMULA_REFUSED 7+1'],
  ['data.my-key.x', 'FORMULA_REFUSED 7+1'],
  ['data.items[my-key = 1]', 'FORMULA_REFUSED 13+1'],
  ['item.x', 'FORMULA_UNKNOWN_NAME 0+4'],
  ['dta.x', 'FORMULA_UNKNOWN_NAME 0+3'],
  ['`my root`', 'FORMULA_UNKNOWN_NAME 0+9'],
  ['"abc".length', 'FORMULA_UNKNOWN_NAME 0+5'],
  ['data.x = None', 'FORMULA_UNKNOWN_NAME 9+4'],
  ['data.x = undefined', 'FORMULA_UNKNOWN_NAME 9+9'],
  ['data.x = TRUE', 'FORMULA_UNKNOWN_NAME 9+4'],
  ['constructor', 'FORMULA_UNKNOWN_NAME 0+11'],
  ["it's", 'FORMULA_UNKNOWN_NAME 0+4'],
  ['data.x & “y”', 'FORMULA_SYNTAX 9+3'],
  ['data.x\u00a0+ 1', 'FORMULA_SYNTAX 5+2'],
  ['data\u200b.x', 'FORMULA_SYNTAX 0+5'],
  ['\ufeffdata.x', 'FORMULA_SYNTAX 0+5'],
  ['$now', 'FORMULA_REFUSED 0+4'],
  ['$now()', 'FORMULA_REFUSED 0+4'],
  ['1 + $millis()', 'FORMULA_REFUSED 4+7'],
  ['$random()', 'FORMULA_REFUSED 0+7'],
  ['$shuffle(data.items)', 'FORMULA_REFUSED 0+8'],
  ['$eval("1")', 'FORMULA_REFUSED 0+5'],
  ['$clone(data)', 'FORMULA_REFUSED 0+6'],
  ['$uppercase', 'FORMULA_REFUSED 0+10'],
  ['data.x ~> $string', 'FORMULA_REFUSED 10+7'],
  ['$frist(data.x)', 'FORMULA_UNKNOWN_FUNCTION 0+6'],
  ['$constructor(data.x)', 'FORMULA_UNKNOWN_FUNCTION 0+12'],
  ['data ~> |customer| { "x": 1 } |', 'FORMULA_REFUSED 8+1'],
  ['$match(data.text, /^(a+)+$/)', 'FORMULA_REFUSED 18+9'],
  ['data.x == 1', 'FORMULA_SYNTAX 8+1'],
  ['data.x && 1', 'FORMULA_SYNTAX 8+1'],
  ['data.x || 1', 'FORMULA_SYNTAX 7+1'],
  ['!data.x', 'FORMULA_SYNTAX 0+1'],
  ['${data.x}', 'FORMULA_SYNTAX 8+1'],
  ['$first(data.x', 'FORMULA_SYNTAX 12+1'],
  ['data.x)', 'FORMULA_SYNTAX 6+1'],
  ['data.x & "', 'FORMULA_SYNTAX 9+1'],
  ['', 'FORMULA_SYNTAX 0+1'],
  [`"${'x'.repeat(4000)}"`, 'FORMULA_REFUSED 0+1'],
  [Array.from({ length: 10 }, () => 'data.x').join(' ?? '), 'FORMULA_REFUSED 7+2'],
  ['dta.x & $frist(1)', 'FORMULA_UNKNOWN_NAME 0+3, FORMULA_UNKNOWN_FUNCTION 8+6'],
];

const HINTS: readonly (readonly [formula: string, hint: RegExp])[] = [
  ['data.x == 1', /one "="/],
  ['data.x && 1', /Write "and"/],
  ['data.x || 1', /Write "or"/],
  ['!data.x', /\$not/],
  ['not data.x', /\$not/],
  ['${data.x}', /"&"/],
  ['data.x // why', /\/\*/],
  ['data.x & "', /quote is never closed/],
  ['$first(data.x', /bracket is never closed/],
  ['data.x = None', /Write null/],
  ['data.my-key', /back-ticks.*spaces/],
  ['dta.x', /An event has: id, type, data/],
  ['data["x"]', /\.x instead/],
  [Array.from({ length: 10 }, () => 'data.x').join(' ?? '), /\$first/],
];

describe('a formula', () => {
  it.each(GIVES)('%s', async (formula, value) => {
    expect(await give(formula)).toEqual(value);
  });

  it.each(FAILS)('%s fails and says why', async (formula, message) => {
    await expect(give(formula)).rejects.toThrow(message);
  });

  it.each(REFUSED)('%s is refused before any event comes', (formula, problem) => {
    expect(refusal(formula)).toBe(problem);
  });

  it.each(HINTS)('%s comes with the right hint', (formula, hint) => {
    const result = compileExpression(formula, ROOTS, LOOKUP);
    const hints = result.kind === 'refused' ? result.problems.map((problem) => problem.hint) : [];
    expect(hints[0]).toMatch(hint);
  });

  it('may have 4000 characters, and not one more', () => {
    expect(refusal(`"${'x'.repeat(3998)}"`)).toBe('compiled');
    expect(refusal(`"${'x'.repeat(3999)}"`)).toMatch('FORMULA_REFUSED');
  });

  it('may choose eight times with "??", and not once more', () => {
    const chain = (choices: number) =>
      Array.from({ length: choices + 1 }, () => 'data.x').join(' ?? ');
    expect(refusal(chain(8))).toBe('compiled');
    expect(refusal(chain(9))).toMatch('FORMULA_REFUSED');
  });
});

const DATE = '2026-01-31T12:00:00.000Z';
const LIBRARY: readonly (readonly [formula: string, value: JsonValue | undefined | RegExp])[] = [
  ['$first()', undefined],
  ['$if(true, 1, 2)', 1],
  ['$if(false, 1, 2)', 2],
  ['$if(false, 1)', undefined],
  ['$if(data.gone, 1, 2)', 2],
  ['$if(0, 1, 2)', 2],
  ['$if("", 1, 2)', 2],
  ['$if([], 1, 2)', 2],
  ['$if({}, 1, 2)', 2],
  ['$if("false", 1, 2)', 1],
  ['$if(true, $number("x"), 1)', /needs digits/],
  ['$if(true, 1, $number("x"))', /needs digits/],
  ['$id("a")', 'a'],
  ['$id({ "id": "a" })', 'a'],
  ['$id({ "id": { "id": "a" } })', 'a'],
  ['$id({ "x": 1 })', undefined],
  ['$id(data.items)', ['i1', 'i2', 'i3']],
  ['$id(["a", { "id": "b" }, {}])', ['a', 'b']],
  ['$id(data.gone)', undefined],
  ['$id(5)', /needs an object or a text, not 5/],
  ['$one(data.only).id', 'o1'],
  ['$one("a")', 'a'],
  ['$one(data.gone, "No item")', /^No item \(there is none\)$/],
  ['$one([])', /exactly one is needed \(there is none\)/],
  ['$one(data.items, "One item")', /^One item \(there are 3\)$/],
  ['$need(0)', 0],
  ['$need(false)', false],
  ['$need("")', /a needed value is missing/],
  ['$need(data.gone, "No such thing")', /^No such thing$/],
  ['$catalog()', 1],
  ['$catalog("pro").productId', 'p1'],
  ['$catalog("none", "pro").productId', 'p1'],
  ['$catalog(data.gone, "pro").productId', 'p1'],
  ['$catalog(["none", "pro"]).productId', 'p1'],
  ['$catalog("none")', undefined],
  ['$catalog("constructor")', undefined],
  ['$catalog("")', undefined],
  ['$catalog(data.gone)', undefined],
  ['$catalog(5)', /needs a text, not 5/],
  ['$interval(1, "month")', 'P1M'],
  ['$interval("3", "year")', 'P3Y'],
  ['$interval(2, "week")', 'P2W'],
  ['$interval(10, "day")', 'P10D'],
  ['$interval(0, "day")', /needs a whole number/],
  ['$interval(-1, "day")', /needs a whole number/],
  ['$interval(1.5, "day")', /needs a whole number/],
  ['$interval(1, "months")', /not 1 and "months"/],
  ['$interval(1, "constructor")', /not 1 and "constructor"/],
  ['$interval(data.gone, "day")', /not nothing and "day"/],
  ['$interval(1, data.gone)', /not 1 and nothing/],
  ['$words("Ann")', { first: 'Ann' }],
  ['$words("  Ann  Lee van Dam ")', { first: 'Ann', rest: 'Lee van Dam' }],
  ['$words("   ")', undefined],
  ['$words("")', undefined],
  ['$words(data.gone)', undefined],
  ['$words(5)', /needs a text, not 5/],
  ['$unix(0)', '1970-01-01T00:00:00.000Z'],
  ['$unix("1769860800")', DATE],
  ['$unix(-1)', '1969-12-31T23:59:59.000Z'],
  ['$unix(253402300799)', '9999-12-31T23:59:59.000Z'],
  ['$unix(253402300800)', /milliseconds\?/],
  ['$unix(1769860800000)', /milliseconds\?/],
  ['$unix(data.gone)', undefined],
  ['$unix("soon")', /needs seconds/],
  ['$unix(true)', /needs seconds/],
  ['$plus(data.date, "P1M")', '2026-02-28T12:00:00.000Z'],
  ['$plus(data.date, "PT12H")', '2026-02-01T00:00:00.000Z'],
  ['$plus("2026-01-31", "P3D")', '2026-02-03T00:00:00.000Z'],
  ['$plus(data.gone, "P1M")', undefined],
  ['$plus(data.date, "")', /needs a date and an interval/],
  ['$plus(data.date, "1 month")', /needs a date and an interval/],
  ['$plus("soon", "P1M")', /needs a date and an interval/],
  ['$plus("9999-12-31", "P1D")', /needs a date and an interval/],
  ['$number("5")', 5],
  ['$number("-5.5")', -5.5],
  ['$number(5)', 5],
  ['$number("")', undefined],
  ['$number(data.gone)', undefined],
  ['$number(true)', /needs digits, not true/],
  ['$number("0x10")', /needs digits/],
  ['$number(" 5 ")', /needs digits/],
  ['$number("1e3")', /needs digits/],
];

describe('the function library', () => {
  it.each(LIBRARY)('%s', async (formula, wanted) => {
    if (wanted instanceof RegExp) await expect(give(formula)).rejects.toThrow(wanted);
    else expect(await give(formula)).toEqual(wanted);
  });
});
