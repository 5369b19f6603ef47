// How calls leave, over real connections: they are kept and shared, answers come whole or not at all, and
// nothing is followed or repeated.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createTransport, type WireRequest } from '../../src/cryptlex/transport.ts';

interface Scene {
  request(path: string, more?: Partial<WireRequest>): WireRequest;
  /** Connections that were opened. */
  connections(): number;
  readonly seen: { readonly method: string; readonly body: string }[];
}

async function withServer(
  answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  let connections = 0;
  const seen: { method: string; body: string }[] = [];
  const server = createServer((incoming, outgoing) => {
    let body = '';
    incoming.setEncoding('utf8');
    incoming.on('data', (part: string) => {
      body += part;
    });
    incoming.on('end', () => {
      seen.push({ method: incoming.method ?? '', body });
      answer(incoming, outgoing);
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await test({
      seen,
      connections: () => connections,
      request: (path, more = {}) => ({
        url: `http://127.0.0.1:${port}${path}`,
        ...{ method: 'GET', headers: new Headers(), body: undefined },
        signal: new AbortController().signal,
        ...more,
      }),
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const echo = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
  outgoing.writeHead(200, { 'x-path': incoming.url ?? '' }).end('ä');
};

test('calls one after the other share a connection', async () => {
  await withServer(echo, async ({ request, connections }) => {
    const send = createTransport();
    for (const path of ['/a', '/b', '/c']) await (await send(request(path))).text();
    expect(connections()).toBe(1);
  });
});

test('a body is sent as UTF-8, and an answer gives status, headers and text', async () => {
  await withServer(echo, async ({ request, seen }) => {
    const answer = await createTransport()(request('/p?q=%C3%A4', { method: 'POST', body: 'é€' }));
    expect(seen).toEqual([{ method: 'POST', body: 'é€' }]);
    expect([answer.status, answer.ok, answer.headers.get('X-Path')]).toEqual([
      200,
      true,
      '/p?q=%C3%A4',
    ]);
    expect(answer.headers.get('retry-after')).toBeNull();
    expect(await answer.text()).toBe('ä');
  });
});

test('a redirect is given as it came, and followed nowhere', async () => {
  const move = (_: IncomingMessage, outgoing: ServerResponse): void => {
    outgoing.writeHead(302, { location: '/elsewhere' }).end();
  };
  await withServer(move, async ({ request, seen }) => {
    const { status, ok } = await createTransport()(request('/', { method: 'POST', body: '{}' }));
    expect([status, ok]).toEqual([302, false]);
    expect(seen).toHaveLength(1);
  });
});

test('an answer that is cut off is no answer: its text is refused', async () => {
  const cut = (_: IncomingMessage, outgoing: ServerResponse): void => {
    outgoing.writeHead(200, { 'content-length': 100 });
    outgoing.write('half', () => outgoing.socket?.destroy());
  };
  await withServer(cut, async ({ request }) => {
    const answer = await createTransport()(request('/'));
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
  });
});

test('a connection that is lost without an answer is told as such, and nothing is sent twice', async () => {
  let count = 0;
  const lose = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    count += 1;
    if (count === 1) echo(incoming, outgoing);
    else incoming.socket.destroy();
  };
  await withServer(lose, async ({ request, seen }) => {
    const send = createTransport();
    await (await send(request('/first'))).text();
    await expect(send(request('/', { method: 'POST', body: '{}' }))).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    expect(seen).toHaveLength(2);
  });
});

test('a signal ends a call, before its answer and within it', async () => {
  const slow = (_: IncomingMessage, outgoing: ServerResponse): void => {
    outgoing.writeHead(200, { 'content-length': 100 });
    outgoing.write('begun');
  };
  await withServer(slow, async ({ request }) => {
    const reason = new Error('given up');
    await expect(
      createTransport()(request('/', { signal: AbortSignal.abort(reason) })),
    ).rejects.toBe(reason);
    const ending = new AbortController();
    const answer = await createTransport()(request('/', { signal: ending.signal }));
    ending.abort(reason);
    await expect(answer.text()).rejects.toThrow();
  });
});
