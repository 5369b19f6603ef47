// The world of one rule test: a Cryptlex, a journal and a time of its own. Takes the steps of a case one
// after the other, gives what is there after each. Events go the server's own way: signed, verified,
// accepted, worked on. Never waits and never reaches the network: time is moved, the sandbox is in here.

import { createExecutor } from '../../actions/execute.ts';
import { createStepClock, type StepClock } from '../../core/clock.ts';
import { AppError } from '../../core/error-codes.ts';
import { createLogger } from '../../core/log.ts';
import type { EventOutcome, JsonObject, WebhookEvent } from '../../core/model.ts';
import { eventKeyOf } from '../../core/model.ts';
import { bodyOfEvents, PROVIDER_FACTS, type Provider } from '../../core/providers.ts';
import { Secret } from '../../core/secret.ts';
import { createCryptlexClient } from '../../cryptlex/client.ts';
import { createPace } from '../../cryptlex/rate-limiter.ts';
import { compareValue, isObject } from '../../engine/cases/compare-values.ts';
import { type EventBody, eventsIn } from '../../engine/cases/events.ts';
import type { EventSeen, StepSeen } from '../../engine/cases/expectation.ts';
import type { HandChange, TestCase, TestStep } from '../../engine/cases/load-tests.ts';
import { type Env, matchEvent } from '../../engine/plan/match.ts';
import type { Observer, RuleSet } from '../../engine/rules/rule-set.ts';
import { transportOver } from '../../http/fetch.ts';
import type { Journal } from '../../journal/journal.ts';
import { createMemoryJournal } from '../../journal/memory.ts';
import { createPipeline, type Pipeline } from '../../pipeline/pipeline.ts';
import { createWorker, type Worker } from '../../pipeline/worker.ts';
import { createSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import type { SandboxGiven } from '../../sandbox/types.ts';
import { createVerifier } from '../../verifiers/create-verifier.ts';
import { signDelivery } from '../../verifiers/sign.ts';
import { noteGivenPayments } from '../dry-run/seed-payments.ts';
import {
  errorsIn,
  requestFacts,
  resourceFacts,
  rulesIn,
  stepFacts,
  timerFacts,
} from './observed-state.ts';

export interface CaseRules {
  /** The rules for a provider's events, with the settings of the case. */
  rulesOf(provider: Provider): RuleSet;
  /** Hears what the rules are asked. */
  readonly observer: Observer | undefined;
}

export interface CaseWorld {
  /** Puts there what is given. @throws INPUT_UNREADABLE */
  seed(given: SandboxGiven): Promise<void>;
  /** @throws LICENSE_NOT_FOUND | TEST_GIVEN when what is changed by hand cannot be */
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

export function createCaseWorld(testCase: TestCase, rules: CaseRules): CaseWorld {
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
    transport: transportOver((request) => sandbox.fetch(request)),
  });
  const pipeline = createPipeline({
    currentRules: () => ({ ruleSets: bySource, env }),
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
  return {
    seed: (given) => noteGivenPayments(given, sandbox.seed(given), providers, journal),
    run: (step) => runStep(step, world),
  };
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
  await moveTo(step.atMs, world);
  for (const change of step.byHand) await changeByHand(change, world);
  // Calls that were made on the way belong to no step's event.
  sandbox.clearRequests();
  const delivered: Delivered[] = [];
  for (const bodies of postsOf(step.bodies)) delivered.push(...(await deliver(bodies, world)));
  await world.worker.drain();
  const events: EventSeen[] = [];
  for (const one of delivered) events.push(await lookAt(one, world));
  return {
    events,
    licenses: sandbox.state.licenses.map((license) => resourceFacts({ ...license })),
    users: sandbox.state.users.map((user) => resourceFacts({ ...user })),
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

/** What somebody does in Cryptlex itself, through the API like everybody. */
async function changeByHand({ license, set }: HandChange, { sandbox }: World): Promise<void> {
  const { expiresAt, metadata, ...rest } = set;
  const body = {
    ...rest,
    ...(isObject(metadata)
      ? {
          metadata: Object.entries(metadata).map(([key, value]) => ({ key, value: String(value) })),
        }
      : {}),
  };
  const found = sandbox.state.licenses.filter(
    (one) => compareValue(license, resourceFacts({ ...one }), HERE, false).length === 0,
  );
  if (found.length === 0)
    throw new AppError('LICENSE_NOT_FOUND', `no license is there with ${JSON.stringify(license)}`);
  for (const { id } of found) {
    if (Object.keys(body).length > 0) await patch(sandbox, `/v3/licenses/${id}`, body);
    if (expiresAt !== undefined)
      await patch(sandbox, `/v3/licenses/${id}/expires-at`, { expiresAt });
  }
}

const HERE = { path: [], label: '' };

async function patch(sandbox: Sandbox, path: string, body: JsonObject): Promise<void> {
  const response = await sandbox.fetch(
    new Request(`http://sandbox.invalid${path}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${SECRET.reveal()}` },
      body: JSON.stringify(body),
    }),
  );
  if (!response.ok) throw new AppError('TEST_GIVEN', await response.text());
}

/** A provider with batches sends what comes together as one, the others one event at a time. */
function postsOf(bodies: readonly EventBody[]): readonly (readonly EventBody[])[] {
  const isBatched = ({ provider }: EventBody): boolean =>
    PROVIDER_FACTS[provider].batchMember !== undefined;
  const batch = bodies.filter(isBatched);
  const others = bodies.filter((body) => !isBatched(body));
  return [...(batch.length === 0 ? [] : [batch]), ...others.map((body) => [body])];
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
  const content = bodyOfEvents(provider, events);
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
    const none = {
      type: '',
      rules: [],
      knownRules: [],
      plan: [],
      timer: null,
      cancels: [],
      trace: [],
      duplicate: false,
    };
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
    type: event.type,
    rules: rulesIn(match),
    knownRules: rules.rulesOf(event.provider).rules.map(({ id }) => id),
    outcome: match.kind,
    status: done?.status ?? record?.status ?? 'queued',
    duplicate: done !== undefined,
    reason: outcome?.reason ?? null,
    message: outcome?.message ?? null,
    errors: errorsIn(match, outcome),
    plan: match.kind === 'matched' ? match.plan.steps.map(stepFacts) : [],
    timer: timerFacts(match),
    cancels: (match.cancels ?? []).map(({ name }) => name),
    trace: match.trace,
  };
}
