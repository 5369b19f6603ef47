// What is told of an event. Takes what was done or what went wrong, gives an EventOutcome whose message
// a person understands. Never decides what happens next.

import type { Progress } from '../actions/run.ts';
import { AppError } from '../core/error-codes.ts';
import type { EventOutcome, EventStatus } from '../core/model.ts';

/** How an action is told once it was applied. */
const DONE_WORDS: Readonly<Record<string, string>> = {
  'user.insert': 'user created',
  'user.upsert': 'user brought up to date',
  'user.update': 'user brought up to date',
  'user.merge': 'user merged',
  'license.create': 'created',
  'license.renew': 'renewed',
  'license.suspend': 'suspended',
  'license.resume': 'resumed',
  'license.revoke': 'revoked',
  'license.restore': 'restored',
  'license.delete': 'deleted',
  'license.setExpiry': 'given a new expiry',
  'license.update': 'updated',
  'license.move': 'moved to another user',
  'payment.link': 'payment noted',
};

/** An event whose plan came to its end. */
export function describeDone(eventId: string, rule: string, progress: Progress): EventOutcome {
  const reasons = untouchedReasons(progress);
  return {
    eventId,
    status: 'done',
    rule,
    message: summarize(progress),
    ...(reasons === undefined ? {} : { reason: reasons }),
  };
}

/** "user created; 3 licenses created" */
export function summarize(progress: Progress): string {
  const counts = new Map<string, Set<string>>();
  for (const { action, result } of progress.operations) {
    if (result.kind !== 'applied') continue;
    const targets = counts.get(action) ?? new Set();
    counts.set(action, targets.add(result.targetId));
  }
  const parts = [...counts].map(([action, targets]) => {
    const words = DONE_WORDS[action] ?? action;
    if (action.startsWith('user.') || action.startsWith('payment.')) return words;
    return `${targets.size} ${targets.size === 1 ? 'license' : 'licenses'} ${words}`;
  });
  if (parts.length > 0) return `${parts.join('; ')}.`;
  const wasDone = progress.operations.some(({ action }) => action === 'license.create');
  return wasDone
    ? 'It was licensed before; nothing had to be done.'
    : 'Everything was as it should be.';
}

/** Why something was left as it was; each reason once. */
function untouchedReasons(progress: Progress): string | undefined {
  const reasons = new Set<string>();
  for (const { action, result } of progress.operations) {
    if (result.kind !== 'applied') reasons.add(`${action} ${result.targetId}: ${result.reason}`);
  }
  return reasons.size === 0 ? undefined : [...reasons].slice(0, 10).join('; ');
}

/** Adds the user and the licenses that were touched so far. */
export function withProgress(outcome: EventOutcome, progress: Progress): EventOutcome {
  return {
    ...outcome,
    ...(progress.userId === undefined ? {} : { userId: progress.userId }),
    ...(progress.licenseIds.size === 0 ? {} : { licenseIds: [...progress.licenseIds] }),
  };
}

/** An event that failed for good. */
export function failedOutcome(
  eventId: string,
  error: unknown,
  rule: string | undefined,
): EventOutcome {
  const known = error instanceof AppError ? error : new AppError('INTERNAL', 'an unexpected error');
  const { code, message, hint } = known;
  const failure = { code, message, hint, problems: [{ code, message, hint, location: undefined }] };
  const base = { eventId, status: 'failed', message, reason: message, failure } as const;
  return rule === undefined ? base : { ...base, rule };
}

/** An event of which nothing is done before a person says so. */
export function heldOutcome(
  eventId: string,
  { code, message: reason }: AppError,
  rule: string | undefined,
): EventOutcome {
  const message = 'The event is held by the brake until a person releases or drops it.';
  const base = { eventId, status: 'parked', message, reason, code } as const;
  return rule === undefined ? base : { ...base, rule };
}

/** An event that is not done yet. */
export function unfinishedOutcome(
  eventId: string,
  status: Extract<EventStatus, 'queued' | 'waiting' | 'parked'>,
  reason: string,
  rule: string | undefined,
  waitsFor: 'license' | 'user' = 'license',
): EventOutcome {
  const messages = {
    queued: 'The event is stored and will be done.',
    waiting: `The event waits for a ${waitsFor} that is not there yet.`,
    parked: 'The event waits until Cryptlex accepts the access token.',
  };
  const base = { eventId, status, message: messages[status], reason };
  return rule === undefined ? base : { ...base, rule };
}
