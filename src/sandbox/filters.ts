// Filters of a list. Takes query parameters as sent and the fields a resource has, gives a test on
// rows, and what an index could narrow the search by. Never touches the store.

import { formatInstant, parseInstant } from '../core/interval.ts';
import { splitName } from './parameters.ts';
import type { SandboxMetadata } from './types.ts';

type Text = string | null;

/** How a resource is asked for one of its fields. */
export type Field<R> =
  /** A text. `blind` fields are compared without regard to case. */
  | { readonly kind: 'text'; readonly read: (row: R) => Text; readonly blind?: boolean }
  /** Several texts, any of which may fit. */
  | { readonly kind: 'texts'; readonly read: (row: R) => readonly string[] }
  | { readonly kind: 'number'; readonly read: (row: R) => number | null }
  /** Instants as the API writes them; they compare as texts, all being seven-digit UTC. */
  | { readonly kind: 'date'; readonly read: (row: R) => Text }
  /** Takes the plain form only. */
  | { readonly kind: 'boolean'; readonly read: (row: R, nowMs: number) => boolean }
  /** Takes the plain form only; any of the texts may be equal. */
  | { readonly kind: 'plain'; readonly read: (row: R) => readonly string[] }
  | { readonly kind: 'metadataKey' }
  | { readonly kind: 'metadataValue' };

export interface Filterable<R> {
  readonly fields: Readonly<Record<string, Field<R>>>;
  readonly metadataOf: (row: R) => readonly SandboxMetadata[];
  /** What the free-text search looks into. */
  readonly searched: (row: R) => readonly Text[];
}

export type Test<T> = (value: T) => boolean;

export type FilterResult<R> =
  | {
      readonly kind: 'ok';
      readonly test: Test<R>;
      /** Fields with one wanted value, as `metadata.value` → `sub_1`: what an index may use. */
      readonly wanted: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'invalid'; readonly message: string };

export interface FilterOptions {
  readonly metadataMatch: 'anyEntry' | 'sameEntry';
  readonly nowMs: number;
}

const RESERVED = new Set(['page', 'limit', 'sort']);

/** Builds the test. Empty values and unknown names count as not sent; of a repeated name the first counts. */
export function buildFilter<R>(
  target: Filterable<R>,
  query: readonly (readonly [string, string])[],
  options: FilterOptions,
): FilterResult<R> {
  const tests: Test<R>[] = [];
  const keyTests: Test<string>[] = [];
  const valueTests: Test<string>[] = [];
  const wanted = new Map<string, string>();
  const seen = new Set<string>();

  for (const [name, value] of query) {
    if (value === '' || RESERVED.has(name) || seen.has(name)) continue;
    seen.add(name);
    if (name === 'search' || name === 'query') {
      tests.push(searchTest(target, value));
      continue;
    }
    const { field: fieldName, operator } = splitName(name);
    const field = Object.hasOwn(target.fields, fieldName) ? target.fields[fieldName] : undefined;
    if (field === undefined) continue;
    const takesOperator = field.kind !== 'plain' && field.kind !== 'boolean';
    if (operator === undefined || (operator === 'eq' && takesOperator)) {
      wanted.set(fieldName, value);
    }
    const asked = { operator: operator ?? 'eq', value };
    if (field.kind === 'metadataKey' || field.kind === 'metadataValue') {
      const test = textTest(asked);
      if (test !== undefined) (field.kind === 'metadataKey' ? keyTests : valueTests).push(test);
      continue;
    }
    const test = fieldTest(field, operator, value, options.nowMs);
    if (test === 'invalid') return { kind: 'invalid', message: `query/${name} is invalid` };
    if (test !== undefined) tests.push(test);
  }
  const metadata = metadataTest(target, keyTests, valueTests, options.metadataMatch);
  if (metadata !== undefined) tests.push(metadata);
  return { kind: 'ok', wanted, test: (row) => tests.every((test) => test(row)) };
}

function metadataTest<R>(
  target: Filterable<R>,
  keyTests: readonly Test<string>[],
  valueTests: readonly Test<string>[],
  match: FilterOptions['metadataMatch'],
): Test<R> | undefined {
  if (keyTests.length + valueTests.length === 0) return undefined;
  const keyFits = (entry: SandboxMetadata): boolean => keyTests.every((test) => test(entry.key));
  const valueFits = (entry: SandboxMetadata): boolean =>
    valueTests.every((test) => test(entry.value));
  if (match === 'sameEntry') {
    return (row) => target.metadataOf(row).some((entry) => keyFits(entry) && valueFits(entry));
  }
  return (row) => {
    const entries = target.metadataOf(row);
    return entries.some(keyFits) && entries.some(valueFits);
  };
}

function searchTest<R>(target: Filterable<R>, value: string): Test<R> {
  const needle = value.toLowerCase();
  return (row) => target.searched(row).some((text) => text?.toLowerCase().includes(needle));
}

/** Undefined where the parameter is ignored: an operator that the field does not know. */
function fieldTest<R>(
  field: Exclude<Field<R>, { kind: 'metadataKey' | 'metadataValue' }>,
  operator: string | undefined,
  value: string,
  nowMs: number,
): Test<R> | 'invalid' | undefined {
  const asked = { operator: operator ?? 'eq', value };
  switch (field.kind) {
    case 'text': {
      const test = textTest(asked, field.blind);
      return test && ((row) => test(field.read(row)));
    }
    case 'texts': {
      const test = textTest(asked);
      const denies = DENIALS.has(asked.operator);
      // "Not this one" must hold for each of several texts, "this one" for any.
      return test && ((row) => (denies ? field.read(row).every(test) : field.read(row).some(test)));
    }
    case 'number': {
      const wanted = Number(value);
      if (Number.isNaN(wanted)) return 'invalid';
      const test = orderTest(asked.operator, wanted);
      return test && ((row) => test(field.read(row)));
    }
    case 'date': {
      const wantedMs = parseInstant(value);
      if (wantedMs === undefined) return 'invalid';
      const test = orderTest(asked.operator, formatInstant(wantedMs));
      return test && ((row) => test(field.read(row)));
    }
    case 'boolean':
      if (operator !== undefined) return undefined;
      if (value !== 'true' && value !== 'false') return 'invalid';
      return (row) => field.read(row, nowMs) === (value === 'true');
    case 'plain':
      return operator === undefined ? (row) => field.read(row).includes(value) : undefined;
    default:
      return field satisfies never;
  }
}

interface Asked {
  readonly operator: string;
  readonly value: string;
}

const DENIALS = new Set(['ne', 'nc', 'nin']);

/** Null is equal to nothing: it passes denials only. */
function textTest(asked: Asked, blind = false): Test<Text> | undefined {
  const fold = (text: string): string => (blind ? text.toLowerCase() : text);
  const wanted = fold(asked.value);
  const listed = new Set(wanted.split(','));
  const affirms = (test: Test<string>): Test<Text> => {
    return (text) => text !== null && test(fold(text));
  };
  const denies = (test: Test<string>): Test<Text> => {
    return (text) => text === null || !test(fold(text));
  };
  switch (asked.operator) {
    case 'eq':
      return affirms((text) => text === wanted);
    case 'ne':
      return denies((text) => text === wanted);
    case 'sw':
      return affirms((text) => text.startsWith(wanted));
    case 'ew':
      return affirms((text) => text.endsWith(wanted));
    case 'cn':
      return affirms((text) => text.includes(wanted));
    case 'nc':
      return denies((text) => text.includes(wanted));
    case 'in':
      return affirms((text) => listed.has(text));
    case 'nin':
      return denies((text) => listed.has(text));
    default:
      return undefined;
  }
}

/** As in SQL, null is neither before nor after anything. */
function orderTest<T extends number | string>(
  operator: string,
  wanted: T,
): Test<T | null> | undefined {
  switch (operator) {
    case 'eq':
      return (value) => value === wanted;
    case 'ne':
      return (value) => value !== wanted;
    case 'gt':
      return (value) => value !== null && value > wanted;
    case 'gte':
      return (value) => value !== null && value >= wanted;
    case 'lt':
      return (value) => value !== null && value < wanted;
    case 'lte':
      return (value) => value !== null && value <= wanted;
    default:
      return undefined;
  }
}
