// A real HTTP server that plays answers in their order, one for each request. Takes a script, gives
// an address and what it was asked. Never makes up an answer: a request beyond the script is 599.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly method: string;
  /** Raw, as it stood in the request line. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Plays one answer; may answer nothing, or break the connection. */
export type Answer = (response: ServerResponse, request: SeenRequest) => void;

export interface ScriptedServer {
  readonly baseUrl: string;
  readonly seen: SeenRequest[];
  close(): Promise<void>;
}

export async function startScriptedServer(script: readonly Answer[]): Promise<ScriptedServer> {
  const seen: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const one: SeenRequest = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    const answer = script[seen.length] ?? status(599, 'beyond the script');
    seen.push(one);
    answer(response, one);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An answer with a body of JSON. */
export function json(code: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return raw(code, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
}

/** An answer with a body as given, with its content-length. */
export function raw(code: number, body: string, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(code, { 'content-length': String(Buffer.byteLength(body)), ...headers });
    response.end(body);
  };
}

export function status(code: number, message = `status ${code}`): Answer {
  return json(code, { message });
}

/** 204, or any other answer without content-length and body. */
export function noBody(code: number): Answer {
  return (response) => {
    response.writeHead(code);
    response.end();
  };
}

/** Takes the request and closes the connection without a word. */
export const reset: Answer = (response) => {
  response.socket?.resetAndDestroy();
};

/** Begins an answer and closes the connection in the middle of its body. */
export function resetAfterHead(code: number): Answer {
  return (response) => {
    response.writeHead(code, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"message":"cut o');
    setTimeout(() => response.socket?.resetAndDestroy(), 10);
  };
}

/** Takes the request and never answers. */
export const hang: Answer = () => {};

/** Begins an answer and never ends it. */
export function hangAfterHead(code: number): Answer {
  return (response) => {
    response.writeHead(code, { 'content-type': 'application/json' });
    response.write('[');
  };
}
