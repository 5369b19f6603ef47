// Where scenarios and samples lie. Takes names and folders, gives texts; what they mean is scenario.ts's.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { assetPath } from '../../assets.ts';
import { AppError } from '../../core/error-codes.ts';
import { PROVIDERS, type Provider } from '../../core/providers.ts';
import { didYouMean } from '../../engine/diagnostics/closest.ts';
import type { ScenarioText } from './scenario.ts';

/** What is shipped. */
const SCENARIOS_DIR = assetPath('scenarios');
const SAMPLES_DIR = assetPath('samples');
/** A scenario is a page of text, and a webhook body at most 1 MiB. */
const BYTES_MAX = 1024 * 1024;

/**
 * The scenarios of a provider: those of the user's folder, then the shipped ones, of one name the
 * first. In a folder they lie in a folder named like the provider.
 */
export function listScenarios(
  provider: Provider,
  furtherDir: string | undefined,
): readonly ScenarioText[] {
  const byName = new Map<string, string>();
  for (const directory of furtherDir === undefined
    ? [SCENARIOS_DIR]
    : [furtherDir, SCENARIOS_DIR]) {
    for (const file of yamlFilesOf(join(directory, provider))) {
      const name = basename(file).replace(/\.ya?ml$/, '');
      if (!byName.has(name)) byName.set(name, file);
    }
  }
  return [...byName]
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([name, file]) => scenarioText(name, file));
}

/**
 * A scenario by its name, or by the path of its file.
 * @throws SCENARIO_UNKNOWN | INPUT_UNREADABLE
 */
export function findScenario(
  provider: Provider,
  name: string,
  furtherDir: string | undefined,
): ScenarioText {
  if (/\.ya?ml$/.test(name)) return scenarioText(name, name);
  const all = listScenarios(provider, furtherDir);
  const found = all.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  const names = all.map((scenario) => scenario.name);
  const message = `${provider} has no scenario "${name}"${didYouMean(name, names)}`;
  throw new AppError('SCENARIO_UNKNOWN', message);
}

function scenarioText(name: string, file: string): ScenarioText {
  const shown = relative(process.cwd(), file);
  return {
    name,
    file: shown.startsWith('..') ? file : shown,
    text: readText(file),
    readSample,
    sampleNames: PROVIDERS.flatMap((provider) =>
      filesOf(join(SAMPLES_DIR, provider)).map(
        (sample) => `${provider}/${basename(sample, '.json')}`,
      ),
    ),
    readBeside: (beside) => {
      const folder = resolve(dirname(file));
      const path = resolve(folder, beside);
      return path.startsWith(folder + sep) && existsSync(path) ? readText(path) : undefined;
    },
  };
}

function readSample(name: string): string | undefined {
  const path = join(SAMPLES_DIR, `${name}.json`);
  return /^[a-z]+\/[\w.-]+$/.test(name) && existsSync(path) ? readText(path) : undefined;
}

/** @throws INPUT_UNREADABLE */
export function readText(path: string): string {
  try {
    if (statSync(path).size > BYTES_MAX) throw new Error(`it is larger than ${BYTES_MAX} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why =
      error instanceof Error ? ('code' in error ? String(error.code) : error.message) : '';
    throw new AppError('INPUT_UNREADABLE', `${path} cannot be read (${why})`, { cause: error });
  }
}

function yamlFilesOf(directory: string): readonly string[] {
  return filesOf(directory).filter((file) => /\.ya?ml$/.test(file));
}

function filesOf(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .sort()
    .map((name) => join(directory, name));
}
