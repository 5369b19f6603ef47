// How large texts, lists and maps of formulas may become. Takes values, gives their size as if written out, or
// throws FORMULA_TOO_LARGE. A value that holds another one twice counts it twice: that is what it costs whoever
// walks through it.

import { AppError } from '../../core/error-codes.ts';
import { isFunctionValue } from './values.ts';

/** Characters of one text that a formula makes; an event itself has 1 MiB at most. */
export const TEXT_LENGTH_MAX = 1024 * 1024;
/** Characters, items and members of one value: four times the largest event. */
export const VALUE_SIZE_MAX = 4 * 1024 * 1024;

const sizes = new WeakMap<object, number>();

/** Characters, items and members, at any depth. Values are not changed once they are measured. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 1;
  if (typeof value !== 'object' || value === null || isFunctionValue(value)) return 1;
  const known = sizes.get(value);
  if (known !== undefined) return known;
  let size = 1;
  if (Array.isArray(value)) {
    for (const item of value) size += sizeOf(item);
  } else {
    for (const [name, member] of Object.entries(value)) size += name.length + sizeOf(member);
  }
  sizes.set(value, size);
  return size;
}

/** @throws FORMULA_TOO_LARGE */
export function requireTextLength(what: string, length: number): void {
  if (!(length <= TEXT_LENGTH_MAX)) throw tooLarge(what, `${length} characters`, TEXT_LENGTH_MAX);
}

/** @throws FORMULA_TOO_LARGE */
export function requireValueSize(what: string, size: number): void {
  if (!(size <= VALUE_SIZE_MAX)) {
    throw tooLarge(what, `${size} characters and items`, VALUE_SIZE_MAX);
  }
}

export function tooLarge(what: string, size: string, max: number): AppError {
  return new AppError(
    'FORMULA_TOO_LARGE',
    `${what} would need ${size}; at most ${max} are allowed`,
  );
}

/**
 * The length of a value as JSON text, without making it; counting ends where it is too long anyway.
 * @param indent spaces of one level; 0 for one line
 */
export function jsonLength(value: unknown, indent: number, level = 0): number {
  if (typeof value === 'string') return jsonTextLength(value);
  if (typeof value !== 'object' || value === null || isFunctionValue(value)) {
    return String(value).length;
  }
  const isList = Array.isArray(value);
  const members: [string, unknown][] = isList
    ? value.map((item) => ['', item])
    : Object.entries(value);
  const lineLength = indent === 0 ? 0 : 1 + indent * (level + 1);
  // The brackets, and the line of the closing one.
  let length = 2 + (members.length === 0 || indent === 0 ? 0 : 1 + indent * level);
  length += Math.max(0, members.length - 1);
  for (const [name, member] of members) {
    length += lineLength + jsonLength(member, indent, level + 1);
    if (!isList) length += jsonTextLength(name) + (indent === 0 ? 1 : 2);
    if (length > TEXT_LENGTH_MAX) break;
  }
  return length;
}

/** Of a text that is too long anyway, the beginning says enough. */
function jsonTextLength(text: string): number {
  return JSON.stringify(text.slice(0, TEXT_LENGTH_MAX)).length;
}
