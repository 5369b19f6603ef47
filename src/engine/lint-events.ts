// The event types that rules name. Takes the rules and the types that a provider documents; reports types that
// it never sends, and types of which some events fit no rule. Never looks at an event.

import { PROVIDER_NAMES } from '../model.ts';
import { didYouMean } from './closest.ts';
import type { Findings } from './findings.ts';
import { excludes } from './implication.ts';
import type { Condition, Rule, RuleSet } from './rules.ts';
import type { YamlFile } from './yaml.ts';

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
      if (typeof type !== 'string' || type === '' || names.has(type)) continue;
      const path = ['rules', index, 'on', ...(Array.isArray(on) ? [position] : [])];
      const provider = PROVIDER_NAMES[ruleSet.provider];
      const message = `${provider} has no event type "${type}"${didYouMean(type, known)}`;
      const location = yaml.locate(path);
      findings.warning('EVENT_TYPE_UNKNOWN', message, {
        location,
        length: yaml.lengthOf(path),
        ...familyHint(type, known),
      });
    }
  }
  for (const [type, candidates] of ruleSet.rulesByType)
    reportRest(type, candidates, yaml, findings);
}

/** The types that begin alike. */
function familyHint(type: string, known: readonly string[]): { hint?: string } {
  const [head = ''] = type.split(/[._]/);
  const alike = known.filter((name) => name.startsWith(`${head}.`)).slice(0, 10);
  return alike.length === 0 ? {} : { hint: `There is ${alike.join(', ')}.` };
}

/**
 * An event that fits no rule of its type is ignored with a reason. Where every rule of the type has
 * conditions, somebody should say that this is meant.
 */
function reportRest(
  type: string,
  rules: readonly Rule[],
  yaml: YamlFile,
  findings: Findings,
): void {
  const last = rules.at(-1);
  if (last === undefined || rules.some(({ when }) => when.length === 0)) return;
  // Two rules that ask for the opposite of each other leave nothing between them.
  const single = rules.flatMap(({ when }) => (when.length === 1 ? when : []));
  const negative = single.filter(isNegative);
  if (negative.some((a) => single.some((b) => excludes(a, b)))) return;
  const { line } = last.location;
  const message = `what about every other ${type}? No rule says what happens to those that fit no condition`;
  const id = `other-${type.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
  const hint = `They are ignored. If that is meant, say so in a last rule: { id: ${id}, on: ${type}, ignore: WHY }.`;
  const path = ['rules', ruleIndex(yaml, last), 'id'];
  const location = yaml.locate(path).line >= line ? yaml.locate(path) : last.location;
  findings.warning('RULE_REST_UNSAID', message, { location, length: last.id.length, hint });
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
