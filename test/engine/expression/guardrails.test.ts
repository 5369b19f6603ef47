// A formula cannot stall the server, change the event, reach what it was not given, or give another
// value at the next replay.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/model.ts';
import { compileExpression } from '../../../src/engine/expression/compile.ts';
import { judgePattern } from '../../../src/engine/expression/patterns.ts';
import { toPlain, withoutNulls } from '../../../src/engine/expression/values.ts';
import { matchEvent } from '../../../src/engine/plan/match.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';
import {
  eventOf,
  linesOf,
  match,
  sampleEvent,
  shippedRules,
  stripeRules,
} from '../support/rules.ts';

const NO_CATALOG = { size: 0, get: () => undefined };

function compile(text: string) {
  const result = compileExpression(text, ['data'], NO_CATALOG);
  if (result.kind === 'compiled') return result.expression;
  throw new Error(result.problems.map(({ message }) => message).join('; '));
}

const give = async (text: string, data: JsonValue = {}) =>
  toPlain(await compile(text).evaluate({ data }, {}));

describe('what would never end', () => {
  // At once, since each of them takes as long as a formula may.
  it.concurrent.each([
    ['a function that calls itself for ever', '(function($f) { $f($f) })(function($f) { $f($f) })'],
    ['one that also grows', '(function($f) { 1 + $f($f) })(function($f) { 1 + $f($f) })'],
    [
      'a list of lists',
      '$map([1..9999], function($i) { $map([1..9999], function($j) { $i * $j }) })',
    ],
    ['a list that is too long', '[1..10001]'],
  ])('%s ends with an error', async (_name, formula) => {
    await expect(give(formula)).rejects.toBeDefined();
  });

  it('a list of ten thousand is still fine', async () => {
    expect(await give('$count([1..10000])')).toBe(10_000);
  });

  it('brackets nested as deep as a formula is long are refused', () => {
    const text = `${'('.repeat(1900)}1${')'.repeat(1900)}`;
    const result = compileExpression(text, ['data'], NO_CATALOG);
    expect(result).toMatchObject({ problems: [{ code: 'FORMULA_REFUSED' }] });
  });
});

describe('a pattern', () => {
  it('that is taken ends on the longest text it may see', async () => {
    for (const source of [
      '.*x',
      '.*.*x',
      '.*.*.*x',
      '^.*.*.*x',
      'a?'.repeat(10),
      '(a|b)*c',
      'a{0,20}a{0,20}b',
    ]) {
      const verdict = judgePattern(source, 'u');
      if (verdict.kind !== 'bounded') throw new Error(`${source} is refused`);
      const text = 'a'.repeat(verdict.textLengthMax);
      expect(await cpuMsOf(() => new RegExp(source, 'u').test(text)), source).toBeLessThan(2_500);
    }
  });

  it('refuses a longer text instead of cutting it', async () => {
    const verdict = judgePattern('.*.*x', '');
    const max = verdict.kind === 'bounded' ? verdict.textLengthMax : 0;
    expect(max).toBeGreaterThan(100);
    expect(await give('$contains(data, /.*.*x/)', 'a'.repeat(max))).toBe(false);
    const tooLong = give('$contains(data, /.*.*x/)', 'a'.repeat(max + 1));
    await expect(tooLong).rejects.toMatchObject({ code: 'FORMULA_FAILED' });
  });

  it('in a condition refuses it likewise, with its place', async () => {
    const rules = stripeRules(
      '  - id: a\n    on: sale\n    when: { data.text: { matches: ".*.*x" } }\n    ignore: Why.\n',
    );
    expect(linesOf(await match(rules, eventOf({ text: 'x' })))).toEqual(['ignored a: Why.']);
    const failed = await match(rules, eventOf({ text: 'a'.repeat(5000) }));
    expect(linesOf(failed)[1]).toMatch(/^FORMULA_FAILED a: data\.text holds 5000 characters/);
  });
});

describe('an event', () => {
  const NASTY = JSON.parse(
    '{"__proto__":{"admin":true},"constructor":{"name":"x"},"toString":"y","list":[[1],null,{}]}',
  ) as JsonObject;

  it('with members called like parts of JavaScript is harmless', async () => {
    expect(await give('data.constructor.name', NASTY)).toBe('x');
    expect(await give('data.toString', NASTY)).toBe('y');
    expect(await give('data.hasOwnProperty', NASTY)).toBeUndefined();
    expect(await give('$lookup(data, "valueOf")', NASTY)).toBeUndefined();
    expect(await give('data.constructor', {})).toBeUndefined();
    const kept = withoutNulls(NASTY) as JsonObject;
    expect(Object.getPrototypeOf(kept)).toBe(Object.prototype);
    expect(Object.hasOwn(kept, '__proto__')).toBe(true);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('cannot smuggle fields or references into an action', async () => {
    const rules = stripeRules(
      '  - id: a\n    on: sale\n    once: =data.id\n    do:\n      - license.create:\n          from: =data.fields\n          productId: p\n          userId: =data.user\n',
    );
    const fields = async (given: JsonValue, user: JsonValue = 'u') =>
      linesOf(await match(rules, eventOf({ id: 's', fields: given, user })))[1];
    expect(await fields({ constructor: 'x' })).toMatch(/has no field "constructor"/);
    expect(await fields({ toString: 'x' })).toMatch(/has no field "toString"/);
    expect(await fields({ admin: true })).toMatch(/has no field "admin"/);
    expect(await fields('text')).toMatch(/from needs a map of fields/);
    expect(await fields({}, { $ref: 'user.id' })).toMatch(/member called "\$ref"/);
    expect(await fields({}, { $firstOf: ['a'] })).toMatch(/member called "\$firstOf"/);
    expect(await fields({})).toMatch(/^license\.create: productId=p userId=u/);
  });

  it('is not changed, and a result is plain JSON', async () => {
    for (const formula of [
      'data.items',
      'data.items[]',
      'data.items[0]',
      'data.items^(id)',
      '$append(data.items, [1])',
      '$sort(data.items.id)',
      'data.items.(id)[]',
      '$reverse(data.items)',
      '$merge(data.items)',
      'data.items{id: $}',
    ]) {
      const root = { data: { items: [{ id: 'b' }, { id: 'a' }], one: [{ id: 'c' }] } };
      const before = JSON.stringify(root);
      const result = toPlain(await compile(formula).evaluate(root, {}));
      expect(JSON.stringify(root)).toBe(before);
      // Lists of results carry marks of JSONata; the copy must not.
      const marks = Array.isArray(result)
        ? Reflect.ownKeys(result).slice(result.length)
        : ['length'];
      expect(marks).toEqual(['length']);
      expect(result).toStrictEqual(JSON.parse(JSON.stringify(result)));
    }
  });

  it('is read by a plain path as a plain walk would read it', async () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
    const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
      tree: fc.oneof({ depthSize: 'small' }, leaf, fc.dictionary(key, tie('tree'))),
    }));
    const property = fc.asyncProperty(tree, fc.array(key, { maxLength: 4 }), async (data, path) => {
      let walked: unknown = data;
      for (const name of path) walked = (walked as Record<string, unknown> | null)?.[name];
      const root = withoutNulls({ data }) as JsonObject;
      const found = toPlain(await compile(['data', ...path].join('.')).evaluate(root, {}));
      expect(found).toEqual(
        walked === null || walked === undefined ? undefined : withoutNulls(walked as JsonValue),
      );
    });
    await fc.assert(property, { numRuns: 200 });
  });
});

describe('planning', () => {
  it('gives the same plan at each replay', async () => {
    const rules = shippedRules('fastspring');
    const event = sampleEvent('fastspring/order.completed-addon');
    const first = JSON.stringify(await match(rules, event));
    for (let time = 0; time < 5; time += 1) {
      expect(JSON.stringify(await match(rules, event))).toBe(first);
    }
  });

  it('leaves the event as it was, nulls and all', async () => {
    const event = sampleEvent('stripe/invoice.paid-subscription-create');
    const before = JSON.stringify(event);
    await match(shippedRules('stripe'), event);
    expect(JSON.stringify(event)).toBe(before);
  });

  it('of two thousand events at once succeeds for each', async () => {
    const rules = shippedRules('stripe');
    const event = sampleEvent('stripe/invoice.paid-subscription-create');
    const env = { CRYPTLEX_PRODUCT_ID: 'p' };
    const all = await Promise.all(
      Array.from({ length: 2000 }, () => matchEvent(rules, event, env)),
    );
    expect(all.filter(({ kind }) => kind !== 'matched')).toEqual([]);
  });

  it('sees only the variables that the file names', async () => {
    const rules = stripeRules(
      '  - id: a\n    on: sale\n    ignore: =$first($env.SHOP, "no shop")\n',
      'env: [SHOP]\n',
    );
    const env = { SHOP: 'north', STRIPE_WEBHOOK_SECRET: 'whsec' };
    expect(linesOf(await matchEvent(rules, eventOf({}), env))).toEqual(['ignored a: north']);
    expect(linesOf(await matchEvent(rules, eventOf({}), {}))).toEqual(['ignored a: no shop']);
  });
});
