// How every call of ours leaves: over connections that are kept, by Node's own HTTP client, through the proxy
// of the environment. Takes a request, gives status, headers and a text that is never longer than allowed.
// Not the global fetch: the streams and objects around each of its calls cost five times what the call itself
// does (docs/performance.md). Never follows a redirect, never repeats anything, never asks for compression.

import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Proxies, type ProxyServer, proxyFor } from './proxies.ts';
import { TunnelAgent } from './tunnel-agent.ts';

/** A request on its way out. */
export interface WireRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
  /**
   * Asked on the open connection, right before the first byte is written: a process may be stopped for any time
   * while the connection is made. When it says no, the request rejects with a TooLateToSend.
   */
  readonly mayLeave?: (() => boolean) | undefined;
}

/** The headers of an answer, as far as they are looked at. */
export interface WireHeaders {
  get(name: string): string | null;
  entries(): Iterable<[string, string]>;
}

/** An answer whose status has come. */
export interface WireResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: WireHeaders;
  /** Rejects when the connection was lost before the body was whole, or with an AnswerTooLarge. */
  text(): Promise<string>;
}

/** Rejects when no status came, with what the system said, or with the signal's reason. */
export type Transport = (request: WireRequest) => Promise<WireResponse>;

/** Nothing was sent: what asked for the request is not certain to be entitled to it any more. */
export class TooLateToSend extends Error {
  constructor() {
    super('it was too late to send it');
    this.name = 'TooLateToSend';
  }
}

/** The body was longer than any true answer; the connection was closed. */
export class AnswerTooLarge extends Error {
  constructor() {
    super(`the answer is larger than ${ANSWER_BYTES_MAX / 1024 / 1024} MiB`);
    this.name = 'AnswerTooLarge';
  }
}

/** A list has 100 objects at most, of some kilobytes each. */
export const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** An idle connection is closed after this, before the other side does so just when it is used again. */
const IDLE_MS = 4_000;

/** Connections are shared by all calls of one transport; they are opened as calls need them. */
export function createTransport(proxies: Proxies): Transport {
  const open = createOpener(proxies);
  return (request) =>
    new Promise((resolve, reject) => {
      const { body, signal, mayLeave } = request;
      const outgoing = open(request);
      const giveUp = (): void => {
        outgoing.destroy(signal.reason);
      };
      outgoing.on('response', (incoming) => resolve(responseOf(incoming)));
      outgoing.on('error', reject);
      outgoing.on('close', () => signal.removeEventListener('abort', giveUp));
      if (signal.aborted) giveUp();
      else signal.addEventListener('abort', giveUp);
      if (mayLeave === undefined) outgoing.end(body);
      else
        whenOpen(outgoing, () => {
          if (mayLeave()) outgoing.end(body);
          else outgoing.destroy(new TooLateToSend());
        });
    });
}

/** Calls back once what is written next leaves the process at once. */
function whenOpen(outgoing: ClientRequest, write: () => void): void {
  outgoing.once('socket', (socket: Socket & Partial<Pick<TLSSocket, 'encrypted'>>) => {
    const isOpening = socket.connecting || Reflect.get(socket, 'secureConnecting') === true;
    if (isOpening) socket.once(socket.encrypted === true ? 'secureConnect' : 'connect', write);
    else write();
  });
}

/** Begins a request on the connection that its address asks for: direct, by a tunnel, or to the proxy itself. */
function createOpener(proxies: Proxies): (request: WireRequest) => ClientRequest {
  const options = { keepAlive: true, timeout: IDLE_MS, scheduling: 'lifo' } as const;
  const http = new HttpAgent(options);
  const https = new HttpsAgent(options);
  const tunnels = proxies.https === undefined ? https : new TunnelAgent(proxies.https, options);
  return ({ url: address, method, headers: given, body }) => {
    const url = new URL(address);
    const headers: Record<string, string | number> = Object.fromEntries(given);
    if (body !== undefined) headers['content-length'] = Buffer.byteLength(body);
    const proxy = proxyFor(url, proxies);
    if (url.protocol === 'https:') {
      const agent = proxy === undefined ? https : tunnels;
      return httpsRequest(url, { method, headers, agent });
    }
    if (proxy === undefined) return httpRequest(url, { method, headers, agent: http });
    return askProxy(url, proxy, {
      method,
      headers,
      agent: proxy.protocol === 'https:' ? https : http,
    });
  };
}

/** In the clear a proxy is asked for the whole address, and asks on by itself. */
function askProxy(
  url: URL,
  { protocol, hostname: host, port, authorization }: ProxyServer,
  options: { method: string; headers: Record<string, string | number>; agent: HttpAgent },
): ClientRequest {
  const credentials =
    authorization === undefined ? {} : { 'proxy-authorization': authorization.reveal() };
  const send = protocol === 'https:' ? httpsRequest : httpRequest;
  return send({
    ...{ ...options, protocol, host, port, path: url.origin + url.pathname + url.search },
    headers: { ...options.headers, host: url.host, ...credentials },
  });
}

function responseOf(incoming: IncomingMessage): WireResponse {
  const status = incoming.statusCode ?? 0;
  const text = textOf(incoming);
  const headerOf = (name: string): string | null => {
    const value = incoming.headers[name];
    return Array.isArray(value) ? value.join(', ') : (value ?? null);
  };
  // Whoever does not ask for the body of a refusal need not hear that it was cut off.
  text.catch(() => undefined);
  return {
    status,
    ok: status >= 200 && status < 300,
    headers: {
      get: (name) => headerOf(name.toLowerCase()),
      entries: () => Object.keys(incoming.headers).map((name) => [name, headerOf(name) ?? '']),
    },
    text: () => text,
  };
}

function textOf(incoming: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const count = (more: number): void => {
      bytes += more;
      // The connection ends with it: what follows is not worth a byte, and would never be read.
      if (bytes > ANSWER_BYTES_MAX) incoming.destroy(new AnswerTooLarge());
    };
    incoming.on('data', (part: Buffer) => {
      parts.push(part);
      count(part.length);
    });
    incoming.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
    incoming.on('error', reject);
    // What an answer announces need not even begin.
    if (Number(incoming.headers['content-length']) > ANSWER_BYTES_MAX) count(Infinity);
  });
}
