// The rules of a file. Takes what the schema let through, gives Rules with everything compiled;
// reports all that a schema cannot say. Never looks at an event.

import type { ActionCatalog, ActionDefinition } from '../model.ts';
import { compileConditions } from './compile-conditions.ts';
import { coerceField } from './fields.ts';
import type {
  ActionStep,
  FieldTemplate,
  LoopStep,
  NameTable,
  Rule,
  Step,
  Template,
} from './rules.ts';
import type { StaticScope } from './static-scope.ts';
import { compileFormula, compileTemplate, type TemplateContext } from './templates.ts';
import type { YamlPath } from './yaml.ts';

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
  list: readonly Raw[],
  path: YamlPath,
  scope: StaticScope,
  context: RuleContext,
  surroundings: Surroundings = { parentId: undefined, hasOnce: false },
): readonly Rule[] {
  const seen = new Set<string>();
  return list.flatMap((raw, index) => {
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
  const once =
    raw['once'] === undefined
      ? undefined
      : compileTemplate(raw['once'], [...path, 'once'], scope, context);
  const effects = ['ignore', 'reject', 'do'].filter((name) => raw[name] !== undefined);
  const [effect] = effects;
  if (effect === undefined || effects.length > 1) {
    const message = `a rule has exactly one of \`do\`, \`ignore\` and \`reject\`; this one has ${effects.length === 0 ? 'none' : effects.join(' and ')}`;
    findingAt(context, [...path, 'id'], 'RULE_MISSING_FIELD', message);
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
    continues: raw['continue'] === true,
  };
  if (effect !== 'do') {
    const reason = compileTemplate(raw[effect], [...path, effect], scope, context);
    reportUnused(scope, context);
    if (reason === undefined) return undefined;
    return { ...base, effect: { kind: effect as 'ignore' | 'reject', reason } };
  }
  const within = { parentId: fullId, hasOnce: surroundings.hasOnce || raw['once'] !== undefined };
  const steps = compileSteps(raw['do'] as Raw[], [...path, 'do'], scope, context, within);
  reportUnused(scope, context);
  return { ...base, effect: { kind: 'do', steps } };
}

/** The names of a `let`: all of them are known to each other, in whatever order they stand. */
export function compileNames(
  value: unknown,
  path: YamlPath,
  scope: StaticScope,
  context: TemplateContext,
): NameTable {
  const names = new Map<string, Template>();
  if (typeof value !== 'object' || value === null) return names;
  const infos = Object.keys(value).map((name) => {
    const location = context.yaml.locateKey([...path, name]);
    const info = {
      kind: 'let',
      location,
      template: undefined as Template | undefined,
      used: false,
    } as const;
    const mutable = { ...info };
    if (!scope.declare(name, mutable)) {
      const message = `the name "${name}" is taken`;
      context.findings.error('RULE_NAME_TAKEN', message, { location, length: name.length });
    }
    return [name, mutable] as const;
  });
  for (const [name, info] of infos) {
    const member = (value as Raw)[name];
    const template = compileTemplate(member, [...path, name], scope, context);
    if (template === undefined) continue;
    names.set(name, template);
    info.template = template;
  }
  reportCycles(names, path, context);
  return names;
}

function reportCycles(names: NameTable, path: YamlPath, context: TemplateContext): void {
  const needs = new Map([...names].map(([name, template]) => [name, variablesOf(template)]));
  for (const name of names.keys()) {
    const reached = new Set<string>();
    const open = [...(needs.get(name) ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (reached.has(next)) continue;
      reached.add(next);
      open.push(...(needs.get(next) ?? []));
    }
    if (!reached.has(name)) continue;
    const location = context.yaml.locateKey([...path, name]);
    const message = `"${name}" needs itself to be evaluated`;
    context.findings.error('RULE_LET_CYCLE', message, { location, length: name.length });
  }
}

/**
 * Names of a rule or a loop that nothing uses. Those at the top of a file are an offer to all rules,
 * also to the ones that a user will write, so they may stand unused.
 */
function reportUnused(scope: StaticScope, context: TemplateContext): void {
  for (const [name, info] of scope.own()) {
    if (info.kind !== 'let' || info.used) continue;
    const { location } = info;
    const message = `"${name}" is never used`;
    context.findings.warning('RULE_LET_UNUSED', message, { location, length: name.length });
  }
}

/** The variables that a value needs, members left aside. */
export function variablesOf(template: Template): readonly string[] {
  if (template.kind === 'literal') return [];
  if (template.kind === 'formula') return template.variables.map((use) => use.name);
  const parts = template.kind === 'map' ? [...template.members.values()] : template.items;
  return parts.flatMap(variablesOf);
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
    findingAt(context, [...path, extra], 'RULE_ONE_ACTION', message);
  }
  const as = String(raw['as'] ?? 'item');
  const list = compileFormula(String(raw['forEach']), [...path, 'forEach'], scope, context);
  scope.declare(as, { kind: 'item' });
  const names = compileNames(raw['let'], [...path, 'let'], scope, context);
  const key =
    raw['key'] === undefined
      ? undefined
      : compileTemplate(raw['key'], [...path, 'key'], scope, context);
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
    findingAt(context, [...path, field], 'RULE_UNKNOWN_FIELD', message);
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

function compileFields(
  body: Raw,
  definition: ActionDefinition,
  path: YamlPath,
  scope: StaticScope,
  context: RuleContext,
): readonly FieldTemplate[] {
  return Object.entries(body).flatMap(([name, value]) => {
    const field = definition.fields[name];
    if (field === undefined) return [];
    const template = compileTemplate(value, [...path, name], scope, context);
    if (template === undefined) return [];
    reportLiteral(template, name, field.type, [...path, name], context);
    if (definition.kind === 'read' && scope.needsRun(template)) {
      const message = `${definition.name} reads before anything is written, so it cannot use a result`;
      findingAt(context, [...path, name], 'FORMULA_REFERENCE', message);
    }
    return [{ name, type: field.type, template }];
  });
}

/** A literal that the action would refuse is a finding now, not with the first event. */
function reportLiteral(
  template: Template,
  name: string,
  type: FieldTemplate['type'],
  path: YamlPath,
  context: RuleContext,
): void {
  if (template.kind !== 'literal') return;
  const result = coerceField(type, template.value);
  if (result.kind === 'refused') {
    findingAt(context, path, 'RULE_WRONG_TYPE', `"${name}" ${result.message}`);
  }
}

function reportMissingFields(
  body: Raw,
  definition: ActionDefinition,
  path: YamlPath,
  context: RuleContext,
): void {
  // The schema says it for the actions without `from`; with `from` the field may come out of a map.
  if (!definition.takesFrom || body['from'] !== undefined) return;
  for (const [name, field] of Object.entries(definition.fields)) {
    if (field.required !== true || body[name] !== undefined) continue;
    const message = `the field "${name}" is missing`;
    context.findings.error('RULE_MISSING_FIELD', message, {
      location: context.yaml.locateKey(path),
      length: definition.name.length,
    });
  }
}

function findingAt(
  context: TemplateContext,
  path: YamlPath,
  code: Parameters<TemplateContext['findings']['error']>[0],
  message: string,
  length?: number,
): void {
  const { yaml } = context;
  const atKey = length !== undefined;
  context.findings.error(code, message, {
    location: atKey ? yaml.locateKey(path) : yaml.locate(path),
    length: length ?? yaml.lengthOf(path),
  });
}
