// PostgreSQL of the tests starts on any machine, also for root in a folder that nobody else may enter, and
// says what failed where it does not.

import { cpSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startPostgres } from './postgres.ts';
import { packagedFolder, reachablePrograms } from './postgres-programs.ts';

test.skipIf(userInfo().uid !== 0)('programs in a private folder are copied out of it', async () => {
  const privateFolder = mkdtempSync(join(tmpdir(), 'keywright-private-'));
  onTestFinished(() => rmSync(privateFolder, { recursive: true }));
  expect(statSync(privateFolder).mode & 0o777).toBe(0o700);
  const packaged = await packagedFolder();
  cpSync(dirname(packaged), privateFolder, { recursive: true, verbatimSymlinks: true });
  const { bin, copy, runAs } = reachablePrograms(join(privateFolder, 'bin'));
  onTestFinished(() => rmSync(copy ?? '', { recursive: true }));
  expect(bin).toBe(join(copy ?? '', 'bin'));
  expect(bin).not.toContain(privateFolder);
  expect(runAs.uid).toBeGreaterThan(0);
});

test('programs that cannot be run at all are an error with the place and a way out', () => {
  const empty = mkdtempSync(join(tmpdir(), 'keywright-empty-'));
  onTestFinished(() => rmSync(empty, { recursive: true }));
  expect(() => reachablePrograms(join(empty, 'bin'))).toThrow(
    /^PostgreSQL of the tests cannot run here\. in .*ENOENT.*Set TMPDIR/,
  );
});

test('a server starts for someone whose files only they may read', async () => {
  const usual = process.umask(0o077);
  onTestFinished(() => {
    process.umask(usual);
  });
  const postgres = await startPostgres();
  expect(await postgres.createDatabase()).toMatch(/^postgres:/);
  await postgres.stop();
});

test('a server that ends instead of starting says what PostgreSQL said', async () => {
  const holder = createServer();
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port));
  });
  onTestFinished(() => {
    holder.close();
  });
  await expect(startPostgres(port)).rejects.toThrow(
    /postgres ended with 1\.[\s\S]*Address already in use/,
  );
});
