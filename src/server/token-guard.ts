// The door of what only a token opens: the admin API and billing links. Takes a request, gives whether its
// token is right; whoever guesses often waits for each further answer, and the right token never does.

import type { Context } from 'hono';
import type { Clock } from '../core/model.ts';
import type { Secret } from '../core/secret.ts';
import { createBearerCheck } from './bearer.ts';
import type { RequestOrigin } from './read-body.ts';
import type { Strangers } from './refusal-limiter.ts';

export const GUESS_DELAY_MS = 1_000;

/** @param source under which wrong tokens are counted, and told in the log */
export function createTokenGuard(
  token: Secret,
  source: string,
  { strangers, clock }: { strangers: Strangers; clock: Clock },
): (c: Context<{ Bindings: RequestOrigin }>) => Promise<boolean> {
  const isAllowed = createBearerCheck(token);
  return async (c) => {
    if (isAllowed(c.req.header('authorization'))) return true;
    // In process there is no origin.
    const { address } = (c.env as RequestOrigin | undefined) ?? {};
    if (strangers.note({ address, source })) await clock.sleep(GUESS_DELAY_MS);
    return false;
  };
}
