// Settings with a value that no rule knows: `refunds: revok` would switch nothing on, and nobody would notice.
// Takes a RuleSet, reports findings. Never looks at an event.

import type { JsonValue } from '../../core/model.ts';
import { closest, didYouMean } from '../diagnostics/closest.ts';
import type { Findings } from '../diagnostics/findings.ts';
import type { Condition, Rule, RuleSet, Setting, Step } from '../rules/rule-set.ts';

export function lintSettings(ruleSet: RuleSet, findings: Findings): void {
  const asked = new Map<string, Set<string>>();
  const note = (name: string, value: JsonValue): void => {
    if (typeof value !== 'string') return;
    asked.set(name, (asked.get(name) ?? new Set()).add(value));
  };
  const declared = new Map(ruleSet.declared.map((setting) => [setting.name, setting]));
  for (const condition of ruleSet.rules.flatMap(conditionsOf)) {
    if (condition.kind !== 'leaf') continue;
    const { variable, names } = condition.path;
    const setting = variable === 'settings' ? declared.get(names[0] ?? '') : undefined;
    if (setting !== undefined) lintWords(setting, condition, findings);
    if (names.length > 0) continue;
    const values = condition.tests.flatMap((test) => (test.kind === 'in' ? test.values : []));
    if (variable !== undefined) for (const value of values) note(variable, value);
  }
  for (const [, name = '', value = ''] of ruleSet.text.matchAll(COMPARED)) note(name, value);
  for (const [name, template] of ruleSet.names) {
    const known = [...(asked.get(name) ?? [])].sort();
    if (template.kind !== 'literal' || typeof template.value !== 'string') continue;
    const { value, location } = template;
    // Where rules ask for one word only, any other may stand for "not that".
    const isOpen = known.length < 2 && closest(value, known) === undefined;
    if (known.includes(value) || value === OFF || isOpen) continue;
    const message = `no rule asks whether ${name} is "${value}"${didYouMean(value, known)}`;
    const hint = `Rules know ${known.join(', ')}.`;
    findings.warning('SETTING_UNKNOWN', message, { location, length: value.length, hint });
  }
}

/** A condition on a word that the setting does not take could never decide anything. */
function lintWords(
  { name, words, type }: Setting,
  { tests, location }: Extract<Condition, { kind: 'leaf' }>,
  findings: Findings,
): void {
  if (type !== undefined) return;
  for (const value of tests.flatMap((test) => (test.kind === 'in' ? test.values : []))) {
    const word = String(value);
    if (words.includes(word)) continue;
    const message = `the setting "${name}" has no word "${word}"${didYouMean(word, words)}`;
    const hint = `Its words are ${words.join(', ')}.`;
    findings.error('SETTING_UNKNOWN', message, { location, length: 1, hint });
  }
}

/** What no rule has to ask for. */
const OFF = 'off';

/** In formulas: `$expiry = "paid-through"`. */
const COMPARED = /\$([A-Za-z]\w*) !?= "([^"\n]*)"/g;

/** Every condition of a rule, with those of its steps and of the groups that they stand in. */
function conditionsOf(rule: Rule): readonly Condition[] {
  const steps = rule.effect.kind === 'do' ? rule.effect.steps : [];
  return [...flat(rule.when), ...steps.flatMap(conditionsOfStep)];
}

function conditionsOfStep(step: Step): readonly Condition[] {
  return [...flat(step.when), ...(step.kind === 'loop' ? step.rules.flatMap(conditionsOf) : [])];
}

function flat(conditions: readonly Condition[]): readonly Condition[] {
  return conditions.flatMap((condition) =>
    condition.kind === 'leaf' || condition.kind === 'formula' ? [condition] : flat(condition.items),
  );
}
