// How long a start takes, and what a server weighs: from its process' begin to a 200 of /readyz, its memory at
// rest and after very many events, and on Lambda from the process' begin to the first answer to a sale.
// Takes how often, gives milliseconds and bytes. Memory of a process is read where /proc is.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildAll } from '../scripts/build.ts';
import { freePort } from '../scripts/free-port.ts';
import { openArena } from './contenders.ts';
import { createDeliveries, SECRET } from './events.ts';
import { load } from './load.ts';
import { type Spread, spreadOf } from './stats.ts';

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const RULES = fileURLToPath(new URL('../rules', import.meta.url));
const REST_MS = 2_000;

export interface StartFigures {
  /** From the sources, as `npm start` does. */
  readonly sourceMs: Spread;
  /** From the bundle, as the container does. */
  readonly bundleMs: Spread;
  readonly restBytes: number | undefined;
  readonly lambdaMs: Spread;
}

export async function measureStarts(times: number): Promise<StartFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'keywright-start-'));
  const arena = await openArena({ names: [] });
  try {
    const dist = join(directory, 'dist');
    await buildAll(dist);
    const bundle = join(dist, 'bin/keywright.mjs');
    const sourceMs: number[] = [];
    const bundleMs: number[] = [];
    const lambdaMs: number[] = [];
    const restBytes: number[] = [];
    for (let round = 0; round < times; round += 1) {
      const env = environment(arena.cryptlex.url, join(directory, `${round}.db`));
      sourceMs.push((await startOnce(CLI, env, 0)).readyMs);
      const rested = await startOnce(bundle, env, round === 0 ? REST_MS : 0);
      bundleMs.push(rested.readyMs);
      if (rested.rssBytes !== undefined) restBytes.push(rested.rssBytes);
      lambdaMs.push(await lambdaOnce(join(dist, 'lambda/bin/lambda.mjs'), env));
    }
    return {
      sourceMs: spreadOf(sourceMs),
      bundleMs: spreadOf(bundleMs),
      restBytes: restBytes[0],
      lambdaMs: spreadOf(lambdaMs),
    };
  } finally {
    await arena.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

type Env = Readonly<Record<string, string>>;

function environment(cryptlexUrl: string, file: string): Env {
  return {
    PATH: process.env['PATH'] ?? '',
    STRIPE_WEBHOOK_SECRET: SECRET,
    FASTSPRING_WEBHOOK_SECRET: SECRET,
    PADDLE_WEBHOOK_SECRET: SECRET,
    CRYPTLEX_ACCESS_TOKEN: 'bench-token',
    CRYPTLEX_WEB_API_BASE_URL: cryptlexUrl,
    CRYPTLEX_PRODUCT_ID: 'bench-product',
    RULES_DIR: RULES,
    DATABASE_URL: `sqlite:${file}`,
    HOST: '127.0.0.1',
  };
}

async function startOnce(script: string, env: Env, restMs: number) {
  const port = await freePort();
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [script, 'serve'], {
    env: { ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    while (!(await isReady(port))) {
      if (child.exitCode !== null) throw new Error(`${script} ended: ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const readyMs = performance.now() - startedAtMs;
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    return { readyMs, rssBytes: restMs > 0 ? rssOf(child) : undefined };
  } finally {
    await new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill('SIGTERM');
    });
  }
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/readyz', agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });
}

function rssOf({ pid }: ChildProcess): number | undefined {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) return undefined;
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(file, 'utf8'))?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** A process of its own that loads the function, hands it a sale, and tells how old it is then. */
const LAMBDA = `const { handler } = await import(process.argv[1]);
const { headers, body } = JSON.parse(process.argv[2]);
const result = await handler(
  { version: '2.0', rawPath: '/v1', rawQueryString: '', headers, body, isBase64Encoded: false,
    requestContext: { http: { method: 'POST', path: '/v1', sourceIp: '127.0.0.1' }, domainName: 'bench' } },
  { getRemainingTimeInMillis: () => 30_000 });
if (result.statusCode !== 200) throw new Error(JSON.stringify(result));
process.stderr.write(String(performance.now()));
process.exit();`;

async function lambdaOnce(file: string, env: Env): Promise<number> {
  const make = createDeliveries('fastspring', 'first-purchase', { run: `lambda${Date.now()}` });
  const { headers, body } = make(0);
  const event = JSON.stringify({ headers, body: body.toString() });
  const args = ['--input-type=module', '-e', LAMBDA, file, event];
  const options = { env: { ...env, DATABASE_URL: 'memory:' } };
  const { stderr } = await promisify(execFile)(process.execPath, args, options);
  return Number(/[\d.]+$/.exec(stderr)?.[0]);
}

export interface MemoryFigures {
  readonly events: number;
  readonly heapBytesEarly: number;
  readonly heapBytesLate: number;
  readonly ratio: number;
}

/** What is in use after a tenth of the events and after all of them, each time after a collection. */
export async function measureMemory(events: number): Promise<MemoryFigures> {
  const arena = await openArena({ names: ['sqlite'] });
  try {
    const [contender] = arena.contenders;
    if (contender === undefined) throw new Error('there is no server');
    const make = createDeliveries('stripe', 'first-purchase', { run: 'memory' });
    const early = Math.ceil(events / 10);
    const send = async (from: number, to: number): Promise<number> => {
      for (let at = from; at < to; at += early) {
        const count = Math.min(early, to - at);
        await load(contender.sender, make, { from: at, count, inFlight: 16, status: 200 });
        await arena.cryptlex.tell({ ask: 'forget' });
      }
      return (await contender.usage({ collect: true })).heapBytes;
    };
    const heapBytesEarly = await send(0, early);
    const heapBytesLate = await send(early, events);
    return { events, heapBytesEarly, heapBytesLate, ratio: heapBytesLate / heapBytesEarly };
  } finally {
    await arena.close();
  }
}
