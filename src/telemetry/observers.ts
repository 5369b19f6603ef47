// Everybody who looks on while the work is done, put together: metrics, alerts, traces, and the notice in the
// journal. Takes what they need, gives one set of ears. What they do never changes what is done.

import type { Config } from '../config/config.ts';
import type { Logger } from '../core/log.ts';
import type { Clock } from '../core/model.ts';
import type { CallRecord } from '../cryptlex/call-record.ts';
import type { Transport } from '../http/transport.ts';
import type { Archive } from '../journal/archive.ts';
import type { PipelineDependencies } from '../pipeline/pipeline.ts';
import type { WebhookDependencies } from '../server/webhook.ts';
import { type LiveRules, noticeOf, type RulesState, tellWhatIsOff } from '../sources/reload.ts';
import { type Alerts, createAlerts } from './alerts.ts';
import type { createMetrics as CreateMetrics, Metrics } from './metrics.ts';
import { createNoticeBoard } from './notices.ts';
import type { createTracing as CreateTracing, Tracing } from './tracing.ts';

export interface Observers {
  readonly metrics: Metrics;
  readonly hearCall: (call: CallRecord) => void;
  /** Runs the work of an attempt, for whoever wants to know which calls it makes. */
  readonly follow: Tracing['follow'];
  readonly hearReload: (state: RulesState) => void;
  /** For whoever works on events. */
  readonly ofPipeline: Required<Pick<PipelineDependencies, 'onAttempt' | 'onAccept'>>;
  /** For whoever answers webhooks. */
  readonly ofWebhooks: Required<Pick<WebhookDependencies, 'onAnswer'>>;
  start(): void;
  stop(): Promise<void>;
}

export function createObservers(parts: {
  config: Config;
  createMetrics: typeof CreateMetrics;
  /** Undefined where no collector is named. */
  createTracing: typeof CreateTracing | undefined;
  live: Pick<LiveRules, 'current' | 'state'>;
  archive: Archive;
  /** Tells this process from others. */
  server: string;
  /** How alerts and traces leave. */
  transport: Transport;
  isDown(): boolean;
  clock: Clock;
  log: Logger;
}): Observers {
  const { config, live, archive, server, transport, clock, log } = parts;
  const notices = createNoticeBoard({ archive, server, clock, log });
  const backlog = () => archive.backlog();
  const metrics = parts.createMetrics({
    ...{ clock, backlog, isDown: parts.isDown, rulesState: live.state },
    ruleSets: () => live.current().ruleSets,
  });
  const alerts: Alerts | undefined =
    config.alerts &&
    createAlerts({
      ...config.alerts,
      ...{ transport, clock, log, backlog, rulesState: live.state, onSent: metrics.hearAlert },
    });
  const tracing: Tracing | undefined =
    config.traces &&
    parts.createTracing?.({
      ...config.traces,
      resource: { 'service.instance.id': server, ...config.traces.resource },
      ...{ transport, clock, log },
    });
  return {
    metrics,
    hearCall: (call) => {
      metrics.hearCall(call);
      tracing?.hearCall(call);
    },
    follow: (calls, work) => (tracing === undefined ? work() : tracing.follow(calls, work)),
    hearReload: (state) => {
      notices.set(noticeOf(state));
      metrics.hearReload(state);
    },
    ofPipeline: {
      onAttempt: (attempt) => {
        metrics.hearAttempt(attempt);
        alerts?.hearAttempt(attempt);
        tracing?.hearAttempt(attempt);
      },
      onAccept: metrics.hearAccept,
    },
    ofWebhooks: {
      onAnswer: (delivery) => {
        metrics.hearDelivery(delivery);
        tracing?.hearDelivery(delivery);
      },
    },
    start: () => {
      tellWhatIsOff(live.current(), log);
      alerts?.start();
      tracing?.start();
    },
    stop: async () => {
      await alerts?.stop();
      await tracing?.stop();
      await notices.stop();
    },
  };
}
