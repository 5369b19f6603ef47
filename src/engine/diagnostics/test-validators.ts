// The schemas of rule tests, of what exists in Cryptlex and of scenarios as functions, as in validators.ts;
// in the bundle they are compiled beforehand in the same way.

import scenarioSchema from '../../../schema/scenario.schema.json' with { type: 'json' };
import testsSchema from '../../../schema/tests.schema.json' with { type: 'json' };
import { shapeOf } from './validators.ts';

/** The schema behind each of the functions below, by its name. */
export const TEST_SCHEMAS = {
  testsShape: testsSchema,
  stateShape: { $defs: testsSchema.$defs, $ref: '#/$defs/given' },
  scenarioShape: scenarioSchema,
} as const;

export const testsShape = shapeOf(TEST_SCHEMAS.testsShape);
export const stateShape = shapeOf(TEST_SCHEMAS.stateShape);
export const scenarioShape = shapeOf(TEST_SCHEMAS.scenarioShape);
