// Which address goes through which proxy: both sides of each form of NO_PROXY, and what is no proxy at all.

import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createEnvironment } from '../../src/config/environment.ts';
import { readProxies } from '../../src/config/proxy.ts';
import { formatProxy, parseBypass, parseProxy, proxyFor } from '../../src/http/proxies.ts';

const proxy = parseProxy('http://proxy.example.com:3128');

describe('NO_PROXY', () => {
  for (const [text, direct, proxied] of [
    ['', [], ['http://a.example.com', 'https://10.0.0.1']],
    ['*', ['http://a.example.com', 'https://10.0.0.1', 'http://[::1]'], []],
    [
      'example.com',
      [
        'http://example.com',
        'https://api.example.com',
        'https://API.Example.COM.',
        'http://example.com:81',
      ],
      ['http://notexample.com', 'http://example.com.evil.net', 'http://com'],
    ],
    ['.example.com', ['https://a.b.example.com', 'http://example.com'], ['http://notexample.com']],
    ['*.example.com', ['https://a.example.com'], ['http://notexample.com']],
    ['Example.COM', ['https://api.example.com'], ['https://example.org']],
    [
      'example.com:8443',
      ['https://a.example.com:8443'],
      ['https://a.example.com', 'http://example.com:80'],
    ],
    ['example.com:443', ['https://example.com'], ['http://example.com', 'https://example.com:444']],
    ['localhost,127.0.0.1', ['http://localhost:4318', 'http://127.0.0.1:9'], ['http://127.0.0.2']],
    ['10.0.0.1:80', ['http://10.0.0.1'], ['https://10.0.0.1', 'http://x.10.0.0.1.example']],
    [
      '10.0.0.0/8',
      ['http://10.255.0.1', 'https://10.0.0.0'],
      ['http://11.0.0.1', 'http://ten.example'],
    ],
    ['::1', ['http://[::1]:80'], ['http://[::2]']],
    ['[::1]:8080', ['http://[::1]:8080'], ['http://[::1]']],
    ['fd00::/8', ['http://[fd12::1]'], ['http://[fe80::1]', 'http://10.0.0.1']],
    ['10.0.0.0/33', [], ['http://10.0.0.1']],
    [
      ' a.test ,, b.test\tc.test',
      ['http://a.test', 'http://b.test', 'http://c.test'],
      ['http://d.test'],
    ],
  ] as const) {
    test(`"${text}"`, () => {
      const proxies = { http: proxy, https: proxy, bypass: parseBypass(text) };
      const through = (url: string) => proxyFor(new URL(url), proxies) !== undefined;
      expect(direct.filter(through)).toEqual([]);
      expect(proxied.filter((url) => !through(url))).toEqual([]);
    });
  }
});

describe('the address of a proxy', () => {
  for (const [text, shown] of [
    ['http://proxy.example.com:3128', 'proxy.example.com:3128'],
    ['http://proxy.example.com', 'proxy.example.com:80'],
    ['https://proxy.example.com/', 'proxy.example.com:443'],
    ['proxy.example.com:3128', 'proxy.example.com:3128'],
    ['10.0.0.1:8080', '10.0.0.1:8080'],
    ['http://[::1]:3128', '[::1]:3128'],
    ['http://us%40er:pass%3Aword@proxy:1', 'proxy:1'],
    ['socks5://proxy:1080', undefined],
    ['http://', undefined],
    ['http://proxy:99999', undefined],
    ['http://proxy/path', undefined],
    ['http://proxy/?q', undefined],
    ['http://%zz@proxy', undefined],
    ['two words', undefined],
  ] as const) {
    test(`${text} is ${shown ?? 'none'}`, () => {
      const parsed = parseProxy(text);
      expect(parsed && formatProxy(parsed)).toBe(shown);
    });
  }

  test('holds its user and password decoded, and shows neither', () => {
    const parsed = parseProxy('http://us%40er:pass%3Aword@proxy:1');
    const credentials = Buffer.from('us@er:pass:word').toString('base64');
    expect(parsed?.authorization?.reveal()).toBe(`Basic ${credentials}`);
    expect(inspect(parsed) + JSON.stringify(parsed)).not.toContain(credentials);
  });
});

describe('the variables', () => {
  const files: Record<string, string> = { '/run/proxy': 'http://file:1\n' };
  const read = (env: Record<string, string>) => {
    const environment = createEnvironment(env, (path) => files[path] ?? '');
    const proxies = readProxies(environment, env);
    const shown = [proxies.http, proxies.https].map((one) => one && formatProxy(one));
    return { shown, problems: environment.problems(), bypass: proxies.bypass.length };
  };
  for (const [name, env, shown] of [
    ['none', {}, [undefined, undefined]],
    ['each for its scheme', { HTTP_PROXY: 'a:1', HTTPS_PROXY: 'b:2' }, ['a:1', 'b:2']],
    ['only https', { HTTPS_PROXY: 'b:2' }, [undefined, 'b:2']],
    ['in small letters', { http_proxy: 'a:1', https_proxy: 'b:2' }, ['a:1', 'b:2']],
    [
      'in both, the small ones count',
      { HTTPS_PROXY: 'a:1', https_proxy: 'b:2' },
      [undefined, 'b:2'],
    ],
    [
      'a blank small one leaves the other',
      { HTTPS_PROXY: 'a:1', https_proxy: '' },
      [undefined, 'a:1'],
    ],
    ['blank', { HTTPS_PROXY: ' ', NO_PROXY: '' }, [undefined, undefined]],
    ['from a file', { HTTPS_PROXY_FILE: '/run/proxy' }, [undefined, 'file:1']],
  ] as const) {
    test(name, () => expect(read(env)).toMatchObject({ shown, problems: [] }));
  }

  test('what is no proxy is reported at the start, without its value', () => {
    const { problems } = read({ HTTPS_PROXY: 'socks5://user:hunter2@proxy', http_proxy: 'a b' });
    expect(problems.map(({ code, message }) => `${code} ${message.split(' ')[0]}`)).toEqual([
      'ENV_INVALID http_proxy',
      'ENV_INVALID HTTPS_PROXY',
    ]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  test('no_proxy is read as NO_PROXY is', () => {
    expect([read({ no_proxy: 'a,b' }).bypass, read({ NO_PROXY: 'a' }).bypass]).toEqual([2, 1]);
  });
});
