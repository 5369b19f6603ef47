// A real proxy on a port of its own: it takes whole addresses and CONNECT, and passes both on to servers on
// this machine, whatever their names. Keeps what it was asked for.

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

export interface TestProxy {
  /** `127.0.0.1:41234` */
  readonly address: string;
  /** `GET http://cryptlex.invalid/v3/users?…`, `CONNECT cryptlex.invalid:443` */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export interface ProxyOptions {
  /** Where the servers are in truth, by the name and port that the proxy is asked for. */
  readonly ports: Readonly<Record<string, number>>;
  /** `user:password`, without which it answers 407. */
  readonly credentials?: string;
  /** What it answers to CONNECT in place of a tunnel. */
  readonly refusal?: number;
}

export async function startProxy(options: ProxyOptions): Promise<TestProxy> {
  const asked: string[] = [];
  const wanted =
    options.credentials && `Basic ${Buffer.from(options.credentials).toString('base64')}`;
  const isKnown = ({ headers }: IncomingMessage): boolean =>
    wanted === undefined || headers['proxy-authorization'] === wanted;
  const tunnels = new Set<Duplex>();

  const passOn = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { url = '', method = '', headers } = incoming;
    asked.push(`${method} ${url}`);
    if (!isKnown(incoming)) return void outgoing.writeHead(407).end();
    const port = URL.canParse(url) ? options.ports[new URL(url).host] : undefined;
    if (port === undefined) return void outgoing.writeHead(502).end();
    const { pathname, search } = new URL(url);
    const { 'proxy-authorization': _ours, ...rest } = headers;
    const onward = request({ port, method, path: pathname + search, headers: rest }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  };

  const tunnel = (incoming: IncomingMessage, socket: Duplex): void => {
    asked.push(`CONNECT ${incoming.url}`);
    tunnels.add(socket);
    socket.on('error', () => undefined);
    const refuse = (status: number) => socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    if (!isKnown(incoming)) return void refuse(407);
    if (options.refusal !== undefined) return void refuse(options.refusal);
    const port = options.ports[incoming.url ?? ''];
    if (port === undefined) return void refuse(502);
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  };

  const server = createServer(passOn).on('connect', tunnel);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        for (const socket of tunnels) socket.destroy();
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
