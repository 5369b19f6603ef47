// The input of a step. Takes what the plan holds and what earlier steps gave, gives values without
// references, and reads them by type. Never fills in what is missing.

import { AppError } from '../core/error-codes.ts';
import type { JsonObject, JsonValue } from '../core/model.ts';
import type { ActionStep } from './run.ts';

/**
 * Replaces `{ $ref }` and `{ $firstOf }` by what the run knows. What turns out blank is left out, but
 * never of a search: one criterion less would find the licenses of strangers.
 */
export function resolveInput(
  input: JsonObject,
  results: ReadonlyMap<string, JsonObject>,
): JsonObject {
  const resolved: JsonObject = {};
  for (const [name, value] of Object.entries(input)) {
    const known = name === 'find' ? keepBlanks(value, results) : resolveValue(value, results);
    if (known !== undefined) resolved[name] = known;
  }
  return resolved;
}

/** A criterion without a value stays as an empty text, which every search refuses. */
function keepBlanks(value: JsonValue, results: ReadonlyMap<string, JsonObject>): JsonValue {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap || '$ref' in value || '$firstOf' in value) return resolveValue(value, results) ?? '';
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, keepBlanks(member, results)]),
  );
}

function resolveValue(
  value: JsonValue,
  results: ReadonlyMap<string, JsonObject>,
): JsonValue | undefined {
  if (Array.isArray(value)) {
    return value.map((item) => resolveValue(item, results)).filter((item) => item !== undefined);
  }
  if (typeof value !== 'object' || value === null) return value;
  const { $ref: reference, $firstOf: alternatives } = value;
  if (typeof reference === 'string') return lookUp(reference, results);
  if (Array.isArray(alternatives)) {
    for (const alternative of alternatives) {
      const known = resolveValue(alternative, results);
      if (known !== undefined && known !== '') return known;
    }
    return undefined;
  }
  return resolveInput(value, results);
}

/** `user.id`: the member of an earlier step's result; blank ones are absent. */
function lookUp(
  reference: string,
  results: ReadonlyMap<string, JsonObject>,
): JsonValue | undefined {
  const dot = reference.lastIndexOf('.');
  const value = results.get(reference.slice(0, dot))?.[reference.slice(dot + 1)];
  return value === null || value === '' ? undefined : value;
}

export function text(step: ActionStep, name: string): string | undefined {
  const value = step.input[name];
  return typeof value === 'string' ? value : undefined;
}

/** @throws FIELD_MISSING when what the run gave is blank */
export function requiredText(step: ActionStep, name: string): string {
  const value = text(step, name);
  if (value !== undefined && value !== '') return value;
  const message = `${step.place}: ${step.action} has no ${name} after the steps before it`;
  throw new AppError('FIELD_MISSING', message);
}

export function integer(step: ActionStep, name: string): number | undefined {
  const value = step.input[name];
  return typeof value === 'number' ? value : undefined;
}

/** Metadata as a map of texts. */
export function texts(value: JsonValue | undefined): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  const map: Record<string, string> = {};
  for (const [key, member] of Object.entries(value)) {
    if (typeof member === 'string') map[key] = member;
  }
  return map;
}
