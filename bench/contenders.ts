// The processes of a measurement: one that stands in for Cryptlex, and one for each server that is compared.
// Takes which are wanted, gives a way to ask each what it has used. All are alive at the same time, so that
// their rounds can take turns. Ends what it started.

import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CryptlexOrder } from './cryptlex.ts';
import { SECRET } from './events.ts';
import { createSender, type Sender } from './load.ts';
import type { Question, Usage } from './probe.ts';

export const CONTENDERS = ['bare', 'hand-written', 'memory', 'sqlite', 'postgres'] as const;
/** The two yardsticks, and Keywright by its journal. */
export type ContenderName = (typeof CONTENDERS)[number];

export function isYardstick(name: ContenderName): boolean {
  return name === 'bare' || name === 'hand-written';
}

export interface Contender {
  readonly name: ContenderName;
  readonly sender: Sender;
  usage(options?: { collect: boolean }): Promise<Usage>;
}

export interface Cryptlex {
  readonly url: string;
  tell(order: CryptlexOrder): Promise<{ readonly calls: number }>;
}

export interface Arena {
  readonly cryptlex: Cryptlex;
  readonly contenders: readonly Contender[];
  /** A journal's folder, for whoever wants to look at it. */
  readonly directory: string;
  close(): Promise<void>;
}

export interface ArenaOptions {
  readonly names: readonly ContenderName[];
  /** Writes a processor profile of each server there when it ends. */
  readonly profileDir?: string | undefined;
  /** An empty database, where one of PostgreSQL is asked for. */
  readonly postgresUrl?: string | undefined;
  /** Further variables of Keywright's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Far above what is measured, so that the pace is not. */
const NO_PACE = '10000/10ms';

export async function openArena(options: ArenaOptions): Promise<Arena> {
  const directory = mkdtempSync(join(tmpdir(), 'keywright-bench-'));
  const children: ChildProcess[] = [];
  const cryptlexChild = start('./cryptlex.ts', {}, []);
  children.push(cryptlexChild);
  const { url } = await reply<{ url: string }>(cryptlexChild);
  const contenders: Contender[] = [];
  for (const name of options.names) {
    const [file, own] = entryOf(name, directory, options.postgresUrl);
    const env = { ...commonEnv(url), ...own, ...options.env };
    const child = start(file, env, profileArgs(options.profileDir, name));
    children.push(child);
    const { url: address } = await reply<{ url: string }>(child);
    contenders.push({
      name,
      sender: createSender(address),
      usage: ({ collect } = { collect: false }) => ask<Usage>(child, { ask: 'usage', collect }),
    });
  }
  return {
    cryptlex: { url, tell: (order) => ask(cryptlexChild, order) },
    contenders,
    directory,
    close: async () => {
      for (const { sender } of contenders) sender.close();
      await Promise.all(children.slice(1).map(stop));
      cryptlexChild.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function commonEnv(cryptlexUrl: string): Record<string, string> {
  return {
    BENCH_SECRET: SECRET,
    STRIPE_WEBHOOK_SECRET: SECRET,
    FASTSPRING_WEBHOOK_SECRET: SECRET,
    PADDLE_WEBHOOK_SECRET: SECRET,
    CRYPTLEX_ACCESS_TOKEN: 'bench-token',
    CRYPTLEX_WEB_API_BASE_URL: cryptlexUrl,
    CRYPTLEX_PRODUCT_ID: 'bench-product',
    CRYPTLEX_RATE_LIMIT: NO_PACE,
    RULES_DIR: fileURLToPath(new URL('../rules', import.meta.url)),
    WEBHOOK_DEADLINE_MS: '60000',
    HOST: '127.0.0.1',
    PORT: '0',
  };
}

function entryOf(
  name: ContenderName,
  directory: string,
  postgresUrl: string | undefined,
): readonly [file: string, env: Readonly<Record<string, string>>] {
  if (isYardstick(name)) return [`./yardsticks/${name}.ts`, {}];
  const urls: Readonly<Record<string, string>> = {
    memory: 'memory:',
    sqlite: `sqlite:${join(directory, 'journal.db')}`,
    postgres: postgresUrl ?? '',
  };
  return ['./keywright.ts', { DATABASE_URL: urls[name] ?? '' }];
}

function profileArgs(profileDir: string | undefined, name: string): readonly string[] {
  if (profileDir === undefined) return [];
  return ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, `--cpu-prof-name=${name}.cpuprofile`];
}

function start(file: string, env: Readonly<Record<string, string>>, args: readonly string[]) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    env: { PATH: process.env['PATH'], ...env },
    execArgv: ['--expose-gc', ...args],
    // A log that goes nowhere is still written.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.setMaxListeners(0);
  return child;
}

/** The next message. @throws Error when the process ends before */
function reply<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`a process ended: ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message as Message);
    });
  });
}

function ask<Answer>(child: ChildProcess, question: Question | CryptlexOrder): Promise<Answer> {
  const answer = reply<Answer>(child);
  child.send(question);
  return answer;
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.send({ ask: 'stop' } satisfies Question);
  });
}
