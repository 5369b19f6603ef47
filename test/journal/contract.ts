// What every journal promises, as tests: run over each kind of journal. Takes a way to make one whose
// time the test owns. Uses the interface alone, so that nothing here knows where things are stored.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EventOutcome, EventStatus, WebhookEvent } from '../../src/core/model.ts';
import { eventKeyOf } from '../../src/core/model.ts';
import type {
  Intention,
  Journal,
  NewEvent,
  StoredPlan,
  TakenEvent,
} from '../../src/journal/journal.ts';
import { complete, intend, withdraw } from '../support/operations.ts';
import { timerContract } from './timer-contract.ts';

/** A journal, and the time by which it judges what is due. */
export interface JournalBench {
  readonly journal: Journal;
  nowMs(): number;
  /** Lets time go by. */
  pass(ms: number): Promise<void>;
}

const MINUTE_MS = 60_000;
const PLAN: StoredPlan = { plan: { steps: [] }, rules: [], rulesHash: 'hash-1' };

/** Describes the promises; `create` makes an empty journal for each test. */
export function journalContract(name: string, create: () => Promise<JournalBench>): void {
  describe(`the ${name} journal`, () => {
    let bench: JournalBench;
    beforeEach(async () => {
      bench = await create();
    });
    afterEach(() => bench.journal.close());
    acceptance(() => bench);
    order(() => bench);
    puttingOff(() => bench);
    operations(() => bench);
    lastWrites(() => bench);
    references(() => bench);
    timerContract(() => bench);
  });
}

type Get = () => JournalBench;

function acceptance(get: Get): void {
  describe('an event that is accepted', () => {
    test('for the first time is queued, and taken once', async () => {
      const { journal } = get();
      expect(await journal.accept([newEvent('a')])).toMatchObject([
        { kind: 'queued', key: keyOf('a') },
      ]);
      expect(await journal.find(keyOf('a'))).toMatchObject({ status: 'queued', attempts: 0 });
      expect(await journal.take()).toMatchObject({ key: keyOf('a'), attempt: 1 });
      expect(await journal.find(keyOf('a'))).toMatchObject({ status: 'running', attempts: 1 });
      expect(await journal.take()).toBeUndefined();
    });

    test('is given at once to whoever has a hand free, as taking would give it', async () => {
      const { journal, nowMs } = get();
      const given: TakenEvent[] = [];
      const event = newEvent('a', { subjects: ['s1', 's2'], payload: { text: 'é' } });
      expect(await journal.accept([event], (taken) => given.push(taken))).toMatchObject([
        { kind: 'queued', key: keyOf('a') },
      ]);
      // A journal that has no need of it leaves the event to `take`.
      const taken = journal.kind === 'memory' ? await journal.take() : given[0];
      expect(taken).toMatchObject({ ...event, attempt: 1, begunAtMs: nowMs() });
      expect(await journal.take()).toBeUndefined();
      expect(await journal.find(keyOf('a'))).toMatchObject({ status: 'running', attempts: 1 });
      await settle(journal, 'a', 'done');
      expect(await journal.accept([event], (again) => given.push(again))).toMatchObject([
        { kind: 'done' },
      ]);
      expect(given.length).toBeLessThan(2);
    });

    for (const [name, events] of [
      ['behind another event of one of its subjects', [newEvent('b', { subjects: ['s1', 's2'] })]],
      ['in one delivery with others', [newEvent('b'), newEvent('c')]],
    ] as const) {
      test(`${name} is not given at once`, async () => {
        const { journal } = get();
        const given: TakenEvent[] = [];
        await journal.accept([newEvent('a', { subjects: ['s1'] })]);
        await take(journal, 'a');
        await journal.accept(events, (taken) => given.push(taken));
        expect(given).toEqual([]);
      });
    }

    test('comes back whole, with its subjects and its payload', async () => {
      const { journal, nowMs } = get();
      const event = newEvent('a', {
        subjects: ['s1', 's2'],
        payload: { text: 'é\u0000"\\', n: 1.5 },
      });
      await journal.accept([event]);
      expect(await journal.take()).toMatchObject({ ...event, begunAtMs: nowMs() });
    });

    test('twice before it is worked on is worked on once', async () => {
      const { journal } = get();
      await journal.accept([newEvent('a')]);
      expect(await journal.accept([newEvent('a')])).toMatchObject([{ kind: 'queued' }]);
      await take(journal, 'a');
      expect(await journal.take()).toBeUndefined();
    });

    test('while it is worked on is told as running', async () => {
      const { journal } = get();
      await journal.accept([newEvent('a')]);
      await take(journal, 'a');
      expect(await journal.accept([newEvent('a')])).toMatchObject([{ kind: 'running' }]);
      expect(await journal.take()).toBeUndefined();
    });

    test('after it was done is answered from the journal', async () => {
      const { journal } = get();
      await journal.accept([newEvent('a')]);
      await end(journal, 'a', 'done', { licenseIds: ['l1'] });
      const [acceptance] = await journal.accept([newEvent('a')]);
      expect(acceptance).toMatchObject({ kind: 'done', outcome: { licenseIds: ['l1'] } });
      expect(await journal.take()).toBeUndefined();
    });

    for (const status of ['failed', 'ignored', 'unmatched'] as const) {
      test(`after it was ${status} begins anew: no stored plan, its whole time before it, and is as old as before`, async () => {
        const { journal, pass, nowMs } = get();
        const firstAcceptedAtMs = nowMs();
        await journal.accept([newEvent('a')]);
        await take(journal, 'a');
        await journal.storePlan(keyOf('a'), PLAN);
        await settle(journal, 'a', status);
        await pass(MINUTE_MS);
        expect(await journal.accept([newEvent('a')])).toMatchObject([{ kind: 'queued' }]);
        expect(await journal.take()).toMatchObject({
          attempt: 2,
          begunAtMs: nowMs(),
          storedPlan: undefined,
        });
        expect(await journal.find(keyOf('a'))).toMatchObject({ firstAcceptedAtMs });
      });
    }

    test('through another source of the same provider is the same event', async () => {
      const { journal } = get();
      await journal.accept([newEvent('a', { source: 'stripe' })]);
      await end(journal, 'a', 'done');
      const again = await journal.accept([newEvent('a', { source: 'stripe-eu' })]);
      expect(again).toMatchObject([{ kind: 'done' }]);
    });

    test('with the id of another provider is another event', async () => {
      const { journal } = get();
      await journal.accept([newEvent('a')]);
      await end(journal, 'a', 'done');
      const paddle = newEvent('a', { provider: 'paddle' });
      expect(await journal.accept([paddle])).toMatchObject([{ kind: 'queued', key: 'paddle:a' }]);
    });

    test('in a batch is told of in the order of the batch, each by what was known of it', async () => {
      const { journal } = get();
      await journal.accept([newEvent('done'), newEvent('running')]);
      await end(journal, 'done', 'done');
      await take(journal, 'running');
      const batch = ['running', 'new', 'done'].map((id) => newEvent(id));
      expect((await journal.accept(batch)).map(({ kind }) => kind)).toEqual([
        'running',
        'queued',
        'done',
      ]);
    });

    test('twice in one batch is one event', async () => {
      const { journal } = get();
      expect(await journal.accept([newEvent('a'), newEvent('a')])).toHaveLength(2);
      await end(journal, 'a', 'done');
      expect(await journal.take()).toBeUndefined();
    });

    test('calls whoever listens for work, until it stops listening', async () => {
      const { journal } = get();
      let calls = 0;
      const stop = journal.onWork(() => {
        calls += 1;
      });
      await journal.accept([newEvent('a')]);
      await until(() => calls > 0);
      stop();
      await new Promise((resolve) => setTimeout(resolve, 20));
      calls = 0;
      await journal.accept([newEvent('b')]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(calls).toBe(0);
    });

    test('calls whoever looks on when it comes and when it ends, also where nothing is left to take', async () => {
      const { journal } = get();
      let changes = 0;
      const stop = journal.onChange(() => {
        changes += 1;
      });
      await journal.accept([newEvent('a')], () => undefined);
      await until(() => changes > 0);
      if ((await journal.find(keyOf('a')))?.status !== 'running') await take(journal, 'a');
      const before = changes;
      await settle(journal, 'a', 'done');
      await until(() => changes > before);
      stop();
    });

    test('that nobody has heard of is not found', async () => {
      expect(await get().journal.find('stripe:nobody')).toBeUndefined();
    });
  });
}

function order(get: Get): void {
  describe('events that share a subject', () => {
    test('are worked on one at a time, in the order of their own time', async () => {
      const { journal } = get();
      await journal.accept([
        newEvent('late', { timeMs: 30 }),
        newEvent('early', { timeMs: 10 }),
        newEvent('middle', { timeMs: 20 }),
      ]);
      for (const id of ['early', 'middle', 'late']) {
        await take(journal, id);
        expect(await journal.take()).toBeUndefined();
        await settle(journal, id, 'done');
      }
    });

    test('of the same time are worked on in the order of their arrival', async () => {
      const { journal } = get();
      for (const id of ['z', 'a', 'm']) await journal.accept([newEvent(id)]);
      for (const id of ['z', 'a', 'm']) await end(journal, id, 'done');
    });

    test('wait for an older one that comes while a newer one is in work', async () => {
      const { journal } = get();
      await journal.accept([newEvent('newer', { timeMs: 20 }), newEvent('newest', { timeMs: 30 })]);
      await take(journal, 'newer');
      await journal.accept([newEvent('older', { timeMs: 10 })]);
      await settle(journal, 'newer', 'done');
      await end(journal, 'older', 'done');
      await end(journal, 'newest', 'done');
    });

    test('do not hold up others', async () => {
      const { journal } = get();
      await journal.accept([
        newEvent('a', { subjects: ['x'] }),
        newEvent('b', { subjects: ['x'] }),
        newEvent('c', { subjects: ['y'] }),
      ]);
      expect(await takeAll(journal)).toEqual(['a', 'c']);
    });

    test('are held by each of their subjects', async () => {
      const { journal } = get();
      await journal.accept([
        newEvent('order', { subjects: ['order-1', 'sub-1', 'sub-2'], timeMs: 1 }),
        newEvent('charge-1', { subjects: ['sub-1'], timeMs: 2 }),
        newEvent('charge-2', { subjects: ['sub-2', 'order-1'], timeMs: 2 }),
        newEvent('charge-3', { subjects: ['sub-3'], timeMs: 2 }),
      ]);
      expect(await takeAll(journal)).toEqual(['order', 'charge-3']);
      await settle(journal, 'order', 'done');
      expect(await takeAll(journal)).toEqual(['charge-1', 'charge-2']);
    });

    test('do not block when one that failed for good is gone', async () => {
      const { journal } = get();
      await journal.accept([newEvent('a', { timeMs: 1 }), newEvent('b', { timeMs: 2 })]);
      await end(journal, 'a', 'failed');
      await take(journal, 'b');
    });

    test('a second end of an attempt frees nobody else', async () => {
      const { journal } = get();
      await journal.accept([
        newEvent('a', { timeMs: 1 }),
        newEvent('b', { timeMs: 2 }),
        newEvent('c', { timeMs: 3 }),
      ]);
      await end(journal, 'a', 'done');
      await take(journal, 'b');
      await settle(journal, 'a', 'failed');
      expect(await journal.take()).toBeUndefined();
      expect(await journal.find(keyOf('a'))).toMatchObject({ status: 'done' });
    });
  });
}

function puttingOff(get: Get): void {
  describe('an event that is put off', () => {
    test('in back-off keeps its place, and is due at its time exactly', async () => {
      const { journal, pass } = get();
      await journal.accept([newEvent('a', { timeMs: 1 }), newEvent('b', { timeMs: 2 })]);
      await putOff(get(), 'a', 'queued', 1_000);
      expect(await journal.take()).toBeUndefined();
      await pass(999);
      expect(await journal.take()).toBeUndefined();
      await pass(1);
      expect(await journal.take()).toMatchObject({ key: keyOf('a'), attempt: 2 });
      await settle(journal, 'a', 'done');
      await take(journal, 'b');
    });

    test('is found with its reason', async () => {
      const { journal } = get();
      await journal.accept([newEvent('a')]);
      await putOff(get(), 'a', 'parked', 1_000, { reason: 'the token is refused' });
      expect(await journal.find(keyOf('a'))).toMatchObject({
        status: 'parked',
        attempts: 1,
        outcome: { reason: 'the token is refused' },
      });
    });

    for (const status of ['queued', 'parked'] as const) {
      test(`${status} while Cryptlex was away is woken by its return, and nothing of before`, async () => {
        const { journal, pass, nowMs } = get();
        await journal.accept(['a', 'b'].map((id) => newEvent(id, { subjects: [id] })));
        await putOff(get(), 'a', status, MINUTE_MS);
        await pass(1_000);
        const sinceMs = nowMs();
        await putOff(get(), 'b', status, MINUTE_MS);
        await pass(1_000);
        await journal.wakePutOff(sinceMs);
        await take(journal, 'b');
        expect(await journal.take()).toBeUndefined();
        await pass(MINUTE_MS);
        await take(journal, 'a');
      });
    }

    test('in back-off and delivered again is worked on at once', async () => {
      const { journal } = get();
      await journal.accept([newEvent('a')]);
      await putOff(get(), 'a', 'queued', MINUTE_MS);
      await journal.accept([newEvent('a')]);
      await take(journal, 'a');
    });

    for (const status of ['waiting', 'parked'] as const) {
      test(`${status} steps aside for others, and is due at its time exactly`, async () => {
        const { journal, pass } = get();
        await journal.accept([newEvent('a', { timeMs: 1 }), newEvent('b', { timeMs: 2 })]);
        await putOff(get(), 'a', status, 1_000);
        await end(journal, 'b', 'done');
        await pass(999);
        expect(await journal.take()).toBeUndefined();
        await pass(1);
        await take(journal, 'a');
      });

      test(`${status} and delivered again is worked on at once`, async () => {
        const { journal } = get();
        await journal.accept([newEvent('a')]);
        await putOff(get(), 'a', status, MINUTE_MS);
        expect(await journal.accept([newEvent('a')])).toMatchObject([{ kind: 'queued' }]);
        await take(journal, 'a');
        await settle(journal, 'a', 'done');
        expect(await journal.take()).toBeUndefined();
      });
    }

    test('waiting is woken by what made a license for one of its subjects', async () => {
      const { journal } = get();
      await journal.accept([newEvent('renewal', { subjects: ['sub-1', 'in-1'], timeMs: 2 })]);
      await putOff(get(), 'renewal', 'waiting', MINUTE_MS);
      await journal.accept([newEvent('purchase', { subjects: ['order-1', 'sub-1'], timeMs: 3 })]);
      await end(journal, 'purchase', 'done', {}, true);
      await take(journal, 'renewal');
    });

    test('waiting is not woken by strangers, nor by what made no license', async () => {
      const { journal } = get();
      await journal.accept([newEvent('renewal', { subjects: ['sub-1'] })]);
      await putOff(get(), 'renewal', 'waiting', MINUTE_MS);
      await journal.accept([
        newEvent('stranger', { subjects: ['sub-2'] }),
        newEvent('suspension', { subjects: ['sub-1'] }),
      ]);
      await end(journal, 'stranger', 'done', {}, true);
      await end(journal, 'suspension', 'done');
      expect(await journal.take()).toBeUndefined();
    });

    test('parked is not woken by a license', async () => {
      const { journal } = get();
      await journal.accept([newEvent('a', { timeMs: 1 })]);
      await putOff(get(), 'a', 'parked', MINUTE_MS);
      await journal.accept([newEvent('b', { timeMs: 2 })]);
      await end(journal, 'b', 'done', {}, true);
      expect(await journal.take()).toBeUndefined();
    });

    test('keeps the time of its acceptance and its plan over its attempts', async () => {
      const { journal, pass, nowMs } = get();
      const begunAtMs = nowMs();
      await journal.accept([newEvent('a')]);
      await take(journal, 'a');
      await journal.storePlan(keyOf('a'), PLAN);
      await settleIn(get(), 'a', 'queued', 1_000);
      await pass(1_000);
      await take(journal, 'a');
      await settleIn(get(), 'a', 'waiting', 1_000);
      await journal.accept([newEvent('a')]);
      expect(await journal.take()).toMatchObject({
        begunAtMs,
        storedPlan: PLAN,
        attempt: 3,
      });
    });

    test('says when the next one is due', async () => {
      const { journal, nowMs } = get();
      expect(await journal.nextDueAtMs()).toBeUndefined();
      const ids = ['a', 'b', 'c'] as const;
      await journal.accept(ids.map((id) => newEvent(id, { subjects: [id] })));
      await putOff(get(), 'a', 'waiting', 3_000);
      await putOff(get(), 'b', 'queued', 2_000);
      await putOff(get(), 'c', 'parked', 1_000);
      expect(await journal.nextDueAtMs()).toBe(nowMs() + 1_000);
    });
  });
}

function operations(get: Get): void {
  describe('an operation', () => {
    test('is intended, then done with its result, and stays so', async () => {
      const { journal, nowMs, pass } = get();
      const wanted = operation('k');
      const { attempt: _attempt, ...noted } = { ...wanted, intendedAtMs: nowMs() };
      expect(await journal.intend(wanted, undefined)).toEqual({ ...noted, attempt: 1 });
      await pass(2_000);
      const open = { ...noted, state: 'intended', openForMs: 2_000 };
      expect(await found(journal, 'k')).toEqual(open);
      const result = { kind: 'applied', targetId: 'l1' } as const;
      await complete(journal, 'k', result, []);
      expect(await found(journal, 'k')).toEqual({ ...noted, state: 'done', result });
    });

    test('that is withdrawn is forgotten, and may be intended again', async () => {
      const { journal } = get();
      await journal.intend(operation('k'), undefined);
      await withdraw(journal, 'k');
      expect(await found(journal, 'k')).toBeUndefined();
      await intend(journal, operation('k'));
    });

    test('is intended again in place of what was read', async () => {
      const { journal, nowMs, pass } = get();
      await journal.intend(operation('k'), undefined);
      await pass(2_000);
      const again = operation('k', { eventKey: 'stripe:b' });
      const noted = { ...again, intendedAtMs: nowMs() };
      expect(await journal.intend(again, await found(journal, 'k'))).toEqual(noted);
      expect(await found(journal, 'k')).toMatchObject({ eventKey: 'stripe:b', openForMs: 0 });
    });

    for (const [name, change] of [
      ['was intended by another event meanwhile', async () => undefined],
      [
        'was done by another event meanwhile',
        (journal: Journal) => complete(journal, 'k', { kind: 'applied', targetId: 'l1' }, []),
      ],
    ] as const) {
      test(`that ${name} is overtaken, and nothing is noted`, async () => {
        const { journal } = get();
        await journal.intend(operation('k', { eventKey: 'stripe:b' }), undefined);
        await change(journal);
        const before = await found(journal, 'k');
        expect(await journal.intend(operation('k'), undefined)).toBe('overtaken');
        expect(await found(journal, 'k')).toEqual(before);
      });
    }

    test('is found among many, by exact key', async () => {
      const { journal } = get();
      const keys = Array.from({ length: 1_200 }, (_, index) => `["stripe","${index}"]`);
      for (const key of keys.slice(0, 20)) await journal.intend(operation(key), undefined);
      const records = await journal.findOperations(keys);
      expect([...records.keys()].sort()).toEqual(keys.slice(0, 20).sort());
      expect(await journal.findOperations([])).toEqual(new Map());
    });

    test('that created or adopted a license is known by the license', async () => {
      const { journal } = get();
      await journal.intend(operation('k1', { action: 'license.create' }), undefined);
      await complete(journal, 'k1', { kind: 'applied', targetId: 'made' }, []);
      await journal.intend(
        operation('k2', { action: 'license.create', choice: 'adopt' }),
        undefined,
      );
      await complete(journal, 'k2', { kind: 'unchanged', targetId: 'adopted', reason: 'r' }, []);
      await journal.intend(operation('k3', { action: 'license.renew' }), undefined);
      await complete(journal, 'k3', { kind: 'applied', targetId: 'renewed' }, []);
      await journal.intend(
        operation('k4', { action: 'license.create', targetId: 'open' }),
        undefined,
      );
      const asked = ['made', 'adopted', 'renewed', 'open', 'unknown'];
      expect([...(await journal.findCreated(asked))].sort()).toEqual(['adopted', 'made']);
    });

    test('keeps what was read before it, whatever it holds', async () => {
      const { journal } = get();
      const before = { expiresAt: null, nested: { list: [1, 'two', false] } };
      await journal.intend(operation('k', { before, choice: 'set-expiry' }), undefined);
      expect(await found(journal, 'k')).toMatchObject({ before, choice: 'set-expiry' });
    });
  });
}

function references(get: Get): void {
  describe('what is known of a payment', () => {
    const license = (key: string, value: string) => ({ key, kind: 'license', value }) as const;

    test('is nothing, before something was noted', async () => {
      const { journal } = get();
      const nothing = { license: [], subject: [], cause: [] };
      expect(await journal.findReferences(['stripe:pi_1'])).toEqual(nothing);
      expect(await journal.findReferences([])).toEqual(nothing);
    });

    test('is all that was noted under it, each thing once', async () => {
      const { journal } = get();
      const notes = [
        license('stripe:pi_1', 'l1'),
        license('stripe:pi_1', 'l2'),
        { key: 'stripe:pi_1', kind: 'subject', value: 'stripe:sub_1' },
        { key: 'license:l1', kind: 'cause', value: 'du_1' },
        license('stripe:pi_2', 'l3'),
      ] as const;
      await journal.noteReferences(notes);
      await journal.noteReferences(notes);
      const known = await journal.findReferences(['stripe:pi_1', 'license:l1']);
      expect([...known.license].sort()).toEqual(['l1', 'l2']);
      expect(known).toMatchObject({ subject: ['stripe:sub_1'], cause: ['du_1'] });
    });

    test('is found under its other ids as well, over several steps and in circles', async () => {
      const { journal } = get();
      await journal.noteReferences([
        { key: 'stripe:pi_1', kind: 'payment', value: 'stripe:in_1' },
        { key: 'stripe:in_1', kind: 'payment', value: 'stripe:pi_1' },
        { key: 'stripe:in_1', kind: 'payment', value: 'stripe:cs_1' },
        license('stripe:cs_1', 'l1'),
        license('stripe:other', 'l2'),
      ]);
      expect((await journal.findReferences(['stripe:pi_1'])).license).toEqual(['l1']);
    });
  });
}

function lastWrites(get: Get): void {
  describe('the last write of a field', () => {
    test('is noted together with the operation, and by itself', async () => {
      const { journal } = get();
      const first = { field: 'license:l1:suspended', timeMs: 5, rank: 1 };
      const second = { field: 'license:l1:expiresAt', timeMs: 6, rank: 0 };
      await journal.intend(operation('k'), undefined);
      await complete(journal, 'k', { kind: 'applied', targetId: 'l1' }, [first]);
      await journal.noteLastWrites([second]);
      const writes = await journal.findLastWrites([first.field, second.field, 'license:l2:x']);
      expect([...writes.values()]).toEqual([first, second]);
    });

    for (const [name, write, expected] of [
      ['newer', { timeMs: 11, rank: 0 }, { timeMs: 11, rank: 0 }],
      ['older', { timeMs: 9, rank: 1 }, { timeMs: 10, rank: 1 }],
      ['of the same time and no payment', { timeMs: 10, rank: 0 }, { timeMs: 10, rank: 1 }],
    ] as const) {
      test(`against a payment: one that is ${name}`, async () => {
        const { journal } = get();
        await journal.noteLastWrites([{ field: 'f', timeMs: 10, rank: 1 }]);
        await journal.noteLastWrites([{ field: 'f', ...write }]);
        expect((await journal.findLastWrites(['f'])).get('f')).toEqual({ field: 'f', ...expected });
      });
    }

    test('of the same time and a lower rank changes nothing', async () => {
      const { journal } = get();
      for (const rank of [2, 5, 3]) {
        await journal.noteLastWrites([{ field: 'f', timeMs: 10, rank }]);
      }
      expect((await journal.findLastWrites(['f'])).get('f')).toMatchObject({ rank: 5 });
    });

    test('becomes a payment when one of the same time comes', async () => {
      const { journal } = get();
      await journal.noteLastWrites([{ field: 'f', timeMs: 10, rank: 0 }]);
      await journal.noteLastWrites([{ field: 'f', timeMs: 10, rank: 1 }]);
      expect((await journal.findLastWrites(['f'])).get('f')).toMatchObject({ rank: 1 });
    });
  });
}

// ---- Small things ---------------------------------------------------------------------------

interface EventOptions {
  readonly subjects?: readonly string[];
  readonly timeMs?: number;
  readonly source?: string;
  readonly provider?: WebhookEvent['provider'];
  readonly payload?: WebhookEvent['payload'];
}

export function newEvent(id: string, options: EventOptions = {}): NewEvent {
  const { subjects = ['subject'], timeMs = 1, provider = 'stripe', payload = {} } = options;
  const source = options.source ?? provider;
  return {
    event: { source, provider, id, type: 'invoice.paid', timeMs, live: true, payload },
    subjects,
  };
}

export function keyOf(id: string): string {
  return eventKeyOf({ provider: 'stripe', source: 'stripe', id });
}

export function operation(key: string, members: Partial<Intention> = {}): Intention {
  return {
    key,
    eventKey: 'stripe:a',
    action: 'license.renew',
    targetId: undefined,
    productId: undefined,
    before: {},
    choice: undefined,
    attempt: 1,
    ...members,
  };
}

async function found(journal: Journal, key: string) {
  return (await journal.findOperations([key])).get(key);
}

/** Takes the next event, which must be this one. */
export async function take(journal: Journal, id: string): Promise<TakenEvent> {
  const taken = await journal.take();
  expect(taken?.event.id).toBe(id);
  if (taken === undefined) throw new Error(`${id} was not there to be taken`);
  return taken;
}

async function takeAll(journal: Journal): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let taken = await journal.take(); taken !== undefined; taken = await journal.take()) {
    ids.push(taken.event.id);
  }
  return ids.sort((a, b) => (a === 'order' ? -1 : b === 'order' ? 1 : a.localeCompare(b)));
}

function outcomeOf(id: string, status: EventStatus, more: Partial<EventOutcome>): EventOutcome {
  return { eventId: id, status, message: 'message', ...more };
}

export async function settle(
  journal: Journal,
  id: string,
  status: EventStatus,
  more: Partial<EventOutcome> = {},
  wakesWaiting = false,
): Promise<void> {
  await journal.settle(keyOf(id), { outcome: outcomeOf(id, status, more), wakesWaiting });
}

async function settleIn(
  { journal, nowMs }: JournalBench,
  id: string,
  status: EventStatus,
  inMs: number,
  more: Partial<EventOutcome> = {},
): Promise<void> {
  const outcome = outcomeOf(id, status, more);
  await journal.settle(keyOf(id), { outcome, dueAtMs: nowMs() + inMs, wakesWaiting: false });
}

async function end(
  journal: Journal,
  id: string,
  status: EventStatus,
  more: Partial<EventOutcome> = {},
  wakesWaiting = false,
): Promise<void> {
  await take(journal, id);
  await settle(journal, id, status, more, wakesWaiting);
}

async function putOff(
  bench: JournalBench,
  id: string,
  status: EventStatus,
  inMs: number,
  more: Partial<EventOutcome> = {},
): Promise<void> {
  await take(bench.journal, id);
  await settleIn(bench, id, status, inMs, more);
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 500) throw new Error('it did not become true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
