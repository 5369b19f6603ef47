// Where in a rule file the cursor is. Takes lines and a position, gives the path of names that leads there, and
// whether a name or a value is written there. Reads indentation only, so that it works in a file that is half
// written. Pure.

/** A step into a list is `*`. */
export type PathStep = string;

export interface Place {
  /** Of the map or list that the cursor is in; at a value, with the value's own name. */
  readonly path: readonly PathStep[];
  readonly kind: 'key' | 'value';
  /** What stands there before the cursor. */
  readonly written: string;
  /** Names that the same map has already; at a key only. */
  readonly siblings: readonly string[];
}

interface Opener {
  readonly column: number;
  /** Undefined for the dash of a list. */
  readonly key: string | undefined;
}

const KEY = /^("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#"'[\]{},&*!|>%@][^#]*?)\s*:(?:\s+|$)/;

/** @param line of the cursor, from 0; @param column of it, from 0 */
export function placeAt(lines: readonly string[], line: number, column: number): Place {
  const before = (lines[line] ?? '').slice(0, column);
  const { openers, rest, restColumn } = openersOf(before);
  const isValue = openers.at(-1)?.key !== undefined;
  const own = openers.map(stepOf);
  const firstColumn = openers[0]?.column ?? restColumn;
  const above = pathAbove(
    lines,
    line,
    firstColumn,
    openers[0]?.key === undefined && openers.length > 0,
  );
  const path = [...above, ...own];
  const flow = flowPlace(rest);
  if (flow !== undefined) {
    return {
      path: [...path, ...flow.path],
      kind: flow.kind,
      written: flow.written,
      siblings: flow.siblings,
    };
  }
  if (isValue) return { path, kind: 'value', written: rest, siblings: [] };
  const isItem = openers.length > 0;
  return {
    path,
    kind: 'key',
    written: rest,
    siblings: isItem ? [] : siblingsOf(lines, line, restColumn),
  };
}

function stepOf({ key }: Opener): PathStep {
  return key ?? '*';
}

function unquoted(key: string): string {
  return /^(["']).*\1$/.test(key) ? key.slice(1, -1) : key;
}

function openersOf(text: string): { openers: readonly Opener[]; rest: string; restColumn: number } {
  const openers: Opener[] = [];
  let column = /^ */.exec(text)?.[0].length ?? 0;
  let rest = text.slice(column);
  for (let dash = /^- +|^-$/.exec(rest); dash !== null; dash = /^- +|^-$/.exec(rest)) {
    openers.push({ column, key: undefined });
    column += dash[0].length;
    rest = rest.slice(dash[0].length);
  }
  const key = KEY.exec(rest);
  if (key !== null) {
    openers.push({ column, key: unquoted(key[1] ?? '') });
    column += key[0].length;
    rest = rest.slice(key[0].length);
  }
  return { openers, rest, restColumn: column };
}

function isBlank(text: string): boolean {
  return /^\s*(?:#.*)?$/.test(text);
}

/** @param isDash whether what stands at the column is a dash: its key may stand in the same column */
function pathAbove(
  lines: readonly string[],
  line: number,
  column: number,
  isDash: boolean,
): readonly PathStep[] {
  const path: PathStep[] = [];
  let limit = column;
  let mayBeSame = isDash;
  for (let index = line - 1; index >= 0 && (limit > 0 || mayBeSame); index -= 1) {
    const text = lines[index] ?? '';
    if (isBlank(text)) continue;
    for (const opener of openersOf(text).openers.toReversed()) {
      const isParent =
        opener.column < limit || (mayBeSame && opener.key !== undefined && opener.column === limit);
      if (!isParent) continue;
      path.unshift(stepOf(opener));
      limit = opener.column;
      mayBeSame = opener.key === undefined;
    }
  }
  return path;
}

function siblingsOf(lines: readonly string[], line: number, column: number): readonly string[] {
  const found: string[] = [];
  const collect = (start: number, step: number): void => {
    for (let index = start; index >= 0 && index < lines.length; index += step) {
      const text = lines[index] ?? '';
      if (isBlank(text)) continue;
      const { openers } = openersOf(text);
      const first = openers[0]?.column ?? text.search(/\S/);
      // Downwards a dash that is further out begins another map.
      if (first < column && step > 0) return;
      for (const { column: at, key } of openers)
        if (at === column && key !== undefined) found.push(key);
      if (first < column) return;
    }
  };
  collect(line - 1, -1);
  collect(line + 1, 1);
  return found;
}

interface FlowLevel {
  readonly isMap: boolean;
  key: string | undefined;
  keys: string[];
}

/** Inside `{ a: 1, …` or `[a, …` of one line; undefined outside of them. */
function flowPlace(text: string): Place | undefined {
  if (!/^[[{]/.test(text)) return undefined;
  const levels: FlowLevel[] = [];
  let start = 0;
  let quote = '';
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? '';
    const level = levels.at(-1);
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '{' || character === '[') {
      levels.push({ isMap: character === '{', key: undefined, keys: [] });
      start = index + 1;
    } else if (character === '}' || character === ']') {
      levels.pop();
      start = index + 1;
    } else if (character === ',' && level !== undefined) {
      level.key = undefined;
      start = index + 1;
    } else if (
      character === ':' &&
      /[\s]|^$/.test(text[index + 1] ?? '') &&
      level?.isMap === true &&
      level.key === undefined
    ) {
      level.key = unquoted(text.slice(start, index).trim());
      level.keys.push(level.key);
      start = index + 1;
    }
  }
  const last = levels.at(-1);
  if (last === undefined) return undefined;
  const isKey = last.isMap && last.key === undefined;
  const path = levels.flatMap(({ isMap, key }) =>
    isMap ? (key === undefined ? [] : [key]) : ['*'],
  );
  return {
    path,
    kind: isKey ? 'key' : 'value',
    written: text.slice(start).replace(/^\s+/, ''),
    siblings: isKey ? last.keys : [],
  };
}

/** The formula that is being written before the cursor; undefined outside of one. */
export function formulaBefore(
  lines: readonly string[],
  line: number,
  column: number,
): string | undefined {
  const before = (lines[line] ?? '').slice(0, column);
  return /(?:^|:\s+|-\s+|[[,]\s*)["']?=((?:[^#]|\S#)*)$/.exec(before)?.[1];
}

/** Event types of the rule that the line belongs to; none outside of a rule. */
export function typesOfRule(lines: readonly string[], line: number): readonly string[] {
  let start = line;
  while (start >= 0 && !/^ {0,4}- +(?:id|on|description):/.test(lines[start] ?? '')) start -= 1;
  if (start < 0) return [];
  const column = (lines[start] ?? '').indexOf('-');
  for (let index = start; index < lines.length; index += 1) {
    const text = lines[index] ?? '';
    if (index > start && !isBlank(text) && text.search(/\S/) <= column) return [];
    const [, value] = /^\s*(?:- +)?on:\s*(.*?)\s*(?:#.*)?$/.exec(text) ?? [];
    if (value !== undefined && value !== '') {
      return value
        .replace(/^\[|\]$/g, '')
        .split(/\s*,\s*/)
        .map(unquoted);
    }
    if (value === '') return listBelow(lines, index);
  }
  return [];
}

function listBelow(lines: readonly string[], line: number): readonly string[] {
  const found: string[] = [];
  for (let index = line + 1; index < lines.length; index += 1) {
    const [, item] = /^\s*- +([\w.-]+)\s*(?:#.*)?$/.exec(lines[index] ?? '') ?? [];
    if (item === undefined) break;
    found.push(item);
  }
  return found;
}

/** Names that a `let` of the file gives, with where they stand: `as: user` gives a name, too. */
export function namesOf(lines: readonly string[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  let column = -1;
  let inside = -1;
  for (const text of lines) {
    if (isBlank(text)) continue;
    const indent = text.search(/\S/);
    const [, as] = /^\s*(?:- +)?as:\s+(\w+)/.exec(text) ?? [];
    if (as !== undefined) names.set(as, 'result of a step');
    if (column >= 0 && indent <= column) column = -1;
    if (/^\s*(?:- +)?let:\s*(?:#.*)?$/.test(text)) {
      column = text.indexOf('let:');
      inside = -1;
      continue;
    }
    if (column < 0) continue;
    if (inside < 0) inside = indent;
    const [, name, value = ''] = /^\s*([A-Za-z]\w*):\s*(.*)$/.exec(text) ?? [];
    if (name !== undefined && indent === inside) names.set(name, value);
  }
  return names;
}
