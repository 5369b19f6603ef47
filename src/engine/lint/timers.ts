// What rules say together of clocks. Takes a RuleSet, reports clocks that nobody starts or stops, and
// payments that leave one running. Never looks at an event.

import { didYouMean } from '../diagnostics/closest.ts';
import type { Findings } from '../diagnostics/findings.ts';
import type { YamlFile } from '../diagnostics/yaml.ts';
import type { Rule, RuleSet, Step } from '../rules/rule-set.ts';

export function lintTimers({ rules }: RuleSet, yaml: YamlFile, findings: Findings): void {
  const started = new Set(writtenTimers(yaml));
  const stopped = new Set(rules.flatMap(({ cancels }) => cancels.map(({ name }) => name)));
  for (const { name, location } of rules.flatMap(({ cancels }) => cancels)) {
    if (started.has(name)) continue;
    const message = `no rule has the timer "${name}"${didYouMean(name, started)}`;
    findings.error('TIMER_UNKNOWN', message, { location, length: name.length });
  }
  for (const { timer } of rules) {
    if (timer === undefined || stopped.has(timer.name)) continue;
    const { name, location } = timer;
    const message = `nothing cancels the timer "${name}", so whoever pays is struck all the same`;
    findings.warning('TIMER_NEVER_CANCELLED', message, { location, length: name.length });
  }
  if (stopped.size > 0) reportForgotten(rules, findings);
  reportMixed(rules, findings);
}

/** As they are written: those of rules that cannot be compiled, too, which have a finding of their own. */
function writtenTimers({ value }: YamlFile): readonly string[] {
  const { rules } = value as { rules?: unknown };
  if (!Array.isArray(rules)) return [];
  return rules.flatMap((rule: { timer?: unknown } | null) => Object.keys(rule?.timer ?? {}));
}

/** A payment that brings licenses back, but leaves the clock running that will suspend them. */
function reportForgotten(rules: readonly Rule[], findings: Findings): void {
  for (const [index, rule] of rules.entries()) {
    if (!bringsBack(rule)) continue;
    const before = rules.slice(0, index).filter(({ continues }) => continues);
    const open = rule.types.find(
      (type) =>
        ![...before, rule].some(({ types, cancels }) => types.includes(type) && cancels.length > 0),
    );
    if (open === undefined) continue;
    const message = `rule "${rule.id}" renews or resumes, but cancels no timer: after this ${open} the clock still runs`;
    findings.warning('TIMER_PAYMENT', message, { location: rule.location });
  }
}

function bringsBack({ effect }: Rule): boolean {
  return effect.kind === 'do' && effect.steps.some(bringsBackIn);
}

function bringsBackIn(step: Step): boolean {
  if (step.kind === 'loop') return step.rules.some(bringsBack);
  return ['license.renew', 'license.resume'].includes(step.definition.name);
}

/** What an earlier rule does at once, and what this one does later, cannot be one plan. */
function reportMixed(rules: readonly Rule[], findings: Findings): void {
  for (const [index, { id, timer, types }] of rules.entries()) {
    if (timer === undefined) continue;
    const mixed = rules
      .slice(0, index)
      .find(
        ({ continues, effect, types: others }) =>
          continues &&
          effect.kind === 'do' &&
          effect.steps.length > 0 &&
          others.some((type) => types.includes(type)),
      );
    if (mixed === undefined) continue;
    const message = `rule "${id}" waits, but "${mixed.id}" goes on to it with steps of its own`;
    const { location } = timer;
    findings.error('TIMER_MISPLACED', message, { location, length: timer.name.length });
  }
}
