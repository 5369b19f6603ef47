// What a collector of OpenTelemetry gets: one trace for an event, whatever became of it, and nothing of its
// payload. A collector that does not take it costs nothing but the spans.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { type KeywrightOptions, withKeywright } from '../support/keywright.ts';

const STRIPE = { providers: ['stripe'] } as const satisfies KeywrightOptions;
const SALE = 'invoice.paid-subscription-create';

interface SpanSent {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly {
    key: string;
    value: { stringValue?: string; intValue?: string };
  }[];
  readonly status: { code?: number; message?: string };
}

/** A collector that answers with this status. */
async function withCollector(
  status: number,
  run: (env: Record<string, string>, spans: SpanSent[], requests: JsonObject[]) => Promise<void>,
): Promise<void> {
  const spans: SpanSent[] = [];
  const requests: JsonObject[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const body = JSON.parse(text) as {
      resourceSpans: { resource: JsonObject; scopeSpans: { spans: SpanSent[] }[] }[];
    };
    requests.push({ url: request.url ?? '', key: String(request.headers['api-key']), text });
    for (const { scopeSpans } of body.resourceSpans) {
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    response.writeHead(status).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=key_of_the_collector',
    };
    await run(env, spans, requests);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const attributeOf = (span: SpanSent | undefined, key: string) => {
  const value = span?.attributes.find((attribute) => attribute.key === key)?.value;
  return value?.stringValue ?? value?.intValue;
};

describe('an event that is delivered twice', () => {
  test('is one trace: deliveries and attempts, each with what is below it', () =>
    withCollector(200, async (env, spans, requests) => {
      await withKeywright({ ...STRIPE, env }, async ({ sendSample }) => {
        await sendSample('stripe', SALE);
        await sendSample('stripe', SALE);
      });
      expect(requests[0]).toMatchObject({ url: '/v1/traces', key: 'key_of_the_collector' });
      expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
      expect(spans[0]?.traceId).toMatch(/^[0-9a-f]{32}$/);
      const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
      expect(roots.map(({ name }) => name).sort()).toEqual(['event', 'webhook', 'webhook']);
      const event = roots.find(({ name }) => name === 'event');
      const below = spans.filter(({ parentSpanId }) => parentSpanId === event?.spanId);
      expect(below.map(({ name }) => name)).toEqual([
        'plan',
        expect.stringMatching(/^(?:GET|POST) \/v3\/users$/),
        ...below
          .slice(2)
          .map(() => expect.stringMatching(/^(?:GET|POST) \/v3\/(?:users|licenses)$/)),
      ]);
      expect(below.at(-1)?.name).toBe('POST /v3/licenses');
      expect(attributeOf(event, 'keywright.status')).toBe('done');
      expect(attributeOf(below.at(-1), 'http.response.status_code')).toBe('201');
      for (const span of below) {
        expect(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano)).toBe(true);
        expect(BigInt(span.endTimeUnixNano) <= BigInt(event?.endTimeUnixNano ?? 0)).toBe(true);
      }
      expect(requests.map(({ text }) => text).join('')).not.toMatch(/@|example\.com/);
    }));
});

test('a delivery that is refused is a trace of its own, with its code', () =>
  withCollector(200, async (env, spans) => {
    await withKeywright({ ...STRIPE, env }, async ({ sendSample }) => {
      await sendSample('stripe', SALE, { secret: 'whsec_of_somebody_else' });
    });
    expect(spans.map(({ name }) => name)).toEqual(['webhook', 'verify']);
    expect(spans[0]?.status).toEqual({ code: 2, message: 'SIGNATURE_MISMATCH' });
  }));

test('a collector that refuses costs the spans, and a line of the log', () =>
  withCollector(500, async (env) => {
    let log: readonly string[] = [];
    await withKeywright({ ...STRIPE, env }, async (keywright) => {
      ({ log } = keywright);
      expect((await keywright.sendSample('stripe', SALE)).status).toBe(200);
    });
    expect(log.join('')).toContain('traces could not be sent');
    expect(log.join('')).not.toContain('key_of_the_collector');
  }));
