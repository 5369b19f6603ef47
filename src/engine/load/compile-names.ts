// `let:` of a file, a rule or a loop. Takes what stands in the YAML, gives a table of Templates and
// declares the names in the scope; reports cycles and names that nothing uses. Never evaluates.

import type { YamlPath } from '../diagnostics/yaml-places.ts';
import type { NameTable, Template } from '../rules/rule-set.ts';
import type { StaticScope } from './static-scope.ts';
import { compileTemplate, type TemplateContext } from './templates.ts';

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
    const member = (value as Readonly<Record<string, unknown>>)[name];
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
  for (const name of entangled(needs)) {
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

/** What is left when names that need no other one are taken away, again and again. */
function entangled(needs: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const users = new Map<string, string[]>();
  const open = new Map<string, number>();
  for (const [name, uses] of needs) {
    const own = uses.filter((use) => needs.has(use));
    open.set(name, own.length);
    for (const use of own) {
      const list = users.get(use);
      if (list === undefined) users.set(use, [name]);
      else list.push(name);
    }
  }
  const free = [...open].filter(([, count]) => count === 0).map(([name]) => name);
  for (let name = free.pop(); name !== undefined; name = free.pop()) {
    open.delete(name);
    for (const user of users.get(name) ?? []) {
      const count = (open.get(user) ?? 1) - 1;
      open.set(user, count);
      if (count === 0) free.push(user);
    }
  }
  return [...open.keys()];
}

/**
 * Names of a rule or a loop that nothing uses. Those at the top of a file are an offer to all rules,
 * also to the ones that a user will write, so they may stand unused.
 */
export function reportUnused(scope: StaticScope, context: TemplateContext): void {
  for (const [name, info] of scope.own()) {
    if (info.kind !== 'let' || info.used) continue;
    const { location } = info;
    const message = `"${name}" is never used`;
    context.findings.warning('RULE_LET_UNUSED', message, { location, length: name.length });
  }
}

/** The variables that a value needs, members left aside. */
function variablesOf(template: Template): readonly string[] {
  if (template.kind === 'literal') return [];
  if (template.kind === 'formula') return template.variables.map((use) => use.name);
  const parts = template.kind === 'map' ? [...template.members.values()] : template.items;
  return parts.flatMap(variablesOf);
}
