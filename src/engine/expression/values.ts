// Values inside formulas: what counts as blank, results of steps that only the run will know, and
// the way back from JSONata's objects to plain JSON. Never evaluates anything.

import { AppError } from '../../core/error-codes.ts';
import type { JsonObject, JsonValue } from '../../core/model.ts';

/** The result of a step, known only when the plan runs: `user.id`. */
export class RunReference {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A choice among values of which the first ones are known only when the plan runs. */
export class DeferredChoice {
  readonly alternatives: readonly unknown[];
  constructor(alternatives: readonly unknown[]) {
    this.alternatives = alternatives;
  }
}

export function isDeferred(value: unknown): value is RunReference | DeferredChoice {
  return value instanceof RunReference || value instanceof DeferredChoice;
}

/**
 * Missing, null, [], {} and a text of nothing but white space: what `$first` passes over and a
 * condition's `null` means.
 */
export function isBlank(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === 'string') return value.trim() === '';
  if (typeof value !== 'object' || isDeferred(value)) return false;
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

/**
 * The same value without nulls, at any depth: null is absent, in the event as in results. What holds no null is
 * not copied, which is most of an event; nobody may change what this gives.
 */
export function withoutNulls(value: JsonValue): JsonValue | undefined {
  if (value === null) return undefined;
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    const items = value.map(withoutNulls);
    const isSame = items.every((item, index) => item === value[index]);
    return isSame ? value : items.filter((item) => item !== undefined);
  }
  let copy: JsonObject | undefined;
  const names = Object.keys(value);
  for (const [index, name] of names.entries()) {
    const member = value[name] as JsonValue;
    const kept = withoutNulls(member);
    if (copy === undefined && kept !== member) copy = firstMembers(value, names.slice(0, index));
    if (copy !== undefined && kept !== undefined) defineMember(copy, name, kept);
  }
  return copy ?? value;
}

function firstMembers(value: JsonObject, names: readonly string[]): JsonObject {
  const copy: JsonObject = {};
  for (const name of names) defineMember(copy, name, value[name] as JsonValue);
  return copy;
}

function defineMember(target: JsonObject, key: string, value: JsonValue): void {
  // Ten times faster than what follows, and every event is copied.
  if (key !== '__proto__') {
    target[key] = value;
    return;
  }
  // So that a member called "__proto__" stays an ordinary member.
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/** What a formula gave, as plain JSON; references become `{ $ref }` and `{ $firstOf }`. */
export type PlainResult = JsonValue | undefined;

/**
 * JSONata's results share the event's objects and carry members of their own, so they are copied.
 * @throws AppError FORMULA_FAILED when the result is a function or no number.
 */
export function toPlain(value: unknown): PlainResult {
  if (value === undefined || value === null) return undefined;
  if (value instanceof RunReference) return { $ref: value.name };
  if (value instanceof DeferredChoice) {
    const alternatives = value.alternatives.map(toPlain).filter((item) => item !== undefined);
    return alternatives.length === 1 ? alternatives[0] : { $firstOf: alternatives };
  }
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    throw new AppError('FORMULA_FAILED', 'the result is no number (a division by zero?)');
  }
  if (Array.isArray(value)) return value.map(toPlain).filter((item) => item !== undefined);
  if (typeof value === 'object' && !isFunctionValue(value)) {
    const copy: JsonObject = {};
    for (const [key, member] of Object.entries(value)) {
      // Only a rule may refer to a result; an event that says "$ref" is not believed.
      if (key === '$ref' || key === '$firstOf') {
        throw new AppError('FORMULA_FAILED', `the result has a member called "${key}"`);
      }
      const kept = toPlain(member);
      if (kept !== undefined) defineMember(copy, key, kept);
    }
    return copy;
  }
  throw new AppError('FORMULA_FAILED', 'the result is a function; does it lack its ( )?');
}

/** A function, as JSONata keeps it. */
export function isFunctionValue(value: object): boolean {
  return '_jsonata_lambda' in value || '_jsonata_function' in value;
}

/** A value as a person reads it, short. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** What a value is, in the words of the documentation. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'number') return 'a number';
  if (typeof value === 'boolean') return 'true or false';
  return 'a map';
}
