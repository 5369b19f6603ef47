// What is counted, for Prometheus. Hears of deliveries, attempts, calls and reloads, gives a page of text.
// Labels take few values: sources and event types as the rules name them, codes and statuses of fixed sets.
// Never holds an id, an address or anything else of a customer, and never reaches the journal on its own
// account: the backlog is asked for when somebody reads the page, at most every few seconds.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type Clock, EVENT_STATUSES, type EventOutcome } from '../core/model.ts';
import type { CallRecord } from '../cryptlex/call-record.ts';
import type { RuleSet } from '../engine/rules/rule-set.ts';
import type { Backlog } from '../journal/archive.ts';
import type { AttemptFacts } from '../pipeline/pipeline.ts';
import type { DeliveryFacts } from '../server/webhook.ts';
import type { RulesState } from '../sources/reload.ts';

export interface Metrics {
  readonly contentType: string;
  /** The page as Prometheus reads it. */
  render(): Promise<string>;
  hearDelivery(delivery: DeliveryFacts): void;
  hearAttempt(attempt: AttemptFacts): void;
  hearAccept(durationMs: number): void;
  hearCall(call: CallRecord): void;
  hearReload(state: RulesState): void;
  hearAlert(kind: string, result: 'sent' | 'failed'): void;
}

interface MetricsParts {
  /** The rules that run now. */
  ruleSets(): ReadonlyMap<string, RuleSet>;
  rulesState(): RulesState;
  backlog(): Promise<Backlog>;
  /** Whether Cryptlex is known to be down. */
  isDown(): boolean;
  readonly clock: Clock;
}

/** Several who read the page at once, or a Prometheus in a hurry, ask the journal once. */
const BACKLOG_FRESH_MS = 5_000;
/** How an attempt may end. */
const ENDS = EVENT_STATUSES.filter((status) => status !== 'running');
const ANSWER_SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 10];
const CALL_SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const ACCEPT_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2];

export function createMetrics(parts: MetricsParts): Metrics {
  const registry = new Registry();
  const counted = createInstruments(registry);
  collectDefaultMetrics({ register: registry });
  let asked: { readonly atMs: number; readonly backlog: Promise<Backlog> } | undefined;

  const backlog = (): Promise<Backlog> => {
    const nowMs = parts.clock.nowMs();
    if (asked === undefined || nowMs - asked.atMs >= BACKLOG_FRESH_MS) {
      asked = { atMs: nowMs, backlog: parts.backlog() };
    }
    return asked.backlog;
  };

  /** A type that no rule names could be anything a sender likes; all of those are one. */
  const typeOf = (source: string, type: string): string =>
    parts.ruleSets().get(source)?.rulesByType.has(type) === true ? type : 'other';

  const showRules = (state: RulesState): void => {
    counted.rulesCurrent.set(state.isCurrent ? 1 : 0);
    counted.rulesLoaded.set(state.loadedAtMs / 1000);
    counted.rulesRead.set(state.lastReadAtMs / 1000);
    counted.rulesInfo.reset();
    for (const { source, hash } of parts.ruleSets().values()) {
      counted.rulesInfo.set({ source, hash: hash.slice(0, 12) }, 1);
      // A series that begins with its first failure has no increase that an alert could see.
      for (const status of ENDS) counted.attempts.inc({ source, status }, 0);
      counted.held.inc({ source }, 0);
    }
  };

  return {
    contentType: registry.contentType,
    render: async () => {
      showRules(parts.rulesState());
      counted.cryptlexUp.set(parts.isDown() ? 0 : 1);
      // A journal that does not answer leaves its numbers out, and says so; the others are still true.
      try {
        for (const [status, { events, oldestAgeMs }] of await backlog()) {
          counted.backlog.set({ status }, events);
          counted.oldest.set({ status }, oldestAgeMs / 1000);
        }
        counted.journalUp.set(1);
      } catch {
        asked = undefined;
        counted.backlog.reset();
        counted.oldest.reset();
        counted.journalUp.set(0);
      }
      return registry.metrics();
    },
    hearDelivery: ({ source = 'none', events, outcomes, codes, ...times }) => {
      for (const event of events) {
        const outcome = outcomes.find(({ eventId }) => eventId === event.id);
        const type = typeOf(source, event.type);
        counted.deliveries.inc({ source, type, outcome: outcomeLabel(outcome) });
      }
      if (events.length === 0) {
        counted.deliveries.inc({ source, type: 'none', outcome: 'refused' });
        for (const code of codes) counted.refusals.inc({ source, code });
      }
      counted.answer.observe({ source }, (times.answeredAtMs - times.receivedAtMs) / 1000);
    },
    hearAttempt: ({ taken, outcome, operations, brokenAt }) => {
      const { source } = taken.event;
      counted.attempts.inc({ source, status: outcome.status });
      if (outcome.code === 'BRAKE_HELD') counted.held.inc({ source });
      if (outcome.failure !== undefined)
        counted.failures.inc({ source, code: outcome.failure.code });
      for (const { action, result } of operations) {
        counted.operations.inc({ action, result: result.kind });
      }
      if (brokenAt !== undefined) {
        const result = outcome.status === 'queued' ? 'put_off' : outcome.status;
        counted.operations.inc({ action: brokenAt, result });
      }
    },
    hearAccept: (durationMs) => counted.accept.observe(durationMs / 1000),
    hearCall: ({ method, route, status, durationMs, error }) => {
      counted.call.observe({ method, route, status: String(status ?? 'none') }, durationMs / 1000);
      if (error !== undefined && !error.aborted) counted.callErrors.inc({ code: error.code });
    },
    hearReload: ({ isCurrent }) => {
      counted.reloads.inc({ result: isCurrent ? 'taken' : 'refused' });
    },
    hearAlert: (kind, result) => counted.alerts.inc({ kind, result }),
  };
}

function outcomeLabel(outcome: EventOutcome | undefined): string {
  if (outcome === undefined) return 'error';
  return outcome.duplicate === true ? 'duplicate' : outcome.status;
}

/** Every metric, with its labels and what it means. */
function createInstruments(registry: Registry) {
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `keywright_${name}`, help, labelNames, registers: [registry] });
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name: `keywright_${name}`, help, labelNames, registers: [registry] });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    { labelNames, buckets }: { labelNames: Label[]; buckets: number[] },
  ) =>
    new Histogram({ name: `keywright_${name}`, help, labelNames, buckets, registers: [registry] });
  return {
    deliveries: counter(
      'deliveries_total',
      'Events of deliveries by how they were answered; a delivery that was refused counts as one.',
      ['source', 'type', 'outcome'],
    ),
    refusals: counter('deliveries_refused_total', 'Deliveries that were not let in, by code.', [
      'source',
      'code',
    ]),
    answer: histogram('delivery_seconds', 'From the first byte to the answer.', {
      labelNames: ['source'],
      buckets: ANSWER_SECONDS,
    }),
    accept: histogram('journal_accept_seconds', 'Writing a delivery into the journal.', {
      labelNames: [],
      buckets: ACCEPT_SECONDS,
    }),
    attempts: counter('attempts_total', 'Attempts at events, by the status they ended with.', [
      'source',
      'status',
    ]),
    failures: counter('events_failed_total', 'Events that failed for good, by code.', [
      'source',
      'code',
    ]),
    held: counter('events_held_total', 'Events that the brake held before their first change.', [
      'source',
    ]),
    operations: counter('operations_total', 'Changes in Cryptlex that rules asked for.', [
      'action',
      'result',
    ]),
    backlog: gauge(
      'backlog_events',
      'Events that are not finished, those that wait for a time as "timer", those that the brake holds as "held"; replicas see the same ones.',
      ['status'],
    ),
    oldest: gauge(
      'backlog_oldest_seconds',
      'Age of the oldest of them, of "timer" since its time was over; 0 where there is none.',
      ['status'],
    ),
    journalUp: gauge('journal_up', 'Whether the journal answered when this page was made.'),
    call: histogram('cryptlex_call_seconds', 'Calls to Cryptlex, by status or "none".', {
      labelNames: ['method', 'route', 'status'],
      buckets: CALL_SECONDS,
    }),
    callErrors: counter('cryptlex_errors_total', 'Calls to Cryptlex that failed, by code.', [
      'code',
    ]),
    cryptlexUp: gauge('cryptlex_up', '0 while Cryptlex is known to be down, and events are kept.'),
    rulesCurrent: gauge(
      'rules_last_reload_successful',
      '1 when the rules on disk are what runs, 0 when they have errors.',
    ),
    rulesLoaded: gauge('rules_loaded_timestamp_seconds', 'When the rules that run were read.'),
    rulesRead: gauge('rules_last_reload_timestamp_seconds', 'When rules were read last.'),
    rulesInfo: gauge('rules_info', 'The rules that run, by the first of their hash.', [
      'source',
      'hash',
    ]),
    reloads: counter('rules_reloads_total', 'Readings of changed rules.', ['result']),
    alerts: counter('alerts_total', 'Messages to ALERT_WEBHOOK_URL.', ['kind', 'result']),
  };
}
