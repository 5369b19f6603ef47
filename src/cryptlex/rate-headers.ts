// What answers say about pace. Takes response headers, gives waiting times in milliseconds.
// Never trusts them: garbage gives undefined, and bounds are set by the caller.

/** The headers of an answer, as far as they are looked at. */
export type AnswerHeaders = Pick<Headers, 'get'>;

/** A date of RFC 9110, the only kind `Retry-After` may hold. `Date.parse` alone takes "-5" for one. */
const HTTP_DATE = /^[A-Za-z]{3,9},? .+ GMT$/;
/** `2018-05-01T07:53:56.0095476Z`; Cryptlex sends up to seven fractional digits, in UTC. */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$/;

/**
 * How long `Retry-After` asks to wait: whole seconds or a date.
 * @param nowMs our time, used where the answer does not say its own
 */
export function retryAfterMs(headers: AnswerHeaders, nowMs: number): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  if (!HTTP_DATE.test(text)) return undefined;
  return msUntil(Date.parse(text), headers, nowMs);
}

/** Time until the server's window starts anew, when this answer was the last one it admits. */
export function exhaustedMs(headers: AnswerHeaders, nowMs: number): number | undefined {
  const remaining = headers.get('x-rate-limit-remaining')?.trim() ?? '';
  if (!/^(0+|-\d+)$/.test(remaining)) return undefined;
  const match = TIMESTAMP.exec(headers.get('x-rate-limit-reset')?.trim() ?? '');
  if (match === null) return undefined;
  // Without a zone Date.parse would take the machine's; the header is UTC by its documentation.
  return msUntil(Date.parse(match[2] === undefined ? `${match[0]}Z` : match[0]), headers, nowMs);
}

/** Measured on the server's own clock where it sends one, so that a wrong clock here does no harm. */
function msUntil(momentMs: number, headers: AnswerHeaders, nowMs: number): number | undefined {
  if (Number.isNaN(momentMs)) return undefined;
  const serverMs = Date.parse(headers.get('date') ?? '');
  return Math.max(0, momentMs - (Number.isNaN(serverMs) ? nowMs : serverMs));
}
