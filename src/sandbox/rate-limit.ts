// The vendor's rate limit. Takes the present, gives the headers of the answer or the refusal.
// A fixed window from the first call on, as in AspNetCoreRateLimit; never a rolling one.

import { formatInstant } from '../core/interval.ts';
import { type Answer, refusal } from './answer.ts';
import type { RateLimit } from './types.ts';

export type RateVerdict =
  | { readonly kind: 'admitted'; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'refused'; readonly answer: Answer };

export interface RateLimiter {
  /** Counts one call. Refused ones count as well. */
  count(nowMs: number): RateVerdict;
  reset(): void;
}

const UNLIMITED: RateVerdict = { kind: 'admitted', headers: {} };

export function createRateLimiter(
  limit: RateLimit | false,
  body: 'text' | 'json' = 'text',
): RateLimiter {
  let windowStartMs = 0;
  let calls = 0;
  const reset = (): void => {
    calls = 0;
  };
  if (limit === false) return { count: () => UNLIMITED, reset };
  const period = `${limit.periodMs / 1000}s`;

  const count = (nowMs: number): RateVerdict => {
    // The window still holds at its very last millisecond: the vendor's middleware compares with >=.
    if (calls === 0 || nowMs > windowStartMs + limit.periodMs) {
      windowStartMs = nowMs;
      calls = 0;
    }
    calls += 1;
    const resetMs = windowStartMs + limit.periodMs;
    if (calls > limit.requests) return refuse(resetMs - nowMs);
    const headers = {
      'x-rate-limit-limit': period,
      'x-rate-limit-remaining': String(limit.requests - calls),
      'x-rate-limit-reset': formatInstant(resetMs),
    };
    return { kind: 'admitted', headers };
  };

  const refuse = (leftMs: number): RateVerdict => {
    const message = `API calls quota exceeded! maximum admitted ${limit.requests} per ${period}.`;
    // Rounded, not rounded up: who waits exactly that long may come too early.
    const headers = { 'retry-after': String(Math.round(Math.max(leftMs / 1000, 1))) };
    const answer: Answer =
      body === 'json'
        ? { ...refusal(429, message), headers }
        : {
            status: 429,
            headers,
            content: { kind: 'raw', text: message, contentType: 'text/plain' },
          };
    return { kind: 'refused', answer };
  };

  return { count, reset };
}
