// The function library of formulas. Takes values of an event, gives values.
// Each function replaces a JSONata operator that bites (docs/rules.md, "Formulas"). No clock, no
// randomness, no network; what is wrong with a value is said in an AppError FORMULA_FAILED.

import { AppError } from '../../core/error-codes.ts';
import { addInterval, parseInstant, parseInterval } from '../../core/interval.ts';
import type { JsonObject } from '../../core/model.ts';
import type { OWN_FUNCTIONS } from './function-names.ts';
import { requireTextLength } from './size-limits.ts';
import { DeferredChoice, describeValue, isBlank, isDeferred, kindOf } from './values.ts';

/** What is sold: looked up by key, never walked. */
export interface CatalogLookup {
  readonly size: number;
  get(key: string): JsonObject | undefined;
}

/** The same for whoever checks what it names. */
export interface Catalog extends CatalogLookup {
  values(): Iterable<JsonObject>;
  /** With the keys, in the order in which they stand in the file. */
  entries(): Iterable<readonly [key: string, entry: JsonObject]>;
}

type LibraryFunction = (...parameters: never[]) => unknown;
type Library = Readonly<Record<(typeof OWN_FUNCTIONS)[number], LibraryFunction>>;

const INTERVAL_UNITS: ReadonlyMap<unknown, string> = new Map([
  ['day', 'D'],
  ['week', 'W'],
  ['month', 'M'],
  ['year', 'Y'],
]);

/** The year 9999; what lies beyond was given in milliseconds. */
const UNIX_SECONDS_MAX = 253_402_300_799;

/** The library over one rule file's catalog. */
export function createLibrary(catalog: CatalogLookup): Library {
  return {
    first,
    if: (condition: unknown, then: unknown, otherwise?: unknown) =>
      truthy(condition) ? then : otherwise,
    id: idOf,
    one,
    need: (value: unknown, message?: unknown) => {
      if (!isBlank(value)) return value;
      throw new AppError('FORMULA_FAILED', String(message ?? 'a needed value is missing'));
    },
    catalog: (...keys: unknown[]) => lookUp(catalog, keys),
    interval: (frequency: unknown, unit: unknown) => {
      const count = wholeNumber(frequency);
      const letter = INTERVAL_UNITS.get(unit);
      if (count !== undefined && count > 0 && letter !== undefined) return `P${count}${letter}`;
      const given = `${describeValue(frequency)} and ${describeValue(unit)}`;
      const needs = 'a whole number and one of "day", "week", "month", "year"';
      throw new AppError('FORMULA_FAILED', `$interval needs ${needs}, not ${given}`);
    },
    words: (text: unknown) => {
      if (isBlank(text)) return undefined;
      const [head = '', ...tail] = textOf('$words', text).trim().split(/\s+/);
      if (head === '') return undefined;
      return tail.length === 0 ? { first: head } : { first: head, rest: tail.join(' ') };
    },
    unix: (seconds: unknown) => {
      if (isBlank(seconds)) return undefined;
      const count = typeof seconds === 'string' ? wholeNumber(seconds) : seconds;
      if (typeof count !== 'number' || !(Math.abs(count) <= UNIX_SECONDS_MAX)) {
        const isLate = typeof count === 'number' && count > UNIX_SECONDS_MAX;
        const given = `${describeValue(seconds)}${isLate ? ' (are these milliseconds?)' : ''}`;
        throw new AppError('FORMULA_FAILED', `$unix needs seconds since 1970, not ${given}`);
      }
      return new Date(count * 1000).toISOString();
    },
    plus: (date: unknown, interval: unknown) => {
      if (isBlank(date)) return undefined;
      const startMs = parseInstant(textOf('$plus', date));
      const length = parseInterval(textOf('$plus', interval));
      const endMs =
        startMs === undefined || length === undefined ? undefined : addInterval(startMs, length);
      if (endMs === undefined) {
        const given = `${describeValue(date)} and ${describeValue(interval)}`;
        const needs = 'a date and an interval like "P3D"';
        throw new AppError('FORMULA_FAILED', `$plus needs ${needs}, not ${given}`);
      }
      return new Date(endMs).toISOString();
    },
  };
}

/** The first that is not blank. A result of a step may still turn out blank, so the rest stays with it. */
function first(...values: unknown[]): unknown {
  const candidates = values.filter((value) => !isBlank(value));
  const [found] = candidates;
  return isDeferred(found) ? new DeferredChoice(candidates) : found;
}

/** `a ?? b` where `a` may be a result of a step: `b` is evaluated only where it is needed. */
export async function orElse(value: unknown, otherwise: unknown): Promise<unknown> {
  if (!isDeferred(value)) return value;
  const callable = otherwise as { apply(self: unknown, parameters: unknown[]): Promise<unknown> };
  const second = await callable.apply(null, []);
  return second === undefined ? value : new DeferredChoice([value, second]);
}

function idOf(value: unknown): unknown {
  if (isBlank(value)) return undefined;
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) {
    return value.map(idOf).filter((id) => id !== undefined);
  }
  if (typeof value === 'object') return idOf((value as { id?: unknown }).id);
  throw new AppError(
    'FORMULA_FAILED',
    `$id needs an object or a text, not ${describeValue(value)}`,
  );
}

function one(list: unknown, message?: unknown): unknown {
  const items = Array.isArray(list) ? list : isBlank(list) ? [] : [list];
  if (items.length === 1) return items[0];
  const found = items.length === 0 ? 'there is none' : `there are ${items.length}`;
  throw new AppError('FORMULA_FAILED', `${String(message ?? 'exactly one is needed')} (${found})`);
}

function lookUp(catalog: CatalogLookup, keys: readonly unknown[]): unknown {
  if (keys.length === 0) return catalog.size;
  for (const key of keys.flat()) {
    if (isBlank(key)) continue;
    const entry = catalog.get(textOf('$catalog', key));
    if (entry !== undefined) return entry;
  }
  return undefined;
}

/**
 * Stands in for `a & b`: JSONata turns what is missing into "" and objects into JSON, and so makes
 * one shared user of all customers without an id.
 */
export function concatenate(left: unknown, right: unknown): string {
  const [one, other] = [left, right].map((side) => {
    if (typeof side === 'string' || typeof side === 'number') return String(side);
    const what = isBlank(side) ? 'one side is missing' : `one side is ${kindOf(side)}`;
    throw new AppError('FORMULA_FAILED', `"&" joins two texts; ${what}`);
  }) as [string, string];
  requireTextLength('"&"', one.length + other.length);
  return one + other;
}

/** `$not` of something missing is true; JSONata's is missing, and a filter then drops the item. */
export function not(value: unknown): boolean {
  return !truthy(value);
}

/** JSONata's `$number` takes true, "0x10" and " 5"; here a text of digits is needed. */
export function number(value: unknown): number | undefined {
  if (isBlank(value)) return undefined;
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value)) return Number(value);
  throw new AppError('FORMULA_FAILED', `$number needs digits, not ${describeValue(value)}`);
}

/**
 * JSONata's `$toMillis` takes what a picture leaves open from today's date, and reads a time without
 * an offset by the clock of the machine. Here it takes a whole instant.
 */
export function toMillis(date: unknown, picture?: unknown): number | undefined {
  if (isBlank(date)) return undefined;
  const instantMs = picture === undefined ? parseInstant(textOf('$toMillis', date)) : undefined;
  if (instantMs !== undefined) return instantMs;
  const needs = 'one date in ISO 8601, with its offset where there is a time';
  throw new AppError('FORMULA_FAILED', `$toMillis needs ${needs}, not ${describeValue(date)}`);
}

function truthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(truthy);
  return !isBlank(value) && value !== false && value !== 0;
}

function wholeNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value !== 'string' || !/^-?\d+$/.test(value)) return undefined;
  const count = Number(value);
  return Number.isSafeInteger(count) ? count : undefined;
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new AppError('FORMULA_FAILED', `${name} needs a text, not ${describeValue(value)}`);
}
