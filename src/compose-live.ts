// A dry run on the real Cryptlex, put together. Takes the environment, gives a stage for each event.
// Beside compose.ts, and like it imported only by cli/ and tests.

import { createSystemClock } from './clock.ts';
import { readCryptlexAccess } from './config.ts';
import { createPace } from './cryptlex/pace.ts';
import type { EnvironmentVariables, ReadFile } from './environment.ts';
import { AppError } from './errors.ts';
import { liveStage } from './live-stage.ts';
import type { Stage } from './try-out.ts';

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
  const { baseUrl, accessToken: token, rateLimit } = reading.access;
  const clock = createSystemClock();
  const pace = createPace({ ...rateLimit, concurrency: 8, clock });
  return () => liveStage({ baseUrl, token, clock, pace });
}
