// A workbench for actions: the real executor, client, journal and retry rules on a sandbox in process.
// Takes plans, works on them until they come to an end, and moves time from one attempt to the next.
// Time never goes by of itself; only time-outs of calls are real, and short.

import { createExecutor } from '../../src/actions/execute.ts';
import type { Progress } from '../../src/actions/run.ts';
import { createLogger } from '../../src/core/log.ts';
import type {
  Clock,
  EventOutcome,
  JsonObject,
  PlannedStep,
  WebhookEvent,
} from '../../src/core/model.ts';
import { eventKeyOf } from '../../src/core/model.ts';
import { Secret } from '../../src/core/secret.ts';
import { type CryptlexClient, createCryptlexClient } from '../../src/cryptlex/client.ts';
import { createPace } from '../../src/cryptlex/rate-limiter.ts';
import type { RuleSet } from '../../src/engine/rules/rule-set.ts';
import { transportOver } from '../../src/http/fetch.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { createMemoryJournal } from '../../src/journal/memory.ts';
import { describeDone, withProgress } from '../../src/pipeline/outcomes.ts';
import { settleFailure } from '../../src/pipeline/retry.ts';
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import type { SandboxGiven, SandboxOptions } from '../../src/sandbox/types.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

export const DAY_MS = 86_400_000;
const TOKEN = 'token';
const TIMEOUT_MS = 15;

export type Step = Pick<PlannedStep, 'action' | 'input'> &
  Partial<Pick<PlannedStep, 'as' | 'once' | 'unitKey' | 'payments' | 'rank'>>;

export interface RunOptions {
  /** The event's id; the same one is the same event, with what was stored of it. */
  readonly id?: string;
  readonly provider?: WebhookEvent['provider'];
  /** The event's own time, in milliseconds from the start of the clock. */
  readonly atMs?: number;
  readonly maxDelete?: number;
  readonly signal?: AbortSignal;
  /** How long it waits for a license. */
  readonly waitForMs?: number;
  /** Ends the process after that many attempts, as a crash would. */
  readonly attemptsMax?: number;
}

export interface Bench {
  readonly sandbox: Sandbox;
  readonly clock: VirtualClock;
  readonly journal: Journal;
  /** Its methods may be replaced. */
  readonly client: CryptlexClient;
  /** Works on an event until it is done, fails, or waits for a license. */
  run(steps: readonly Step[], options?: RunOptions): Promise<EventOutcome & { attempts: number }>;
  /** One attempt, with the error as it was thrown. */
  tryOnce(steps: readonly Step[], options?: RunOptions): Promise<Progress>;
  /** A process that starts anew on the same journal. */
  restart(): void;
}

export interface BenchOptions {
  readonly given?: SandboxGiven;
  readonly sandbox?: Partial<SandboxOptions>;
  readonly wrapJournal?: (journal: Journal) => Journal;
  /** Changes an answer of Cryptlex on its way. */
  readonly editAnswer?: (item: JsonObject) => JsonObject;
}

export function createBench(options: BenchOptions = {}): Bench {
  const clock = new VirtualClock();
  const sandbox = createSandbox({ clock, token: TOKEN, rateLimit: false, ...options.sandbox });
  if (options.given !== undefined) sandbox.seed(options.given);
  const memory = createMemoryJournal({ clock });
  const journal = options.wrapJournal?.(memory) ?? memory;
  const moving = movingClock(clock);
  const inner = createCryptlexClient({
    baseUrl: 'http://sandbox.test',
    token: new Secret(TOKEN),
    pace: createPace({ requests: 1_000_000, periodMs: 1, concurrency: 8, clock: moving }),
    clock: moving,
    transport: transportOver(async (request) => {
      const answer = await sandbox.fetch(request);
      if (options.editAnswer === undefined || !answer.ok || answer.status === 204) return answer;
      const body = (await answer.json()) as JsonObject | JsonObject[];
      const edited = Array.isArray(body) ? body.map(options.editAnswer) : options.editAnswer(body);
      return new Response(JSON.stringify(edited), answer);
    }),
    timeoutMs: TIMEOUT_MS,
    random: () => 0,
  });
  const client = { ...inner };
  const startMs = clock.nowMs();
  let executor = createExecutor({ client, journal, clock });
  const begun = new Set<string>();

  const tryOnce: Bench['tryOnce'] = async (steps, how = {}) => {
    const event = eventOf(how, startMs);
    const eventKey = eventKeyOf(event);
    const progress: Progress = { userId: undefined, licenseIds: new Set(), operations: [] };
    lastProgress = progress;
    await executor.execute({
      plan: {
        steps: steps.map((step) => ({ rule: 'a-rule', location: 'rules.yaml:1:1', ...step })),
      },
      event,
      eventKey,
      subjects: [],
      maxDelete: how.maxDelete ?? 100,
      isResumed: begun.has(eventKey),
      progress,
      signal: how.signal,
      beforeFirstWrite: async () => {
        begun.add(eventKey);
      },
    });
    return progress;
  };
  let lastProgress: Progress = { userId: undefined, licenseIds: new Set(), operations: [] };

  const run: Bench['run'] = async (steps, how = {}) => {
    const event = eventOf(how, startMs);
    const begunAtMs = clock.nowMs();
    for (let attempts = 1; ; attempts += 1) {
      try {
        const progress = await tryOnce(steps, how);
        return { ...withProgress(describeDone(event.id, 'a-rule', progress), progress), attempts };
      } catch (error) {
        const taken = {
          key: eventKeyOf(event),
          event,
          subjects: [],
          attempt: attempts,
          begunAtMs,
          storedPlan: undefined,
          timerKey: undefined,
          replay: undefined,
        };
        const ruleSet = { settings: { waitForMs: how.waitForMs ?? DAY_MS } } as RuleSet;
        const parts = { clock, log: silentLog(), random: () => 0.5 };
        const attempt = { taken, rule: 'a-rule', ruleSet, progress: lastProgress };
        const { outcome, dueAtMs } = settleFailure(error, attempt, parts);
        const isOver = outcome.status === 'failed' || outcome.status === 'done';
        const max = how.attemptsMax ?? 200;
        if (isOver || outcome.status === 'waiting' || attempts >= max) {
          return { ...outcome, attempts };
        }
        await clock.advance(Math.max(0, (dueAtMs ?? 0) - clock.nowMs()));
      }
    }
  };
  return {
    sandbox,
    clock,
    journal,
    client,
    run,
    tryOnce,
    restart: () => {
      executor = createExecutor({ client, journal, clock });
    },
  };
}

/** Sleeping moves time forward, and lets come on the way what is due on the way. */
function movingClock(clock: VirtualClock): Clock {
  return {
    nowMs: () => clock.nowMs(),
    sleep: async (ms, signal) => {
      if (isAborted(signal)) return false;
      await clock.advance(ms);
      return !isAborted(signal);
    },
  };
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function eventOf(how: RunOptions, startMs: number): WebhookEvent {
  const provider = how.provider ?? 'stripe';
  return {
    source: provider,
    provider,
    id: how.id ?? 'evt_1',
    type: 'a.type',
    timeMs: startMs + (how.atMs ?? 0),
    live: true,
    payload: {},
  };
}

function silentLog() {
  return createLogger({ level: 'silent', format: 'json', write: () => undefined });
}

/** What matters of the state, without ids, keys and times of day. */
export async function stateOf({ sandbox, clock }: Bench) {
  // A request that was lost may still be on its way.
  await clock.advance(60_000);
  await sandbox.faults.settled();
  const licenses = sandbox.state.licenses.map((license) => ({
    product: license.productId,
    user: license.user?.email ?? null,
    suspended: license.suspended,
    revoked: license.revoked,
    expires: license.expiresAt?.slice(0, 10) ?? null,
    allowedActivations: license.allowedActivations,
    notes: license.notes,
    metadata: Object.fromEntries(license.metadata.map(({ key, value }) => [key, value])),
  }));
  const users = sandbox.state.users.map((user) => ({
    email: user.email,
    firstName: user.firstName,
    lastName: user.lastName,
    role: user.role,
    metadata: Object.fromEntries(user.metadata.map(({ key, value }) => [key, value])),
  }));
  const sorted = (list: readonly object[]) => list.map((item) => JSON.stringify(item)).sort();
  return { licenses: sorted(licenses), users: sorted(users) };
}

/** The calls that the sandbox has seen, as `POST /v3/licenses`. */
export function callsOf({ sandbox }: Bench): readonly string[] {
  return sandbox.requests.map(({ method, path }) => `${method} ${path}`);
}

export function writesOf(bench: Bench): readonly string[] {
  return callsOf(bench).filter((call) => !call.startsWith('GET'));
}
