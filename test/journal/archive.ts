// What every archive promises, as tests: run over each kind of journal. Takes a way to make one whose
// time the test owns. Uses the interfaces alone, so that nothing here knows where things are stored.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EventOutcome, EventStatus, WebhookEvent } from '../../src/core/model.ts';
import { EVENT_STATUSES, eventKeyOf } from '../../src/core/model.ts';
import { PROVIDERS, type Provider } from '../../src/core/providers.ts';
import {
  type Archive,
  BACKLOG_STATUSES,
  type EventFilter,
  NOTICE_FRESH_MS,
  type RuleText,
} from '../../src/journal/archive.ts';
import type { Journal, TakenEvent } from '../../src/journal/journal.ts';
import { complete, intend } from '../support/operations.ts';

export interface ArchiveBench {
  readonly journal: Journal;
  readonly archive: Archive;
  nowMs(): number;
  pass(ms: number): Promise<void>;
}

interface Given {
  readonly id: string;
  readonly provider?: Provider;
  readonly source?: string;
  readonly type?: string;
  readonly subjects?: readonly string[];
  readonly timeMs?: number;
  readonly payload?: WebhookEvent['payload'];
}

const HOUR_MS = 3_600_000;

/** Describes the promises; `create` makes an empty journal for each test. */
export function archiveContract(name: string, create: () => Promise<ArchiveBench>): void {
  describe(`the archive of the ${name} journal`, () => {
    let bench: ArchiveBench;
    beforeEach(async () => {
      bench = await create();
    });
    afterEach(() => bench.journal.close());
    filters(() => bench);
    pages(() => bench);
    oneEvent(() => bench);
    replays(() => bench);
    ruleTexts(() => bench);
    erasing(() => bench);
    backlogs(() => bench);
    serverNotices(() => bench);
    searches(() => bench);
    issuing(() => bench);
  });
}

type Get = () => ArchiveBench;

function backlogs(get: Get): void {
  test('what waits for a time is late only once that is over, and is told apart', async () => {
    const { journal, archive, pass, nowMs } = get();
    await journal.accept([newEvent({ id: 't' })]);
    const taken = await journal.take();
    const outcome: EventOutcome = { eventId: 't', status: 'waiting', message: 'waiting' };
    const timer = { key: 'stripe:grace:sub_1', isOver: false };
    const dueAtMs = nowMs() + HOUR_MS;
    await journal.settle(taken?.key ?? '', { outcome, dueAtMs, timer, wakesWaiting: false });
    await pass(HOUR_MS - 1);
    const nothing = { events: 0, oldestAgeMs: 0 };
    expect((await archive.backlog()).get('waiting')).toEqual(nothing);
    expect((await archive.backlog()).get('timer')).toEqual({ events: 1, oldestAgeMs: 0 });
    await pass(5_001);
    expect((await archive.backlog()).get('timer')).toEqual({ events: 1, oldestAgeMs: 5_000 });
    // Due and in line, it is not as old as its failure.
    await journal.accept([newEvent({ id: 't' })]);
    expect((await archive.backlog()).get('queued')).toMatchObject({ events: 1 });
    const ageMs = (await archive.backlog()).get('queued')?.oldestAgeMs ?? 0;
    expect(ageMs).toBeLessThan(HOUR_MS);
  });

  test('the backlog counts what is not finished, and tells the age of the oldest', async () => {
    const { journal, archive, pass } = get();
    const nothing = { events: 0, oldestAgeMs: 0 };
    const none = Object.fromEntries(BACKLOG_STATUSES.map((status) => [status, nothing]));
    expect(Object.fromEntries(await archive.backlog())).toEqual(none);
    const settle = async (id: string, status: EventStatus): Promise<void> => {
      await journal.accept([newEvent({ id })]);
      const taken = await journal.take();
      const outcome: EventOutcome = { eventId: id, status, message: status };
      await journal.settle(taken?.key ?? '', { outcome, dueAtMs: 1e15, wakesWaiting: false });
    };
    await settle('w', 'waiting');
    await pass(HOUR_MS);
    await settle('p', 'parked');
    await settle('d', 'done');
    await settle('f', 'failed');
    await pass(1_000);
    await journal.accept([newEvent({ id: 'q1' })]);
    await pass(1_000);
    await journal.accept([newEvent({ id: 'q2' })]);
    expect(Object.fromEntries(await archive.backlog())).toEqual({
      queued: { events: 2, oldestAgeMs: 1_000 },
      running: nothing,
      waiting: { events: 1, oldestAgeMs: HOUR_MS + 2_000 },
      timer: nothing,
      parked: { events: 1, oldestAgeMs: 2_000 },
      held: nothing,
    });
  });
}

function serverNotices(get: Get): void {
  test('a notice holds until it is taken back, or was not said again for long', async () => {
    const { archive, pass, nowMs } = get();
    await archive.setNotice('one', 'rules are broken');
    await archive.setNotice('two', 'something');
    await archive.setNotice('two', 'something else');
    const atMs = nowMs();
    expect(await archive.notices()).toEqual([
      { server: 'one', text: 'rules are broken', atMs },
      { server: 'two', text: 'something else', atMs },
    ]);
    await archive.setNotice('one', undefined);
    await pass(NOTICE_FRESH_MS);
    expect(await archive.notices()).toMatchObject([{ server: 'two' }]);
    await pass(1);
    expect(await archive.notices()).toEqual([]);
  });
}

function filters(get: Get): void {
  describe('a list', () => {
    const startMs: { value: number } = { value: 0 };
    beforeEach(async () => {
      const { journal, pass, nowMs } = get();
      startMs.value = nowMs();
      const given: Given[] = [
        { id: 'a', type: 'paid', subjects: ['stripe:s1', 'stripe:c1'] },
        { id: 'b', type: 'ended', subjects: ['stripe:s1'], source: 'stripe-eu' },
        { id: 'c', type: 'paid', subjects: ['paddle:s1'], provider: 'paddle', source: 'paddle' },
        { id: 'd', type: 'paid', subjects: ['stripe:s2'] },
      ];
      for (const one of given) {
        await accept(journal, one);
        await pass(HOUR_MS);
      }
      await work(journal, 'done');
    });

    const cases: readonly [string, EventFilter, string][] = [
      ['everything, newest first', {}, 'd c b a'],
      ['a status', { status: 'done' }, 'a'],
      ['a status that many have', { status: 'queued' }, 'd c b'],
      ['a source', { source: 'stripe-eu' }, 'b'],
      ['a type', { type: 'paid' }, 'd c a'],
      ['a subject without its provider', { subject: 's1' }, 'c b a'],
      ['a subject with its provider', { subject: 'stripe:s1' }, 'b a'],
      ['a second subject of an event', { subject: 'c1' }, 'a'],
      ['accepted at or after a time', { sinceMs: 1 }, 'd c b'],
      ['accepted a millisecond after that', { sinceMs: 1.5 }, 'd c'],
      ['accepted before a time', { untilMs: 1 }, 'a'],
      ['between two times', { sinceMs: 1, untilMs: 3 }, 'c b'],
      ['type and source', { type: 'paid', source: 'stripe' }, 'd a'],
      ['type, status and subject', { type: 'paid', status: 'queued', subject: 's1' }, 'c'],
      [
        'all at once',
        { status: 'done', source: 'stripe', type: 'paid', subject: 's1', sinceMs: 0, untilMs: 1 },
        'a',
      ],
      ['what nobody has', { type: 'paid', status: 'parked' }, ''],
    ];
    test.each(cases)('by %s, and the count agrees', async (_, given, ids) => {
      const { archive } = get();
      const at = (hours: number | undefined) =>
        hours === undefined ? undefined : Math.ceil(startMs.value + hours * HOUR_MS);
      // 1.5 hours stand for the millisecond after the first hour.
      const since = given.sinceMs === 1.5 ? startMs.value + HOUR_MS + 1 : at(given.sinceMs);
      const filter = { ...given, sinceMs: since, untilMs: at(given.untilMs) };
      const { events, cursor } = await archive.list(filter, { limit: 100 });
      expect(events.map(({ event }) => event.id).join(' ')).toBe(ids);
      expect(cursor).toBeUndefined();
      expect(await archive.count(filter)).toBe(events.length);
    });

    const hostile = [
      "' or 1=1 --",
      "'; drop table events; --",
      '%',
      '_',
      'stripe:%',
      '"',
      '\\',
      '$1',
      '?1',
      's1\u0000',
      '\u0000',
      '\ud800',
      'x'.repeat(100_000),
    ];
    test.each(hostile)('by %j finds nothing and harms nothing', async (value) => {
      const { archive } = get();
      for (const name of ['source', 'type', 'subject', 'status'] as const) {
        const filter = { [name]: value } as EventFilter;
        expect((await archive.list(filter, { limit: 10 })).events).toEqual([]);
        expect(await archive.count(filter)).toBe(0);
      }
      expect(await archive.findKeys(value)).toEqual([]);
      expect(await archive.details(value.replaceAll('\u0000', ''))).toBeUndefined();
      expect(await archive.count({})).toBe(4);
    });

    test('gives the traffic of the same events, with their payloads as text, page by page', async () => {
      const { archive } = get();
      const { events } = await archive.list({ type: 'paid' }, { limit: 10 });
      const first = await archive.traffic({ type: 'paid' }, { limit: 1 });
      const rest = await archive.traffic({ type: 'paid' }, { limit: 9, cursor: first.cursor });
      const all = [...first.events, ...rest.events];
      expect(first.events).toHaveLength(1);
      expect(rest.cursor).toBeUndefined();
      expect(all.map(({ id }) => id)).toEqual(events.map(({ event }) => event.id));
      for (const recorded of all) {
        const details = await archive.details(`${recorded.provider}:${recorded.id}`);
        const { payload, ...event } = recorded;
        expect({ ...event, payload: JSON.parse(payload ?? '') }).toEqual(details?.record.event);
      }
    });

    test('leaves payloads out, and does not take the events for erased', async () => {
      const { events } = await get().archive.list({}, { limit: 10 });
      for (const { event, isErased } of events) {
        expect(event.payload).toEqual({});
        expect(isErased).toBe(false);
      }
    });
  });
}

function pages(get: Get): void {
  describe('pages', () => {
    test('hold each event once, without gaps, while new ones arrive and old ones are replayed', async () => {
      const { journal, archive } = get();
      const ids = Array.from({ length: 23 }, (_, index) => `e${index}`);
      for (const id of ids) await accept(journal, { id });
      const seen: string[] = [];
      let cursor: string | undefined;
      let late = 0;
      do {
        const page = await archive.list({}, { limit: 5, cursor });
        expect(page.events.length).toBeLessThanOrEqual(5);
        seen.push(...page.events.map(({ event }) => event.id));
        cursor = page.cursor;
        late += 1;
        await accept(journal, { id: `late${late}` });
        await archive.requestReplay('stripe:e0', 'again');
      } while (cursor !== undefined && late < 50);
      expect(seen).toEqual(ids.toReversed());
    });

    test.each([
      [4, 1],
      [5, 1],
      [6, 2],
    ])('of 5 over %i events are %i', async (count, wanted) => {
      const { journal, archive } = get();
      for (let index = 0; index < count; index += 1) await accept(journal, { id: `e${index}` });
      const { events, cursor } = await archive.list({}, { limit: 5 });
      expect(events).toHaveLength(Math.min(5, count));
      expect(cursor === undefined ? 1 : 2).toBe(wanted);
      if (cursor !== undefined) {
        expect((await archive.list({}, { limit: 5, cursor })).events).toHaveLength(1);
      }
    });

    test('keep to their filter', async () => {
      const { journal, archive } = get();
      for (let index = 0; index < 9; index += 1) {
        await accept(journal, { id: `e${index}`, type: index % 2 === 0 ? 'even' : 'odd' });
      }
      const first = await archive.list({ type: 'odd' }, { limit: 3 });
      const second = await archive.list({ type: 'odd' }, { limit: 3, cursor: first.cursor });
      const all = [...first.events, ...second.events].map(({ event }) => event.id);
      expect(all).toEqual(['e7', 'e5', 'e3', 'e1']);
      expect(second.cursor).toBeUndefined();
    });
  });
}

function oneEvent(get: Get): void {
  describe('one event', () => {
    test('is found by its id in every provider that has it, and by its key', async () => {
      const { journal, archive } = get();
      for (const provider of PROVIDERS) {
        await accept(journal, { id: 'x', provider, source: provider });
      }
      await accept(journal, { id: 'y' });
      const keys = PROVIDERS.map((provider) => `${provider}:x`);
      expect((await archive.findKeys('x')).toSorted()).toEqual(keys.toSorted());
      for (const key of keys) expect(await archive.findKeys(key)).toEqual([key]);
      expect(await archive.findKeys('z')).toEqual([]);
      expect(await archive.details('stripe:z')).toBeUndefined();
    });

    test('is told whole: payload, plan, operations, tries with their calls', async () => {
      const { journal, archive, pass, nowMs } = get();
      const startedAtMs = nowMs();
      await accept(journal, { id: 'x', payload: { name: 'Zoë', n: [1, null] } });
      await take(journal);
      const plan = { plan: { steps: [] }, rules: [], rulesHash: 'h1' };
      await journal.storePlan('stripe:x', plan);
      await operate(journal, 'stripe:x', 'op1', 'l1');
      await pass(40);
      const calls = [{ method: 'POST', path: '/v3/licenses', status: null, durationMs: 12 }];
      await journal.settle('stripe:x', {
        ...{ outcome: outcome('x', 'queued', { reason: 'no answer' }), wakesWaiting: false },
        ...{ dueAtMs: nowMs(), rulesHash: 'h1', calls },
      });
      await work(journal, 'done');
      const details = await archive.details('stripe:x');
      expect(details?.record).toMatchObject({ status: 'done', attempts: 2, rulesHash: 'h1' });
      expect(details?.record.event.payload).toEqual({ name: 'Zoë', n: [1, null] });
      expect(details?.storedPlan).toEqual(plan);
      expect(details?.operations).toMatchObject([{ key: 'op1', state: 'done', choice: 'renew' }]);
      expect(details?.attempts).toMatchObject([
        { attempt: 1, status: 'queued', reason: 'no answer', calls, startedAtMs },
        { attempt: 2, status: 'done', calls: [] },
      ]);
      expect(details?.attempts[0]?.endedAtMs).toBe(startedAtMs + 40);
    });
  });
}

function replays(get: Get): void {
  describe('a replay', () => {
    test('of an event that nobody knows is told so', async () => {
      expect(await get().archive.requestReplay('stripe:x', 'again')).toEqual({ kind: 'unknown' });
    });

    test('of an event in work is refused, and does not disturb it', async () => {
      const { journal, archive } = get();
      await accept(journal, { id: 'x' });
      await take(journal);
      expect(await archive.requestReplay('stripe:x', 'force')).toEqual({ kind: 'running' });
      await journal.settle('stripe:x', { outcome: outcome('x', 'done'), wakesWaiting: false });
      expect(await journal.take()).toBeUndefined();
    });

    for (const mode of ['again', 'retarget', 'force'] as const) {
      test(`of a done event is worked on once, with its mark (${mode}) and without the old plan`, async () => {
        const { journal, archive } = get();
        await accept(journal, { id: 'x' });
        await take(journal);
        await journal.storePlan('stripe:x', { plan: { steps: [] }, rules: [], rulesHash: 'h' });
        const told = { userId: 'u1', licenseIds: ['l1', 'l2'] };
        const done = outcome('x', 'done', told);
        await journal.settle('stripe:x', { outcome: done, wakesWaiting: false });
        expect(await archive.requestReplay('stripe:x', mode)).toEqual({ kind: 'queued' });
        const taken = await take(journal);
        expect(taken).toMatchObject({
          storedPlan: undefined,
          replay: { mode, wasDone: true, ...told },
        });
        await journal.settle('stripe:x', { outcome: done, wakesWaiting: false });
        expect(await journal.take()).toBeUndefined();
        expect((await journal.accept([newEvent({ id: 'x' })]))[0]).toMatchObject({ kind: 'done' });
      });
    }

    for (const status of [
      'failed',
      'ignored',
      'unmatched',
      'waiting',
      'parked',
      'queued',
    ] as const) {
      test(`of an event that is ${status} begins at once, and was not done`, async () => {
        const { journal, archive, nowMs } = get();
        await accept(journal, { id: 'x' });
        await take(journal);
        const unfinished = ['waiting', 'parked', 'queued'].includes(status);
        await journal.settle('stripe:x', {
          ...{ outcome: outcome('x', status), wakesWaiting: false },
          ...(unfinished ? { dueAtMs: nowMs() + 24 * HOUR_MS } : {}),
        });
        expect(await journal.take()).toBeUndefined();
        expect(await archive.requestReplay('stripe:x', 'again')).toEqual({ kind: 'queued' });
        expect((await take(journal)).replay).toMatchObject({ mode: 'again', wasDone: false });
      });
    }

    test('keeps when it was received and when it was tried; it has its whole time before it, and is new in the backlog', async () => {
      const { journal, archive, pass, nowMs } = get();
      const receivedMs = nowMs();
      await accept(journal, { id: 'x' });
      await work(journal, 'failed');
      await pass(100 * HOUR_MS);
      const replayedMs = nowMs();
      await archive.requestReplay('stripe:x', 'again');
      expect((await archive.backlog()).get('queued')).toEqual({ events: 1, oldestAgeMs: 0 });
      await pass(HOUR_MS);
      expect((await take(journal)).begunAtMs).toBe(replayedMs);
      const outcomes = { outcome: outcome('x', 'done'), wakesWaiting: false };
      await journal.settle('stripe:x', outcomes);
      const details = await archive.details('stripe:x');
      expect(details?.record.firstAcceptedAtMs).toBe(receivedMs);
      const times = details?.attempts.map(({ startedAtMs, endedAtMs }) => [startedAtMs, endedAtMs]);
      expect(times).toEqual([receivedMs, replayedMs + HOUR_MS].map((ms) => [ms, ms]));
      expect((await archive.list({ untilMs: receivedMs + 1 }, { limit: 10 })).events).toHaveLength(
        1,
      );
    });

    test('keeps its mark through back-off, and loses it at its end', async () => {
      const { journal, archive, nowMs } = get();
      await accept(journal, { id: 'x' });
      await work(journal, 'done', { licenseIds: ['l1'] });
      await archive.requestReplay('stripe:x', 'force');
      const { replay } = await take(journal);
      for (const status of ['queued', 'waiting', 'parked'] as const) {
        const put = { outcome: outcome('x', status), wakesWaiting: false, dueAtMs: nowMs() };
        await journal.settle('stripe:x', put);
        expect((await take(journal)).replay).toEqual(replay);
      }
      await journal.settle('stripe:x', { outcome: outcome('x', 'failed'), wakesWaiting: false });
      await accept(journal, { id: 'x' });
      expect((await take(journal)).replay).toBeUndefined();
    });

    test('asked for twice is one replay of a done event still', async () => {
      const { journal, archive } = get();
      await accept(journal, { id: 'x' });
      await work(journal, 'done', { userId: 'u1', licenseIds: ['l1'] });
      await archive.requestReplay('stripe:x', 'force');
      await archive.requestReplay('stripe:x', 'again');
      const taken = await take(journal);
      const wanted = { mode: 'again', wasDone: true, userId: 'u1', licenseIds: ['l1'] };
      expect(taken.replay).toMatchObject(wanted);
      await journal.settle('stripe:x', { outcome: outcome('x', 'done'), wakesWaiting: false });
      expect(await journal.take()).toBeUndefined();
    });

    test('keeps its mark when the event is delivered again before it is worked on', async () => {
      const { journal, archive } = get();
      await accept(journal, { id: 'x' });
      await work(journal, 'done');
      await archive.requestReplay('stripe:x', 'force');
      await accept(journal, { id: 'x' });
      expect((await take(journal)).replay).toMatchObject({ mode: 'force', wasDone: true });
      expect(await journal.take()).toBeUndefined();
    });

    test('of several events of a subject goes by the time of the events', async () => {
      const { journal, archive } = get();
      const subjects = ['stripe:s'];
      await accept(journal, { id: 'late', timeMs: 3_000, subjects });
      await work(journal, 'done');
      await accept(journal, { id: 'early', timeMs: 1_000, subjects });
      await work(journal, 'done');
      await accept(journal, { id: 'middle', timeMs: 2_000, subjects });
      await work(journal, 'done');
      for (const id of ['late', 'middle', 'early']) {
        await archive.requestReplay(`stripe:${id}`, 'again');
      }
      const order: string[] = [];
      for (let index = 0; index < 3; index += 1) order.push((await work(journal, 'done')).event.id);
      expect(order).toEqual(['early', 'middle', 'late']);
    });

    test('wakes whoever works on the journal', async () => {
      const { journal, archive } = get();
      await accept(journal, { id: 'x' });
      await work(journal, 'done');
      let stop = (): void => undefined;
      const woken = new Promise<void>((resolve) => {
        stop = journal.onWork(resolve);
      });
      await archive.requestReplay('stripe:x', 'again');
      await woken;
      stop();
    });
  });
}

function ruleTexts(get: Get): void {
  test('texts of rules come back whole, with what stood beside them; the first of a hash stays', async () => {
    const { archive } = get();
    const rules: RuleText = {
      ...{ hash: 'h1', file: 'rules/stripe.yaml', text: "provider: stripe # 'é\n" },
      beside: { 'catalog.csv': 'a,b\n"1",2\n', 'empty.yaml': '' },
    };
    await archive.rememberRules(rules);
    await archive.rememberRules(rules);
    expect(await archive.findRules('h1')).toEqual(rules);
    expect(await archive.findRules('h2')).toBeUndefined();
  });
}

function erasing(get: Get): void {
  describe('erasing', () => {
    test.each(EVENT_STATUSES.filter((status) => status !== 'running'))(
      'an event that is %s: only what is finished',
      async (status) => {
        const { journal, archive, pass, nowMs } = get();
        await accept(journal, { id: 'x', payload: { secret: 'Ann' } });
        const dueAtMs = nowMs() + 90 * 24 * HOUR_MS;
        await take(journal);
        const unfinished = ['waiting', 'parked', 'queued'].includes(status);
        await journal.settle('stripe:x', {
          ...{ outcome: outcome('x', status), wakesWaiting: false },
          ...(unfinished ? { dueAtMs } : {}),
        });
        await pass(1);
        expect(await archive.erase(nowMs())).toBe(unfinished ? 0 : 1);
        const details = await archive.details('stripe:x');
        expect(details?.record.isErased).toBe(!unfinished);
        expect(details?.record.status).toBe(status);
        expect(details?.record.event.payload).toEqual(unfinished ? { secret: 'Ann' } : {});
      },
    );

    test('an event in work: never', async () => {
      const { journal, archive, pass, nowMs } = get();
      await accept(journal, { id: 'x' });
      await take(journal);
      await pass(1000);
      expect(await archive.erase(nowMs())).toBe(0);
    });

    test('both sides of the time', async () => {
      const { journal, archive, nowMs } = get();
      await accept(journal, { id: 'x' });
      await work(journal, 'done');
      expect(await archive.erase(nowMs())).toBe(0);
      expect(await archive.erase(nowMs() + 1)).toBe(1);
      expect(await archive.erase(nowMs() + 1)).toBe(0);
    });

    test('many at once, each counted', async () => {
      const { journal, archive, nowMs } = get();
      await journal.accept(
        Array.from({ length: 703 }, (_, index) => newEvent({ id: `e${index}` })),
      );
      for (let index = 0; index < 703; index += 1) await work(journal, 'ignored');
      expect(await archive.erase(nowMs() + 1)).toBe(703);
    });

    test('leaves status, user and licenses, which still answer duplicates; operations stay done', async () => {
      const { journal, archive, nowMs } = get();
      await accept(journal, { id: 'x' });
      await take(journal);
      await operate(journal, 'stripe:x', 'op1', 'l1');
      const done = outcome('x', 'done', { userId: 'u1', licenseIds: ['l1'], rule: 'r' });
      await journal.settle('stripe:x', { outcome: done, wakesWaiting: false });
      await archive.erase(nowMs() + 1);
      const kept = { status: 'done', userId: 'u1', licenseIds: ['l1'], rule: 'r' };
      const [acceptance] = await journal.accept([newEvent({ id: 'x' })]);
      expect(acceptance).toMatchObject({ kind: 'done', outcome: kept });
      expect((await journal.findOperations(['op1'])).get('op1')).toMatchObject({ state: 'done' });
      expect(await journal.findCreated(['l1'])).toEqual(new Set(['l1']));
      expect((await archive.details('stripe:x'))?.storedPlan).toBeUndefined();
    });

    test('makes a replay impossible, until the event is delivered again', async () => {
      const { journal, archive, nowMs } = get();
      await accept(journal, { id: 'x' });
      await work(journal, 'failed');
      await archive.erase(nowMs() + 1);
      expect(await archive.requestReplay('stripe:x', 'again')).toEqual({ kind: 'erased' });
      await accept(journal, { id: 'x', payload: { back: true } });
      const taken = await take(journal);
      expect(taken.event.payload).toEqual({ back: true });
      await journal.settle('stripe:x', { outcome: outcome('x', 'failed'), wakesWaiting: false });
      expect(await archive.requestReplay('stripe:x', 'again')).toEqual({ kind: 'queued' });
    });
  });
}

export function newEvent(given: Given) {
  const { id, provider = 'stripe', source = 'stripe', type = 'paid', subjects, payload } = given;
  const event: WebhookEvent = {
    ...{ id, provider, source, type, live: true, payload: payload ?? {} },
    timeMs: given.timeMs ?? 1_000,
  };
  return { event, subjects: subjects ?? [eventKeyOf(event)] };
}

async function accept(journal: Journal, given: Given): Promise<void> {
  await journal.accept([newEvent(given)]);
}

async function take(journal: Journal): Promise<TakenEvent> {
  const taken = await journal.take();
  if (taken === undefined) throw new Error('there is nothing to take');
  return taken;
}

async function work(
  journal: Journal,
  status: EventStatus,
  more: Partial<EventOutcome> = {},
): Promise<TakenEvent> {
  const taken = await take(journal);
  const ended = outcome(taken.event.id, status, more);
  await journal.settle(taken.key, { outcome: ended, wakesWaiting: false });
  return taken;
}

function outcome(
  eventId: string,
  status: EventStatus,
  more: Partial<EventOutcome> = {},
): EventOutcome {
  return { eventId, status, message: 'told', ...more };
}

async function operate(journal: Journal, eventKey: string, key: string, id: string): Promise<void> {
  const intended = {
    ...{ key, eventKey, action: 'license.create', targetId: undefined, productId: 'p' },
    ...{ before: { expiresAt: 'then' }, choice: 'renew', attempt: 1 },
  };
  await intend(journal, intended);
  await complete(journal, key, { kind: 'applied', targetId: id }, []);
}

function searches(get: Get): void {
  test.each([
    ['the id of the event', 'evt_1', ['evt_1']],
    ['its key', 'stripe:evt_1', ['evt_1']],
    ['its type', 'invoice.paid', ['evt_1', 'evt_3']],
    ['a subject', 'sub_1', ['evt_1']],
    ['a subject with its provider', 'stripe:sub_1', ['evt_1']],
    ['a license', 'lic_1', ['evt_1', 'evt_2']],
    ['a user', 'user_1', ['evt_1']],
    ['an e-mail address', 'ann@example.com', ['evt_1']],
    ['an e-mail address in other letters', ' Ann@Example.COM ', ['evt_1']],
    ['a part of an address', 'example.com', []],
    ['a part of an id', 'evt_', []],
    ['nothing that is known', 'x', []],
    ['what only looks like a pattern', '%', []],
    ['an address within a longer text', 'note@example.com', []],
  ])('events are found by %s, while their payload is there and after', async (_, about, ids) => {
    const { journal, archive, pass, nowMs } = get();
    const events = [
      {
        id: 'evt_1',
        type: 'invoice.paid',
        subjects: ['stripe:sub_1'],
        payload: {
          deep: [{ customer_email: 'Ann@example.com' }],
          note: 'write to note@example.com soon',
        },
        outcome: { userId: 'user_1', licenseIds: ['lic_1'] },
      },
      { id: 'evt_2', type: 'other', outcome: { licenseIds: ['lic_0', 'lic_1'] } },
      { id: 'evt_3', type: 'invoice.paid', outcome: {} },
    ];
    for (const { outcome, ...given } of events) {
      await accept(journal, given);
      const taken = await take(journal);
      await journal.settle(taken.key, {
        outcome: { eventId: given.id, status: 'done', message: 'done', ...outcome },
        wakesWaiting: false,
      });
      await pass(1000);
    }
    const found = async () => {
      const { events: listed } = await archive.list({ about }, { limit: 10 });
      return listed.map(({ event }) => event.id).sort();
    };
    expect(await found()).toEqual(ids);
    expect(await archive.count({ about, status: 'failed' })).toBe(0);
    expect(await archive.erase(nowMs() + 1)).toBe(3);
    expect(await found()).toEqual(ids);
  });

  test('an e-mail address leads to the user that is remembered by it', async () => {
    const { journal, archive } = get();
    await journal.rememberUser('email:bob@example.com', 'user_2');
    await accept(journal, { id: 'evt_1' });
    const taken = await take(journal);
    await journal.settle(taken.key, {
      outcome: { eventId: 'evt_1', status: 'done', message: 'done', userId: 'user_2' },
      wakesWaiting: false,
    });
    const count = await archive.count({ about: 'bob@example.com' });
    expect(count).toBe(journal.keepsState ? 1 : 0);
  });

  test('events are counted by time, source and status, and their types are told', async () => {
    const { journal, archive, pass, nowMs } = get();
    await pass(HOUR_MS - (nowMs() % HOUR_MS));
    const startMs = nowMs();
    for (const [id, type] of [
      ['evt_1', 'b'],
      ['evt_2', 'a'],
      ['evt_3', 'b'],
    ] as const) {
      await accept(journal, { id, type });
      await pass(HOUR_MS / 2);
    }
    const counted = { source: 'stripe', status: 'queued' };
    expect(await archive.countByTime(startMs, HOUR_MS)).toEqual([
      { ...counted, fromMs: startMs, events: 2 },
      { ...counted, fromMs: startMs + HOUR_MS, events: 1 },
    ]);
    expect(await archive.countByTime(startMs + 1, HOUR_MS)).toMatchObject([
      { events: 1 },
      { events: 1 },
    ]);
    expect(await archive.types()).toEqual(['a', 'b']);
  });

  test('what becomes of an event of a time that is over is seen when it is counted again', async () => {
    const { journal, archive, pass, nowMs } = get();
    await pass(HOUR_MS - (nowMs() % HOUR_MS));
    const startMs = nowMs();
    const standing = async () =>
      (await archive.countByTime(startMs, HOUR_MS)).map(
        ({ fromMs, status, events }) => `${(fromMs - startMs) / HOUR_MS} ${status} ${events}`,
      );
    for (const id of ['a', 'b', 'c', 'd']) await accept(journal, { id });
    for (const status of ['done', 'failed', 'ignored'] as const) await work(journal, status);
    await pass(5 * HOUR_MS);
    const asLeft = ['0 done 1', '0 failed 1', '0 ignored 1', '0 queued 1'];
    expect(await standing()).toEqual(asLeft);
    expect(await standing()).toEqual(asLeft);
    // The one that was left is worked on, as late as now.
    await take(journal);
    expect(await standing()).toEqual(['0 done 1', '0 failed 1', '0 ignored 1', '0 running 1']);
    await journal.settle('stripe:d', { outcome: outcome('d', 'done'), wakesWaiting: false });
    expect(await standing()).toEqual(['0 done 2', '0 failed 1', '0 ignored 1']);
    // One that failed is delivered again, one that is done is replayed.
    await accept(journal, { id: 'b' });
    expect(await standing()).toEqual(['0 done 2', '0 ignored 1', '0 queued 1']);
    await archive.requestReplay('stripe:a', 'again');
    expect(await standing()).toEqual(['0 done 1', '0 ignored 1', '0 queued 2']);
    expect(await archive.erase(nowMs() + 1)).toBe(2);
    expect(await standing()).toEqual(['0 done 1', '0 ignored 1', '0 queued 2']);
    await work(journal, 'done');
    await work(journal, 'done');
    expect(await standing()).toEqual(['0 done 3', '0 ignored 1']);
    // Begun and ended between two counts, so that nothing of it is left but the status.
    await accept(journal, { id: 'c' });
    await work(journal, 'done');
    expect(await standing()).toEqual(['0 done 4']);
  });
}

function issuing(get: Get): void {
  test('what was made of a product is counted, and the last of it told; nothing else is', async () => {
    const { journal, archive, nowMs, pass } = get();
    const startMs = nowMs();
    const made = [
      { key: 'a', productId: 'prod_1', targetId: 'lic_1' },
      { key: 'd', productId: 'prod_2', targetId: 'lic_4' },
      { key: 'c', productId: 'prod_1', targetId: 'lic_3' },
      { key: 'b', productId: 'prod_1', targetId: 'lic_2' },
    ];
    const wanted = (key: string, productId: string, action: string) => ({
      ...{ key, eventKey: `stripe:evt_${key}`, action, targetId: undefined, productId },
      ...{ before: {}, choice: undefined, attempt: 1 },
    });
    for (const { key, productId, targetId } of made) {
      await pass(1_000);
      await intend(journal, wanted(key, productId, 'license.create'));
      await complete(journal, key, { kind: 'applied', targetId }, []);
    }
    // Not certain to be made, and made of nothing.
    await intend(journal, wanted('e', 'prod_1', 'license.create'));
    await intend(journal, wanted('f', 'prod_1', 'license.update'));
    await complete(journal, 'f', { kind: 'applied', targetId: 'lic_1' }, []);
    const issued = await archive.issued(['prod_1', 'prod_1', 'prod_3', 'prod\u0000'], 2);
    expect([...issued]).toEqual([
      [
        'prod_1',
        {
          licenses: 3,
          last: [
            { licenseId: 'lic_2', eventKey: 'stripe:evt_b', atMs: startMs + 4_000 },
            { licenseId: 'lic_3', eventKey: 'stripe:evt_c', atMs: startMs + 3_000 },
          ],
        },
      ],
    ]);
  });
}
