// What one evaluation of a formula by JSONata may make and how long it may take. Takes what each part of the
// formula gave, throws FORMULA_TOO_LARGE when it is too much. JSONata's own guardrails count the items of one list,
// and look at the time only between two parts of a formula.

import { requireTextLength, requireValueSize, sizeOf, tooLarge } from './size-limits.ts';
import type { AstNode } from './syntax.ts';

/** In all, in bytes or so: a formula may throw away what it made, but not without end. */
const MADE_MAX = 32 * 1024 * 1024;
const ITEM_BYTES = 8;

/** What JSONata looks names up in. */
export interface Environment {
  lookup(name: string): unknown;
}

/** A name that no formula can write; by it the parts of an evaluation find its budget. */
export const BUDGET = ' budget';

export class Budget {
  readonly #startedMs = Date.now();
  #made = 0;
  /** Behind the part that was evaluated last: JSONata does not say where a list became too long. */
  position: number | undefined;

  static of(environment: Environment): Budget {
    return environment.lookup(BUDGET) as Budget;
  }

  requireTime(maxMs: number): void {
    if (Date.now() - this.#startedMs <= maxMs) return;
    const message = `Evaluation timeout after ${maxMs} milliseconds`;
    throw Object.assign(new Error(message), { code: 'D1012', value: maxMs });
  }

  /** @param what is said to have given it @param isNew false where it was there before */
  count(what: string, value: unknown, isNew = true): void {
    if (typeof value === 'string') {
      requireTextLength(what, value.length);
      this.#add(what, value.length);
    } else if (typeof value === 'object' && value !== null) {
      requireValueSize(what, sizeOf(value));
      if (isNew && Array.isArray(value)) this.#add(what, value.length * ITEM_BYTES);
    }
  }

  #add(what: string, bytes: number): void {
    this.#made += bytes;
    if (this.#made > MADE_MAX) {
      throw tooLarge(`the formula (at ${what})`, `${this.#made} bytes in all`, MADE_MAX);
    }
  }
}

/** Called by JSONata behind each part: lists and maps that are written down are made by no function. */
export function countPart(
  { type, value, group, position }: AstNode,
  _input: unknown,
  environment: Environment,
  result: unknown,
): void {
  const budget = Budget.of(environment);
  if (position !== undefined) budget.position = position;
  if (typeof result !== 'object' || result === null) return;
  const isPath = type === 'path';
  const makes = isPath || type === 'unary' || value === '..' || group !== undefined;
  const { tupleStream, sequence } = result as { tupleStream?: boolean; sequence?: boolean };
  // JSONata's notes on where each item came from: no value of the formula.
  if (!makes || tupleStream === true) return;
  try {
    budget.count(isPath ? 'a path' : 'a list or a map', result, !isPath || sequence === true);
  } catch (error) {
    throw Object.assign(error as object, { position: budget.position });
  }
}

const TOO_MANY_ITEMS: ReadonlySet<unknown> = new Set(['D2014', 'D2015']);

/** What ended an evaluation: of lists that are too long with our code, and where. */
export function asTooLarge(error: unknown, { position }: Budget, itemsMax: number): unknown {
  const { code, value, position: known } = error as Record<'code' | 'value' | 'position', unknown>;
  if (!TOO_MANY_ITEMS.has(code)) return error;
  return Object.assign(tooLarge('a list', `${String(value)} items`, itemsMax), {
    position: known ?? position,
  });
}
