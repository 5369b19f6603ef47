// The network side of the server. Takes an app and an address, gives a running server and its way to stop.
// Stopping: no new connections, requests in flight are finished or cut off after a grace period.
// Never waits for ever: slow senders, idle connections and a stubborn shutdown all have their limits.

import { Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { AppError } from '../core/error-codes.ts';
import type { RequestOrigin } from './read-body.ts';

interface ListenOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly host: string;
  /** Longest that a sender may take for its headers. */
  readonly headersTimeoutMs?: number;
  /** Longest that a sender may take for headers and body together; it is cut off with a 408. */
  readonly requestTimeoutMs?: number;
}

export interface Listening {
  /** An address that works from this machine, also where all interfaces are listened on. */
  readonly url: string;
  readonly port: number;
  /** Stops; resolves when every connection is gone. Calling it again gives the same answer. */
  close(options?: { readonly graceMs?: number }): Promise<Closing>;
}

export type Closing =
  | { readonly kind: 'finished' }
  /** So many requests were still in flight when the grace period was over. */
  | { readonly kind: 'cut_off'; readonly requests: number };

export const HEADERS_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 30_000;
// Longer than the 60 s for which load balancers keep a connection: they must be the ones to close it.
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
export const SHUTDOWN_GRACE_MS = 10_000;

/** Starts to listen. @throws AppError PORT_UNAVAILABLE, saying what the system said */
export async function listen(
  app: {
    fetch: (request: Request, origin: RequestOrigin) => Response | Promise<Response>;
  },
  {
    port,
    host,
    headersTimeoutMs = HEADERS_TIMEOUT_MS,
    requestTimeoutMs = REQUEST_TIMEOUT_MS,
  }: ListenOptions,
): Promise<Listening> {
  const server = createAdaptorServer({
    fetch: (request, { incoming }) =>
      app.fetch(request, { lengthIsHeld: true, address: incoming.socket.remoteAddress }),
    // Other libraries in this process use the global Request and Response as Node made them.
    overrideGlobalObjects: false,
    serverOptions: {
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      // How often Node looks for connections over their time; its 30 s would treble ours.
      connectionsCheckingInterval: Math.max(20, Math.min(1000, headersTimeoutMs / 4)),
    },
  });
  if (!(server instanceof Server)) throw new AppError('INTERNAL', 'the server is not HTTP/1.1');
  const inFlight = followRequests(server);
  await bind(server, port, host);

  const address = server.address() as AddressInfo;
  let closing: Promise<Closing> | undefined;
  return {
    url: `http://${reachable(address)}:${address.port}`,
    port: address.port,
    close: ({ graceMs = SHUTDOWN_GRACE_MS } = {}) => {
      closing ??= shutDown(server, inFlight, graceMs);
      return closing;
    },
  };
}

interface InFlight {
  readonly responses: ReadonlySet<ServerResponse>;
  /** Called once when the last one is gone. */
  whenEmpty(callback: () => void): void;
  refuseReuse(): void;
}

/** Keeps the requests that have begun and are not answered to the last byte. */
function followRequests(server: Server): InFlight {
  const responses = new Set<ServerResponse>();
  let onEmpty: (() => void) | undefined;
  let isClosing = false;

  server.prependListener('request', (_request, response) => {
    responses.add(response);
    if (isClosing) response.setHeader('connection', 'close');
    response.once('close', () => {
      responses.delete(response);
      if (responses.size === 0) onEmpty?.();
    });
  });
  return {
    responses,
    whenEmpty: (callback) => {
      if (responses.size === 0) callback();
      else onEmpty = callback;
    },
    refuseReuse: () => {
      isClosing = true;
      for (const response of responses) {
        if (!response.headersSent) response.setHeader('connection', 'close');
      }
    },
  };
}

function bind(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error) => {
      const reason = 'code' in cause ? String(cause.code) : cause.name;
      reject(new AppError('PORT_UNAVAILABLE', `${host} port ${port}: ${reason}`, { cause }));
    };
    server.once('error', refuse);
    server.listen(port, host, () => {
      server.off('error', refuse);
      // A late error, such as too many open files on accept, must not end the process.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

function shutDown(server: Server, inFlight: InFlight, graceMs: number): Promise<Closing> {
  return new Promise((resolve) => {
    let result: Closing = { kind: 'finished' };
    const timer = setTimeout(() => {
      result = { kind: 'cut_off', requests: inFlight.responses.size };
      server.closeAllConnections();
    }, graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve(result);
    });
    inFlight.refuseReuse();
    // What is left then has no request: idle connections, and senders that never finish a header.
    inFlight.whenEmpty(() => server.closeAllConnections());
  });
}

function reachable({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  if (address === '::') return '[::1]';
  return family === 'IPv6' ? `[${address}]` : address;
}
