// How calls leave, over real connections: they are kept and shared, answers come whole or not at all, and
// nothing is followed or repeated.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { NO_PROXIES } from '../../src/http/proxies.ts';
import {
  ANSWER_BYTES_MAX,
  AnswerTooLarge,
  createTransport,
  TooLateToSend,
  type WireRequest,
} from '../../src/http/transport.ts';

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
    const send = createTransport(NO_PROXIES);
    for (const path of ['/a', '/b', '/c']) await (await send(request(path))).text();
    expect(connections()).toBe(1);
  });
});

test('a body is sent as UTF-8, and an answer gives status, headers and text', async () => {
  await withServer(echo, async ({ request, seen }) => {
    const answer = await createTransport(NO_PROXIES)(
      request('/p?q=%C3%A4', { method: 'POST', body: 'é€' }),
    );
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
    const { status, ok } = await createTransport(NO_PROXIES)(
      request('/', { method: 'POST', body: '{}' }),
    );
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
    const answer = await createTransport(NO_PROXIES)(request('/'));
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
    const send = createTransport(NO_PROXIES);
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
      createTransport(NO_PROXIES)(request('/', { signal: AbortSignal.abort(reason) })),
    ).rejects.toBe(reason);
    const ending = new AbortController();
    const answer = await createTransport(NO_PROXIES)(request('/', { signal: ending.signal }));
    ending.abort(reason);
    await expect(answer.text()).rejects.toThrow();
  });
});

/** Sends zeros for as long as somebody takes them, and counts how many went out. */
function pour(outgoing: ServerResponse, headers: Record<string, string | number>) {
  const block = Buffer.alloc(64 * 1024, '0');
  outgoing.writeHead(200, headers);
  const more = (): void => {
    while (!outgoing.destroyed && outgoing.write(block));
  };
  outgoing.on('drain', more);
  more();
}

describe('an answer has a size', () => {
  const MIB = 1024 * 1024;
  test('of 4 MiB it is taken whole', async () => {
    const full = (_: IncomingMessage, outgoing: ServerResponse): void => {
      outgoing.writeHead(200).end(Buffer.alloc(ANSWER_BYTES_MAX, 'x'));
    };
    await withServer(full, async ({ request }) => {
      const text = await (await createTransport(NO_PROXIES)(request('/'))).text();
      expect(text.length).toBe(4 * MIB);
    });
  });

  for (const [name, headers] of [
    ['in chunks, without an end', {}],
    ['announced by its length', { 'content-length': 700 * MIB }],
    ['announced as one byte more', { 'content-length': ANSWER_BYTES_MAX + 1 }],
    ['that calls itself compressed', { 'content-encoding': 'gzip' }],
  ] as const) {
    test(`beyond that, ${name}, its connection ends at once`, async () => {
      let closed: Promise<number> | undefined;
      const flood = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
        const { socket } = incoming;
        closed = new Promise((resolve) => socket.on('close', () => resolve(socket.bytesWritten)));
        pour(outgoing, headers);
      };
      await withServer(flood, async ({ request }) => {
        const answer = await createTransport(NO_PROXIES)(request('/'));
        await expect(answer.text()).rejects.toThrow(AnswerTooLarge);
        // What the system holds between both ends comes on top.
        expect(await closed).toBeLessThan(32 * MIB);
      });
    });
  }

  test('what is sent behind the announced length is not part of it', async () => {
    const more = (_: IncomingMessage, outgoing: ServerResponse): void => {
      outgoing.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}and more');
    };
    await withServer(more, async ({ request }) => {
      expect(await (await createTransport(NO_PROXIES)(request('/'))).text()).toBe('{}');
    });
  });

  test('a letter that is cut by two packets stays whole', async () => {
    const [first = 0, ...rest] = Buffer.from('€');
    const cut = (_: IncomingMessage, outgoing: ServerResponse): void => {
      outgoing.writeHead(200).write(Buffer.from([first]), () => {
        setImmediate(() => outgoing.end(Buffer.from(rest)));
      });
    };
    await withServer(cut, async ({ request }) => {
      expect(await (await createTransport(NO_PROXIES)(request('/'))).text()).toBe('€');
    });
  });
});

describe('a request that may have become too late', () => {
  test.each(['a new connection', 'a kept connection'])(
    'is asked about on the open connection: over %s nothing is sent when it is',
    (over) =>
      withServer(
        (_incoming, outgoing) => outgoing.end('{}'),
        async ({ request, seen, connections }) => {
          const transport = createTransport(NO_PROXIES);
          const isKept = over === 'a kept connection';
          if (isKept) await (await transport(request('/first'))).text();
          const opened: number[] = [];
          const late = request('/late', {
            ...{ method: 'POST', body: '{}' },
            mayLeave: () => {
              opened.push(connections());
              return false;
            },
          });
          await expect(transport(late)).rejects.toThrow(TooLateToSend);
          expect(opened).toHaveLength(1);
          expect(seen.map(({ method }) => method)).toEqual(isKept ? ['GET'] : []);
          const inTime = request('/in-time', { method: 'POST', body: '{}', mayLeave: () => true });
          expect((await transport(inTime)).status).toBe(200);
          expect(seen.at(-1)).toMatchObject({ method: 'POST', body: '{}' });
        },
      ),
  );

  test('is not asked about before the connection is there', () =>
    withServer(
      (_incoming, outgoing) => outgoing.end('{}'),
      async ({ request }) => {
        let asked = 0;
        const mayLeave = (): boolean => {
          asked += 1;
          return true;
        };
        const nobody = { url: 'http://127.0.0.1:1/', mayLeave };
        await expect(createTransport(NO_PROXIES)(request('/', nobody))).rejects.toThrow();
        expect(asked).toBe(0);
      },
    ));
});
