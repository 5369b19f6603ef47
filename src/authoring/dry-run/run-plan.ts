// A plan tried out. Takes a plan and a stage, gives the requests as they would go out and what would become
// of users and licenses. Two stages: the sandbox, from which no call leaves the process; and the real
// Cryptlex, which is only read (live-stage.ts).

import { createExecutor } from '../../actions/execute.ts';
import type { Progress } from '../../actions/run.ts';
import { createStepClock } from '../../core/clock.ts';
import { AppError } from '../../core/error-codes.ts';
import type { Clock, JsonObject, JsonValue, Plan, WebhookEvent } from '../../core/model.ts';
import { eventKeyOf } from '../../core/model.ts';
import { Secret } from '../../core/secret.ts';
import { createCryptlexClient } from '../../cryptlex/client.ts';
import { createPace, type Pace } from '../../cryptlex/rate-limiter.ts';
import type { SourceSettings } from '../../engine/rules/rule-set.ts';
import { type Fetch, transportOver } from '../../http/fetch.ts';
import type { Journal } from '../../journal/journal.ts';
import { createMemoryJournal } from '../../journal/memory.ts';
import { createSandbox } from '../../sandbox/sandbox.ts';
import type {
  GivenLicense,
  SandboxGiven,
  SandboxLicense,
  SandboxUser,
} from '../../sandbox/types.ts';
import { noteGivenPayments } from './seed-payments.ts';

/** A request as it would go out. Never holds the token; a password is blanked out. */
export interface TryoutRequest {
  readonly method: string;
  readonly path: string;
  readonly query: JsonObject;
  readonly body?: JsonValue;
  /** On the real Cryptlex: false when it was sent, true when it was answered here. */
  readonly captured?: boolean;
}

/** Users and licenses at one moment. */
export interface StageState {
  readonly users: readonly SandboxUser[];
  readonly licenses: readonly SandboxLicense[];
}

/** Where a plan is tried out. */
export interface Stage {
  readonly baseUrl: string;
  readonly token: Secret;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly pace: Pace;
  requests(): readonly TryoutRequest[];
  before(): StageState;
  after(): StageState;
  /** Licenses that are there, with the payment that each was bought with. */
  notePayments(journal: Journal): Promise<void>;
  /** What was put there because the plan looks for it. */
  readonly assumed: readonly JsonObject[];
  /** What a person should know of the result. */
  notes(): readonly string[];
}

export interface Tryout {
  readonly requests: readonly TryoutRequest[];
  readonly before: StageState;
  readonly after: StageState;
  /** What was put there because the plan looks for it; empty when the state was given. */
  readonly assumed: readonly JsonObject[];
  readonly notes: readonly string[];
  readonly progress: Progress;
  /** Why the plan could not be run to its end. */
  readonly error: AppError | undefined;
}

/** Runs a plan on a stage. The journal is an empty one: what was done before for the same fact is not known. */
export async function tryOut(
  plan: Plan,
  event: WebhookEvent,
  { stage, settings }: { stage: Stage; settings: Pick<SourceSettings, 'maxDelete' | 'brake'> },
): Promise<Tryout> {
  const { baseUrl, token, fetch, clock, pace } = stage;
  const journal = createMemoryJournal({ clock });
  await stage.notePayments(journal);
  const transport = transportOver(fetch);
  const client = createCryptlexClient({ baseUrl, token, pace, clock, transport });
  const progress: Progress = { userId: undefined, licenseIds: new Set(), operations: [] };
  let error: AppError | undefined;
  try {
    await createExecutor({ client, journal, clock }).execute({
      plan,
      event,
      eventKey: eventKeyOf(event),
      subjects: [],
      maxDelete: settings.maxDelete,
      brake: { source: event.source, limits: settings.brake },
      isResumed: false,
      progress,
      signal: undefined,
      beforeFirstWrite: async () => undefined,
    });
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    error = thrown;
  }
  return {
    requests: stage.requests(),
    before: stage.before(),
    after: stage.after(),
    assumed: stage.assumed,
    notes: stage.notes(),
    progress,
    error,
  };
}

const SANDBOX_TOKEN = 'sandbox-token';

/**
 * A sandbox of its own, at the event's time.
 * @param given what exists in Cryptlex; undefined: one of each that the plan looks for
 */
export function sandboxStage(
  plan: Plan,
  event: WebhookEvent,
  given: SandboxGiven | undefined,
): Stage {
  const clock = createStepClock(event.timeMs);
  const sandbox = createSandbox({ clock, token: SANDBOX_TOKEN, rateLimit: false });
  const looked = given === undefined ? whatIsLookedFor(plan, event) : { given, assumed: [] };
  const licenseIds = sandbox.seed(looked.given);
  const before = stateOf(sandbox.state);
  return {
    baseUrl: 'http://sandbox.invalid',
    token: new Secret(SANDBOX_TOKEN),
    fetch: (request) => sandbox.fetch(request),
    clock,
    pace: createPace({ requests: 1_000_000, periodMs: 1_000, concurrency: 8, clock }),
    requests: () =>
      sandbox.requests.map(({ method, path, query, body }) => ({
        method,
        path,
        query: Object.fromEntries(query),
        ...(body === undefined ? {} : { body }),
      })),
    before: () => before,
    after: () => stateOf(sandbox.state),
    notePayments: (journal) =>
      noteGivenPayments(looked.given, licenseIds, [event.provider], journal),
    assumed: looked.assumed,
    notes: () => [],
  };
}

/** A copy: the sandbox shows what is there when it is asked. */
export function stateOf({ users, licenses }: StageState): StageState {
  return { users: [...users], licenses: [...licenses] };
}

const DAY_MS = 86_400_000;

/** One license for each search of the plan, so that a dry run without a given state shows something. */
function whatIsLookedFor(
  plan: Plan,
  event: WebhookEvent,
): { given: SandboxGiven; assumed: readonly JsonObject[] } {
  const licenses: GivenLicense[] = [];
  const assumed: JsonObject[] = [];
  for (const { action, input } of plan.steps) {
    const find = input['find'] as JsonObject | undefined;
    if (find === undefined || !action.startsWith('license.')) continue;
    const { metadata, productId, key, payment } = find;
    const suspended = find['suspended'] === true;
    licenses.push({
      subscriptionInterval: 'P1M',
      createdAt: new Date(event.timeMs - 30 * DAY_MS).toISOString(),
      expiresAt: new Date(event.timeMs + DAY_MS).toISOString(),
      ...(metadata === undefined ? {} : { metadata: metadata as Record<string, string> }),
      ...(typeof productId === 'string' ? { productId } : {}),
      ...(typeof key === 'string' ? { key } : {}),
      ...(typeof payment === 'string' ? { payment } : {}),
      ...(suspended ? { suspended } : {}),
    });
    assumed.push(find);
  }
  return { given: { licenses }, assumed };
}
