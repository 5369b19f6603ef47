// A burst at Cryptlex's own pace: so many first purchases at once, 45 calls in 5 s, on a clock that runs
// faster. Takes how many and how much faster, gives what became of them and how long it took by the time that the calls alone need.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeServer } from '../src/app/server.ts';
import type { Clock } from '../src/core/model.ts';
import { openArena } from './contenders.ts';
import { createDeliveries, SECRET } from './events.ts';
import { createSender, load } from './load.ts';

const CALLS = 45;
const PERIOD_MS = 5_000;
const CALLS_PER_SALE = 2;

export interface BurstFigures {
  readonly sales: number;
  readonly refused: number;
  readonly lost: number;
  readonly calls: number;
  /** On the server's clock. */
  readonly tookMs: number;
  readonly neededMs: number;
  readonly ratio: number;
}

export async function measureBurst(sales: number, timesFaster: number): Promise<BurstFigures> {
  const arena = await openArena({ names: [] });
  const clock = fasterClock(timesFaster);
  const composition = await composeServer({
    env: {
      FASTSPRING_WEBHOOK_SECRET: SECRET,
      CRYPTLEX_ACCESS_TOKEN: 'bench-token',
      CRYPTLEX_WEB_API_BASE_URL: arena.cryptlex.url,
      CRYPTLEX_RATE_LIMIT: `${CALLS}/${PERIOD_MS}ms`,
      RULES_DIR: new URL('../rules', import.meta.url).pathname,
      DATABASE_URL: `sqlite:${join(arena.directory, 'burst.db')}`,
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'silent',
    },
    readFile: (path) => readFileSync(path, 'utf8'),
    writeLog: () => undefined,
    stdoutIsTty: false,
    clock,
  });
  if (composition.kind === 'refused') throw new Error(composition.problems.join('\n'));
  const { server } = composition;
  const sender = createSender((await server.listen()).url);
  try {
    server.start();
    const startMs = clock.nowMs();
    const make = createDeliveries('fastspring', 'first-purchase', {
      run: 'burst',
      nowMs: clock.nowMs,
    });
    const options = { from: 0, count: sales, inFlight: 64, status: 200 };
    // A delivery that is not answered 200 ends the measurement: none may be refused.
    await load(sender, make, options);
    await server.worker.workOff(new AbortController().signal);
    const tookMs = clock.nowMs() - startMs;
    const done = await server.archive.count({ status: 'done' });
    const { calls } = await arena.cryptlex.tell({ ask: 'calls' });
    const neededMs = ((sales * CALLS_PER_SALE - CALLS) * PERIOD_MS) / CALLS;
    const ratio = tookMs / neededMs;
    return { sales, refused: 0, lost: sales - done, calls, tookMs, neededMs, ratio };
  } finally {
    sender.close();
    await server.stop();
    await arena.close();
  }
}

function fasterClock(timesFaster: number): Clock {
  const startMs = Date.now();
  return {
    nowMs: () => Math.floor(startMs + (Date.now() - startMs) * timesFaster),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve(false);
        const onAbort = (): void => {
          clearTimeout(timer);
          resolve(false);
        };
        const timer = setTimeout(
          () => {
            signal?.removeEventListener('abort', onAbort);
            resolve(true);
          },
          Math.min(ms, 2 ** 31) / timesFaster,
        );
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
  };
}
