// Cryptlex, or what answers in its place, sends 700 MB. The server runs as a process of its own: it lives on,
// its memory stays flat, and the license is made once, also when it starts again in the middle.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createSystemClock } from '../../src/core/clock.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { sampleBody } from '../support/keywright.ts';
import { type ServerProcess, startServerProcess } from './process.ts';

const TOKEN = 'token-of-the-flood';
const FLOOD_BYTES = 700 * 1024 * 1024;
const SALE = JSON.stringify(sampleBody('stripe', 'invoice.paid-subscription-create'));
const directory = mkdtempSync(join(tmpdir(), 'keywright-flood-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A sandbox whose answers to some calls are followed by zeros; the call itself is done before. */
async function startFlood(floods: (method: string, licenses: number) => boolean) {
  const sandbox = createSandbox({ clock: createSystemClock(), token: TOKEN, rateLimit: false });
  let isOn = true;
  let count = 0;
  const server = createServer(async (incoming, outgoing) => {
    const { url = '/', method = 'GET' } = incoming;
    const body = await bodyOf(incoming);
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const sent = method === 'GET' || body === '' ? {} : { body };
    const request = new Request(`http://sandbox.invalid${url}`, { method, headers, ...sent });
    const answer = await sandbox.fetch(request);
    outgoing.writeHead(answer.status, { 'content-type': 'application/json' });
    if (isOn && floods(method, sandbox.state.licenses.length)) {
      count += 1;
      pour(outgoing);
    } else outgoing.end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    licenses: () => sandbox.state.licenses.length,
    count: () => count,
    end: () => {
      isOn = false;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  let body = '';
  for await (const part of incoming) body += String(part);
  return body;
}

function pour(outgoing: ServerResponse): void {
  const block = Buffer.alloc(256 * 1024, ' ');
  let left = FLOOD_BYTES;
  const more = (): void => {
    while (left > 0 && !outgoing.destroyed) {
      left -= block.length;
      if (!outgoing.write(block)) return;
    }
    if (left <= 0) outgoing.end();
  };
  outgoing.on('drain', more);
  more();
}

function residentBytes({ pid }: ServerProcess): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024;
}

/** Watches the memory until it comes true; ends the test when the process ends before. */
async function until(server: ServerProcess, condition: () => boolean): Promise<number> {
  let most = 0;
  while (!condition()) {
    most = Math.max(most, residentBytes(server));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return Math.max(most, residentBytes(server));
}

describe('an answer of 700 MB', () => {
  for (const [name, restarts, floods] of [
    ['after each write', 0, (method: string) => method !== 'GET'],
    ['after the license is made, whatever is asked', 2, (_: string, made: number) => made > 0],
  ] as const) {
    test(`${name}: the process lives on, and one license is made; ${restarts} restarts`, async () => {
      const cryptlex = await startFlood(floods);
      const env = {
        DATABASE_URL: `sqlite:${join(directory, `${restarts}.db`)}`,
        WEBHOOK_DEADLINE_MS: '200',
      };
      const start = () => startServerProcess({ url: cryptlex.url, token: TOKEN }, env);
      let server = await start();
      try {
        const before = residentBytes(server);
        expect(await server.send('stripe', SALE)).toBe(200);
        let most = await until(server, () => cryptlex.count() >= 2);
        for (let restart = 0; restart < restarts; restart += 1) {
          await server.end('SIGKILL');
          const seen = cryptlex.count();
          server = await start();
          most = Math.max(most, await until(server, () => cryptlex.count() >= seen + 2));
        }
        cryptlex.end();
        most = Math.max(most, await until(server, () => isDone(server)));
        expect(cryptlex.licenses()).toBe(1);
        expect(most).toBeLessThan(before + FLOOD_BYTES / 4);
        expect(await server.end('SIGTERM')).toBe(0);
      } finally {
        await server.end('SIGKILL');
        cryptlex.close();
      }
    });
  }
});

function isDone({ lines }: ServerProcess): boolean {
  return lines.some((line) => line.includes('"status":"done"'));
}
