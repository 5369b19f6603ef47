// The clocks of a rule: `after` with its `timer`, and `cancels`. Takes what the schema let through, gives
// templates; reports what cannot be meant, rule by rule. What rules say together is in lint-timers.ts.

import { parseInterval } from '../../core/interval.ts';
import type { YamlPath } from '../diagnostics/yaml-places.ts';
import type { RuleTimer, TimerTemplate } from '../rules/rule-set.ts';
import { compileKnown } from './compile-fields.ts';
import type { StaticScope } from './static-scope.ts';
import { findingAt, type TemplateContext } from './templates.ts';

type Raw = Readonly<Record<string, unknown>>;

/** The clocks of one rule, with everything wrong in them reported. */
export function compileTimers(
  raw: Raw,
  path: YamlPath,
  scope: StaticScope,
  context: TemplateContext,
): { timer: RuleTimer | undefined; cancels: readonly TimerTemplate[] } {
  const after = compileKnown(raw['after'], [...path, 'after'], scope, context);
  const [clock] = compileNames(raw['timer'], [...path, 'timer'], scope, context);
  const cancels = compileNames(raw['cancels'], [...path, 'cancels'], scope, context);
  reportMisuse(raw, path, context);
  if (after?.kind === 'literal' && parseInterval(String(after.value)) === undefined) {
    const message = `"after" needs an interval such as P7D or PT36H, not "${String(after.value)}"`;
    findingAt(context, [...path, 'after'], 'RULE_WRONG_TYPE', message);
  }
  const isWhole = after !== undefined && clock !== undefined;
  return { timer: isWhole ? { ...clock, after } : undefined, cancels };
}

/** `{ grace: =data.id }` */
function compileNames(
  value: unknown,
  path: YamlPath,
  scope: StaticScope,
  context: TemplateContext,
): readonly TimerTemplate[] {
  return Object.entries((value ?? {}) as Raw).flatMap(([name, written]) => {
    const at = [...path, name];
    const key = compileKnown(written, at, scope, context);
    return key === undefined ? [] : [{ name, key, location: context.yaml.locateKey(at) }];
  });
}

function reportMisuse(raw: Raw, path: YamlPath, context: TemplateContext): void {
  const report = (member: string, message: string): void =>
    findingAt(context, [...path, member], 'TIMER_MISPLACED', message);
  const { after, timer, cancels } = raw;
  if (after !== undefined && timer === undefined) {
    report('after', 'what is done after a time needs a `timer:`, so that it can be cancelled');
  }
  if (timer !== undefined && after === undefined) {
    report('timer', 'a `timer:` needs `after:`, which says how long it runs');
  }
  if (after !== undefined && raw['do'] === undefined) {
    report('after', 'only a rule that does something (`do:`) can wait with it');
  }
  if (after !== undefined && raw['continue'] === true) {
    report(
      'after',
      'a rule that waits cannot go on to others: its steps would be mixed with theirs',
    );
  }
  if (cancels !== undefined && raw['reject'] !== undefined) {
    report('cancels', 'a rule that refuses an event does nothing, so it cancels nothing');
  }
}
