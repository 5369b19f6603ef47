// Compares the lists of a rule test with what was seen: licenses and users in any order, plans and
// requests in theirs. Takes items, gives differences with each expected item beside the one that is
// nearest to it, so that a person sees what is wrong with it.

import type { JsonObject, JsonValue } from '../../core/model.ts';
import type { YamlPath } from '../diagnostics/yaml-places.ts';
import { compareValue, type Difference, type Draft, itemOf } from './compare-values.ts';

type Differences = readonly Difference[];

/**
 * Each expected item has a counterpart of its own, wherever it stands. An empty list means none.
 * @param exact whether nothing else may be there
 */
export function pairInAnyOrder(
  expected: readonly JsonObject[],
  seen: readonly JsonObject[],
  at: Draft,
  exact: boolean,
): Differences {
  const table = expected.map((item, index) =>
    seen.map((other) => compareItem(item, other, itemOf(at, index), exact)),
  );
  const partners = perfectPairs(table);
  const taken = new Set(partners.values());
  const differences: Difference[] = [];
  for (const [index, item] of expected.entries()) {
    if (partners.has(index)) continue;
    // Where there is only one of each, they are meant for each other however much differs.
    const isOnly = expected.length === 1 && seen.length === 1;
    const most = isOnly ? Number.POSITIVE_INFINITY : Math.max(leavesOf(item), 2);
    const nearest = nearestOf(table[index] ?? [], taken, most);
    if (nearest === undefined) {
      differences.push({ ...itemOf(at, index), kind: 'absent', expected: item });
      continue;
    }
    taken.add(nearest);
    differences.push(...(table[index]?.[nearest] ?? []));
  }
  if (!exact && expected.length > 0) return differences;
  const further = seen.filter((_, index) => !taken.has(index));
  return [...differences, ...further.map((item) => surplus(item, at, expected[0]))];
}

/** Pairs that fit wholly, as many as there can be: no pair takes another's only partner. */
function perfectPairs(table: readonly (readonly Differences[])[]): ReadonlyMap<number, number> {
  const ownerOf = new Map<number, number>();
  const place = (index: number, tried: Set<number>): boolean => {
    for (const [column, differences] of (table[index] ?? []).entries()) {
      if (differences.length > 0 || tried.has(column)) continue;
      tried.add(column);
      const owner = ownerOf.get(column);
      if (owner === undefined || place(owner, tried)) {
        ownerOf.set(column, index);
        return true;
      }
    }
    return false;
  };
  for (const index of table.keys()) place(index, new Set());
  return new Map([...ownerOf].map(([column, index]) => [index, column]));
}

/** The free one that differs least, and in fewer places than that: one that agrees in nothing is no counterpart. */
function nearestOf(
  row: readonly Differences[],
  taken: ReadonlySet<number>,
  most: number,
): number | undefined {
  let nearest: number | undefined;
  let least = most;
  for (const [column, { length }] of row.entries()) {
    if (taken.has(column) || length >= least) continue;
    nearest = column;
    least = length;
  }
  return nearest;
}

function leavesOf(value: JsonValue): number {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 1;
  return Object.values(value).reduce<number>((sum, member) => sum + leavesOf(member), 0);
}

/** Of what was not expected, the members that matter are those named of the others. */
function surplus(item: JsonObject, at: Draft, like: JsonObject | undefined): Difference {
  const names = like === undefined ? SURPLUS_MEMBERS : Object.keys(like);
  const kept = names.filter((name) => !isEmpty(item[name]));
  const shown = kept.length === 0 ? item : pick(item, kept);
  return { ...at, kind: 'surplus', seen: shown };
}

function isEmpty(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || JSON.stringify(value) === '{}';
}

const SURPLUS_MEMBERS = [
  ...['email', 'firstName', 'lastName', 'company'],
  ...['productId', 'user', 'subscriptionInterval', 'expiresAt', 'suspended', 'metadata'],
  ...['method', 'path'],
];

function pick(item: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, item[name] ?? null]));
}

/** More than any number of differences inside one pair. */
const WHOLE_ITEM = 1_000;

/**
 * Expected items in the order of what was seen; further ones may stand between them, unless `exact`.
 * An empty list means none.
 */
export function alignInOrder(
  expected: readonly JsonObject[],
  seen: readonly JsonObject[],
  at: Draft,
  exact: boolean,
): Differences {
  const isWhole = exact || expected.length === 0;
  const pairs = expected.map((item, index) =>
    seen.map((other) => compareItem(item, other, itemOf(at, index), exact)),
  );
  // cost[i][j]: the least that differs between expected from i on and seen from j on.
  const cost: number[][] = [];
  const costOf = (i: number, j: number): number => cost[i]?.[j] ?? 0;
  const pairCost = (i: number, j: number): number => {
    const kin = isKin(expected[i], seen[j]);
    return kin ? (pairs[i]?.[j]?.length ?? 0) : Number.POSITIVE_INFINITY;
  };
  for (let i = expected.length; i >= 0; i -= 1) {
    cost[i] = [];
    for (let j = seen.length; j >= 0; j -= 1) {
      const row = cost[i] as number[];
      const choices = [
        ...(i < expected.length ? [WHOLE_ITEM + costOf(i + 1, j)] : []),
        ...(j < seen.length ? [costOf(i, j + 1)] : []),
        ...(i < expected.length && j < seen.length ? [pairCost(i, j) + costOf(i + 1, j + 1)] : []),
      ];
      row[j] = choices.length === 0 ? 0 : Math.min(...choices);
    }
  }
  const differences: Difference[] = [];
  for (let i = 0, j = 0; i < expected.length || j < seen.length; ) {
    const here = costOf(i, j);
    if (i < expected.length && j < seen.length && here === pairCost(i, j) + costOf(i + 1, j + 1)) {
      differences.push(...(pairs[i]?.[j] ?? []));
      i += 1;
      j += 1;
    } else if (j < seen.length && here === costOf(i, j + 1)) {
      const item = seen[j];
      if (isWhole && item !== undefined) differences.push({ ...at, kind: 'surplus', seen: item });
      j += 1;
    } else {
      differences.push({ ...itemOf(at, i), kind: 'absent', expected: expected[i] ?? null });
      i += 1;
    }
  }
  return differences;
}

/** Two steps of the same action, two requests of the same method. */
function isKin(expected: JsonObject | undefined, seen: JsonObject | undefined): boolean {
  if (expected === undefined || seen === undefined) return false;
  const action = actionOf(expected);
  if (action !== undefined) return action in seen;
  return expected['method'] === undefined || expected['method'] === seen['method'];
}

/** Actions are the only members of a step with a dot in them. */
function actionOf(step: JsonObject): string | undefined {
  return Object.keys(step).find((name) => name.includes('.'));
}

function compareItem(
  expected: JsonObject,
  seen: JsonObject,
  at: Draft,
  exact: boolean,
): Differences {
  return Object.entries(expected).flatMap(([name, value]) => {
    const place = { path: [...at.path, name] as YamlPath, label: `${at.label}.${name}` };
    const actual = seen[name] ?? null;
    // `license.renew: {}` and `license.renew:` ask for the action only.
    if (name.includes('.')) return compareValue(value ?? {}, actual, place, exact);
    if (name === 'path' && typeof value === 'string') {
      return pathFits(value, String(actual)) ? [] : compareValue(value, actual, place, exact);
    }
    // Of a license or a user `exact` goes into its metadata only: it has forty members.
    return compareValue(value, actual, place, exact && (name === 'metadata' || name === 'body'));
  });
}

/** `/v3/licenses/{id}/renew` fits any id. */
function pathFits(pattern: string, path: string): boolean {
  const parts = pattern.split('/');
  const seen = path.split('/');
  return (
    parts.length === seen.length &&
    parts.every((part, index) => /^\{\w+\}$/.test(part) || part === seen[index])
  );
}
