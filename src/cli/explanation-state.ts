// Users and licenses before and after, as a table. Takes an Explanation, gives lines: what is new, what is
// gone, each member that is another than before, and what stays as it is.

import type { Explanation } from '../explanation.ts';
import type { JsonObject, JsonValue } from '../model.ts';
import { type Paint, seen, tableLines } from './words.ts';

const NOTHING = '–';

/** Nothing where there is neither a user nor a license. */
export function stateLines(
  { users, licenses }: Pick<Explanation, 'users' | 'licenses'>,
  paint: Paint,
): readonly string[] {
  const rows = [...rowsOf('license', licenses), ...rowsOf('user', users, { onlyChanges: true })];
  if (rows.length === 0) return [];
  const [head = '', rule = '', ...lines] = tableLines(['of', 'what', 'before', 'after'], rows);
  return [
    paint('dim', head),
    paint('dim', rule),
    ...lines.map((line, index) => paint(colourOf(rows[index]), line)),
  ];
}

type Row = readonly [of: string, what: string, before: string, after: string];

function colourOf(row: Row | undefined): 'green' | 'red' | 'yellow' | 'dim' {
  const [, what = '', before, after] = row ?? [];
  if (what === SAME) return 'dim';
  if (after === DELETED) return 'red';
  return before === NOTHING ? 'green' : 'yellow';
}

const SAME = 'nothing changes';
const DELETED = 'deleted';

function rowsOf(
  kind: 'license' | 'user',
  { before, after }: Explanation['licenses'],
  { onlyChanges = false } = {},
): readonly Row[] {
  const was = new Map(before.map((item) => [item['id'], item]));
  const is = new Map(after.map((item) => [item['id'], item]));
  const ids = new Set([...was.keys(), ...is.keys()]);
  return [...ids].flatMap((id) => {
    const name = `${kind} ${String(id)}`;
    const [old, now] = [was.get(id), is.get(id)];
    if (now === undefined) return [[name, 'all of it', 'there', DELETED] as const];
    const changes = changesOf(old, now);
    if (changes.length === 0) {
      return onlyChanges ? [] : [[name, SAME, NOTHING, NOTHING] as const];
    }
    return changes.map(
      ([what, from, to], index) => [index === 0 ? name : '', what, from, to] as const,
    );
  });
}

/** The members that differ; of what is new, those that say something. */
function changesOf(
  old: JsonObject | undefined,
  now: JsonObject,
): readonly (readonly [what: string, from: string, to: string])[] {
  const [before, after] = [flat(old ?? {}), flat(now)];
  const names = [...new Set([...after.keys(), ...before.keys()])].filter((name) => name !== 'id');
  return names.flatMap((name) => {
    const [from, to] = [before.get(name) ?? null, after.get(name) ?? null];
    if (JSON.stringify(from) === JSON.stringify(to)) return [];
    if (old === undefined && (to === false || to === null)) return [];
    return [[name, cell(from), cell(to)] as const];
  });
}

/** Metadata member by member, so that one new entry is one line. */
function flat(item: JsonObject): ReadonlyMap<string, JsonValue> {
  const { metadata, ...members } = item;
  const entries = typeof metadata === 'object' && metadata !== null ? Object.entries(metadata) : [];
  return new Map<string, JsonValue>([
    ...Object.entries(members),
    ...entries.map(([key, value]) => [`metadata.${key}`, value] as const),
  ]);
}

function cell(value: JsonValue): string {
  if (value === null) return NOTHING;
  return typeof value === 'string' && value !== '' ? value : seen(value);
}
