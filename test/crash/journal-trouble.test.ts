// A journal that cannot keep its promise says so: nothing that is not stored is answered 200, and a server
// does not start on a file that is not its own. Real files, real processes where it needs them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { composeServer } from '../../src/app/server.ts';
import { Secret } from '../../src/core/secret.ts';
import { openArchive } from '../../src/journal/open-journal.ts';
import { signDelivery } from '../../src/verifiers/sign.ts';
import { PRODUCT_ID, SECRETS, sampleBody } from '../support/keywright.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'keywright-trouble-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const envOf = (path: string): Record<string, string> => ({
  STRIPE_WEBHOOK_SECRET: SECRETS.stripe,
  CRYPTLEX_ACCESS_TOKEN: 'sandbox-token',
  // Nobody answers there: accepting must not depend on it.
  CRYPTLEX_WEB_API_BASE_URL: 'http://127.0.0.1:9',
  CRYPTLEX_PRODUCT_ID: PRODUCT_ID,
  DATABASE_URL: `sqlite:${path}`,
  WEBHOOK_DEADLINE_MS: '1000',
  HOST: '127.0.0.1',
  PORT: '0',
  LOG_FORMAT: 'json',
});

async function compose(path: string) {
  return composeServer({
    env: envOf(path),
    readFile: () => '',
    writeLog: () => undefined,
    stdoutIsTty: false,
  });
}

describe('a server does not start on', () => {
  const given: readonly { what: string; code: string; make(path: string): void; path?: string }[] =
    [
      {
        what: 'a file that is no database',
        code: 'JOURNAL_UNAVAILABLE',
        make: (path) => writeFileSync(path, 'This is a letter to my landlord. '.repeat(200)),
      },
      {
        what: 'a journal whose pages are damaged',
        code: 'JOURNAL_UNAVAILABLE',
        make: (path) => {
          const database = new DatabaseSync(path);
          database.exec('create table keywright_meta (name text primary key, value text not null)');
          database.close();
          const bytes = readFileSync(path);
          // The header of the file stays; what it leads to is noise.
          writeFileSync(path, bytes.fill(0xa5, 100));
        },
      },
      {
        what: 'a journal of a newer Keywright',
        code: 'JOURNAL_NEWER',
        make: (path) => {
          const database = new DatabaseSync(path);
          database.exec('create table keywright_meta (name text primary key, value text not null)');
          database.exec("insert into keywright_meta values ('schema_version', '99')");
          database.close();
        },
      },
      {
        what: 'a path where no file can be',
        code: 'JOURNAL_UNAVAILABLE',
        path: join(directory, 'a file', 'journal.db'),
        make: (path) => writeFileSync(dirname(path), ''),
      },
    ];

  test.each(given)('$what, and says $code', async ({ what, code, make, path }) => {
    const file = path ?? join(directory, `${what}.db`);
    make(file);
    const composition = await compose(file);
    expect(composition.kind).toBe('refused');
    expect(composition.kind === 'refused' ? composition.problems.join('\n') : '').toContain(code);
  });

  test('a file that another process works on, until that one has ended', async () => {
    const file = join(directory, 'shared.db');
    const first = await compose(file);
    if (first.kind === 'refused') throw new Error(first.problems.join('\n'));
    const second = await compose(file);
    expect(second.kind === 'refused' ? second.problems.join('\n') : '').toContain('JOURNAL_LOCKED');
    await first.server.abandon();
    const third = await compose(file);
    if (third.kind === 'refused') throw new Error(third.problems.join('\n'));
    await third.server.stop();
  });
});

test('on a full disk, what is not stored is answered 503, and what was stored is kept', async () => {
  const file = join(directory, 'full.db');
  // A limit on the size of files stands in for the disk: writing beyond it fails, as on a full one.
  const command = `trap '' XFSZ; ulimit -f 600; exec "${process.execPath}" src/cli.ts serve`;
  const child = spawn('bash', ['--norc', '-c', command], { cwd: ROOT, env: envOf(file) });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  try {
    const url = await new Promise<string>((resolve, reject) => {
      const hear = (chunk: Buffer): void => {
        lines.push(chunk.toString());
        const found = /"url":"(http:[^"]+)"/.exec(lines.join(''))?.[1];
        if (found !== undefined) resolve(found);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      void exited.then(() => reject(new Error(lines.join(''))));
    });
    const answers: { readonly id: string; readonly status: number; readonly text: string }[] = [];
    const send = async (place: number): Promise<void> => {
      const id = `evt_full_${place}`;
      const body = { ...sampleBody('stripe', 'invoice.paid-subscription-create'), id };
      const bytes = new TextEncoder().encode(JSON.stringify(body));
      const secret = new Secret(SECRETS.stripe);
      const timestampSeconds = Math.floor(Date.now() / 1000);
      const { header, value } = signDelivery('stripe', bytes, { secret, timestampSeconds });
      const headers = { 'content-type': 'application/json', [header]: value };
      const response = await fetch(`${url}/v1`, { method: 'POST', headers, body: bytes });
      answers.push({ id, status: response.status, text: await response.text() });
    };
    for (let round = 0; round < 40 && !answers.some(({ status }) => status === 503); round += 1) {
      await Promise.all(Array.from({ length: 10 }, (_, index) => send(round * 10 + index)));
    }
    child.kill('SIGKILL');
    await exited;

    const refused = answers.filter(({ status }) => status !== 200);
    const accepted = answers.filter(({ status }) => status === 200);
    expect(accepted.length).toBeGreaterThan(0);
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, text } of refused) {
      expect(status).toBe(503);
      expect(text).not.toContain('SQLITE');
    }
    expect(lines.join('')).toContain('JOURNAL_UNAVAILABLE');
    const { archive, close } = await openArchive(envOf(file));
    const found = await Promise.all(accepted.map(({ id }) => archive.findKeys(id)));
    await close();
    expect(found.filter((keys) => keys.length !== 1)).toEqual([]);
  } finally {
    child.kill('SIGKILL');
  }
});
