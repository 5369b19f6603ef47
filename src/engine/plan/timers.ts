// The clocks of a matched rule, for one event. Takes compiled clocks, gives their names and when they are
// due, by the event's own time. Pure: whether a clock runs is known to the journal alone.

import { addInterval, parseInterval } from '../../core/interval.ts';
import type { PlannedTimer, TimerName } from '../../core/model.ts';
import type { Rule, TimerTemplate } from '../rules/rule-set.ts';
import type { Evaluation } from './evaluation.ts';
import { EvaluationFailure, problemAt } from './evaluation-failure.ts';
import type { RunScope } from './run-scope.ts';

/** @throws EvaluationFailure when it comes out missing, or belongs to something the event is not about */
export async function planTimer(
  rule: Rule,
  scope: RunScope,
  evaluation: Evaluation,
  subjects: ReadonlySet<string>,
): Promise<PlannedTimer | undefined> {
  const { timer } = rule;
  if (timer === undefined) return undefined;
  const name = await nameOf(timer, rule, scope, evaluation, subjects);
  const after = await evaluation.text(timer.after, scope, 'after');
  const interval = parseInterval(after);
  const dueAtMs =
    interval === undefined ? undefined : addInterval(evaluation.event.timeMs, interval);
  if (dueAtMs === undefined) {
    const message = `after must be an interval such as P7D, not "${after}"`;
    throw new EvaluationFailure(problemAt('FIELD_TYPE', message, timer.after.location));
  }
  return { ...name, after, dueAtMs };
}

/** @throws EvaluationFailure as above */
export async function planCancels(
  rule: Rule,
  scope: RunScope,
  evaluation: Evaluation,
  subjects: ReadonlySet<string>,
): Promise<readonly TimerName[]> {
  const names: TimerName[] = [];
  for (const clock of rule.cancels) {
    names.push(await nameOf(clock, rule, scope, evaluation, subjects));
  }
  return names;
}

/**
 * The key is one of the subjects, since those keep events in order: a payment and the end of the time
 * are worked on one after the other only where they share one.
 */
async function nameOf(
  { name, key: template }: TimerTemplate,
  rule: Rule,
  scope: RunScope,
  evaluation: Evaluation,
  subjects: ReadonlySet<string>,
): Promise<TimerName> {
  const key = await evaluation.text(template, scope, `the timer ${name}`);
  if (!subjects.has(key)) {
    const about = [...subjects].join(', ');
    const message = `the timer ${name} belongs to "${key}", but the event is about ${about}`;
    throw new EvaluationFailure(problemAt('TIMER_KEY', message, template.location));
  }
  const once =
    rule.once === undefined ? undefined : await evaluation.text(rule.once, scope, 'once');
  return { name, key, once };
}
