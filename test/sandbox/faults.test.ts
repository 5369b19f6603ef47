import { describe, expect, test } from 'vitest';
import type { FaultEffect } from '../../src/sandbox/faults.ts';
import { createWorkbench, START } from './bench.ts';

const LICENSE = { productId: 'p' };
const CREATE = { method: 'POST', path: '/v3/licenses' } as const;

/** Where a promise stands after everything that could happen has happened. */
async function standOf(promise: Promise<unknown>): Promise<'pending' | 'fulfilled' | 'rejected'> {
  const later = new Promise<'pending'>((resolve) => setImmediate(() => resolve('pending')));
  return Promise.race([
    promise.then(
      () => 'fulfilled' as const,
      () => 'rejected' as const,
    ),
    later,
  ]);
}

describe('a broken connection', () => {
  for (const [when, code, licenses] of [
    ['beforeCommit', 'ECONNREFUSED', 0],
    ['afterCommit', 'ECONNRESET', 1],
  ] as const) {
    test(`${when} rejects like fetch, with ${licenses} licenses made`, async () => {
      const { post, sandbox } = createWorkbench({
        faults: [{ ...CREATE, effect: { kind: 'disconnect', when } }],
      });
      const failure = await post('/v3/licenses', LICENSE).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(TypeError);
      expect(failure).toMatchObject({ message: 'fetch failed', cause: { code } });
      expect(sandbox.state.licenses).toHaveLength(licenses);
      expect(sandbox.requests).toMatchObject([{ status: null }]);
    });
  }

  test('that is refused does not count against the rate limit', async () => {
    const { get, sandbox } = createWorkbench({ rateLimit: { requests: 1, periodMs: 1000 } });
    sandbox.faults.add({ call: 1, effect: { kind: 'disconnect' } });
    await get('/v3/users').catch(() => undefined);
    expect((await get('/v3/users')).status).toBe(200);
  });
});

describe('no answer', () => {
  for (const [name, effect, licenses] of [
    ['before the commit', { kind: 'timeout', when: 'beforeCommit' }, 0],
    ['after the commit', { kind: 'timeout', when: 'afterCommit' }, 1],
  ] as const) {
    test(`${name}: it ends when the caller gives up, with ${licenses} licenses made`, async () => {
      const { call, sandbox, clock } = createWorkbench({ faults: [{ ...CREATE, effect }] });
      const caller = new AbortController();
      const reply = call('POST', '/v3/licenses', { body: LICENSE, signal: caller.signal });
      expect(await standOf(reply)).toBe('pending');
      await clock.advance(3_600_000);
      expect(await standOf(reply)).toBe('pending');
      caller.abort(new Error('enough'));
      await expect(reply).rejects.toThrow('enough');
      expect(sandbox.state.licenses).toHaveLength(licenses);
      expect(sandbox.requests).toMatchObject([{ status: null }]);
    });
  }

  test('and a commit that comes late, after the caller left', async () => {
    const { call, sandbox, clock } = createWorkbench();
    sandbox.faults.add({ ...CREATE, effect: { kind: 'lateCommit', afterMs: 5000 } });
    const caller = new AbortController();
    const reply = call('POST', '/v3/licenses', { body: LICENSE, signal: caller.signal });
    expect(await standOf(reply)).toBe('pending');
    caller.abort();
    await expect(reply).rejects.toMatchObject({ name: 'AbortError' });
    await clock.advance(4999);
    expect([sandbox.state.licenses.length, sandbox.faults.pendingCommits]).toEqual([0, 1]);
    await clock.advance(1);
    await sandbox.faults.settled();
    expect([sandbox.state.licenses.length, sandbox.faults.pendingCommits]).toEqual([1, 0]);
    expect(sandbox.state.licenses[0]?.createdAt).toBe('2026-01-31T10:00:05.0000000Z');
  });

  test('a late commit does not land in what was cleared meanwhile', async () => {
    const { call, sandbox, clock } = createWorkbench();
    sandbox.faults.add({ ...CREATE, effect: { kind: 'lateCommit', afterMs: 10 } });
    const caller = new AbortController();
    const reply = call('POST', '/v3/licenses', { body: LICENSE, signal: caller.signal });
    await standOf(reply);
    sandbox.clear();
    caller.abort();
    await expect(reply).rejects.toThrow();
    await clock.advance(10);
    await sandbox.faults.settled();
    expect(sandbox.state.licenses).toEqual([]);
  });

  test('a caller who has left before the call does nothing', async () => {
    const { call, sandbox } = createWorkbench();
    const reply = call('POST', '/v3/licenses', { body: LICENSE, signal: AbortSignal.abort() });
    await expect(reply).rejects.toMatchObject({ name: 'AbortError' });
    expect(sandbox.state.licenses).toEqual([]);
  });
});

describe('a slow answer', () => {
  test('comes when its time has come', async () => {
    const { post, sandbox, clock } = createWorkbench({
      faults: [{ effect: { kind: 'slow', ms: 300 } }],
    });
    const reply = post('/v3/licenses', LICENSE);
    await clock.advance(0);
    await clock.advance(299);
    expect([await standOf(reply), sandbox.state.licenses.length]).toEqual(['pending', 0]);
    await clock.advance(1);
    expect((await reply).status).toBe(201);
  });

  test('does its work all the same when the caller left before', async () => {
    const { call, sandbox, clock } = createWorkbench({
      faults: [{ effect: { kind: 'slow', ms: 300 } }],
    });
    const caller = new AbortController();
    const reply = call('POST', '/v3/licenses', { body: LICENSE, signal: caller.signal });
    await standOf(reply);
    caller.abort();
    await expect(reply).rejects.toMatchObject({ name: 'AbortError' });
    await clock.advance(300);
    expect(sandbox.state.licenses).toHaveLength(1);
  });
});

describe('a false status', () => {
  for (const status of [400, 401, 403, 404, 409, 429, 500, 502, 503, 504]) {
    for (const [when, licenses] of [
      ['beforeCommit', 0],
      ['afterCommit', 1],
    ] as const) {
      test(`${status} ${when}: ${licenses} licenses made`, async () => {
        const { post, sandbox } = createWorkbench({
          faults: [{ ...CREATE, effect: { kind: 'status', status, when } }],
        });
        const reply = await post('/v3/licenses', LICENSE);
        expect([reply.status, reply.body.message]).toEqual([status, expect.any(String)]);
        expect(sandbox.state.licenses).toHaveLength(licenses);
        expect(sandbox.requests).toMatchObject([{ status }]);
      });
    }
  }

  for (const [name, effect, header] of [
    ['in seconds', { kind: 'status', status: 429, retryAfterSeconds: 7 }, '7'],
    [
      'as a date',
      { kind: 'status', status: 503, retryAfterAtMs: START },
      'Sat, 31 Jan 2026 10:00:00 GMT',
    ],
    ['not at all', { kind: 'status', status: 503 }, null],
  ] as const) {
    test(`says when to come back, ${name}`, async () => {
      const { get } = createWorkbench({ faults: [{ effect }] });
      expect((await get('/v3/users')).headers.get('retry-after')).toBe(header);
    });
  }
});

describe('a false body', () => {
  for (const [body, contentType, text] of [
    ['json', 'application/json; charset=utf-8', '{"message":"sandbox fault: 500"}'],
    ['empty', null, ''],
    ['html', 'text/html; charset=utf-8', expect.stringContaining('<html>')],
    ['text', 'text/plain; charset=utf-8', 'Something went wrong.'],
    ['invalidJson', 'application/json; charset=utf-8', '{"id": "'],
    ['emptyObject', 'application/json; charset=utf-8', '{}'],
  ] as const) {
    test(`of a 500: ${body}`, async () => {
      const { get } = createWorkbench({
        faults: [{ effect: { kind: 'status', status: 500, body } }],
      });
      const reply = await get('/v3/users');
      expect([reply.status, reply.headers.get('content-type'), reply.text]).toEqual([
        500,
        contentType,
        text,
      ]);
      expect(reply.headers.get('content-length')).toBe(body === 'empty' ? '0' : null);
    });
  }

  test('of an answer that is otherwise true: the id is missing, the license is there', async () => {
    const { get, post, sandbox } = createWorkbench({
      faults: [{ effect: { kind: 'garble', body: 'withoutId' } }],
    });
    const made = await post('/v3/licenses', LICENSE);
    expect([made.status, made.body.id, made.body.key]).toEqual([
      201,
      undefined,
      expect.any(String),
    ]);
    expect(sandbox.state.licenses).toHaveLength(1);
    const list = await get('/v3/licenses');
    expect(list.list).toMatchObject([{ key: made.body.key }]);
    expect(list.list?.[0]).not.toHaveProperty('id');
  });

  test('of a 204 claims to be a 200', async () => {
    const { call, sandbox } = createWorkbench({
      faults: [{ effect: { kind: 'garble', body: 'html' } }],
    });
    sandbox.seed({ licenses: [{ id: 'l1' }] });
    expect((await call('DELETE', '/v3/licenses/l1')).status).toBe(200);
    expect(sandbox.state.licenses).toEqual([]);
  });
});

test('one list is stale, the next is not', async () => {
  const { get, post, sandbox } = createWorkbench();
  sandbox.faults.add({ method: 'GET', call: 1, effect: { kind: 'staleList', ms: 1000 } });
  await post('/v3/licenses', LICENSE);
  expect((await get('/v3/licenses')).list).toEqual([]);
  expect((await get('/v3/licenses')).list).toHaveLength(1);
});

describe('which call is struck', () => {
  const effect: FaultEffect = { kind: 'status', status: 500 };

  for (const [name, fault, struck] of [
    ['each', {}, [1, 2, 3, 4]],
    ['the second', { call: 2 }, [2]],
    ['every one', { call: 'every' }, [1, 2, 3, 4]],
    ['by method', { method: 'post' }, [3, 4]],
    ['the second of a method', { method: 'POST', call: 2 }, [4]],
    ['by path', { path: '/v3/licenses' }, [1]],
    ['by a path with a blank', { path: '/v3/licenses/{id}' }, [2]],
    ['by a longer path', { path: '/v3/licenses/{id}/renew' }, [3, 4]],
    ['by the rest of a path', { path: '/v3/licenses/*' }, [2, 3, 4]],
    ['none: a dot is a dot', { path: '/v3.licenses' }, []],
  ] as const) {
    test(name, async () => {
      const { call, sandbox } = createWorkbench({ faults: [{ ...fault, effect }] });
      sandbox.seed({ licenses: [{ id: 'l1' }] });
      const statuses = [
        (await call('GET', '/v3/licenses')).status,
        (await call('GET', '/v3/licenses/l1')).status,
        (await call('POST', '/v3/licenses/l1/renew')).status,
        (await call('POST', '/v3/licenses/l1/renew')).status,
      ];
      const struckCalls = statuses.flatMap((status, place) => (status === 500 ? [place + 1] : []));
      expect(struckCalls).toEqual(struck);
    });
  }

  test('the first of several counts, and all of them count the call', async () => {
    const { get, sandbox } = createWorkbench();
    sandbox.faults.add(
      { call: 1, effect: { kind: 'status', status: 500 } },
      { call: 2, effect: { kind: 'status', status: 503 } },
    );
    expect((await get('/v3/users')).status).toBe(500);
    expect((await get('/v3/users')).status).toBe(503);
    expect((await get('/v3/users')).status).toBe(200);
  });

  test('a hook sees each call, comes first, and can be taken back', async () => {
    const { get, post, sandbox } = createWorkbench({ faults: [{ effect }] });
    const seen: string[] = [];
    const takeBack = sandbox.faults.onCall(async ({ index, method, path, body }) => {
      seen.push(`${index} ${method} ${path} ${JSON.stringify(body)}`);
      return method === 'GET' ? { kind: 'status', status: 504 } : undefined;
    });
    expect((await get('/v3/users?limit=1')).status).toBe(504);
    expect((await post('/v3/licenses', LICENSE)).status).toBe(500);
    takeBack();
    expect((await get('/v3/users')).status).toBe(500);
    sandbox.faults.clear();
    expect((await get('/v3/users')).status).toBe(200);
    expect(seen).toEqual(['1 GET /v3/users undefined', '2 POST /v3/licenses {"productId":"p"}']);
  });
});
