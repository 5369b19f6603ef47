// From the text of a scenario to the webhooks it is made of. Takes YAML and a way to read samples; gives a
// scenario whose steps hold whole events, or every finding at once. Reads no file itself, sends nothing.

import { AppError } from '../../core/error-codes.ts';
import { type Interval, parseInterval } from '../../core/interval.ts';
import type { Diagnostic, JsonObject, JsonValue } from '../../core/model.ts';
import {
  eventsInBody,
  isProvider,
  PROVIDER_FACTS,
  PROVIDERS,
  type Provider,
} from '../../core/providers.ts';
import { setAt, unsetAt, valueAt } from '../../engine/cases/event-paths.ts';
import { didYouMean } from '../../engine/diagnostics/closest.ts';
import { Findings } from '../../engine/diagnostics/findings.ts';
import { checkShape } from '../../engine/diagnostics/schema.ts';
import { scenarioShape } from '../../engine/diagnostics/test-validators.ts';
import { readYaml, type YamlFile } from '../../engine/diagnostics/yaml.ts';
import { eventObject } from '../../verifiers/event-body.ts';

export interface Scenario {
  /** The file's name without `.yaml`, or the path that the user gave. */
  readonly name: string;
  readonly provider: Provider;
  readonly description: string;
  readonly steps: readonly ScenarioStep[];
}

export interface ScenarioStep {
  /** The sample's or file's name, for messages. */
  readonly from: string;
  readonly after: Interval;
  /** One, or what one POST of FastSpring holds; with the ids and times of the sample. */
  readonly events: readonly JsonObject[];
  /** Paths of ids that are new in this step. */
  readonly fresh: readonly string[];
  readonly mayBeUnmatched: boolean;
  /** Chaos delivers nothing across this step. */
  readonly keepsOrder: boolean;
}

export interface ScenarioText {
  readonly name: string;
  /** As it is shown to people. */
  readonly file: string;
  readonly text: string;
  /** `stripe/invoice.paid-manual` → the text of that sample; undefined where there is none. */
  readonly readSample: (name: string) => string | undefined;
  readonly sampleNames: readonly string[];
  /** A file beside the scenario; undefined where there is none. */
  readonly readBeside: (name: string) => string | undefined;
}

export interface LoadedScenario {
  /** Undefined when there are findings. */
  readonly scenario: Scenario | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** A step as the schema lets it through. */
interface RawStep {
  readonly sample?: string;
  readonly file?: string;
  readonly after?: string;
  readonly set?: Readonly<Record<string, JsonValue>>;
  readonly unset?: readonly string[];
  readonly fresh?: readonly string[];
  readonly mayBeUnmatched?: boolean;
  readonly keepOrder?: string;
}

interface RawScenario {
  readonly provider: Provider;
  readonly description: string;
  readonly steps: readonly RawStep[];
}

/** What a buyer's click and a provider's machine take. */
const AFTER_DEFAULT: Interval = { months: 0, days: 0, seconds: 2 };

/** Loads a scenario; everything that is wrong with it is in `diagnostics`. */
export function loadScenario(input: ScenarioText): LoadedScenario {
  const findings = new Findings();
  const scenario = load(input, findings);
  const diagnostics = findings.list();
  return { scenario: diagnostics.length > 0 ? undefined : scenario, diagnostics };
}

function load(input: ScenarioText, findings: Findings): Scenario | undefined {
  const yaml = readYaml(input.file, input.text, findings);
  if (yaml === undefined) return undefined;
  if (!checkShape(scenarioShape, yaml, findings, 'a scenario')) return undefined;
  const raw = yaml.value as RawScenario;
  const { provider, description } = raw;
  if (!isProvider(provider)) {
    const message = `"${String(provider)}" is none of ${PROVIDERS.join(', ')}`;
    const location = yaml.locate(['provider']);
    findings.error('RULE_WRONG_TYPE', message, { location, length: yaml.lengthOf(['provider']) });
    return undefined;
  }
  const steps = raw.steps.flatMap((step, index) =>
    readStep(step, { input, yaml, provider, findings, path: ['steps', index] }),
  );
  return { name: input.name, provider, description, steps };
}

interface StepContext {
  readonly input: ScenarioText;
  readonly yaml: YamlFile;
  readonly provider: Provider;
  readonly findings: Findings;
  readonly path: readonly (string | number)[];
}

function readStep(raw: RawStep, context: StepContext): readonly ScenarioStep[] {
  const after = readInterval(raw.after, context);
  const events = readEvents(raw, context)?.map((event) => edited(event, raw, context));
  if (events === undefined) return [];
  for (const [index, path] of (raw.fresh ?? []).entries()) {
    if (events.some((event) => typeof valueAt(event, path) === 'string')) continue;
    report(context, 'SAMPLE_PATH', `there is no id at ${path} in this event`, ['fresh', index]);
  }
  return [
    {
      from: nameOf(raw),
      after,
      events,
      fresh: raw.fresh ?? [],
      mayBeUnmatched: raw.mayBeUnmatched ?? false,
      keepsOrder: raw.keepOrder !== undefined,
    },
  ];
}

function nameOf({ sample, file }: RawStep): string {
  return (sample ?? file ?? '').replace(/^.*\//, '').replace(/\.json$/, '');
}

function readInterval(text: string | undefined, context: StepContext): Interval {
  if (text === undefined) return AFTER_DEFAULT;
  const interval = parseInterval(text);
  if (interval !== undefined) return interval;
  const message = `"after" needs an ISO 8601 interval like P1M or PT10M, not "${text}"`;
  report(context, 'RULE_WRONG_TYPE', message, ['after']);
  return AFTER_DEFAULT;
}

/** The events of a step's sample or file; undefined when they cannot be read, which is told. */
function readEvents(raw: RawStep, context: StepContext): readonly JsonObject[] | undefined {
  const { input, provider } = context;
  const { sample, file } = raw;
  if ((sample === undefined) === (file === undefined)) {
    const message = 'a step has either "sample" or "file"';
    report(context, 'RULE_MISSING_FIELD', message, []);
    return undefined;
  }
  if (sample !== undefined && !sample.startsWith(`${provider}/`)) {
    const message = `"${sample}" is no sample of ${provider}; its name begins with "${provider}/"`;
    report(context, 'SAMPLE_UNKNOWN', message, ['sample']);
    return undefined;
  }
  const text = sample === undefined ? input.readBeside(file ?? '') : input.readSample(sample);
  const member = sample === undefined ? 'file' : 'sample';
  if (text === undefined) {
    const name = sample ?? file ?? '';
    const hint = sample === undefined ? '' : didYouMean(name, input.sampleNames);
    report(context, 'SAMPLE_UNKNOWN', `"${name}" cannot be found${hint}`, [member]);
    return undefined;
  }
  try {
    return eventsOfBody(provider, text);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    report(context, 'SAMPLE_UNKNOWN', `it is no event of ${provider}: ${error.message}`, [member]);
    return undefined;
  }
}

/**
 * The events of one webhook body; a single FastSpring event is taken as well as the whole POST.
 * @throws BODY_MALFORMED
 */
export function eventsOfBody(provider: Provider, text: string): readonly JsonObject[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new AppError('BODY_MALFORMED', 'it is not JSON');
  }
  const whole = eventObject(body);
  const events = eventsInBody(provider, whole);
  const { idMember, typeMember } = PROVIDER_FACTS[provider];
  for (const event of events) {
    for (const member of [idMember, typeMember]) {
      if (typeof event[member] === 'string') continue;
      throw new AppError('BODY_MALFORMED', `it has no "${member}"`);
    }
  }
  if (events.length > 0) return events;
  throw new AppError('BODY_MALFORMED', 'it holds no event');
}

function edited(event: JsonObject, raw: RawStep, context: StepContext): JsonObject {
  const result = structuredClone(event);
  for (const [index, path] of (raw.unset ?? []).entries()) {
    const problem = unsetAt(result, path);
    if (problem !== undefined) report(context, 'SAMPLE_PATH', problem, ['unset', index]);
  }
  for (const [path, wanted] of Object.entries(raw.set ?? {})) {
    const problem = setAt(result, path, wanted);
    if (problem !== undefined) report(context, 'SAMPLE_PATH', problem, ['set', path]);
  }
  return result;
}

function report(
  { findings, yaml, path }: StepContext,
  code: 'SAMPLE_UNKNOWN' | 'SAMPLE_PATH' | 'RULE_WRONG_TYPE' | 'RULE_MISSING_FIELD',
  message: string,
  inside: readonly (string | number)[],
): void {
  const at = [...path, ...inside];
  const location = inside[0] === 'set' ? yaml.locateKey(at) : yaml.locate(at);
  const length = inside[0] === 'set' ? String(inside[1]).length : yaml.lengthOf(at);
  findings.error(code, message, { location, length });
}
