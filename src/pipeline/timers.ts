// An event whose plan waits for a time. Takes the plan's clock, asks the journal what is so of it, and gives
// how the attempt ends, or that the time is over and the plan is carried out. And what a payment stops.
// Never knows how long a rule waits, nor what it does then.

import type { EventOutcome, PlannedTimer, TimerName, WebhookEvent } from '../core/model.ts';
import { keyText } from '../core/stored-text.ts';
import type { Journal, Settlement, TakenEvent } from '../journal/journal.ts';
import type { TimerAnswer } from '../journal/timers.ts';

/** The key of a clock in the journal: a subscription of one provider is not that of another. */
export function timerKeyOf(event: Pick<WebhookEvent, 'provider'>, timer: TimerName): string {
  return keyText(`${event.provider}:${timer.name}:${timer.key}`);
}

/** What makes the failure or the payment one. */
function factOf({ id }: Pick<WebhookEvent, 'id'>, { once }: TimerName): string {
  return keyText(once ?? id);
}

/** What is to be done with the plan now. */
export type TimerStep =
  | { readonly kind: 'go on'; readonly dueAtMs: number }
  | { readonly kind: 'settle'; readonly settlement: Settlement };

/** Asks the clock of a plan, and starts it where nothing speaks against it. */
export async function stepOfTimer(
  taken: TakenEvent,
  timer: PlannedTimer,
  rule: string,
  { journal }: { journal: Journal },
): Promise<TimerStep> {
  const { event } = taken;
  const key = timerKeyOf(event, timer);
  const answer = await journal.askTimer({
    timerKey: key,
    eventKey: taken.key,
    fact: factOf(event, timer),
    timeMs: event.timeMs,
    dueAtMs: timer.dueAtMs,
  });
  if (answer.kind === 'holds' && answer.isDue) {
    return { kind: 'go on', dueAtMs: answer.dueAtMs };
  }
  const outcome = describeTimer(event.id, rule, timer, answer);
  return {
    kind: 'settle',
    settlement:
      answer.kind === 'holds'
        ? { outcome, wakesWaiting: false, dueAtMs: answer.dueAtMs, timer: { key, isOver: false } }
        : { outcome, wakesWaiting: false },
  };
}

/** Stops clocks; gives the names of those that ran. */
export async function cancelTimers(
  { event, key: eventKey }: TakenEvent,
  cancels: readonly TimerName[],
  journal: Journal,
): Promise<readonly string[]> {
  const byKey = new Map(cancels.map((timer) => [timerKeyOf(event, timer), timer]));
  if (byKey.size === 0) return [];
  const stopped = await journal.cancelTimers(
    [...byKey].map(([timerKey, timer]) => ({
      timerKey,
      eventKey,
      fact: factOf(event, timer),
      timeMs: event.timeMs,
    })),
  );
  return stopped.map((key) => byKey.get(key)?.name ?? key);
}

/** Adds to an outcome that clocks were stopped. */
export function withStopped(outcome: EventOutcome, stopped: readonly string[]): EventOutcome {
  if (stopped.length === 0) return outcome;
  const names = [...new Set(stopped)].join(', ');
  const reason = `it cancelled the timer ${names}`;
  return {
    ...outcome,
    reason: outcome.reason === undefined ? reason : `${outcome.reason}; ${reason}`,
  };
}

function describeTimer(
  eventId: string,
  rule: string,
  timer: PlannedTimer,
  answer: TimerAnswer,
): EventOutcome {
  const clock = `the timer ${timer.name} of ${timer.key}`;
  const base = { eventId, rule } as const;
  switch (answer.kind) {
    case 'holds': {
      const due = instant(answer.dueAtMs);
      const message = `The event waits until ${due}.`;
      const reason = `${clock} runs since ${instant(answer.startMs)}; it is due at ${due}, unless it is cancelled before`;
      return { ...base, status: 'waiting', message, reason };
    }
    case 'joined': {
      const message = `The clock runs since ${instant(answer.startMs)}; nothing had to be done.`;
      const reason = `${clock} runs since ${instant(answer.startMs)} and is due at ${instant(answer.dueAtMs)}`;
      return { ...base, status: 'done', message, reason };
    }
    case 'over': {
      const message = 'The time was over before; nothing had to be done.';
      return {
        ...base,
        status: 'done',
        message,
        reason: `${clock} ran out at ${instant(answer.dueAtMs)}`,
      };
    }
    case 'cancelled': {
      const message = 'The timer was cancelled; nothing had to be done.';
      const reason = `${clock} was cancelled by an event of ${instant(answer.paidAtMs)}`;
      return { ...base, status: 'done', message, reason };
    }
  }
}

function instant(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
