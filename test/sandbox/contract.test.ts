import { describe, expect, test } from 'vitest';
import { loadContract } from '../../src/sandbox/openapi.ts';
import { HANDLERS } from '../../src/sandbox/routes.ts';
import { createWorkbench, START, USER } from './bench.ts';

describe('the OpenAPI document', () => {
  test('is served whole, and nothing beside it', () => {
    const operations = loadContract().operations.map((operation) => operation.operationId);
    expect([...HANDLERS.keys()].sort()).toEqual([...operations].sort());
  });

  test('catches an answer that breaks it', async () => {
    const { get, sandbox } = createWorkbench({ defaultTemplate: { type: 'floating' } });
    await expect(get('/v3/license-templates/t')).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(sandbox.violations).toHaveLength(1);
  });

  test('knows answers it does not list, bodies where none may be, and shapes that are wrong', () => {
    const contract = loadContract();
    const found = contract.match('DELETE', '/v3/licenses/1');
    if (found.kind !== 'found') throw new Error('no such route');
    expect(contract.checkAnswer(found.operation, 204, undefined)).toBeUndefined();
    expect(contract.checkAnswer(found.operation, 204, {})).toBeDefined();
    expect(contract.checkAnswer(found.operation, 200, {})).toBeDefined();
    expect(contract.checkAnswer(found.operation, 404, { message: 'gone' })).toBeUndefined();
    expect(contract.checkAnswer(found.operation, 404, { error: 'gone' })).toBeDefined();
  });
});

describe('paths', () => {
  for (const [method, path, status] of [
    ['GET', '/v3/users', 200],
    ['GET', '/v3/v3/users', 404],
    ['GET', '/users', 404],
    ['GET', '/v3/users/', 404],
    ['GET', '/V3/users', 404],
    ['GET', '/v3', 404],
    ['GET', '/', 404],
    ['GET', '/v3/licenses/l1/renew', 405],
    ['POST', '/v3/licenses/l1/renewal', 404],
    ['PUT', '/v3/licenses/l1', 405],
    ['DELETE', '/v3/users/u1', 405],
    ['GET', '/v3/licenses/%zz', 404],
  ] as const) {
    test(`${method} ${path} is ${status}`, async () => {
      const { call, sandbox } = createWorkbench();
      const reply = await call(method, path);
      expect(reply.status).toBe(status);
      if (status !== 200) expect(reply.body.message).toEqual(expect.any(String));
      const strange = status === 405 || (status === 404 && !path.includes('%zz'));
      expect(sandbox.violations).toHaveLength(strange ? 1 : 0);
    });
  }
});

describe('bodies', () => {
  const post = (text: string, contentType: string) =>
    new Request('https://api.cryptlex.com/v3/users', {
      method: 'POST',
      headers: { authorization: 'Bearer sandbox-token', 'content-type': contentType },
      body: text,
    });
  for (const [name, text, contentType, status] of [
    ['JSON', JSON.stringify(USER), 'application/json', 201],
    ['JSON with a charset', JSON.stringify(USER), 'application/json; charset=utf-8', 201],
    ['a form', 'email=a', 'application/x-www-form-urlencoded', 415],
    ['half a JSON', '{"email":', 'application/json', 400],
    ['nothing', '', 'application/json', 400],
    ['a list', '[]', 'application/json', 400],
    ['null', 'null', 'application/json', 400],
  ] as const) {
    test(`${name} is ${status}`, async () => {
      const { sandbox } = createWorkbench();
      expect((await sandbox.fetch(post(text, contentType))).status).toBe(status);
      expect(sandbox.violations).toHaveLength(status === 201 ? 0 : 1);
    });
  }
});

describe('access tokens', () => {
  const tokens = {
    reader: { scopes: ['license:read', 'user:read'] },
    writer: { scopes: ['license:write', 'user:write'] },
    newName: { scopes: ['licenseTemplate:read'] },
    oldName: { scopes: ['licensePolicy:read'] },
    revoked: { scopes: 'all', revoked: true },
    lasting: { scopes: 'all', expiresAtMs: START + 1 },
    expired: { scopes: 'all', expiresAtMs: START },
  } as const;
  for (const [token, method, path, status] of [
    ['reader', 'GET', '/v3/licenses', 200],
    ['reader', 'GET', '/v3/users', 200],
    ['reader', 'DELETE', '/v3/licenses/l1', 403],
    ['reader', 'POST', '/v3/licenses/l1/renew', 403],
    ['reader', 'GET', '/v3/license-templates/t', 403],
    ['writer', 'GET', '/v3/licenses', 403],
    ['writer', 'DELETE', '/v3/licenses/l1', 404],
    ['newName', 'GET', '/v3/license-templates/t', 200],
    ['oldName', 'GET', '/v3/license-templates/t', 200],
    ['oldName', 'GET', '/v3/users', 403],
    ['revoked', 'GET', '/v3/users', 401],
    ['expired', 'GET', '/v3/users', 401],
    ['lasting', 'GET', '/v3/users', 200],
    ['stranger', 'GET', '/v3/users', 401],
    ['sandbox-token', 'GET', '/v3/users', 401],
    [null, 'GET', '/v3/users', 401],
    [null, 'GET', '/v3/v3/users', 404],
  ] as const) {
    test(`${token ?? 'none'} on ${method} ${path}: ${status}`, async () => {
      const { call } = createWorkbench({ tokens });
      const reply = await call(method, path, { token });
      expect(reply.status).toBe(status);
      if (status === 401 || status === 403) expect(reply.body.message).toEqual(expect.any(String));
    });
  }

  test('another scheme is 401, in another case it is fine', async () => {
    const { call } = createWorkbench();
    const send = async (authorization: string) =>
      (await call('GET', '/v3/users', { headers: { authorization } })).status;
    expect(await send('Basic sandbox-token')).toBe(401);
    expect(await send('sandbox-token')).toBe(401);
    expect(await send('bearer sandbox-token')).toBe(200);
  });

  test('a 401 may come without a body', async () => {
    const { call } = createWorkbench({ unauthorizedBody: 'empty' });
    const reply = await call('GET', '/v3/users', { token: 'stranger' });
    expect([reply.status, reply.text, reply.headers.get('content-length')]).toEqual([401, '', '0']);
  });

  test('what is refused changes nothing', async () => {
    const { call, sandbox } = createWorkbench({ tokens });
    await call('POST', '/v3/users', { body: USER, token: 'reader' });
    expect(sandbox.state.users).toEqual([]);
  });
});

describe('the record of requests', () => {
  test('holds method, path, query, body and status in order, but no password', async () => {
    const { get, post, sandbox } = createWorkbench();
    await get('/v3/users?email[eq]=a%2Bb%40x.de&limit=100');
    await post('/v3/users', USER);
    expect(sandbox.requests).toMatchObject([
      {
        method: 'GET',
        path: '/v3/users',
        query: [
          ['email[eq]', 'a+b@x.de'],
          ['limit', '100'],
        ],
        status: 200,
      },
      {
        method: 'POST',
        path: '/v3/users',
        query: [],
        body: { ...USER, password: '<secret>' },
        status: 201,
      },
    ]);
    sandbox.clearRequests();
    expect(sandbox.requests).toEqual([]);
    expect(sandbox.state.users).toHaveLength(1);
  });

  test('is not kept when turned off', async () => {
    const { get, sandbox } = createWorkbench({ recordRequests: false });
    await get('/v3/users');
    expect(sandbox.requests).toEqual([]);
  });
});
