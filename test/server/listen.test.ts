// The server on a real socket: large, slow and broken senders, shutdown, ports in use.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { EventOutcome } from '../../src/core/model.ts';
import { type Listening, listen } from '../../src/server/listen.ts';
import { BODY_BYTES_MAX } from '../../src/server/read-body.ts';
import { done, fakeServer, jsonOf, signed } from './fakes.ts';

const GLOBALS = [globalThis.Request, globalThis.Response];
const running: Listening[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(running.splice(0).map((server) => server.close({ graceMs: 0 })));
});

async function start(
  options: Parameters<typeof fakeServer>[0] = {},
  limits: Partial<Parameters<typeof listen>[1]> = {},
) {
  const fake = fakeServer(options);
  const server = await listen(fake.app, { port: 0, host: '127.0.0.1', ...limits });
  running.push(server);
  return { ...fake, server, url: `${server.url}/v1` };
}

/** A connection that sends exactly this and then waits. */
function raw(port: number, head: string): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(head);
  sockets.push(socket);
  return socket;
}

const POST_HEAD =
  'POST /v1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nstripe-signature: good\r\n';

/** JSON of exactly that many bytes. */
function bodyOf(bytes: number): string {
  const frame = '{"ids":["evt_1"],"pad":""}';
  return `{"ids":["evt_1"],"pad":"${'x'.repeat(bytes - frame.length)}"}`;
}

/** Sent without a content length, in chunks. */
function chunked(body: string): RequestInit {
  const bytes = new TextEncoder().encode(body);
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 50_000) {
        controller.enqueue(bytes.subarray(at, at + 50_000));
      }
      controller.close();
    },
  });
  const init: RequestInit = { ...signed(), body: stream, duplex: 'half' };
  return init;
}

describe('a body over HTTP', () => {
  const rows: [string, number, (body: string) => RequestInit, number][] = [
    ['of 1 MiB', BODY_BYTES_MAX, (body) => signed('stripe', body), 200],
    ['of 1 MiB and a byte', BODY_BYTES_MAX + 1, (body) => signed('stripe', body), 413],
    ['of 1 MiB in chunks', BODY_BYTES_MAX, chunked, 200],
    ['of 1 MiB and a byte in chunks', BODY_BYTES_MAX + 1, chunked, 413],
  ];
  for (const [name, bytes, toInit, status] of rows) {
    it(`${name} is answered ${status}`, async () => {
      const { url, received } = await start();
      const response = await fetch(url, toInit(bodyOf(bytes)));
      expect(response.status).toBe(status);
      expect(received).toHaveLength(status === 200 ? 1 : 0);
      if (status === 413) expect(await jsonOf(response)).toMatchObject({ error: 'BODY_TOO_LARGE' });
    });
  }

  it('announced as too large is refused before a byte of it came', async () => {
    const { server } = await start();
    const socket = raw(server.port, `${POST_HEAD}content-length: ${BODY_BYTES_MAX + 1}\r\n\r\n`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 [\s\S]*\r\nconnection: close\r\n/i);
  });

  it('that never ends is cut off, and the server goes on', async () => {
    const { server, url } = await start();
    const socket = raw(server.port, `${POST_HEAD}transfer-encoding: chunked\r\n\r\n`);
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const timer = setInterval(() => socket.write(chunk), 2);
    // After the answer the connection is closed, and a further write would only fail.
    socket.once('readable', () => clearInterval(timer));
    const answer = await text(socket);
    clearInterval(timer);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect((await fetch(url, signed())).status).toBe(200);
  });

  it('that breaks off is not received, and told in the log', async () => {
    const { server, received, lines } = await start();
    const socket = raw(server.port, `${POST_HEAD}content-length: 100\r\n\r\n{"ids":`);
    await until(() => socket.bytesWritten > POST_HEAD.length);
    await new Promise((resolve) => setTimeout(resolve, 30));
    socket.destroy();
    await until(() => lines.length > 0);
    expect(lines).toMatchObject([{ message: 'delivery refused', codes: ['BODY_MALFORMED'] }]);
    expect(received).toEqual([]);
  });
});

describe('a slow sender is cut off with 408', () => {
  const limits = { headersTimeoutMs: 100, requestTimeoutMs: 200 };
  const slowBody = `${POST_HEAD}content-length: 100\r\n\r\n{"ids":`;
  // The other limit is longer than a test may take, so each is seen to work alone.
  const rows: [string, string, typeof limits][] = [
    ['that does not finish its headers', POST_HEAD, { ...limits, requestTimeoutMs: 120_000 }],
    ['that does not finish its body', slowBody, limits],
  ];
  for (const [name, head, ownLimits] of rows) {
    it(name, async () => {
      const { server, url, received } = await start({}, ownLimits);
      expect(await text(raw(server.port, head))).toMatch(/^HTTP\/1\.1 408 /);
      expect(received).toEqual([]);
      expect((await fetch(url, signed())).status).toBe(200);
    });
  }

  it('but not one whose event takes longer than that', async () => {
    const receive = async () => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      return [done('evt_1')];
    };
    const { url } = await start({ receive }, limits);
    expect((await fetch(url, signed())).status).toBe(200);
  });
});

describe('shutdown', () => {
  /** A server whose one event is done when `finish` is called. */
  async function startBusy() {
    let finish: (outcomes: readonly EventOutcome[]) => void = () => undefined;
    const outcomes = new Promise<readonly EventOutcome[]>((resolve) => {
      finish = resolve;
    });
    const started = await start({ receive: () => outcomes });
    return { ...started, finish: () => finish([done('evt_1')]) };
  }

  it('finishes the request in flight, takes no new one, and closes the connection', async () => {
    const { server, url, finish, received } = await startBusy();
    const answer = fetch(url, signed());
    await until(() => received.length > 0);

    const closed = server.close();
    await expect(fetch(url, signed())).rejects.toThrow();
    expect(await Promise.race([closed, 'still open'])).toBe('still open');

    finish();
    const response = await answer;
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
    expect(await jsonOf(response)).toMatchObject({ status: 'done' });
    expect(await closed).toEqual({ kind: 'finished' });
  });

  it('cuts a request off when the grace period is over, and says how many', async () => {
    const { server, url, received } = await startBusy();
    const answer = fetch(url, signed()).then(
      () => 'answered',
      () => 'cut off',
    );
    await until(() => received.length > 0);
    expect(await server.close({ graceMs: 30 })).toEqual({ kind: 'cut_off', requests: 1 });
    expect(await answer).toBe('cut off');
  });

  it('does not wait for idle connections, nor for half a header', async () => {
    const { server, url } = await start();
    await (await fetch(url, signed())).text();
    const socket = raw(server.port, POST_HEAD);
    await once(socket, 'connect');
    // The grace period is longer than this test may take.
    expect(await server.close({ graceMs: 120_000 })).toEqual({ kind: 'finished' });
  });

  it('may be asked for twice', async () => {
    const { server } = await start();
    const first = server.close();
    expect(await server.close()).toEqual(await first);
  });
});

describe('an address that cannot be had', () => {
  it('is PORT_UNAVAILABLE when the port is in use', async () => {
    const { server, app } = await start();
    const second = listen(app, { port: server.port, host: '127.0.0.1' });
    await expect(second).rejects.toMatchObject({
      code: 'PORT_UNAVAILABLE',
      message: `127.0.0.1 port ${server.port}: EADDRINUSE`,
    });
  });

  it('is PORT_UNAVAILABLE when the host is not of this machine', async () => {
    // 192.0.2.0/24 is reserved for documentation, so no machine has it.
    const server = listen(fakeServer().app, { port: 0, host: '192.0.2.1' });
    await expect(server).rejects.toMatchObject({ code: 'PORT_UNAVAILABLE' });
  });
});

describe('the address', () => {
  it('of a server on all interfaces works from here', async () => {
    const { server } = await start({}, { host: '0.0.0.0' });
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });
});

it('the global Request and Response stay as Node made them', async () => {
  await start();
  expect(globalThis.Request).toBe(GLOBALS[0]);
  expect(globalThis.Response).toBe(GLOBALS[1]);
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
