// The process in which drafts are evaluated: whatever happens in it, the server gets an answer, and the next draft
// a new process; it holds no secrets, and never outlives its server.

import { existsSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { NotAnswered } from '../../../src/authoring/playground/playground.ts';
import { DraftProcess } from '../../../src/authoring/playground/process-handle.ts';
import { Turns } from '../../../src/authoring/playground/turns.ts';
import { composeSandbox, type ServedSandbox } from '../../../src/sandbox/compose-sandbox.ts';
import { type ServerProcess, startServerProcess } from '../../resilience/process.ts';

const ADMIN_TOKEN = 'admin-token-of-the-test-of-drafts';
const HOSTILE = new URL('./hostile-process.ts', import.meta.url);

describe('a process in which a draft goes wrong', () => {
  const drafts = new DraftProcess(HOSTILE);
  afterAll(() => drafts.stop());
  const does = (event: string, limitMs = 60_000) => {
    const draft = { file: 'stripe.yaml', text: '', beside: {} };
    return drafts.ask({ kind: 'try', task: { draft, event, env: {} } }, limitMs);
  };

  test.each([
    ['buffers outside the heap', 'buffers', { kind: 'too-large' }, 60_000],
    ['one text outside the heap', 'one text outside the heap', { kind: 'too-large' }, 60_000],
    ['a heap that is full', 'heap', { kind: 'too-large' }, 60_000],
    ['a loop without an end', 'loop', { kind: 'too-slow' }, 100],
    [
      'an end of its own',
      'exit',
      { kind: 'unavailable', reason: 'it ended with exit code 3' },
      60_000,
    ],
  ])(
    'is ended and says why, and the next draft has a new one: %s',
    async (_name, deed, answer, limitMs) => {
      expect(await does('')).toEqual({ kind: 'broken', message: '' });
      const { pid } = drafts;
      expect(await does(deed, limitMs)).toEqual(answer);
      expect(await does('')).toEqual({ kind: 'broken', message: '' });
      expect(drafts.pid).not.toBe(pid);
    },
  );

  test('is given nothing of the environment of the server', async () => {
    process.env['A_SECRET_OF_THE_SERVER'] = 'secret';
    const answer = await does('environment');
    expect(answer.kind).toBe('broken');
    if (answer.kind !== 'broken') return;
    const names = Object.keys(JSON.parse(answer.message) as object);
    expect(names.filter((name) => !/^(?:NODE_CHANNEL_|LD_LIBRARY_PATH$)/.test(name))).toEqual([]);
  });

  test('that cannot be started is said, with the reason of the operating system', async () => {
    const { execPath } = process;
    process.execPath = '/nowhere/node';
    const none = new DraftProcess(HOSTILE);
    const answer = await none.ask({ kind: 'end' }, 1_000).finally(() => {
      process.execPath = execPath;
    });
    expect(answer).toEqual({ kind: 'unavailable', reason: 'ENOENT' });
  });
});

describe('drafts of several owners', () => {
  /** Work that is done when the test says so, with the order in which it was begun. */
  function queue() {
    const turns = new Turns();
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const add = (owner: string, name: string, keepsOlder: boolean) =>
      turns.take<{ kind: 'done' }>(
        owner,
        keepsOlder,
        async (): Promise<{ kind: 'done' } | NotAnswered> => {
          begun.push(name);
          await new Promise<void>((resolve) => ends.push(resolve));
          return { kind: 'done' };
        },
      );
    const finishAll = async () => {
      for (let round = 0; round < 100; round += 1) {
        ends.shift()?.();
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    return { begun, add, finishAll };
  }

  test('are begun by turns, one after the other', async () => {
    const { begun, add, finishAll } = queue();
    const answers = ['a1', 'a2', 'a3', 'b1', 'c1', 'c2'].map((name) =>
      add(name[0] ?? '', name, true),
    );
    expect(begun).toEqual(['a1']);
    await finishAll();
    expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'c2']);
    expect((await Promise.all(answers)).every(({ kind }) => kind === 'done')).toBe(true);
  });

  test('are refused when too many wait, of one owner or of all', async () => {
    const { add, finishAll } = queue();
    const one = Array.from({ length: 12 }, (_, index) => add('api', `${index}`, true));
    const others = Array.from({ length: 20 }, (_, index) =>
      add(`person ${index}`, `p${index}`, false),
    );
    await finishAll();
    const kinds = async (answers: typeof one) =>
      (await Promise.all(answers)).map(({ kind }) => kind);
    // One runs, ten wait.
    expect((await kinds(one)).filter((kind) => kind === 'busy')).toHaveLength(1);
    expect((await kinds(others)).filter((kind) => kind === 'busy')).toHaveLength(1);
  });
});

describe.runIf(existsSync('/proc/self/task'))('a server', () => {
  let cryptlex: ServedSandbox;
  let server: ServerProcess | undefined;
  beforeAll(async () => {
    cryptlex = await composeSandbox({ port: 0, rateLimit: false });
  });
  afterEach(() => server?.end('SIGKILL'));
  afterAll(() => cryptlex.close());

  const EVENT = readFileSync(
    new URL('../../../samples/stripe/customer.created.json', import.meta.url),
    'utf8',
  );
  const dryRun = async ({ url }: ServerProcess, formula: string) => {
    const rules = `provider: stripe\nsubject: =data.object.id\nrules:\n  - id: mine\n    on: customer.created\n    ignore: ${JSON.stringify(`=${formula}`)}\n`;
    const response = await fetch(`${url}/admin/dry-run`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ provider: 'stripe', event: JSON.parse(EVENT) as object, rules }),
    });
    return { status: response.status, json: (await response.json()) as unknown };
  };
  const start = async () => {
    const started = await startServerProcess(cryptlex, { ADMIN_TOKEN });
    server = started;
    return started;
  };
  /** A server of a checkout has one that bundles the console as well. */
  const draftsOf = (pid: number) =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter((child) => child.trim() !== '' && /draft-process/.test(commandOf(child)));
  const commandOf = (pid: string) => {
    const path = `/proc/${pid}/cmdline`;
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  const isGone = async (pid: string) => {
    while (
      existsSync(`/proc/${pid}`) &&
      !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  test('lives on when a draft would have ended it, and evaluates the next one', async () => {
    const started = await start();
    expect(await dryRun(started, '"first"')).toMatchObject({
      status: 200,
      json: [{ reason: 'first' }],
    });
    expect(await dryRun(started, "$base64encode($pad('a', 300000000))")).toMatchObject({
      status: 200,
      json: [{ outcome: 'failed', errors: [{ code: 'FORMULA_TOO_LARGE' }] }],
    });
    expect(await dryRun(started, '"next"')).toMatchObject({
      status: 200,
      json: [{ reason: 'next' }],
    });
    expect((await fetch(`${started.url}/healthz`)).status).toBe(200);
  });

  test.each([
    ['killed', 'SIGKILL', false],
    ['killed while a draft is at work', 'SIGKILL', true],
    ['stopped', 'SIGTERM', false],
  ] as const)(
    'has drafts in a process without its secrets, which ends with it: %s',
    async (_name, signal, isAtWork) => {
      const started = await start();
      await dryRun(started, '"first"');
      const children = draftsOf(started.pid ?? 0);
      expect(children).toHaveLength(1);
      for (const child of children) {
        const environment = readFileSync(`/proc/${child}/environ`, 'utf8');
        expect(environment).not.toMatch(/TOKEN|SECRET|CRYPTLEX|admin-token/);
      }
      const endless = '$count($map([1..9999], function($i) { $count([1..9999][$ = $i]) }))';
      const working = isAtWork ? dryRun(started, endless) : Promise.resolve();
      const ended = working.catch(() => undefined);
      await started.end(signal);
      await ended;
      for (const child of children) await isGone(child);
    },
  );
});
