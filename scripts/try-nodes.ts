// Tries dist/ on every Node that releases run on: alone in an empty directory, without node_modules.
// Takes nothing, builds first; prints a table, then "N passed, N failed[, N skipped]". A Node other than
// our own comes from npm's `node` package; where the registry is away, it is skipped, and that is said.
// For each Node: the demo, then a server on SQLite and one on PostgreSQL, each sent a signed webhook.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../src/core/secret.ts';
import { signDelivery } from '../src/verifiers/sign.ts';
import { startPostgres, type TestPostgres } from '../test/support/postgres.ts';
import { buildAll } from './build.ts';

/** The oldest that releases run on, and the newest line; our own Node is in between. */
const FURTHER_NODES = ['22.18.0', '26'];
const SECRET = 'whsec_of_a_try';
const TOKEN = 'token-of-a-try';
const WAIT_MS = 20_000;
/** Sandbox and server on fixed ports would meet those of somebody else. */
const ANY_PORT = '0';

interface Measured {
  readonly startMs: number;
  readonly memoryMiB: number;
}

interface Installed {
  readonly wanted: string;
  /** Undefined where it cannot be had. */
  readonly path: string | undefined;
}

let failed = 0;
let passed = 0;
let skipped = 0;
const work = mkdtempSync(join(tmpdir(), 'keywright-nodes-'));

async function main(): Promise<void> {
  const installing = FURTHER_NODES.map((wanted) => install(wanted));
  const starting = startPostgres();
  await buildAll(join(work, 'dist'));
  const nodes = [{ wanted: 'our own', path: process.execPath }, ...(await Promise.all(installing))];
  const postgres = await starting;
  try {
    for (const { wanted, path } of nodes) {
      if (path === undefined) {
        skipped += 1;
        console.log(`- Node ${wanted}: SKIPPED, npm could not install it`);
      } else {
        await tryNode(path, postgres);
      }
    }
  } finally {
    await postgres.stop();
  }
}

function install(wanted: string): Promise<Installed> {
  const folder = join(work, `node-${wanted}`);
  mkdirSync(folder);
  // Its install script links the binary of this machine's kind; npm asks for leave in package.json.
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ allowScripts: { node: true } }));
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', `node@${wanted}`];
  const npm = spawn('npm', args, { cwd: folder, stdio: 'ignore', shell: false });
  const path = join(folder, 'node_modules/node/bin/node');
  return new Promise((resolve) => {
    npm.once('error', () => resolve({ wanted, path: undefined }));
    npm.once('exit', (code) => {
      const works = code === 0 && spawnSync(path, ['--version']).status === 0;
      resolve({ wanted, path: works ? path : undefined });
    });
  });
}

async function tryNode(node: string, postgres: TestPostgres): Promise<void> {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const folder = mkdtempSync(join(work, 'alone-'));
  cpSync(join(work, 'dist'), folder, { recursive: true });
  await step(`Node ${version}: demo`, async () => {
    const { status, stderr } = spawnSync(node, ['bin/keywright.mjs', 'demo'], {
      cwd: folder,
      encoding: 'utf8',
      env: {},
    });
    if (status !== 0) throw new Error(`exit code ${status}: ${stderr}`);
    return '';
  });
  for (const kind of ['sqlite', 'postgres'] as const) {
    await step(`Node ${version}: a webhook through ${kind}`, async () => {
      const url = kind === 'sqlite' ? 'sqlite:keywright.db' : await postgres.createDatabase();
      const { startMs, memoryMiB } = await serveOne(node, folder, url);
      return `ready in ${startMs} ms, ${memoryMiB} MiB at rest`;
    });
  }
}

async function step(name: string, run: () => Promise<string>): Promise<void> {
  try {
    const said = await run();
    passed += 1;
    console.log(`✓ ${name}${said === '' ? '' : `: ${said}`}`);
  } catch (error) {
    failed += 1;
    console.log(`✗ ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Starts sandbox and server from the bundle, sends one signed sample, stops both. */
async function serveOne(node: string, folder: string, databaseUrl: string): Promise<Measured> {
  const sandbox = start(node, folder, ['sandbox', '--port', ANY_PORT, '--token', TOKEN], {});
  let server: ChildProcess | undefined;
  try {
    const sandboxUrl = await said(sandbox, /listens on (\S+)/);
    const beganMs = performance.now();
    server = start(node, folder, ['serve'], {
      STRIPE_WEBHOOK_SECRET: SECRET,
      CRYPTLEX_ACCESS_TOKEN: TOKEN,
      CRYPTLEX_WEB_API_BASE_URL: sandboxUrl,
      CRYPTLEX_PRODUCT_ID: 'northlight-pro',
      DATABASE_URL: databaseUrl,
      HOST: '127.0.0.1',
      PORT: ANY_PORT,
      LOG_FORMAT: 'json',
    });
    const url = await said(server, /"url":"([^"]+)"/);
    const ready = await fetch(`${url}/readyz`);
    const startMs = Math.round(performance.now() - beganMs);
    if (ready.status !== 200) throw new Error(`/readyz: ${ready.status}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const memoryMiB = residentMiB(server);
    const body = readFileSync(
      join(folder, 'samples/stripe/checkout.session.completed-payment.json'),
    );
    const timestampSeconds = Math.floor(Date.now() / 1000);
    const { header, value } = signDelivery('stripe', body, {
      secret: new Secret(SECRET),
      timestampSeconds,
    });
    const headers = { 'content-type': 'application/json', [header]: value };
    const answer = await fetch(`${url}/v1`, { method: 'POST', headers, body });
    const text = await answer.text();
    if (answer.status !== 200 || !text.includes('"status":"done"')) {
      throw new Error(`the webhook was answered ${answer.status} ${text}`);
    }
    const exitCode = await stop(server);
    if (exitCode !== 0) throw new Error(`after SIGTERM it ended with ${exitCode}`);
    return { startMs, memoryMiB };
  } finally {
    if (server !== undefined) await stop(server);
    await stop(sandbox);
  }
}

function start(
  node: string,
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcess {
  return spawn(node, ['bin/keywright.mjs', ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** What the pattern's group holds, once the process prints it. */
function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => reject(new Error(`it did not start: ${output}`)), WAIT_MS);
    const hear = (data: Buffer): void => {
      output += data.toString('utf8');
      const found = pattern.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`it ended with ${code}: ${output}`));
    });
  });
}

function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.kill('SIGTERM');
  });
}

/** Only Linux tells; elsewhere 0. */
function residentMiB({ pid }: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
  } catch {
    return 0;
  }
}

try {
  await main();
} finally {
  rmSync(work, { recursive: true, force: true });
}
const more = skipped > 0 ? `, ${skipped} skipped` : '';
console.log(`${passed} passed, ${failed} failed${more}`);
process.exitCode = failed > 0 ? 1 : 0;
