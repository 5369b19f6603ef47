// One call to Cryptlex: pace, time-out, short retries, reading of the answer. Takes a call, gives its
// value or throws a CryptlexError. Never repeats a write that may have taken effect, and never
// judges an answer by anything but its status (openapi-fetch leaves `error` empty on empty bodies).

import type { Clock } from '../core/model.ts';
import type { Secret } from '../core/secret.ts';
import type { Fetch } from '../http/fetch.ts';
import {
  AnswerTooLarge,
  TooLateToSend,
  type Transport,
  type WireResponse,
} from '../http/transport.ts';
import { type CallRecord, callRecord, passwordsOf, type RecordableCall } from './call-record.ts';
import { errorBodyText, isHtml } from './error-body.ts';
import {
  type CallName,
  type CryptlexError,
  errorOfFailure,
  errorOfNonsense,
  errorOfStatus,
  errorOfTooLate,
  errorOfUnsent,
  isWrite,
} from './errors.ts';
import { openApiFetch } from './openapi-fetch.ts';
import { retryAfterMs } from './rate-headers.ts';
import { type Grant, type Pace, RETRY_AFTER_MS_DEFAULT } from './rate-limiter.ts';
import type { Read } from './responses.ts';

/** What openapi-fetch takes for one attempt. */
export interface AttemptInit {
  readonly signal: AbortSignal;
  readonly fetch: Fetch;
  /** Bodies are read as text: an answer that is not JSON must not throw inside the library. */
  readonly parseAs: 'text';
}

export interface Call<T> extends RecordableCall {
  send(init: AttemptInit): Promise<{ data?: unknown; error?: unknown; response: WireResponse }>;
  read(text: string): Read<T>;
  /** What a 404 means, where it is an answer. */
  readonly notFound?: { readonly value: T };
}

export interface SenderOptions {
  readonly token: Secret;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly transport: Transport;
  /** Until the whole answer is there, from the moment the pace lets the call start. */
  readonly timeoutMs: number;
  /** Pauses before each repetition; their number is that of the repetitions. */
  readonly retryPausesMs: readonly number[];
  /** A longer `Retry-After` is not waited for here: the caller comes back later. */
  readonly maxRetryAfterMs: number;
  /** 0 up to 1, for the jitter. */
  readonly random: () => number;
  readonly onCall: ((record: CallRecord) => void) | undefined;
}

/** What its caller does between the rate limiter's grant and the call itself. */
export interface Departure {
  /** Awaited after each grant: what is noted here is about to be sent. What it throws, the call throws. */
  onGranted(): Promise<void>;
  /** Asked right before the call leaves; asks nobody else. */
  mayLeave(): boolean;
}

export interface CallOptions {
  /** Gives up waiting, and the call itself. A write given up after it was sent is `unclear`. */
  readonly signal?: AbortSignal | undefined;
  readonly departure?: Departure;
}

export type Sender = <T>(call: Call<T>, how: CallOptions) => Promise<T>;

type Outcome<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'error'; readonly error: CryptlexError };

/** @throws CryptlexError CRYPTLEX_* by `sender(call)`; see errors.ts for what each effect means */
export function createSender(options: SenderOptions): Sender {
  return async <T>(call: Call<T>, how: CallOptions): Promise<T> => {
    const { signal } = how;
    for (let attempt = 0; ; attempt++) {
      const outcome = await paced(options, call, how);
      if (outcome.kind === 'value') return outcome.value;
      const pauseMs = pauseBeforeRetry(options, call, { error: outcome.error, attempt });
      if (pauseMs === undefined) throw outcome.error;
      if (!(await options.clock.sleep(pauseMs, signal))) throw outcome.error;
    }
  };
}

/** How long to wait before the call is repeated; undefined = it is not. */
function pauseBeforeRetry(
  options: SenderOptions,
  call: CallName,
  { error, attempt }: { error: CryptlexError; attempt: number },
): number | undefined {
  const pauseMs = options.retryPausesMs[attempt];
  const wantedMs = error.retryAfterMs ?? 0;
  // A call that its caller gave up needs no word here: the pause ends at once.
  if (pauseMs === undefined || wantedMs > options.maxRetryAfterMs) return;
  const repeatable = isWrite(call)
    ? error.effect === 'none' &&
      ['CRYPTLEX_RATE_LIMITED', 'CRYPTLEX_UNAVAILABLE', 'CALL_TOO_LATE'].includes(error.code)
    : error.code !== 'CRYPTLEX_TOKEN' && error.code !== 'CRYPTLEX_REFUSED';
  if (!repeatable) return;
  // A quarter of jitter, so that calls refused together do not come back together.
  return Math.max(pauseMs, wantedMs) + Math.floor(pauseMs * 0.25 * options.random());
}

/** One attempt, started when the pace allows it. */
async function paced<T>(
  options: SenderOptions,
  call: Call<T>,
  how: CallOptions,
): Promise<Outcome<T>> {
  const { signal, departure } = how;
  for (;;) {
    let grant: Grant;
    try {
      grant = await options.pace.acquire(signal);
    } catch (cause) {
      if (signal?.aborted === true) return failed(errorOfUnsent(call, cause));
      // A pace shared through a database can fail in its own way, which is not Cryptlex's.
      throw cause;
    }
    try {
      if (hasGivenUp(how)) return failed(errorOfUnsent(call, signal?.reason));
      await departure?.onGranted();
      if (hasGivenUp(how)) return failed(errorOfUnsent(call, signal?.reason));
      if (grant.begin()) return await timed(options, call, how);
    } finally {
      grant.release();
    }
  }
}

function hasGivenUp({ signal }: CallOptions): boolean {
  return signal?.aborted === true;
}

/** One attempt under its time-out, recorded. */
async function timed<T>(
  options: SenderOptions,
  call: Call<T>,
  { signal, departure }: CallOptions,
): Promise<Outcome<T>> {
  const startedMs = options.clock.nowMs();
  const ending = new AbortController();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    ending.abort(new DOMException('the time-out has passed', 'TimeoutError'));
  }, options.timeoutMs);
  const onAbort = (): void => ending.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });

  let response: WireResponse | undefined;
  const capture = openApiFetch(async (request) => {
    request.headers.set('authorization', `Bearer ${options.token.reveal().trim()}`);
    const mayLeave = departure && (() => departure.mayLeave());
    response = await options.transport({ ...request, mayLeave });
    options.pace.observe(response.status, response.headers);
    return response;
  });
  let outcome: Outcome<T>;
  try {
    const answer = await call.send({ signal: ending.signal, fetch: capture, parseAs: 'text' });
    outcome = judge(options, call, answer);
  } catch (cause) {
    const reason = timedOut ? 'timeout' : ending.signal.aborted ? 'aborted' : 'network';
    if (cause instanceof TooLateToSend) outcome = failed(errorOfTooLate(call));
    else if (response !== undefined && cause instanceof AnswerTooLarge && saysNothing(response)) {
      outcome = failed(errorOfNonsense(call, response.status, cause.message));
    } else {
      // A refusal whose body was cut off is a refusal all the same: its status had come.
      outcome =
        response === undefined || response.ok
          ? failed(errorOfFailure(call, cause, { timeoutMs: options.timeoutMs, reason }))
          : judge(options, call, { error: undefined, response });
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
  tell(options, call, {
    status: response?.status,
    durationMs: options.clock.nowMs() - startedMs,
    error: outcome.kind === 'error' ? outcome.error : undefined,
  });
  return outcome;
}

function tell(
  options: SenderOptions,
  call: RecordableCall,
  ending: Parameters<typeof callRecord>[1],
): void {
  try {
    options.onCall?.(callRecord(call, ending));
  } catch {
    // Whoever listens must not turn a write that was done into one that failed.
  }
}

function judge<T>(
  options: SenderOptions,
  call: Call<T>,
  answer: { data?: unknown; error?: unknown; response: WireResponse },
): Outcome<T> {
  const { status, headers, ok } = answer.response;
  if (ok) {
    const read = call.read(typeof answer.data === 'string' ? answer.data : '');
    return read.kind === 'value' ? read : failed(errorOfNonsense(call, status, read.reason));
  }
  // A proxy that does not know Cryptlex answers 404 with a page; that says nothing about a license.
  if (status === 404 && isHtml(answer.error))
    return failed(errorOfNonsense(call, status, 'its body is a web page'));
  if (status === 404 && call.notFound !== undefined) {
    return { kind: 'value', value: call.notFound.value };
  }
  const detail = errorBodyText(answer.error, [options.token.reveal().trim(), ...passwordsOf(call)]);
  const waitMs = retryAfterMs(headers, options.clock.nowMs());
  return failed(
    errorOfStatus(call, status, {
      detail,
      retryAfterMs: status === 429 ? (waitMs ?? RETRY_AFTER_MS_DEFAULT) : waitMs,
    }),
  );
}

/** Whether a status means nothing without a body that Cryptlex could have sent: it is tried again anyhow, or not. */
function saysNothing({ status }: WireResponse): boolean {
  return status < 500 && status !== 429;
}

function failed(error: CryptlexError): { readonly kind: 'error'; readonly error: CryptlexError } {
  return { kind: 'error', error };
}
