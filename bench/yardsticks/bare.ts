// The limit: node:http, the provider's signature check over the bytes, JSON.parse, and the fewest calls to
// Cryptlex over a pool of kept connections. Nothing is written down, looked up or checked: what it does wrong
// (a second license for a second delivery, a lost sale after a crash) is what Keywright's other time is spent on.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Provider } from '../../src/core/providers.ts';
import { reportToParent } from '../probe.ts';
import { type LicenseOrder, type Work, workOf } from './sale.ts';

const { hostname, port } = new URL(process.env['CRYPTLEX_WEB_API_BASE_URL'] ?? '');
const authorization = `Bearer ${process.env['CRYPTLEX_ACCESS_TOKEN']}`;
const secret = process.env['BENCH_SECRET'] ?? '';
const agent = new Agent({ keepAlive: true });

function isGenuine(
  body: Buffer,
  expected: string,
  encoding: 'hex' | 'base64',
  prefix = '',
): boolean {
  const digest = createHmac('sha256', secret).update(prefix).update(body).digest();
  const given = Buffer.from(expected, encoding);
  return given.length === digest.length && timingSafeEqual(digest, given);
}

function providerOf(headers: IncomingMessage['headers'], body: Buffer): Provider | undefined {
  const stripe = /^t=(\d+),v1=(\w+)$/.exec(String(headers['stripe-signature']));
  if (stripe !== null) {
    return isGenuine(body, stripe[2] ?? '', 'hex', `${stripe[1]}.`) ? 'stripe' : undefined;
  }
  const paddle = /^ts=(\d+);h1=(\w+)$/.exec(String(headers['paddle-signature']));
  if (paddle !== null) {
    return isGenuine(body, paddle[2] ?? '', 'hex', `${paddle[1]}:`) ? 'paddle' : undefined;
  }
  const digest = String(headers['x-fs-signature']);
  return isGenuine(body, digest, 'base64') ? 'fastspring' : undefined;
}

function call<Answer>(method: string, path: string, sent?: object): Promise<Answer> {
  const body = sent === undefined ? '' : JSON.stringify(sent);
  const headers = {
    authorization,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path, headers, agent }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.on('end', () => {
        const status = incoming.statusCode ?? 0;
        if (status < 300 || status === 409) resolve(JSON.parse(text) as Answer);
        else reject(new Error(`${status}`));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

interface Thing {
  readonly id?: string;
}

/** Created at once; an address that is taken is looked up. */
async function userIdOf(email: string, firstName: string): Promise<string | undefined> {
  const user = { email, firstName, role: 'user', password: randomBytes(16).toString('hex') };
  const created = await call<Thing>('POST', '/v3/users', user);
  if (created.id !== undefined) return created.id;
  const query = `email[eq]=${encodeURIComponent(email)}`;
  const [found] = await call<Thing[]>('GET', `/v3/users?${query}`);
  return found?.id;
}

async function findLicenses(find: { key: string; value: string }): Promise<readonly Thing[]> {
  const found: Thing[] = [];
  for (let page = 1; ; page += 1) {
    const query = `metadata.key[eq]=${find.key}&metadata.value[eq]=${encodeURIComponent(find.value)}`;
    const path = `/v3/licenses?${query}&page=${page}&limit=100`;
    const items = await call<Thing[]>('GET', path);
    found.push(...items);
    if (items.length < 100) return found;
  }
}

async function carryOut(work: Work): Promise<void> {
  if (work.kind === 'none') return;
  if (work.kind === 'purchase') {
    const userId = await userIdOf(work.email, work.firstName);
    const create = (license: LicenseOrder) => call('POST', '/v3/licenses', { ...license, userId });
    await Promise.all(work.licenses.map(create));
    return;
  }
  for (const { id } of await findLicenses(work.find)) {
    if (work.kind === 'renew') await call('POST', `/v3/licenses/${id}/renew`);
    else await call('PATCH', `/v3/licenses/${id}`, { suspended: true });
  }
}

async function answer(headers: IncomingMessage['headers'], body: Buffer): Promise<number> {
  const provider = providerOf(headers, body);
  if (provider === undefined) return 400;
  const parsed = JSON.parse(body.toString()) as { events?: unknown[] };
  const works = (parsed.events ?? [parsed]).map((event) => workOf(provider, event));
  for (const work of works) await carryOut(work);
  return works.some(({ kind }) => kind === 'none') ? 400 : 200;
}

const server = createServer({ keepAliveTimeout: 600_000 }, (incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => {
    answer(incoming.headers, Buffer.concat(chunks)).then(
      (status) => outgoing.writeHead(status, { 'content-type': 'application/json' }).end('{}'),
      () => outgoing.writeHead(500).end(),
    );
  });
});
server.listen(0, '127.0.0.1', () => {
  reportToParent(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, async () => {
    server.closeAllConnections();
  });
});
