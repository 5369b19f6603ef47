// A workbench for the sandbox's tests. Takes options, gives a sandbox on a clock that is set by hand,
// and a way to call it. Never waits for real time.

import type { Clock, JsonValue } from '../../src/core/model.ts';
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import type { SandboxOptions } from '../../src/sandbox/types.ts';

export const START = Date.parse('2026-01-31T10:00:00Z');

export interface HandClock extends Clock {
  /** Moves the present and wakes whoever's time has come. */
  advance(ms: number): Promise<void>;
}

export function createHandClock(startMs = START): HandClock {
  let nowMs = startMs;
  let sleepers: { untilMs: number; wake: (slept: boolean) => void }[] = [];
  return {
    nowMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve(false);
        sleepers.push({ untilMs: nowMs + ms, wake: resolve });
        signal?.addEventListener('abort', () => resolve(false), { once: true });
      }),
    async advance(ms) {
      nowMs += ms;
      const due = sleepers.filter((sleeper) => sleeper.untilMs <= nowMs);
      sleepers = sleepers.filter((sleeper) => sleeper.untilMs > nowMs);
      for (const sleeper of due) sleeper.wake(true);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The answer's JSON object; empty for anything else. */
  readonly body: WireObject;
  /** The answer's JSON array; undefined for anything else. */
  readonly list: readonly WireObject[] | undefined;
}

/** What the tests look into by name; everything else they compare whole. */
export interface WireObject {
  readonly id?: string;
  readonly key?: string;
  readonly message?: string;
  readonly createdAt?: string;
  readonly updatedAt?: string;
  readonly expiresAt?: string | null;
  readonly suspended?: boolean;
  readonly user?: { readonly id: string } | null;
  readonly metadata?: readonly { readonly id: string; readonly key: string }[];
}

export interface CallOptions {
  readonly body?: JsonValue;
  readonly token?: string | null;
  readonly signal?: AbortSignal;
  readonly headers?: Record<string, string>;
}

export interface Workbench {
  readonly sandbox: Sandbox;
  readonly clock: HandClock;
  call(method: string, path: string, options?: CallOptions): Promise<Reply>;
  get(path: string): Promise<Reply>;
  post(path: string, body?: JsonValue): Promise<Reply>;
  patch(path: string, body: JsonValue): Promise<Reply>;
}

/** Without a rate limit, unless one is asked for. */
export function createWorkbench(options: Partial<SandboxOptions> = {}): Workbench {
  const clock = createHandClock();
  const sandbox = createSandbox({ clock, rateLimit: false, ...options });
  const call: Workbench['call'] = async (method, path, callOptions = {}) => {
    const { body, token = 'sandbox-token', signal } = callOptions;
    const headers: Record<string, string> = { ...callOptions.headers };
    if (token !== null) headers['authorization'] ??= `Bearer ${token}`;
    if (body !== undefined) headers['content-type'] ??= 'application/json';
    const response = await sandbox.fetch(
      new Request(`https://api.cryptlex.com${path}`, {
        method,
        headers,
        ...(signal === undefined ? {} : { signal }),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    const text = await response.text();
    const { status, headers: answered } = response;
    const value = parsed(text);
    return Array.isArray(value)
      ? { status, headers: answered, text, body: {}, list: value }
      : { status, headers: answered, text, body: value ?? {}, list: undefined };
  };
  return {
    sandbox,
    clock,
    call,
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body === undefined ? {} : { body }),
    patch: (path, body) => call('PATCH', path, { body }),
  };
}

function parsed(text: string): WireObject | WireObject[] | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const USER = { firstName: 'Ada', email: 'ada@example.com', password: 'Secret-0123456789' };
