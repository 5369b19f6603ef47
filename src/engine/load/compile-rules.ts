// The rules of a file. Takes what the schema let through, gives Rules with everything compiled;
// reports all that a schema cannot say. Never looks at an event.

import type { ActionCatalog } from '../../core/model.ts';
import type { YamlPath } from '../diagnostics/yaml-places.ts';
import type { ActionStep, LoopStep, Rule, Step, Template } from '../rules/rule-set.ts';
import { compileConditions } from './compile-conditions.ts';
import { compileFields, compileKnown, reportMissingFields, reportRun } from './compile-fields.ts';
import { compileNames, reportUnused } from './compile-names.ts';
import { compileTimers } from './compile-timers.ts';
import type { StaticScope } from './static-scope.ts';
import { compileFormula, compileTemplate, findingAt, type TemplateContext } from './templates.ts';

export interface RuleContext extends TemplateContext {
  readonly actions: ActionCatalog;
}

type Raw = Readonly<Record<string, unknown>>;

/** What surrounds a rule: the ids of the rules around it, and whether one of them has `once:`. */
interface Surroundings {
  readonly parentId: string | undefined;
  readonly hasOnce: boolean;
}

/** The rules of one list. */
export function compileRules(
  list: readonly (Raw | null)[],
  path: YamlPath,
  scope: StaticScope,
  context: RuleContext,
  surroundings: Surroundings = { parentId: undefined, hasOnce: false },
): readonly Rule[] {
  const seen = new Set<string>();
  return list.flatMap((raw, index) => {
    // The schema has reported it already.
    if (raw === null) return [];
    const at = [...path, index];
    const id = String(raw['id']);
    if (seen.has(id)) {
      findingAt(context, [...at, 'id'], 'RULE_DUPLICATE_ID', `there is another rule "${id}"`);
    }
    seen.add(id);
    const rule = compileRule(raw, at, scope.child(), context, surroundings);
    return rule === undefined ? [] : [rule];
  });
}

function compileRule(
  raw: Raw,
  path: YamlPath,
  scope: StaticScope,
  context: RuleContext,
  surroundings: Surroundings,
): Rule | undefined {
  const id = String(raw['id']);
  const fullId = surroundings.parentId === undefined ? id : `${surroundings.parentId}/${id}`;
  const names = compileNames(raw['let'], [...path, 'let'], scope, context);
  const when = compileConditions(raw['when'], [...path, 'when'], scope, context);
  const once = compileKnown(raw['once'], [...path, 'once'], scope, context);
  const payments = compilePayments(raw['payment'], [...path, 'payment'], scope, context);
  const timers = compileTimers(raw, path, scope, context);
  const rank = compileKnown(raw['rank'], [...path, 'rank'], scope, context);
  const effects = ['ignore', 'reject', 'do'].filter((name) => raw[name] !== undefined);
  // A rule may do nothing but stop clocks.
  const [effect = timers.cancels.length > 0 ? 'do' : undefined] = effects;
  if (effect === undefined || effects.length > 1) {
    const message = `a rule has exactly one of \`do\`, \`ignore\` and \`reject\`; this one has ${effects.length === 0 ? 'none' : effects.join(' and ')}`;
    findingAt(context, [...path, 'id'], 'RULE_ONE_EFFECT', message);
    return undefined;
  }
  const base = {
    id,
    fullId,
    location: context.yaml.locate(path),
    types: [raw['on'] ?? []].flat().map(String),
    when,
    names,
    once,
    payments,
    ...timers,
    rank,
    continues: raw['continue'] === true,
  };
  if (effect !== 'do') {
    const reason = compileKnown(raw[effect], [...path, effect], scope, context);
    reportUnused(scope, context);
    if (reason === undefined) return undefined;
    return { ...base, effect: { kind: effect as 'ignore' | 'reject', reason } };
  }
  const within = { parentId: fullId, hasOnce: surroundings.hasOnce || raw['once'] !== undefined };
  const steps = compileSteps((raw['do'] ?? []) as Raw[], [...path, 'do'], scope, context, within);
  reportUnused(scope, context);
  return { ...base, effect: { kind: 'do', steps } };
}

/** One formula or several: what was paid with may have more than one id. */
function compilePayments(
  raw: unknown,
  path: YamlPath,
  scope: StaticScope,
  context: RuleContext,
): readonly Template[] {
  const isList = Array.isArray(raw);
  const values: readonly unknown[] = isList ? raw : raw === undefined ? [] : [raw];
  return values.flatMap((value, index) => {
    const template = compileKnown(value, isList ? [...path, index] : path, scope, context);
    return template === undefined ? [] : [template];
  });
}

function compileSteps(
  list: readonly Raw[],
  path: YamlPath,
  scope: StaticScope,
  context: RuleContext,
  surroundings: Surroundings,
): readonly Step[] {
  return list.flatMap((raw, index): readonly Step[] => {
    const at = [...path, index];
    const when = compileConditions(raw['when'], [...at, 'when'], scope, context);
    if (raw['forEach'] !== undefined) {
      const loop = compileLoop(raw, at, scope.child(), context, surroundings);
      return loop === undefined ? [] : [{ ...loop, when }];
    }
    const step = compileAction(raw, at, scope, context, surroundings);
    return step === undefined ? [] : [{ ...step, when }];
  });
}

function compileLoop(
  raw: Raw,
  path: YamlPath,
  scope: StaticScope,
  context: RuleContext,
  surroundings: Surroundings,
): Omit<LoopStep, 'when'> | undefined {
  const extra = Object.keys(raw).find((name) => context.actions[name] !== undefined);
  if (extra !== undefined) {
    const message = `a step has either \`forEach\` or an action; this one has both`;
    findingAt(context, [...path, extra], 'RULE_ONE_ACTION', message, extra.length);
  }
  const as = String(raw['as'] ?? 'item');
  const list = compileFormula(String(raw['forEach']), [...path, 'forEach'], scope, context);
  reportRun(list, [...path, 'forEach'], scope, context);
  scope.declare(as, { kind: 'item' });
  const names = compileNames(raw['let'], [...path, 'let'], scope, context);
  const key = compileKnown(raw['key'], [...path, 'key'], scope, context);
  if (raw['rules'] === undefined) {
    findingAt(context, [...path, 'forEach'], 'RULE_MISSING_FIELD', 'a loop needs `rules:`');
    return undefined;
  }
  const rules = compileRules(
    raw['rules'] as Raw[],
    [...path, 'rules'],
    scope,
    context,
    surroundings,
  );
  reportUnused(scope, context);
  if (list === undefined) return undefined;
  return { kind: 'loop', list, as, key, names, rules, location: context.yaml.locate(path) };
}

function compileAction(
  raw: Raw,
  path: YamlPath,
  scope: StaticScope,
  context: RuleContext,
  surroundings: Surroundings,
): Omit<ActionStep, 'when'> | undefined {
  const names = Object.keys(raw).filter((name) => context.actions[name] !== undefined);
  const [name] = names;
  const definition = name === undefined ? undefined : context.actions[name];
  if (name === undefined || definition === undefined || names.length > 1) {
    const found = names.length === 0 ? 'none' : names.join(' and ');
    findingAt(
      context,
      path,
      'RULE_ONE_ACTION',
      `a step has exactly one action; this one has ${found}`,
    );
    return undefined;
  }
  for (const field of ['key', 'let', 'rules'].filter((loopField) => raw[loopField] !== undefined)) {
    const message = `"${field}" belongs to a \`forEach\``;
    findingAt(context, [...path, field], 'RULE_UNKNOWN_FIELD', message, field.length);
  }
  if (definition.needsOnce && !surroundings.hasOnce) {
    const message = `${name} needs \`once:\` on its rule`;
    findingAt(context, [...path, name], 'RULE_ONCE_MISSING', message, name.length);
  }
  const at = [...path, name];
  const body = (raw[name] ?? {}) as Raw;
  const from = [body['from'] ?? []].flat().flatMap((value, index) => {
    const place = Array.isArray(body['from']) ? [...at, 'from', index] : [...at, 'from'];
    const template = compileTemplate(value, place, scope, context);
    return template === undefined ? [] : [template];
  });
  const fields = compileFields(body, definition, at, scope, context);
  reportMissingFields(body, definition, at, context);
  const as = raw['as'] === undefined ? undefined : String(raw['as']);
  if (as !== undefined && !scope.declare(as, { kind: 'result', members: definition.results })) {
    findingAt(context, [...path, 'as'], 'RULE_NAME_TAKEN', `the name "${as}" is taken`);
  }
  return { kind: 'action', definition, from, fields, as, location: context.yaml.locateKey(at) };
}
