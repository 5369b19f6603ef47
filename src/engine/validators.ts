// The schemas in schema/ as functions. Takes the name of a kind of file, gives what checks a document of
// that kind; compiled when it is asked for the first time.
// In what `npm run build` makes, scripts/compiled-schemas.ts stands in for this file: the same functions,
// compiled beforehand, since compiling is a third of the time that a server needs to start.

import { Ajv2020, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import rulesSchema from '../../schema/rules.schema.json' with { type: 'json' };
import scenarioSchema from '../../schema/scenario.schema.json' with { type: 'json' };
import testsSchema from '../../schema/tests.schema.json' with { type: 'json' };

/** A kind of file: rules, a catalog of its own, rule tests, what exists in Cryptlex, a scenario. */
export type ShapeName = 'rules' | 'catalog' | 'tests' | 'state' | 'scenario';

export const AJV_OPTIONS: Options = {
  allErrors: true,
  strict: true,
  // The schema says `type: [a, b]` where a field takes a value or a formula.
  allowUnionTypes: true,
  strictTypes: false,
  verbose: true,
};

/** The schema of each kind of file. */
export const SHAPES: Readonly<Record<ShapeName, object>> = {
  rules: rulesSchema,
  catalog: {
    $defs: rulesSchema.$defs,
    type: 'object',
    additionalProperties: { $ref: '#/$defs/catalogEntry' },
  },
  tests: testsSchema,
  state: { $defs: testsSchema.$defs, $ref: '#/$defs/given' },
  scenario: scenarioSchema,
};

const compiled = new Map<ShapeName, ValidateFunction>();

/** What checks a document of this kind; its `errors` are those of the last document. */
export function validatorOf(name: ShapeName): ValidateFunction {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const validate = new Ajv2020(AJV_OPTIONS).compile(SHAPES[name]);
  compiled.set(name, validate);
  return validate;
}
