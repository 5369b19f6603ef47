// The file of the journal is deleted, moved or replaced under the running server, its disk is full, or it is reached by
// a symbolic link: what is answered 200 is in the file that the next start opens. Real files, a real server.

import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openArchive } from '../../src/journal/open-journal.ts';
import { type Keywright, sampleBody, withKeywright } from '../support/keywright.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-gone-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const folder = (): string => mkdtempSync(join(directory, 'one-'));

let sent = 0;
function send(keywright: Keywright) {
  sent += 1;
  const body = sampleBody('stripe', 'checkout.session.completed-payment');
  return keywright.send('stripe', { ...body, id: `evt_gone_${sent}` });
}

async function readiness({ url }: Keywright): Promise<number> {
  return (await fetch(`${url}/readyz`)).status;
}

const serve = (path: string, work: (keywright: Keywright) => Promise<void>) =>
  withKeywright({ providers: ['stripe'], env: { DATABASE_URL: `sqlite:${path}` } }, work);

interface Loss {
  readonly what: string;
  lose(file: string): void;
  /** Undoes it; left out where the file is gone for good. */
  bringBack?(file: string): void;
}

const LOSSES: readonly Loss[] = [
  { what: 'deleted', lose: (file) => rmSync(file) },
  {
    what: 'deleted with its directory',
    lose: (file) => rmSync(join(file, '..'), { recursive: true }),
  },
  {
    what: 'moved away',
    lose: (file) => renameSync(file, `${file}.old`),
    bringBack: (file) => renameSync(`${file}.old`, file),
  },
  {
    what: 'replaced by a copy of itself',
    lose: (file) => {
      copyFileSync(file, `${file}.copy`);
      renameSync(`${file}.copy`, file);
    },
  },
  { what: 'left without its write-ahead log', lose: (file) => rmSync(`${file}-wal`) },
  {
    what: 'given another write-ahead log',
    lose: (file) => {
      renameSync(`${file}-wal`, `${file}-wal.old`);
      copyFileSync(`${file}-wal.old`, `${file}-wal`);
    },
    bringBack: (file) => renameSync(`${file}-wal.old`, `${file}-wal`),
  },
];

describe('a journal file that is', () => {
  test.each(LOSSES)(
    '$what under the server takes no delivery, and /readyz says so',
    ({ lose, bringBack }) => {
      const file = join(folder(), 'journal.db');
      return serve(file, async (keywright) => {
        expect((await send(keywright)).status).toBe(200);
        expect(await readiness(keywright)).toBe(200);
        lose(file);
        const answer = await send(keywright);
        expect([answer.status, answer.json['error']]).toEqual([503, 'JOURNAL_UNAVAILABLE']);
        expect(answer.text).not.toContain(directory);
        expect(await readiness(keywright)).toBe(503);
        if (bringBack === undefined) return;
        bringBack(file);
        expect((await send(keywright)).status).toBe(200);
        expect(await readiness(keywright)).toBe(200);
      });
    },
  );
});

const disk = join(directory, 'small disk');
mkdirSync(disk);
const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
afterAll(() => void spawnSync('umount', ['-l', disk]));

// Only root may mount; a limit on the size of files stands in elsewhere, see journal-trouble.test.ts.
test.skipIf(mount.status !== 0)(
  'a full disk takes no delivery, and /readyz says so, until it is not full',
  () =>
    serve(join(disk, 'journal.db'), async (keywright) => {
      expect([(await send(keywright)).status, await readiness(keywright)]).toEqual([200, 200]);
      const filler = join(disk, 'filler');
      expect(() => {
        for (;;) appendFileSync(filler, Buffer.alloc(4_096));
      }).toThrow('ENOSPC');
      expect([(await send(keywright)).status, await readiness(keywright)]).toEqual([503, 503]);
      rmSync(filler);
      expect([(await send(keywright)).status, await readiness(keywright)]).toEqual([200, 200]);
    }),
);

describe('a journal by way of a symbolic link', () => {
  const LINKS: readonly [string, (place: string) => { given: string; real: string }][] = [
    [
      'to the file',
      (place) => {
        const given = join(place, 'link.db');
        mkdirSync(join(place, 'real'));
        symlinkSync(join(place, 'real', 'journal.db'), given);
        return { given, real: join(place, 'real', 'journal.db') };
      },
    ],
    [
      'to its directory',
      (place) => {
        mkdirSync(join(place, 'real'));
        symlinkSync(join(place, 'real'), join(place, 'link'));
        return {
          given: join(place, 'link', 'journal.db'),
          real: join(place, 'real', 'journal.db'),
        };
      },
    ],
  ];

  test.each(LINKS)(
    '%s is the file behind it, also at the next start and for another server',
    async (_, make) => {
      const { given, real } = make(folder());
      for (const known of [0, 1]) {
        await serve(given, async (keywright) => {
          expect((await send(keywright)).status).toBe(200);
          expect(await readiness(keywright)).toBe(200);
          expect(existsSync(real)).toBe(true);
          await expect(serve(real, async () => undefined)).rejects.toThrow('JOURNAL_LOCKED');
          const { archive, close } = await openArchive({ DATABASE_URL: `sqlite:${real}` });
          expect(await archive.count({})).toBe(known + 1);
          await close();
        });
      }
    },
  );
});
