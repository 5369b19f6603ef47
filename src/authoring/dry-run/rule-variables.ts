// The variables that rules read, where an event is only explained. Takes rules and an environment, gives values;
// what is not set becomes a placeholder, so that the rules can be asked all the same. Pure.

import type { Env } from '../../engine/plan/match.ts';
import type { RuleSet } from '../../engine/rules/rule-set.ts';

/** The variables that rules read; a placeholder stands for those that are not set. */
export function environmentFor(
  ruleSet: RuleSet,
  env: Readonly<Record<string, string | undefined>>,
): { env: Env; placeholders: readonly string[] } {
  const values: Record<string, string> = {};
  const placeholders: string[] = [];
  for (const { name, optional } of ruleSet.env) {
    const value = env[name]?.trim() ?? '';
    if (value !== '') values[name] = value;
    else if (!optional) {
      values[name] = `<${name}>`;
      placeholders.push(name);
    }
  }
  return { env: values, placeholders };
}
