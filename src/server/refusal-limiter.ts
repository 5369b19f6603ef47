// Requests that were refused before anybody was known to be behind them. Takes each refusal with its
// address and source, says whether there are too many of late. Strangers are slowed down (their
// connection ends, an admin guess waits) and fill no log; nobody is shut out by them: behind a proxy, the
// genuine provider has the same address.

import type { Logger } from '../core/log.ts';
import type { Clock } from '../core/model.ts';

export interface Strangers {
  /** Notes one refusal; true when its address or its source had too many in this minute. */
  note(refusal: {
    readonly address: string | undefined;
    readonly source: string | undefined;
  }): boolean;
}

const WINDOW_MS = 60_000;
/** A provider with a wrong secret sends less, and is to be seen in the log. */
export const PER_ADDRESS_MAX = 60;
export const PER_SOURCE_MAX = 300;
/** Whoever has many addresses does not fill the memory either. */
const KEYS_MAX = 10_000;

export function createStrangers({ clock, log }: { clock: Clock; log: Logger }): Strangers {
  let windowEndMs = 0;
  let quiet = 0;
  const counts = new Map<string, number>();

  const add = (key: string): number => {
    const count = (counts.get(key) ?? 0) + 1;
    if (counts.has(key) || counts.size < KEYS_MAX) counts.set(key, count);
    return count;
  };

  return {
    note: ({ address = 'unknown', source = 'none' }) => {
      const nowMs = clock.nowMs();
      if (nowMs >= windowEndMs) {
        if (quiet > 0)
          log.warn({ requests: quiet }, 'refused requests that were not logged one by one');
        counts.clear();
        quiet = 0;
        windowEndMs = nowMs + WINDOW_MS;
      }
      // Both are counted each time, so that the one does not hide the other.
      const ofAddress = add(`address ${address}`);
      const ofSource = add(`source ${source}`);
      if (ofAddress <= PER_ADDRESS_MAX && ofSource <= PER_SOURCE_MAX) return false;
      if (quiet === 0)
        log.warn({ address, source }, 'too many refused requests; they are slowed down');
      quiet += 1;
      return true;
    },
  };
}
