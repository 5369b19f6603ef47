// From the steps of a matched rule to a plan. Takes compiled steps and an event, gives PlannedSteps
// and every problem met on the way. Loops ask their own rules for each item.
// Pure; the plan is plain data, with references for what only the run can know.

import type { JsonObject, JsonValue, PlannedStep, Problem, RuleTrace } from '../model.ts';
import { didYouMean } from './closest.ts';
import { askAll } from './conditions.ts';
import { type Evaluation, EvaluationFailure, problemAt, type RunScope } from './evaluation.ts';
import { explainMissing } from './explain-missing.ts';
import { isBlank, kindOf, RunReference } from './expression/values.ts';
import { coerceField } from './fields.ts';
import { formatLocation } from './findings.ts';
import type { ActionStep, FieldTemplate, LoopStep, Rule, Step } from './rules.ts';

/** Where planning puts what it finds; shared by all rules that matched one event. */
export interface PlanOutput {
  readonly steps: PlannedStep[];
  readonly problems: Problem[];
  readonly trace: RuleTrace[];
  readonly notes: string[];
}

/** One event may make that many licenses; more is a mistake. */
const STEPS_MAX = 5_000;

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

  constructor(evaluation: Evaluation, rule: Rule, output: PlanOutput) {
    this.#evaluation = evaluation;
    this.#rule = rule;
    this.#output = output;
  }

  async plan(steps: readonly Step[], scope: RunScope): Promise<void> {
    const once = await this.#once(scope);
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
    let spreadAll = true;
    for (const template of step.from) {
      const spread = await this.#guarded(rule.fullId, item, async () => {
        const value = await this.#evaluation.plain(template, scope);
        if (!isBlank(value)) this.#spread(value as JsonValue, input, step, template.location);
        return true;
      });
      spreadAll &&= spread === true;
    }
    for (const field of step.fields) {
      await this.#guarded(rule.fullId, item, () => this.#field(field, input, step, scope));
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
    this.#output.steps.push({
      action: definition.name,
      input,
      ...(as === undefined ? {} : { as }),
      ...(definition.needsOnce && once !== undefined
        ? { once, unitKey: this.#unitKey(definition.name, once, item) }
        : {}),
      ...(item === undefined ? {} : { item: item.label }),
      rule: rule.fullId,
      location: formatLocation(step.location),
    });
  }

  /** Members of a map that `from:` names become fields. */
  #spread(
    value: JsonValue,
    input: JsonObject,
    step: ActionStep,
    location: ActionStep['location'],
  ): void {
    const { definition } = step;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      const message = `from needs a map of fields, not ${kindOf(value)}`;
      throw new EvaluationFailure(problemAt('FIELD_TYPE', message, location));
    }
    for (const [name, member] of Object.entries(value)) {
      const field = Object.hasOwn(definition.fields, name) ? definition.fields[name] : undefined;
      if (field === undefined) {
        const known = Object.keys(definition.fields);
        const message = `${definition.name} has no field "${name}"${didYouMean(name, known)}`;
        throw new EvaluationFailure(problemAt('FIELD_TYPE', message, location));
      }
      // A blank member is absent, as in a field that is written; only an interval may be "".
      if (isBlank(member) && field.type !== 'interval') continue;
      const result = coerceField(field.type, member);
      if (result.kind === 'refused') {
        const message = `${definition.name}.${name} ${result.message}`;
        throw new EvaluationFailure(problemAt(result.code, message, location));
      }
      input[name] = result.value;
    }
  }

  async #field(
    field: FieldTemplate,
    input: JsonObject,
    step: ActionStep,
    scope: RunScope,
  ): Promise<void> {
    const { name, template, type } = field;
    const where = `${step.definition.name}.${name}`;
    await this.#requireMembers(field, where, scope);
    const value = await this.#evaluation.plain(template, scope);
    const required = step.definition.fields[name]?.required === true;
    const blank = isBlank(value) && !(type === 'interval' && value === '');
    if (blank && !required) return;
    if (blank || value === undefined) {
      const why = await explainMissing(template, scope, this.#evaluation);
      const message = `${where} came out missing${why && `: ${why}`}`;
      throw new EvaluationFailure(problemAt('FIELD_MISSING', message, template.location));
    }
    const result = coerceField(type, value);
    if (result.kind === 'refused') {
      const message = `${where} ${result.message}`;
      throw new EvaluationFailure(problemAt(result.code, message, template.location));
    }
    input[name] = result.value;
  }

  /** What is written under metadata, find and whenSuspended is meant: none of it may be missing. */
  async #requireMembers(field: FieldTemplate, where: string, scope: RunScope): Promise<void> {
    const { template, type } = field;
    if (template.kind !== 'map') return;
    if (type !== 'metadata' && type !== 'find' && type !== 'whenSuspended') return;
    for (const [name, member] of template.members) {
      const path = `${where}.${name}`;
      if (member.kind === 'map') {
        const nested = { name, type: 'metadata', template: member } as const;
        await this.#requireMembers(nested, path, scope);
        continue;
      }
      if (!isBlank(await this.#evaluation.plain(member, scope))) continue;
      const why = await explainMissing(member, scope, this.#evaluation);
      const message = `${path} came out missing${why && `: ${why}`}`;
      throw new EvaluationFailure(problemAt('FIELD_MISSING', message, member.location));
    }
  }

  /** Loops and further rules use the same `as` again; in the plan each result has a name of its own. */
  #uniqueName(as: string): string {
    const taken = new Set(this.#output.steps.map((step) => step.as));
    if (!taken.has(as)) return as;
    let number = 2;
    while (taken.has(`${as}#${number}`)) number += 1;
    return `${as}#${number}`;
  }

  /** Equal keys of one fact are numbered in their order, whatever rule they come from. */
  #unitKey(action: string, once: string, item: Item | undefined): string {
    const key = item?.key ?? '';
    const same = this.#output.steps.filter(
      (step) =>
        step.action === action &&
        step.once === once &&
        step.unitKey?.slice(0, step.unitKey.lastIndexOf('#')) === key,
    );
    return `${key}#${same.length + 1}`;
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
