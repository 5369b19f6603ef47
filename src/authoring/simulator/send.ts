// One signed POST and what became of it. Takes a sending, an address and a secret; gives the answer and whether
// it is as it should be. Never repeats a request, and never shows the secret.

import { AppError } from '../../core/error-codes.ts';
import { isJsonObject } from '../../core/json.ts';
import type { JsonObject, JsonValue } from '../../core/model.ts';
import type { Provider } from '../../core/providers.ts';
import { Secret } from '../../core/secret.ts';
import type { Transport } from '../../http/transport.ts';
import { signDelivery } from '../../verifiers/sign.ts';
import type { Sending } from './chaos.ts';
import { bodyOf } from './deliveries.ts';

export interface Endpoint {
  readonly provider: Provider;
  readonly url: string;
  readonly secret: Secret;
  readonly nowMs: () => number;
  /** How requests leave. */
  readonly transport: Transport;
}

export interface Answer {
  readonly status: number;
  /** Each event's part of the answer; of text/plain none. */
  readonly events: readonly JsonObject[];
  /** The code of the registry, where the answer names one. */
  readonly error: string | undefined;
  readonly message: string;
  readonly durationMs: number;
}

export interface Sent {
  readonly sending: Sending;
  readonly answer: Answer;
  /** Why the answer is not as it should be. */
  readonly problem: string | undefined;
}

/** Older than any tolerance that a rule file should set, in seconds. */
const STALE_SECONDS = 3_600;
const TIMEOUT_MS = 30_000;
/** The longest text of an answer that is read; ours are far shorter. */
const MESSAGE_LENGTH_MAX = 500;

/** @throws ENDPOINT_UNREACHABLE */
export async function send(sending: Sending, endpoint: Endpoint): Promise<Sent> {
  const { provider, url, nowMs, transport } = endpoint;
  const startedMs = nowMs();
  let status: number;
  let text: string;
  try {
    const response = await transport({
      ...{ url, method: 'POST', headers: new Headers(headersOf(sending, endpoint)) },
      body: Buffer.from(bodyOf(provider, sending.events)).toString('utf8'),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    ({ status } = response);
    text = await response.text();
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new AppError('ENDPOINT_UNREACHABLE', `${url} does not answer (${why})`, { cause: error });
  }
  const answer = answerOf(status, text, nowMs() - startedMs);
  return { sending, answer, problem: problemOf(sending, answer, text) };
}

function headersOf(
  { events, forgery }: Sending,
  { provider, secret, nowMs }: Endpoint,
): Record<string, string> {
  const signed = bodyOf(provider, forgery?.signs ?? events);
  const { header, value } = signDelivery(provider, signed, {
    secret: forgery?.kind === 'wrong signature' ? new Secret(`not ${secret.reveal()}`) : secret,
    timestampSeconds:
      Math.floor(nowMs() / 1000) - (forgery?.kind === 'stale timestamp' ? STALE_SECONDS : 0),
  });
  return { 'content-type': 'application/json', [header]: value };
}

function answerOf(status: number, text: string, durationMs: number): Answer {
  const body = parsed(text);
  const parts = Array.isArray(body['events']) ? body['events'] : [body];
  return {
    status,
    events: parts.filter(isJsonObject).filter((part) => Object.keys(part).length > 0),
    error: typeof body['error'] === 'string' ? body['error'] : undefined,
    message:
      typeof body['message'] === 'string' ? body['message'] : text.slice(0, MESSAGE_LENGTH_MAX),
    durationMs,
  };
}

function parsed(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as JsonValue;
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** What a provider would not like about the answer; nothing when all is well. */
function problemOf({ events, forgery }: Sending, answer: Answer, text: string): string | undefined {
  const { status, error } = answer;
  if (forgery !== undefined) {
    if (status === 400 && error?.startsWith('SIGNATURE_') === true) return undefined;
    return status < 300
      ? `a forged delivery was let in (${forgery.kind})`
      : `a forged delivery was refused for another reason (${error ?? status})`;
  }
  if (status === 200) return undefined;
  const named = events.filter(({ mayBeUnmatched }) => !mayBeUnmatched);
  if (status === 202) {
    const processed = new Set(text.split('\n').map((line) => line.trim()));
    const lost = named.filter(({ id }) => !processed.has(id));
    return lost.length === 0
      ? undefined
      : `not processed: ${lost.map(({ type, id }) => `${type} ${id}`).join(', ')}`;
  }
  const isUnmatched = [answer.error, ...answer.events.map((part) => part['error'])].every(
    (code) => code === 'EVENT_UNMATCHED',
  );
  if (status === 400 && isUnmatched && named.length === 0) return undefined;
  return `${status}${error === undefined ? '' : ` ${error}`}: ${answer.message}`;
}

/** Whether the provider would send it again, and the server counts on that: `memory:` is like this. */
export function isUnfinished({ answer }: Sent): boolean {
  return answer.status === 503 && answer.error === 'NOT_FINISHED';
}
