// The transport in the terms of openapi-fetch, which speaks of fetch's own classes but uses no more of them
// than the interfaces of the transport have.

import type { Fetch } from '../http/fetch.ts';
import type { Transport, WireRequest } from '../http/transport.ts';

/** What openapi-fetch makes in place of a Request: what it was given, and nothing around it. */
class PlainRequest implements WireRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | undefined;
  readonly signal: AbortSignal;

  constructor(
    url: string,
    init: { method: string; headers: Headers; body?: string; signal: AbortSignal },
  ) {
    this.url = url;
    this.method = init.method;
    this.headers = init.headers;
    this.body = init.body;
    this.signal = init.signal;
  }
}

/** For its options. */
export const openApiRequest = PlainRequest as unknown as typeof Request;

/** For each call. */
export function openApiFetch(transport: Transport): Fetch {
  return transport as unknown as Fetch;
}
