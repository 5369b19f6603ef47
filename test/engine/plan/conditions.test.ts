// What `when:` asks, and what it never guesses: types that do not agree are an error, not "false".

import { describe, expect, it } from 'vitest';
import type { ConditionTrace } from '../../../src/core/model.ts';
import { eventOf, match, stripeRules } from '../support/rules.ts';

const DATA = {
  status: 'paid',
  total: 5,
  done: true,
  not_done: false,
  blank: '',
  nothing: null,
  list: ['a'],
  none: [],
  map: { inner: { deep: 'x' } },
  empty: {},
  items: [{ id: 'a' }],
  'with-dash': 'd',
  date: '2026-01-31T00:00:00Z',
};

async function ask(when: string, data: object = DATA, more = '') {
  const rules = stripeRules(
    `  - id: a\n    on: sale\n${more}    when: ${when}\n    ignore: It fits.\n  - id: z\n    on: sale\n    ignore: It does not.\n`,
  );
  const result = await match(rules, eventOf(JSON.parse(JSON.stringify(data))));
  if (result.kind === 'failed') return result.problems.map(({ code }) => code).join();
  if (result.kind !== 'ignored') throw new Error(result.kind);
  return result.rule?.id === 'a';
}

const CASES: readonly (readonly [when: string, fits: boolean])[] = [
  ['{ data.status: paid }', true],
  ['{ data.status: open }', false],
  ['{ data.status: [open, paid] }', true],
  ['{ data.status: [open, void] }', false],
  ['{ data.total: 5 }', true],
  ['{ data.total: [4, five, 5] }', true],
  ['{ data.done: true }', true],
  ['{ data.not_done: false }', true],
  ['{ data.map.inner.deep: x }', true],
  ['{ data.with-dash: d }', true],
  // Blank: missing, null, "", [] and {}.
  ['{ data.gone: null }', true],
  ['{ data.nothing: null }', true],
  ['{ data.blank: null }', true],
  ['{ data.none: null }', true],
  ['{ data.empty: null }', true],
  ['{ data.not_done: null }', false],
  ['{ data.total: null }', false],
  ['{ data.gone: { exists: true } }', false],
  ['{ data.blank: { exists: false } }', true],
  ['{ data.list: { exists: true } }', true],
  ['{ data.status: { not: null } }', true],
  ['{ data.blank: { not: null } }', false],
  ['{ data.gone.further: null }', true],
  ['{ data.status.further: null }', true],
  ['{ data.toString: null }', true],
  // What is missing equals nothing.
  ['{ data.gone: paid }', false],
  ['{ data.gone: { not: paid } }', true],
  ['{ data.nothing: { not: [a, b] } }', true],
  ['{ data.status: { not: paid } }', false],
  ['{ data.status: { not: [open, void] } }', true],
  ['{ data.status: { in: [paid] } }', true],
  // And is neither smaller nor larger.
  ['{ data.gone: { lt: 5 } }', false],
  ['{ data.gone: { gte: 5 } }', false],
  ['{ data.gone: { matches: "x" } }', false],
  ['{ data.total: { gt: 4 } }', true],
  ['{ data.total: { gt: 5 } }', false],
  ['{ data.total: { gte: 5 } }', true],
  ['{ data.total: { lt: 5 } }', false],
  ['{ data.total: { lte: 5 } }', true],
  ['{ data.total: { gt: 4, lt: 6 } }', true],
  ['{ data.total: { gt: 4, lt: 5 } }', false],
  ['{ data.date: { gte: "2026-01-31" } }', true],
  ['{ data.status: { matches: "^pa" } }', true],
  ['{ data.status: { matches: "^p$" } }', false],
  // All, any, not.
  ['{ data.status: paid, data.total: 5 }', true],
  ['{ data.status: paid, data.total: 6 }', false],
  ['{ any: [{ data.status: open }, { data.total: 5 }] }', true],
  ['{ any: [{ data.status: open }, { data.total: 6 }] }', false],
  ['{ any: [{ data.status: paid, data.total: 6 }] }', false],
  ['{ any: { data.status: open, data.total: 5 } }', true],
  ['{ all: [{ data.status: paid }, { data.total: 5 }] }', true],
  ['{ all: { data.status: paid, data.total: 6 } }', false],
  ['{ not: { data.status: paid } }', false],
  ['{ not: { data.status: open } }', true],
  ['{ not: { data.status: paid, data.total: 6 } }', true],
  ['{ any: [{ not: { data.done: true } }, { all: [{ data.total: 5 }] }] }', true],
  ['{ any: ["=data.total > 9", { data.done: true }] }', true],
  // One formula.
  ['=data.total > 4', true],
  ['=data.total > 5', false],
  ['=data.items[id = "a"].id = "a"', true],
  ['=$exists(data.nothing)', false],
  // The event's own marks.
  ['{ $event.type: sale }', true],
  ['{ $event.live: false }', true],
];

const FAILS: readonly (readonly [when: string, code: string])[] = [
  ['{ data.total: "5" }', 'CONDITION_TYPE'],
  ['{ data.total: paid }', 'CONDITION_TYPE'],
  ['{ data.done: "true" }', 'CONDITION_TYPE'],
  ['{ data.status: true }', 'CONDITION_TYPE'],
  ['{ data.status: { not: 5 } }', 'CONDITION_TYPE'],
  ['{ data.status: { gt: 5 } }', 'CONDITION_TYPE'],
  ['{ data.total: { gt: "4" } }', 'CONDITION_TYPE'],
  ['{ data.total: { matches: "5" } }', 'CONDITION_TYPE'],
  ['{ data.list: a }', 'CONDITION_TYPE'],
  ['{ data.map: a }', 'CONDITION_TYPE'],
  ['{ data.items.id: a }', 'CONDITION_TYPE'],
  ['{ data.items.id: null }', 'CONDITION_TYPE'],
  ['=data.status', 'CONDITION_NOT_BOOLEAN'],
  ['=data.gone', 'CONDITION_NOT_BOOLEAN'],
  ['=data.gone > 3', 'CONDITION_NOT_BOOLEAN'],
  ['=data.items', 'CONDITION_NOT_BOOLEAN'],
  ['=1 / 0', 'FORMULA_FAILED'],
  ['=data.status > 3', 'FORMULA_FAILED'],
];

describe('a condition', () => {
  it.each(CASES)('%s is %s', async (when, fits) => {
    expect(await ask(when)).toBe(fits);
  });

  it.each(FAILS)('%s is an error: %s', async (when, code) => {
    expect(await ask(when)).toBe(code);
  });

  it('on a name of `let` fails cleanly where that is no value', async () => {
    const more = '    let: { ratio: =1 / 0, call: "=function($x) { $x }" }\n';
    expect(await ask('{ $ratio: 1, $call: 1 }', DATA, more)).toBe('FORMULA_FAILED');
    expect(await ask('{ $call: { exists: true }, $ratio: 1 }', DATA, more)).toBe('FORMULA_FAILED');
  });

  it('behind one that does not hold cannot fail the event', async () => {
    expect(await ask('{ data.status: open, data.total: "5" }')).toBe(false);
    expect(await ask('{ data.status: open, any: ["=data.gone > 3"] }')).toBe(false);
    expect(await ask('{ data.total: "5", data.status: open }')).toBe('CONDITION_TYPE');
  });
});

async function traceOf(when: string): Promise<readonly ConditionTrace[]> {
  const rules = stripeRules(`  - id: a\n    on: sale\n    when: ${when}\n    ignore: Why.\n`);
  const { trace } = await match(rules, eventOf(DATA));
  return trace[0]?.conditions ?? [];
}

describe('the trace of a condition', () => {
  it('says what was expected and what was seen', async () => {
    expect(await traceOf('{ data.status: open, data.total: { gt: 1 } }')).toEqual([
      { path: 'data.status', expected: 'open', actual: 'paid', ok: false },
      { path: 'data.total', expected: { gt: 1 }, actual: 5, ok: true },
    ]);
  });

  it('says null for what is absent', async () => {
    const absent = { path: 'data.gone', expected: 'open', actual: null, ok: false };
    expect(await traceOf('{ data.gone: open }')).toEqual([absent]);
  });

  it('turns a leaf around under `not`', async () => {
    const expected = { not: 'paid' };
    const leaf = { path: 'data.status', expected, actual: 'paid', ok: false };
    expect(await traceOf('{ not: { data.status: paid } }')).toEqual([leaf]);
  });

  it('shows a formula as it is written', async () => {
    const leaf = { path: '=data.total > 9', expected: true, actual: false, ok: false };
    expect(await traceOf('=data.total > 9')).toEqual([leaf]);
  });
});
