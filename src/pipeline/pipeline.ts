// The way of the data, in order:
//
//   verify → accept → match → plan → execute → record
//
// Verifying comes before this file: it only takes a VerifiedDelivery. Accepting writes the events down
// before anything is done for them; `process` takes one event from there to its outcome.
// Never decides what an event means (the rules do) nor how Cryptlex is called (the actions do).

import type { Brake } from '../actions/brake.ts';
import type { Executor } from '../actions/execute.ts';
import type { Progress } from '../actions/run.ts';
import { AppError } from '../core/error-codes.ts';
import type { Logger } from '../core/log.ts';
import type {
  Clock,
  EventOutcome,
  MatchResult,
  RulePointer,
  VerifiedDelivery,
} from '../core/model.ts';
import { subjectText } from '../core/stored-text.ts';
import { type Env, matchEvent, subjectsOf } from '../engine/plan/match.ts';
import type { RuleSet } from '../engine/rules/rule-set.ts';
import type {
  Acceptance,
  CallSummary,
  Journal,
  Settlement,
  TakenEvent,
} from '../journal/journal.ts';
import type { Recording } from './call-recorder.ts';
import { describeDone, failedOutcome, withProgress } from './outcomes.ts';
import { settleFailure } from './retry.ts';
import { cancelTimers, stepOfTimer, timerKeyOf, withStopped } from './timers.ts';
import { saleOf, takesItsTurn } from './turns.ts';

/** One version of all rules, with the variables that they read. */
export interface CurrentRules {
  readonly ruleSets: ReadonlyMap<string, RuleSet>;
  readonly env: Env;
}

export interface PipelineDependencies {
  /** The rules as they are now; asked once for an attempt, so that one version handles it whole. */
  currentRules(): CurrentRules;
  readonly journal: Journal;
  readonly executor: Executor;
  readonly clock: Clock;
  readonly log: Logger;
  /** For the jitter of retries, 0 up to 1. */
  readonly random: () => number;
  /** Runs the work, and notes the calls to Cryptlex that it makes. */
  recordCalls<Result>(recording: Recording, work: () => Promise<Result>): Promise<Result>;
  /** Hears of each attempt at its end. */
  readonly onAttempt?: (attempt: AttemptFacts) => void;
  /** Hears how long accepting a delivery took, whether it was accepted or not. */
  readonly onAccept?: (durationMs: number) => void;
}

/** One attempt, for whoever counts. */
export interface AttemptFacts {
  readonly taken: TakenEvent;
  readonly outcome: EventOutcome;
  readonly operations: Progress['operations'];
  /** The list that was given to `recordCalls`. */
  readonly calls: readonly CallSummary[];
  /** The action at which it ended early. */
  readonly brokenAt: string | undefined;
  readonly startedAtMs: number;
  /** When the rules had given a plan, or had said that there is nothing to do. */
  readonly plannedAtMs: number;
  readonly endedAtMs: number;
}

export interface Pipeline {
  /** Writes a delivery's events down. @throws JOURNAL_UNAVAILABLE */
  accept(
    delivery: VerifiedDelivery,
    takeAtOnce?: (taken: TakenEvent) => void,
  ): Promise<readonly Acceptance[]>;
  /** Works on one event that was taken from the journal; gives how the attempt ended, whatever came. */
  process(taken: TakenEvent, signal: AbortSignal | undefined): Promise<Settlement>;
}

export function createPipeline(dependencies: PipelineDependencies): Pipeline {
  const { journal } = dependencies;
  return {
    accept: async (delivery, takeAtOnce) => {
      const events = [];
      const { ruleSets, env } = dependencies.currentRules();
      for (const event of delivery.events) {
        const ruleSet = ruleSets.get(event.source);
        const ids = ruleSet === undefined ? [event.id] : await subjectsOf(ruleSet, event, env);
        // A subscription of one provider has nothing to do with one of the same id of another.
        const subjects = ids.map((id) => subjectText(`${event.provider}:${id}`));
        const sale = await saleOf(event, subjects, ruleSet, journal);
        events.push({ event, subjects: [...new Set([...subjects, ...sale])] });
      }
      const startedAtMs = dependencies.clock.nowMs();
      try {
        return await journal.accept(events, takeAtOnce);
      } finally {
        dependencies.onAccept?.(dependencies.clock.nowMs() - startedAtMs);
      }
    },
    process: (taken, signal) => processEvent(taken, signal, dependencies),
  };
}

/** One attempt, with what is kept of it for whoever reads the journal. */
async function processEvent(
  taken: TakenEvent,
  signal: AbortSignal | undefined,
  dependencies: PipelineDependencies,
): Promise<Settlement> {
  const calls: CallSummary[] = [];
  const { ruleSets, env } = dependencies.currentRules();
  const ruleSet = ruleSets.get(taken.event.source);
  const progress: Progress = { userId: undefined, licenseIds: new Set(), operations: [] };
  const startedAtMs = dependencies.clock.nowMs();
  let plannedAtMs = startedAtMs;
  const onPlan = (): void => {
    plannedAtMs = dependencies.clock.nowMs();
  };
  const work = () =>
    decideAndExecute(taken, { ruleSet, env, signal, progress, onPlan }, dependencies);
  const settlement = await dependencies.recordCalls({ eventKey: taken.key, calls }, work);
  if (progress.isCounted === true && FINISHED.includes(settlement.outcome.status)) {
    await dependencies.journal.uncountUndone(taken.key);
  }
  dependencies.onAttempt?.({
    ...{ taken, calls, startedAtMs, plannedAtMs },
    outcome: settlement.outcome,
    operations: progress.operations,
    brokenAt: progress.brokenAt,
    endedAtMs: dependencies.clock.nowMs(),
  });
  // A plan that was begun is finished as the rules of then made it.
  const rulesHash = taken.storedPlan?.rulesHash ?? ruleSet?.hash;
  return { ...settlement, calls, ...(rulesHash === undefined ? {} : { rulesHash }) };
}

async function decideAndExecute(
  taken: TakenEvent,
  {
    ruleSet,
    env,
    signal,
    progress,
    onPlan,
  }: {
    ruleSet: RuleSet | undefined;
    env: Env;
    signal: AbortSignal | undefined;
    progress: Progress;
    onPlan: () => void;
  },
  dependencies: PipelineDependencies,
): Promise<Settlement> {
  const { event } = taken;
  if (ruleSet === undefined) {
    const error = new AppError('SOURCE_UNKNOWN', `there are no rules for ${event.source} any more`);
    return ended(failedOutcome(event.id, error, undefined));
  }
  let rule: string | undefined;
  let timerKey = taken.storedPlan?.timer?.key ?? taken.timerKey;
  let dueAtMs = taken.storedPlan?.timer?.dueAtMs;
  // An event that comes to its end holds its clock no more, whatever the rules say by now.
  const withTimer = (settlement: Settlement): Settlement =>
    timerKey === undefined || ['queued', 'parked'].includes(settlement.outcome.status)
      ? settlement
      : { timer: { key: timerKey, isOver: true }, ...settlement };
  try {
    const sale = await saleOf(event, taken.subjects, ruleSet, dependencies.journal);
    const joins = sale.filter((subject) => !taken.subjects.includes(subject));
    if (joins.length > 0) return takesItsTurn(event.id, joins);
    const match = await decide(taken, ruleSet, env);
    onPlan();
    // Before all else: a payment that fails, or is tried again for hours, was made all the same.
    const stopped = await cancelTimers(taken, match.cancels ?? [], dependencies.journal);
    if (match.kind !== 'matched') {
      return withTimer(ended(withStopped(outcomeWithoutPlan(event.id, match), stopped)));
    }
    rule = match.rules.map(({ id }) => id).join(', ');
    if (match.timer !== undefined) {
      timerKey = timerKeyOf(event, match.timer);
      const step = await stepOfTimer(taken, match.timer, rule, dependencies);
      if (step.kind === 'settle') return withTimer(step.settlement);
      dueAtMs = step.dueAtMs;
    }
    const timer =
      timerKey === undefined || dueAtMs === undefined ? undefined : { key: timerKey, dueAtMs };
    await dependencies.executor.execute({
      plan: match.plan,
      event,
      eventKey: taken.key,
      subjects: taken.subjects,
      maxDelete: ruleSet.settings.maxDelete,
      brake: brakeOf(taken, ruleSet),
      isResumed: taken.storedPlan !== undefined,
      attempt: taken.attempt,
      replay: taken.replay,
      progress,
      signal,
      // From its first write on, a plan is finished as it stands, whatever the rules say then.
      beforeFirstWrite: () =>
        taken.storedPlan === undefined
          ? dependencies.journal.storePlan(taken.key, {
              plan: match.plan,
              rules: match.rules,
              rulesHash: ruleSet.hash,
              ...(timer === undefined ? {} : { timer }),
            })
          : Promise.resolve(),
    });
    const outcome = withProgress(describeDone(event.id, rule, progress), progress);
    const done = ended(withStopped(outcome, stopped));
    return withTimer({ ...done, wakesWaiting: wakesOthers(progress) });
  } catch (error) {
    // What waited for its time is tried for as long as what has just come.
    const begunAtMs = Math.max(taken.begunAtMs, dueAtMs ?? 0);
    const attempt = { taken: { ...taken, begunAtMs }, rule, ruleSet, progress };
    const settlement = settleFailure(error, attempt, dependencies);
    return withTimer({ ...settlement, wakesWaiting: wakesOthers(progress) });
  }
}

/** What was planned before the first write stands; else today's rules are asked. */
async function decide(taken: TakenEvent, ruleSet: RuleSet, env: Env): Promise<MatchResult> {
  const { storedPlan } = taken;
  if (storedPlan === undefined) return matchEvent(ruleSet, taken.event, env);
  return { kind: 'matched', rules: storedPlan.rules, plan: storedPlan.plan, trace: [] };
}

/** Whether it made what another event may wait for: a license, a user with what finds it, a payment's note. */
function wakesOthers({ operations, hasNotedPayment }: Progress): boolean {
  const hasMade = operations.some(
    ({ action, result }) =>
      action === 'license.create' || (action.startsWith('user.') && result.kind === 'applied'),
  );
  return hasMade || hasNotedPayment === true;
}

/** From here on an event does nothing more. */
const FINISHED: readonly EventOutcome['status'][] = ['done', 'failed', 'parked'];

/** An event that a person released is not held again, and does not count. */
function brakeOf({ event, isReleased }: TakenEvent, { settings }: RuleSet): Brake | undefined {
  return isReleased === true ? undefined : { source: event.source, limits: settings.brake };
}

function ended(outcome: EventOutcome): Settlement {
  return { outcome, wakesWaiting: false };
}

/** The outcome of an event for which nothing is executed. */
function outcomeWithoutPlan(
  eventId: string,
  match: Exclude<MatchResult, { kind: 'matched' }>,
): EventOutcome {
  switch (match.kind) {
    case 'ignored': {
      const message = 'Nothing to do for this event.';
      return { eventId, status: 'ignored', message, reason: match.reason, ...ruleOf(match.rule) };
    }
    case 'unmatched': {
      const rejected = match.answer === 'reject';
      const { reason } = match;
      return { eventId, status: 'unmatched', message: reason, reason, rejected };
    }
    case 'failed': {
      const [first] = match.problems;
      const code = first?.code ?? 'INTERNAL';
      const message = match.problems.map((problem) => problem.message).join('; ');
      const failure = { code, message, hint: first?.hint, problems: match.problems };
      return {
        eventId,
        status: 'failed',
        message,
        reason: message,
        failure,
        ...ruleOf(match.rule),
      };
    }
  }
}

function ruleOf(rule: RulePointer | undefined): { rule?: string } {
  return rule === undefined ? {} : { rule: rule.id };
}
