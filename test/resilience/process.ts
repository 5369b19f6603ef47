// The server as a process of its own, as it runs in earnest. Takes where Cryptlex is, gives its address
// and ways to end it. A process that outlives its test is ended with it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Provider } from '../../src/core/providers.ts';
import { Secret } from '../../src/core/secret.ts';
import { signDelivery } from '../../src/verifiers/sign.ts';
import { PATIENT_MS, PRODUCT_ID, SECRETS } from '../support/keywright.ts';
import type { Oddities } from '../support/odd-server.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const GIVE_UP_MS = 20_000;

export interface ServerProcess {
  readonly url: string;
  readonly pid: number | undefined;
  /** Lines of stdout and stderr so far. */
  readonly lines: readonly string[];
  /** Signs and sends; gives the status, or undefined when there was no answer. */
  send(provider: Provider, body: string): Promise<number | undefined>;
  /** SIGSTOP freezes it, SIGCONT lets it go on. */
  signal(signal: 'SIGHUP' | 'SIGSTOP' | 'SIGCONT'): void;
  /** Ends it, and gives its exit code; null when a signal ended it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

export async function startServerProcess(
  cryptlex: { url: string; token: string },
  env: Record<string, string | undefined> = {},
  oddities?: Oddities,
): Promise<ServerProcess> {
  const args =
    oddities === undefined
      ? ['src/cli.ts', 'serve']
      : ['test/support/odd-server.ts', JSON.stringify(oddities)];
  const child = spawnNode(args, {
    STRIPE_WEBHOOK_SECRET: SECRETS.stripe,
    FASTSPRING_WEBHOOK_SECRET: SECRETS.fastspring,
    PADDLE_WEBHOOK_SECRET: SECRETS.paddle,
    CRYPTLEX_ACCESS_TOKEN: cryptlex.token,
    CRYPTLEX_WEB_API_BASE_URL: cryptlex.url,
    CRYPTLEX_PRODUCT_ID: PRODUCT_ID,
    CRYPTLEX_RATE_LIMIT: '10000/1s',
    DATABASE_URL: 'memory:',
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_FORMAT: 'json',
    WEBHOOK_DEADLINE_MS: PATIENT_MS,
    ...env,
  });
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      lines.push(...chunk.toString().split('\n').filter(Boolean));
      const found = /"url":"(http:[^"]+)"/.exec(lines.join('\n'))?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    void exited.then(([code]) => reject(new Error(`it ended with ${code}: ${lines.join('\n')}`)));
  });
  return {
    url,
    pid: child.pid,
    lines,
    send: async (provider, body) => {
      const bytes = new TextEncoder().encode(body);
      const secret = new Secret(SECRETS[provider]);
      const nowMs = Date.now() + (oddities?.clockOffMs ?? 0);
      const timestampSeconds = Math.floor(nowMs / 1000);
      const { header, value } = signDelivery(provider, bytes, { secret, timestampSeconds });
      const headers = { 'content-type': 'application/json', [header]: value };
      try {
        const response = await fetch(`${url}/v1`, {
          ...{ method: 'POST', headers, body },
          // The providers do not wait longer either.
          signal: AbortSignal.timeout(GIVE_UP_MS),
        });
        await response.arrayBuffer();
        return response.status;
      } catch {
        return undefined;
      }
    },
    signal: (signal) => {
      child.kill(signal);
    },
    end: async (signal) => {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}

/** Starts the command line with these variables and no others. */
export function spawnCli(
  args: readonly string[],
  env: Record<string, string | undefined>,
): ChildProcess {
  return spawnNode(['src/cli.ts', ...args], env);
}

function spawnNode(args: readonly string[], env: Record<string, string | undefined>): ChildProcess {
  return spawn(process.execPath, args, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs the command line to its end. */
export async function runCli(
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawnCli(args, env);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}
