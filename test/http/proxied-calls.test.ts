// Calls through a real proxy: a tunnel for https, the whole address for http, its password, its refusals.

import { createServer as createPlainServer, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { createCryptlexClient } from '../../src/cryptlex/client.ts';
import { parseBypass, parseProxy } from '../../src/http/proxies.ts';
import { AnswerTooLarge, createTransport, type Transport } from '../../src/http/transport.ts';
import { errorOf, user, widePace } from '../cryptlex/fixture.ts';
import { makeCertificate } from '../support/certificate.ts';
import { type ProxyOptions, startProxy, type TestProxy } from '../support/proxy.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const HOST = 'cryptlex.invalid';
const trusted = getCACertificates('default');
const servers: Server[] = [];
let ports: Record<string, number>;
let connections = 0;

const answer: RequestListener = (request, response) => {
  if (request.url === '/huge') response.end(Buffer.alloc(5 * 1024 * 1024));
  else response.end(JSON.stringify(user('u', { firstName: request.headers.host })));
};

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  const own = makeCertificate(HOST, Date.now());
  const other = makeCertificate('somebody.else.invalid', Date.now());
  setDefaultCACertificates([...trusted, own.cert, other.cert]);
  const secure = createServer(own, answer).on('secureConnection', () => {
    connections += 1;
  });
  const securePort = await listen(secure);
  ports = {
    [HOST]: await listen(createPlainServer(answer)),
    [`${HOST}:443`]: securePort,
    [`${HOST}:8443`]: await listen(createServer(other, answer)),
  };
});
afterAll(() => {
  setDefaultCACertificates(trusted);
  for (const server of servers) server.close();
});

async function through(
  options: Omit<ProxyOptions, 'ports'> & { user?: string; noProxy?: string },
  run: (transport: Transport, proxy: TestProxy) => Promise<void>,
): Promise<void> {
  const proxy = await startProxy({ ...options, ports });
  const { user: name = '', noProxy = '' } = options;
  const one = parseProxy(`http://${name}${proxy.address}`);
  try {
    const bypass = parseBypass(noProxy);
    await run(createTransport({ http: one, https: one, bypass }), proxy);
  } finally {
    await proxy.close();
  }
}

const ask = (transport: Transport, url: string) =>
  transport({
    ...{ url, method: 'GET', headers: new Headers(), body: undefined },
    signal: AbortSignal.timeout(10_000),
  });

describe('a call through a proxy', () => {
  test('to https asks for a tunnel, whose connection is kept', () =>
    through({}, async (transport, proxy) => {
      connections = 0;
      for (const path of ['/a', '/b', '/c']) {
        const response = await ask(transport, `https://${HOST}${path}`);
        expect(JSON.parse(await response.text())).toMatchObject({ firstName: HOST });
      }
      expect([proxy.asked, connections]).toEqual([[`CONNECT ${HOST}:443`], 1]);
    }));

  test('to http gives it the whole address', () =>
    through({}, async (transport, proxy) => {
      const response = await ask(transport, `http://${HOST}/v3/users?a=%C3%A4`);
      expect(JSON.parse(await response.text())).toMatchObject({ firstName: HOST });
      expect(proxy.asked).toEqual([`GET http://${HOST}/v3/users?a=%C3%A4`]);
    }));

  test('has a size as well', () =>
    through({}, async (transport) => {
      for (const scheme of ['http', 'https']) {
        const response = await ask(transport, `${scheme}://${HOST}/huge`);
        await expect(response.text()).rejects.toThrow(AnswerTooLarge);
      }
    }));

  test('checks the name in the certificate as ever', () =>
    through({}, async (transport) => {
      await expect(ask(transport, `https://${HOST}:8443/`)).rejects.toMatchObject({
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      });
    }));

  test('is given up with its caller before the tunnel is there', () =>
    through({}, async (transport) => {
      const giving = new AbortController();
      const call = transport({
        ...{ url: `https://${HOST}/`, method: 'GET', headers: new Headers(), body: undefined },
        signal: giving.signal,
      });
      giving.abort(new Error('given up'));
      await expect(call).rejects.toThrow('given up');
    }));

  test('goes past it where NO_PROXY says so', () =>
    through({ noProxy: 'localhost' }, async (transport, proxy) => {
      const response = await ask(transport, `http://localhost:${ports[HOST]}/`);
      expect(response.status).toBe(200);
      expect(proxy.asked).toEqual([]);
    }));

  for (const scheme of ['http', 'https']) {
    test(`to ${scheme} shows it the user and the password, and nobody else`, () =>
      through({ credentials: 'ann:se:cret', user: 'ann:se%3Acret@' }, async (transport) => {
        expect((await ask(transport, `${scheme}://${HOST}/`)).status).toBe(200);
      }));
  }
});

describe('a renewal through a proxy that refuses', () => {
  const renew = (transport: Transport, scheme: string) => {
    const clock = new VirtualClock({ autoAdvance: true });
    const client = createCryptlexClient({
      ...{ baseUrl: `${scheme}://${HOST}`, token: new Secret('t'), pace: widePace(clock), clock },
      ...{ transport, retryPausesMs: [] },
    });
    return errorOf(client.renewLicense('l'));
  };
  for (const [name, options, scheme, message] of [
    [
      'wants a password',
      { credentials: 'a:b' },
      'https',
      /could not be sent: the proxy answered 407/,
    ],
    ['wants a password', { credentials: 'a:b' }, 'http', /answered with 407/],
    ['lets nobody through', { refusal: 403 }, 'https', /could not be sent: the proxy answered 403/],
  ] as const) {
    test(`and ${name} (${scheme}) was certainly not done, and is tried again`, () =>
      through({ ...options, user: 'x:hunter2@' }, async (transport) => {
        const error = await renew(transport, scheme);
        expect(error).toMatchObject({ code: 'CRYPTLEX_UNAVAILABLE', effect: 'none' });
        expect(error.message).toMatch(message);
        expect(error.message).not.toContain('hunter2');
      }));
  }

  test('and is not there was certainly not done', async () => {
    const one = parseProxy('http://x:hunter2@127.0.0.1:9');
    for (const scheme of ['http', 'https']) {
      const error = await renew(createTransport({ http: one, https: one, bypass: [] }), scheme);
      expect(error).toMatchObject({ code: 'CRYPTLEX_UNAVAILABLE', effect: 'none' });
      expect(error.message).toMatch(/could not be sent: .*ECONNREFUSED/);
    }
  });
});
