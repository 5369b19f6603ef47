// What the server's tests stand on: a fake verifier, a fake `receive`, a log in memory.
// The fake signature is the word "good"; real signatures are tested with the real verifiers.

import { AppError } from '../../src/core/error-codes.ts';
import { createLogger } from '../../src/core/log.ts';
import type { Clock, EventOutcome, JsonObject, VerifiedDelivery } from '../../src/core/model.ts';
import { PROVIDER_FACTS, type Provider } from '../../src/core/providers.ts';
import { createApp, type ServerDependencies } from '../../src/server/app.ts';
import type { ServerSource } from '../../src/sources/source.ts';

/** Accepts the signature "good"; the body is `{"ids": […]}`, and is parsed only after that. */
export function fakeVerifier(provider: Provider): ServerSource['verifier'] {
  return {
    verify: async ({ signature, rawBody, receivedAtMs }, source) => {
      if (signature !== 'good') throw new AppError('SIGNATURE_MISMATCH', 'no secret fits');
      const ids = parseIds(rawBody);
      const events = ids.map((id) => ({
        source,
        provider,
        id,
        type: 'some.type',
        timeMs: 0,
        live: true,
        payload: {},
      }));
      const delivery = { source, provider, receivedAtMs, events };
      return delivery as unknown as VerifiedDelivery;
    },
  };
}

function parseIds(rawBody: Uint8Array): string[] {
  try {
    return (JSON.parse(new TextDecoder().decode(rawBody)) as { ids: string[] }).ids;
  } catch {
    throw new AppError('BODY_MALFORMED', 'it is not JSON');
  }
}

export function fakeSource(name: string, more: Partial<ServerSource> = {}): ServerSource {
  const provider = more.provider ?? 'stripe';
  return { name, provider, verifier: fakeVerifier(provider), ...more };
}

export function done(eventId: string, more: Partial<EventOutcome> = {}): EventOutcome {
  return { eventId, status: 'done', message: 'licensed', ...more };
}

interface FakeServerOptions extends Partial<Omit<ServerDependencies, 'currentSources' | 'log'>> {
  readonly sources?: readonly ServerSource[];
}

/** The real app on fakes; `lines` is its log, `received` what got past the verifier. */
export function fakeServer({ sources, ...dependencies }: FakeServerOptions = {}) {
  const lines: JsonObject[] = [];
  const received: VerifiedDelivery[] = [];
  const list = sources ?? [
    fakeSource('stripe'),
    fakeSource('fastspring', { provider: 'fastspring' }),
    fakeSource('paddle', { provider: 'paddle' }),
  ];
  const byName = new Map(list.map((source) => [source.name, source]));
  const { receive, ...rest } = dependencies;
  const app = createApp({
    currentSources: () => byName,
    receive: async (delivery) => {
      received.push(delivery);
      if (receive !== undefined) return receive(delivery);
      return delivery.events.map((event) => done(event.id));
    },
    journalKeepsState: true,
    readiness: async () => ({ ready: true, concerns: [], details: {} }),
    clock: wallClock,
    log: createLogger({
      level: 'debug',
      format: 'json',
      write: (line) => lines.push(JSON.parse(line) as JsonObject),
    }),
    ...rest,
  });
  return { app, lines, received };
}

const wallClock: Clock = {
  nowMs: () => Date.now(),
  sleep: () => Promise.reject(new Error('the server never sleeps')),
};

/** A request that is let in, for one thing to be spoiled. */
export function signed(
  provider: Provider = 'stripe',
  body: string = JSON.stringify({ ids: ['evt_1'] }),
  headers: Record<string, string | undefined> = {},
): RequestInit {
  const all = {
    'content-type': 'application/json',
    [PROVIDER_FACTS[provider].signatureHeader]: 'good',
    ...headers,
  };
  const present = Object.entries(all).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return { method: 'POST', headers: present, body };
}

/** The JSON of an answer, as a plain object. */
export async function jsonOf(response: Response): Promise<JsonObject> {
  return (await response.json()) as JsonObject;
}
