// A process that stands in for Cryptlex while servers are measured: as quick as can be, so that what is seen
// is the servers'. Takes the calls that the servers make, answers at once or after a delay that it is told.
// Not the sandbox, which checks each call and is for everything else. Never used by a test.
//
// A subscription whose id ends in `-of-7` has seven licenses, made when they are looked for.

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Entry {
  readonly key: string;
  readonly value: string;
}
interface Thing {
  readonly id: string;
  readonly metadata: readonly Entry[];
  readonly [member: string]: unknown;
}
type Sent = Readonly<Record<string, unknown>> & { readonly metadata?: readonly Entry[] };

export type CryptlexOrder =
  | { readonly ask: 'delay'; readonly delayMs: number }
  | { readonly ask: 'calls' }
  | { readonly ask: 'forget' };

let delayMs = 0;
let calls = 0;
const byEmail = new Map<string, Thing>();
const usersByEntry = new Map<string, Thing>();
const licenses = new Map<string, Thing>();
const licensesByEntry = new Map<string, Thing[]>();

const nameOf = ({ key, value }: Entry): string => `${key}=${value}`;

function makeUser(sent: Sent): { status: number; body: unknown } {
  const email = String(sent['email']);
  if (byEmail.has(email)) return { status: 409, body: { message: 'the e-mail address is taken' } };
  const { password: _password, ...shown } = sent;
  const user: Thing = { ...shown, id: randomUUID(), metadata: sent.metadata ?? [] };
  byEmail.set(email, user);
  for (const entry of user.metadata) usersByEntry.set(nameOf(entry), user);
  return { status: 201, body: user };
}

function makeLicense(sent: Sent): Thing {
  const license: Thing = {
    ...FIELDS,
    ...sent,
    id: randomUUID(),
    key: randomUUID().toUpperCase(),
    expiresAt: new Date(Date.now() + 31_536_000_000).toISOString(),
    metadata: sent.metadata ?? [],
  };
  licenses.set(license.id, license);
  for (const entry of license.metadata) {
    const name = nameOf(entry);
    const list = licensesByEntry.get(name);
    if (list === undefined) licensesByEntry.set(name, [license]);
    else list.push(license);
  }
  return license;
}

/** What every license has, so that an answer is about as long as a real one. */
const FIELDS = {
  type: 'node-locked',
  revoked: false,
  suspended: false,
  allowedActivations: 1,
  allowedDeactivations: 5,
  totalActivations: 0,
  subscriptionInterval: 'P1Y',
  subscriptionStartTrigger: 'creation',
  expirationStrategy: 'immediate',
  requireAuthentication: false,
  organizationId: null,
  notes: null,
  tags: [],
};

function listed(query: URLSearchParams): readonly Thing[] {
  const entry = {
    key: query.get('metadata.key[eq]') ?? '',
    value: query.get('metadata.value[eq]') ?? '',
  };
  const count = Number(/-of-(\d+)$/.exec(entry.value)?.[1] ?? 0);
  if (count > 0 && !licensesByEntry.has(nameOf(entry))) {
    for (let made = 0; made < count; made += 1) makeLicense({ productId: 'p', metadata: [entry] });
  }
  const found = licensesByEntry.get(nameOf(entry)) ?? [];
  const limit = Number(query.get('limit') ?? 100);
  const page = Number(query.get('page') ?? 1);
  return found.slice((page - 1) * limit, page * limit);
}

function foundUsers(query: URLSearchParams): readonly Thing[] {
  const email = query.get('email[eq]');
  const key = query.get('metadata.key[eq]') ?? '';
  const value = query.get('metadata.value[eq]') ?? '';
  const user = email === null ? usersByEntry.get(nameOf({ key, value })) : byEmail.get(email);
  return user === undefined ? [] : [user];
}

/** Each change gives the license anew, so that nobody sees half of it. */
function changed(id: string, changes: Readonly<Record<string, unknown>>) {
  const license = licenses.get(id);
  if (license === undefined) return { status: 404, body: { message: 'not found' } };
  const body = { ...license, ...changes };
  licenses.set(id, body);
  return { status: 200, body };
}

function answerTo(method: string, address: string, text: string) {
  const { pathname, searchParams } = new URL(address, 'http://cryptlex');
  const [, , kind = '', id = '', verb] = pathname.split('/');
  const sent = text === '' ? {} : (JSON.parse(text) as Sent);
  if (kind === 'users') {
    if (method === 'GET') return { status: 200, body: foundUsers(searchParams) };
    return makeUser(sent);
  }
  if (id === '') {
    if (method === 'GET') return { status: 200, body: listed(searchParams) };
    return { status: 201, body: makeLicense(sent) };
  }
  if (verb !== 'renew') return changed(id, sent);
  return changed(id, { expiresAt: new Date(Date.now() + 63_072_000_000).toISOString() });
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    calls += 1;
    const text = Buffer.concat(chunks).toString();
    const { status, body } = answerTo(request.method ?? '', request.url ?? '', text);
    const bytes = Buffer.from(JSON.stringify(body));
    const send = (): void => {
      response.writeHead(status, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': bytes.length,
      });
      response.end(bytes);
    };
    if (delayMs === 0) send();
    else setTimeout(send, delayMs);
  });
}

const server = createServer({ keepAliveTimeout: 600_000 }, serve);
process.on('message', (order: CryptlexOrder) => {
  if (order.ask === 'delay') delayMs = order.delayMs;
  if (order.ask === 'forget') {
    for (const held of [byEmail, usersByEntry, licenses, licensesByEntry]) held.clear();
  }
  process.send?.({ calls });
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
