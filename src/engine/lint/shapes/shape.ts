// What the values of an event look like: the kinds of a value, the members of a map, the items of a list.
// Takes JSON, gives shapes; merges what several samples show; writes and reads them compactly.
// Null and empty values teach nothing. Never keeps a value of an event, only names and kinds.

import type { JsonValue } from '../../../core/model.ts';

/** The kinds of plain values, each by one letter: text, number, true or false. */
export type Letter = 't' | 'n' | 'b';

/** What a value can be: any of the things that are said here. Nothing said: nothing is known of it. */
export interface Shape {
  /** Plain kinds it was seen as. */
  readonly plain: ReadonlySet<Letter>;
  /** As a map: its members. */
  readonly members?: ReadonlyMap<string, Shape>;
  /** As a map with any keys (metadata): what each of them holds. */
  readonly rest?: Shape;
  /** As a list: what its items are. */
  readonly item?: Shape;
  /** The words that the provider documents for it. */
  readonly words?: readonly string[];
}

/** Nothing is known: whoever asks must say nothing. */
export const UNKNOWN: Shape = { plain: new Set() };
export const TEXT: Shape = { plain: new Set<Letter>(['t']) };
export const NUMBER: Shape = { plain: new Set<Letter>(['n']) };
export const BOOLEAN: Shape = { plain: new Set<Letter>(['b']) };

export function isKnown(shape: Shape): boolean {
  return shape.plain.size > 0 || isMapShape(shape) || shape.item !== undefined;
}

export function isMapShape(shape: Shape): boolean {
  return shape.members !== undefined || shape.rest !== undefined;
}

/** Maps whose keys are the seller's own, by their name; what FastSpring and Stripe keep there is text. */
const OPEN_TEXT = new Set(['metadata', 'attributes', 'tags']);
/** Maps of which the samples show some members, and events may have others: they differ by country, say. */
const LOOSE = new Set(['address', 'description', 'payment', 'pricing']);
/** Values that depend on something that samples cannot show whole; nothing is said of them. */
const OPEN = new Set([
  ...['custom_data', 'previous_attributes', 'payment_method_options', 'payment_method_details'],
  ...['method_details', 'fulfillments', 'last_payment_error', 'last_finalization_error'],
  ...['outcome', 'custom_fields', 'wallet', 'fraud_details', 'import_meta', 'last_setup_error'],
]);

/** The shape of one value; `name` is the member that holds it. */
export function learn(value: JsonValue, name = ''): Shape {
  if (OPEN.has(name)) return UNKNOWN;
  if (OPEN_TEXT.has(name) && !Array.isArray(value)) return { plain: new Set(), rest: TEXT };
  if (value === null) return UNKNOWN;
  if (Array.isArray(value)) {
    return { plain: new Set(), item: mergeAll(value.map((item) => learn(item))) };
  }
  if (typeof value === 'object') {
    const entries = Object.entries(value);
    if (entries.length === 0) return { plain: new Set(), rest: UNKNOWN };
    return {
      plain: new Set(),
      members: new Map(entries.map(([key, member]) => [key, learn(member, key)])),
      ...(LOOSE.has(name) ? { rest: UNKNOWN } : {}),
    };
  }
  return typeof value === 'string' ? TEXT : typeof value === 'number' ? NUMBER : BOOLEAN;
}

export function mergeAll(shapes: readonly Shape[]): Shape {
  return shapes.reduce(merge, UNKNOWN);
}

/** What either of the two can be. */
export function merge(a: Shape, b: Shape): Shape {
  if (a === UNKNOWN || a === b) return b;
  if (b === UNKNOWN) return a;
  const members = mergeMembers(a.members, b.members);
  const rest = a.rest !== undefined && b.rest !== undefined ? merge(a.rest, b.rest) : undefined;
  const either = rest ?? a.rest ?? b.rest;
  const item =
    a.item !== undefined && b.item !== undefined ? merge(a.item, b.item) : (a.item ?? b.item);
  const words = a.words !== undefined && b.words !== undefined ? [...a.words, ...b.words] : [];
  return {
    plain: new Set([...a.plain, ...b.plain]),
    ...(members === undefined ? {} : { members }),
    ...(either === undefined ? {} : { rest: either }),
    ...(item === undefined ? {} : { item }),
    ...(words.length === 0 ? {} : { words }),
  };
}

function mergeMembers(a: Shape['members'], b: Shape['members']): Shape['members'] {
  if (a === undefined || b === undefined) return a ?? b;
  const members = new Map(a);
  for (const [name, shape] of b) members.set(name, merge(members.get(name) ?? UNKNOWN, shape));
  return members;
}

/**
 * A shape as it is kept: letters of the plain kinds; `[shape]` a list; `{name: shape}` a map, `"*"` in it
 * any further key; several of these in `{"|": […]}`; `""` is nothing known.
 */
export type WrittenShape = string | [WrittenShape] | { [name: string]: WrittenShape };

export function writeShape(shape: Shape): WrittenShape {
  const ways: WrittenShape[] = [];
  if (shape.plain.size > 0) ways.push([...shape.plain].sort().join(''));
  if (shape.item !== undefined) ways.push([writeShape(shape.item)]);
  if (isMapShape(shape)) {
    const members = [...(shape.members ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    const written = members.map(([name, member]) => [name, writeShape(member)] as const);
    ways.push({
      ...Object.fromEntries(written),
      ...(shape.rest === undefined ? {} : { '*': writeShape(shape.rest) }),
    });
  }
  const [only] = ways;
  if (ways.length > 1) return { '|': ways as unknown as WrittenShape };
  return only ?? '';
}

export function readShape(written: WrittenShape): Shape {
  if (typeof written === 'string') {
    return written === '' ? UNKNOWN : { plain: new Set([...written] as Letter[]) };
  }
  if (Array.isArray(written)) return { plain: new Set(), item: readShape(written[0]) };
  const ways = written['|'];
  if (ways !== undefined) {
    return mergeAll((ways as unknown as readonly WrittenShape[]).map(readShape));
  }
  const { '*': rest, ...members } = written;
  const entries = Object.entries(members);
  return {
    plain: new Set(),
    ...(entries.length === 0 && rest !== undefined
      ? {}
      : { members: new Map(entries.map(([name, member]) => [name, readShape(member)])) }),
    ...(rest === undefined ? {} : { rest: readShape(rest) }),
  };
}
