// Changing one value of a sample by its path.

import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../src/model.ts';
import { setPath, unsetPath, valueAt } from '../src/sample-edit.ts';

const DATA = { id: 'a', items: [{ n: 1, tags: ['x', 'y'] }, { n: 2 }], none: null } as JsonObject;

describe('set', () => {
  const cases: readonly (readonly [string, string, JsonValue, JsonValue])[] = [
    ['a value at the root', 'id', 'b', { ...DATA, id: 'b' }],
    ['a value inside', 'items.1.n', 5, { ...DATA, items: [{ n: 1, tags: ['x', 'y'] }, { n: 5 }] }],
    [
      'the same with brackets',
      'items[1].n',
      5,
      { ...DATA, items: [{ n: 1, tags: ['x', 'y'] }, { n: 5 }] },
    ],
    [
      'a new item at the end of a list',
      'items.0.tags.2',
      'z',
      { ...DATA, items: [{ n: 1, tags: ['x', 'y', 'z'] }, { n: 2 }] },
    ],
    ['maps that are missing', 'a.b.c', true, { ...DATA, a: { b: { c: true } } }],
    ['a map where null was', 'none.x', 1, { ...DATA, none: { x: 1 } }],
    ['null', 'id', null, { ...DATA, id: null }],
    [
      'a member named like one of every object',
      'constructor.x',
      1,
      { ...DATA, constructor: { x: 1 } },
    ],
  ];
  test.each(cases)('%s', (_, path, value, wanted) => {
    const before = structuredClone(DATA);
    expect(setPath(DATA, path, value)).toEqual({ kind: 'edited', value: wanted });
    expect(DATA).toEqual(before);
  });

  test.each([
    ['behind the end of a list', 'items.3', 'items', 'items has no place for "3"'],
    ['in an item that is not there', 'items.2.n', 'items', 'items has no place for "2"'],
    ['a name in a list', 'items.first', 'items', 'items has no place for "first"'],
    ['inside a text', 'id.x', 'id', 'id has no place for "x"'],
    ['nowhere', '', '', '"" is no path: names joined by dots'],
    ['between two dots', 'a..b', '', '"a..b" is no path: names joined by dots'],
    ['a prototype', '__proto__.x', '', '"__proto__.x" is no path: names joined by dots'],
  ])('is refused: %s', (_, path, at, reason) => {
    expect(setPath(DATA, path, 1)).toEqual({ kind: 'no_place', at, reason });
  });
});

describe('unset', () => {
  test('takes a member away', () => {
    const { id: _id, ...rest } = DATA;
    expect(unsetPath(DATA, 'id')).toEqual({ kind: 'edited', value: rest });
  });

  test('takes an item away, and the others move up', () => {
    const outcome = unsetPath(DATA, 'items.0');
    expect(outcome).toEqual({ kind: 'edited', value: { ...DATA, items: [{ n: 2 }] } });
  });

  test('says that there is nothing to take away', () => {
    const reason = 'there is no items.0.m';
    expect(unsetPath(DATA, 'items.0.m')).toEqual({ kind: 'no_place', at: 'items.0.m', reason });
  });
});

test.each([
  ['items.1.n', 2],
  ['items[0].tags[1]', 'y'],
  ['none', null],
  ['items.9', undefined],
  ['toString', undefined],
])('the value at %s is %j', (path, wanted) => {
  expect(valueAt(DATA, path)).toEqual(wanted);
});
