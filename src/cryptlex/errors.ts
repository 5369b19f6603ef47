// What went wrong with a call to Cryptlex. Takes a status or a broken connection, gives a
// CryptlexError that says whether the call may have taken effect.
// Never branches on the code or text of an answer: those are not documented. The status decides.

import { AppError, type AppErrorCode } from '../core/error-codes.ts';
import { ProxyError } from '../http/tunnel-agent.ts';

/**
 * What a failed call did: `none` = certainly nothing; `readBack` = the answer is final, but the state
 * has to be read to know; `unclear` = it may still take effect later. Reads are always `none`.
 */
export type Effect = 'none' | 'readBack' | 'unclear';

interface CryptlexErrorOptions {
  readonly effect: Effect;
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly aborted?: boolean;
  readonly cause?: unknown;
}

export class CryptlexError extends AppError {
  readonly effect: Effect;
  /** The status of the answer; undefined when none came. */
  readonly status: number | undefined;
  /** How long Cryptlex asked to wait before the next call, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Our own caller gave up (deadline, shutdown); tells nothing about the health of Cryptlex. */
  readonly aborted: boolean;

  constructor(code: AppErrorCode, message: string, options: CryptlexErrorOptions) {
    super(code, message, { cause: options.cause });
    this.name = 'CryptlexError';
    this.effect = options.effect;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
    this.aborted = options.aborted ?? false;
  }
}

/** The call an error is about. */
export interface CallName {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With ids filled in, without the query (it may hold an e-mail address). */
  readonly path: string;
}

export function isWrite(call: CallName): boolean {
  return call.method !== 'GET';
}

/**
 * The error for an answer that is not 2xx.
 * @param detail what the body says, bounded and without secrets; empty when it says nothing
 */
export function errorOfStatus(
  call: CallName,
  status: number,
  { detail, retryAfterMs }: { detail: string; retryAfterMs: number | undefined },
): CryptlexError {
  const effect = isWrite(call) ? effectOfStatus(status) : 'none';
  const message = `${call.method} ${call.path} was answered with ${status}${detail === '' ? '' : `: ${detail}`}`;
  return new CryptlexError(codeOfStatus(status, effect), message, { effect, status, retryAfterMs });
}

/** A gateway's answer (502, 504, those of CDNs) and 408 do not say whether the call arrived. */
function effectOfStatus(status: number): Effect {
  if (status === 408) return 'unclear';
  if (status < 500) return 'none';
  return status === 500 || status === 503 ? 'readBack' : 'unclear';
}

function codeOfStatus(status: number, effect: Effect): AppErrorCode {
  if (effect === 'unclear') return 'CRYPTLEX_UNCLEAR';
  // Cryptlex never redirects; another server answers at this address.
  if (status < 400) return 'CRYPTLEX_NONSENSE';
  if (status === 401 || status === 403) return 'CRYPTLEX_TOKEN';
  if (status === 429) return 'CRYPTLEX_RATE_LIMITED';
  return status >= 500 || status === 408 || status === FROM_PROXY
    ? 'CRYPTLEX_UNAVAILABLE'
    : 'CRYPTLEX_REFUSED';
}

/** Only a proxy answers with 407: it wants to know who we are. The call did not get through. */
const FROM_PROXY = 407;

/** The error for a call that got no whole answer. */
export function errorOfFailure(
  call: CallName,
  cause: unknown,
  { timeoutMs, reason }: { timeoutMs: number; reason: 'timeout' | 'aborted' | 'network' },
): CryptlexError {
  const unsent = reason === 'network' && wasNeverSent(cause);
  const effect = isWrite(call) && !unsent ? 'unclear' : 'none';
  const code = effect === 'unclear' ? 'CRYPTLEX_UNCLEAR' : 'CRYPTLEX_UNAVAILABLE';
  const what = {
    timeout: `got no answer within ${timeoutMs} ms`,
    aborted: 'was given up before its answer came',
    network: `${unsent ? 'could not be sent' : 'lost its connection'}: ${networkCode(cause)}`,
  }[reason];
  return new CryptlexError(code, `${call.method} ${call.path} ${what}`, {
    effect,
    aborted: reason === 'aborted',
    cause,
  });
}

/** The error for a call that its caller gave up before it was sent. */
export function errorOfUnsent(call: CallName, cause: unknown): CryptlexError {
  const message = `${call.method} ${call.path} was given up before it was sent`;
  return new CryptlexError('CRYPTLEX_UNAVAILABLE', message, {
    effect: 'none',
    aborted: true,
    cause,
  });
}

/** The error for a call that did not leave, since this process was stopped in between. */
export function errorOfTooLate(call: CallName): CryptlexError {
  const message = `${call.method} ${call.path} was not sent: too much time had passed since it was noted`;
  return new CryptlexError('CALL_TOO_LATE', message, { effect: 'none', aborted: true });
}

/** The error for an answer that is no answer. After a 2xx a write has probably happened. */
export function errorOfNonsense(call: CallName, status: number, reason: string): CryptlexError {
  const message = `${call.method} ${call.path} was answered with ${status}, but ${reason}`;
  return new CryptlexError('CRYPTLEX_NONSENSE', message, {
    effect: isWrite(call) && status < 300 ? 'readBack' : 'none',
    status,
  });
}

/** Failures of name look-up, connecting and the TLS handshake: the request had not left. */
const UNSENT_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const UNSENT_SYSCALLS: ReadonlySet<string> = new Set(['connect', 'getaddrinfo']);

function wasNeverSent(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  if (cause instanceof ProxyError) return true;
  // One error for each address of the host; all of them must have failed to connect.
  if (cause instanceof AggregateError && cause.errors.length > 0) {
    return cause.errors.every(wasNeverSent);
  }
  const code = textMember(cause, 'code');
  const syscall = textMember(cause, 'syscall');
  if (code !== undefined && UNSENT_CODES.has(code)) return true;
  if (syscall !== undefined && UNSENT_SYSCALLS.has(syscall)) return true;
  return wasNeverSent(cause.cause);
}

/** fetch says only "fetch failed"; the code that helps is that of an inner cause. */
function networkCode(cause: unknown): string {
  if (cause instanceof ProxyError) return cause.message;
  for (let error = cause; error instanceof Error; error = error.cause) {
    const code = textMember(error, 'code');
    if (code !== undefined) return code;
  }
  return cause instanceof Error ? cause.name : 'unknown failure';
}

function textMember(error: Error, name: string): string | undefined {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}
