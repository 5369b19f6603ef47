// Rule tests on disk. Takes paths, gives the texts of test files, and reads for each the events that it
// names: shipped samples, and files beside it. What they mean is the engine's to say.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { assetPath } from '../../assets.ts';
import { AppError } from '../../core/error-codes.ts';
import { PROVIDERS, type Provider } from '../../core/providers.ts';
import type { EventReader } from '../../engine/cases/load-tests.ts';
import { headerOf } from '../../sources/header.ts';

const SAMPLES = assetPath('samples');
/** A test file is some pages of text; what is larger is something else. */
const TEST_FILE_BYTES_MAX = 4 * 1024 * 1024;
/** More than any provider sends. */
const EVENT_FILE_BYTES_MAX = 4 * 1024 * 1024;

export interface TestFileText {
  /** As it is shown to people: `rules/tests/stripe.yaml`. */
  readonly file: string;
  readonly text: string;
}

/**
 * The test files that a path names: itself, or all of a folder and of its folders.
 * @throws TEST_UNREADABLE
 */
export function testFilesAt(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(path, name));
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** @throws TEST_UNREADABLE */
export function readTestFile(file: string): TestFileText {
  try {
    return { file, text: readSmall(file, TEST_FILE_BYTES_MAX) };
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Reads the events that a test file names. */
export function eventReaderFor(file: string): EventReader {
  const beside = (path: string): string => resolve(dirname(file), path);
  return {
    readSample: (name) =>
      sampleNames().includes(name)
        ? tryRead(join(SAMPLES, `${name}.json`), EVENT_FILE_BYTES_MAX)
        : undefined,
    sampleNames,
    readFile: (path) => tryRead(beside(path), EVENT_FILE_BYTES_MAX),
    providerOf: (rules) => {
      const file = beside(rules);
      const text = tryRead(file, TEST_FILE_BYTES_MAX) ?? '';
      const readBeside = (name: string) =>
        tryRead(resolve(dirname(file), name), TEST_FILE_BYTES_MAX);
      return headerOf({ file, text, readBeside }).provider;
    },
  };
}

/**
 * The rule file that a test file is about: the one it names; else the provider's, in the folder above
 * a folder `tests`; else in the rules directory.
 */
export function ruleFileFor(
  file: string,
  {
    rules,
    provider,
    rulesDir,
  }: { rules: string | undefined; provider: Provider; rulesDir: string },
): string {
  if (rules !== undefined) return shownPath(resolve(dirname(file), rules));
  const isBeside = basename(dirname(resolve(file))) === 'tests';
  const folders = isBeside ? [dirname(dirname(resolve(file))), rulesDir] : [rulesDir];
  const candidates = folders.flatMap((folder) =>
    ['yaml', 'yml'].map((ending) => join(folder, `${provider}.${ending}`)),
  );
  const found = candidates.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  return shownPath(found ?? join(rulesDir, `${provider}.yaml`));
}

/** From the folder of the terminal where it is below it, else whole: one file has one name in all that is told. */
export function shownPath(path: string): string {
  const below = relative('.', path);
  return below.startsWith('..') ? resolve(path) : below;
}

let names: readonly string[] | undefined;

function sampleNames(): readonly string[] {
  names ??= PROVIDERS.flatMap((provider) =>
    readdirSync(join(SAMPLES, provider))
      .filter((name) => name.endsWith('.json'))
      .map((name) => `${provider}/${name.replace(/\.json$/, '')}`),
  );
  return names;
}

function tryRead(path: string, bytesMax: number): string | undefined {
  try {
    return readSmall(path, bytesMax);
  } catch {
    return undefined;
  }
}

function readSmall(path: string, bytesMax: number): string {
  if (statSync(path).size > bytesMax) throw new Error(`it is larger than ${bytesMax} bytes`);
  return readFileSync(path, 'utf8');
}

function unreadable(path: string, error: unknown): AppError {
  const why = error instanceof Error ? ('code' in error ? String(error.code) : error.message) : '';
  return new AppError('TEST_UNREADABLE', `${path} cannot be read (${why})`, { cause: error });
}
