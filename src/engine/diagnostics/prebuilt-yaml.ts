// YAML that need not be read because it was read before: the rule files that come with Keywright, as long as
// nobody changed them. Takes a text, gives what readYaml would have given, checked against the schema already.
// What was not noted of a file is found by reading it after all. Never knows what formulas say: those are
// compiled and judged at each start.

import { createHash } from 'node:crypto';
import type { SourceLocation } from '../../core/model.ts';
import { Findings } from './findings.ts';
import { KNOWN_TEXTS } from './prebuilt-rules.ts';
import { checkRuleFile } from './schema.ts';
import { readYaml, type YamlFile } from './yaml.ts';
import type { YamlPath } from './yaml-places.ts';

/** Where a value stands, and the values below it by their keys and indexes. */
interface PlaceTree {
  /** Line and column of the value and of its key, and the value's length. */
  readonly at: readonly [number, number, number, number, number];
  readonly below?: Readonly<Record<string, PlaceTree>>;
}

interface KnownFile {
  readonly value: unknown;
  readonly places: PlaceTree;
}

/** The file as readYaml gives it, where its text is known; then there are no findings. */
export function knownYaml(
  file: string,
  text: string,
  texts: ReadonlyMap<string, string> = KNOWN_TEXTS,
): YamlFile | undefined {
  if (texts.size === 0) return undefined;
  const json = texts.get(hashOf(text));
  // Read each time: who gets the value may do with it what they like.
  return json === undefined ? undefined : open(file, text, JSON.parse(json) as KnownFile);
}

/** A line of KNOWN_TEXTS; undefined for a text that has findings, by its YAML or by the schema. */
export function noteYaml(text: string): readonly [hash: string, json: string] | undefined {
  const findings = new Findings();
  const yaml = readYaml('', text, findings);
  if (yaml === undefined || checkRuleFile(yaml, findings) === undefined) return undefined;
  if (findings.list().length > 0) return undefined;
  const known: KnownFile = { value: yaml.value, places: placesOf(yaml, [], yaml.value) };
  return [hashOf(text), JSON.stringify(known)];
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function placesOf(yaml: YamlFile, path: YamlPath, value: unknown): PlaceTree {
  const { line, column } = yaml.locate(path);
  const key = yaml.locateKey(path);
  const at = [line, column, key.line, key.column, yaml.lengthOf(path)] as const;
  if (typeof value !== 'object' || value === null) return { at };
  const members = Object.entries(value).map(([name, member]) => {
    const step = Array.isArray(value) ? Number(name) : name;
    return [name, placesOf(yaml, [...path, step], member)] as const;
  });
  return { at, below: Object.fromEntries(members) };
}

function open(file: string, text: string, { value, places }: KnownFile): YamlFile {
  let whole: YamlFile | undefined;
  const read = (): YamlFile => {
    whole ??= readYaml(file, text, new Findings());
    if (whole === undefined) throw new Error(`${file} could be read when Keywright was built`);
    return whole;
  };
  const here = (line: number, column: number): SourceLocation => ({ file, line, column });
  return {
    file,
    text,
    value,
    isCheckedAlready: true,
    locate: (path) => {
      const at = find(places, path);
      return at === undefined ? read().locate(path) : here(at[0], at[1]);
    },
    locateKey: (path) => {
      const at = find(places, path);
      return at === undefined ? read().locateKey(path) : here(at[2], at[3]);
    },
    locateInside: (path, offset) => read().locateInside(path, offset),
    lengthOf: (path) => find(places, path)?.[4] ?? read().lengthOf(path),
  };
}

function find(places: PlaceTree, path: YamlPath): PlaceTree['at'] | undefined {
  let found: PlaceTree | undefined = places;
  for (const step of path) {
    found = below(found, String(step));
    if (found === undefined) return undefined;
  }
  return found.at;
}

function below({ below: members }: PlaceTree, name: string): PlaceTree | undefined {
  return members !== undefined && Object.hasOwn(members, name) ? members[name] : undefined;
}
