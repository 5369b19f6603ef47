// What the log says of an attempt: which event, whom it is about, how it ended and why. Takes an attempt that
// was settled, writes one line; and tells an event that broke the program itself as put off.
// Never holds an address or anything else of a payload.

import { AppError } from '../core/error-codes.ts';
import type { Logger } from '../core/log.ts';
import type { Settlement, TakenEvent } from '../journal/journal.ts';
import { failedOutcome } from './outcomes.ts';

/** One line for an attempt that ended. */
export function reportAttempt(log: Logger, taken: TakenEvent, { outcome }: Settlement): void {
  const code = outcome.failure?.code ?? outcome.code;
  const fields = {
    eventId: outcome.eventId,
    source: taken.event.source,
    type: taken.event.type,
    about: taken.subjects.map(withoutProvider).filter((id) => !id.includes('@')),
    eventTime: new Date(taken.event.timeMs).toISOString(),
    status: outcome.status,
    attempt: taken.attempt,
    ...(outcome.rule === undefined ? {} : { rule: outcome.rule }),
    ...(outcome.reason === undefined ? {} : { reason: outcome.reason.slice(0, 500) }),
    ...(code === undefined ? {} : { code }),
  };
  const isTrouble = outcome.status === 'failed' || outcome.status === 'parked';
  if (isTrouble) log.warn(fields, 'event not done');
  else log.info(fields, 'event settled');
}

/** `stripe:cus_1` is told as the provider tells it. */
function withoutProvider(subject: string): string {
  return subject.slice(subject.indexOf(':') + 1);
}

/** One line for an attempt that broke the program itself. */
export function reportBroken(log: Logger, { event }: TakenEvent, error: unknown): void {
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log.error({ eventId: event.id, cause: cause.slice(0, 2000) }, 'an event broke the worker');
}

/** How an attempt ends that nobody can tell anything of. */
export function putOff(eventId: string, dueAtMs: number): Settlement {
  const message = 'The event is stored and will be done.';
  const reason = 'an unexpected error';
  const outcome = { eventId, status: 'queued', message, reason } as const;
  return { outcome, dueAtMs, wakesWaiting: false };
}

/** How an attempt ends whose own end the database refuses to hold. */
export function refusedSettlement(eventId: string): Settlement {
  const error = new AppError('JOURNAL_REFUSES_TEXT', 'its outcome cannot be stored');
  return { outcome: failedOutcome(eventId, error, undefined), wakesWaiting: false };
}
