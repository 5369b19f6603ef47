// What has to be done now and then: the texts of the rules that run are kept, and payloads of finished
// events are erased after their time. Never touches an event that is not finished.

import { messageOf } from '../core/error-codes.ts';
import type { Logger } from '../core/log.ts';
import type { Clock } from '../core/model.ts';
import type { RuleSet } from '../engine/rules/rule-set.ts';
import type { Archive } from '../journal/archive.ts';

const DAY_MS = 86_400_000;
const ERASE_EVERY_MS = 60 * 60 * 1000;
const AGAIN_AFTER_MS = 60 * 1000;

export interface Housekeeping {
  start(): void;
  stop(): Promise<void>;
}

export function createHousekeeping(parts: {
  archive: Archive;
  /** The rules that run now. */
  ruleSets(): ReadonlyMap<string, RuleSet>;
  retentionDays: number;
  clock: Clock;
  log: Logger;
}): Housekeeping {
  const { archive, ruleSets, retentionDays, clock, log } = parts;
  const stopped = new AbortController();
  let working: Promise<void> = Promise.resolve();

  const work = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      let pauseMs = ERASE_EVERY_MS;
      try {
        const erased = await archive.erase(clock.nowMs() - retentionDays * DAY_MS);
        if (erased > 0) log.info({ events: erased, retentionDays }, 'payloads were erased');
        // After erasing, which forgets texts that no event refers to.
        await rememberTexts(archive, ruleSets().values());
      } catch (error) {
        const cause = messageOf(error);
        log.warn({ cause }, 'the journal could not be kept tidy; trying again in a minute');
        pauseMs = AGAIN_AFTER_MS;
      }
      await clock.sleep(pauseMs, stopped.signal);
    }
  };

  return {
    start: () => {
      working = work();
    },
    stop: async () => {
      stopped.abort();
      await working;
    },
  };
}

/** Keeps the texts of these rules under the hashes that their events carry. */
export async function rememberTexts(
  archive: Pick<Archive, 'rememberRules'>,
  ruleSets: Iterable<RuleSet>,
): Promise<void> {
  for (const { hash, file, text, beside } of ruleSets) {
    await archive.rememberRules({ hash, file, text, beside });
  }
}
