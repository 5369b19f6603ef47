// Texts as every database keeps them. Takes any text, gives one that PostgreSQL stores and compares: what no text of
// a database can hold is replaced, and what its indexes cannot hold is cut and hashed. Equal texts stay equal.

import { createHash } from 'node:crypto';
import { PROVIDERS } from './providers.ts';

/**
 * A row of an index holds 2,704 bytes (PostgreSQL, btree), and some of ours hold two texts. The id of an event,
 * 255 characters at most, is always kept whole.
 */
const KEY_BYTES_MAX = 1_100;
const START_LENGTH = 64;
/** A character of UTF-16 is at most three bytes of UTF-8. */
const BYTES_PER_UNIT_MAX = 3;

/** U+0000 and halves of characters become U+FFFD, as in the text that the driver would send. */
export function storedText(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed();
  return whole.includes('\0') ? whole.replaceAll('\0', '\u{FFFD}') : whole;
}

/** The same for what is looked up: a subject, the key of an operation. A long one keeps its start. */
export function keyText(text: string): string {
  const stored = storedText(text);
  if (stored.length * BYTES_PER_UNIT_MAX <= KEY_BYTES_MAX) return stored;
  if (Buffer.byteLength(stored) <= KEY_BYTES_MAX) return stored;
  const start = stored.slice(0, START_LENGTH).toWellFormed();
  return `${start}…sha256:${createHash('sha256').update(stored).digest('hex')}`;
}

/** A subject as the journal keeps it: the id is bounded, the provider before it stays. */
export function subjectText(subject: string): string {
  const provider = PROVIDERS.find((name) => subject.startsWith(`${name}:`));
  if (provider === undefined) return keyText(subject);
  return `${provider}:${keyText(subject.slice(provider.length + 1))}`;
}
