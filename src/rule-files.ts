// Rule files on disk. Takes a directory or single paths, gives their texts, and the texts of what
// stands beside them. The one place where rule files are read; what they mean is the engine's.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { RuleFileText } from './engine/load.ts';
import { AppError } from './errors.ts';

/** A rule file is a page of text; what is larger is something else. */
const RULE_FILE_BYTES_MAX = 2 * 1024 * 1024;
const CATALOG_FILE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * The rule files of a directory (not of its folders: those hold tests and examples), or the one file
 * that the path names.
 * @throws RULES_UNREADABLE
 */
export function readRuleFiles(path: string): readonly RuleFileText[] {
  const names = isDirectory(path)
    ? readdirSync(path)
        .filter((name) => /\.ya?ml$/.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];
  return names.map(readRuleFile);
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw unreadable(path, error);
  }
}

function readRuleFile(file: string): RuleFileText {
  return {
    file,
    text: readText(file, RULE_FILE_BYTES_MAX),
    readBeside: (name) => {
      // A name of the schema's pattern cannot leave the folder; links and the like still cannot hurt.
      const path = resolve(dirname(file), name);
      try {
        return readText(path, CATALOG_FILE_BYTES_MAX);
      } catch {
        return undefined;
      }
    },
  };
}

function readText(path: string, bytesMax: number): string {
  try {
    if (statSync(path).size > bytesMax) throw new Error(`it is larger than ${bytesMax} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): AppError {
  const why = error instanceof Error ? ('code' in error ? String(error.code) : error.message) : '';
  return new AppError('RULES_UNREADABLE', `${path} cannot be read (${why})`, { cause: error });
}
