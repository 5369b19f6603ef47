// The one place where configuration, clock, fetch and journal meet the code. Takes an environment, gives
// a server that can be started and stopped, or everything that is wrong, all at once.
// Imported only by cli/ and tests; nothing is decided here.

import { ACTIONS } from './actions/definitions.ts';
import { createExecutor } from './actions/execute.ts';
import { createAdminTools } from './admin-tools.ts';
import { createCallRecorder } from './call-recorder.ts';
import { createSystemClock } from './clock.ts';
import { type OpenedJournal, openJournal } from './compose-journal.ts';
import { type Config, readConfig } from './config.ts';
import type { CallRecord } from './cryptlex/call-record.ts';
import { createCryptlexClient } from './cryptlex/client.ts';
import { createPace } from './cryptlex/pace.ts';
import type { Fetch } from './cryptlex/request.ts';
import type { RuleFileText } from './engine/load.ts';
import type { RuleSet } from './engine/rules.ts';
import { createEnvironment, type EnvironmentVariables, type ReadFile } from './environment.ts';
import { AppError } from './errors.ts';
import { createHousekeeping } from './housekeeping.ts';
import type { Archive } from './journal/archive.ts';
import { createLogger, type Logger } from './log.ts';
import type { Clock } from './model.ts';
import { mainSecretName, PROVIDERS } from './model.ts';
import { createOutageWatch } from './outage.ts';
import { createPipeline } from './pipeline.ts';
import type { Reach } from './points.ts';
import { createReadiness } from './readiness.ts';
import { readRuleFiles } from './rule-files.ts';
import { createApp } from './server/app.ts';
import { type Listening, listen } from './server/listen.ts';
import type { ServerSource } from './server/webhook.ts';
import { formatProblem, type LoadedSources, loadSources, secretNameOf } from './sources.ts';
import { createVerifier } from './verifiers/verifier.ts';
import { receive } from './worker/receive.ts';
import { createWorker, type Worker } from './worker/worker.ts';

/** What the outside world gives. */
export interface World {
  readonly env: EnvironmentVariables;
  readonly readFile: ReadFile;
  /** Takes one line of the log with its line break. */
  readonly writeLog: (line: string) => void;
  readonly stdoutIsTty: boolean;
  readonly clock?: Clock;
  /** Stands in for PostgreSQL's own clock where a test owns time. */
  readonly databaseClock?: Clock;
  readonly fetch?: Fetch;
  readonly random?: () => number;
  /** Hears of every call to Cryptlex. */
  readonly onCall?: (call: CallRecord) => void;
  /** The time-out of one call to Cryptlex. */
  readonly cryptlexTimeoutMs?: number;
  /** Where a test stops the process. */
  readonly reach?: Reach;
  /** False where the host stops the process with the answer: 200 is then answered for what is done only. */
  readonly worksBehindAnswers?: boolean;
  /** Less time for an answer than WEBHOOK_DEADLINE_MS, where the host leaves less; asked for each webhook. */
  readonly deadlineMsMax?: () => number;
}

export interface ServerHandle {
  readonly config: Config;
  readonly log: Logger;
  /** The app without a port, for calls in process. */
  readonly app: ReturnType<typeof createApp>;
  readonly archive: Archive;
  /** Whether what was accepted survives this process. */
  readonly keepsState: boolean;
  readonly warnings: readonly string[];
  /** Begins to work; `listen` opens the port as well. */
  start(): void;
  /** The worker alone, for hosts that freeze the process: pause, resume, work off; and whether Cryptlex is away. */
  readonly worker: Pick<Worker, 'start' | 'pause' | 'workOff'> & { isDown(): boolean };
  /** @throws PORT_UNAVAILABLE */
  listen(): Promise<Listening>;
  /** Ends as by a power cut: nothing is finished, nothing is written down. For tests of crashes. */
  abandon(): Promise<void>;
  /** Stops accepting, finishes what is running within the grace time, closes the journal. */
  stop(graceMs?: number): Promise<void>;
}

export type Composition =
  | { readonly kind: 'composed'; readonly server: ServerHandle }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

const SHUTDOWN_GRACE_MS = 10_000;

/**
 * Builds the server from its environment; nothing is started yet, but the journal is open.
 * A journal that cannot be opened is one of the problems.
 */
export async function composeServer(world: World): Promise<Composition> {
  const rulesDir = createEnvironment(world.env, world.readFile).resolveEnv('RULES_DIR') ?? 'rules';
  const { files, problem } = readFiles(rulesDir);
  const mainSecrets = PROVIDERS.map(mainSecretName);
  const named = files.flatMap((file) => secretNameOf(file) ?? []);
  const reading = readConfig(world.env, world.readFile, {
    furtherSecretVariables: named.filter((name) => !mainSecrets.includes(name)),
    stdoutIsTty: world.stdoutIsTty,
  });
  const { environment } = reading;
  const secrets = new Map(
    [...new Set([...named, ...mainSecrets])]
      .map((name) => [name, environment.resolveSecrets(name)] as const)
      .filter(([, list]) => list.length > 0),
  );
  const loaded = loadSources(files, secrets, environment, ACTIONS);
  const problems = [
    ...environment.problems().map(formatProblem),
    ...(problem === undefined ? loaded.problems : [problem]),
  ];
  if (problems.length > 0 || !reading.ok) return { kind: 'refused', problems };
  const clock = world.clock ?? createSystemClock();
  try {
    const opened = await openJournal(reading.config.database, clock, world.databaseClock);
    return {
      kind: 'composed',
      server: assemble(reading.config, loaded, opened, { ...world, clock }),
    };
  } catch (error) {
    return { kind: 'refused', problems: [problemOf(error)] };
  }
}

function readFiles(rulesDir: string): {
  files: readonly RuleFileText[];
  problem: string | undefined;
} {
  try {
    return { files: readRuleFiles(rulesDir), problem: undefined };
  } catch (error) {
    return { files: [], problem: problemOf(error) };
  }
}

/** An error of the registry as it is printed; any other is thrown on. */
function problemOf(error: unknown): string {
  if (!(error instanceof AppError)) throw error;
  const { code, message, hint } = error;
  return formatProblem({ code, message, hint, location: undefined });
}

function assemble(
  config: Config,
  loaded: LoadedSources,
  { journal, archive, sharePace }: OpenedJournal,
  world: World & { readonly clock: Clock },
): ServerHandle {
  const { clock } = world;
  const reach = world.reach === undefined ? {} : { reach: world.reach };
  const log = createLogger({
    level: config.logLevel,
    format: config.logFormat,
    write: world.writeLog,
    nowMs: () => clock.nowMs(),
  });
  const ruleSets = new Map(loaded.sources.map(({ name, ruleSet }) => [name, ruleSet]));
  const readiness = createReadiness({ journal, ruleSets, log });
  const recorder = createCallRecorder();
  const client = createCryptlexClient({
    baseUrl: config.baseUrl,
    token: config.accessToken,
    pace: sharePace(createPace({ ...config.rateLimit, concurrency: 8, clock }), config.rateLimit),
    clock,
    onCall: (call) => {
      readiness.hear(call);
      recorder.hear(call);
      outage.hear(call);
      world.onCall?.(call);
    },
    ...(world.fetch === undefined ? {} : { fetch: world.fetch }),
    ...(world.cryptlexTimeoutMs === undefined ? {} : { timeoutMs: world.cryptlexTimeoutMs }),
  });
  const outage = createOutageWatch({ client, clock, log, wakeAll: () => journal.wakeAll() });
  const pipeline = createPipeline({
    ruleSetOf: (source) => ruleSets.get(source),
    env: loaded.env,
    journal,
    executor: createExecutor({ client, journal, clock, ...reach }),
    clock,
    log,
    random: world.random ?? Math.random,
    recordCalls: recorder.record,
  });
  const worker = createWorker({ journal, pipeline, clock, log, isDown: outage.isDown, ...reach });
  const sources = serverSources(loaded, ruleSets);
  const deadlineMs = config.webhookDeadlineMs;
  const app = createApp({
    currentSources: () => sources,
    receive: (delivery) =>
      receive(delivery, {
        ...{ pipeline, journal, worker, clock, ...reach },
        deadlineMs: Math.min(deadlineMs, world.deadlineMsMax?.() ?? deadlineMs),
        isDown: outage.isDown,
      }),
    journalKeepsState: journal.keepsState && world.worksBehindAnswers !== false,
    readiness: readiness.report,
    clock,
    log,
    ...(config.adminToken === undefined
      ? {}
      : {
          admin: createAdminTools({
            token: config.adminToken,
            archive,
            clock,
            ruleSets,
            env: loaded.env,
          }),
        }),
  });
  const housekeeping = createHousekeeping({
    archive,
    ruleSets,
    retentionDays: config.retentionDays,
    clock,
    log,
  });
  let listening: Listening | undefined;
  return {
    config,
    log,
    app,
    archive,
    keepsState: journal.keepsState,
    warnings: loaded.warnings,
    worker: {
      start: () => worker.start(),
      pause: (graceMs) => worker.pause(graceMs),
      workOff: (signal) => worker.workOff(signal),
      isDown: outage.isDown,
    },
    start: () => {
      worker.start();
      housekeeping.start();
    },
    listen: async () => {
      listening = await listen(app, { port: config.port, host: config.host });
      return listening;
    },
    abandon: async () => {
      outage.stop();
      await journal.abandon();
      await listening?.close({ graceMs: 0 });
      await worker.stop(0);
      await housekeeping.stop();
    },
    stop: async (graceMs = SHUTDOWN_GRACE_MS) => {
      const closing = listening?.close({ graceMs });
      outage.stop();
      const cutOff = await worker.stop(graceMs);
      await housekeeping.stop();
      await closing;
      if (cutOff > 0) log.warn({ events: cutOff }, 'events were cut off by the shutdown');
      await journal.close();
    },
  };
}

function serverSources(
  loaded: LoadedSources,
  ruleSets: ReadonlyMap<string, RuleSet>,
): ReadonlyMap<string, ServerSource> {
  const sources = new Map<string, ServerSource>();
  for (const { name, ruleSet, secrets } of loaded.sources) {
    const { path, answer, toleranceSeconds } = ruleSet.settings;
    const { provider } = ruleSet;
    const verifier = createVerifier(provider, { secrets, toleranceSeconds });
    sources.set(name, { name, provider, path, answer, verifier });
  }
  // A provider without a secret has an address all the same: it says that it is not switched on.
  for (const provider of PROVIDERS) {
    if (!ruleSets.has(provider)) {
      sources.set(provider, { name: provider, provider, verifier: undefined });
    }
  }
  return sources;
}
