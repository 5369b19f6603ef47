// Compares one value of a rule test with what was seen. Takes both and where the first stands, gives what
// differs, as deep as it can be told. A date stands for the whole day, null for nothing.

import { parseInstant } from '../../core/interval.ts';
import type { JsonObject, JsonValue } from '../../core/model.ts';
import type { YamlPath } from '../diagnostics/yaml-places.ts';

/** A place of the test file that is being compared. */
export interface Draft {
  readonly path: YamlPath;
  /** As people read it: `licenses[0].expiresAt`. */
  readonly label: string;
}

export type Difference = Draft &
  (
    | {
        readonly kind: 'differs';
        readonly expected: JsonValue;
        readonly seen: JsonValue;
        readonly note?: string;
      }
    /** An item of a list that has no counterpart. */
    | { readonly kind: 'absent'; readonly expected: JsonValue }
    /** An item that was seen and not expected; the path is that of the list. */
    | { readonly kind: 'surplus'; readonly seen: JsonValue }
    /** Something that the expectation has to say; the path is that of the map it belongs into. */
    | {
        readonly kind: 'unsaid';
        readonly name: string;
        readonly seen: JsonValue;
        readonly note: string;
      }
  );

/**
 * What differs; nothing when what was seen is as expected.
 * @param exact whether maps may hold no members that were not expected
 */
export function compareValue(
  expected: JsonValue,
  seen: JsonValue | undefined,
  at: Draft,
  exact: boolean,
): readonly Difference[] {
  const actual = seen ?? null;
  if (isObject(expected) && isObject(actual)) return compareMaps(expected, actual, at, exact);
  if (sameValue(expected, actual)) return [];
  return [{ ...at, kind: 'differs', expected, seen: actual }];
}

function compareMaps(
  expected: JsonObject,
  seen: JsonObject,
  at: Draft,
  exact: boolean,
): readonly Difference[] {
  const differences = Object.entries(expected).flatMap(([name, value]) =>
    compareValue(value, seen[name], memberOf(at, name), exact),
  );
  if (!exact) return differences;
  const further = Object.entries(seen).filter(
    ([name, value]) => value !== null && expected[name] === undefined,
  );
  return [
    ...differences,
    ...further.map(
      ([name, value]): Difference => ({
        path: at.path,
        label: memberOf(at, name).label,
        kind: 'unsaid',
        name,
        seen: value,
        note: 'it is not expected (`exact`)',
      }),
    ),
  ];
}

/** A name that is none by itself stands in brackets. */
export function memberOf({ path, label }: Draft, name: string): Draft {
  const written = /^[\w$-]+$/.test(name) ? `.${name}` : `["${name}"]`;
  return { path: [...path, name], label: `${label}${written}` };
}

export function itemOf({ path, label }: Draft, index: number): Draft {
  return { path: [...path, index], label: `${label}[${index}]` };
}

function sameValue(expected: JsonValue, seen: JsonValue): boolean {
  if (Array.isArray(expected) && Array.isArray(seen)) {
    return (
      expected.length === seen.length &&
      expected.every((item, index) => sameValue(item, seen[index] ?? null))
    );
  }
  if (isObject(expected) && isObject(seen)) {
    const names = new Set([...Object.keys(expected), ...Object.keys(seen)]);
    return [...names].every((name) => sameValue(expected[name] ?? null, seen[name] ?? null));
  }
  if (expected === seen) return true;
  return typeof expected === 'string' && typeof seen === 'string' && sameMoment(expected, seen);
}

/** `2026-02-28` is any time of that day in UTC; a time is the same however it is written. */
function sameMoment(expected: string, seen: string): boolean {
  const seenMs = parseInstant(seen);
  const expectedMs = parseInstant(expected);
  if (seenMs === undefined || expectedMs === undefined) return false;
  if (expected.length === 10) return new Date(seenMs).toISOString().startsWith(expected);
  return expectedMs === seenMs;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
