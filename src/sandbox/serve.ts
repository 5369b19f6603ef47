// The sandbox over real HTTP. Takes a sandbox, listens, hands each request to it.
// Never answers where a fault says so: then the socket is cut.

import type { IncomingMessage } from 'node:http';
import { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { AppError } from '../core/error-codes.ts';
import { refusal, toResponse } from './answer.ts';
import type { Sandbox } from './sandbox.ts';

export interface ServeSandboxOptions {
  /** 0 for any free one. */
  readonly port?: number;
  readonly host?: string;
}

export interface ServedSandbox {
  /** Without a trailing slash. */
  readonly url: string;
  /** Cuts every connection and resolves when the port is free. */
  close(): Promise<void>;
}

/** Resolves once it listens. @throws PORT_UNAVAILABLE */
export async function serveSandbox(
  sandbox: Sandbox,
  options: ServeSandboxOptions = {},
): Promise<ServedSandbox> {
  const { port = 0, host = '127.0.0.1' } = options;
  const server = createAdaptorServer({
    overrideGlobalObjects: false,
    fetch: async (request, { incoming }) => answer(sandbox, request, incoming as IncomingMessage),
  });
  if (!(server instanceof Server)) throw new AppError('INTERNAL', 'not a plain HTTP server');

  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new AppError('PORT_UNAVAILABLE', `cannot listen on ${host}:${port}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${name}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  sandbox: Sandbox,
  request: Request,
  incoming: IncomingMessage,
): Promise<Response> {
  try {
    return await sandbox.fetch(request);
  } catch (error) {
    if (error instanceof AppError) return toResponse(refusal(500, error.message));
    // A fault keeps the answer back, or the caller has left: either way nothing more is said.
    incoming.socket.destroy();
    return RESPONSE_ALREADY_SENT;
  }
}
