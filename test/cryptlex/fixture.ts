// What the client's tests share: a client on a scripted server, small objects, and a helper that
// gives the error of a call. Never hides a call that should have failed.

import type { Clock } from '../../src/core/model.ts';
import { Secret } from '../../src/core/secret.ts';
import type { CallRecord } from '../../src/cryptlex/call-record.ts';
import {
  type CryptlexClient,
  type CryptlexClientOptions,
  createCryptlexClient,
} from '../../src/cryptlex/client.ts';
import { CryptlexError } from '../../src/cryptlex/errors.ts';
import { createPace } from '../../src/cryptlex/rate-limiter.ts';
import { NO_PROXIES } from '../../src/http/proxies.ts';
import { createTransport } from '../../src/http/transport.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { type Answer, type SeenRequest, startScriptedServer } from './scripted-server.ts';

export const TOKEN = 'token-that-nobody-may-see';

interface Scene {
  readonly client: CryptlexClient;
  readonly seen: SeenRequest[];
  readonly calls: CallRecord[];
  readonly clock: VirtualClock;
}

/** Runs a test against a client whose server plays `script`, and stops the server afterwards. */
export async function withClient(
  script: readonly Answer[],
  test: (scene: Scene) => Promise<void>,
  overrides: Partial<CryptlexClientOptions> = {},
): Promise<void> {
  const server = await startScriptedServer(script);
  const clock = new VirtualClock({ autoAdvance: true });
  const calls: CallRecord[] = [];
  try {
    const client = createCryptlexClient({
      baseUrl: server.baseUrl,
      token: new Secret(TOKEN),
      pace: widePace(clock),
      clock,
      transport: createTransport(NO_PROXIES),
      random: () => 0,
      onCall: (call) => calls.push(call),
      ...overrides,
    });
    await test({ client, seen: server.seen, calls, clock });
  } finally {
    await server.close();
  }
}

/** A pace that never holds anything up, except after a 429. */
export function widePace(clock: Clock) {
  return createPace({ requests: 100_000, periodMs: 1, concurrency: 100, clock });
}

/** The error of a call; a call that succeeds, or fails otherwise, fails the test. */
export async function errorOf(promise: Promise<unknown>): Promise<CryptlexError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('value' in outcome) throw new Error(`no error, but ${JSON.stringify(outcome.value)}`);
  if (!(outcome.error instanceof CryptlexError)) throw outcome.error;
  return outcome.error;
}

export function license(id: string, members: Record<string, unknown> = {}) {
  return {
    id,
    key: `KEY-${id}`,
    productId: 'product-1',
    revoked: false,
    suspended: false,
    expiresAt: null,
    user: { id: 'user-1', email: 'a@example.com' },
    metadata: [{ id: `m-${id}`, key: 'order', value: 'o-1', viewPermissions: [] }],
    ...members,
  };
}

export function user(id: string, members: Record<string, unknown> = {}) {
  return { id, email: 'a@example.com', role: 'user', metadata: [], ...members };
}

/** The decoded query of a request, as name → value. */
export function queryOf(request: SeenRequest | undefined): Record<string, string> {
  return Object.fromEntries(new URL(request?.url ?? '', 'http://x').searchParams);
}
