// The body of a refusal. Takes whatever came (JSON of any shape, text, HTML, nothing), gives one
// short line for a person. Never shows a secret, and never decides anything.

import { isRecord } from './responses.ts';

const LENGTH_MAX = 300;
/** Shorter ones would blank out ordinary words; no real token or password is that short. */
const SECRET_LENGTH_MIN = 8;

/**
 * What the body of a refusal says, in one line of at most 300 characters; empty when it says nothing.
 * Documented is `{message, code}`; an `errors` list or map and the problem details of ASP.NET
 * (`title`, `detail`) are read too, since a gateway or another version may send them.
 * @param secrets texts that are blanked out, should the server repeat them
 */
export function errorBodyText(body: unknown, secrets: readonly string[]): string {
  const parts = [...new Set(textsOf(body, 0))];
  let line = parts
    .join('; ')
    // A control character could forge a line of the log.
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  for (const secret of secrets) {
    if (secret.length >= SECRET_LENGTH_MIN) line = line.replaceAll(secret, '<secret>');
  }
  if (line.length <= LENGTH_MAX) return line;
  // By code point: half of a surrogate pair is no text.
  return `${[...line].slice(0, LENGTH_MAX - 1).join('')}…`.slice(0, LENGTH_MAX);
}

/** Whether this is a web page: the mark of a proxy, since Cryptlex answers JSON or text. */
export function isHtml(body: unknown): boolean {
  return typeof body === 'string' && /^\s*<(!doctype|html|head|body|\?xml)/i.test(body);
}

/** Deep nesting is nobody's error message. */
const DEPTH_MAX = 3;

function textsOf(body: unknown, depth: number): string[] {
  if (depth > DEPTH_MAX) return [];
  if (isHtml(body)) return ['a web page'];
  if (typeof body === 'string') return body.trim() === '' ? [] : [body.slice(0, 4 * LENGTH_MAX)];
  if (Array.isArray(body)) return body.slice(0, 5).flatMap((item) => textsOf(item, depth + 1));
  if (!isRecord(body)) return [];
  const own = ['message', 'title', 'detail']
    .map((name) => body[name])
    .filter((value) => typeof value === 'string');
  const errors = body['errors'];
  const nested = isRecord(errors) ? Object.values(errors) : errors;
  return [...own.flatMap((text) => textsOf(text, depth + 1)), ...textsOf(nested, depth + 1)];
}
