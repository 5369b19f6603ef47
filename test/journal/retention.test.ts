// Payloads are erased after their time: hourly, not before, and so that nothing of them is left in the file.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createHousekeeping } from '../../src/app/housekeeping.ts';
import { createLogger } from '../../src/core/log.ts';
import type { JsonObject } from '../../src/core/model.ts';
import type { Archive } from '../../src/journal/archive.ts';
import { createMemoryJournal } from '../../src/journal/memory.ts';
import { sampleBody, withKeywright } from '../support/keywright.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { newEvent } from './archive.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-retention-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A journal with one event that is done, and housekeeping over it. */
async function kept(retentionDays: number, change: (archive: Archive) => Archive = (same) => same) {
  const clock = new VirtualClock();
  const journal = createMemoryJournal({ clock });
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const nowMs = (): number => clock.nowMs();
  const log = createLogger({ level: 'info', format: 'json', write, nowMs });
  const archive = change(journal.archive);
  const housekeeping = createHousekeeping({
    ...{ archive, retentionDays, clock, log },
    ruleSets: () => new Map(),
  });
  await journal.accept([newEvent({ id: 'x' })]);
  await journal.take();
  const outcome = { eventId: 'x', status: 'done', message: 'done' } as const;
  await journal.settle('stripe:x', { outcome, wakesWaiting: false });
  const isErased = async () => (await journal.find('stripe:x'))?.isErased;
  return { clock, housekeeping, isErased, lines };
}

describe('housekeeping', () => {
  test.each([1, 90])(
    'with %i days: not before the time, and within the hour after it',
    async (days) => {
      const { clock, housekeeping, isErased, lines } = await kept(days);
      housekeeping.start();
      await clock.advance(days * DAY_MS);
      expect(await isErased()).toBe(false);
      await clock.advance(HOUR_MS);
      expect(await isErased()).toBe(true);
      expect(lines.filter((line) => line.includes('payloads were erased'))).toHaveLength(1);
      await housekeeping.stop();
    },
  );

  test('looks once an hour, not more often', async () => {
    let looks = 0;
    const { clock, housekeeping } = await kept(1, (archive) => ({
      ...archive,
      erase: async (beforeMs) => {
        looks += 1;
        return archive.erase(beforeMs);
      },
    }));
    housekeeping.start();
    await clock.advance(10 * HOUR_MS - 1);
    expect(looks).toBe(10);
    await housekeeping.stop();
    expect(clock.sleeping).toBe(0);
  });

  test('goes on after the journal did not answer, and tells it', async () => {
    let fails = 3;
    const { clock, housekeeping, isErased, lines } = await kept(1, (archive) => ({
      ...archive,
      erase: async (beforeMs) => {
        fails -= 1;
        if (fails >= 0) throw new Error('the disk is full');
        return archive.erase(beforeMs);
      },
    }));
    await clock.advance(2 * DAY_MS);
    housekeeping.start();
    await clock.advance(HOUR_MS);
    expect(await isErased()).toBe(true);
    expect(lines.filter((line) => line.includes('the disk is full'))).toHaveLength(3);
    await housekeeping.stop();
  });
});

describe('an erased journal file', () => {
  /** Every text of four letters or more that stands in a value of the payload. */
  const texts = (value: unknown): string[] => {
    if (typeof value === 'string') return [value];
    if (Array.isArray(value)) return value.flatMap(texts);
    return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
  };

  const SALES = [
    ['stripe', 'invoice.paid-subscription-create'],
    ['fastspring', 'order.completed'],
    ['paddle', 'customer.created'],
  ] as const;

  test('holds no address, no name and no text of the payloads any more, and still answers duplicates', () => {
    const path = join(directory, 'journal.db');
    const env = { DATABASE_URL: `sqlite:${path}` };
    return withKeywright({ env }, async ({ sendSample, server, sandbox }) => {
      for (const [provider, sample] of SALES) await sendSample(provider, sample);
      // One that failed: its message quotes the payload.
      await sendSample('stripe', 'customer.created', {
        edit: (body) =>
          Object.assign((body['data'] as JsonObject)['object'] as JsonObject, {
            email: 'quoted not an address',
          }),
      });
      const dump = (): string =>
        readdirSync(directory)
          .filter((name) => name.startsWith('journal.db') && !name.endsWith('.lock'))
          .map((name) => readFileSync(join(directory, name), 'utf8'))
          .join('');
      const personal = [
        ...sandbox.state.users.flatMap(({ email, firstName, lastName }) => [
          email,
          firstName,
          lastName ?? '',
        ]),
        'quoted not an address',
        ...SALES.flatMap(([provider, sample]) => texts(sampleBody(provider, sample))),
      ].filter((text) => text.length > 12 || text.includes('@'));
      const before = dump();
      expect(personal.filter((text) => before.includes(text)).length).toBeGreaterThan(20);

      const wanted = await server.archive.list({}, { limit: 10 });
      expect(await server.archive.erase(Date.now() + 1)).toBe(4);

      const after = dump();
      const references = JSON.stringify([
        wanted.events.map(({ key, subjects, event, outcome }) => [
          key,
          subjects,
          event.type,
          outcome?.licenseIds,
        ]),
      ]);
      const operations: string[] = [];
      for (const { key } of wanted.events) {
        const details = await server.archive.details(key);
        for (const operation of details?.operations ?? [])
          operations.push(JSON.stringify(operation));
      }
      const left = personal.filter(
        (text) =>
          after.includes(text) &&
          !references.includes(text) &&
          !operations.some((operation) => operation.includes(text)),
      );
      expect(left).toEqual([]);
      expect(personal.filter((text) => text.includes('@') && after.includes(text))).toEqual([]);

      const calls = sandbox.requests.length;
      for (const [provider, sample] of SALES) {
        const answer = await sendSample(provider, sample);
        expect(answer.json).toMatchObject({ status: 'done', duplicate: true });
      }
      expect(sandbox.requests).toHaveLength(calls);
      expect((await server.archive.list({ status: 'failed' }, { limit: 1 })).events).toMatchObject([
        { outcome: { failure: { code: expect.any(String) } } },
      ]);
    });
  });
});
