// Rule tests, from text to cases that can be run. Takes a file's name and text and whoever reads events
// for it; gives cases with their events as they will be sent, or every finding at once.
// Pure: files are read by whoever calls, and nothing is run here.

import type { Diagnostic, JsonObject, SourceLocation } from '../../core/model.ts';
import type { Provider } from '../../core/providers.ts';
import { Findings } from '../diagnostics/findings.ts';
import { checkShape } from '../diagnostics/schema.ts';
import { testsShape } from '../diagnostics/test-validators.ts';
import { readYaml, type YamlFile } from '../diagnostics/yaml.ts';
import type { YamlPath } from '../diagnostics/yaml-places.ts';
import type { EventBody } from './events.ts';
import type { Expectation } from './expectation.ts';
import { type CaseContext, type Raw, readStep } from './steps.ts';

/** One file of rule tests. */
export interface TestFile {
  readonly yaml: YamlFile;
  /** The rule file that it names itself, from its own folder. */
  readonly rules: string | undefined;
  readonly cases: readonly TestCase[];
}

export interface TestCase {
  readonly name: string;
  readonly yaml: YamlFile;
  readonly path: YamlPath;
  readonly location: SourceLocation;
  /** What is in Cryptlex before, as the sandbox takes it. */
  readonly given: JsonObject;
  readonly env: Readonly<Record<string, string>>;
  /** Members of the rule file's header that are different here. */
  readonly settings: JsonObject;
  readonly steps: readonly TestStep[];
}

export interface TestStep {
  /** Counts from 1; undefined where the case has no `steps`. */
  readonly number: number | undefined;
  readonly atMs: number;
  /** What somebody changes in Cryptlex before the event comes. */
  readonly byHand: readonly HandChange[];
  readonly bodies: readonly EventBody[];
  readonly expectation: Expectation | undefined;
  readonly location: SourceLocation;
  readonly path: YamlPath;
  /** Where `expect` stands, or would. */
  readonly expectPath: YamlPath;
}

/** A change of all licenses that have these members. */
export interface HandChange {
  readonly license: JsonObject;
  readonly set: JsonObject;
}

/** Reads what an `event:` names. */
export interface EventReader {
  /** The text of a shipped sample (`stripe/invoice.paid`); undefined when there is none. */
  readSample(name: string): string | undefined;
  /** The names of all samples, for suggestions. */
  sampleNames(): readonly string[];
  /** The text of a file, by its path from the test file; undefined when it cannot be read. */
  readFile(path: string): string | undefined;
  /** The provider of a rule file, by its path from the test file; undefined when it cannot be told. */
  providerOf(rules: string): Provider | undefined;
}

export interface LoadedTests {
  /** The cases that can be run; those with findings are left out. */
  readonly testFile: TestFile | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Loads one file of rule tests; everything that is wrong with it is in `diagnostics`. */
export function loadTestFile(file: string, text: string, reader: EventReader): LoadedTests {
  const findings = new Findings();
  const testFile = load(file, text, reader, findings);
  const diagnostics = findings.list();
  return { testFile, diagnostics };
}

function load(
  file: string,
  text: string,
  reader: EventReader,
  findings: Findings,
): TestFile | undefined {
  const yaml = readYaml(file, text, findings);
  if (yaml === undefined) return undefined;
  if (yaml.value === null) {
    const location = { file, line: 1, column: 1 };
    findings.error('TEST_EMPTY', 'the file is empty', { location });
    return undefined;
  }
  // What the schema does not let through cannot be run, and would only be reported a second time.
  const isRight = checkShape(testsShape, yaml, findings, 'a test file');
  if (!isRight || findings.hasErrors()) return undefined;
  const isList = Array.isArray(yaml.value);
  const header = (isList ? {} : yaml.value) as Raw;
  const raw = (isList ? yaml.value : (header['cases'] ?? [])) as readonly Raw[];
  const base: YamlPath = isList ? [] : ['cases'];
  if (raw.length === 0) {
    findings.error('TEST_EMPTY', 'the file holds no cases', { location: yaml.locate(base) });
    return undefined;
  }
  const rules = header['rules'] as string | undefined;
  const provider = rules === undefined ? undefined : reader.providerOf(rules);
  const context: CaseContext = { yaml, reader, findings, provider, env: envOf(header['env']) };
  reportEqualNames(raw, base, context);
  const cases = raw.flatMap((one, index) => readCase(one, [...base, index], context) ?? []);
  return { yaml, rules, cases };
}

function envOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries((value ?? {}) as Record<string, string | null>);
  return Object.fromEntries(
    entries.flatMap(([name, text]) => (text === null ? [] : [[name, text]])),
  );
}

function reportEqualNames(
  cases: readonly Raw[],
  base: YamlPath,
  { yaml, findings }: CaseContext,
): void {
  const lines = new Map<string, number>();
  for (const [index, { name }] of cases.entries()) {
    const path = [...base, index, 'name'];
    const location = yaml.locate(path);
    const first = lines.get(String(name));
    if (first === undefined) lines.set(String(name), location.line);
    else {
      const message = `the case of line ${first} is called "${String(name)}" as well`;
      findings.error('TEST_NAME_TAKEN', message, { location, length: yaml.lengthOf(path) });
    }
  }
}

const STEP_MEMBERS = ['at', 'byHand', 'event', 'events', 'expect'];

/** Undefined when something is wrong with it, which was reported. */
function readCase(raw: Raw, path: YamlPath, context: CaseContext): TestCase | undefined {
  const { yaml, findings } = context;
  const before = findings.count;
  const { name, given, env, settings, steps } = raw;
  const isLifecycle = Array.isArray(steps);
  const stray = STEP_MEMBERS.find((member) => member in raw);
  if (isLifecycle && stray !== undefined) {
    const message = `a case with steps has its "${stray}" in them`;
    findings.error('RULE_UNKNOWN_FIELD', message, { location: yaml.locateKey([...path, stray]) });
  }
  const list = isLifecycle ? (steps as readonly Raw[]) : [raw];
  let timeMs: number | undefined;
  const read = list.flatMap((step, index) => {
    const at = isLifecycle ? [...path, 'steps', index] : path;
    const done = readStep(step, at, isLifecycle ? index + 1 : undefined, timeMs, context);
    timeMs = done?.atMs ?? timeMs;
    return done ?? [];
  });
  if (!list.some((step) => 'expect' in step)) {
    const message = `the case "${String(name)}" expects nothing`;
    findings.error('TEST_EMPTY', message, { location: yaml.locate([...path, 'name']) });
  }
  if (findings.count > before) return undefined;
  return {
    name: String(name),
    yaml,
    path,
    location: yaml.locate(path),
    given: (given ?? {}) as JsonObject,
    env: { ...context.env, ...envOf(env) },
    settings: (settings ?? {}) as JsonObject,
    steps: read,
  };
}
