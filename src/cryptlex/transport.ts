// How a call leaves: over connections that are kept, by Node's own HTTP client. Takes a request as
// openapi-fetch makes it, gives the part of a response that openapi-fetch and our client look at.
// Not the global fetch: the streams and objects around each of its calls cost five times what the call itself
// does (docs/performance.md). Never follows a redirect, never repeats anything, never asks for compression.

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** What fetch is used as, where somebody hands one in: the sandbox in process, a dry run, a test. */
export type Fetch = (request: Request) => Promise<Response>;

/** A request on its way out. */
export interface WireRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

/** An answer whose status has come. */
export interface WireResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: Pick<Headers, 'get'>;
  /** Rejects when the connection was lost before the body was whole. */
  text(): Promise<string>;
}

/** Rejects when no status came, with what the system said, or with the signal's reason. */
export type Transport = (request: WireRequest) => Promise<WireResponse>;

/** An idle connection is closed after this, before the other side does so just when it is used again. */
const IDLE_MS = 4_000;

/** Connections are shared by all calls of one transport; they are opened as calls need them. */
export function createTransport(): Transport {
  const options = { keepAlive: true, timeout: IDLE_MS, scheduling: 'lifo' } as const;
  const agents = { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) };
  return (request) =>
    new Promise((resolve, reject) => {
      const { method, body, signal } = request;

      const url = new URL(request.url);
      const headers: Record<string, string | number> = Object.fromEntries(request.headers);
      if (body !== undefined) headers['content-length'] = Buffer.byteLength(body);
      const isSecure = url.protocol === 'https:';
      const send = isSecure ? httpsRequest : httpRequest;
      const agent = agents[isSecure ? 'https:' : 'http:'];
      const outgoing = send(url, { method, headers, agent });
      const giveUp = (): void => {
        outgoing.destroy(signal.reason);
      };
      outgoing.on('response', (incoming) => resolve(responseOf(incoming)));
      outgoing.on('error', reject);
      outgoing.on('close', () => signal.removeEventListener('abort', giveUp));
      if (signal.aborted) giveUp();
      else signal.addEventListener('abort', giveUp);
      outgoing.end(body);
    });
}

function responseOf(incoming: IncomingMessage): WireResponse {
  const status = incoming.statusCode ?? 0;
  const text = textOf(incoming);
  // Whoever does not ask for the body of a refusal need not hear that it was cut off.
  text.catch(() => undefined);
  return {
    status,
    ok: status >= 200 && status < 300,
    headers: {
      get: (name) => {
        const value = incoming.headers[name.toLowerCase()];
        return Array.isArray(value) ? value.join(', ') : (value ?? null);
      },
    },
    text: () => text,
  };
}

function textOf(incoming: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    incoming.setEncoding('utf8');
    incoming.on('data', (part: string) => {
      text += part;
    });
    incoming.on('end', () => resolve(text));
    incoming.on('error', reject);
  });
}

/** A transport over something that is used as fetch. */
export function transportOver(fetch: Fetch): Transport {
  return ({ url, method, headers, body, signal }) =>
    fetch(
      new Request(url, {
        ...{ method, headers, signal },
        ...(body === undefined ? {} : { body }),
        // A followed redirect would turn a POST into a GET, and take the answer for the write's.
        redirect: 'manual',
      }),
    );
}

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

/**
 * The same for openapi-fetch, which speaks of fetch's own classes but uses no more of them than the
 * interfaces here have: `Request` for its options, and each call's `fetch`.
 */
export const openApiRequest = PlainRequest as unknown as typeof Request;
export function openApiFetch(transport: Transport): Fetch {
  return transport as unknown as Fetch;
}
