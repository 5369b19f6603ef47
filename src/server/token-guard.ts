// The door of what only a token opens: admin API, console, metrics, billing links. Takes a request, gives whether
// its token is right; whoever guesses often waits for each further answer, and the right token never does.

import type { Context } from 'hono';
import type { Clock } from '../core/model.ts';
import type { Secret } from '../core/secret.ts';
import { createBearerCheck } from './bearer.ts';
import type { RequestOrigin } from './read-body.ts';
import type { Strangers } from './refusal-limiter.ts';

export const GUESS_DELAY_MS = 1_000;
/** So many wait at once for each address; the others lose their connection, which costs the guesser more than us. */
export const WAITING_PER_ADDRESS_MAX = 8;
/** Whoever has many addresses does not hold more timers and sockets than this. */
export const WAITING_MAX = 64;

export interface GuessLimiter {
  /**
   * Notes a wrong token; resolves when its answer may go out, with the headers that the answer has to carry.
   * @param source under which wrong tokens are counted, and reported in the log
   */
  refuse(c: Context<{ Bindings: RequestOrigin }>, source: string): Promise<Record<string, string>>;
}

export function createGuessLimiter({
  strangers,
  clock,
}: {
  strangers: Strangers;
  clock: Clock;
}): GuessLimiter {
  const waiting = new Map<string, number>();
  let all = 0;
  return {
    refuse: async (c, source) => {
      // In process there is no origin.
      const { address = 'unknown' } = (c.env as RequestOrigin | undefined) ?? {};
      if (!strangers.note({ address, source })) return {};
      const count = waiting.get(address) ?? 0;
      if (count >= WAITING_PER_ADDRESS_MAX || all >= WAITING_MAX) return { connection: 'close' };
      waiting.set(address, count + 1);
      all += 1;
      await clock.sleep(GUESS_DELAY_MS);
      all -= 1;
      const left = (waiting.get(address) ?? 1) - 1;
      if (left === 0) waiting.delete(address);
      else waiting.set(address, left);
      return {};
    },
  };
}

/** Gives the headers of a refusal, or undefined for a request with the token. */
export type TokenGuard = (
  c: Context<{ Bindings: RequestOrigin }>,
) => Promise<Record<string, string> | undefined>;

export function createTokenGuard(token: Secret, source: string, guesses: GuessLimiter): TokenGuard {
  const isAllowed = createBearerCheck(token);
  return async (c) =>
    isAllowed(c.req.header('authorization')) ? undefined : guesses.refuse(c, source);
}
