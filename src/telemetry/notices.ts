// What a server says of itself in the journal, for commands that look into it beside the server. Takes a
// text or takes it back; says it again each minute, so that what a dead server said is not believed for long.

import { messageOf } from '../core/error-codes.ts';
import type { Logger } from '../core/log.ts';
import type { Clock } from '../core/model.ts';
import type { Archive } from '../journal/archive.ts';

const AGAIN_MS = 60_000;

export interface NoticeBoard {
  /** Not waited for: a journal that does not answer must not hold up whoever says it. */
  set(text: string | undefined): void;
  /** Takes back what was said. */
  stop(): Promise<void>;
}

export function createNoticeBoard(parts: {
  archive: Pick<Archive, 'setNotice'>;
  /** Tells this process from others. */
  server: string;
  clock: Clock;
  log: Logger;
}): NoticeBoard {
  const { archive, server, clock, log } = parts;
  let said: string | undefined;
  let change = new AbortController();
  let working: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    try {
      await archive.setNotice(server, said);
    } catch (error) {
      log.warn({ cause: messageOf(error) }, 'a notice could not be written into the journal');
    }
  };

  const keepSaying = async (signal: AbortSignal): Promise<void> => {
    await write();
    while (said !== undefined && !signal.aborted) {
      if (await clock.sleep(AGAIN_MS, signal)) await write();
    }
  };

  const set = (text: string | undefined): void => {
    if (text === said) return;
    said = text;
    change.abort();
    change = new AbortController();
    const { signal } = change;
    working = working.then(() => keepSaying(signal));
  };

  return {
    set,
    stop: async () => {
      set(undefined);
      await working;
    },
  };
}
