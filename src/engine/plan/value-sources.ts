// Which expression gave which value of a planned step. Takes a step as written and its fields as planned,
// gives a line for each value. For people; nothing is decided by it.

import type { JsonObject, JsonValue, ValueTrace } from '../../core/model.ts';
import { formatLocation } from '../diagnostics/findings.ts';
import type { ActionStep, Template } from '../rules/rule-set.ts';
import { writtenAs } from '../rules/written-as.ts';

/**
 * @param spreads the template of `from:` that gave a field, by the field's name
 * @param once the fact's identity, where the rule says one
 */
export function valueSources(
  step: ActionStep,
  planned: {
    readonly index: number;
    readonly input: JsonObject;
    readonly once: string | undefined;
  },
  written: { readonly spreads: ReadonlyMap<string, Template>; readonly once: Template | undefined },
): readonly ValueTrace[] {
  const traces: ValueTrace[] = [];
  const add = (
    field: string,
    value: JsonValue | undefined,
    template: Template | undefined,
  ): void => {
    if (value === undefined || template === undefined) return;
    if (template.kind === 'map' && isMap(value)) {
      for (const [name, member] of template.members) add(`${field}.${name}`, value[name], member);
      return;
    }
    const expression = writtenAs(template);
    const location = formatLocation(template.location);
    traces.push({ step: planned.index, field, value, expression, location });
  };
  for (const [name, value] of Object.entries(planned.input)) {
    const field = step.fields.find((candidate) => candidate.name === name);
    add(name, value, field?.template ?? written.spreads.get(name));
  }
  add('once', planned.once, written.once);
  return traces;
}

function isMap(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
