// What a formula may give, as far as it is known before any event. Takes shapes, gives values: a shape, and
// whether it may be several of them, since JSONata makes one flat list of all it finds on its way.
// Never reports anything.

import {
  BOOLEAN,
  isKnown,
  isMapShape,
  type Letter,
  merge,
  NUMBER,
  type Shape,
  TEXT,
  UNKNOWN,
} from './shape.ts';

export interface Value {
  /** What one of them is; never a list. */
  readonly shape: Shape;
  /** Whether there may be several. */
  readonly many: boolean;
  /** Where in the event it comes from, lists left out; undefined where it was made. */
  readonly path?: readonly string[];
}

export const UNKNOWN_VALUE: Value = { shape: UNKNOWN, many: false };
export const TEXT_VALUE: Value = { shape: TEXT, many: false };
export const NUMBER_VALUE: Value = { shape: NUMBER, many: false };
export const BOOLEAN_VALUE: Value = { shape: BOOLEAN, many: false };

/** A shape as a value; a list is many of its items. */
export function valueFrom(shape: Shape, path?: readonly string[]): Value {
  let one = shape;
  let many = false;
  while (one.item !== undefined) {
    const { item, ...rest } = one;
    one = merge(item, rest.plain.size === 0 && !isMapShape(rest) ? UNKNOWN : rest);
    many = true;
  }
  return { shape: one, many, ...(path === undefined ? {} : { path }) };
}

export function single(value: Value): Value {
  return { ...value, many: false };
}

export function severalOf(value: Value): Value {
  return { ...value, many: true };
}

/** Either of them; nothing is known where nothing is known of one. */
export function eitherOf(values: readonly Value[]): Value {
  const [first, ...others] = values;
  if (first === undefined || values.some(({ shape }) => !isKnown(shape))) {
    return { ...UNKNOWN_VALUE, many: values.some(({ many }) => many) };
  }
  return others.reduce(
    (a, b) => ({ shape: merge(a.shape, b.shape), many: a.many || b.many }),
    first,
  );
}

/** What is found under a name: a value, or that there is none and why. */
export type Member =
  | { readonly kind: 'found'; readonly value: Value }
  | { readonly kind: 'missing' }
  | { readonly kind: 'no-map' };

export function memberOf(value: Value, name: string): Member {
  const { shape, many } = value;
  const path = value.path === undefined ? undefined : [...value.path, name];
  if (!isKnown(shape)) return { kind: 'found', value: { ...UNKNOWN_VALUE, many } };
  const member = shape.members?.get(name) ?? shape.rest;
  if (member !== undefined) {
    const found = valueFrom(member, path);
    return { kind: 'found', value: { ...found, many: found.many || many } };
  }
  return { kind: isMapShape(shape) ? 'missing' : 'no-map' };
}

const LETTERS: Readonly<Record<Letter, string>> = {
  t: 'a text',
  n: 'a number',
  b: 'true or false',
};

/** What a value is, in the words of the documentation. */
export function describe({ shape, many }: Value): string {
  const kinds = [...shape.plain].map((letter) => LETTERS[letter]);
  if (isMapShape(shape)) kinds.push('a map');
  const what = kinds.join(' or ');
  return many ? `a list${what === '' ? '' : ` (each ${what})`}` : what;
}

/** Whether it is certainly none of these kinds. */
export function isNever(value: Value, letters: readonly Letter[]): boolean {
  const { shape } = value;
  return isKnown(shape) && !letters.some((letter) => shape.plain.has(letter));
}

/** Whether two values can never be equal, since no kind of one is a kind of the other. */
export function neverEqual(a: Value, b: Value): boolean {
  if (!isKnown(a.shape) || !isKnown(b.shape)) return false;
  if (isMapShape(a.shape) && isMapShape(b.shape)) return false;
  return ![...a.shape.plain].some((letter) => b.shape.plain.has(letter));
}
