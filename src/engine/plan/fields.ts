// The fields of one action for one event. Takes compiled fields, gives values in the form that Cryptlex
// wants; throws an EvaluationFailure that blames the place. Never decides whether a step is done.

import type { JsonObject, JsonValue } from '../../core/model.ts';
import { didYouMean } from '../diagnostics/closest.ts';
import { isBlank, kindOf } from '../expression/values.ts';
import { coerceField } from '../rules/fields.ts';
import type { ActionStep, FieldTemplate } from '../rules/rule-set.ts';
import type { Evaluation } from './evaluation.ts';
import { EvaluationFailure, problemAt } from './evaluation-failure.ts';
import { explainMissing } from './explain-missing.ts';
import type { RunScope } from './run-scope.ts';

/** Members of a map that `from:` names become fields; gives the names of those that did. */
export function spread(
  value: JsonValue,
  input: JsonObject,
  step: ActionStep,
  location: ActionStep['location'],
): readonly string[] {
  const names: string[] = [];
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
    names.push(name);
  }
  return names;
}

/** The value of a field that is written; undefined when it is not required and comes out missing. */
export async function fieldValue(
  field: FieldTemplate,
  step: ActionStep,
  scope: RunScope,
  evaluation: Evaluation,
): Promise<JsonValue | undefined> {
  const { name, template, type } = field;
  const where = `${step.definition.name}.${name}`;
  await requireMembers(field, where, scope, evaluation);
  const value = await evaluation.plain(template, scope);
  const required = step.definition.fields[name]?.required === true;
  // Only a person says "perpetual": an empty text of an event is a missing interval.
  const perpetual = type === 'interval' && template.kind === 'literal';
  const blank = isBlank(value) && !perpetual;
  if (blank && !required) return undefined;
  if (blank || value === undefined) {
    const why = await explainMissing(template, scope, evaluation);
    const message = `${where} came out missing${why && `: ${why}`}`;
    throw new EvaluationFailure(problemAt('FIELD_MISSING', message, template.location));
  }
  const result = coerceField(type, value);
  if (result.kind === 'refused') {
    const message = `${where} ${result.message}`;
    throw new EvaluationFailure(problemAt(result.code, message, template.location));
  }
  return result.value;
}

/** What is written under metadata, find and whenSuspended is meant: none of it may be missing. */
async function requireMembers(
  field: FieldTemplate,
  where: string,
  scope: RunScope,
  evaluation: Evaluation,
): Promise<void> {
  const { template, type } = field;
  if (template.kind !== 'map') return;
  if (type !== 'metadata' && type !== 'find' && type !== 'whenSuspended') return;
  for (const [name, member] of template.members) {
    const path = `${where}.${name}`;
    if (member.kind === 'map') {
      const nested = { name, type: 'metadata', template: member } as const;
      await requireMembers(nested, path, scope, evaluation);
      continue;
    }
    if (!isBlank(await evaluation.plain(member, scope))) continue;
    const why = await explainMissing(member, scope, evaluation);
    const message = `${path} came out missing${why && `: ${why}`}`;
    throw new EvaluationFailure(problemAt('FIELD_MISSING', message, member.location));
  }
}
