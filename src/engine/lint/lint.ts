// What is well-formed but cannot be meant. Takes a file and its rules, reports findings.
// Never changes anything.

import { PROVIDER_FACTS } from '../../core/providers.ts';
import type { Findings } from '../diagnostics/findings.ts';
import type { YamlFile } from '../diagnostics/yaml.ts';
import type { Rule, RuleSet, Step } from '../rules/rule-set.ts';
import { lintSettings } from './settings.ts';
import { lintTimers } from './timers.ts';

const SECRET_NAME = /SECRET|TOKEN|PASSW|CREDENTIAL|DATABASE_URL|(?:^|_)KEY$|PRIVATE_KEY|API_?KEY/;

/** Rules that can never be reached, settings without effect, variables that must stay secret. */
export function lintRuleSet(ruleSet: RuleSet, yaml: YamlFile, findings: Findings): void {
  for (const { name, location } of ruleSet.env) {
    if (!SECRET_NAME.test(name)) continue;
    const message = `${name} is the name of a secret`;
    findings.error('RULE_SECRET', message, { location, length: name.length });
  }
  reportUnreachable(ruleSet, findings);
  lintSettings(ruleSet, findings);
  lintTimers(ruleSet, yaml, findings);
  if (PROVIDER_FACTS[ruleSet.provider].liveMember === undefined && ruleSet.mode !== 'any') {
    findings.warning(
      'RULE_WRONG_TYPE',
      `mode: ${ruleSet.mode} has no effect on ${PROVIDER_FACTS[ruleSet.provider].title}`,
      {
        location: yaml.locate(['mode']),
        length: ruleSet.mode.length,
        hint: "Paddle's events do not say whether they are live; use another secret for the sandbox.",
      },
    );
  }
}

function reportUnreachable(ruleSet: RuleSet, findings: Findings): void {
  const closed = new Map<string, string>();
  for (const rule of ruleSet.rules) {
    const by = rule.types.map((type) => closed.get(type));
    if (by.every((id) => id !== undefined) && rule.types.length > 0) {
      const message = `rule "${rule.id}" is never reached: "${by[0] ?? ''}" takes every event of its type`;
      findings.warning('RULE_UNREACHABLE', message, { location: rule.location });
    }
    reportUnreachableItems(rule, findings);
    if (rule.when.length > 0 || rule.continues) continue;
    for (const type of rule.types) if (!closed.has(type)) closed.set(type, rule.id);
  }
}

/** The same inside loops, where a rule without conditions takes every item. */
function reportUnreachableItems(rule: Rule, findings: Findings): void {
  const steps: readonly Step[] = rule.effect.kind === 'do' ? rule.effect.steps : [];
  for (const step of steps) {
    if (step.kind !== 'loop') continue;
    const last = step.rules.findIndex((inner) => inner.when.length === 0);
    for (const [index, inner] of step.rules.entries()) {
      if (last !== -1 && index > last) {
        const message = `rule "${inner.id}" is never reached: "${step.rules[last]?.id ?? ''}" takes every item`;
        const hint = 'The rule before it has no conditions. Move that one behind it.';
        findings.warning('RULE_UNREACHABLE', message, { location: inner.location, hint });
      }
      reportUnreachableItems(inner, findings);
    }
  }
}
