// JSONata's own functions with bounds on what they give and on the work that they do without a pause. Takes the
// functions that JSONata has, gives some that do the same, or throw FORMULA_TOO_LARGE before the memory is taken.

import jsonata from 'jsonata';
import { Budget, type Environment } from './budget.ts';
import { JSONATA_FUNCTIONS } from './function-names.ts';
import {
  jsonLength,
  requireTextLength,
  requireValueSize,
  sizeOf,
  tooLarge,
} from './size-limits.ts';

type Parameters = readonly unknown[];
type Implementation = (this: { environment: Environment }, ...given: Parameters) => unknown;

/** A function as JSONata keeps it. */
export interface NativeFunction {
  readonly _jsonata_function: true;
  readonly implementation: Implementation;
}

export interface EvaluationLimits {
  /** Milliseconds of one evaluation. */
  readonly timeout: number;
  /** Items of one list. */
  readonly sequence: number;
}

/** JSONata's functions by name. It hands them out only as values of formulas. */
export async function boundedFunctions(
  limits: EvaluationLimits,
): Promise<ReadonlyMap<string, NativeFunction>> {
  const bounded = new Map<string, NativeFunction>();
  for (const name of JSONATA_FUNCTIONS) {
    const native = (await jsonata(`$${name}`).evaluate({})) as NativeFunction;
    bounded.set(name, { ...native, implementation: boundedBy(name, native, limits) });
  }
  return bounded;
}

function boundedBy(
  name: string,
  { implementation: native }: NativeFunction,
  { timeout, sequence }: EvaluationLimits,
): Implementation {
  const what = `$${name}`;
  const check = CHECKS.get(name);
  const bounded = function (this: { environment: Environment }, ...given: Parameters): unknown {
    const budget = Budget.of(this.environment);
    budget.requireTime(timeout);
    const parameters = check?.(what, given, sequence) ?? given;
    const result = native.apply(this, [...parameters]);
    const counted = (value: unknown): unknown => {
      budget.count(what, value);
      return value;
    };
    return result instanceof Promise ? result.then(counted) : counted(result);
  };
  // JSONata looks at both: how many parameters a function takes, and what they are called.
  Object.defineProperty(bounded, 'length', { value: native.length });
  Object.defineProperty(bounded, 'toString', { value: () => native.toString() });
  return bounded;
}

/** Looks at the parameters before anything is made; may give others in their place. */
type Check = (what: string, given: Parameters, itemsMax: number) => Parameters | undefined;

/** A text is searched in its length times that of what is looked for, at worst; so many steps take 0.1 s. */
const SEARCH_STEPS_MAX = 2e8;
/** No search for a text as short as this takes long. */
const NEEDLE_LENGTH_FREE = 200;
/** Comparing each item with each other one. */
const COMPARE_STEPS_MAX = 2e8;
/** The picture of a number or a date is one line. */
const PICTURE_SIZE_MAX = 1_000;

const searches: Check = (what, [text, needle]) => {
  if (typeof text !== 'string' || typeof needle !== 'string') return undefined;
  const steps = text.length * needle.length;
  if (needle.length > NEEDLE_LENGTH_FREE && steps > SEARCH_STEPS_MAX) {
    throw tooLarge(what, `a search of ${steps} steps`, SEARCH_STEPS_MAX);
  }
  return undefined;
};

const hasPicture: Check = (what, given) => {
  for (const parameter of given) {
    const size = sizeOf(parameter);
    if (size > PICTURE_SIZE_MAX) {
      throw tooLarge(what, `a picture of ${size} characters`, PICTURE_SIZE_MAX);
    }
  }
  return undefined;
};

function requireShort(what: string, list: unknown, itemsMax: number): void {
  if (!Array.isArray(list) || list.length <= itemsMax) return;
  throw tooLarge(what, `a list of ${list.length} items`, itemsMax);
}

const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  [
    'pad',
    (what, [text, width, piece]) => {
      const pieceLength = typeof piece === 'string' ? Math.max(1, piece.length) : 1;
      const padLength = Math.abs(Number(width)) - String(text).length;
      if (padLength > 0) requireTextLength(what, String(text).length + padLength * pieceLength);
      return undefined;
    },
  ],
  [
    'join',
    (what, [list, separator = '']) => {
      if (!Array.isArray(list)) return undefined;
      const lengths = list.map((item) => String(item).length + String(separator).length);
      const sum = lengths.reduce((total, length) => total + length, 0);
      requireTextLength(what, sum - (list.length > 0 ? String(separator).length : 0));
      return undefined;
    },
  ],
  [
    'string',
    (what, [value, isPretty]) => {
      // What is a text already comes out as it is.
      if (typeof value === 'object') requireTextLength(what, jsonLength(value, isPretty ? 2 : 0));
      return undefined;
    },
  ],
  [
    'zip',
    (what, columns) => {
      const heights = columns.map((column) => (Array.isArray(column) ? column.length : 1));
      requireValueSize(what, Math.min(...heights) * columns.length);
      return undefined;
    },
  ],
  [
    'distinct',
    (what, [list], itemsMax) => {
      requireShort(what, list, itemsMax);
      const steps = Array.isArray(list) ? list.length * sizeOf(list) : 0;
      if (steps > COMPARE_STEPS_MAX) {
        throw tooLarge(what, `${steps} comparisons`, COMPARE_STEPS_MAX);
      }
      return undefined;
    },
  ],
  [
    'sort',
    (what, [list], itemsMax) => {
      requireShort(what, list, itemsMax);
      return undefined;
    },
  ],
  ...(['contains', 'split', 'substringBefore', 'substringAfter'] as const).map(
    (name) => [name, searches] as const,
  ),
  ...(['formatNumber', 'formatInteger', 'parseInteger', 'fromMillis'] as const).map(
    (name) => [name, hasPicture] as const,
  ),
  ['replace', replaces],
]);

function replaces(what: string, given: Parameters, itemsMax: number): Parameters | undefined {
  const [text, pattern, replacement, ...rest] = given;
  if (typeof text !== 'string') return undefined;
  if (typeof pattern !== 'string') {
    const length = { sum: text.length };
    const matcher = countingMatches(what, length, pattern as Matcher, replacement);
    return [text, matcher, countingReplacer(what, length, replacement), ...rest];
  }
  if (typeof replacement !== 'string' || pattern === '') return undefined;
  searches(what, given, itemsMax);
  const [limit = Number.POSITIVE_INFINITY] = rest;
  const found = Math.min(text.split(pattern).length - 1, Number(limit));
  requireTextLength(what, text.length + found * (replacement.length - pattern.length));
  return undefined;
}

interface Match {
  readonly match: string;
  readonly groups: readonly (string | undefined)[];
  next(): Promise<Match | undefined> | Match | undefined;
}
type Matcher = (text: string) => Promise<Match | undefined>;

/** A pattern that ends the search when the replacements of what it found are too long. */
function countingMatches(
  what: string,
  length: { sum: number },
  matcher: Matcher,
  replacement: unknown,
): Matcher {
  if (typeof replacement !== 'string') return matcher;
  const places = replacement.split('$').length - 1;
  const counted = (found: Match | undefined): Match | undefined => {
    if (found === undefined) return found;
    const { match, groups = [] } = found;
    const longest = Math.max(match.length, ...groups.map((group) => group?.length ?? 0));
    length.sum += replacement.length + places * longest - match.length;
    requireTextLength(what, length.sum);
    return { ...found, next: async () => counted(await found.next()) };
  };
  return async (searched) => counted(await matcher(searched));
}

/** The same for a function that gives the replacements. */
function countingReplacer(what: string, length: { sum: number }, replacement: unknown): unknown {
  if (typeof replacement !== 'function') return replacement;
  return async (...found: unknown[]): Promise<unknown> => {
    const text: unknown = await (replacement as (...found: unknown[]) => unknown)(...found);
    if (typeof text === 'string') length.sum += text.length;
    requireTextLength(what, length.sum);
    return text;
  };
}
