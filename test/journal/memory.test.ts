import { describe, expect, test } from 'vitest';
import { createMemoryJournal } from '../../src/journal/memory.ts';
import { complete } from '../support/operations.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { journalContract, keyOf, newEvent, settle, take } from './contract.ts';

journalContract('memory', async () => {
  const clock = new VirtualClock();
  const journal = createMemoryJournal({ clock });
  return { journal, nowMs: () => clock.nowMs(), pass: (ms) => clock.advance(ms) };
});

describe('the memory journal keeps its size', () => {
  test('the payloads of all but the latest thousand finished events are dropped', async () => {
    const journal = createMemoryJournal({ clock: new VirtualClock() });
    for (let index = 0; index <= 1_000; index += 1) {
      const id = `e${index}`;
      await journal.accept([newEvent(id, { subjects: [id], payload: { big: 'x' } })]);
      await take(journal, id);
      await settle(journal, id, 'failed');
    }
    expect((await journal.find(keyOf('e0')))?.event.payload).toEqual({});
    expect((await journal.find(keyOf('e1')))?.event.payload).toEqual({ big: 'x' });
    // A redelivery brings the payload along again.
    await journal.accept([newEvent('e0', { payload: { big: 'y' } })]);
    expect((await journal.take())?.event.payload).toEqual({ big: 'y' });
  });

  test('the oldest of more than 50000 finished events is forgotten, unfinished ones never', async () => {
    const journal = createMemoryJournal({ clock: new VirtualClock() });
    await journal.accept([newEvent('waiting', { subjects: ['w'] })]);
    await take(journal, 'waiting');
    await settle(journal, 'waiting', 'waiting');
    for (let index = 0; index <= 50_000; index += 1) {
      const id = `e${index}`;
      await journal.accept([newEvent(id, { subjects: [id] })]);
      await journal.take();
      await settle(journal, id, 'done');
    }
    expect(await journal.find(keyOf('e0'))).toBeUndefined();
    expect(await journal.find(keyOf('e1'))).toMatchObject({ status: 'done' });
    expect(await journal.find(keyOf('waiting'))).toMatchObject({ status: 'waiting' });
  });

  test('an operation whose outcome is open is never forgotten, however many come after it', async () => {
    const journal = createMemoryJournal({ clock: new VirtualClock() });
    const intent = (key: string) => ({
      key,
      eventKey: 'stripe:a',
      action: 'license.create',
      targetId: undefined,
      productId: 'p',
      before: {},
      choice: undefined,
      attempt: 1,
    });
    await journal.intend(intent('open'), undefined);
    for (let index = 0; index <= 200_000; index += 1) {
      await journal.intend(intent(`k${index}`), undefined);
      await complete(journal, `k${index}`, { kind: 'applied', targetId: `l${index}` }, []);
    }
    const found = await journal.findOperations(['open', 'k0', 'k200000']);
    expect([...found.keys()]).toEqual(['open', 'k200000']);
  });

  test('a quarter of a million events that wait are no trouble', async () => {
    const clock = new VirtualClock();
    const journal = createMemoryJournal({ clock });
    const dueAtMs = clock.nowMs() + 1_000;
    for (let index = 0; index < 2_000; index += 1) {
      const id = `e${index}`;
      const subjects = Array.from({ length: 125 }, (_, part) => `${id}-${part}`);
      await journal.accept([newEvent(id, { subjects })]);
    }
    for (let index = 0; index < 2_000; index += 1) await journal.take();
    for (let index = 0; index < 2_000; index += 1) {
      const outcome = { eventId: `e${index}`, status: 'waiting', message: '' } as const;
      await journal.settle(keyOf(`e${index}`), { outcome, dueAtMs, wakesWaiting: false });
    }
    expect(await journal.nextDueAtMs()).toBe(dueAtMs);
  });
});
