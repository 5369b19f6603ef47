// Fields of an action, and values that must be known before anything is done. Takes what stands in
// the YAML, gives Templates; reports literals that the action would refuse. Never looks at an event.

import type { ActionDefinition, FieldType } from '../../core/model.ts';
import type { YamlPath } from '../diagnostics/yaml-places.ts';
import { isBlank } from '../expression/values.ts';
import { coerceField } from '../rules/fields.ts';
import type { FieldTemplate, Template } from '../rules/rule-set.ts';
import type { StaticScope } from './static-scope.ts';
import { compileTemplate, findingAt, type TemplateContext } from './templates.ts';

type Raw = Readonly<Record<string, unknown>>;

/** The fields of an action, with everything wrong in their literals reported. */
export function compileFields(
  body: Raw,
  definition: ActionDefinition,
  path: YamlPath,
  scope: StaticScope,
  context: TemplateContext,
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
  type: FieldType,
  path: YamlPath,
  context: TemplateContext,
): void {
  if (template.kind === 'map') {
    for (const [key, member] of template.members) {
      const inner = memberType(type, key);
      // Numbers and booleans become text in metadata.
      const isText = member.kind !== 'literal' || typeof member.value === 'string';
      if (inner !== undefined && (isText || type !== 'metadata')) {
        reportLiteral(member, key, inner, [...path, key], context);
      }
    }
  }
  if (template.kind !== 'literal') return;
  const { value } = template;
  const blank = typeof value === 'string' && isBlank(value) && type !== 'interval';
  const result = coerceField(type, value);
  if (result.kind === 'refused' || blank) {
    const problem = result.kind === 'refused' ? result.message : 'must not be empty';
    findingAt(context, path, 'RULE_WRONG_TYPE', `"${name}" ${problem}`);
  }
}

/** What a member of a field that is a map takes; undefined where the schema says it all. */
function memberType(type: FieldType, key: string): FieldType | undefined {
  if (type === 'find')
    return key === 'metadata' ? 'metadata' : key === 'suspended' ? 'boolean' : 'text';
  if (type === 'whenSuspended') return key === 'expiresAt' ? 'date' : undefined;
  return type === 'metadata' ? 'text' : undefined;
}

/** Required fields that no map of `from:` may hold. */
export function reportMissingFields(
  body: Raw,
  definition: ActionDefinition,
  path: YamlPath,
  context: TemplateContext,
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

/** A value that must be known before anything is done: `once`, `key`, a reason. */
export function compileKnown(
  value: unknown,
  path: YamlPath,
  scope: StaticScope,
  context: TemplateContext,
): Template | undefined {
  if (value === undefined) return undefined;
  const template = compileTemplate(value, path, scope, context);
  reportRun(template, path, scope, context);
  return template;
}

/** Reports a value that can only be known when the plan runs. */
export function reportRun(
  template: Template | undefined,
  path: YamlPath,
  scope: StaticScope,
  context: TemplateContext,
): void {
  if (template === undefined || !scope.needsRun(template)) return;
  const message = `"${String(path.at(-1))}" is needed for the plan, so it cannot use a result`;
  findingAt(context, path, 'FORMULA_REFERENCE', message);
}
