// The sandbox, put together: served alone, or as the world in which a plan is tried out.
// Beside compose.ts, and like it imported only by cli/ and tests. No call ever leaves the process here.

import { createExecutor } from './actions/execute.ts';
import type { Progress } from './actions/run.ts';
import { createStepClock, createSystemClock } from './clock.ts';
import { createCryptlexClient } from './cryptlex/client.ts';
import { createPace } from './cryptlex/pace.ts';
import { AppError } from './errors.ts';
import { createMemoryJournal } from './journal/memory.ts';
import type { Clock, JsonObject, JsonValue, Plan, WebhookEvent } from './model.ts';
import { eventKeyOf } from './model.ts';
import { createSandbox, type Sandbox } from './sandbox/sandbox.ts';
import { serveSandbox } from './sandbox/serve.ts';
import type {
  GivenLicense,
  SandboxGiven,
  SandboxLicense,
  SandboxOptions,
} from './sandbox/types.ts';
import { Secret } from './secret.ts';

const SANDBOX_TOKEN = 'sandbox-token';

export interface ServedSandbox {
  readonly sandbox: Sandbox;
  readonly url: string;
  readonly token: string;
  close(): Promise<void>;
}

/** Serves the sandbox over HTTP on this machine only. @throws PORT_UNAVAILABLE */
export async function composeSandbox(options: {
  port: number;
  token?: string;
  clock?: Clock;
  rateLimit?: false;
  /** How it behaves where it should not be as usual. */
  options?: Partial<Omit<SandboxOptions, 'token'>>;
}): Promise<ServedSandbox> {
  const token = options.token ?? SANDBOX_TOKEN;
  const sandbox = createSandbox({
    clock: options.clock ?? createSystemClock(),
    ...(options.rateLimit === false ? { rateLimit: false } : {}),
    ...options.options,
    token,
  });
  const { url, close } = await serveSandbox(sandbox, { port: options.port, host: '127.0.0.1' });
  return { sandbox, url, token, close };
}

/** A request as it would go out. */
export interface TryoutRequest {
  readonly method: string;
  readonly path: string;
  readonly query: JsonObject;
  readonly body?: JsonValue;
}

export interface Tryout {
  readonly requests: readonly TryoutRequest[];
  readonly before: readonly SandboxLicense[];
  readonly after: readonly SandboxLicense[];
  /** What was put there because the plan looks for it; empty when the state was given. */
  readonly assumed: readonly JsonObject[];
  readonly progress: Progress;
  /** Why the plan could not be run to its end. */
  readonly error: AppError | undefined;
}

/**
 * Runs a plan against a sandbox of its own, at the event's time, and tells what would be sent and what
 * would become of the licenses.
 * @param given what exists in Cryptlex; undefined: one of each that the plan looks for
 */
export async function tryOut(
  plan: Plan,
  event: WebhookEvent,
  options: { given: SandboxGiven | undefined; maxDelete: number },
): Promise<Tryout> {
  const clock = createStepClock(event.timeMs);
  const sandbox = createSandbox({ clock, token: SANDBOX_TOKEN, rateLimit: false });
  const { given, assumed } =
    options.given === undefined
      ? whatIsLookedFor(plan, event)
      : { given: options.given, assumed: [] };
  sandbox.seed(given);
  const before = [...sandbox.state.licenses];
  const journal = createMemoryJournal({ clock });
  const client = createCryptlexClient({
    baseUrl: 'http://sandbox.invalid',
    token: new Secret(SANDBOX_TOKEN),
    pace: createPace({ requests: 1_000_000, periodMs: 1_000, concurrency: 8, clock }),
    clock,
    fetch: (request) => sandbox.fetch(request),
  });
  const progress: Progress = { userId: undefined, licenseIds: new Set(), operations: [] };
  let error: AppError | undefined;
  try {
    await createExecutor({ client, journal, clock }).execute({
      plan,
      event,
      eventKey: eventKeyOf(event),
      maxDelete: options.maxDelete,
      isResumed: false,
      progress,
      signal: undefined,
      beforeFirstWrite: async () => undefined,
    });
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    error = thrown;
  }
  const requests = sandbox.requests.map(({ method, path, query, body }) => ({
    method,
    path,
    query: Object.fromEntries(query),
    ...(body === undefined ? {} : { body }),
  }));
  return { requests, before, after: [...sandbox.state.licenses], assumed, progress, error };
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
    const { metadata, productId, key } = find;
    const suspended = find['suspended'] === true;
    licenses.push({
      subscriptionInterval: 'P1M',
      createdAt: new Date(event.timeMs - 30 * DAY_MS).toISOString(),
      expiresAt: new Date(event.timeMs + DAY_MS).toISOString(),
      ...(metadata === undefined ? {} : { metadata: metadata as Record<string, string> }),
      ...(typeof productId === 'string' ? { productId } : {}),
      ...(typeof key === 'string' ? { key } : {}),
      ...(suspended ? { suspended } : {}),
    });
    assumed.push(find);
  }
  return { given: { licenses }, assumed };
}
