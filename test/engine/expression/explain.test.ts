// What explaining adds to the evaluation of an event: the parts of formulas, the names looked up, the source
// of each value. It never changes what the rules decide.

import { readFileSync } from 'node:fs';
import jsonata from 'jsonata';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ACTIONS } from '../../../src/actions/definitions.ts';
import { PROVIDERS, type Provider } from '../../../src/core/providers.ts';
import { compileExpression } from '../../../src/engine/expression/compile.ts';
import { partsOf } from '../../../src/engine/expression/parts.ts';
import { loadRuleFile } from '../../../src/engine/load/load.ts';
import { matchEvent } from '../../../src/engine/plan/match.ts';
import type { RuleSet } from '../../../src/engine/rules/rule-set.ts';
import { readWebhookBody } from '../../../src/verifiers/webhook-body.ts';
import { samples } from '../../support/read-samples.ts';

const ROOT = { data: { a: 'x', n: 2, y: 'pro', items: [{ product: 'a(b', q: 2 }] } };

async function partsAt(formula: string): Promise<Record<string, unknown>> {
  const catalog = new Map([['pro', { productId: 'p1' }]]);
  const compiled = compileExpression(formula, ['data'], catalog);
  if (compiled.kind === 'refused') throw new Error(compiled.problems[0]?.message);
  const parts = await compiled.expression.explain(ROOT, { sold: { id: 7 } });
  return Object.fromEntries(parts.map(({ text, value }) => [text, value]));
}

describe('the parts of a formula', () => {
  test.each<[string, Record<string, unknown>]>([
    ['data.a', {}],
    ['"x"', {}],
    ['data.a = "x"', { 'data.a': 'x' }],
    ['(data.a = "x")', { 'data.a': 'x' }],
    ['data.n + 1 > 2', { 'data.n + 1': 3, 'data.n': 2 }],
    ['$sold.id = 7', { '$sold.id': 7 }],
    [
      'data.a = "x" and (data.n > 3 or $exists(data.b))',
      {
        'data.a = "x"': true,
        'data.a': 'x',
        'data.n > 3 or $exists(data.b)': false,
        'data.n > 3': false,
        'data.n': 2,
        '$exists(data.b)': false,
        'data.b': undefined,
      },
    ],
    [
      '$count(data.items[product = "a(b"]) > 1',
      {
        '$count(data.items[product = "a(b"])': 1,
        'data.items[product = "a(b"]': { product: 'a(b', q: 2 },
      },
    ],
    ['$not(data.a in ["x", "y"])', { 'data.a in ["x", "y"]': true, 'data.a': 'x' }],
    ['data.a != data.z', { 'data.a': 'x', 'data.z': undefined }],
    ['$catalog(data.y).productId = "p1"', { '$catalog(data.y).productId': 'p1', 'data.y': 'pro' }],
    [
      '$sum($map(data.items, function($i){ $i.q })) > 1',
      {
        '$sum($map(data.items, function($i){ $i.q }))': 2,
        '$map(data.items, function($i){ $i.q })': 2,
        'data.items': [{ product: 'a(b', q: 2 }],
      },
    ],
    ['(data.z ?? data.a) = "x"', { 'data.z': undefined, 'data.a': 'x' }],
    [
      '((data.a = "y" and data.n > 3) or data.n = 2) and data.n < 9',
      {
        '(data.a = "y" and data.n > 3) or data.n = 2': true,
        'data.a = "y" and data.n > 3': false,
        'data.a = "y"': false,
        'data.a': 'x',
        'data.n = 2': true,
        'data.n': 2,
        'data.n < 9': true,
      },
    ],
    ['data.n > 1 ? data.a : data.y', { 'data.n > 1': true, 'data.n': 2, 'data.a': 'x' }],
  ])('%s', async (formula, wanted) => {
    const parts = await partsAt(formula);
    expect(JSON.parse(JSON.stringify(parts))).toEqual(JSON.parse(JSON.stringify(wanted)));
    expect(Object.keys(parts).toSorted()).toEqual(Object.keys(wanted).toSorted());
  });

  test('that stand behind what decided already are left out', async () => {
    expect(await partsAt('data.a = "y" and data.n > 3')).toEqual({
      'data.a = "y"': false,
      'data.a': 'x',
    });
  });

  test('are told as far as they go when the formula fails', async () => {
    expect(await partsAt('data.n > $need(data.z, "no z")')).toEqual({ 'data.n': 2 });
  });

  test('are formulas themselves, in all shipped rules', () => {
    let count = 0;
    for (const provider of PROVIDERS) {
      const values: unknown[] = [parse(readFileSync(`rules/${provider}.yaml`, 'utf8'))];
      for (const value of values) {
        if (typeof value === 'object' && value !== null) values.push(...Object.values(value));
        if (typeof value !== 'string' || !value.startsWith('=')) continue;
        const formula = value.slice(1);
        const ast = jsonata(formula).ast();
        for (const part of partsOf(ast as never, formula)) {
          expect(() => jsonata(part.text), `${part.text} of ${formula}`).not.toThrow();
          expect(formula.replaceAll(/\s+/g, ' ')).toContain(part.text);
          count += 1;
        }
      }
    }
    expect(count).toBeGreaterThan(50);
  });
});

const shipped = new Map<Provider, RuleSet>(
  PROVIDERS.map((provider) => {
    const file = `rules/${provider}.yaml`;
    const input = { file, text: readFileSync(file, 'utf8'), readBeside: () => undefined };
    const { ruleSet } = loadRuleFile(input, ACTIONS);
    if (ruleSet === undefined) throw new Error(`${file} has errors`);
    return [provider, ruleSet];
  }),
);

const ENV = { CRYPTLEX_PRODUCT_ID: 'p1' };
const sent = samples.filter(({ name }) => !name.includes('thin'));

test.each(sent)('explaining changes nothing for $provider $name', async ({ provider, text }) => {
  const ruleSet = shipped.get(provider) as RuleSet;
  for (const event of readWebhookBody(provider, new TextEncoder().encode(text), provider)) {
    const { lookups, ...explained } = await matchEvent(ruleSet, event, ENV, { explain: true });
    const handled = await matchEvent(ruleSet, event, ENV);
    expect(handled).not.toHaveProperty('lookups');
    const withoutParts = JSON.stringify(explained, (name, value: unknown) =>
      name === 'parts' ? undefined : value,
    );
    expect(JSON.parse(withoutParts)).toEqual(JSON.parse(JSON.stringify(handled)));
    if (handled.kind !== 'matched') continue;
    // Every value of the plan has a place in the rules, and is what the plan says.
    for (const [index, step] of handled.plan.steps.entries()) {
      const values = lookups?.values.filter((value) => value.step === index) ?? [];
      const fields = new Set(values.map(({ field }) => field.split('.')[0]));
      expect([...fields].filter((field) => field !== 'once').toSorted()).toEqual(
        Object.keys(step.input).toSorted(),
      );
      for (const { field, value, location } of values) {
        expect(location).toMatch(/^rules\/\w+\.yaml:\d+:\d+$/);
        const at = field
          .split('.')
          .reduce<unknown>((found, name) => (found as Record<string, unknown>)[name], {
            ...step.input,
            once: step.once,
          });
        expect(at, field).toEqual(value);
      }
    }
  }
});
