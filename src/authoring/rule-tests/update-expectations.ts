// Writes what was seen into the expectations of a test file. Takes the file's text and the failures, gives
// the new text: values are replaced where they stand, so that comments and layout stay as they are. Only a
// list that has other items than expected is written anew as a whole.

import { type Document, isMap, isSeq, type Node, parseDocument, stringify } from 'yaml';
import type { JsonObject, JsonValue } from '../../core/model.ts';
import type { Difference } from '../../engine/cases/compare-values.ts';
import { nodeAt, startOf, type YamlPath } from '../../engine/diagnostics/yaml-places.ts';
import type { CaseResult, StepFailure } from './run-case.ts';

export interface Update {
  readonly text: string;
  /** How many differences were written. */
  readonly written: number;
  /** Those that have to be written by hand. */
  readonly left: readonly Difference[];
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** @param results those of one file */
export function updateExpectations(text: string, results: readonly CaseResult[]): Update {
  const document = parseDocument(text, { version: '1.2', merge: false });
  const edits: Edit[] = [];
  const left: Difference[] = [];
  let written = 0;
  for (const failure of results.flatMap(({ failures }) => failures)) {
    for (const group of groupsOf(failure)) {
      const edit = editFor(group, failure, document, text);
      if (edit === undefined) left.push(...group.differences);
      else {
        edits.push(edit);
        written += group.differences.length;
      }
    }
  }
  let updated = text;
  for (const { start, end, text: put } of edits.toSorted((a, b) => b.start - a.start)) {
    updated = updated.slice(0, start) + put + updated.slice(end);
  }
  return { text: updated, written, left };
}

/** Differences that one edit covers. */
interface Group {
  readonly kind: 'value' | 'list' | 'members';
  readonly path: YamlPath;
  readonly differences: readonly Difference[];
}

function groupsOf({ differences }: StepFailure): readonly Group[] {
  const lists = differences.flatMap(({ kind, path }) => {
    if (kind === 'absent') return [path.slice(0, -1)];
    return kind === 'surplus' ? [path] : [];
  });
  const groups = new Map<
    string,
    { kind: Group['kind']; path: YamlPath; differences: Difference[] }
  >();
  for (const difference of differences) {
    const list = lists.find((path) => isInside(difference.path, path));
    const kind = list !== undefined ? 'list' : difference.kind === 'unsaid' ? 'members' : 'value';
    const path = list ?? difference.path;
    const key = JSON.stringify([kind, path]);
    const group = groups.get(key) ?? { kind, path, differences: [] };
    group.differences.push(difference);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function isInside(path: YamlPath, list: YamlPath): boolean {
  return list.every((step, index) => path[index] === step);
}

function editFor(
  { kind, path, differences }: Group,
  failure: StepFailure,
  document: Document.Parsed,
  text: string,
): Edit | undefined {
  switch (kind) {
    case 'value': {
      const [only] = differences;
      const node = exactNode(document, path);
      if (node === undefined || only?.kind !== 'differs') return undefined;
      return replace(node, asLongAs(only.expected, only.seen), text);
    }
    case 'list': {
      const node = exactNode(document, path);
      if (node === undefined || !isSeq(node)) return undefined;
      return replace(node, newList(path, differences, failure, document), text);
    }
    case 'members':
      return addMembers(path, differences, document, text);
    default:
      return kind satisfies never;
  }
}

/** A day that was expected stays a day. */
function asLongAs(expected: JsonValue, seen: JsonValue): JsonValue {
  const isDay = typeof expected === 'string' && /^\d{4}-\d\d-\d\d$/.test(expected);
  return isDay && typeof seen === 'string' ? seen.slice(0, 10) : seen;
}

/** The node at the path itself, never one above it. */
function exactNode(document: Document.Parsed, path: YamlPath): Node | undefined {
  return document.hasIn(path) ? (nodeAt(document, path) ?? undefined) : undefined;
}

function newList(
  path: YamlPath,
  differences: readonly Difference[],
  failure: StepFailure,
  document: Document.Parsed,
): JsonValue {
  const inOrder = seenInOrder(path, failure);
  const surplus = differences.flatMap((one) => (one.kind === 'surplus' ? [one.seen] : []));
  if (inOrder !== undefined && surplus.length > 0) return [...inOrder];
  const whole = document.toJS() as unknown;
  const list = structuredClone(path.reduce<unknown>(member, whole)) as JsonValue[];
  const absent = new Set<number>();
  for (const difference of differences) {
    const inside = difference.path.slice(path.length);
    if (difference.kind === 'absent') absent.add(Number(inside[0]));
    if (difference.kind !== 'differs') continue;
    const holder = inside.slice(0, -1).reduce<unknown>(member, list) as Record<string, JsonValue>;
    holder[String(inside.at(-1))] = asLongAs(difference.expected, difference.seen);
  }
  return [...list.filter((_, index) => !absent.has(index)), ...surplus];
}

function member(value: unknown, step: string | number): unknown {
  return (value as Record<string | number, unknown> | undefined)?.[step];
}

/** What was seen, for lists whose order counts. */
function seenInOrder(
  path: YamlPath,
  { step, seen }: StepFailure,
): readonly JsonValue[] | undefined {
  const inside = path.slice(step.expectPath.length);
  if (inside[0] === 'requests') return seen.requests;
  if (inside.at(-1) !== 'plan') return undefined;
  const event = seen.events[inside.length === 1 ? 0 : Number(inside[1])];
  return event?.plan.map(({ as: _as, rule: _rule, ...planned }) => planned);
}

/** New members come first in their map; a map that is not there is made. */
function addMembers(
  path: YamlPath,
  differences: readonly Difference[],
  document: Document.Parsed,
  text: string,
): Edit | undefined {
  const members: JsonObject = {};
  for (const one of differences) if (one.kind === 'unsaid') members[one.name] = one.seen;
  const node = exactNode(document, path);
  if (isMap(node)) return insert(node, members, text);
  const name = path.at(-1);
  const parent = exactNode(document, path.slice(0, -1));
  if (node !== undefined || typeof name !== 'string' || !isMap(parent)) return undefined;
  return insert(parent, { [name]: members }, text);
}

function insert(map: Node, members: JsonObject, text: string): Edit {
  const start = startOf(map);
  const entries = Object.entries(members).map(([name, value]) => `${flow(name)}: ${flow(value)}`);
  if (text[start] === '{') {
    const isEmpty = /^\{\s*\}/.test(text.slice(start));
    const put = ` ${entries.join(', ')}${isEmpty ? ' ' : ','}`;
    return { start: start + 1, end: start + 1, text: put };
  }
  const indent = ' '.repeat(columnOf(start, text));
  return { start, end: start, text: entries.map((entry) => `${entry}\n${indent}`).join('') };
}

function replace(node: Node, value: JsonValue, text: string): Edit {
  const start = startOf(node);
  const source = text.slice(start, node.range?.[1] ?? start).trimEnd();
  const end = start + source.length;
  // `reason:` without a value ends in its colon.
  if (source === '' && text[start - 1] === ':') return { start, end, text: ` ${flow(value)}` };
  const column = columnOf(start, text);
  const inOneLine = flow(value);
  if (!Array.isArray(value) || value.length === 0) return { start, end, text: inOneLine };
  if (isSeq(node) && source.startsWith('-')) return { start, end, text: block(value, column) };
  // `licenses: [...]` that became too long for its line goes on below its key.
  const key = /^( *)(?:- )?[^\s:]+: *$/.exec(text.slice(start - column, start));
  if (key === null || column + inOneLine.length <= LINE_LENGTH_MAX) {
    return { start, end, text: inOneLine };
  }
  const indent = (key[1] ?? '').length + 2;
  const from = start - column + key[0].trimEnd().length;
  return { start: from, end, text: `\n${' '.repeat(indent)}${block(value, indent)}` };
}

const LINE_LENGTH_MAX = 100;

/** Items of a list, each in a line where it fits; the first line begins where it is put. */
function block(items: readonly JsonValue[], column: number): string {
  const indent = ' '.repeat(column);
  const written = items.map((item) => {
    const line = flow(item);
    if (column + line.length + 2 <= LINE_LENGTH_MAX) return `- ${line}`;
    const lines = stringify(item, { lineWidth: 0 }).trimEnd().split('\n');
    return `- ${lines.join(`\n${indent}  `)}`;
  });
  return written.join(`\n${indent}`);
}

function columnOf(offset: number, text: string): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

/** In one line, quoted so that it may stand anywhere. */
export function flow(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, inner]) => `${flow(name)}: ${flow(inner)}`);
    return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
  }
  // Inside a list, text is quoted that could be read as one.
  const written = stringify([value], { collectionStyle: 'flow', lineWidth: 0 }).trim();
  return written.slice(1, -1).trim();
}
