// Rules, put together: from the environment and the rule files to a version that can run. Beside
// compose.ts, and like it imported only by cli/ and tests. Reads the same way at the start and at each reload.

import { ACTIONS } from '../actions/definitions.ts';
import {
  type ConfigReading,
  DEFAULT_DATABASE_URL,
  parseDatabaseUrl,
  readConfig,
} from '../config/config.ts';
import {
  createEnvironment,
  type Environment,
  type EnvironmentVariables,
  type ReadFile,
} from '../config/environment.ts';
import { readRulesDir } from '../config/rules-dir.ts';
import { AppError } from '../core/error-codes.ts';
import { mainSecretName, PROVIDERS } from '../core/providers.ts';
import type { Secret } from '../core/secret.ts';
import { formatLocation } from '../engine/diagnostics/findings.ts';
import type { RuleFileText } from '../engine/load/effective.ts';
import { createVerifier } from '../verifiers/create-verifier.ts';
import { secretNameOf } from './header.ts';
import type { RulesReading, RulesVersion } from './reload.ts';
import { readRuleFiles } from './rule-files.ts';
import type { ServerSource } from './source.ts';
import { formatProblem, type LoadedSources, loadSources } from './sources.ts';

interface RulesWorld {
  readonly env: EnvironmentVariables;
  readonly readFile: ReadFile;
  readonly stdoutIsTty?: boolean;
}

/** The environment and the rule files, read together: either names what the other has to have. */
export interface Setup {
  readonly config: ConfigReading;
  readonly rulesDir: string;
  /** Why there are no rule files. */
  readonly unreadable: AppError | undefined;
  /** By variable; those that are not set are not in it. */
  readonly secrets: ReadonlyMap<string, readonly Secret[]>;
  readonly loaded: LoadedSources;
}

/** Reads both, as the server does at its start. */
export function readSetup(world: RulesWorld): Setup {
  const rulesDir = rulesDirOf(world);
  const files = readFiles(rulesDir);
  const mainSecrets: readonly string[] = PROVIDERS.map(mainSecretName);
  const config = readConfig(world.env, world.readFile, {
    furtherSecretVariables: files.named.filter((name) => !mainSecrets.includes(name)),
    ...(world.stdoutIsTty === undefined ? {} : { stdoutIsTty: world.stdoutIsTty }),
  });
  return { config, rulesDir, ...readSources(files, config.environment) };
}

/** Configuration and rules as the server starts with them, with all that is wrong with either. */
export function readAtStart(world: RulesWorld): {
  readonly config: ConfigReading;
  readonly rules: RulesReading;
} {
  const setup = readSetup(world);
  return { config: setup.config, rules: readingOf(setup, setup.config.environment) };
}

/** The rules as they lie there now. Variables given by files (NAME_FILE) are read anew as well. */
function readAgain(world: Pick<RulesWorld, 'env' | 'readFile'>): RulesReading {
  const environment = createEnvironment(world.env, world.readFile);
  return readingOf(readSources(readFiles(rulesDirOf(world)), environment), environment);
}

/** Runs the tests of the rules that lie there; gives the first lines of what failed. */
export type TestRules = (rulesDir: string) => Promise<readonly string[]>;

/** The rules as they lie there now; refused, too, when their tests fail. */
export async function readTested(
  world: Pick<RulesWorld, 'env' | 'readFile'>,
  test: TestRules | undefined,
): Promise<RulesReading> {
  const reading = readAgain(world);
  if (reading.kind === 'refused' || test === undefined) return reading;
  const problems = await test(rulesDirOf(world));
  return problems.length === 0 ? reading : { kind: 'refused', problems };
}

/** Where the rules lie. */
export function rulesDirOf({ env, readFile }: Pick<RulesWorld, 'env' | 'readFile'>): string {
  return readRulesDir(createEnvironment(env, readFile));
}

interface FilesRead {
  readonly files: readonly RuleFileText[];
  /** The secret variables that they name. */
  readonly named: readonly string[];
  readonly unreadable: AppError | undefined;
}

function readFiles(rulesDir: string): FilesRead {
  try {
    const files = readRuleFiles(rulesDir);
    const named = files.flatMap((file) => secretNameOf(file) ?? []);
    return { files, named, unreadable: undefined };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { files: [], named: [], unreadable: error };
  }
}

type SourcesRead = Pick<Setup, 'unreadable' | 'secrets' | 'loaded'>;

function readSources(
  { files, named, unreadable }: FilesRead,
  environment: Environment,
): SourcesRead {
  const names = new Set([...named, ...PROVIDERS.map(mainSecretName)]);
  const secrets = new Map(
    [...names]
      .map((name) => [name, environment.resolveSecrets(name)] as const)
      .filter(([, list]) => list.length > 0),
  );
  const loaded = loadSources(files, secrets, environment, ACTIONS);
  const problems = [...loaded.problems, ...forgottenTimers(loaded, environment)];
  return { unreadable, secrets, loaded: { ...loaded, problems } };
}

/**
 * A clock of days in the memory of one process would be lost at its next start, and the suspension with it,
 * without a word; to suspend at once instead would be worse. So such rules and `memory:` refuse each other.
 */
function forgottenTimers({ sources }: LoadedSources, environment: Environment): readonly string[] {
  const url = parseDatabaseUrl(environment.resolveEnv('DATABASE_URL') ?? DEFAULT_DATABASE_URL);
  if (url?.kind !== 'memory') return [];
  return sources.flatMap(({ ruleSet }) =>
    ruleSet.rules.flatMap(({ id, timer }) => {
      if (timer === undefined) return [];
      const place = formatLocation(timer.location);
      const message = `${place}: rule "${id}" waits (after:), and DATABASE_URL=memory: forgets what waits when the process ends`;
      return [problemOf(new AppError('TIMER_NEEDS_JOURNAL', message))];
    }),
  );
}

function readingOf({ unreadable, loaded }: SourcesRead, environment: Environment): RulesReading {
  const problems = [
    ...environment.problems().map(formatProblem),
    ...(unreadable === undefined ? loaded.problems : [problemOf(unreadable)]),
  ];
  if (problems.length > 0) return { kind: 'refused', problems };
  return { kind: 'read', version: versionOf(loaded), warnings: loaded.warnings };
}

function versionOf({ sources, off, env }: LoadedSources): RulesVersion {
  const ruleSets = new Map(sources.map(({ name, ruleSet }) => [name, ruleSet]));
  const served = new Map<string, ServerSource>();
  for (const { name, ruleSet, secrets } of sources) {
    const { path, answer, toleranceSeconds, refusalCode, acknowledge, ownEvents } =
      ruleSet.settings;
    const { provider } = ruleSet;
    const verifier = createVerifier(provider, { secrets, toleranceSeconds, ownEvents });
    const acknowledgesStored = acknowledge === 'stored';
    const told = { path, answer, refusalCode, acknowledgesStored };
    served.set(name, { name, provider, ...told, verifier });
  }
  // What has no secret has an address all the same: it says that it is not switched on.
  for (const { name, provider, path } of off) {
    served.set(name, { name, provider, path, verifier: undefined });
  }
  for (const provider of PROVIDERS) {
    if (!served.has(provider)) {
      served.set(provider, { name: provider, provider, verifier: undefined });
    }
  }
  const furtherOff = off.filter(({ name, provider }) => name !== provider);
  return { ruleSets, env, sources: served, furtherOff };
}

/** An error of the registry as it is printed; any other is thrown on. */
export function problemOf(error: unknown): string {
  if (!(error instanceof AppError)) throw error;
  const { code, message, hint } = error;
  return formatProblem({ code, message, hint, location: undefined });
}
