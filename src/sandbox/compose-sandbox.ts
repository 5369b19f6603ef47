// The sandbox, put together and served alone. Beside compose.ts, and like it imported only by cli/ and
// tests. No call ever leaves the process here.

import { createSystemClock } from '../core/clock.ts';
import type { Clock } from '../core/model.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';
import { serveSandbox } from './serve.ts';
import type { SandboxOptions } from './types.ts';

const SANDBOX_TOKEN = 'sandbox-token';

export interface ServedSandbox {
  readonly sandbox: Sandbox;
  readonly url: string;
  readonly token: string;
  close(): Promise<void>;
}

/** Serves the sandbox over HTTP on this machine only. @throws PORT_UNAVAILABLE */
export async function composeSandbox(options: {
  port: number;
  token?: string;
  clock?: Clock;
  rateLimit?: false;
  /** How it behaves where it should not be as usual. */
  options?: Partial<Omit<SandboxOptions, 'token'>>;
}): Promise<ServedSandbox> {
  const token = options.token ?? SANDBOX_TOKEN;
  const sandbox = createSandbox({
    clock: options.clock ?? createSystemClock(),
    ...(options.rateLimit === false ? { rateLimit: false } : {}),
    ...options.options,
    token,
  });
  const { url, close } = await serveSandbox(sandbox, { port: options.port, host: '127.0.0.1' });
  return { sandbox, url, token, close };
}
