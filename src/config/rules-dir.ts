// Where the rule files are. Takes the environment, gives RULES_DIR, or its default. The server and every
// command read it here, RULES_DIR_FILE too.

import { readFileSync } from 'node:fs';
import { AppError } from '../core/error-codes.ts';
import { createEnvironment, type Environment, type EnvironmentVariables } from './environment.ts';

const DEFAULT_RULES_DIR = 'rules';

/** What is wrong with the variable is among the environment's problems. */
export function readRulesDir(environment: Environment): string {
  return environment.resolveEnv('RULES_DIR') ?? DEFAULT_RULES_DIR;
}

/**
 * For a command, which needs nothing else of the environment.
 * @throws ENV_BLANK | ENV_FILE | ENV_INVALID
 */
export function rulesDirIn(env: EnvironmentVariables): string {
  const environment = createEnvironment(env, (path) => readFileSync(path, 'utf8'));
  const rulesDir = readRulesDir(environment);
  const [problem] = environment.problems();
  if (problem === undefined) return rulesDir;
  const { code, message, hint } = problem;
  throw new AppError(code, message, hint === undefined ? {} : { hint });
}
