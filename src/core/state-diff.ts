// What became of users and licenses, member by member. Takes them as they were and as they are, gives what is
// new, what is gone, and each member that is another than before. Pure.

import { seen } from './format.ts';
import type { JsonObject, JsonValue } from './model.ts';

/** What stands for absent. */
export const NOTHING = '–';

/** A member that changed; `from` and `to` are texts to be shown. */
export interface MemberChange {
  readonly what: string;
  readonly from: string;
  readonly to: string;
}

/** What became of one user or license. */
export interface ItemChange {
  readonly id: string;
  readonly kind: 'new' | 'gone' | 'changed' | 'same';
  readonly changes: readonly MemberChange[];
}

/** @returns one for each user or license, in the order in which they came */
export function itemChanges({
  before,
  after,
}: {
  readonly before: readonly JsonObject[];
  readonly after: readonly JsonObject[];
}): readonly ItemChange[] {
  const was = new Map(before.map((item) => [item['id'], item]));
  const is = new Map(after.map((item) => [item['id'], item]));
  return [...new Set([...was.keys(), ...is.keys()])].map((key) => {
    const [old, now] = [was.get(key), is.get(key)];
    const id = String(key);
    if (now === undefined) return { id, kind: 'gone', changes: [] };
    const changes = changesOf(old, now);
    if (old === undefined) return { id, kind: 'new', changes };
    return { id, kind: changes.length === 0 ? 'same' : 'changed', changes };
  });
}

/** The members that differ; of what is new, those that say something. */
function changesOf(old: JsonObject | undefined, now: JsonObject): readonly MemberChange[] {
  const [before, after] = [flat(old ?? {}), flat(now)];
  const names = [...new Set([...after.keys(), ...before.keys()])].filter((name) => name !== 'id');
  return names.flatMap((name) => {
    const [from, to] = [before.get(name) ?? null, after.get(name) ?? null];
    if (JSON.stringify(from) === JSON.stringify(to)) return [];
    if (old === undefined && (to === false || to === null)) return [];
    return [{ what: name, from: cell(from), to: cell(to) }];
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
