// The schemas in schema/ as functions, one for each kind of file: rules, a catalog of its own, rule tests,
// what exists in Cryptlex, a scenario. Compiled when they are asked for the first time.
// In what `npm run build` makes, scripts/compiled-schemas.ts stands in for this file: the same functions,
// compiled beforehand, since compiling is a third of the time that a server needs to start.

import { Ajv2020, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import rulesSchema from '../../schema/rules.schema.json' with { type: 'json' };
import scenarioSchema from '../../schema/scenario.schema.json' with { type: 'json' };
import testsSchema from '../../schema/tests.schema.json' with { type: 'json' };

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
  testsShape: testsSchema,
  stateShape: { $defs: testsSchema.$defs, $ref: '#/$defs/given' },
  scenarioShape: scenarioSchema,
} as const;

export const rulesShape = shapeOf('rulesShape');
export const catalogShape = shapeOf('catalogShape');
export const testsShape = shapeOf('testsShape');
export const stateShape = shapeOf('stateShape');
export const scenarioShape = shapeOf('scenarioShape');

function shapeOf(name: keyof typeof SCHEMAS): Shape {
  let validate: ValidateFunction | undefined;
  return () => {
    validate ??= new Ajv2020(AJV_OPTIONS).compile(SCHEMAS[name]);
    return validate;
  };
}
