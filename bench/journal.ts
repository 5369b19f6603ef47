// What the journal costs, SQLite against memory in the same run: accepts while Cryptlex is down, events
// from end to end against the sandbox, processor time for each, memory after many.
// Plays signed webhooks against the composed server in process; prints figures, gives whether one is far out.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { composeServer } from '../src/compose.ts';
import { composeSandbox } from '../src/compose-sandbox.ts';
import type { ServerHandle } from '../src/compose-world.ts';
import { listen } from '../src/server/listen.ts';
import { SECRET, signedSale } from './sales.ts';

const LOAD_PER_SECOND = 500;
/** The goal is 10 ms on two quiet cores; a machine that does other things is not blamed. */
const P99_MS_MAX = 500;
/** How much slower than memory SQLite may be before something is broken. */
const RATIO_MAX = 50;
/** Growth of the heap over the second half of the events. */
const HEAP_RATIO_MAX = 1.5;

interface Sizes {
  readonly seconds: number;
  readonly burst: number;
  readonly events: number;
  readonly ruleless: number;
}

const SHORT: Sizes = { seconds: 2, burst: 500, events: 150, ruleless: 2_000 };
const LONG: Sizes = { seconds: 10, burst: 5_000, events: 2_000, ruleless: 100_000 };

interface Figures {
  readonly acceptsPerSecond: number;
  readonly p99Ms: number;
  readonly eventsPerSecond: number;
  readonly processorMs: number;
  readonly heapRatio: number;
}

/** Prints the table; true when a figure is far out. */
export async function benchJournal(isShort: boolean): Promise<boolean> {
  const sizes = isShort ? SHORT : LONG;
  const directory = mkdtempSync(join(tmpdir(), 'keywright-bench-'));
  const memory = await measureKind(() => 'memory:', sizes);
  const newFile = (): string =>
    `sqlite:${join(mkdtempSync(join(directory, 'kind-')), 'journal.db')}`;
  const sqlite = await measureKind(newFile, sizes);
  rmSync(directory, { recursive: true, force: true });
  const title = `the journal (${sizes.events} sales, ${sizes.ruleless} events without a rule)`;
  console.log(`\n${title.padEnd(60)}  ${'memory'.padStart(8)}  ${'SQLite'.padStart(8)}  ratio`);
  const rows: readonly (readonly [string, keyof Figures])[] = [
    ['accepts a second, Cryptlex down, as many as there can be', 'acceptsPerSecond'],
    [`p99 of an accept in ms, Cryptlex down, ${LOAD_PER_SECOND} a second`, 'p99Ms'],
    ['sales a second from end to end, server and sandbox together', 'eventsPerSecond'],
    ['processor ms for each of them, server and sandbox together', 'processorMs'],
    ['heap after all events without a rule, against half of them', 'heapRatio'],
  ];
  for (const [name, figure] of rows) {
    const [one, other] = [memory[figure], sqlite[figure]];
    const numbers = [one.toFixed(2), other.toFixed(2)].map((text) => text.padStart(8));
    console.log(`${name.padEnd(60)}  ${numbers.join('  ')}  ${(other / one).toFixed(2)}`);
  }
  return (
    sqlite.p99Ms > P99_MS_MAX ||
    memory.acceptsPerSecond / sqlite.acceptsPerSecond > RATIO_MAX ||
    memory.eventsPerSecond / sqlite.eventsPerSecond > RATIO_MAX ||
    sqlite.heapRatio > HEAP_RATIO_MAX
  );
}

async function measureKind(databaseUrl: () => string, sizes: Sizes): Promise<Figures> {
  const down = await serve(databaseUrl(), 'http://127.0.0.1:9');
  const burstMs = await inParallel(sizes.burst, 64, (index) => sell(down, `burst${index}`));
  await down.abandon();
  const loaded = await serve(databaseUrl(), 'http://127.0.0.1:9');
  const p99Ms = await steadyLoad(loaded, sizes.seconds * LOAD_PER_SECOND);
  await loaded.abandon();

  const cryptlex = await composeSandbox({
    ...{ port: 0, rateLimit: false },
    options: { recordRequests: false },
  });
  const server = await serve(databaseUrl(), cryptlex.url, cryptlex.token);
  const before = process.cpuUsage();
  const salesMs = await inParallel(sizes.events, 32, (index) => sell(server, `sale${index}`));
  const { user, system } = process.cpuUsage(before);
  const half = sizes.ruleless / 2;
  await inParallel(half, 32, (index) => sell(server, `first${index}`, 'mailingListEntry.removed'));
  const heapAtHalf = heapBytes();
  await inParallel(half, 32, (index) => sell(server, `second${index}`, 'mailingListEntry.removed'));
  const heapRatio = heapBytes() / heapAtHalf;
  await server.stop();
  await cryptlex.close();
  return {
    acceptsPerSecond: (sizes.burst * 1000) / burstMs,
    p99Ms,
    eventsPerSecond: (sizes.events * 1000) / salesMs,
    processorMs: (user + system) / 1000 / sizes.events,
    heapRatio,
  };
}

async function serve(databaseUrl: string, baseUrl: string, token = 'none'): Promise<ServerHandle> {
  const composition = await composeServer({
    env: {
      FASTSPRING_WEBHOOK_SECRET: SECRET,
      CRYPTLEX_ACCESS_TOKEN: token,
      CRYPTLEX_WEB_API_BASE_URL: baseUrl,
      CRYPTLEX_RATE_LIMIT: '10000/1s',
      RULES_DIR: new URL('../rules', import.meta.url).pathname,
      DATABASE_URL: databaseUrl,
      // While Cryptlex is down, an answer tells what is stored; it waits for nothing.
      ...(token === 'none' ? { WEBHOOK_DEADLINE_MS: '1' } : {}),
      LOG_LEVEL: 'silent',
    },
    readFile: (path) => readFileSync(path, 'utf8'),
    writeLog: () => undefined,
    stdoutIsTty: false,
  });
  if (composition.kind === 'refused') throw new Error(composition.problems.join('\n'));
  composition.server.start();
  return composition.server;
}

/** One signed delivery of a sale, in this process. */
async function sell({ app }: ServerHandle, id: string, type?: string): Promise<void> {
  const { headers, body } = signedSale(id, type);
  const answer = await app.request('/v1', { method: 'POST', headers, body });
  await answer.arrayBuffer();
  // 503: the memory journal says that it is not done; 400: an event that no rule names.
  if (![200, 400, 503].includes(answer.status)) throw new Error(`${id}: ${answer.status}`);
}

/** Gives how long all of them took, in milliseconds. */
async function inParallel(
  count: number,
  workers: number,
  work: (index: number) => Promise<void>,
): Promise<number> {
  const startedAtMs = performance.now();
  let next = 0;
  const workOff = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await work(next);
    }
  };
  await Promise.all(Array.from({ length: workers }, workOff));
  return performance.now() - startedAtMs;
}

/** Deliveries at even intervals over real HTTP, from a process of their own; gives the p99 in ms. */
async function steadyLoad(server: ServerHandle, count: number): Promise<number> {
  const listening = await listen(server.app, { port: 0, host: '127.0.0.1' });
  const script = new URL('./steady-load.ts', import.meta.url).pathname;
  const args = [script, listening.url, String(count), String(LOAD_PER_SECOND)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  await listening.close();
  return (JSON.parse(stdout) as { p99Ms: number }).p99Ms;
}

/** After collecting what is not used any more. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
