// What a Dockerfile made, started as its image would start it: with its environment, its command, its
// user where we may change to it, and its files read-only but for the volumes. Takes the last stage,
// gives what was seen. Ends what it starts.

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from './dockerfile.ts';
import { freePort } from './free-port.ts';

const WAIT_MS = 20_000;
/** uid and gid of the image's user. */
const USER = 1000;

/** @throws Error when it does not start, is not healthy or does not end well */
export async function runImage(stage: Stage): Promise<string> {
  const isRoot = process.getuid?.() === 0;
  if (stage.user !== `${USER}:${USER}`) throw new Error(`the image runs as ${stage.user}`);
  const port = await freePort();
  // Another user cannot enter a private checkout, where our own Node is.
  const node = isRoot ? join(stage.root, 'node') : process.execPath;
  if (isRoot) copyFileSync(process.execPath, node);
  // As with --read-only: nothing but what COPY gave to the user can be written to.
  for (const name of readdirSync(stage.root, { recursive: true, encoding: 'utf8' })) {
    chmodSync(join(stage.root, name), 0o555);
  }
  for (const path of stage.owned.keys()) {
    if (isRoot) chownSync(join(stage.root, path), USER, USER);
    chmodSync(join(stage.root, path), 0o755);
  }
  openUpTo(stage.root);
  // Paths of the image are below the folder here; everything else is as the image has it.
  const env = Object.fromEntries(
    Object.entries(stage.env).map(([name, value]) => [
      name,
      value.replace(/^((?:sqlite:)?)(\/(?:app|data)\b)/, `$1${stage.root}$2`),
    ]),
  );
  const [program, ...args] = [...stage.entrypoint, ...stage.command];
  if (program !== 'node') throw new Error(`the image starts ${program}`);
  const child = spawn(node, args, {
    cwd: join(stage.root, stage.workdir),
    env: {
      ...env,
      STRIPE_WEBHOOK_SECRET: 'whsec_of_a_proof',
      CRYPTLEX_ACCESS_TOKEN: 'token-of-a-proof',
      CRYPTLEX_PRODUCT_ID: 'product',
      PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(isRoot ? { uid: USER, gid: USER } : {}),
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString('utf8');
  });
  child.stderr.on('data', (data: Buffer) => {
    output += data.toString('utf8');
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  try {
    await until(() => output.includes('Keywright is listening') || child.exitCode !== null);
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${output}`);
    const health = healthOf(stage, port);
    child.kill('SIGTERM');
    const code = await ended;
    if (code !== 0) throw new Error(`after SIGTERM it ended with ${code}: ${output}`);
    const who = isRoot ? `as user ${USER}` : 'as our own user';
    return `started ${who} on read-only files, ${health}, stopped with 0`;
  } finally {
    child.kill('SIGKILL');
  }
}

function healthOf(stage: Stage, port: number): string {
  const { healthcheck } = stage;
  if (healthcheck === undefined) throw new Error('the image has no health check');
  const check = (at: number) =>
    spawnSync('sh', ['-c', healthcheck], { env: { PATH: process.env['PATH'], PORT: String(at) } });
  if (spawnSync('sh', ['-c', 'command -v wget']).status !== 0) {
    return 'health check SKIPPED (this machine has no wget)';
  }
  if (check(port).status !== 0) throw new Error('the health check says it is not healthy');
  // Nobody listens on port 1: a check that cannot fail would not be one.
  if (check(1).status === 0) throw new Error('the health check passes where nobody listens');
  return 'healthy';
}

/** The temporary folder is its maker's alone; the image's user has to get through it. */
function openUpTo(root: string): void {
  chmodSync(root, 0o755);
  chmodSync(join(root, '..'), 0o755);
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + WAIT_MS;
  while (!isSo() && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
