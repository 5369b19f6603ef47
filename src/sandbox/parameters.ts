// Query parameters as the OpenAPI document declares them. Takes name and value as sent, gives an
// objection or none. Never filters anything.

import type { ValidateFunction } from 'ajv/dist/2020.js';
import type { JsonObject, JsonValue } from '../core/model.ts';
import { follow, type SchemaPlace } from './document.ts';

/** What is wrong with a request: `refused` is answered 400, `noted` is served all the same. */
export interface Objection {
  readonly kind: 'refused' | 'noted';
  readonly message: string;
}

export interface Parameter {
  /** Undefined for a plain parameter; else what may stand in the brackets. */
  readonly operators: ReadonlyMap<string, SchemaPlace> | undefined;
  readonly schema: SchemaPlace;
}

const NAME = /^([^[\]]+)(?:\[([^[\]]*)\])?$/;

/** Splits `expiresAt[gte]` into field and operator; the operator is undefined in the plain form. */
export function splitName(name: string): { field: string; operator: string | undefined } {
  const match = NAME.exec(name);
  return { field: match?.[1] ?? name, operator: match?.[2] };
}

/** Reads an operation's query parameters, with those of its path. */
export function readParameters(
  document: JsonObject,
  operationPointer: string,
): ReadonlyMap<string, Parameter> {
  const parameters = new Map<string, Parameter>();
  const operation = follow(document, operationPointer).value;
  const declared = (operation['parameters'] ?? []) as JsonValue[];
  for (const index of declared.keys()) {
    const parameter = follow(document, `${operationPointer}/parameters/${index}`);
    if (parameter.value['in'] !== 'query') continue;
    const schema = follow(document, `${parameter.pointer}/schema`);
    const deep = parameter.value['style'] === 'deepObject';
    parameters.set(String(parameter.value['name']), {
      schema,
      operators: deep ? readOperators(document, schema) : undefined,
    });
  }
  return parameters;
}

function readOperators(
  document: JsonObject,
  schema: SchemaPlace,
): ReadonlyMap<string, SchemaPlace> {
  const names = Object.keys((schema.value['properties'] ?? {}) as JsonObject);
  return new Map(
    names.map((name) => [name, follow(document, `${schema.pointer}/properties/${name}`)]),
  );
}

/**
 * What the server overlooks is only noted: unknown names, unknown operators, the plain form of a
 * filter, and an empty value, which counts as not sent (vendor's forum, thread 1295).
 */
export function checkParameter(
  parameters: ReadonlyMap<string, Parameter>,
  name: string,
  value: string,
  validator: (pointer: string) => ValidateFunction,
): Objection | undefined {
  const { field, operator } = splitName(name);
  const parameter = parameters.get(field);
  if (parameter === undefined) return noted(name, 'is not in the document, so it is ignored');
  if (value === '') return noted(name, 'is empty, so it is ignored');
  let { schema } = parameter;
  if (parameter.operators === undefined) {
    if (operator !== undefined) return noted(name, 'takes no operator, so it is ignored');
  } else {
    if (operator === undefined) return noted(name, `should be written ${name}[eq]`);
    const ofOperator = parameter.operators.get(operator);
    if (ofOperator === undefined) return noted(name, 'has an unknown operator, so it is ignored');
    schema = ofOperator;
  }
  const validate = validator(schema.pointer);
  if (validate(coerce(value, schema.value['type']))) return undefined;
  return { kind: 'refused', message: `query/${name} ${validate.errors?.[0]?.message ?? ''}` };
}

function noted(name: string, what: string): Objection {
  return { kind: 'noted', message: `query/${name} ${what}` };
}

function coerce(value: string, type: JsonValue | undefined): JsonValue {
  if (type === 'integer' || type === 'number') {
    return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  }
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}
