// Which rules and conditions a run of rule tests has seen. Takes rule sets and what an event made of them,
// gives every rule and condition with what was not seen of it. The same rules loaded twice, with other
// settings, are one: a place in the file counts.

import type { SourceLocation } from '../../core/model.ts';
import { formatLocation } from '../diagnostics/findings.ts';
import type {
  AskedCondition,
  Condition,
  Observer,
  Rule,
  RuleSet,
  Step,
} from '../rules/rule-set.ts';

/** Something that no case has shown. */
export interface Uncovered {
  readonly location: SourceLocation;
  readonly kind: 'rule' | 'condition';
  /** The rule's full id; of a condition, that of the rule it stands in. */
  readonly rule: string;
  /** `never fits`, `data.status is never true`. */
  readonly message: string;
}

interface Share {
  readonly covered: number;
  readonly total: number;
}

export interface CoverageReport {
  readonly rules: Share;
  /** Each condition counts twice: for being seen to hold, and for being seen not to. */
  readonly conditions: Share;
  readonly uncovered: readonly Uncovered[];
}

interface RulePoint {
  readonly rule: Rule;
  seen: boolean;
}

interface ConditionPoint {
  readonly condition: AskedCondition;
  readonly rule: string;
  held: boolean;
  failed: boolean;
}

/** Collects over all cases of a run. */
export class Coverage implements Observer {
  readonly #rules = new Map<string, RulePoint>();
  readonly #conditions = new Map<string, ConditionPoint>();

  /** Makes the rules of a file count, whether an event comes to them or not. */
  add(ruleSet: RuleSet): void {
    for (const rule of ruleSet.rules) this.#addRule(rule);
  }

  sawRule(rule: Rule): void {
    const point = this.#rules.get(formatLocation(rule.location));
    if (point !== undefined) point.seen = true;
  }

  sawCondition(condition: AskedCondition, ok: boolean): void {
    const point = this.#conditions.get(keyOf(condition));
    if (point === undefined) return;
    if (ok) point.held = true;
    else point.failed = true;
  }

  report(): CoverageReport {
    const rules = [...this.#rules.values()];
    const conditions = [...this.#conditions.values()];
    const sides = conditions.flatMap(({ held, failed }) => [held, failed]);
    const uncovered = [...rules.flatMap(uncoveredRule), ...conditions.flatMap(uncoveredSides)];
    return {
      rules: { covered: rules.filter(({ seen }) => seen).length, total: rules.length },
      conditions: { covered: sides.filter(Boolean).length, total: sides.length },
      uncovered: uncovered.toSorted(
        (a, b) =>
          a.location.file.localeCompare(b.location.file) ||
          a.location.line - b.location.line ||
          a.location.column - b.location.column,
      ),
    };
  }

  #addRule(rule: Rule): void {
    const key = formatLocation(rule.location);
    if (this.#rules.has(key)) return;
    this.#rules.set(key, { rule, seen: false });
    this.#addConditions(rule.when, rule);
    if (rule.effect.kind === 'do') this.#addSteps(rule.effect.steps, rule);
  }

  #addSteps(steps: readonly Step[], rule: Rule): void {
    for (const step of steps) {
      this.#addConditions(step.when, rule);
      if (step.kind === 'loop') for (const inner of step.rules) this.#addRule(inner);
    }
  }

  #addConditions(conditions: readonly Condition[], rule: Rule): void {
    for (const condition of conditions) {
      if (condition.kind === 'leaf' || condition.kind === 'formula') {
        const point = { condition, rule: rule.fullId, held: false, failed: false };
        this.#conditions.set(keyOf(condition), point);
      } else {
        this.#addConditions(condition.items, rule);
      }
    }
  }
}

/** Whole percent, rounded down, so that 100 means all. Nothing to cover is covered. */
export function percentOf({ covered, total }: Share): number {
  return total === 0 ? 100 : Math.floor((covered / total) * 100);
}

function nameOf(condition: AskedCondition): string {
  return condition.kind === 'leaf' ? condition.path.text : `=${condition.formula.text}`;
}

function locationOf(condition: AskedCondition): SourceLocation {
  return condition.kind === 'leaf' ? condition.location : condition.formula.location;
}

/** Several tests of one path stand at one place and are told apart by what they expect. */
function keyOf(condition: AskedCondition): string {
  const expected = condition.kind === 'leaf' ? JSON.stringify(condition.expected) : '';
  return `${formatLocation(locationOf(condition))} ${nameOf(condition)} ${expected}`;
}

function uncoveredRule({ rule, seen }: RulePoint): readonly Uncovered[] {
  if (seen) return [];
  const { fullId, location } = rule;
  return [{ kind: 'rule', rule: fullId, location, message: 'no case has it fit' }];
}

function uncoveredSides({ condition, rule, held, failed }: ConditionPoint): readonly Uncovered[] {
  const location = locationOf(condition);
  const point = { kind: 'condition', rule, location } as const;
  const side = (verdict: boolean): Uncovered => ({
    ...point,
    message: `${nameOf(condition)} is never ${verdict}`,
  });
  if (!held && !failed) return [{ ...point, message: `${nameOf(condition)} is never asked` }];
  return [...(held ? [] : [side(true)]), ...(failed ? [] : [side(false)])];
}
