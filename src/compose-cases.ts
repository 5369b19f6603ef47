// Runs rule tests. Takes cases and the rules they are about, gives what differed. Each case has a Cryptlex,
// a journal and a time of its own, and goes the server's own way: signed, verified, accepted, worked on.
// Never waits and never reaches the network: time is moved, the sandbox is called in this process.

import { createExecutor } from './actions/execute.ts';
import { KEYWRIGHT_ID } from './actions/license-create.ts';
import { createStepClock, type StepClock } from './clock.ts';
import { createCryptlexClient } from './cryptlex/client.ts';
import { createPace } from './cryptlex/pace.ts';
import { type EventBody, eventsIn } from './engine/case-events.ts';
import { compareStep, type EventSeen, type StepSeen } from './engine/case-expectation.ts';
import type { Difference } from './engine/case-values.ts';
import type { TestCase, TestStep } from './engine/cases.ts';
import { type Env, matchEvent } from './engine/match.ts';
import type { Observer, RuleSet } from './engine/rules.ts';
import { AppError, registryEntry } from './errors.ts';
import type { Journal } from './journal/journal.ts';
import { createMemoryJournal } from './journal/memory.ts';
import { createLogger } from './log.ts';
import type {
  Diagnostic,
  EventOutcome,
  JsonObject,
  JsonValue,
  MatchResult,
  PlannedStep,
  Provider,
  WebhookEvent,
} from './model.ts';
import { eventKeyOf } from './model.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';
import { createSandbox, type Sandbox } from './sandbox/sandbox.ts';
import type { RecordedRequest, SandboxGiven, SandboxUser } from './sandbox/types.ts';
import { Secret } from './secret.ts';
import { signDelivery } from './verifiers/sign.ts';
import { createVerifier } from './verifiers/verifier.ts';
import { createWorker, type Worker } from './worker/worker.ts';

export interface CaseResult {
  readonly testCase: TestCase;
  readonly failures: readonly StepFailure[];
  /** What kept the case from being run. */
  readonly findings: readonly Diagnostic[];
}

/** A step whose end was not as expected. */
export interface StepFailure {
  readonly step: TestStep;
  readonly seen: StepSeen;
  readonly differences: readonly Difference[];
}

export interface CaseRules {
  /** The rules for a provider's events, with the settings of the case. */
  rulesOf(provider: Provider): RuleSet;
  /** Hears what the rules are asked. */
  readonly observer: Observer | undefined;
}

/** Runs one case to its end: a step that differs does not keep the next from being seen. */
export async function runCase(testCase: TestCase, rules: CaseRules): Promise<CaseResult> {
  const world = createCaseWorld(testCase, rules);
  try {
    world.sandbox.seed(testCase.given as SandboxGiven);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { testCase, failures: [], findings: [givenFinding(testCase, error)] };
  }
  const failures: StepFailure[] = [];
  for (const step of testCase.steps) {
    const seen = await world.run(step);
    const differences = compareStep(step.expectation, seen, step.expectPath);
    if (differences.length > 0) failures.push({ step, seen, differences });
  }
  return { testCase, failures, findings: [] };
}

/** What became of the steps, whatever was expected: for writing a test. */
export async function seeCase(testCase: TestCase, rules: CaseRules): Promise<readonly StepSeen[]> {
  const world = createCaseWorld(testCase, rules);
  world.sandbox.seed(testCase.given as SandboxGiven);
  const seen: StepSeen[] = [];
  for (const step of testCase.steps) seen.push(await world.run(step));
  return seen;
}

function givenFinding({ yaml, path }: TestCase, { message }: AppError): Diagnostic {
  const at = [...path, 'given'];
  return {
    code: 'TEST_GIVEN',
    severity: 'error',
    message,
    hint: registryEntry('TEST_GIVEN').hint,
    location: yaml.locateKey(at),
    length: 'given'.length,
  };
}

interface CaseWorld {
  readonly sandbox: Sandbox;
  run(step: TestStep): Promise<StepSeen>;
}

/** What deliveries are signed with, and what the sandbox lets in; nobody else ever sees it. */
const SECRET = new Secret('rule-tests');
const SILENT = createLogger({ level: 'silent', format: 'json', write: () => undefined });

interface World {
  readonly rules: CaseRules;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: StepClock;
  readonly sandbox: Sandbox;
  readonly journal: Journal;
  readonly pipeline: Pipeline;
  readonly worker: Worker;
}

function createCaseWorld(testCase: TestCase, rules: CaseRules): CaseWorld {
  const clock = createStepClock(testCase.steps[0]?.atMs ?? 0);
  const sandbox = createSandbox({ clock, token: SECRET.reveal(), rateLimit: false });
  const journal = createMemoryJournal({ clock });
  const providers = new Set(testCase.steps.flatMap(({ bodies }) => bodies.map((b) => b.provider)));
  const ruleSets = [...providers].map((provider) => rules.rulesOf(provider));
  const bySource = new Map(ruleSets.map((ruleSet) => [ruleSet.source, ruleSet]));
  const env = Object.assign({}, ...ruleSets.map((set) => envFor(set, testCase.env))) as Record<
    string,
    string
  >;
  const client = createCryptlexClient({
    baseUrl: 'http://sandbox.invalid',
    token: SECRET,
    pace: createPace({ requests: 1_000_000, periodMs: 1_000, concurrency: 8, clock }),
    clock,
    fetch: (request) => sandbox.fetch(request),
  });
  const pipeline = createPipeline({
    ruleSetOf: (source) => bySource.get(source),
    env,
    journal,
    executor: createExecutor({ client, journal, clock }),
    clock,
    log: SILENT,
    // A test has to come out the same each time.
    random: () => 0.5,
    recordCalls: (_calls, work) => work(),
  });
  const worker = createWorker({ journal, pipeline, clock, log: SILENT });
  const world = { rules, env, clock, sandbox, journal, pipeline, worker };
  return { sandbox, run: (step) => runStep(step, world) };
}

/** What the rules may read. What is set outside does not count, or a test would not be the same everywhere. */
function envFor(ruleSet: RuleSet, said: Env): Readonly<Record<string, string>> {
  return Object.fromEntries(
    ruleSet.env.flatMap(({ name, optional }) => {
      const value = said[name];
      if (value !== undefined) return [[name, value]];
      return optional ? [] : [[name, `<${name}>`]];
    }),
  );
}

async function runStep(step: TestStep, world: World): Promise<StepSeen> {
  const { sandbox } = world;
  sandbox.clearRequests();
  await moveTo(step.atMs, world);
  const delivered: Delivered[] = [];
  for (const bodies of postsOf(step.bodies)) delivered.push(...(await deliver(bodies, world)));
  await world.worker.drain();
  const events: EventSeen[] = [];
  for (const one of delivered) events.push(await lookAt(one, world));
  return {
    events,
    licenses: sandbox.state.licenses.map((license) => facts({ ...license })),
    users: sandbox.state.users.map((user) => facts({ ...user })),
    requests: sandbox.requests.map(requestFacts),
  };
}

/** Everything that becomes due on the way happens at its own moment. */
async function moveTo(ms: number, { clock, journal, worker }: World): Promise<void> {
  let lastMs: number | undefined;
  for (;;) {
    const dueMs = await journal.nextDueAtMs();
    if (dueMs === undefined || dueMs > ms || dueMs === lastMs) break;
    lastMs = dueMs;
    clock.moveTo(dueMs);
    await worker.drain();
  }
  clock.moveTo(ms);
  await worker.drain();
}

/** FastSpring sends what comes together as one batch, the others one event at a time. */
function postsOf(bodies: readonly EventBody[]): readonly (readonly EventBody[])[] {
  const ofFastSpring = bodies.filter(({ provider }) => provider === 'fastspring');
  const others = bodies.filter(({ provider }) => provider !== 'fastspring');
  return [...(ofFastSpring.length === 0 ? [] : [ofFastSpring]), ...others.map((body) => [body])];
}

type Delivered =
  | {
      readonly kind: 'accepted';
      readonly event: WebhookEvent;
      /** Set where it was done before. */
      readonly done: EventOutcome | undefined;
    }
  | { readonly kind: 'refused'; readonly title: string; readonly error: AppError };

async function deliver(
  bodies: readonly EventBody[],
  { rules, clock, pipeline }: World,
): Promise<readonly Delivered[]> {
  const provider = bodies[0]?.provider ?? 'stripe';
  const events = bodies.flatMap(eventsIn);
  const content = provider === 'fastspring' ? { events } : events[0];
  const rawBody = new TextEncoder().encode(JSON.stringify(content));
  const receivedAtMs = clock.nowMs();
  const timestampSeconds = Math.floor(receivedAtMs / 1000);
  const { value } = signDelivery(provider, rawBody, { secret: SECRET, timestampSeconds });
  const verifier = createVerifier(provider, { secrets: [SECRET], toleranceSeconds: undefined });
  try {
    const request = { signature: value, rawBody, receivedAtMs };
    const delivery = await verifier.verify(request, rules.rulesOf(provider).source);
    const acceptances = await pipeline.accept(delivery);
    return delivery.events.map((event) => {
      const known = acceptances.find(({ key }) => key === eventKeyOf(event));
      return { kind: 'accepted', event, done: known?.kind === 'done' ? known.outcome : undefined };
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return bodies.map(({ name }) => ({ kind: 'refused', title: `${provider} ${name}`, error }));
  }
}

async function lookAt(delivered: Delivered, { rules, env, journal }: World): Promise<EventSeen> {
  if (delivered.kind === 'refused') {
    const { code, message } = delivered.error;
    const { title } = delivered;
    const none = { rules: [], plan: [], trace: [], duplicate: false };
    return {
      ...none,
      title,
      outcome: 'failed',
      status: 'refused',
      message,
      reason: message,
      errors: [code],
    };
  }
  const { event, done } = delivered;
  const match = await matchEvent(rules.rulesOf(event.provider), event, env, {
    observer: rules.observer,
  });
  const record = await journal.find(eventKeyOf(event));
  const outcome = done ?? record?.outcome;
  return {
    title: `${event.provider} ${event.type} ${event.id}`,
    rules: rulesIn(match),
    outcome: match.kind,
    status: done?.status ?? record?.status ?? 'queued',
    duplicate: done !== undefined,
    reason: outcome?.reason ?? null,
    message: outcome?.message ?? null,
    errors: errorsIn(match, outcome),
    plan: match.kind === 'matched' ? match.plan.steps.map(stepFacts) : [],
    trace: match.trace,
  };
}

function rulesIn(match: MatchResult): readonly string[] {
  if (match.kind === 'matched') return match.rules.map(({ id }) => id);
  return match.kind === 'unmatched' || match.rule === undefined ? [] : [match.rule.id];
}

function errorsIn(match: MatchResult, outcome: EventOutcome | undefined): readonly string[] {
  if (match.kind === 'failed') return match.problems.map(({ code }) => code);
  const { failure } = outcome ?? {};
  return failure === undefined ? [] : [failure.code];
}

/** A step of a plan as it is written in a rule: `{ "license.renew": {…}, once: … }`. */
function stepFacts({ action, input, as, once, item, rule }: PlannedStep): JsonObject {
  return {
    [action]: withoutReferences(input),
    ...(once === undefined ? {} : { once }),
    ...(item === undefined ? {} : { item }),
    ...(as === undefined ? {} : { as }),
    rule,
  };
}

/** `{ "$ref": "user.id" }` is written `$user.id`. */
function withoutReferences(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutReferences);
  if (typeof value !== 'object' || value === null) return value;
  if (typeof value['$ref'] === 'string') return `$${value['$ref']}`;
  const members = Object.entries(value).map(([name, inner]) => [name, withoutReferences(inner)]);
  return Object.fromEntries(members) as JsonObject;
}

function requestFacts({ method, path, query, body }: RecordedRequest): JsonObject {
  return {
    method,
    path,
    query: Object.fromEntries(query),
    ...(body === undefined ? {} : { body }),
  };
}

type Resource = Readonly<Record<string, unknown>> & {
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
};

/**
 * A license or a user as a test writes it: metadata by key, without our own mark; the owner by e-mail
 * address.
 */
function facts(resource: Resource): JsonObject {
  const { metadata, user, ...members } = resource;
  const written = Object.entries(members).map(([name, value]) => [name, shortMoment(value)]);
  return {
    ...(Object.fromEntries(written) as JsonObject),
    ...(user === undefined ? {} : { user: (user as SandboxUser | null)?.email ?? null }),
    metadata: Object.fromEntries(
      metadata.filter(({ key }) => key !== KEYWRIGHT_ID).map(({ key, value }) => [key, value]),
    ),
  };
}

/** Cryptlex writes seven fractional digits, a person none. */
function shortMoment(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT.*\.\d{7}Z$/.test(value)) return value;
  return new Date(value).toISOString().replace('.000Z', 'Z');
}
