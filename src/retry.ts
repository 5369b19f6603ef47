// What follows from a failure. Takes what was thrown, gives whether and when the event is worked on
// again: a permanent failure is kept, a missing license waits, a refused token parks, the rest is
// tried again for days. Never tries anything itself.

import { MissingLicense, type Progress, RetryLater } from './actions/run.ts';
import type { RuleSet } from './engine/rules.ts';
import { AppError, registryEntry } from './errors.ts';
import type { Settlement, TakenEvent } from './journal/journal.ts';
import type { Logger } from './log.ts';
import type { Clock, EventOutcome } from './model.ts';
import { failedOutcome, unfinishedOutcome, withProgress } from './outcomes.ts';

/** Providers give up after three to seven days, so Keywright tries at least as long. */
const RETRY_FOR_MS = 3 * 24 * 60 * 60 * 1000;
const FIRST_DELAY_MS = 1_000;
const EARLY_DELAY_MS_MAX = 30_000;
const EARLY_PHASE_MS = 10 * 60 * 1000;
const LATE_DELAY_MS_MAX = 15 * 60 * 1000;
/** A new token is noticed within a minute. */
const PARKED_DELAY_MS = 60_000;

interface Attempt {
  readonly taken: TakenEvent;
  readonly rule: string;
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
  const put = (outcome: EventOutcome, dueAtMs?: number): Settlement => ({
    outcome: withProgress(outcome, progress),
    wakesWaiting: false,
    ...(dueAtMs === undefined ? {} : { dueAtMs }),
  });
  if (error instanceof MissingLicense) {
    const horizonMs = taken.firstAcceptedAtMs + ruleSet.settings.waitForMs;
    if (nowMs >= horizonMs) return put(failedOutcome(id, error, rule));
    return put(unfinishedOutcome(id, 'waiting', error.message, rule), horizonMs);
  }
  if (error instanceof RetryLater) {
    return put(unfinishedOutcome(id, 'queued', error.message, rule), error.dueAtMs);
  }
  if (error instanceof AppError && error.code === 'CRYPTLEX_TOKEN') {
    return put(unfinishedOutcome(id, 'parked', error.message, rule), nowMs + PARKED_DELAY_MS);
  }
  if (!(error instanceof AppError)) {
    const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log.error({ eventId: id, cause: cause.slice(0, 2000) }, 'an action broke');
  }
  const retryable = error instanceof AppError ? registryEntry(error.code).retryable : true;
  const elapsedMs = nowMs - taken.firstAcceptedAtMs;
  if (!retryable || elapsedMs > RETRY_FOR_MS) return put(failedOutcome(id, error, rule));
  const asked =
    error instanceof AppError && 'retryAfterMs' in error ? error.retryAfterMs : undefined;
  const delayMs = Math.max(
    backOffMs(taken.attempt, elapsedMs, random()),
    typeof asked === 'number' ? asked : 0,
  );
  const reason = error instanceof Error ? error.message : 'an unexpected error';
  return put(unfinishedOutcome(id, 'queued', reason, rule), nowMs + delayMs);
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
