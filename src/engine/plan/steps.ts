// From the steps of a matched rule to a plan. Takes compiled steps and an event, gives PlannedSteps
// and every problem met on the way. Loops ask their own rules for each item.
// Pure; the plan is plain data, with references for what only the run can know.

import type { JsonObject, JsonValue, PlannedStep, Problem, RuleTrace } from '../../core/model.ts';
import { formatLocation } from '../diagnostics/findings.ts';
import { describeValue, isBlank, RunReference } from '../expression/values.ts';
import type { ActionStep, LoopStep, Rule, Step, Template } from '../rules/rule-set.ts';
import { askAll } from './conditions.ts';
import type { Evaluation } from './evaluation.ts';
import { EvaluationFailure, problemAt } from './evaluation-failure.ts';
import { explainMissing } from './explain-missing.ts';
import { fieldValue, spread } from './fields.ts';
import type { RunScope } from './run-scope.ts';
import { valueSources } from './value-sources.ts';

/** Where planning puts what it finds; shared by all rules that matched one event. */
export interface PlanOutput {
  readonly steps: PlannedStep[];
  readonly problems: Problem[];
  readonly trace: RuleTrace[];
  readonly notes: string[];
  /** How many units of one fact there are so far, by action, fact and key. */
  readonly units: Map<string, number>;
  /** How often each name of a result was given. */
  readonly names: Map<string, number>;
}

/** One event may make that many licenses; more is a mistake. */
const STEPS_MAX = 5_000;
/** The highest `rank` of a rule. */
const RANK_MAX = 99;

/** The item of a loop that is being planned. */
interface Item {
  readonly key: string;
  /** For messages: `pro-yearly`, or `pro-yearly#2` for the second one of the same key. */
  readonly label: string;
}

/** Plans the steps of one rule. */
export class StepPlanner {
  readonly #evaluation: Evaluation;
  readonly #rule: Rule;
  readonly #output: PlanOutput;
  #payments: readonly string[] = [];
  #rank: number | undefined;

  constructor(evaluation: Evaluation, rule: Rule, output: PlanOutput) {
    this.#evaluation = evaluation;
    this.#rule = rule;
    this.#output = output;
  }

  async plan(steps: readonly Step[], scope: RunScope): Promise<void> {
    const once = await this.#once(scope);
    this.#payments = await this.#paidWith(scope);
    this.#rank = await this.#rankOf(scope);
    await this.#steps(steps, scope, this.#rule, once, undefined);
  }

  async #once(scope: RunScope): Promise<string | undefined> {
    const { once } = this.#rule;
    if (once === undefined) return undefined;
    const text = await this.#guarded(this.#rule.id, undefined, async () => {
      const value = await this.#evaluation.plain(once, scope);
      if (!isBlank(value)) return this.#evaluation.text(once, scope, 'once');
      const why = await explainMissing(once, scope, this.#evaluation);
      throw new EvaluationFailure(
        problemAt('FIELD_MISSING', `once came out missing${why && `: ${why}`}`, once.location),
      );
    });
    return text ?? '';
  }

  async #paidWith(scope: RunScope): Promise<readonly string[]> {
    const ids = new Set<string>();
    for (const payment of this.#rule.payments) {
      const id = await this.#guarded(this.#rule.id, undefined, async () => {
        const value = await this.#evaluation.plain(payment, scope);
        return isBlank(value) ? undefined : this.#evaluation.text(payment, scope, 'payment');
      });
      if (id !== undefined) ids.add(id);
    }
    return [...ids];
  }

  async #rankOf(scope: RunScope): Promise<number | undefined> {
    const { rank } = this.#rule;
    if (rank === undefined) return undefined;
    return this.#guarded(this.#rule.id, undefined, async () => {
      const value = await this.#evaluation.plain(rank, scope);
      if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= RANK_MAX) {
        return value;
      }
      const message = `rank needs a whole number from 0 to ${RANK_MAX}, not ${describeValue(value ?? null)}`;
      throw new EvaluationFailure(problemAt('FIELD_TYPE', message, rank.location));
    });
  }

  async #steps(
    steps: readonly Step[],
    scope: RunScope,
    rule: Rule,
    once: string | undefined,
    item: Item | undefined,
  ): Promise<void> {
    for (const step of steps) {
      const asked = await this.#guarded(rule.fullId, item, () =>
        askAll(step.when, scope, this.#evaluation),
      );
      if (asked?.ok !== true) continue;
      if (step.kind === 'loop') await this.#loop(step, scope, rule, once);
      else await this.#action(step, scope, rule, once, item);
    }
  }

  async #loop(
    step: LoopStep,
    scope: RunScope,
    rule: Rule,
    once: string | undefined,
  ): Promise<void> {
    const items = await this.#guarded(rule.fullId, undefined, async () => {
      const value = await this.#evaluation.formula(step.list, scope);
      if (!isBlank(value)) return Array.isArray(value) ? [...value] : [value];
      const why = await explainMissing(step.list, scope, this.#evaluation);
      const message = `forEach found nothing in =${step.list.text}${why && `: ${why}`}`;
      throw new EvaluationFailure(problemAt('FIELD_MISSING', message, step.list.location));
    });
    const counts = new Map<string, number>();
    for (const [index, value] of (items ?? []).entries()) {
      const inner = scope.child(step.names);
      inner.set(step.as, value);
      inner.item = `${index + 1}`;
      const { key } = step;
      const written =
        key === undefined
          ? ''
          : await this.#guarded(`${rule.fullId}, item ${index + 1}`, undefined, () =>
              this.#evaluation.text(key, inner, 'key'),
            );
      if (written === undefined) continue;
      const count = (counts.get(written) ?? 0) + 1;
      counts.set(written, count);
      const name = written === '' ? `${index + 1}` : written;
      const item = { key: written, label: count > 1 && written !== '' ? `${name}#${count}` : name };
      inner.item = item.label;
      await this.#item(step, inner, rule, once, item);
    }
  }

  async #item(
    step: LoopStep,
    scope: RunScope,
    parent: Rule,
    once: string | undefined,
    item: Item,
  ): Promise<void> {
    for (const rule of step.rules) {
      const inner = scope.child(rule.names);
      const verdict = await this.#guarded(rule.fullId, item, () =>
        askAll(rule.when, inner, this.#evaluation),
      );
      const conditions = verdict?.trace ?? [];
      const matched = verdict?.ok === true;
      this.#output.trace.push({ rule: rule.fullId, item: item.label, matched, conditions });
      if (verdict === undefined) return;
      if (!matched) continue;
      this.#evaluation.observer?.sawRule(rule);
      const { effect } = rule;
      if (effect.kind === 'do') {
        await this.#steps(effect.steps, inner, rule, once, item);
        return;
      }
      const reason = await this.#guarded(rule.fullId, item, () =>
        this.#evaluation.text(effect.reason, inner, 'the reason'),
      );
      if (reason === undefined) return;
      if (effect.kind === 'ignore') this.#output.notes.push(`${item.label}: ${reason}`);
      else this.#problem(problemAt('RULE_REJECTED', reason, rule.location), rule.fullId, item);
      return;
    }
    const message = 'no rule of the loop fits it';
    this.#problem(problemAt('ITEM_UNMATCHED', message, step.location), parent.fullId, item);
  }

  async #action(
    step: ActionStep,
    scope: RunScope,
    rule: Rule,
    once: string | undefined,
    item: Item | undefined,
  ): Promise<void> {
    const { definition } = step;
    if (this.#output.steps.length >= STEPS_MAX) {
      const message = `the plan has more than ${STEPS_MAX} steps`;
      const problem = problemAt('QUANTITY_INVALID', message, step.location);
      this.#problem(problem, this.#rule.fullId, undefined);
      return;
    }
    const input: JsonObject = {};
    const spreads = new Map<string, Template>();
    let spreadAll = true;
    for (const template of step.from) {
      const done = await this.#guarded(rule.fullId, item, async () => {
        const value = await this.#evaluation.plain(template, scope);
        if (isBlank(value)) return true;
        const names = spread(value as JsonValue, input, step, template.location);
        for (const name of names) spreads.set(name, template);
        return true;
      });
      spreadAll &&= done === true;
    }
    for (const field of step.fields) {
      await this.#guarded(rule.fullId, item, async () => {
        const value = await fieldValue(field, step, scope, this.#evaluation);
        if (value !== undefined) input[field.name] = value;
      });
    }
    for (const [name, field] of Object.entries(definition.fields)) {
      // Where the map that may hold it failed, that is the one problem.
      const told = !spreadAll || step.fields.some((template) => template.name === name);
      if (field.required !== true || input[name] !== undefined || told) continue;
      const message = `${definition.name} needs a value for ${name}`;
      this.#problem(problemAt('FIELD_MISSING', message, step.location), rule.fullId, item);
    }
    const as = step.as === undefined ? undefined : this.#uniqueName(step.as);
    if (step.as !== undefined && as !== undefined) scope.set(step.as, resultOf(step, as));
    const planned = { index: this.#output.steps.length, input };
    const identity = definition.needsOnce ? once : undefined;
    const isPaid = definition.name.startsWith('license.') && definition.kind === 'write';
    const payments = isPaid ? this.#payments : [];
    this.#evaluation.lookups?.values.push(
      ...valueSources(step, { ...planned, once: identity }, { spreads, once: this.#rule.once }),
    );
    this.#output.steps.push({
      action: definition.name,
      input,
      ...(as === undefined ? {} : { as }),
      ...(identity === undefined
        ? {}
        : { once: identity, unitKey: this.#unitKey(definition.name, identity, item) }),
      ...(payments.length === 0 ? {} : { payments }),
      ...(this.#rank === undefined ? {} : { rank: this.#rank }),
      ...(item === undefined ? {} : { item: item.label }),
      rule: rule.fullId,
      location: formatLocation(step.location),
    });
  }

  /** Loops and further rules use the same `as` again; in the plan each result has a name of its own. */
  #uniqueName(as: string): string {
    const number = (this.#output.names.get(as) ?? 0) + 1;
    this.#output.names.set(as, number);
    return number === 1 ? as : `${as}#${number}`;
  }

  /** Equal keys of one fact are numbered in their order, whatever rule they come from. */
  #unitKey(action: string, once: string, item: Item | undefined): string {
    const key = item?.key ?? '';
    const unit = JSON.stringify([action, once, key]);
    const number = (this.#output.units.get(unit) ?? 0) + 1;
    this.#output.units.set(unit, number);
    return `${key}#${number}`;
  }

  /** Runs one piece of planning; what fails is noted, and the rest is planned all the same. */
  async #guarded<Result>(
    rule: string,
    item: Item | undefined,
    work: () => Promise<Result>,
  ): Promise<Result | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof EvaluationFailure)) throw error;
      this.#problem(error.problem, rule, item);
      return undefined;
    }
  }

  #problem(problem: Problem, rule: string, item: Item | undefined): void {
    const place = item === undefined ? rule : `${rule}, item ${item.label}`;
    this.#output.problems.push({ ...problem, message: `${place}: ${problem.message}` });
  }
}

function resultOf(step: ActionStep, as: string): Record<string, RunReference> {
  const members = step.definition.results;
  return Object.fromEntries(members.map((name) => [name, new RunReference(`${as}.${name}`)]));
}
