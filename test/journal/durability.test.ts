// What survives a loss of power: everything that was told to be stored, and with each call to Cryptlex
// the intention that came before it. The disk of these tests keeps only what was synced.

import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { eventKeyOf } from '../../src/core/model.ts';
import type { Intention, Journal, NewEvent } from '../../src/journal/journal.ts';
import { openSqlJournal } from '../../src/journal/sql/sql-journal.ts';
import { openSqlite } from '../../src/journal/sql/sqlite.ts';
import { complete } from '../support/operations.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-durability-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;
let path = '';
beforeEach(() => {
  files += 1;
  path = join(directory, `${files}.db`);
});

/** A disk that keeps what was synced, and can be held up or broken. */
class Disk {
  syncs = 0;
  broken = false;
  #held: Promise<void> = Promise.resolve();
  #release: () => void = () => undefined;

  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#release();
  }

  readonly sync = async (): Promise<void> => {
    this.syncs += 1;
    for (const end of ['', '-wal']) {
      if (existsSync(`${path}${end}`)) copyFileSync(`${path}${end}`, `${path}.lost${end}`);
    }
    await this.#held;
    if (this.broken) throw new Error('EIO: i/o error, fdatasync');
  };
}

function open(file: string, disk = new Disk()): Promise<Journal> {
  const clock = new VirtualClock();
  return openSqlJournal(openSqlite({ path: file, clock, works: true, sync: disk.sync }), clock);
}

function event(id: string): NewEvent {
  return {
    event: {
      ...{ source: 'stripe', provider: 'stripe', id, type: 'paid', timeMs: 1, live: true },
      payload: { id },
    },
    subjects: [id],
  };
}

function intention(eventKey: string): Intention {
  return {
    ...{ key: `key of ${eventKey}`, eventKey, action: 'license.create', before: {} },
    ...{ targetId: undefined, productId: 'p', choice: undefined, attempt: 1 },
  };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('a delivery is told to be stored once it is durable, not before', async () => {
  const disk = new Disk();
  const journal = await open(path, disk);
  disk.hold();
  let told = 0;
  const accepted = journal.accept([event('a')]).then(() => {
    told += 1;
  });
  await turns();
  expect(told).toBe(0);
  disk.release();
  await accepted;
  expect(told).toBe(1);
  await journal.close();
});

test('deliveries that come while the disk is busy share the next sync', async () => {
  const disk = new Disk();
  const journal = await open(path, disk);
  const before = disk.syncs;
  disk.hold();
  const first = journal.accept([event('a')]);
  await turns();
  const others = Array.from({ length: 50 }, (_, index) => journal.accept([event(`b${index}`)]));
  await turns();
  disk.release();
  await Promise.all([first, ...others]);
  expect(disk.syncs - before).toBe(2);
  await journal.close();
});

test('deliveries that come one turn of the event loop after the other share a commit and its sync', async () => {
  const disk = new Disk();
  const journal = await open(path, disk);
  const before = disk.syncs;
  const accepted: Promise<unknown>[] = [];
  for (let delivery = 0; delivery < 12; delivery += 1) {
    accepted.push(journal.accept([event(`a${delivery}`)]));
    await new Promise((turn) => setImmediate(turn));
  }
  await Promise.all(accepted);
  expect(disk.syncs - before).toBe(1);
  await journal.close();
});

test('a stream of deliveries that never ends does not put the first of them off', async () => {
  const disk = new Disk();
  const journal = await open(path, disk);
  let isStored = false;
  const first = journal.accept([event('a')]).then(() => {
    isStored = true;
  });
  const others: Promise<unknown>[] = [];
  while (!isStored && others.length < 500) {
    others.push(journal.accept([event(`b${others.length}`)]));
    await new Promise((turn) => setImmediate(turn));
  }
  expect(others.length).toBeLessThan(500);
  await Promise.all([first, ...others]);
  await journal.close();
});

test('whoever only asks is not held up by a commit that waits for more, and sees nothing of it', async () => {
  const journal = await open(path);
  const key = eventKeyOf(event('a').event);
  const accepted = journal.accept([event('a')]);
  let turnsWaited = 0;
  const counting = setImmediate(() => {
    turnsWaited += 1;
  });
  expect(await journal.take()).toBeUndefined();
  expect(turnsWaited).toBe(0);
  clearImmediate(counting);
  await accepted;
  expect((await journal.take())?.key).toBe(key);
  await journal.close();
});

test('of a whole event, only its acceptance and its intentions wait for the disk', async () => {
  const disk = new Disk();
  const journal = await open(path, disk);
  const before = disk.syncs;
  await journal.accept([event('a')]);
  const taken = await journal.take();
  const key = taken?.key ?? '';
  await journal.storePlan(key, { rulesHash: 'h', rules: [], plan: { steps: [] } });
  await journal.intend(intention(key), undefined);
  await complete(journal, `key of ${key}`, { kind: 'applied', targetId: 'l1' }, []);
  await journal.rememberUser('ann@example.org', 'u1');
  const outcome = { eventId: 'a', status: 'done', message: 'Done.' } as const;
  await journal.settle(key, { outcome, wakesWaiting: true });
  expect(disk.syncs - before).toBe(2);
  await journal.close();
});

test('what was told before the power went is there after it, and no call without its intention', async () => {
  const journal = await open(path, new Disk());
  const told: string[] = [];
  const intended: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    const ids = Array.from({ length: 4 }, (_, index) => `e${round}-${index}`);
    await Promise.all(
      ids.map(async (id) => {
        await journal.accept([event(id)]);
        told.push(eventKeyOf(event(id).event));
      }),
    );
    const taken = await journal.take();
    await journal.intend(intention(taken?.key ?? ''), undefined);
    intended.push(`key of ${taken?.key}`);
    await complete(journal, `key of ${taken?.key}`, { kind: 'applied', targetId: 'l1' }, []);
    // Each time the power goes here, this is what the disk holds.
    const after = await open(`${path}.lost`);
    for (const key of told) expect((await after.find(key))?.status).toBeDefined();
    expect([...(await after.findOperations(intended)).keys()]).toEqual(intended);
    await after.close();
    for (const end of ['', '-wal', '-shm']) rmSync(`${path}.lost${end}`, { force: true });
  }
  await journal.close();
});

test('a disk that fails is told, and what comes again afterwards is stored', async () => {
  const disk = new Disk();
  const journal = await open(path, disk);
  disk.broken = true;
  await expect(journal.accept([event('a')])).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' });
  disk.broken = false;
  expect(await journal.accept([event('a')])).toMatchObject([{ kind: 'queued' }]);
  await journal.close();
});
