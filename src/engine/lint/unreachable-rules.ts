// Rules that are never reached, since whatever fits them fits an earlier rule. Takes the rules of a list, reports
// findings. Never looks at an event.

import type { JsonValue } from '../../core/model.ts';
import type { Findings } from '../diagnostics/findings.ts';
import type { Condition, Rule } from '../rules/rule-set.ts';
import { implies, variablesOf } from './implication.ts';

/** A rule with what is asked of it again and again. */
interface Asked {
  readonly rule: Rule;
  readonly index: number;
  /** Paths that its conditions ask about: all, and those that must hold by themselves. */
  readonly paths: ReadonlySet<string>;
  readonly required: readonly string[];
  readonly variables: ReadonlySet<string>;
}

/** Rules whose events all fit an earlier rule; those without conditions are found when loading. */
export function reportShadowed(rules: readonly Rule[], findings: Findings): void {
  const earlier = new Earlier();
  for (const [index, rule] of rules.entries()) {
    for (const step of rule.effect.kind === 'do' ? rule.effect.steps : []) {
      if (step.kind === 'loop') reportShadowed(step.rules, findings);
    }
    const asked = {
      rule,
      index,
      paths: new Set(pathsOf(rule.when)),
      required: rule.when.flatMap((condition) =>
        condition.kind === 'leaf' ? condition.path.text : [],
      ),
      variables: variablesOf(rule.when),
    };
    const first = shadowOf(asked, earlier);
    earlier.add(asked);
    if (first === undefined) continue;
    const message = `rule "${rule.id}" is never reached: whatever fits it fits "${first.id}" first`;
    const hint = `Move it before "${first.id}", or let its conditions ask for something else.`;
    findings.warning('RULE_UNREACHABLE', message, { location: rule.location, hint });
  }
}

/** The rule that comes before it for every one of its types; the first of them where there are several. */
function shadowOf(later: Asked, earlier: Earlier): Rule | undefined {
  const { types } = later.rule;
  const wanted = new Set(types);
  let first: Rule | undefined;
  for (const candidate of earlier.candidates(later)) {
    const { rule } = candidate;
    if (types.length > 0 && !rule.types.some((type) => wanted.has(type))) continue;
    if (!shadows(candidate, later)) continue;
    first ??= rule;
    for (const type of rule.types) wanted.delete(type);
    if (wanted.size === 0) return first;
  }
  return undefined;
}

/** Rules that ask for one path, by the values that they ask for. */
interface ByValue {
  readonly all: Asked[];
  readonly byValue: Map<JsonValue, Asked[]>;
}

/** The rules so far, found by what they ask for: hundreds of rules may ask for one path, each for a value. */
class Earlier {
  readonly #others: Asked[] = [];
  readonly #byPath = new Map<string, ByValue>();

  add(asked: Asked): void {
    const [first] = wantedLeaves(asked.rule.when);
    if (first === undefined) {
      this.#others.push(asked);
      return;
    }
    const entry: ByValue = this.#byPath.get(first.path) ?? { all: [], byValue: new Map() };
    this.#byPath.set(first.path, entry);
    entry.all.push(asked);
    for (const value of first.values) {
      const list = entry.byValue.get(value);
      if (list === undefined) entry.byValue.set(value, [asked]);
      else list.push(asked);
    }
  }

  /** Those that may come before it, in their order. */
  candidates(later: Asked): readonly Asked[] {
    const values = new Map(
      wantedLeaves(later.rule.when).map((leaf) => [leaf.path, leaf.values[0]]),
    );
    const found = [...this.#others];
    for (const path of later.paths) {
      const entry = this.#byPath.get(path);
      if (entry === undefined) continue;
      const value = values.get(path);
      found.push(...(value === undefined ? entry.all : (entry.byValue.get(value) ?? [])));
    }
    return found.toSorted((a, b) => a.index - b.index);
  }
}

/** Paths that must be one of some values. */
function wantedLeaves(
  conditions: readonly Condition[],
): readonly { readonly path: string; readonly values: readonly JsonValue[] }[] {
  return conditions.flatMap((condition) => {
    if (condition.kind !== 'leaf') return [];
    const [test, ...others] = condition.tests;
    if (test?.kind !== 'in' || !test.wanted || others.length > 0) return [];
    return [{ path: condition.path.text, values: test.values }];
  });
}

function shadows(earlier: Asked, later: Asked): boolean {
  if (earlier.rule.continues || earlier.rule.when.length === 0) return false;
  if (earlier.required.some((path) => !later.paths.has(path))) return false;
  // A name of `let` may mean something else in each of the two.
  for (const name of earlier.variables) {
    if (earlier.rule.names.has(name) || later.rule.names.has(name)) return false;
  }
  return implies(later.rule.when, earlier.rule.when);
}

function pathsOf(conditions: readonly Condition[]): readonly string[] {
  return conditions.flatMap((condition) => {
    if (condition.kind === 'leaf') return [condition.path.text];
    return condition.kind === 'formula' ? [] : pathsOf(condition.items);
  });
}
