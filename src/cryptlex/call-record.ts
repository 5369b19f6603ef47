// What a call looked like. Takes a call as it is sent, gives a record for traces, metrics and for
// showing requests. Never holds the token or a password.

import type { CallName, CryptlexError } from './errors.ts';
import { isRecord } from './responses.ts';

/** One HTTP request as it was sent and how it ended. */
export interface CallRecord extends CallName {
  /** The path as the API's description has it, `/v3/licenses/{id}`: a label for metrics. */
  readonly route: string;
  /** As on the wire before encoding, `{"metadata.key[eq]": "order"}`. */
  readonly query: Readonly<Record<string, string>>;
  /** A password in it is blanked out. */
  readonly body: unknown;
  /** Undefined when no answer came. */
  readonly status: number | undefined;
  readonly durationMs: number;
  readonly error?: CryptlexError;
}

/** What is recorded of a call, of any kind. */
export interface RecordableCall extends CallName {
  readonly route: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: object;
}

export function callRecord(
  call: RecordableCall,
  ending: { status: number | undefined; durationMs: number; error: CryptlexError | undefined },
): CallRecord {
  const { method, route, path, body } = call;
  const { status, durationMs, error } = ending;
  return {
    method,
    route,
    path,
    query: flatQuery(call.query ?? {}),
    body: body !== undefined && 'password' in body ? { ...body, password: '<secret>' } : body,
    status,
    durationMs,
    ...(error === undefined ? {} : { error }),
  };
}

/** Texts in the call that no message may repeat. */
export function passwordsOf(call: RecordableCall): string[] {
  const password: unknown =
    call.body === undefined ? undefined : Reflect.get(call.body, 'password');
  return typeof password === 'string' ? [password] : [];
}

function flatQuery(query: Readonly<Record<string, unknown>>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(query)) {
    if (!isRecord(value)) flat[name] = String(value);
    else
      for (const [op, operand] of Object.entries(value)) flat[`${name}[${op}]`] = String(operand);
  }
  return flat;
}
