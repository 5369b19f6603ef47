// Settings that switch rules on and off. Takes a rule and the names of its file, tells what the literals among
// them make of its conditions before any event has come. A rule that a setting keeps from ever fitting is
// switched off: a type of event that only such rules name counts as one that no rule names.

import type { Condition, NameTable, Rule, Template } from '../rules/rule-set.ts';
import { holds } from './implication.ts';

type Verdict = 'always' | 'never' | 'open';

/** Whether the settings keep the rule from fitting any event. */
export function isSwitchedOff(rule: Rule, settings: NameTable): boolean {
  return together(rule.when, rule, settings) === 'never';
}

/** The conditions that are about the event: those that the settings have decided are left out. */
export function openConditions(rule: Rule, settings: NameTable): readonly Condition[] {
  return rule.when.filter((condition) => verdictOn(condition, rule, settings) !== 'always');
}

function verdictOn(condition: Condition, rule: Rule, settings: NameTable): Verdict {
  switch (condition.kind) {
    case 'formula':
      return 'open';
    case 'all':
      return together(condition.items, rule, settings);
    case 'not':
      return opposite(together(condition.items, rule, settings));
    case 'any':
      return opposite(
        joined(condition.items.map((item) => opposite(verdictOn(item, rule, settings)))),
      );
    case 'leaf': {
      const { variable, names } = condition.path;
      // A name of the rule's own hides the setting.
      if (variable === undefined || rule.names.has(variable)) return 'open';
      const setting = memberOf(settings.get(variable), names);
      if (setting?.kind !== 'literal') return 'open';
      const { value } = setting;
      return condition.tests.every((test) => holds(test, value)) ? 'always' : 'never';
    }
  }
}

/** What is written under a name, or under a member of it: `$settings.refunds`. */
function memberOf(template: Template | undefined, names: readonly string[]): Template | undefined {
  const [name, ...rest] = names;
  if (name === undefined) return template;
  return template?.kind === 'map' ? memberOf(template.members.get(name), rest) : undefined;
}

function together(conditions: readonly Condition[], rule: Rule, settings: NameTable): Verdict {
  return joined(conditions.map((condition) => verdictOn(condition, rule, settings)));
}

/** What must all hold. */
function joined(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('never')) return 'never';
  return verdicts.includes('open') ? 'open' : 'always';
}

function opposite(verdict: Verdict): Verdict {
  if (verdict === 'open') return 'open';
  return verdict === 'always' ? 'never' : 'always';
}
