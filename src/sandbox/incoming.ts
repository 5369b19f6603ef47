// A request on its way in. Takes the Request, gives its parts as plain data.
// Never fails: a body that is not JSON is told as such, for the contract to refuse.

import type { JsonValue } from '../core/model.ts';

export type IncomingBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly value: JsonValue }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'otherType'; readonly contentType: string };

export interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly body: IncomingBody;
  readonly authorization: string | null;
}

export async function readRequest(request: Request): Promise<Incoming> {
  const url = new URL(request.url);
  return {
    method: request.method,
    path: url.pathname,
    query: url.search === '' ? [] : [...url.searchParams],
    body: await readBody(request),
    authorization: request.headers.get('authorization'),
  };
}

async function readBody(request: Request): Promise<IncomingBody> {
  if (request.method === 'GET' || request.method === 'HEAD') return { kind: 'none' };
  const text = await request.text();
  if (text === '') return { kind: 'none' };
  const contentType = request.headers.get('content-type') ?? '';
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType)) {
    return { kind: 'otherType', contentType };
  }
  try {
    return { kind: 'json', value: JSON.parse(text) as JsonValue };
  } catch {
    return { kind: 'malformed' };
  }
}

/** The body for the record, without passwords: it is shown to people. */
export function recordableBody(body: IncomingBody): JsonValue | undefined {
  if (body.kind !== 'json') return undefined;
  const { value } = body;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return 'password' in value ? { ...value, password: '<secret>' } : value;
}
