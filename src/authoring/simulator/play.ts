// Plays rounds of sendings. Takes rounds, an endpoint and a speed; tells each answer as it comes, and gives them
// all. Never decides what an answer should be.

import type { Clock } from '../../core/model.ts';
import type { Round } from './chaos.ts';
import { type Endpoint, isUnfinished, type Sent, send } from './send.ts';

export interface PlayOptions {
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  /** How many times faster than it would happen; Infinity waits for nothing. */
  readonly speed: number;
  readonly onSent: (sent: Sent) => void;
}

/** How many POSTs of one round are under way at a time. */
const PARALLEL = 4;
/** What is not finished is sent again as a provider does, some times; see `isUnfinished`. */
const RESENDS_MAX = 5;
const RESEND_AFTER_MS = 200;

/** @throws ENDPOINT_UNREACHABLE */
export async function play(
  rounds: readonly Round[],
  options: PlayOptions,
): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  let nowMs = rounds[0] === undefined ? 0 : timeOfRound(rounds[0]);
  for (const round of rounds) {
    const waitMs = Math.max(0, timeOfRound(round) - nowMs) / options.speed;
    if (waitMs > 0) await options.clock.sleep(waitMs);
    nowMs = Math.max(nowMs, timeOfRound(round));
    sent.push(...(await playRound(round, options)));
  }
  return sent;
}

/** When the last event of a round happened. */
function timeOfRound(round: Round): number {
  return Math.max(0, ...round.flatMap(({ events }) => events.map(({ timeMs }) => timeMs)));
}

async function playRound(round: Round, options: PlayOptions): Promise<readonly Sent[]> {
  const { endpoint, clock, onSent } = options;
  const all: Sent[] = [];
  let queue = [...round];
  for (let resends = 0; queue.length > 0; resends += 1) {
    const unfinished: Sent[] = [];
    const lane = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (next.delayMs > 0) await clock.sleep(next.delayMs);
        const result = await send(next, endpoint);
        if (isUnfinished(result) && resends < RESENDS_MAX) unfinished.push(result);
        else {
          all.push(result);
          onSent(result);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL, queue.length) }, lane));
    if (unfinished.length === 0) break;
    await clock.sleep(RESEND_AFTER_MS * 2 ** resends);
    queue = unfinished.map(({ sending }) => sending);
  }
  return all;
}
