// How many calls to Cryptlex this server made of late. Takes each call as it ends, gives sums of the last hour;
// holds a count for each minute, and nothing of the calls.

import type { Clock } from '../core/model.ts';
import type { CallRecord } from './call-record.ts';

export interface CallMeter {
  hear(call: Pick<CallRecord, 'status'>): void;
  lastHour(): CallSums;
}

interface CallSums {
  readonly all: number;
  /** Without an answer, or answered 5xx. */
  readonly failed: number;
  /** Answered 429: too many. */
  readonly refused: number;
}

const MINUTE_MS = 60_000;
const MINUTES = 60;

export function createCallMeter(clock: Clock): CallMeter {
  const minutes = new Map<number, { all: number; failed: number; refused: number }>();
  const minuteNow = (): number => Math.floor(clock.nowMs() / MINUTE_MS);
  return {
    hear: ({ status }) => {
      const minute = minuteNow();
      const sums = minutes.get(minute) ?? { all: 0, failed: 0, refused: 0 };
      minutes.set(minute, sums);
      sums.all += 1;
      if (status === undefined || status >= 500) sums.failed += 1;
      if (status === 429) sums.refused += 1;
      for (const old of minutes.keys()) {
        if (old > minute - MINUTES) break;
        minutes.delete(old);
      }
    },
    lastHour: () => {
      const after = minuteNow() - MINUTES;
      const sums = { all: 0, failed: 0, refused: 0 };
      for (const [minute, { all, failed, refused }] of minutes) {
        if (minute <= after) continue;
        sums.all += all;
        sums.failed += failed;
        sums.refused += refused;
      }
      return sums;
    },
  };
}
