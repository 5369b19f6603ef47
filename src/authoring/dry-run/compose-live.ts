// A dry run on the real Cryptlex, put together. Takes the environment, gives a stage for each event.
// Beside compose.ts, and like it imported only by cli/ and tests.

import { readCryptlexAccess } from '../../config/config.ts';
import type { EnvironmentVariables, ReadFile } from '../../config/environment.ts';
import { createSystemClock } from '../../core/clock.ts';
import { AppError } from '../../core/error-codes.ts';
import { createPace } from '../../cryptlex/rate-limiter.ts';
import { fetchOver } from '../../http/fetch.ts';
import { createTransport } from '../../http/transport.ts';
import { liveStage } from './live-account.ts';
import type { Stage } from './run-plan.ts';

/**
 * Makes stages that read the account, and share its pace.
 * @throws the first thing that is wrong with the environment, naming the others
 */
export function liveAccount(env: EnvironmentVariables, readFile: ReadFile): () => Stage {
  const reading = readCryptlexAccess(env, readFile);
  if (!reading.ok) {
    const [first] = reading.problems;
    const messages = reading.problems.map(({ message }) => message).join('; ');
    const { code = 'ENV_MISSING', hint } = first ?? {};
    throw new AppError(code, messages, hint === undefined ? {} : { hint });
  }
  const { baseUrl, accessToken: token, proxies, rateLimit } = reading.access;
  const clock = createSystemClock();
  const pace = createPace({ ...rateLimit, concurrency: 8, clock });
  const fetch = fetchOver(createTransport(proxies));
  return () => liveStage({ baseUrl, token, fetch, clock, pace });
}
