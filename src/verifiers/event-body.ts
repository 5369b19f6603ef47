// Reads the body of a webhook. Takes bytes, gives the provider's JSON object and its members in a
// shape that the rest can rely on. Never puts a part of the body into an error: bodies hold names
// and addresses of buyers, and errors are logged.

import { isUtf8 } from 'node:buffer';
import { AppError } from '../core/error-codes.ts';
import { isJsonObject } from '../core/json.ts';
import type { JsonObject, JsonValue } from '../core/model.ts';

/** What an event is given besides its body. */
export interface EventOrigin {
  /** The rule file's name. */
  readonly source: string;
  readonly receivedAtMs: number;
}

/**
 * Real events are about ten levels deep. JSON.parse reads any depth, but whatever walks the result
 * later (JSON.stringify, formulas) is recursive and would end in a stack overflow.
 */
const NESTING_LEVELS_MAX = 100;

/** The last millisecond that a Date can hold. */
const TIME_MS_MAX = 8.64e15;

/** @throws BODY_MALFORMED for anything but a JSON object in UTF-8. */
export function parseEventBody(rawBody: Uint8Array): JsonObject {
  const text = utf8Text(rawBody);
  if (text === null) {
    throw new AppError('BODY_MALFORMED', 'the body is not UTF-8 text');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the body, so it is not even kept as a cause.
    throw new AppError('BODY_MALFORMED', 'the body is not JSON');
  }
  return eventObject(value);
}

/**
 * The text of these bytes, or null where the bytes cannot be given back from it. A decoder would put
 * U+FFFD for each bad byte, and two different bodies would become one. A byte order mark is kept.
 */
export function utf8Text(bytes: Uint8Array): string | null {
  return isUtf8(bytes)
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
    : null;
}

/**
 * Lets a parsed body pass if it is an object of reasonable depth. Members named `__proto__` are
 * dropped: no provider sends them, and a careless copy of one further on would swap an object's prototype.
 * @throws BODY_MALFORMED
 */
export function eventObject(value: unknown): JsonObject {
  if (!isJsonObject(value)) {
    throw new AppError('BODY_MALFORMED', 'the body is not a JSON object');
  }
  tame(value, NESTING_LEVELS_MAX);
  return value;
}

/**
 * An id or a type: visible characters, at most 255. They are written to the journal, to logs and,
 * one a line, into FastSpring's answers, so a line break in one could pretend to be another.
 * @param where how messages call the object: "the event", "entry 2 of `events`".
 * @throws BODY_MALFORMED
 */
export function requiredName(object: JsonObject, member: string, where: string): string {
  const value = object[member];
  if (typeof value !== 'string' || !/^[^\s\p{C}]{1,255}$/u.test(value)) {
    throw new AppError('BODY_MALFORMED', `${where} has no usable "${member}"`);
  }
  return value;
}

/**
 * The provider's time where it is one, else the time of arrival. An event without a usable time is
 * not refused: what was paid must be issued, and "just now" is the best guess for its place in order.
 */
export function timeOrArrival(providerTimeMs: number, receivedAtMs: number): number {
  const usable = providerTimeMs > 0 && providerTimeMs <= TIME_MS_MAX;
  return usable ? Math.trunc(providerTimeMs) : receivedAtMs;
}

/** Test or live, where the provider says so. */
export function liveMark(value: JsonValue | undefined): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

// Recursive, but never deeper than the levels it allows.
function tame(value: JsonObject | JsonValue[], levelsLeft: number): void {
  if (levelsLeft === 0) {
    throw new AppError(
      'BODY_MALFORMED',
      `the body is nested deeper than ${NESTING_LEVELS_MAX} levels`,
    );
  }
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'object' && item !== null) {
        tame(item, levelsLeft - 1);
      }
    }
    return;
  }
  for (const key of Object.keys(value)) {
    if (key === '__proto__') {
      delete value[key];
      continue;
    }
    const member = value[key];
    if (typeof member === 'object' && member !== null) {
      tame(member, levelsLeft - 1);
    }
  }
}
