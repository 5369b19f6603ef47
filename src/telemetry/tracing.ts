// Traces for OpenTelemetry: a span for each delivery, its verification, each attempt at an event, its plan and
// each call to Cryptlex. Hears what happened after it happened, and sends it to a collector as OTLP/HTTP in
// JSON. Loaded only where a collector is named; see docs/decisions/0011-traces.md for why it is our own.
// Never holds up the work: spans that cannot be sent are dropped. Nothing of a payload is in a span.
//
// All spans of an event are in one trace, however many deliveries, attempts and replicas it took: the id of
// the trace is made of the event's key.

import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, randomBytes } from 'node:crypto';
import type { Logger } from '../core/log.ts';
import { type Clock, eventKeyOf, type JsonObject } from '../core/model.ts';
import type { Secret } from '../core/secret.ts';
import type { CallRecord } from '../cryptlex/call-record.ts';
import type { Transport } from '../http/transport.ts';
import type { CallSummary } from '../journal/journal.ts';
import type { AttemptFacts } from '../pipeline/pipeline.ts';
import type { DeliveryFacts } from '../server/webhook.ts';

export interface Tracing {
  hearDelivery(delivery: DeliveryFacts): void;
  /** Runs the work of an attempt; the calls that it makes belong to the attempt with this list. */
  follow<Result>(calls: readonly CallSummary[], work: () => Promise<Result>): Promise<Result>;
  hearCall(call: CallRecord): void;
  hearAttempt(attempt: AttemptFacts): void;
  start(): void;
  /** Sends what is left. */
  stop(): Promise<void>;
}

interface TracingParts {
  /** Where OTLP/HTTP is taken, `http://collector:4318/v1/traces`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, Secret>>;
  /** `service.name` and what else describes this process. */
  readonly resource: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly transport: Transport;
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

interface Times {
  readonly startMs: number;
  readonly endMs: number;
}

interface Span extends Times {
  readonly name: string;
  /** OTLP's numbers: 1 internal, 2 server, 3 client, 5 consumer. */
  readonly kind: 1 | 2 | 3 | 5;
  readonly attributes: Attributes;
  /** What went wrong, in a word. */
  readonly error?: string | undefined;
}

const SEND_EVERY_MS = 5_000;
const SEND_AT_ONCE = 512;
const SPANS_MAX = 4_096;
const SEND_TIMEOUT_MS = 5_000;
const LAST_SEND_TIMEOUT_MS = 2_000;

export function createTracing(parts: TracingParts): Tracing {
  const { clock, log } = parts;
  const current = new AsyncLocalStorage<Span[]>();
  const callsOf = new WeakMap<readonly CallSummary[], Span[]>();
  const stopped = new AbortController();
  let waiting: JsonObject[] = [];
  let dropped = 0;
  let working: Promise<void> = Promise.resolve();

  /** A span and those below it. */
  const keep = (traceId: string, parent: Span, children: readonly Span[]): void => {
    if (waiting.length + children.length >= SPANS_MAX) {
      dropped += children.length + 1;
      return;
    }
    const spanId = randomBytes(8).toString('hex');
    waiting.push(toOtlp(parent, { traceId, spanId }));
    for (const child of children) {
      const own = { traceId, spanId: randomBytes(8).toString('hex'), parentSpanId: spanId };
      waiting.push(toOtlp(child, own));
    }
  };

  const flush = async (timeoutMs: number): Promise<void> => {
    while (waiting.length > 0) {
      const spans = waiting.slice(0, SEND_AT_ONCE);
      waiting = waiting.slice(SEND_AT_ONCE);
      const failure = await post(spans, timeoutMs);
      if (failure === undefined) continue;
      dropped += spans.length + waiting.length;
      waiting = [];
      log.warn({ reason: failure, spans: dropped }, 'traces could not be sent and were dropped');
      dropped = 0;
    }
  };

  /** Why it did not arrive; undefined when it did. */
  const post = async (spans: readonly JsonObject[], timeoutMs: number) => {
    const headers = Object.entries(parts.headers).map(([name, value]): [string, string] => [
      name,
      value.reveal(),
    ]);
    try {
      const response = await parts.transport({
        url: parts.url,
        method: 'POST',
        headers: new Headers([...headers, ['content-type', 'application/json']]),
        body: JSON.stringify(requestOf(spans, parts.resource)),
        signal: AbortSignal.timeout(timeoutMs),
      });
      return response.ok ? undefined : `the collector answered ${response.status}`;
    } catch (error) {
      return error instanceof Error ? error.name : 'an unexpected error';
    }
  };

  return {
    hearDelivery: ({ source, events, httpStatus, codes, ...times }) => {
      const { receivedAtMs: startMs, verifiedAtMs, answeredAtMs } = times;
      const [first] = events;
      const attributes = {
        'keywright.source': source,
        'keywright.event_id': events.map(({ id }) => id).join(', ') || undefined,
        'http.response.status_code': httpStatus,
      };
      const error = codes.length === 0 ? undefined : codes.join(', ');
      const verify: Span = {
        name: 'verify',
        kind: 1,
        attributes: {},
        startMs,
        endMs: verifiedAtMs,
      };
      const webhook = { name: 'webhook', kind: 2, attributes, error, startMs } as const;
      const traceId = first === undefined ? randomBytes(16).toString('hex') : traceIdOf(first);
      keep(traceId, { ...webhook, endMs: answeredAtMs }, [verify]);
    },
    follow: (calls, work) => {
      const spans: Span[] = [];
      callsOf.set(calls, spans);
      return current.run(spans, work);
    },
    hearCall: ({ method, route, status, durationMs, error }) => {
      const endMs = clock.nowMs();
      current.getStore()?.push({
        ...{ name: `${method} ${route}`, kind: 3, startMs: endMs - durationMs, endMs },
        attributes: {
          'http.request.method': method,
          'url.template': route,
          'http.response.status_code': status,
        },
        error: error?.code,
      });
    },
    hearAttempt: ({ taken, outcome, calls, startedAtMs: startMs, plannedAtMs, endedAtMs }) => {
      const { id, type, source } = taken.event;
      const attributes = {
        ...{ 'keywright.event_id': id, 'keywright.event_type': type, 'keywright.source': source },
        ...{ 'keywright.status': outcome.status, 'keywright.attempt': taken.attempt },
        'keywright.rule': outcome.rule,
      };
      const event: Span = {
        ...{ name: 'event', kind: 5, attributes, startMs, endMs: endedAtMs },
        error: outcome.failure?.code,
      };
      const plan: Span = { name: 'plan', kind: 1, attributes: {}, startMs, endMs: plannedAtMs };
      keep(traceIdOf(taken.event), event, [plan, ...(callsOf.get(calls) ?? [])]);
    },
    start: () => {
      const work = async (): Promise<void> => {
        while (await clock.sleep(SEND_EVERY_MS, stopped.signal)) await flush(SEND_TIMEOUT_MS);
      };
      working = work();
    },
    stop: async () => {
      stopped.abort();
      await working;
      await flush(LAST_SEND_TIMEOUT_MS);
    },
  };
}

function traceIdOf(event: Parameters<typeof eventKeyOf>[0]): string {
  return createHash('sha256').update(eventKeyOf(event)).digest('hex').slice(0, 32);
}

/** OTLP's JSON: ids in hex, times in nanoseconds as text. */
function toOtlp(
  { name, kind, attributes, error, startMs, endMs }: Span,
  ids: { traceId: string; spanId: string; parentSpanId?: string },
): JsonObject {
  return {
    ...{ ...ids, name, kind, attributes: attributesOf(attributes) },
    startTimeUnixNano: nanosOf(startMs),
    endTimeUnixNano: nanosOf(endMs),
    status: error === undefined ? {} : { code: 2, message: error },
  };
}

function nanosOf(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}

function attributesOf(attributes: Attributes): JsonObject[] {
  return Object.entries(attributes).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const typed =
      typeof value === 'number'
        ? { intValue: String(value) }
        : { stringValue: value.slice(0, 500) };
    return [{ key, value: typed }];
  });
}

function requestOf(spans: readonly JsonObject[], resource: TracingParts['resource']): JsonObject {
  const scopeSpans = [{ scope: { name: 'keywright' }, spans: [...spans] }];
  return { resourceSpans: [{ resource: { attributes: attributesOf(resource) }, scopeSpans }] };
}
