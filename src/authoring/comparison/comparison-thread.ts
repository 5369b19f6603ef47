// A thread of a comparison. Gets the texts of both versions when it starts, then portions of traffic; answers each
// when it is done, and gives its tally at the end. Does nothing by itself.

import { parentPort, workerData } from 'node:worker_threads';
import type { Env } from '../../engine/plan/match.ts';
import { comparePortion, type Portion } from './compare.ts';
import { Tally, type TallyData } from './tally.ts';
import { type RulesTexts, versionOfTexts } from './versions.ts';

export interface ThreadData {
  readonly before: RulesTexts;
  readonly after: RulesTexts;
  readonly env: Env;
  /** How many ids are kept of each group. */
  readonly idsMax: number;
}

export type ToThread =
  | { readonly kind: 'portion'; readonly portion: Portion }
  | { readonly kind: 'end' };
export type FromThread =
  | { readonly kind: 'done' }
  | { readonly kind: 'tally'; readonly data: TallyData };

const { before, after, env, idsMax } = workerData as ThreadData;
const comparison = { before: versionOfTexts(before), after: versionOfTexts(after), env };
const tally = new Tally(idsMax);

parentPort?.on('message', async (message: ToThread) => {
  if (message.kind === 'end') {
    parentPort?.postMessage({ kind: 'tally', data: tally.data() } satisfies FromThread);
    parentPort?.close();
    return;
  }
  await comparePortion(message.portion, comparison, tally);
  parentPort?.postMessage({ kind: 'done' } satisfies FromThread);
});
