// Changing one value of a sample by its path. Takes JSON and a dotted path (`data.items.0.quantity`), gives
// changed JSON, or why there is no such place. Pure: what it is given stays as it was.

import type { JsonObject, JsonValue } from './model.ts';

export type SampleEdit =
  | { readonly kind: 'edited'; readonly value: JsonObject }
  /** `at` is the part of the path up to which the sample goes along; empty for its root. */
  | { readonly kind: 'no_place'; readonly at: string; readonly reason: string };

/** `data.items[0].id` and `data.items.0.id` are the same path. */
export function pathSteps(path: string): readonly string[] {
  return path.replaceAll(/\[(\d+)\]/g, '.$1').split('.');
}

/** The value at a path; undefined where there is none. */
export function valueAt(data: JsonValue, path: string): JsonValue | undefined {
  let found: JsonValue | undefined = data;
  for (const step of pathSteps(path)) {
    if (Array.isArray(found)) found = isIndex(step) ? found[Number(step)] : undefined;
    else if (isMap(found) && Object.hasOwn(found, step)) found = found[step];
    else return undefined;
  }
  return found;
}

/**
 * Puts a value at a path. Maps on the way that are missing or null are made; a list takes an index
 * that it has, or the next one.
 */
export function setPath(data: JsonObject, path: string, value: JsonValue): SampleEdit {
  return edit(data, path, (parent, step) => {
    if (!Array.isArray(parent)) return { ...parent, [step]: value };
    return isIndex(step) && Number(step) <= parent.length
      ? parent.toSpliced(Number(step), 1, value)
      : undefined;
  });
}

/** Takes away what is at a path; later items of a list move up. */
export function unsetPath(data: JsonObject, path: string): SampleEdit {
  if (valueAt(data, path) === undefined) {
    return { kind: 'no_place', at: path, reason: `there is no ${path}` };
  }
  return edit(data, path, (parent, step) => {
    if (Array.isArray(parent)) return parent.toSpliced(Number(step), 1);
    const { [step]: _gone, ...rest } = parent;
    return rest;
  });
}

type Parent = JsonObject | JsonValue[];
type Change = (parent: Parent, step: string) => Parent | undefined;

function edit(data: JsonObject, path: string, change: Change): SampleEdit {
  const steps = pathSteps(path);
  if (steps.some((step) => step === '' || step === '__proto__')) {
    return { kind: 'no_place', at: '', reason: `"${path}" is no path: names joined by dots` };
  }
  const result = editInside(data, steps, 0, change);
  return 'failed' in result
    ? {
        kind: 'no_place',
        at: steps.slice(0, result.failed).join('.'),
        reason: reasonOf(steps, result.failed),
      }
    : { kind: 'edited', value: result.value as JsonObject };
}

function reasonOf(steps: readonly string[], depth: number): string {
  const at = steps.slice(0, depth).join('.');
  return `${at === '' ? 'the event' : at} has no place for "${steps[depth] ?? ''}"`;
}

function editInside(
  value: JsonValue | undefined,
  steps: readonly string[],
  depth: number,
  change: Change,
): { readonly value: Parent } | { readonly failed: number } {
  const parent = value === undefined || value === null ? {} : value;
  const step = steps[depth] ?? '';
  if (!isMap(parent) && !Array.isArray(parent)) return { failed: depth };
  if (depth === steps.length - 1) {
    const changed = change(parent, step);
    return changed === undefined ? { failed: depth } : { value: changed };
  }
  if (Array.isArray(parent)) {
    if (!isIndex(step) || Number(step) >= parent.length) return { failed: depth };
    const inner = editInside(parent[Number(step)], steps, depth + 1, change);
    return 'failed' in inner ? inner : { value: parent.toSpliced(Number(step), 1, inner.value) };
  }
  const own = Object.hasOwn(parent, step) ? parent[step] : undefined;
  const inner = editInside(own, steps, depth + 1, change);
  return 'failed' in inner ? inner : { value: { ...parent, [step]: inner.value } };
}

function isMap(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isIndex(step: string): boolean {
  return /^\d{1,6}$/.test(step);
}
