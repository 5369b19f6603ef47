// The one place where configuration, clock, fetch and journal meet the code. Takes an environment, gives
// a server that can be started and stopped, or everything that is wrong, all at once.
// Imported only by cli/ and tests; nothing is decided here.

import { randomUUID } from 'node:crypto';
import { createExecutor } from '../actions/execute.ts';
import type { Config } from '../config/config.ts';
import { createSystemClock } from '../core/clock.ts';
import { createLogger } from '../core/log.ts';
import type { Clock } from '../core/model.ts';
import { createCallMeter } from '../cryptlex/call-meter.ts';
import { createCircuitBreaker } from '../cryptlex/circuit-breaker.ts';
import { type CryptlexClientOptions, createCryptlexClient } from '../cryptlex/client.ts';
import { createPace } from '../cryptlex/rate-limiter.ts';
import { transportOver } from '../http/fetch.ts';
import { createTransport } from '../http/transport.ts';
import { type OpenedJournal, openJournal } from '../journal/open-journal.ts';
import { createCallRecorder } from '../pipeline/call-recorder.ts';
import { createPipeline } from '../pipeline/pipeline.ts';
import { receive } from '../pipeline/receive.ts';
import { createWorker } from '../pipeline/worker.ts';
import { createApp } from '../server/app.ts';
import { type Listening, listen } from '../server/listen.ts';
import { createMetricsApp } from '../server/metrics.ts';
import { problemOf, readAtStart, readTested, rulesDirOf } from '../sources/read-sources.ts';
import { createLiveRules, type RulesReading } from '../sources/reload.ts';
import { fingerprintOf } from '../sources/rule-files.ts';
import { formatProblem } from '../sources/sources.ts';
import { type RulesWatch, watchRules } from '../sources/watch-files.ts';
import type { createMetrics as CreateMetrics } from '../telemetry/metrics.ts';
import { createObservers } from '../telemetry/observers.ts';
import { createReadiness } from '../telemetry/readiness.ts';
import type { createTracing as CreateTracing } from '../telemetry/tracing.ts';
import { createAdminTools } from './admin-tools.ts';
import { composeBilling } from './billing.ts';
import { mountConsole } from './console.ts';
import { createHousekeeping, rememberTexts } from './housekeeping.ts';
import type { Composition, ServerHandle, World } from './server-options.ts';
import { mountWorkbench } from './workbench.ts';

const SHUTDOWN_GRACE_MS = 10_000;
const NO_JOURNAL_YET =
  'the journal cannot be reached yet: webhooks are answered 503 until it can, and then all goes on by itself';

/**
 * Builds the server from its environment; nothing is started yet, but the journal is open.
 * A journal that cannot be opened is one of the problems.
 */
export async function composeServer(world: World): Promise<Composition> {
  const fingerprint = fingerprintOf(rulesDirOf(world));
  const { config: reading, rules } = readAtStart(world);
  // Both tell of the environment; a problem of it is told once.
  const problems = new Set([
    ...reading.environment.problems().map(formatProblem),
    ...(rules.kind === 'refused' ? rules.problems : []),
  ]);
  if (!reading.ok || rules.kind === 'refused') {
    return { kind: 'refused', problems: [...problems] };
  }
  const clock = world.clock ?? createSystemClock();
  try {
    // Loaded while the journal is opened: the library behind it is the slowest of all to load.
    const [opened, { createMetrics }, tracing] = await Promise.all([
      openJournal(reading.config.database, clock, world),
      import('../telemetry/metrics.ts'),
      reading.config.traces && import('../telemetry/tracing.ts'),
    ]);
    if (opened.away !== undefined && world.journalMayComeLater === false) {
      await opened.journal.close();
      return { kind: 'refused', problems: [problemOf(opened.away)] };
    }
    const createTracing = tracing?.createTracing;
    const start = { config: reading.config, rules, fingerprint, createMetrics, createTracing };
    return { kind: 'composed', server: assemble(start, opened, { ...world, clock }) };
  } catch (error) {
    return { kind: 'refused', problems: [problemOf(error)] };
  }
}

/** What the server starts with. */
interface Start {
  readonly config: Config;
  readonly rules: Extract<RulesReading, { kind: 'read' }>;
  /** Of the rule files, taken before they were read. */
  readonly fingerprint: string;
  readonly createMetrics: typeof CreateMetrics;
  readonly createTracing: typeof CreateTracing | undefined;
}

function assemble(
  { config, rules, fingerprint, createMetrics, createTracing }: Start,
  { journal, archive, away, sharePace }: OpenedJournal,
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
  const live = createLiveRules({
    first: rules.version,
    firstFingerprint: fingerprint,
    read: () => readTested(world, config.rulesTest ? world.testRules : undefined),
    fingerprint: () => fingerprintOf(config.rulesDir),
    remember: (version) => rememberTexts(archive, version.ruleSets.values()),
    onReload: (state) => observers.hearReload(state),
    clock,
    log,
    ...(world.rulesSettleMs === undefined ? {} : { settleMs: world.rulesSettleMs }),
  });
  const ruleSets = () => live.current().ruleSets;
  const transport = createTransport(config.proxies);
  const observers = createObservers({
    ...{ config, createMetrics, createTracing, live, archive, server: randomUUID(), clock, log },
    transport,
    isDown: () => breaker.health().kind === 'away',
  });
  const readiness = createReadiness({
    ...{ journal, ruleSets, rulesState: live.state },
    cryptlex: () => breaker.health(),
    unsettled: () => worker.unsettled(),
  });
  const recorder = createCallRecorder();
  const calls = createCallMeter(clock);
  const options: CryptlexClientOptions = {
    baseUrl: config.baseUrl,
    token: config.accessToken,
    transport: world.fetch === undefined ? transport : transportOver(world.fetch),
    pace: sharePace(createPace({ ...config.rateLimit, concurrency: 8, clock }), config.rateLimit),
    clock,
    onCall: (call) => {
      recorder.hear(call);
      calls.hear(call);
      breaker.onCall(call, recorder.currentEvent());
      observers.hearCall(call);
      world.onCall?.(call);
    },
    ...(world.cryptlexTimeoutMs === undefined ? {} : { timeoutMs: world.cryptlexTimeoutMs }),
  };
  const client = createCryptlexClient(options);
  const breaker = createCircuitBreaker({
    client: createCryptlexClient({ ...options, retryPausesMs: [] }),
    ...{ clock, log, wake: (sinceMs) => journal.wakePutOff(sinceMs) },
  });
  const pipeline = createPipeline({
    currentRules: live.current,
    journal,
    executor: createExecutor({ client, journal, clock, ...reach }),
    clock,
    log,
    random: world.random ?? Math.random,
    recordCalls: (recording, work) =>
      recorder.record(recording, () => observers.follow(recording.calls, work)),
    ...observers.ofPipeline,
  });
  const worker = createWorker({
    journal,
    pipeline,
    clock,
    log,
    isDown: () => breaker.isOpen(),
    ...reach,
  });
  const workbench = mountWorkbench({ archive, clock });
  const webConsole =
    config.adminToken === undefined
      ? undefined
      : mountConsole({
          ...{ token: config.adminToken, config, archive, clock, log, calls, transport, workbench },
          ...{ currentRules: live.current, rulesState: live.state, readiness: readiness.report },
          isDown: () => breaker.health().kind === 'away',
          onChange: (listener) => journal.onChange(listener),
          streams: world.worksBehindAnswers === undefined,
        });
  const deadlineMs = config.webhookDeadlineMs;
  const app = createApp({
    currentSources: () => live.current().sources,
    receive: (delivery) =>
      receive(delivery, {
        ...{ pipeline, journal, worker, clock, ...reach },
        deadlineMs: Math.min(deadlineMs, world.deadlineMsMax?.() ?? deadlineMs),
        isDown: () => breaker.isOpen(),
      }),
    journalKeepsState: journal.keepsState && world.worksBehindAnswers !== false,
    readiness: readiness.report,
    clock,
    log,
    ...observers.ofWebhooks,
    ...(hasMetricsOnMainPort(config)
      ? { metrics: { page: observers.metrics, token: config.adminToken } }
      : {}),
    ...composeBilling(config, {
      ...{ client, clock, log, transport },
      timeoutMs: world.stripeTimeoutMs,
    }),
    ...(config.adminToken === undefined
      ? {}
      : {
          admin: createAdminTools({
            token: config.adminToken,
            archive,
            clock,
            workbench,
            currentRules: live.current,
          }),
        }),
    ...(webConsole === undefined ? {} : { console: webConsole.fetch }),
  });
  const housekeeping = createHousekeeping({
    archive,
    ruleSets,
    retentionDays: config.retentionDays,
    clock,
    log,
  });
  let listening: Listening | undefined;
  let metricsListening: Listening | undefined;
  let watching: RulesWatch | undefined;
  return {
    config,
    log,
    app,
    archive,
    keepsState: journal.keepsState,
    warnings: rules.warnings,
    reloadRules: () => live.reload('asked'),
    worker: {
      start: () => worker.start(),
      pause: (graceMs) => worker.pause(graceMs),
      workOff: (signal) => worker.workOff(signal),
      isDown: () => breaker.isOpen(),
    },
    start: () => {
      if (away !== undefined) log.error({ cause: away.message }, NO_JOURNAL_YET);
      worker.start();
      housekeeping.start();
      observers.start();
      webConsole?.loadSoon();
      watching = watchRules(config.rulesDir, fingerprint, () => void live.reload('changed'));
    },
    listen: async () => {
      const { host, port, metricsPort } = config;
      // First, so that no webhook comes in while a port that is taken ends the start.
      if (metricsPort !== undefined) {
        metricsListening = await listen(createMetricsApp(observers.metrics), {
          host,
          port: metricsPort,
        });
        log.info(
          { address: `${metricsListening.url}/metrics` },
          'metrics have a port of their own',
        );
      }
      try {
        listening = await listen(app, { port, host });
      } catch (error) {
        await metricsListening?.close({ graceMs: 0 });
        throw error;
      }
      return listening;
    },
    abandon: async () => {
      breaker.stop();
      watching?.stop();
      await journal.abandon();
      webConsole?.stop();
      workbench.stop();
      await listening?.close({ graceMs: 0 });
      await metricsListening?.close({ graceMs: 0 });
      await worker.stop(0);
      await live.stop();
      await observers.stop();
      await housekeeping.stop();
    },
    stop: async (graceMs = SHUTDOWN_GRACE_MS) => {
      const closing = listening?.close({ graceMs });
      webConsole?.stop();
      workbench.stop();
      breaker.stop();
      watching?.stop();
      await live.stop();
      const cutOff = await worker.stop(graceMs);
      await observers.stop();
      await housekeeping.stop();
      await closing;
      await metricsListening?.close({ graceMs: 0 });
      if (cutOff > 0) log.warn({ events: cutOff }, 'events were cut off by the shutdown');
      await journal.close();
    },
  };
}

/** Who gives metrics a port of their own, and no token, does not want them beside the webhooks. */
function hasMetricsOnMainPort({ adminToken, metricsPort }: Config): boolean {
  return adminToken !== undefined || metricsPort === undefined;
}
