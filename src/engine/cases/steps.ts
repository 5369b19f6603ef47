// The steps of rule tests. Takes a step as it is written, gives its time and its events as they will be
// sent; what is wrong with it goes to the findings. Never runs anything.

import { parseInstant } from '../../core/interval.ts';
import type { JsonValue } from '../../core/model.ts';
import type { Provider } from '../../core/providers.ts';
import type { Findings } from '../diagnostics/findings.ts';
import type { YamlFile } from '../diagnostics/yaml.ts';
import type { YamlPath } from '../diagnostics/yaml-places.ts';
import { setAt, unsetAt } from './event-paths.ts';
import { type EventBody, eventTimeMs, putEventTime, readEventBody } from './events.ts';
import type { Expectation } from './expectation.ts';
import type { EventReader, HandChange, TestStep } from './load-tests.ts';

/** A map of the test file. */
export type Raw = Readonly<Record<string, unknown>>;

/** What reading a case needs besides the case. */
export interface CaseContext {
  readonly yaml: YamlFile;
  readonly reader: EventReader;
  readonly findings: Findings;
  /** The provider of the rule file that the test file names. */
  readonly provider: Provider | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** When a case begins whose event does not say when it happened. */
const FIRST_MS = Date.UTC(2026, 0, 1);

/**
 * One step; undefined when something is wrong with it, which was reported.
 * @param number of the step, from 1; undefined where the case has no `steps`
 * @param previousMs when the step before it happened
 */
export function readStep(
  raw: Raw,
  path: YamlPath,
  number: number | undefined,
  previousMs: number | undefined,
  context: CaseContext,
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
    byHand: (raw['byHand'] ?? []) as readonly HandChange[],
    bodies,
    expectation,
    location: yaml.locate(path),
    path,
    expectPath: [...path, 'expect'],
  };
}

function readTime(
  value: unknown,
  path: YamlPath,
  previousMs: number | undefined,
  { yaml, findings }: CaseContext,
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
  context: CaseContext,
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
  { yaml, reader, findings, provider }: CaseContext,
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
  'timer',
  'cancels',
] as const;

/** What is expected of one event needs exactly one; of several it stands under `events`. */
function reportMisplaced(
  expectation: Expectation | undefined,
  path: YamlPath,
  bodies: readonly EventBody[],
  { yaml, findings }: CaseContext,
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
