// What kind of JSON a value is. Takes any value, gives a verdict that the compiler understands.

import type { JsonObject } from './model.ts';

/** An object with members, and no list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
