// Who waits for an event's outcome. Takes keys of events and, once there is one, the outcome; gives it to
// each who asked for it before. Remembers nobody who has stopped waiting.

import type { EventOutcome } from '../core/model.ts';

export interface OutcomeListeners {
  /** The outcome that is told next; undefined when the signal is aborted before. */
  next(key: string, signal: AbortSignal): Promise<EventOutcome | undefined>;
  tell(key: string, outcome: EventOutcome): void;
}

type Listener = (outcome: EventOutcome) => void;

export function createOutcomeListeners(): OutcomeListeners {
  const groups = new Map<string, Set<Listener>>();
  return {
    next: (key, signal) =>
      new Promise((resolve) => {
        const group = groups.get(key) ?? new Set();
        const listener: Listener = (outcome) => {
          signal.removeEventListener('abort', giveUp);
          resolve(outcome);
        };
        const giveUp = (): void => {
          group.delete(listener);
          if (group.size === 0 && groups.get(key) === group) groups.delete(key);
          resolve(undefined);
        };
        if (signal.aborted) {
          resolve(undefined);
          return;
        }
        groups.set(key, group.add(listener));
        signal.addEventListener('abort', giveUp, { once: true });
      }),
    tell: (key, outcome) => {
      const group = groups.get(key);
      groups.delete(key);
      for (const listener of group ?? []) listener(outcome);
    },
  };
}
