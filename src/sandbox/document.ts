// Finding one's way in the OpenAPI document. Takes a JSON pointer, gives what stands there.
// Never reads a file and never judges.

import { AppError } from '../core/error-codes.ts';
import type { JsonObject, JsonValue } from '../core/model.ts';

/** A schema of the document: where it stands and what it says. */
export interface SchemaPlace {
  readonly pointer: string;
  readonly value: JsonObject;
}

/** Writes a name so that it can be one part of a JSON pointer. */
export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The value at a JSON pointer, if there is one. */
export function lookUp(document: JsonObject, pointer: string): JsonObject | undefined {
  let value: JsonValue | undefined = document;
  for (const part of pointer.slice(1).split('/')) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) value = value[Number(name)];
    else if (typeof value === 'object' && value !== null) value = value[name];
    else return undefined;
  }
  return value as JsonObject | undefined;
}

/** The schema at a place, behind any `$ref`. */
export function follow(document: JsonObject, pointer: string): SchemaPlace {
  const value = lookUp(document, pointer);
  if (value === undefined) throw new AppError('INTERNAL', `the document has no ${pointer}`);
  const reference = value['$ref'];
  return typeof reference === 'string' ? follow(document, reference.slice(1)) : { pointer, value };
}
