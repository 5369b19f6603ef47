// Rules are replaced every second, by good and by broken ones, in all ways in which files are written, while
// webhooks come in at a steady pace. The server is a process of its own. No event is lost, refused, or
// handled by half of a file.
//
// `RELOAD_SECONDS=60` does it for a minute.

import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { type ServerProcess, startServerProcess } from './process.ts';

const SECONDS = Number(process.env['RELOAD_SECONDS'] ?? 3);
const PER_SECOND = 200;
const CHANGE_MS = 1_000;
const STRIPE_ONLY = { FASTSPRING_WEBHOOK_SECRET: undefined, PADDLE_WEBHOOK_SECRET: undefined };

const root = mkdtempSync(join(tmpdir(), 'keywright-load-'));
const rules = join(root, 'rules');
afterAll(() => rmSync(root, { recursive: true, force: true }));

/**
 * The version stands at the top of the file and at its end: a user whose two names differ was made by
 * halves of two versions. A part of it is a whole rule file as well, which knows no customers.
 */
function versionText(version: number): string {
  const filler = Array.from(
    { length: 20 },
    (_, index) => `  - { id: filler-${index}, on: filler.${index}, ignore: It is filler. }`,
  );
  return `provider: stripe
subject: =data.object.id
let: { top: v${version} }
rules:
${filler.join('\n')}
  - id: customer-created
    on: customer.created
    do:
      - user.upsert: { email: =data.object.email, firstName: =$top, company: v${version} }
`;
}

const FILE = join(rules, 'stripe.yaml');

/** Each second another one of these. */
const CHANGES: readonly ((version: number) => Promise<void> | void)[] = [
  (version) => writeFileSync(FILE, versionText(version)),
  (version) => writeFileSync(FILE, versionText(version).replace('firstName', 'fristName')),
  (version) => {
    const text = versionText(version);
    // Cut where what is there so far is a whole rule file, as a slow writer leaves it for a moment. The
    // pause blocks, since on a busy machine a timer may come so late that the half is not young any more.
    writeFileSync(FILE, text.slice(0, text.indexOf('  - { id: filler-3')));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
    writeFileSync(FILE, text);
  },
  (version) => {
    writeFileSync(join(rules, '.stripe.yaml.tmp'), versionText(version));
    renameSync(join(rules, '.stripe.yaml.tmp'), FILE);
  },
  (version) => {
    const text = versionText(version);
    writeFileSync(FILE, text.slice(0, text.indexOf('filler-9,')));
  },
  async (version) => {
    renameSync(rules, join(root, 'away'));
    await pause(100);
    mkdirSync(rules);
    writeFileSync(FILE, versionText(version));
    rmSync(join(root, 'away'), { recursive: true });
  },
];

function customer(number: number): string {
  return JSON.stringify({
    id: `evt_${number}`,
    object: 'event',
    type: 'customer.created',
    created: Math.floor(Date.now() / 1000),
    livemode: false,
    data: { object: { id: `cus_${number}`, object: 'customer', email: `c${number}@example.com` } },
  });
}

interface CryptlexUser {
  readonly email: string;
  readonly firstName: string;
  readonly company: string;
}

/** As much of Cryptlex as these rules call; the sandbox, which checks every call, would be the slowest part. */
async function startCryptlex(): Promise<{
  url: string;
  token: string;
  users: readonly CryptlexUser[];
  close(): void;
}> {
  const users: CryptlexUser[] = [];
  const answer = async (request: IncomingMessage): Promise<unknown> => {
    if (request.method !== 'POST') return [];
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const user = JSON.parse(text) as CryptlexUser;
    users.push(user);
    return {
      ...user,
      id: `user-${users.length}`,
      role: 'user',
      metadata: [],
      createdAt: '2026-01-01',
    };
  };
  const server = createServer((request, response) => {
    void answer(request).then((body) => {
      response.writeHead(request.method === 'POST' ? 201 : 200, {
        'content-type': 'application/json',
      });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    token: 'token',
    users,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Sends at the pace until the time is over; gives how often each status was answered. */
async function sendSteadily(server: ServerProcess): Promise<Map<number | undefined, number>> {
  const statuses = new Map<number | undefined, number>();
  const startMs = performance.now();
  const answers: Promise<void>[] = [];
  for (let number = 0; number < SECONDS * PER_SECOND; number += 1) {
    const dueMs = startMs + (number * 1000) / PER_SECOND;
    await pause(Math.max(0, dueMs - performance.now()));
    answers.push(
      server.send('stripe', customer(number)).then((status) => {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }),
    );
  }
  await Promise.all(answers);
  return statuses;
}

test(`${PER_SECOND} webhooks a second for ${SECONDS} s, with other rules every second`, async () => {
  mkdirSync(rules);
  writeFileSync(FILE, versionText(0));
  const cryptlex = await startCryptlex();
  const server = await startServerProcess(cryptlex, {
    RULES_DIR: rules,
    DATABASE_URL: `sqlite:${join(root, 'journal.db')}`,
    WEBHOOK_DEADLINE_MS: '20000',
    ...STRIPE_ONLY,
  });
  try {
    let isOver = false;
    const changing = (async () => {
      for (let version = 1; !isOver; version += 1) {
        await pause(CHANGE_MS / 2);
        await CHANGES[(version - 1) % CHANGES.length]?.(version);
        await pause(CHANGE_MS / 2);
      }
    })();
    const statuses = await sendSteadily(server);
    isOver = true;
    await changing;
    const events = SECONDS * PER_SECOND;
    expect(Object.fromEntries(statuses)).toEqual({ 200: events });
    const { users } = cryptlex;
    // On a busy machine some are answered `queued` and done behind the answer.
    const emails = () => new Set(users.map(({ email }) => email)).size;
    await expect.poll(emails).toBe(events);
    expect(users).toHaveLength(events);
    expect(users.filter(({ firstName, company }) => firstName !== company)).toEqual([]);
    const versions = new Set(users.map(({ firstName }) => firstName));
    // Not everything was handled by the first ones: reloading did happen.
    expect(versions.size).toBeGreaterThan(SECONDS / 4);
    const log = server.lines.join('\n');
    expect(log).toContain('other rules run from now on');
    expect(log).toContain('RULES_NOT_CURRENT');
    if (process.env['RELOAD_SECONDS'] !== undefined) {
      console.log({
        events,
        versions: [...versions],
        reloads: log.split('other rules run').length - 1,
      });
    }
    expect(await server.end('SIGTERM')).toBe(0);
  } finally {
    await server.end('SIGKILL');
    cryptlex.close();
  }
});

test('SIGHUP reads the rules anew', async () => {
  rmSync(rules, { recursive: true, force: true });
  mkdirSync(rules);
  writeFileSync(FILE, versionText(0));
  const cryptlex = await startCryptlex();
  const server = await startServerProcess(cryptlex, { RULES_DIR: rules, ...STRIPE_ONLY });
  try {
    server.signal('SIGHUP');
    await expect.poll(() => server.lines.join('\n')).toContain('the rules are unchanged');
  } finally {
    await server.end('SIGKILL');
    cryptlex.close();
  }
});

test('with RULES_TEST, rules whose tests fail are not taken, and those whose tests pass are', async () => {
  rmSync(rules, { recursive: true, force: true });
  mkdirSync(join(rules, 'tests'), { recursive: true });
  writeFileSync(FILE, versionText(0));
  writeFileSync(
    join(rules, 'tests', 'stripe.yaml'),
    `cases:
  - name: a customer becomes a user
    event: { sample: stripe/customer.created }
    expect: { rule: customer-created }
`,
  );
  const cryptlex = await startCryptlex();
  const env = { RULES_DIR: rules, RULES_TEST: 'true', ...STRIPE_ONLY };
  const server = await startServerProcess(cryptlex, env);
  const log = () => server.lines.join('\n');
  try {
    writeFileSync(FILE, versionText(1).replace('id: customer-created', 'id: another-name'));
    await expect.poll(log).toContain('RULE_TESTS_FAILED');
    expect(log()).toContain('\\"a customer becomes a user\\" fails');
    writeFileSync(FILE, versionText(2));
    await expect.poll(log).toContain('other rules run from now on');
  } finally {
    await server.end('SIGKILL');
    cryptlex.close();
  }
});
