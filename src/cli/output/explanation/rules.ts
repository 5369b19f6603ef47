// The verdict on every rule as a person reads it. Takes a trace, gives lines. The rule that fitted is shown
// in full, each other one in a line with the first condition that it failed; items of a loop that fared
// alike share a line. With `all` every rule and every item is shown in full.

import type { Explanation } from '../../../authoring/dry-run/explain.ts';
import { counted, expectation, isOfOtherType, seen } from '../../../core/format.ts';
import type { ConditionTrace, RuleTrace } from '../../../core/model.ts';
import type { Paint } from '../terminal-text.ts';

/** @param all whether nothing is folded */
export function ruleLines(
  { trace, event }: Pick<Explanation, 'trace'> & { event: Pick<Explanation['event'], 'type'> },
  all: boolean,
  paint: Paint,
): readonly string[] {
  if (all) return trace.flatMap((rule) => fullLines(rule, paint));
  const own = trace.filter((rule) => !isOfOtherType(rule));
  const lines: string[] = [];
  for (const rule of own) {
    if (rule.item !== undefined || rule.skipped !== undefined) continue;
    lines.push(...(rule.matched ? fullLines(rule, paint) : foldedLines(rule, paint)));
    lines.push(...itemLines(own, rule.rule, paint).map((line) => `    ${line}`));
  }
  return [...lines, ...skippedLines(own, paint), ...othersLine(trace, event.type, paint)];
}

function fullLines(trace: RuleTrace, paint: Paint): readonly string[] {
  const mark = trace.matched ? paint('green', '✓') : paint('dim', '✗');
  const item = trace.item === undefined ? '' : ` [${trace.item}]`;
  if (isOfOtherType(trace)) {
    const types = trace.conditions.flatMap(({ expected }) => expected).join(', ');
    return [`${mark} ${trace.rule}${paint('dim', ` is for ${types}`)}`];
  }
  const skipped = trace.skipped === undefined ? '' : paint('dim', ` not asked: ${trace.skipped}`);
  return [
    `${mark} ${trace.rule}${item}${skipped}`,
    ...trace.conditions.flatMap((condition) =>
      conditionLines(condition, paint).map((line) => `    ${line}`),
    ),
  ];
}

/** In a line, with the first condition that it failed; the parts of a formula stand below. */
function foldedLines(trace: RuleTrace, paint: Paint): readonly string[] {
  const failed = trace.conditions.find(({ ok }) => !ok);
  const head = `${paint('dim', '✗')} ${trace.rule}`;
  if (failed === undefined)
    return [`${head}${paint('dim', ': its conditions could not be asked')}`];
  return [`${head}: ${comparison(failed)}`, ...partLines(failed, paint)];
}

function conditionLines(condition: ConditionTrace, paint: Paint): readonly string[] {
  const mark = condition.ok ? paint('green', '✓') : paint('red', '✗');
  return [`${mark} ${comparison(condition)}`, ...partLines(condition, paint)];
}

function comparison({ path, expected, actual }: ConditionTrace): string {
  return `${path}: expected ${expectation(expected)}, is ${seen(actual)}`;
}

/** What the parts of a formula were, one below the other. */
function partLines({ parts = [] }: ConditionTrace, paint: Paint): readonly string[] {
  const width = Math.min(50, Math.max(0, ...parts.map(({ formula }) => formula.length)));
  return parts.map(
    ({ formula, actual }) => `      ${paint('dim', formula.padEnd(width))}  is ${seen(actual)}`,
  );
}

// ---- Loops ----------------------------------------------------------------------------------

/** The items below one rule, those that fared alike together: the first in full, the others by name. */
function itemLines(trace: readonly RuleTrace[], parent: string, paint: Paint): readonly string[] {
  const items = new Map<string, RuleTrace[]>();
  for (const rule of trace) {
    if (rule.item === undefined || !rule.rule.startsWith(`${parent}/`)) continue;
    const asked = items.get(rule.item);
    if (asked === undefined) items.set(rule.item, [rule]);
    else asked.push(rule);
  }
  const groups = new Map<string, (readonly [string, readonly RuleTrace[]])[]>();
  for (const [item, asked] of items) {
    const verdicts = asked.map(({ rule, matched }) => `${rule} ${matched}`).join();
    const group = groups.get(verdicts);
    if (group === undefined) groups.set(verdicts, [[item, asked]]);
    else group.push([item, asked]);
  }
  return [...groups.values()].flatMap((group, index) => {
    const [[item, asked] = ['', []], ...more] = group;
    const names = more.map(([name]) => name);
    const alike =
      names.length === 0
        ? []
        : [paint('dim', `  the same for ${counted(names.length, 'more item')}: ${named(names)}`)];
    const lines = oneItem(asked, { parent, fold: index > 0 }, paint);
    return [`item ${item}`, ...lines.map((line) => `  ${line}`), ...alike];
  });
}

/** @param fold whether the rules before the one that fits are only counted */
function oneItem(
  asked: readonly RuleTrace[],
  { parent, fold }: { parent: string; fold: boolean },
  paint: Paint,
): readonly string[] {
  const own = asked.map(({ item: _item, ...rule }) => ({
    ...rule,
    rule: rule.rule.slice(parent.length + 1),
  }));
  const fitting = own.filter(({ matched }) => matched);
  const others = own.filter(({ matched }) => !matched);
  const count = `· ${counted(others.length, 'rule')} before it did not fit (--all shows why)`;
  const before =
    fold && fitting.length > 0 && others.length > 0
      ? [paint('dim', count)]
      : others.flatMap((rule) => foldedLines(rule, paint));
  const end = fitting.length > 0 ? [] : [paint('red', 'no rule of the loop fits it')];
  return [...before, ...fitting.flatMap((rule) => fullLines(rule, paint)), ...end];
}

const NAMES_MAX = 5;

function named(names: readonly string[]): string {
  const rest = names.length - NAMES_MAX;
  return rest <= 0 ? names.join(', ') : `${names.slice(0, NAMES_MAX).join(', ')} and ${rest} more`;
}

// ---- What was not asked ---------------------------------------------------------------------

function skippedLines(trace: readonly RuleTrace[], paint: Paint): readonly string[] {
  const reasons = new Map<string, string[]>();
  for (const { rule, skipped } of trace) {
    if (skipped !== undefined) reasons.set(skipped, [...(reasons.get(skipped) ?? []), rule]);
  }
  return [...reasons].map(([reason, rules]) =>
    paint('dim', `· not asked, since ${reason}: ${named(rules)}`),
  );
}

function othersLine(trace: readonly RuleTrace[], type: string, paint: Paint): readonly string[] {
  const count = trace.filter(isOfOtherType).length;
  if (count === 0) return [];
  return [paint('dim', `· not for ${type}: ${counted(count, 'other rule')} (--all shows them)`)];
}
