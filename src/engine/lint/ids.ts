// Literals of a rule file that stand where an id of Cryptlex belongs and are plainly none. Takes a RuleSet,
// reports findings. Those of the catalog are looked at where it is read.

import type { SourceLocation } from '../../core/model.ts';
import type { Findings } from '../diagnostics/findings.ts';
import { ID_FIELDS, whyNoId } from '../rules/ids.ts';
import type { Rule, RuleSet, Template } from '../rules/rule-set.ts';

export function lintIds(ruleSet: RuleSet, findings: Findings): void {
  const report = (text: string, location: SourceLocation): void => {
    const why = whyNoId(text);
    if (why === undefined) return;
    const length = text.length;
    findings.warning('RULE_NOT_AN_ID', `"${text}" ${why}`, { location, length });
  };
  for (const rule of ruleSet.rules) walkRule(rule, report);
  for (const template of ruleSet.names.values()) walkTemplate(template, '', report);
}

type Report = (text: string, location: SourceLocation) => void;

function walkRule(rule: Rule, report: Report): void {
  for (const template of rule.names.values()) walkTemplate(template, '', report);
  for (const step of rule.effect.kind === 'do' ? rule.effect.steps : []) {
    if (step.kind === 'loop') {
      for (const template of step.names.values()) walkTemplate(template, '', report);
      for (const inner of step.rules) walkRule(inner, report);
      continue;
    }
    for (const template of step.from) walkTemplate(template, '', report);
    for (const { name, template, type } of step.fields) {
      // Metadata is the seller's own, whatever its keys are called.
      if (type !== 'metadata') walkTemplate(template, name, report);
    }
  }
}

function walkTemplate(template: Template, name: string, report: Report): void {
  if (template.kind === 'literal' && ID_FIELDS.has(name) && typeof template.value === 'string') {
    if (template.value.trim() !== '') report(template.value, template.location);
  }
  if (template.kind !== 'map') return;
  for (const [key, member] of template.members) {
    if (key !== 'metadata') walkTemplate(member, key, report);
  }
}
