// The schemas of what a server reads as functions, one for each kind of file: rules, a catalog of its own.
// Compiled when they are asked for the first time. Those of rule tests are in validators-of-tests.ts, so that
// no server loads them.
// In what `npm run build` makes, scripts/compiled-schemas.ts stands in for this file: the same functions,
// compiled beforehand, since compiling is a third of the time that a server needs to start.

import { Ajv2020, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import rulesSchema from '../../../schema/rules.schema.json' with { type: 'json' };

/** Gives what checks a document; its `errors` are those of the last document. */
export type Shape = () => ValidateFunction;

export const AJV_OPTIONS: Options = {
  allErrors: true,
  strict: true,
  // The schema says `type: [a, b]` where a field takes a value or a formula.
  allowUnionTypes: true,
  strictTypes: false,
  verbose: true,
};

/** The schema behind each of the functions below, by its name. */
export const SCHEMAS = {
  rulesShape: rulesSchema,
  catalogShape: {
    $defs: rulesSchema.$defs,
    type: 'object',
    additionalProperties: { $ref: '#/$defs/catalogEntry' },
  },
} as const;

export const rulesShape = shapeOf(SCHEMAS.rulesShape);
export const catalogShape = shapeOf(SCHEMAS.catalogShape);

/** @param schema compiled when the shape is first asked for */
export function shapeOf(schema: object): Shape {
  let validate: ValidateFunction | undefined;
  return () => {
    validate ??= new Ajv2020(AJV_OPTIONS).compile(schema);
    return validate;
  };
}
