// The event types that rules name. Takes the rules and the types that a provider documents; reports types that
// it never sends, and types of which some events fit no rule. Never looks at an event.

import { PROVIDER_FACTS } from '../../core/providers.ts';
import { didYouMean } from '../diagnostics/closest.ts';
import type { Findings } from '../diagnostics/findings.ts';
import type { YamlFile } from '../diagnostics/yaml.ts';
import type { Condition, NameTable, Rule, RuleSet } from '../rules/rule-set.ts';
import { isSwitchedOff, openConditions } from './disabled-rules.ts';
import { coverAll } from './implication.ts';

export function lintEventTypes(
  ruleSet: RuleSet,
  yaml: YamlFile,
  known: readonly string[],
  findings: Findings,
): void {
  const names = new Set(known);
  const rules = (yaml.value as { rules?: unknown }).rules;
  for (const [index, rule] of (Array.isArray(rules) ? rules : []).entries()) {
    const on: unknown = (rule as { on?: unknown } | null)?.on;
    for (const [position, type] of [on].flat().entries()) {
      if (names.size === 0 || typeof type !== 'string' || type === '' || names.has(type)) continue;
      const path = ['rules', index, 'on', ...(Array.isArray(on) ? [position] : [])];
      const provider = PROVIDER_FACTS[ruleSet.provider].title;
      const message = `${provider} has no event type "${type}"${didYouMean(type, known)}`;
      const location = yaml.locate(path);
      findings.warning('EVENT_TYPE_UNKNOWN', message, {
        location,
        length: yaml.lengthOf(path),
        ...familyHint(type, known),
      });
    }
  }
  reportRest(ruleSet, yaml, findings);
}

/** The types that begin alike. */
function familyHint(type: string, known: readonly string[]): { hint?: string } {
  const [head = ''] = type.split(/[._]/);
  const alike = known.filter((name) => name.startsWith(`${head}.`)).slice(0, 10);
  return alike.length === 0 ? {} : { hint: `There is ${alike.join(', ')}.` };
}

/**
 * An event that fits no rule of its type is ignored with a reason. Where every rule of the type has
 * conditions, somebody should say that this is meant: once for all types that end with the same rule.
 */
function reportRest(ruleSet: RuleSet, yaml: YamlFile, findings: Findings): void {
  const open = new Map<Rule, string[]>();
  for (const [type, rules] of ruleSet.rulesByType) {
    const last = rules.at(-1);
    if (last === undefined || leavesNothing(rules, ruleSet.names)) continue;
    const types = open.get(last);
    if (types === undefined) open.set(last, [type]);
    else types.push(type);
  }
  for (const [rule, types] of open) {
    const [type = ''] = types;
    const names = types.join(' and ');
    const message = `what about every other ${names}? No rule says what happens to those that fit no condition`;
    const id = `other-${type.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
    const on = types.length === 1 ? type : `[${types.join(', ')}]`;
    const hint = `They are ignored. If that is meant, say so in a last rule: { id: ${id}, on: ${on}, ignore: WHY }.`;
    const location = yaml.locate(['rules', ruleIndex(yaml, rule), 'id']);
    findings.warning('RULE_REST_UNSAID', message, { location, length: rule.id.length, hint });
  }
}

/** Whether every event of the type fits one of the rules, as far as that can be known. */
function leavesNothing(rules: readonly Rule[], settings: NameTable): boolean {
  const asked = rules
    .filter((rule) => !isSwitchedOff(rule, settings))
    .map((rule) => openConditions(rule, settings));
  if (asked.some((when) => when.length === 0)) return true;
  // Two rules that ask for the opposite of each other leave nothing between them.
  const single = asked.flatMap((when) => (when.length === 1 ? when : []));
  return single.filter(isNegative).some((a) => single.some((b) => coverAll(a, b)));
}

/** Asks that something is not so; one of two opposites always does. */
function isNegative(condition: Condition): boolean {
  if (condition.kind !== 'leaf') return condition.kind === 'not';
  return condition.tests.some(
    (test) => (test.kind === 'in' && !test.wanted) || test.kind === 'blank',
  );
}

function ruleIndex(yaml: YamlFile, rule: Rule): number {
  const { rules } = yaml.value as { rules: readonly ({ id?: unknown } | null)[] };
  return rules.findIndex((candidate) => candidate?.id === rule.id);
}
