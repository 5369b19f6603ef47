// Rule files on disk. Takes a directory or single paths, gives their texts, and the texts of what
// stands beside them, and a fingerprint that changes when any of them does.

import { type BigIntStats, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { AppError } from '../core/error-codes.ts';
import { isProvider } from '../core/providers.ts';
import type { RuleFileText } from '../engine/load/effective.ts';
import { headerOf, sourceNameOf } from './header.ts';
import { withShipped } from './shipped-rules.ts';

/** A rule file is a page of text; what is larger is something else. */
const RULE_FILE_BYTES_MAX = 2 * 1024 * 1024;
const CATALOG_FILE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * The rule files of a directory (not of its folders: those hold tests and examples; and no file that
 * another one names as its `catalogFile` or only extends), or the one file that the path names.
 * @throws RULES_UNREADABLE
 */
export function readRuleFiles(path: string): readonly RuleFileText[] {
  if (!isDirectory(path)) return [readRuleFile(path)];
  // Editors leave locks and copies under names that begin with a dot: `.#stripe.yaml`.
  const names = readdirSync(path).filter((name) => /^[^.].*\.ya?ml$/.test(name));
  const readings = names.sort().map((name) => tryToRead(name, join(path, name)));
  const headers = readings.map(({ rules }) => (rules === undefined ? undefined : headerOf(rules)));
  const catalogs = new Set(headers.map((header) => header?.catalogFile));
  const extended = new Set(headers.map((header) => header?.extended));
  return readings
    .filter(({ name }, index) => {
      if (catalogs.has(name)) return false;
      // What others extend is a source as well where it has a secret: its own, or its provider's.
      const isSource = isProvider(sourceNameOf(name)) || headers[index]?.secret !== undefined;
      return isSource || !extended.has(name);
    })
    .map(({ rules, error }) => {
      if (rules === undefined) throw error;
      return rules;
    });
}

/** A catalog may be too large for a rule file, which is no error before it is known to be none. */
function tryToRead(
  name: string,
  file: string,
): { name: string; rules: RuleFileText | undefined; error?: unknown } {
  try {
    return { name, rules: readRuleFile(file) };
  } catch (error) {
    return { name, rules: undefined, error };
  }
}

/**
 * What the file system says of all files that rules are made of, without reading them: it changes when one
 * is written, replaced, added, removed or becomes unreadable. Never throws: a directory that is gone has a
 * fingerprint, too.
 */
export function fingerprintOf(path: string): string {
  try {
    const own = statSync(path, { bigint: true });
    const directory = own.isDirectory() ? path : dirname(path);
    const names = readdirSync(directory).filter((name) => /^[^.].*\.(?:ya?ml|csv)$/.test(name));
    const parts = names.sort().map((name) => `${name} ${markOf(join(directory, name))}`);
    return [stampOf(own), ...parts].join('\n');
  } catch (error) {
    return `unreadable ${error instanceof Error && 'code' in error ? String(error.code) : ''}`;
  }
}

/** Follows links, as reading does: a ConfigMap's files are links into a directory that is swapped. */
function markOf(path: string): string {
  try {
    return stampOf(statSync(path, { bigint: true }));
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
  }
}

/** The change time tells of permissions as well; that of a directory changes with every editor's lock. */
function stampOf(stats: BigIntStats): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  return stats.isDirectory() ? `${dev} ${ino}` : [dev, ino, size, mtimeNs, ctimeNs].join(' ');
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
    readBeside: withShipped((name) => {
      // A name of the schema's pattern cannot leave the folder; links and the like still cannot hurt.
      const path = resolve(dirname(file), name);
      try {
        return readText(path, CATALOG_FILE_BYTES_MAX);
      } catch {
        return undefined;
      }
    }),
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
