// Formulas that are evaluated without JSONata give what JSONata gives. In brackets, a formula means the
// same but is always JSONata's, so that the two can be held against each other.

import fc from 'fast-check';
import jsonata from 'jsonata';
import { describe, expect, test } from 'vitest';
import { compileExpression } from '../../../src/engine/expression/compile.ts';
import { ASK_JSONATA, compileDirect } from '../../../src/engine/expression/direct.ts';
import type { AstNode } from '../../../src/engine/expression/syntax.ts';
import { RunReference, toPlain } from '../../../src/engine/expression/values.ts';

const NAMES = ['a', 'b', 'c', 'id', 'my-key'] as const;
const CATALOG = { size: 1, get: (key: string) => (key === 'x' ? { productId: 'p' } : undefined) };

const scalar = fc.constantFrom('', 'x', 'y', ' z ', 0, 1, 2.5, true, false);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES, '_jsonata_function'), tie('value'), { maxKeys: 4 }),
  ),
}));
const event = fc.dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 5 });

const name = fc.constantFrom(...NAMES).map((text) => (text === 'my-key' ? '`my-key`' : text));
const names = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
const { formula } = fc.letrec<{ formula: string; call: string }>((tie) => ({
  formula: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    names,
    fc.constantFrom('"x"', '1', 'true', '$v', '$w', '$several', '$gone'),
    fc
      .tuple(fc.constantFrom('$v', '$w', '$several', '$run'), names)
      .map((parts) => parts.join('.')),
    tie('call'),
    fc.tuple(tie('call'), names).map((parts) => parts.join('.')),
    fc.tuple(tie('formula'), tie('formula')).map(([left, right]) => `${left} & ${right}`),
    fc
      .tuple(tie('formula'), fc.constantFrom('=', '!=', 'and', 'or'), tie('formula'))
      .map((parts) => parts.join(' ')),
    fc.constant('{}'),
  ),
  call: fc
    .tuple(
      fc.constantFrom(
        'first',
        'if',
        'id',
        'one',
        'need',
        'catalog',
        'words',
        'not',
        'number',
        'unix',
        'type',
      ),
      fc.array(tie('formula'), { maxLength: 3 }),
    )
    .map(([called, parameters]) => `$${called}(${parameters.join(', ')})`),
}));

async function outcome(text: string, root: object, bindings: Record<string, unknown>) {
  const compiled = compileExpression(text, [...NAMES], CATALOG);
  if (compiled.kind === 'refused') return { refused: compiled.problems.map(({ code }) => code) };
  try {
    const now = compiled.expression.evaluateNow(root, bindings);
    const value = now === ASK_JSONATA ? await compiled.expression.evaluate(root, bindings) : now;
    return { gives: toPlain(value) };
  } catch (error) {
    const { message, position, token } = error as {
      message: string;
      position: number;
      token: string;
    };
    return { message, position, token };
  }
}

test('any path and call gives what JSONata gives, or fails with the same words at the same place', async () => {
  await fc.assert(
    fc.asyncProperty(event, value, value, formula, async (root, v, w, text) => {
      const several = await jsonata('v.a').evaluate({ v: [{ a: w }, { a: 1 }] });
      const bindings = { v, w, several, run: { a: new RunReference('run.a') } };
      const direct = await outcome(text, root, bindings);
      const byJsonata = await outcome(`(${text})`, root, bindings);
      if ('position' in byJsonata && byJsonata.position !== undefined) byJsonata.position -= 1;
      expect(direct).toEqual(byJsonata);
    }),
    { numRuns: 3_000, seed: 4711 },
  );
});

describe('evaluated directly', () => {
  const isDirect = (text: string): boolean => {
    const functions = new Map([['first', (...values: unknown[]) => values[0]]]);
    return compileDirect(jsonata(text).ast() as unknown as AstNode, functions, 10) !== undefined;
  };

  test.each([
    ...['a', 'a.b.c', '$x', '$x.a.`my-key`', '"text"', '5', '$first(a.b, $x, "d").c'],
    ...['a = b', 'a.b = "x" and $x = 1', 'a or $first(b)', '$first(a, {})'],
  ])('%s', (text) => expect(isDirect(text)).toBe(true));

  test.each([
    'a[0]',
    'a[b=1]',
    'a[]',
    'a.*',
    'a.**',
    '$',
    '$$',
    'a.(b)',
    '[a]',
    'a < b',
    'a in b',
    'a + 1',
    '{"a": b}',
    'a ? b : c',
  ])("%s is JSONata's", (text) => expect(isDirect(text)).toBe(false));

  test.each([
    '$sum(a)',
    '$first(a, $sum(b))',
    'a{b: c}',
    'a^(b)',
    'a@$x.b',
    'a#$i.b',
    'function($x){$x}',
  ])("%s is JSONata's, too", (text) => expect(isDirect(text)).toBe(false));
});

test.each([10_000, 10_001])('a list of %i items is treated alike', async (length) => {
  const root = { a: Array.from({ length }, () => ({ b: 1 })) };
  const direct = await outcome('a.b', root, {});
  const byJsonata = await outcome('(a.b)', root, {});
  expect('gives' in direct).toBe(length === 10_000);
  expect('gives' in direct).toBe('gives' in byJsonata);
  if ('gives' in direct) expect(direct).toEqual(byJsonata);
});
