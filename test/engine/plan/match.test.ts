// Which rule an event meets, in which order, and that every rule of its type gives a reason.

import { describe, expect, it } from 'vitest';
import { subjectsOf } from '../../../src/engine/plan/match.ts';
import {
  eventOf,
  linesOf,
  match,
  rulesOf,
  sampleEvent,
  shippedRules,
  stripeRules,
} from '../support/rules.ts';

const rule = (id: string, rest: string, on = 'sale') => `  - id: ${id}\n    on: ${on}\n${rest}`;
const ignore = (id: string, more = '', on = 'sale') =>
  rule(id, `${more}    ignore: By ${id}.\n`, on);
const suspend = (id: string, more = '') =>
  rule(
    id,
    `${more}    do:\n      - license.suspend:\n          find: { metadata: { by: ${id}, order: =data.id } }\n`,
  );
const WHEN_A = '    when: { data.kind: a }\n';
const WHEN_B = '    when: { data.kind: b }\n';
const CONTINUE = '    continue: true\n';

const outcome = async (rules: string, data: object, head = '') =>
  linesOf(await match(stripeRules(rules, head), eventOf({ id: 'o1', ...data })));

describe('an event', () => {
  it('is taken by the first rule that fits', async () => {
    const rules = ignore('one', WHEN_A) + ignore('two', WHEN_B) + ignore('three');
    expect(await outcome(rules, { kind: 'a' })).toEqual(['ignored one: By one.']);
    expect(await outcome(rules, { kind: 'b' })).toEqual(['ignored two: By two.']);
    expect(await outcome(rules, {})).toEqual(['ignored three: By three.']);
  });

  it('goes on behind a rule that says so', async () => {
    const rules = suspend('one', CONTINUE) + suspend('two', WHEN_B) + suspend('three');
    expect(await outcome(rules, { kind: 'a' })).toEqual([
      'matched one, three',
      'license.suspend: find.metadata.by=one find.metadata.order=o1',
      'license.suspend: find.metadata.by=three find.metadata.order=o1',
    ]);
  });

  it('that is ignored by one rule and planned by another is planned', async () => {
    const rules = ignore('one', CONTINUE) + suspend('two');
    expect((await outcome(rules, {}))[0]).toBe('matched one, two');
  });

  it('that one of its rules rejects is planned by none', async () => {
    const rules =
      suspend('one', CONTINUE) + rule('two', '    reject: =data.kind & " is not sold."\n');
    expect(await outcome(rules, { kind: 'a' })).toEqual([
      'failed two',
      'RULE_REJECTED two: a is not sold.',
    ]);
  });

  it('of a type that a rule names but whose conditions no rule fits is ignored, with a reason', async () => {
    expect(await outcome(ignore('one', WHEN_A), { kind: 'b' })).toEqual([
      'ignored -: the event is of a type that rules name, but fits none of them',
    ]);
  });

  it('of another type is unmatched, and the file says what that means', async () => {
    const rules = ignore('one', '', '[refund, return]');
    expect(await outcome(rules, {})).toEqual(['unmatched, reject']);
    expect(await outcome(rules, {}, 'unmatched: ignore\n')).toEqual(['unmatched, ignore']);
  });

  it('may be named by a rule of several types', async () => {
    expect(await outcome(ignore('one', '', '[refund, sale, sale]'), {})).toEqual([
      'ignored one: By one.',
    ]);
  });

  it('with nothing to do is ignored', async () => {
    const rules = rule(
      'one',
      '    do:\n      - license.suspend:\n          find: { key: k }\n        when: { data.kind: a }\n',
    );
    expect(await outcome(rules, { kind: 'b' })).toEqual(['ignored one: there is nothing to do']);
  });

  it.each([
    ['any', null, true],
    ['any', true, true],
    ['live', true, true],
    ['live', false, false],
    ['test', false, true],
    ['test', true, false],
    ['live', null, true],
    ['test', null, true],
  ] as const)('in mode %s, live %s, is let in: %s', async (mode, live, letIn) => {
    const rules = stripeRules(ignore('one'), `mode: ${mode}\n`);
    const result = await match(rules, eventOf({}, { live }));
    expect(result.kind === 'ignored' && result.rule !== undefined).toBe(letIn);
    if (!letIn) expect(result).toMatchObject({ trace: [], reason: expect.stringContaining(mode) });
  });
});

describe('the trace', () => {
  it('has a verdict for every rule of the type, and none of another type', async () => {
    const rules =
      ignore('other', '', 'refund') +
      ignore('one', WHEN_A) +
      ignore('two') +
      ignore('three', WHEN_A);
    const { trace } = await match(stripeRules(rules), eventOf({ kind: 'b' }));
    expect(trace).toEqual([
      {
        rule: 'one',
        matched: false,
        conditions: [{ path: 'data.kind', expected: 'a', actual: 'b', ok: false }],
      },
      { rule: 'two', matched: true, conditions: [] },
      { rule: 'three', matched: false, conditions: [], skipped: 'the rule two came first' },
    ]);
  });

  it('goes on to the end when the conditions of a rule cannot be asked', async () => {
    const rules = ignore('one', '    when: { data.kind: 5 }\n') + ignore('two');
    const result = await match(stripeRules(rules), eventOf({ kind: 'b' }));
    expect(result).toMatchObject({
      kind: 'failed',
      rule: { id: 'one', line: 4 },
      problems: [{ code: 'CONDITION_TYPE', location: 'stripe.yaml:6:13' }],
      trace: [
        { rule: 'one', matched: false },
        { rule: 'two', matched: false, skipped: 'the conditions of one could not be asked' },
      ],
    });
  });

  it('names the rules and the item inside a loop', async () => {
    const { trace } = await match(
      shippedRules('fastspring'),
      sampleEvent('fastspring/order.completed-bundle'),
    );
    const items = trace.filter(({ item, matched }) => item !== undefined && matched);
    expect(items.map(({ rule: id, item }) => `${item} ${id}`)).toEqual([
      'maker-bundle order-completed/bundle',
      'northlight-studio order-completed/part-of-a-bundle',
      'lens-pack order-completed/part-of-a-bundle',
    ]);
  });
});

describe('the rule that an event met', () => {
  it('is told with its file and line', async () => {
    const result = await match(stripeRules(ignore('one', WHEN_A) + ignore('two')), eventOf({}));
    expect(result).toMatchObject({ rule: { id: 'two', file: 'stripe.yaml', line: 8 } });
  });
});

describe('the subjects of an event', () => {
  const subjects = (written: string, data: object, more = '') =>
    subjectsOf(
      rulesOf(`provider: stripe\nsubject: ${written}\n${more}rules:\n${ignore('one')}`),
      eventOf(JSON.parse(JSON.stringify(data))),
      {},
    );

  it.each([
    ['=data.id', { id: 'a' }, ['a']],
    ['[=data.id, =data.other]', { id: 'a', other: 'b' }, ['a', 'b']],
    ['[=data.id, =data.other]', { id: 'a', other: 'a' }, ['a']],
    ['[=data.id, =data.other]', { id: 'a', other: null }, ['a']],
    ['=$id(data.items)', { items: [{ id: 'a' }, 'b', {}] }, ['a', 'b']],
    ['[=data.id & "x", =data.other]', { other: 'b' }, ['b']],
    ['=data.id', {}, ['evt_1']],
    ['=data.id', { id: '' }, ['evt_1']],
    ['=data.id', { id: { $ref: 'x' } }, ['evt_1']],
    ['=data', { id: 'a' }, ['evt_1']],
  ])('%s of %j are %j', async (written, data, wanted) => {
    expect(await subjects(written, data)).toEqual(wanted);
  });

  it('may be names of `let`', async () => {
    const more = 'let:\n  order: =$first(data.order.id, data.order)\n';
    expect(await subjects('=$order', { order: { id: 'o' } }, more)).toEqual(['o']);
    expect(await subjects('=$order', { order: 'o' }, more)).toEqual(['o']);
  });
});
