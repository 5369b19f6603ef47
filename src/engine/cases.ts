// Rule tests, from text to cases that can be run. Takes a file's name and text and whoever reads events
// for it; gives cases with their events as they will be sent, or every finding at once.
// Pure: files are read by whoever calls, and nothing is run here.

import { parseInstant } from '../interval.ts';
import type { Diagnostic, JsonObject, JsonValue, Provider, SourceLocation } from '../model.ts';
import { type EventBody, eventTimeMs, putEventTime, readEventBody } from './case-events.ts';
import type { Expectation } from './case-expectation.ts';
import { setAt, unsetAt } from './event-paths.ts';
import { Findings } from './findings.ts';
import { checkTestFile } from './schema.ts';
import { readYaml, type YamlFile } from './yaml.ts';
import type { YamlPath } from './yaml-places.ts';

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
  readonly bodies: readonly EventBody[];
  readonly expectation: Expectation | undefined;
  readonly location: SourceLocation;
  /** Where `expect` stands, or would. */
  readonly expectPath: YamlPath;
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

type Raw = Readonly<Record<string, unknown>>;

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
  if (!checkTestFile(yaml, findings) || findings.hasErrors()) return undefined;
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
  const context: Context = { yaml, reader, findings, provider, env: envOf(header['env']) };
  reportEqualNames(raw, base, context);
  const cases = raw.flatMap((one, index) => readCase(one, [...base, index], context) ?? []);
  return { yaml, rules, cases };
}

interface Context {
  readonly yaml: YamlFile;
  readonly reader: EventReader;
  readonly findings: Findings;
  /** The provider of the rule file that the test file names. */
  readonly provider: Provider | undefined;
  readonly env: Readonly<Record<string, string>>;
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
  { yaml, findings }: Context,
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

/** When a case begins whose event does not say when it happened. */
const FIRST_MS = Date.UTC(2026, 0, 1);

const STEP_MEMBERS = ['at', 'event', 'events', 'expect'];

/** Undefined when something is wrong with it, which was reported. */
function readCase(raw: Raw, path: YamlPath, context: Context): TestCase | undefined {
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

function readStep(
  raw: Raw,
  path: YamlPath,
  number: number | undefined,
  previousMs: number | undefined,
  context: Context,
): TestStep | undefined {
  const { yaml, findings } = context;
  const before = findings.count;
  const wantedMs = readTime(raw['at'], [...path, 'at'], previousMs, context);
  const bodies = readBodies(raw, path, wantedMs, context);
  const ownMs = Math.max(...bodies.map((body) => eventTimeMs(body) ?? previousMs ?? FIRST_MS));
  if (bodies.length === 0 && wantedMs === undefined && findings.count === before) {
    const message = 'nothing happens here: there is neither an `event` nor an `at`';
    findings.error('TEST_EMPTY', message, { location: yaml.locate(path) });
  }
  const expectation = raw['expect'] as Expectation | undefined;
  // An event that cannot be used was reported; what is expected of it is not to blame.
  if (findings.count === before) {
    reportMisplaced(expectation, [...path, 'expect'], bodies, context);
  }
  if (findings.count > before) return undefined;
  return {
    number,
    atMs: wantedMs ?? Math.max(ownMs, previousMs ?? ownMs),
    bodies,
    expectation,
    location: yaml.locate(path),
    expectPath: [...path, 'expect'],
  };
}

function readTime(
  value: unknown,
  path: YamlPath,
  previousMs: number | undefined,
  { yaml, findings }: Context,
): number | undefined {
  if (typeof value !== 'string') return undefined;
  const at = { location: yaml.locate(path), length: yaml.lengthOf(path) };
  const ms = parseInstant(value);
  if (ms === undefined) {
    findings.error('TEST_TIME', `"${value}" is no time`, at);
    return undefined;
  }
  if (previousMs !== undefined && ms < previousMs) {
    const previous = new Date(previousMs).toISOString();
    findings.error('TEST_TIME', `${value} is before the step above, which is at ${previous}`, at);
  }
  return ms;
}

function readBodies(
  raw: Raw,
  path: YamlPath,
  atMs: number | undefined,
  context: Context,
): readonly EventBody[] {
  if ('event' in raw && 'events' in raw) {
    const location = context.yaml.locateKey([...path, 'events']);
    const message = 'a step has an `event` or `events`, not both';
    context.findings.error('RULE_UNKNOWN_FIELD', message, { location });
  }
  const single = raw['event'] as Raw | undefined;
  const several = (raw['events'] ?? []) as readonly Raw[];
  const named = [
    ...(single === undefined ? [] : [[single, [...path, 'event']] as const]),
    ...several.map((event, index) => [event, [...path, 'events', index]] as const),
  ];
  return named.flatMap(([event, at]) => readEvent(event, at, atMs, context) ?? []);
}

function readEvent(
  raw: Raw,
  path: YamlPath,
  atMs: number | undefined,
  { yaml, reader, findings, provider }: Context,
): EventBody | undefined {
  const reading = readEventBody(raw, { reader, provider });
  if (reading.kind === 'refused') {
    const at = reading.member === undefined ? path : [...path, reading.member];
    findings.error('TEST_EVENT', reading.message, {
      location: yaml.locate(at),
      length: yaml.lengthOf(at),
      ...(reading.hint === undefined ? {} : { hint: reading.hint }),
    });
    return undefined;
  }
  const { body } = reading;
  // Before what is set, so that a test may say another time: an old event that comes late.
  if (atMs !== undefined) putEventTime(body, atMs);
  for (const [place, value] of Object.entries((raw['set'] ?? {}) as Record<string, JsonValue>)) {
    const problem = setAt(body.content, place, structuredClone(value));
    if (problem === undefined) continue;
    const location = yaml.locateKey([...path, 'set', place]);
    findings.error('TEST_PATH', problem, { location, length: place.length });
  }
  const unset = [(raw['unset'] ?? []) as string | readonly string[]].flat();
  for (const [index, place] of unset.entries()) {
    const problem = unsetAt(body.content, place);
    if (problem === undefined) continue;
    const at = [...path, 'unset', ...(Array.isArray(raw['unset']) ? [index] : [])];
    findings.error('TEST_PATH', problem, { location: yaml.locate(at), length: yaml.lengthOf(at) });
  }
  return body;
}

const EVENT_MEMBERS = [
  'rule',
  'outcome',
  'status',
  'duplicate',
  'reason',
  'message',
  'errors',
  'plan',
] as const;

/** What is expected of one event needs exactly one; of several it stands under `events`. */
function reportMisplaced(
  expectation: Expectation | undefined,
  path: YamlPath,
  bodies: readonly EventBody[],
  { yaml, findings }: Context,
): void {
  if (expectation === undefined) return;
  const count = bodies.reduce((sum, body) => sum + body.eventCount, 0);
  const stray = EVENT_MEMBERS.find((member) => member in expectation);
  if (count !== 1 && stray !== undefined) {
    const message =
      count === 0
        ? `there is no event in this step that could have a "${stray}"`
        : `this step has ${count} events; say which one has this "${stray}", under \`events\``;
    findings.error('RULE_UNKNOWN_FIELD', message, { location: yaml.locateKey([...path, stray]) });
  }
  const { events } = expectation;
  if (events !== undefined && events.length > count) {
    const message = `${events.length} events are expected, but this step has ${count}`;
    findings.error('RULE_WRONG_TYPE', message, { location: yaml.locate([...path, 'events']) });
  }
}
