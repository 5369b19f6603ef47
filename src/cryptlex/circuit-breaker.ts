// Whether Cryptlex is known to be down, or to refuse our token. Hears of every call; when several in a row
// fail, a single probe goes on in place of all events, and its first success wakes everything.
// Never decides what becomes of an event; never counts a refusal of one request as an outage.

import { AppError } from '../core/error-codes.ts';
import type { Logger } from '../core/log.ts';
import type { Clock } from '../core/model.ts';
import type { CallRecord } from './call-record.ts';
import type { CryptlexClient } from './client.ts';

export interface OutageWatch {
  hear(call: Pick<CallRecord, 'status' | 'error'>): void;
  /** Events are not worked on while this is true: each of them would only fail as well. */
  isDown(): boolean;
  stop(): void;
}

/** One failed call is an accident; this many in a row, of whatever events, are an outage. */
const FAILURES_UNTIL_DOWN = 5;
const PROBE_EVERY_MS = 3_000;
/** No user has it: the probe reads something that costs Cryptlex nothing. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

export function createOutageWatch(parts: {
  client: Pick<CryptlexClient, 'getUser'>;
  clock: Clock;
  log: Logger;
  /** Called when Cryptlex works again: everything that was put off is due. */
  wakeAll(): Promise<void>;
}): OutageWatch {
  const { client, clock, log, wakeAll } = parts;
  const stopped = new AbortController();
  let failures = 0;
  let probing = false;

  const probe = async (): Promise<void> => {
    while (await clock.sleep(PROBE_EVERY_MS, stopped.signal)) {
      try {
        await client.getUser(NOBODY, { signal: stopped.signal });
      } catch (error) {
        // An answer that is no answer comes from a proxy; only Cryptlex's own counts.
        if (!(error instanceof AppError)) throw error;
        continue;
      }
      failures = 0;
      probing = false;
      log.info({}, 'Cryptlex works again: everything that was put off goes on');
      await wakeAll();
      return;
    }
  };

  const startProbing = (reason: string): void => {
    if (probing || stopped.signal.aborted) return;
    probing = true;
    log.warn({ reason }, 'Cryptlex is not usable: events are kept, and one probe goes on');
    probe().catch((error: unknown) => {
      probing = false;
      log.error({ cause: String(error) }, 'the probe broke');
    });
  };

  return {
    hear: ({ status, error }) => {
      if (error?.aborted === true) return;
      if (error?.code === 'CRYPTLEX_TOKEN') {
        // A missing scope (403) is not seen by the probe; events that need it look again by themselves.
        if (status === 401) startProbing('it refuses the access token');
        return;
      }
      const failed =
        error !== undefined &&
        (status === undefined || status >= 500 || error.code === 'CRYPTLEX_NONSENSE');
      failures = failed ? failures + 1 : 0;
      if (failures >= FAILURES_UNTIL_DOWN) startProbing('its calls fail one after the other');
    },
    isDown: () => probing && failures >= FAILURES_UNTIL_DOWN,
    stop: () => stopped.abort(),
  };
}
