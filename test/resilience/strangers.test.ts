// What comes from strangers: garbage, guesses, thousands of connections. None of it shuts out a signed
// webhook, fills the log, or tells what runs here.

import { spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { composeSandbox } from '../../src/sandbox/compose-sandbox.ts';
import { readSample, withKeywright } from '../support/keywright.ts';
import { startServerProcess } from './process.ts';

/** Ten thousand, where this machine lets a process open so many files. */
const CONNECTIONS = Math.min(10_000, openFilesMax() - 500);
const BODY = { 'content-type': 'application/json', 'stripe-signature': 't=1,v1=00' };

async function post(url: string, headers: Record<string, string> = BODY): Promise<Response> {
  const response = await fetch(`${url}/v1`, { method: 'POST', headers, body: '{}' });
  await response.arrayBuffer();
  return response;
}

describe('many refused requests of one address', () => {
  test('are answered, logged once, and lose their connection; a signed webhook still gets in', () =>
    withKeywright({ providers: ['stripe'] }, async ({ url, log, sendSample }) => {
      const answers: Response[] = [];
      for (let count = 0; count < 100; count += 1) answers.push(await post(url));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]));
      const closed = answers.map(({ headers }) => headers.get('connection') === 'close');
      expect(closed.indexOf(true)).toBe(60);
      expect(closed.slice(60).every(Boolean)).toBe(true);
      const lines = log.filter((line) => line.includes('delivery refused'));
      expect(lines).toHaveLength(60);
      expect(log.filter((line) => line.includes('too many refused requests'))).toHaveLength(1);
      const { status } = await sendSample('stripe', 'checkout.session.completed-payment');
      expect(status).toBe(200);
    }));

  test('at the admin API wait for their answer; the right token does not', () =>
    withKeywright(
      { providers: ['stripe'], env: { ADMIN_TOKEN: 'the-right-token' } },
      async ({ url }) => {
        const ask = async (token: string): Promise<[number, number]> => {
          const beganMs = performance.now();
          const headers = { authorization: `Bearer ${token}` };
          const { status } = await fetch(`${url}/admin/events`, { headers });
          return [status, performance.now() - beganMs];
        };
        for (let count = 0; count < 60; count += 1) expect((await ask('wrong'))[0]).toBe(401);
        const [status, durationMs] = await ask('wrong');
        expect(status).toBe(401);
        expect(durationMs).toBeGreaterThanOrEqual(990);
        expect((await ask('the-right-token'))[0]).toBe(200);
      },
    ));
});

test('no answer tells what runs here', () =>
  withKeywright({ providers: ['stripe'] }, async ({ url }) => {
    for (const path of ['/healthz', '/readyz', '/v1', '/nothing', '/admin/events']) {
      const { headers } = await fetch(`${url}${path}`);
      expect([headers.get('x-powered-by'), headers.get('server')], path).toEqual([null, null]);
      expect(headers.get('x-content-type-options'), path).toBe('nosniff');
    }
  }));

test('a header without end, and a flood of headers, are cut off', () =>
  withKeywright({ providers: ['stripe'] }, async ({ url }) => {
    const response = await fetch(`${url}/healthz`, { headers: { 'x-long': 'x'.repeat(20_000) } });
    expect(response.status).toBe(431);
    const many = Object.fromEntries(Array.from({ length: 4_000 }, (_, n) => [`x-${n}`, 'a']));
    expect((await fetch(`${url}/healthz`, { headers: many })).status).toBe(431);
  }));

test('ten thousand open connections leave room for a webhook', async () => {
  const cryptlex = await composeSandbox({ port: 0, rateLimit: false });
  const server = await startServerProcess(cryptlex);
  const { hostname, port } = new URL(server.url);
  const sockets: Socket[] = [];
  try {
    // In portions: the queue of connections that wait to be accepted is short on every system.
    while (sockets.length < CONNECTIONS) {
      const portion = Array.from({ length: 250 }, () => open(hostname, Number(port)));
      sockets.push(...(await Promise.all(portion)));
    }
    const body = readSample('stripe', 'checkout.session.completed-payment').toString('utf8');
    expect(await server.send('stripe', body)).toBe(200);
    expect(sockets.filter((socket) => !socket.destroyed).length).toBeGreaterThan(CONNECTIONS / 2);
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.end('SIGTERM');
    await cryptlex.close();
  }
});

function openFilesMax(): number {
  const limit = Number(spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout);
  return Number.isNaN(limit) ? Number.POSITIVE_INFINITY : limit;
}

/** An open connection that has begun a request and never ends it. */
function open(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => {
      socket.write('POST /v1 HTTP/1.1\r\nhost: a\r\n');
      socket.off('error', reject);
      // It is cut off by the server after a while, which is right.
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
