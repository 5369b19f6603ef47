// Connections for https through a proxy: asks it for a tunnel (CONNECT), then speaks TLS with the other side.
// Takes a proxy, gives an agent that keeps its connections. Whatever fails before the tunnel is there is a
// ProxyError: the call itself has not been sent.

import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { ProxyServer } from './proxies.ts';

/** The proxy gave no tunnel. Its message names no address: that may hold a password. */
export class ProxyError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ProxyError';
  }
}

type Connected = (error: Error | null, socket?: Duplex) => void;

/** As long as a call takes at most; one that gives up earlier does not wait for it. */
const TUNNEL_TIMEOUT_MS = 10_000;

export class TunnelAgent extends HttpsAgent {
  readonly #proxy: ProxyServer;

  constructor(proxy: ProxyServer, options: AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  /** By Node's contract: a connection that is made later is handed to the callback. */
  override createConnection(options: ConnectionOptions, connected: Connected): undefined {
    const host = options.host ?? '';
    const target = `${isIP(host) === 6 ? `[${host}]` : host}:${options.port}`;
    const asking = askForTunnel(this.#proxy, target);
    asking.on('connect', (response: IncomingMessage, socket: Duplex) => {
      if (response.statusCode === 200) connected(null, connectTls({ ...options, socket }));
      else {
        socket.destroy();
        connected(new ProxyError(`the proxy answered ${response.statusCode}`));
      }
    });
    // A proxy that answers as if it were a server.
    asking.on('response', (response) => {
      response.destroy();
      connected(new ProxyError(`the proxy answered ${response.statusCode}`));
    });
    asking.on('timeout', () => asking.destroy(new Error('timeout')));
    asking.on('error', (cause: NodeJS.ErrnoException) => {
      connected(
        new ProxyError(`the proxy does not answer (${cause.code ?? cause.message})`, cause),
      );
    });
    asking.end();
    return undefined;
  }
}

function askForTunnel(proxy: ProxyServer, target: string): ClientRequest {
  const { protocol, hostname: host, port, authorization } = proxy;
  const send = protocol === 'https:' ? httpsRequest : httpRequest;
  const credentials =
    authorization === undefined ? {} : { 'proxy-authorization': authorization.reveal() };
  return send({
    ...{ host, port, method: 'CONNECT', path: target, agent: false },
    ...{ headers: { host: target, ...credentials }, timeout: TUNNEL_TIMEOUT_MS },
  });
}
