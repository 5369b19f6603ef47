// What a field of an action takes. Takes a value (a literal, or what a formula gave), gives it in
// the form Cryptlex wants, or says why it cannot be taken. Used at load and when planning alike.

import type { AppErrorCode } from '../../core/error-codes.ts';
import { parseInstant, parseInterval } from '../../core/interval.ts';
import type { FieldType, JsonObject, JsonValue } from '../../core/model.ts';
import { describeValue, isBlank, kindOf } from '../expression/values.ts';

export type FieldResult =
  | { readonly kind: 'taken'; readonly value: JsonValue }
  | { readonly kind: 'refused'; readonly code: AppErrorCode; readonly message: string };

/** The most licenses one line of a sale may make: more is a mistake in the event or in the rule. */
export const QUANTITY_MAX = 10_000;
const INTEGER_MAX = 2_147_483_647;
const TEXT_LENGTH_MAX = 4096;

const START_TRIGGERS = ['creation', 'activation'];
const LICENSE_TYPES = ['node-locked', 'hosted-floating', 'on-premise-floating'];

/** Converts a value to what the field takes. References to results of steps pass as they are. */
export function coerceField(type: FieldType, value: JsonValue): FieldResult {
  if (isReference(value)) return taken(value);
  if (isChoice(value)) return coerceChoice(type, value);
  switch (type) {
    case 'metadata':
      return coerceMetadata(value);
    case 'find':
      return coerceFind(value);
    case 'whenSuspended':
      return coerceWhenSuspended(value);
    case 'texts':
      return coerceTexts(value);
    case 'boolean':
      return typeof value === 'boolean' ? taken(value) : refused('true or false', value);
    case 'integer':
    case 'quantity':
      return coerceInteger(type, value);
    default:
      return typeof value === 'string' ? coerceText(type, value) : refused('a text', value);
  }
}

function coerceText(type: FieldType, value: string): FieldResult {
  if (value.length > TEXT_LENGTH_MAX)
    return refused(`at most ${TEXT_LENGTH_MAX} characters`, value);
  switch (type) {
    case 'email': {
      const email = value.trim();
      return /^[^\s@]+@[^\s@]+$/u.test(email) ? taken(email) : refused('an e-mail address', value);
    }
    case 'interval':
      return value === '' || parseInterval(value) !== undefined
        ? taken(value)
        : refused('an ISO 8601 interval like P1M', value);
    case 'date': {
      const instantMs = parseInstant(value);
      if (instantMs === undefined) return refused('an ISO 8601 date', value);
      return taken(new Date(instantMs).toISOString());
    }
    case 'version':
      return /^\d+\.\d+(?:\.\d+){0,2}$/.test(value)
        ? taken(value)
        : refused('a version of two to four numbers like "2.5"', value);
    case 'emailTaken':
      return oneOf(['merge', 'fail'], value);
    case 'missing':
      return oneOf(['wait', 'fail', 'ignore'], value);
    case 'startTrigger':
      return oneOf(START_TRIGGERS, value);
    case 'licenseType':
      return oneOf(LICENSE_TYPES, value);
    default:
      return taken(value);
  }
}

function coerceInteger(type: 'integer' | 'quantity', value: JsonValue): FieldResult {
  const isDigits = typeof value === 'string' && /^-?\d{1,15}$/.test(value);
  const number = isDigits ? Number(value) : value;
  const max = type === 'quantity' ? QUANTITY_MAX : INTEGER_MAX;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= max) {
    return taken(number);
  }
  const message = `needs a whole number from 1 to ${max}, not ${describeValue(value)}`;
  return { kind: 'refused', code: 'QUANTITY_INVALID', message };
}

function coerceTexts(value: JsonValue): FieldResult {
  const items = Array.isArray(value) ? value : [value];
  const wrong = items.find((item) => typeof item !== 'string');
  return wrong === undefined ? taken(items) : refused('a list of texts', value);
}

function coerceMetadata(value: JsonValue): FieldResult {
  if (!isMap(value)) return refused('a map of texts', value);
  const entries: JsonObject = {};
  for (const [key, member] of Object.entries(value)) {
    // Null is absent, and so is an empty text: Cryptlex would keep it and find it for every other one.
    if (isBlank(member)) continue;
    const text = metadataText(member);
    if (text === undefined) return refused(`a text for "${key}"`, member);
    entries[key] = text;
  }
  return taken(entries);
}

function metadataText(value: JsonValue): JsonValue | undefined {
  if (isReference(value) || isChoice(value)) return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.length <= TEXT_LENGTH_MAX ? value : undefined;
}

/** Every criterion must hold something: Cryptlex ignores empty filters and answers everybody's licenses. */
function coerceFind(value: JsonValue): FieldResult {
  if (!isMap(value)) return refused('a map of criteria', value);
  const criteria: JsonObject = {};
  for (const [name, member] of Object.entries(value)) {
    const result = coerceField(CRITERIA.get(name) ?? 'text', member);
    if (result.kind === 'refused') return { ...result, message: `${name}: ${result.message}` };
    const values = name === 'metadata' && isMap(member) ? Object.values(member) : [];
    if ([member, ...values].some(isBlank)) {
      const message = `"${name}" is empty, and an empty search would find the licenses of strangers`;
      return { kind: 'refused', code: 'FILTER_EMPTY', message };
    }
    criteria[name] = result.value;
  }
  return taken(criteria);
}

const CRITERIA: ReadonlyMap<string, FieldType> = new Map([
  ['metadata', 'metadata'],
  ['suspended', 'boolean'],
]);

function coerceWhenSuspended(value: JsonValue): FieldResult {
  if (!isMap(value)) return refused('a map with resume', value);
  const { resume, expiresAt } = value;
  if (typeof resume !== 'boolean') return refused('true or false for resume', resume ?? null);
  if (expiresAt === undefined) return taken({ resume });
  const date = coerceField('date', expiresAt);
  return date.kind === 'taken' ? taken({ resume, expiresAt: date.value }) : date;
}

function coerceChoice(type: FieldType, value: { $firstOf: JsonValue[] }): FieldResult {
  const alternatives: JsonValue[] = [];
  for (const alternative of value.$firstOf) {
    const result = coerceField(type, alternative);
    if (result.kind === 'refused') return result;
    alternatives.push(result.value);
  }
  return taken({ $firstOf: alternatives });
}

function isMap(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `{ "$ref": "user.id" }` */
export function isReference(value: JsonValue): value is { $ref: string } {
  return isMap(value) && typeof value['$ref'] === 'string' && Object.keys(value).length === 1;
}

/** `{ "$firstOf": [ … ] }` */
export function isChoice(value: JsonValue): value is { $firstOf: JsonValue[] } {
  return isMap(value) && Array.isArray(value['$firstOf']) && Object.keys(value).length === 1;
}

function oneOf(allowed: readonly string[], value: string): FieldResult {
  return allowed.includes(value) ? taken(value) : refused(`one of ${allowed.join(', ')}`, value);
}

function taken(value: JsonValue): FieldResult {
  return { kind: 'taken', value };
}

function refused(wanted: string, value: JsonValue): FieldResult {
  const what = isMap(value) || Array.isArray(value) ? kindOf(value) : describeValue(value);
  return { kind: 'refused', code: 'FIELD_TYPE', message: `needs ${wanted}, not ${what}` };
}
