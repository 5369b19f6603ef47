// What follows from a failure. Takes what was thrown, gives whether and when the event is worked on
// again: a permanent failure is kept, a missing license waits, a refused token and the brake park, the rest is
// tried again for days. Never tries anything itself.

import { BrakeHeld } from '../actions/brake.ts';
import { MissingLicense, MissingUser, RetryLater } from '../actions/failures.ts';
import type { Progress } from '../actions/run.ts';
import { AppError, registryEntry } from '../core/error-codes.ts';
import type { Logger } from '../core/log.ts';
import type { Clock, EventOutcome } from '../core/model.ts';
import type { RuleSet } from '../engine/rules/rule-set.ts';
import type { Settlement, TakenEvent } from '../journal/journal.ts';
import { failedOutcome, heldOutcome, unfinishedOutcome, withProgress } from './outcomes.ts';

/** Providers give up after three to seven days, so Keywright tries at least as long. */
const RETRY_FOR_MS = 3 * 24 * 60 * 60 * 1000;
const FIRST_DELAY_MS = 1_000;
const EARLY_DELAY_MS_MAX = 30_000;
const EARLY_PHASE_MS = 10 * 60 * 1000;
const LATE_DELAY_MS_MAX = 15 * 60 * 1000;
/** A longer `Retry-After` is tried again after this, so that one odd answer cannot stop us for a day. */
const ASKED_DELAY_MS_MAX = 15 * 60 * 1000;
/** What waits for a license is mostly woken by the purchase; other software may make one as well. */
const LOOK_AGAIN_MS_MIN = 30_000;
const LOOK_AGAIN_MS_MAX = 60 * 60 * 1000;
/** A new token is noticed within a minute. */
const PARKED_DELAY_MS = 60_000;

interface Attempt {
  readonly taken: TakenEvent;
  readonly rule: string | undefined;
  readonly ruleSet: RuleSet;
  readonly progress: Progress;
}

/** How a failed attempt ends. */
export function settleFailure(
  error: unknown,
  attempt: Attempt,
  { clock, log, random }: { clock: Clock; log: Logger; random: () => number },
): Settlement {
  const { taken, rule, ruleSet, progress } = attempt;
  const { id } = taken.event;
  const nowMs = clock.nowMs();
  const elapsedMs = nowMs - taken.begunAtMs;
  const put = (outcome: EventOutcome, dueAtMs?: number): Settlement => ({
    outcome: withProgress(outcome, progress),
    wakesWaiting: false,
    ...(dueAtMs === undefined ? {} : { dueAtMs }),
  });
  if (error instanceof MissingLicense) {
    const horizonMs = taken.begunAtMs + ruleSet.settings.waitForMs;
    if (nowMs >= horizonMs) {
      return put(error.isFine ? nothingLeft(id, error, rule) : failedOutcome(id, error, rule));
    }
    const dueAtMs = Math.min(nowMs + lookAgainMs(elapsedMs), horizonMs);
    const what = error instanceof MissingUser ? 'user' : 'license';
    return put(unfinishedOutcome(id, 'waiting', error.message, rule, what), dueAtMs);
  }
  if (error instanceof BrakeHeld) return { ...put(heldOutcome(id, error, rule)), isHeld: true };
  if (error instanceof AppError && error.code === 'CRYPTLEX_TOKEN') {
    return put(unfinishedOutcome(id, 'parked', error.message, rule), nowMs + PARKED_DELAY_MS);
  }
  if (!(error instanceof AppError)) {
    const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error({ eventId: id, cause: cause.slice(0, 2000) }, 'an action broke');
  }
  const retryable = error instanceof AppError ? registryEntry(error.code).retryable : true;
  // A call that our own shutdown broke off says nothing about the event.
  const isOver = elapsedMs > RETRY_FOR_MS && !wasGivenUp(error);
  if (!retryable || isOver) return put(failedOutcome(id, error, rule));
  const delayMs = Math.max(
    backOffMs(taken.attempt, elapsedMs, random()),
    askedDelayMs(error),
    error instanceof RetryLater ? error.dueAtMs - nowMs : 0,
  );
  const reason = error instanceof AppError ? error.message : 'an unexpected error';
  return put(unfinishedOutcome(id, 'queued', reason, rule), nowMs + delayMs);
}

/** What `Retry-After` said, within bounds. */
function askedDelayMs(error: unknown): number {
  const asked = error instanceof AppError && 'retryAfterMs' in error ? error.retryAfterMs : 0;
  return typeof asked === 'number' ? Math.min(asked, ASKED_DELAY_MS_MAX) : 0;
}

function wasGivenUp(error: unknown): boolean {
  if (!(error instanceof AppError)) return false;
  return ('aborted' in error && error.aborted === true) || wasGivenUp(error.cause);
}

/** After as long as it has waited already: soon at first, each hour in the end. */
export function lookAgainMs(elapsedMs: number): number {
  return Math.min(Math.max(elapsedMs, LOOK_AGAIN_MS_MIN), LOOK_AGAIN_MS_MAX);
}

/** A delete or revocation that waited in vain: what was wanted is so. */
function nothingLeft(eventId: string, error: AppError, rule: string | undefined): EventOutcome {
  const message = 'There was nothing to take back.';
  const base = { eventId, status: 'done', message, reason: error.message } as const;
  return rule === undefined ? base : { ...base, rule };
}

/**
 * 1 s, doubling; at most 30 s in the first ten minutes, later up to 15 min; with jitter, so that
 * events that failed together do not come back together.
 * @param jitter 0 up to 1
 */
export function backOffMs(attempt: number, elapsedMs: number, jitter: number): number {
  const max = elapsedMs < EARLY_PHASE_MS ? EARLY_DELAY_MS_MAX : LATE_DELAY_MS_MAX;
  const delayMs = Math.min(FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 20), max);
  return Math.round(delayMs * (0.75 + jitter / 2));
}
