// Runs rule tests. Takes cases and the rules they are about, gives what differed in which step.
// What a case lives in stands in case-world.ts. Never decides what a difference is: the engine does.

import { AppError, registryEntry } from '../../core/error-codes.ts';
import type { Diagnostic } from '../../core/model.ts';
import type { Difference } from '../../engine/cases/compare-values.ts';
import { compareStep, type StepSeen } from '../../engine/cases/expectation.ts';
import type { TestCase, TestStep } from '../../engine/cases/load-tests.ts';
import type { SandboxGiven } from '../../sandbox/types.ts';
import { type CaseRules, createCaseWorld } from './test-world.ts';

export interface CaseResult {
  readonly testCase: TestCase;
  readonly failures: readonly StepFailure[];
  /** What kept the case from being run. */
  readonly findings: readonly Diagnostic[];
}

/** A step whose end was not as expected. */
export interface StepFailure {
  readonly step: TestStep;
  readonly seen: StepSeen;
  readonly differences: readonly Difference[];
}

/** Runs one case to its end: a step that differs does not keep the next from being seen. */
export async function runCase(testCase: TestCase, rules: CaseRules): Promise<CaseResult> {
  const world = createCaseWorld(testCase, rules);
  try {
    await world.seed(testCase.given as SandboxGiven);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { testCase, failures: [], findings: [givenFinding(testCase, error)] };
  }
  const failures: StepFailure[] = [];
  for (const step of testCase.steps) {
    const seen = await world.run(step).catch((error: unknown) => {
      if (error instanceof AppError) return error;
      throw error;
    });
    if (seen instanceof AppError) {
      return { testCase, failures: [], findings: [handFinding(testCase, step, seen)] };
    }
    const differences = compareStep(step.expectation, seen, step.expectPath);
    if (differences.length > 0) failures.push({ step, seen, differences });
  }
  return { testCase, failures, findings: [] };
}

/** What became of the steps, whatever was expected: for writing a test. */
export async function seeCase(testCase: TestCase, rules: CaseRules): Promise<readonly StepSeen[]> {
  const world = createCaseWorld(testCase, rules);
  await world.seed(testCase.given as SandboxGiven);
  const seen: StepSeen[] = [];
  for (const step of testCase.steps) seen.push(await world.run(step));
  return seen;
}

function givenFinding({ yaml, path }: TestCase, { message }: AppError): Diagnostic {
  const at = [...path, 'given'];
  return {
    code: 'TEST_GIVEN',
    severity: 'error',
    message,
    hint: registryEntry('TEST_GIVEN').hint,
    location: yaml.locateKey(at),
    length: 'given'.length,
  };
}

function handFinding({ yaml }: TestCase, { path }: TestStep, { message }: AppError): Diagnostic {
  const { hint } = registryEntry('TEST_GIVEN');
  const location = yaml.locateKey([...path, 'byHand']);
  return {
    code: 'TEST_GIVEN',
    severity: 'error',
    message,
    hint,
    location,
    length: 'byHand'.length,
  };
}
