// What tells open pages that something changed, by server-sent events. Takes the journal's own signal, gives
// streams of short notes; a page then asks for itself anew, with the session it has then. Nothing of an event
// is ever in a note. A stream ends by itself after some minutes; a browser opens the next one.

import type { ConsoleApp, ConsoleParts } from './parts.ts';

/** A burst of events is one note. */
const QUIET_MS = 1_000;
const KEEP_ALIVE_MS = 20_000;
const STREAM_MS_MAX = 5 * 60_000;
const STREAMS_MAX = 200;
/** How soon a browser comes back when a stream has ended. */
const RETRY_MS = 2_000;

export interface Live {
  /** Ends all streams. */
  stop(): void;
}

type Write = (text: string) => void;

export function addLive(app: ConsoleApp, { clock, onChange, streams }: ConsoleParts): Live {
  const open = new Map<Write, AbortController>();
  const tell = (text: string): void => {
    for (const write of [...open.keys()]) write(text);
  };
  let pending: AbortController | undefined;
  let lastChangeMs = 0;

  const onNote = (): void => {
    lastChangeMs = clock.nowMs();
    if (pending !== undefined || open.size === 0) return;
    pending = new AbortController();
    void clock.sleep(QUIET_MS, pending.signal).then((isOver) => {
      pending = undefined;
      if (isOver) tell('event: change\ndata:\n\n');
    });
  };

  const stopListening = streams ? onChange(onNote) : () => undefined;

  app.get('/live', (c) => {
    if (!streams) return c.text('There are no streams here.\n', 404);
    if (open.size >= STREAMS_MAX) {
      return c.text('Too many pages are open.\n', 503, { 'retry-after': '60' });
    }
    const ended = new AbortController();
    const encoder = new TextEncoder();
    let write: Write = () => undefined;
    const close = (): void => {
      open.delete(write);
      ended.abort();
    };
    const keepAlive = async (endsInMs: number): Promise<void> => {
      for (let passedMs = 0; passedMs < endsInMs; passedMs += KEEP_ALIVE_MS) {
        const pauseMs = Math.min(KEEP_ALIVE_MS, endsInMs - passedMs);
        if (!(await clock.sleep(pauseMs, ended.signal))) return;
        write(': still here\n\n');
      }
      close();
    };
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        write = (text) => {
          // Who reads nothing for long is cut off, rather than remembered.
          if ((controller.desiredSize ?? 0) < -64) return close();
          controller.enqueue(encoder.encode(text));
        };
        open.set(write, ended);
        ended.signal.addEventListener('abort', () => {
          try {
            controller.close();
          } catch {
            // The browser was faster.
          }
        });
        write(`retry: ${RETRY_MS}\nevent: begin\ndata: ${lastChangeMs}\n\n`);
        const endsInMs = Math.min(STREAM_MS_MAX, c.var.session.expiresAtMs - clock.nowMs());
        void keepAlive(endsInMs);
      },
      cancel: close,
    });
    return c.body(body, 200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Proxies of the nginx kind would hold it back otherwise.
      'x-accel-buffering': 'no',
    });
  });

  return {
    stop: () => {
      stopListening();
      pending?.abort();
      for (const ended of [...open.values()]) ended.abort();
      open.clear();
    },
  };
}
