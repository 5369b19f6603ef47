// Notes how an attempt ended. Takes a settlement, gives what was written down of it: the same, that the event failed
// where the database refuses to hold the outcome, or nothing. An event whose end cannot be written is given up after
// two minutes, so that it keeps nobody's slot; it is taken again, and what was done for it is not done twice.

import { AppError, messageOf } from '../core/error-codes.ts';
import type { Logger } from '../core/log.ts';
import type { Clock } from '../core/model.ts';
import type { Journal, Settlement, TakenEvent } from '../journal/journal.ts';
import { refusedSettlement } from './report-attempt.ts';

/** A journal that does not answer is asked again, at this pace, for as long as that. */
const DELAY_MS_MIN = 1_000;
const DELAY_MS_MAX = 30_000;
const TRY_FOR_MS = 120_000;

export interface Settling {
  /** Undefined where the event was given up, or the signal was aborted. */
  settle(taken: TakenEvent, settlement: Settlement): Promise<Settlement | undefined>;
  /** How many events have ended and wait for that to be written down. */
  unsettled(): number;
}

export function createSettling(
  parts: { readonly journal: Journal; readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Settling {
  const { journal, clock, log } = parts;
  const unsettled = new Set<string>();

  /** What the journal took; undefined where it took nothing now. */
  const attempt = async (taken: TakenEvent, settlement: Settlement) => {
    const eventId = taken.event.id;
    for (const one of [settlement, refusedSettlement(eventId)]) {
      try {
        await journal.settle(taken.key, one, taken.attempt);
        return one;
      } catch (error) {
        log.error({ eventId, cause: messageOf(error) }, 'an event could not be settled');
        if (!(error instanceof AppError) || error.code !== 'JOURNAL_REFUSES_TEXT') return undefined;
      }
    }
    return undefined;
  };

  return {
    unsettled: () => unsettled.size,
    settle: async (taken, settlement) => {
      const endMs = clock.nowMs() + TRY_FOR_MS;
      let delayMs = DELAY_MS_MIN;
      try {
        while (true) {
          const settled = await attempt(taken, settlement);
          if (settled !== undefined) return settled;
          unsettled.add(taken.key);
          if (clock.nowMs() + delayMs > endMs) break;
          if (!(await clock.sleep(delayMs, signal))) return undefined;
          delayMs = Math.min(delayMs * 2, DELAY_MS_MAX);
        }
      } finally {
        unsettled.delete(taken.key);
      }
      log.error({ eventId: taken.event.id }, 'an event was given up unsettled, and is taken again');
      journal.giveUp(taken.key, taken.attempt);
      return undefined;
    },
  };
}
