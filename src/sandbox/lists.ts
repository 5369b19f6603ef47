// One page of a list. Takes a resource's rows and the query, gives the page or a refusal.
// Never changes anything; an index only narrows what is looked at.

import { type Answer, jsonAnswer, refusal } from './answer.ts';
import { buildFilter, type Field, type Filterable } from './filters.ts';
import type { Row, Table } from './table.ts';

const LIMIT_MAX = 100;

export interface ListSource<R extends Row> {
  readonly table: Table<R>;
  readonly filterable: Filterable<R>;
  /** Rows that an index gives for the wanted values: all that can fit, or undefined without an index. */
  readonly narrow: (wanted: ReadonlyMap<string, string>) => readonly R[] | undefined;
  readonly toWire: (row: R) => object;
}

export interface ListOptions {
  readonly metadataMatch: 'anyEntry' | 'sameEntry';
  readonly defaultLimit: number;
  readonly nowMs: number;
  readonly staleListMs: number;
}

type Query = readonly (readonly [string, string])[];

/** Answers `page`, `limit`, `sort`, `search` and the filters with a bare array. */
export function listRows<R extends Row>(
  source: ListSource<R>,
  query: Query,
  options: ListOptions,
): Answer {
  const page = readInteger(query, 'page', 1, Number.MAX_SAFE_INTEGER) ?? 1;
  const limit = readInteger(query, 'limit', 1, LIMIT_MAX) ?? options.defaultLimit;
  if (page === 'invalid') return refusal(400, 'query/page must be a whole number from 1');
  if (limit === 'invalid') return refusal(400, `query/limit must be from 1 to ${LIMIT_MAX}`);
  const filter = buildFilter(source.filterable, query, options);
  if (filter.kind === 'invalid') return refusal(400, filter.message);
  const compare = readSort(source.filterable.fields, query, options.nowMs);
  if (compare === 'invalid') return refusal(400, 'query/sort names no property to sort by');

  // With nothing stale, even a millisecond ahead of the present is seen.
  const hiddenAfterMs = options.staleListMs > 0 ? options.nowMs - options.staleListMs : Infinity;
  const candidates = source.table.list(source.narrow(filter.wanted), hiddenAfterMs);
  const first = (page - 1) * limit;
  const rows =
    compare === undefined
      ? takePage(candidates, filter.test, first, limit)
      : candidates
          .filter(filter.test)
          .sort(compare)
          .slice(first, first + limit);
  return jsonAnswer(200, rows.map(source.toWire));
}

/** Stops as soon as the page is full: the first page of a long list must not cost the whole list. */
function takePage<R>(
  rows: readonly R[],
  test: (row: R) => boolean,
  first: number,
  limit: number,
): R[] {
  const page: R[] = [];
  let fitting = 0;
  for (const row of rows) {
    if (!test(row)) continue;
    fitting += 1;
    if (fitting > first) page.push(row);
    if (page.length === limit) break;
  }
  return page;
}

function readInteger(
  query: Query,
  name: string,
  min: number,
  max: number,
): number | 'invalid' | undefined {
  const text = query.find(([key]) => key === name)?.[1];
  if (text === undefined || text === '') return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : 'invalid';
}

type Compare<R> = (a: R, b: R) => number;

function readSort<R>(
  fields: Readonly<Record<string, Field<R>>>,
  query: Query,
  nowMs: number,
): Compare<R> | 'invalid' | undefined {
  const text = query.find(([key]) => key === 'sort')?.[1];
  if (text === undefined || text === '') return undefined;
  const downwards = text.startsWith('-');
  const name = downwards ? text.slice(1) : text;
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field === undefined) return 'invalid';
  const read = sortKey(field, nowMs);
  if (read === undefined) return 'invalid';
  const sign = downwards ? -1 : 1;
  return (a, b) => sign * compareKeys(read(a), read(b));
}

type SortKey = string | number | boolean | null;

function sortKey<R>(field: Field<R>, nowMs: number): ((row: R) => SortKey) | undefined {
  switch (field.kind) {
    case 'text':
    case 'number':
    case 'date':
      return field.read;
    case 'boolean':
      return (row) => field.read(row, nowMs);
    default:
      return undefined;
  }
}

/** Null comes first, as in the databases that the vendor's server runs on. */
function compareKeys(a: SortKey, b: SortKey): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}
