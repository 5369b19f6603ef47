// A real PostgreSQL for tests: comes from the package registry, lives in a directory of its own, is
// started by the test that needs it and gone after it. Never touches a database that was there before.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../../scripts/free-port.ts';
import { findPostgres, giveTo, makeFolder, type PostgresPrograms } from './postgres-programs.ts';

export interface TestPostgres {
  /** An empty database of its own at each call. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
  /** Stops and starts the server; connections are cut as by a crash or an upgrade. */
  restart(): Promise<void>;
}

/** Of its user `postgres`. */
export const PASSWORD = 'test';

/** A free port may be taken by somebody else before it is used. */
const TRIES = 3;

/**
 * @param givenPort where it listens; a free one unless said otherwise
 * @throws with what failed and what PostgreSQL said, where it cannot start
 */
export async function startPostgres(givenPort?: number): Promise<TestPostgres> {
  const programs = await findPostgres();
  const folder = makeFolder('keywright-postgres-', programs.runAs);
  const remove = () => {
    for (const path of [folder, programs.copy]) {
      if (path !== undefined) rmSync(path, { recursive: true, force: true });
    }
  };
  try {
    await initialise(programs, folder);
    let [server, port] = await startOnPort(programs, folder, givenPort);
    const killAtExit = () => {
      server.kill('SIGQUIT');
      remove();
    };
    process.once('exit', killAtExit);
    let count = 0;
    return {
      createDatabase: async () => {
        count += 1;
        const name = `keywright_${count}`;
        await run(port, `create database ${name}`);
        return `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/${name}`;
      },
      stop: async () => {
        await end(server);
        process.off('exit', killAtExit);
        remove();
      },
      restart: async () => {
        await end(server);
        [server, port] = await startOnPort(programs, folder, port);
      },
    };
  } catch (cause) {
    remove();
    throw cause;
  }
}

async function initialise(programs: PostgresPrograms, folder: string): Promise<void> {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, `${PASSWORD}\n`);
  giveTo(passwordFile, programs.runAs);
  const args = ['--auth=password', '--username=postgres', `--pwfile=${passwordFile}`];
  const layout = ['--encoding=UTF8', '--locale=C', '--no-sync', `--pgdata=${join(folder, 'data')}`];
  const initdb = start(programs, 'initdb', [...args, ...layout]);
  const output = collect(initdb);
  await ended(initdb);
  if (initdb.exitCode !== 0) throw failure('initdb', initdb, output());
}

async function startOnPort(
  programs: PostgresPrograms,
  folder: string,
  givenPort: number | undefined,
): Promise<[ChildProcess, number]> {
  for (let left = TRIES - 1; ; left -= 1) {
    const port = givenPort ?? (await freePort());
    const settings = [
      ...['max_connections=100', 'unix_socket_directories=', 'listen_addresses=127.0.0.1'],
      // What a power cut would lose is lost with the test anyway; waiting for the disk would be most of it.
      ...['fsync=off', 'full_page_writes=off'],
    ];
    const server = start(programs, 'postgres', [
      ...['-D', join(folder, 'data'), '-p', String(port)],
      ...settings.flatMap((setting) => ['-c', setting]),
    ]);
    const output = collect(server);
    if (await isReady(server, output)) return [server, port];
    const taken = output().includes('Address already in use');
    if (!taken || left === 0 || givenPort !== undefined)
      throw failure('postgres', server, output());
  }
}

function start({ bin, runAs }: PostgresPrograms, name: string, args: string[]): ChildProcess {
  return spawn(join(bin, name), args, {
    ...runAs,
    // The working folder of the tests may be closed to the user it runs as.
    cwd: '/',
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Gives what the process wrote so far. */
function collect({ stdout, stderr }: ChildProcess): () => string {
  let text = '';
  for (const stream of [stdout, stderr]) {
    stream?.on('data', (chunk) => {
      text += chunk;
    });
  }
  return () => text.trim();
}

/** False when it ended instead. */
function isReady(server: ChildProcess, output: () => string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.stderr?.on('data', () => {
      if (output().includes('database system is ready to accept connections')) resolve(true);
    });
    server.once('close', () => resolve(false));
    server.once('error', reject);
  });
}

async function end(server: ChildProcess): Promise<void> {
  server.kill('SIGINT');
  await ended(server);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
}

function failure(program: string, { exitCode, signalCode }: ChildProcess, output: string): Error {
  const lastLines = output.split('\n').slice(-8).join('\n');
  return new Error(
    `PostgreSQL of the tests could not start: ${program} ended with ${exitCode ?? signalCode}.\n${lastLines}`,
  );
}

async function run(port: number, statement: string): Promise<void> {
  const client = new Client({ port, host: '127.0.0.1', user: 'postgres', password: PASSWORD });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
