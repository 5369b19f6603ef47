// What YAML would read as something else than a person wrote is found; and whatever is found inside a
// formula is pointed at, however the formula is written down.

import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../../src/actions/definitions.ts';
import { loadRuleFile } from '../../../src/engine/load/load.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';
import { findingsOf } from '../support/rules.ts';

const HEAD = 'provider: stripe\nsubject: =data.object.id\n';
const RULES = 'rules:\n  - id: a\n    on: sale\n    ignore: Why.\n';

/** A rule file whose `let` has this text under `x`. */
const letOf = (written: string) => `${HEAD}let:\n  x: ${written}\n${RULES}`;

/** The place of `$oops` in a text, as `LINE:COL`; columns count characters of the line. */
function placeOf(text: string, what = '$oops'): string {
  const before = text.slice(0, text.indexOf(what)).split('\n');
  return `${before.length}:${(before.at(-1) ?? '').length + 1}`;
}

const POSITIONS: readonly (readonly [name: string, written: string])[] = [
  ['plain', '=data.id & $oops'],
  ['plain, with blanks around', '=   data.id  &   $oops   # a comment'],
  ['plain, over lines', '=$first(\n      data.id,\n      $oops)'],
  ['plain, over lines with an empty one', '=data.id &\n\n      $oops'],
  ['single quotes', "'=data.id & $oops'"],
  ['single quotes with a doubled one', "'=data.id & \"it''s\" & $oops'"],
  ['single quotes over lines', "'=data.id &\n      $oops'"],
  ['double quotes', '"=data.id & $oops"'],
  ['double quotes with escapes', '"=\\"a\\" & \\"\\\\n\\" & $oops"'],
  ['double quotes with \\t', '"=data.id\\t&\\t$oops"'],
  ['double quotes with \\u', '"=\'\\u00e9\\u0020\\x41\' & $oops"'],
  ['double quotes with \\U', '"=\'\\U0001F600\' & $oops"'],
  ['double quotes with a folded line', '"=data.id & \\\n      $oops"'],
  ['an emoji before it', '="\u{1f600}" & $oops'],
  ['folded', '>-\n    =data.id &\n    $oops'],
  ['folded, with an indentation', '>2-\n    =data.id\n      & $oops'],
  ['literal', '|\n    =data.id &\n      $oops'],
  ['literal, with a comment at its head', '|- # why\n    =data.id & $oops'],
  ['a tab inside', '=data.id\t& $oops'],
  ['folded, with an anchor', '&shared >-\n    =data.id &\n    $oops'],
  ['literal, with an indentation, kept', '|2+\n    =data.id\n      & $oops\n'],
  ['double quotes, wide characters before', '"=\'日本 é\' & $oops"'],
  ['a list in brackets', '[=data.id, =$oops]'],
  ['a map in braces', '{ a: =data.id, b: =$oops }'],
];

describe('a finding inside a formula', () => {
  it.each(POSITIONS)('is pointed at: %s', (_name, written) => {
    const text = letOf(written);
    expect(findingsOf(text)).toEqual([`${placeOf(text)} FORMULA_UNKNOWN_VARIABLE`]);
  });

  it.each(POSITIONS)('is pointed at in a file with CRLF: %s', (_name, written) => {
    const text = letOf(written);
    const place = placeOf(text);
    expect(findingsOf(text.replaceAll('\n', '\r\n'))).toEqual([
      `${place} FORMULA_UNKNOWN_VARIABLE`,
    ]);
  });

  it('is pointed at in a file with a byte order mark', () => {
    const text = letOf('=data.id & $oops');
    expect(findingsOf(`\ufeff${text}`)).toEqual([`${placeOf(text)} FORMULA_UNKNOWN_VARIABLE`]);
  });

  it('is pointed at where an alias uses it', () => {
    const text = `${HEAD}let:\n  x: &shared =$oops\n  y: *shared\n${RULES}`;
    expect(findingsOf(text)).toEqual([`${placeOf(text)} FORMULA_UNKNOWN_VARIABLE`]);
  });
});

const TRAPS: readonly (readonly [name: string, text: string, findings: readonly string[]])[] = [
  ['a ternary in a line', letOf('=data.a ? data.b : data.c'), ['4:6 YAML_SYNTAX']],
  [
    'a ternary in a list',
    `${HEAD}let:\n  x:\n    - =data.a ? data.b : data.c\n${RULES}`,
    ['5:7 YAML_FORMULA_AS_KEY'],
  ],
  [
    'an elvis in a list',
    `${HEAD}let:\n  x:\n    - =data.a ?: data.b\n${RULES}`,
    ['5:7 YAML_FORMULA_AS_KEY'],
  ],
  [
    'a ternary over lines',
    letOf('=data.a\n    ? data.b\n    : data.c'),
    ['6:5 YAML_FORMULA_AS_KEY'],
  ],
  ['a call in a map', letOf('{ m: =$first(data.a, data.b) }'), ['4:27 YAML_FORMULA_AS_KEY']],
  ['an index in a map', letOf('{ m: =data.items[0].id }'), ['4:22 YAML_SYNTAX']],
  ['a cut at " #"', letOf('=data.a & " #1"'), ['4:16 FORMULA_SYNTAX']],
  [
    'a comment inside a folded text',
    letOf('>-\n    =data.a # why\n    & data.b'),
    ['5:13 FORMULA_SYNTAX'],
  ],
  ['a back-slash in double quotes', letOf('"=$match(data.a, /\\d/)"'), ['4:24 YAML_SYNTAX']],
  [
    '!= as a tag',
    `${HEAD}rules:\n  - id: a\n    on: sale\n    when: { data.status: != paid }\n    ignore: Why.\n`,
    ['6:26 YAML_TAG'],
  ],
  [
    'a tag for a file',
    `${HEAD}catalog: !file a.yaml\n${RULES}`,
    ['3:10 YAML_TAG', '3:16 RULE_WRONG_TYPE'],
  ],
  ['a merge', `${HEAD}let:\n  a: &a { b: c }\n  d: { <<: *a }\n${RULES}`, ['5:8 YAML_MERGE']],
  ['a number as a key', letOf('{ 1e3: a }'), ['4:8 YAML_KEY_NOT_TEXT']],
  ['null as a key', letOf('{ ~: a }'), ['4:8 YAML_KEY_NOT_TEXT']],
  ['a map as a key', letOf('{ { a: b }: c }'), ['4:8 YAML_KEY_NOT_TEXT']],
  ['an empty formula', letOf('='), ['4:6 FORMULA_SYNTAX']],
  ['UTF-16 read as UTF-8', letOf('a').split('').join('\0'), ['1:1 YAML_SYNTAX']],
  ['a file of another encoding', letOf('caf\ufffd'), ['1:1 YAML_SYNTAX']],
  ['infinity', letOf('.inf'), ['4:6 RULE_WRONG_TYPE']],
  [
    'a word of YAML 1.1',
    `${HEAD}rules:\n  - id: a\n    on: sale\n    continue: yes\n    ignore: Why.\n`,
    ['6:15 RULE_WRONG_TYPE'],
  ],
];

describe('what YAML reads as something else', () => {
  it.each(TRAPS)('%s', (_name, text, findings) => {
    expect(findingsOf(text)).toEqual(findings);
  });

  const FINE = [
    '=data.items[id = "a"].id',
    '=data.a & " " & data.b',
    '=data.a ?? data.b',
    '=data.items[0] # a comment',
    '=$match(data.a, /^\\d+$/).match',
    '=data.`my-key`',
    '="=literal"',
    'a plain text',
    '{ a: one, b: [two] }',
    '{ "size (cm)": =data.a, "[1]": two }',
  ];
  it.each(FINE)('but needs no quotes: %s', (written) => {
    expect(findingsOf(letOf(written))).toEqual([]);
  });
});

describe('a file that would hang or crash a parser', () => {
  it.each([
    [
      'aliases of aliases',
      `${HEAD}let:\n  a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n${'bcdefghij'.replaceAll(
        /./g,
        (name) => {
          const before = String.fromCharCode(name.charCodeAt(0) - 1);
          return `  ${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(', ')}]\n`;
        },
      )}${RULES}`,
    ],
    ['ten thousand brackets', letOf('['.repeat(10_000))],
    ['an alias of itself', `${HEAD}let:\n  a: &a [*a]\n${RULES}`],
    ['no text at all', ''],
    ['only a null', '~'],
    ['binary', '\u0000\u0001\u0002'],
    ['a text', 'hello'],
  ])('is a finding: %s', async (_name, text) => {
    const input = { file: 'stripe.yaml', text, readBeside: () => undefined };
    const cpuMs = await cpuMsOf(() => {
      const { ruleSet, diagnostics } = loadRuleFile(input, ACTIONS);
      expect(ruleSet).toBeUndefined();
      expect(diagnostics.length).toBeGreaterThan(0);
      for (const { location } of diagnostics) expect(location.line).toBeGreaterThan(0);
    });
    expect(cpuMs).toBeLessThan(5_000);
  });
});
