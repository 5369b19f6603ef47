// What rules and conditions say together: rules that an earlier one leaves nothing for, conditions that can
// never be true, ids that are none. Takes a RuleSet, reports findings. Never looks at an event.

import type { Findings } from '../diagnostics/findings.ts';
import type { Condition, LeafTest, Rule, RuleSet } from '../rules/rule-set.ts';
import { lintIds } from './ids.ts';
import { contradiction } from './implication.ts';
import { reportShadowed } from './unreachable-rules.ts';

type Leaf = Extract<Condition, { kind: 'leaf' }>;

export function lintLogic(ruleSet: RuleSet, findings: Findings): void {
  for (const rule of ruleSet.rules) reportNever(rule, [], findings);
  reportShadowed(ruleSet.rules, findings);
  lintIds(ruleSet, findings);
}

/** Conditions that contradict each other, or those around them. */
function reportNever(rule: Rule, around: readonly Leaf[], findings: Findings): void {
  const here = [...around, ...leavesOf(rule.when)];
  reportContradictions(rule.when, around, findings);
  reportEventType(rule, here, findings);
  for (const step of rule.effect.kind === 'do' ? rule.effect.steps : []) {
    reportContradictions(step.when, here, findings);
    if (step.kind !== 'loop') continue;
    const outer = here.filter(({ path }) => path.variable !== step.as);
    for (const inner of step.rules) {
      const seen = outer.filter(({ path }) => !isOwnName(path.variable, inner, step.names));
      reportNever(inner, seen, findings);
    }
  }
}

function isOwnName(
  name: string | undefined,
  rule: Rule,
  names: ReadonlyMap<string, unknown>,
): boolean {
  return name !== undefined && (rule.names.has(name) || names.has(name));
}

/** The leaves that must all hold. */
function leavesOf(conditions: readonly Condition[]): readonly Leaf[] {
  return conditions.flatMap((condition) => {
    if (condition.kind === 'leaf') return [condition];
    return condition.kind === 'all' ? leavesOf(condition.items) : [];
  });
}

function reportContradictions(
  conditions: readonly Condition[],
  around: readonly Leaf[],
  findings: Findings,
): void {
  const tests = new Map<string, LeafTest[]>();
  for (const { path, tests: outer } of around) {
    tests.set(path.text, [...(tests.get(path.text) ?? []), ...outer]);
  }
  for (const leaf of leavesOf(conditions)) {
    const before = tests.get(leaf.path.text) ?? [];
    const together = [...before, ...leaf.tests];
    tests.set(leaf.path.text, together);
    if (contradiction(before) || !contradiction(together)) continue;
    const message =
      before.length > 0 && !contradiction(leaf.tests)
        ? `${leaf.path.text} is asked for something else already, so both never hold`
        : `nothing that ${leaf.path.text} may be is all of this`;
    const { location, path } = leaf;
    findings.warning('CONDITION_NEVER', message, { location, length: path.text.length });
  }
  for (const condition of conditions) {
    if (condition.kind === 'leaf' || condition.kind === 'formula') continue;
    const inside = [...around, ...leavesOf(conditions)];
    if (condition.kind === 'any') {
      for (const item of condition.items) reportContradictions([item], inside, findings);
    } else if (condition.kind === 'not') reportContradictions(condition.items, [], findings);
  }
}

const TYPE_PATHS = ['$event.type', 'type', 'event_type'];

/** A condition on the type of an event that the rule's own `on` never lets in. */
function reportEventType(rule: Rule, leaves: readonly Leaf[], findings: Findings): void {
  if (rule.types.length === 0) return;
  for (const { path, tests, location } of leaves) {
    if (!TYPE_PATHS.includes(path.text)) continue;
    const own: LeafTest = { kind: 'in', values: rule.types, wanted: true };
    if (!contradiction([own, ...tests])) continue;
    const message = `${path.text} is always ${rule.types.join(' or ')} here, as \`on\` says`;
    findings.warning('CONDITION_NEVER', message, { location, length: path.text.length });
  }
}
