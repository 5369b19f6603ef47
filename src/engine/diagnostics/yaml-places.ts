// Places in a YAML document. Takes a parsed document and a path, gives nodes and offsets in its text.
// Never reports anything: whoever asks does.

import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml';

/** Where a value stands in its document: names and indexes from the root. */
export type YamlPath = readonly (string | number)[];

/** The node at a path; the nearest node above it where there is none. */
export function nodeAt(document: Document.Parsed, path: YamlPath): Node | undefined {
  let node: unknown = document.contents;
  for (const step of path) {
    const resolved: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isMap(resolved)) {
      const pair = pairOf(resolved, step);
      if (pair === undefined) return resolved;
      // A key without a value has no node of its own: the key is the best place there is.
      node = pair.value ?? pair.key;
    } else if (isSeq(resolved)) {
      const item: unknown = resolved.items[Number(step)];
      if (item === undefined) return resolved;
      node = isPair(item) ? item.key : item;
    } else {
      return resolved as Node | undefined;
    }
  }
  return (node ?? undefined) as Node | undefined;
}

/** The key of the node at a path. */
export function keyAt(document: Document.Parsed, path: YamlPath): Node | undefined {
  const parent = nodeAt(document, path.slice(0, -1));
  const resolved = isAlias(parent) ? parent.resolve(document) : parent;
  if (!isMap(resolved)) return undefined;
  const last = path.at(-1);
  return last === undefined ? undefined : (pairOf(resolved, last)?.key as Node | undefined);
}

/** Pairs by their keys, for maps that were asked for one: a catalog may hold ten thousand. */
const indexes = new WeakMap<YAMLMap, ReadonlyMap<unknown, Pair>>();

/** The first pair with this key. */
function pairOf(map: YAMLMap, key: string | number): Pair | undefined {
  let index = indexes.get(map);
  if (index === undefined) {
    const pairs = map.items.toReversed().filter((pair) => isScalar(pair.key));
    index = new Map(pairs.map((pair) => [(pair.key as Scalar).value, pair]));
    indexes.set(map, index);
  }
  return index.get(key);
}

export function startOf(node: Node | undefined): number {
  return node?.range?.[0] ?? 0;
}

/** How many characters the node takes in the source's first line of it. */
export function lengthOf(node: Node | undefined, text: string): number {
  if (node?.range === undefined || node.range === null) return 1;
  const source = text.slice(node.range[0], node.range[1]);
  return Math.max(1, source.split('\n', 1)[0]?.trimEnd().length ?? 1);
}

/**
 * White space is all that folding changes in plain, folded and literal scalars, so a character is
 * found again by counting those that are not white space. Escapes in quoted scalars are stepped over.
 */
export function offsetInside(
  document: Document.Parsed,
  path: YamlPath,
  offset: number,
  text: string,
): number {
  const found = nodeAt(document, path);
  const node = isAlias(found) ? (found.resolve(document) as Node | undefined) : found;
  if (!isScalar(node) || typeof node.value !== 'string' || !node.range) return startOf(node);
  const [start, end] = node.range;
  const wanted = node.value.slice(0, offset).replaceAll(/\s/g, '').length;
  let position = start + contentStart(node, text.slice(start, end));
  for (let seen = 0; position < end; ) {
    const { length, gives } = writtenAt(node, text, position);
    if (gives > 0 && seen + gives > wanted) return position;
    seen += gives;
    position += length;
  }
  return Math.max(start, end - 1);
}

const ESCAPE = /^\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|\r\n|[\s\S])/;

/** How many characters of the source the next piece takes, and how many that are not white space it gives. */
function writtenAt(
  node: Scalar,
  text: string,
  position: number,
): { length: number; gives: number } {
  const character = text[position] ?? '';
  if (node.type === 'QUOTE_SINGLE' && character === "'" && text[position + 1] === "'") {
    return { length: 2, gives: 1 };
  }
  const escaped =
    node.type === 'QUOTE_DOUBLE'
      ? ESCAPE.exec(text.slice(position, position + 10))?.[0]
      : undefined;
  if (escaped === undefined) return { length: 1, gives: /\s/.test(character) ? 0 : 1 };
  const code = Number.parseInt(escaped.slice(2), 16);
  if (/^\\[xuU]/.test(escaped)) {
    const written = String.fromCodePoint(Math.min(code, 0x10ffff));
    return { length: escaped.length, gives: written.trim() === '' ? 0 : written.length };
  }
  return { length: escaped.length, gives: /^\\[\s ntrvfLP_]/.test(escaped) ? 0 : 1 };
}

function contentStart(node: Scalar, source: string): number {
  if (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') return 1;
  if (node.type === 'BLOCK_FOLDED' || node.type === 'BLOCK_LITERAL')
    return source.indexOf('\n') + 1;
  return 0;
}
