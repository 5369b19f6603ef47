// Which calls to Cryptlex belong to which event. Takes every call that is made, gives each piece of work
// those that were made on its behalf, however much goes on side by side. Keeps paths and statuses only.

import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallRecord } from '../cryptlex/call-record.ts';
import type { CallSummary } from '../journal/journal.ts';

/** An event with thousands of licenses is not told call by call. */
const CALLS_MAX = 200;

export interface Recording {
  readonly eventKey: string;
  readonly calls: CallSummary[];
}

export interface CallRecorder {
  hear(call: CallRecord): void;
  /** Runs the work on an event; the calls that it makes are added to the list. */
  record<Result>(recording: Recording, work: () => Promise<Result>): Promise<Result>;
  /** The event on whose behalf something is done right now. */
  currentEvent(): string | undefined;
}

export function createCallRecorder(): CallRecorder {
  const current = new AsyncLocalStorage<Recording>();
  return {
    hear: ({ method, path, status, durationMs }) => {
      const calls = current.getStore()?.calls;
      if (calls === undefined || calls.length >= CALLS_MAX) return;
      calls.push({ method, path, status: status ?? null, durationMs: Math.round(durationMs) });
    },
    record: (recording, work) => current.run(recording, work),
    currentEvent: () => current.getStore()?.eventKey,
  };
}
