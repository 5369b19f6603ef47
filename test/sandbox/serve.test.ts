import { afterEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../src/core/model.ts';
import type { Fault } from '../../src/sandbox/faults.ts';
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { type ServedSandbox, serveSandbox } from '../../src/sandbox/serve.ts';

const clock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(() => resolve(true), ms)),
};
const running: ServedSandbox[] = [];

afterEach(async () => {
  for (const served of running.splice(0)) await served.close();
});

async function start(faults: readonly Fault[] = []): Promise<{ sandbox: Sandbox; url: string }> {
  const sandbox = createSandbox({ clock, faults });
  const served = await serveSandbox(sandbox);
  running.push(served);
  return { sandbox, url: served.url };
}

function send(url: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}/v3/licenses`, {
    method: 'POST',
    headers: { authorization: 'Bearer sandbox-token', 'content-type': 'application/json' },
    body: JSON.stringify({ productId: 'p' }),
    ...(signal === undefined ? {} : { signal }),
  });
}

describe('over real HTTP', () => {
  test('the same sandbox answers', async () => {
    const { sandbox, url } = await start();
    const made = await send(url);
    expect(made.status).toBe(201);
    expect(made.headers.get('x-rate-limit-remaining')).toBe('49');
    const { id } = (await made.json()) as { id: string };
    expect(sandbox.state.licenses).toMatchObject([{ id }]);
    const headers = { authorization: 'Bearer sandbox-token' };
    const gone = await fetch(`${url}/v3/licenses/${id}`, { method: 'DELETE', headers });
    expect([gone.status, await gone.text()]).toEqual([204, '']);
  });

  for (const [when, licenses] of [
    ['beforeCommit', 0],
    ['afterCommit', 1],
  ] as const) {
    test(`a connection broken ${when} is a TypeError, with ${licenses} licenses made`, async () => {
      const { sandbox, url } = await start([{ effect: { kind: 'disconnect', when } }]);
      await expect(send(url)).rejects.toThrow(TypeError);
      expect(sandbox.state.licenses).toHaveLength(licenses);
    });

    test(`no answer ${when}: the caller gives up, with ${licenses} licenses made`, async () => {
      const { sandbox, url } = await start([{ effect: { kind: 'timeout', when } }]);
      await expect(send(url, AbortSignal.timeout(50))).rejects.toMatchObject({
        name: 'TimeoutError',
      });
      expect(sandbox.state.licenses).toHaveLength(licenses);
    });
  }

  test('a commit comes late, after the caller left', async () => {
    const { sandbox, url } = await start([{ effect: { kind: 'lateCommit', afterMs: 100 } }]);
    await expect(send(url, AbortSignal.timeout(1_000))).rejects.toThrow();
    await sandbox.faults.settled();
    expect(sandbox.state.licenses).toHaveLength(1);
  });

  test('an empty 500 says that it is empty', async () => {
    const { url } = await start([{ effect: { kind: 'status', status: 500, body: 'empty' } }]);
    const response = await send(url);
    expect([response.status, response.headers.get('content-length')]).toEqual([500, '0']);
  });

  test('a fault strikes one connection, and the next call is served', async () => {
    const { url } = await start([{ call: 1, effect: { kind: 'disconnect' } }]);
    await expect(send(url)).rejects.toThrow(TypeError);
    expect((await send(url)).status).toBe(201);
  });

  test('closing does not wait for calls without an answer', async () => {
    const sandbox = createSandbox({
      clock,
      faults: [{ effect: { kind: 'timeout', when: 'beforeCommit' } }],
    });
    const served = await serveSandbox(sandbox);
    const reply = send(served.url).catch((error: unknown) => error);
    while (sandbox.requests.length === 0) await clock.sleep(5);
    await served.close();
    expect(await reply).toBeInstanceOf(TypeError);
    await expect(send(served.url)).rejects.toThrow(TypeError);
  });

  test('a port that is taken is told', async () => {
    const { sandbox, url } = await start();
    const port = Number(new URL(url).port);
    await expect(serveSandbox(sandbox, { port })).rejects.toMatchObject({
      code: 'PORT_UNAVAILABLE',
    });
  });
});
