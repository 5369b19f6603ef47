// A person is told, in few messages and without anything of a customer in them; and whatever becomes of the
// messages, the work goes on.

import { describe, expect, test } from 'vitest';
import { createLogger } from '../../src/core/log.ts';
import type { JsonObject } from '../../src/core/model.ts';
import { Secret } from '../../src/core/secret.ts';
import { backlogOf } from '../../src/journal/archive.ts';
import type { AttemptFacts } from '../../src/pipeline/pipeline.ts';
import type { RulesState } from '../../src/sources/reload.ts';
import { createAlerts } from '../../src/telemetry/alerts.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const URL_WITH_SECRET = 'https://hooks.example.com/services/T000/a_secret_path';
const MINUTE_MS = 60_000;
const GOOD: RulesState = { isCurrent: true, problems: [], loadedAtMs: 0, lastReadAtMs: 0 };

type Answer = () => Response | Promise<Response>;
type Waiting = { status: 'queued' | 'parked' | 'held'; events: number; oldestAgeMs: number };

function scene({ format = 'json' }: { format?: 'json' | 'slack' } = {}) {
  const clock = new VirtualClock();
  const sent: { url: string; body: JsonObject; atMs: number }[] = [];
  const lines: string[] = [];
  const world = {
    waiting: [] as Waiting[],
    rules: GOOD,
    answer: (() => new Response('ok')) as Answer,
  };
  const alerts = createAlerts({
    url: new Secret(URL_WITH_SECRET),
    ...{ format, queueAgeMs: 15 * MINUTE_MS, clock },
    backlog: async () => backlogOf(world.waiting),
    rulesState: () => world.rules,
    log: createLogger({ level: 'info', format: 'json', write: (line) => lines.push(line) }),
    transport: async ({ url, body, signal }) => {
      sent.push({ url, body: JSON.parse(String(body)) as JsonObject, atMs: clock.nowMs() });
      // As fetch does: it ends at once when it is given up.
      const givenUp = new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
      return Promise.race([world.answer(), givenUp]);
    },
    onSent: () => undefined,
  });
  alerts.start();
  const fail = (id: string, code: 'RULE_REJECTED' | 'CONFLICT' = 'RULE_REJECTED'): void =>
    alerts.hearAttempt({
      taken: { event: { id, source: 'stripe', type: 'invoice.paid', payload: { name: 'Ann' } } },
      outcome: { status: 'failed', message: 'Ann Example', failure: { code } },
    } as unknown as AttemptFacts);
  const titles = () => sent.map(({ body }) => body['title'] ?? body['text']);
  return { alerts, clock, sent, lines, world, fail, titles };
}

describe('events that fail for good', () => {
  test('are one message, however many they are, and then one in fifteen minutes', async () => {
    const { clock, sent, fail, titles, alerts } = scene();
    for (let number = 0; number < 500; number += 1) fail(`evt_${number}`);
    fail('evt_odd', 'CONFLICT');
    await clock.advance(MINUTE_MS);
    expect(titles()).toEqual(['501 events failed for good']);
    expect(sent[0]?.body).toMatchObject({
      kind: 'events_failed',
      details: {
        events: 501,
        bySource: [
          { source: 'stripe', code: 'RULE_REJECTED', events: 500 },
          { source: 'stripe', code: 'CONFLICT', events: 1 },
        ],
      },
    });
    const details = sent[0]?.body['details'] as JsonObject | undefined;
    expect(details?.['examples']).toHaveLength(5);
    fail('evt_later');
    await clock.advance(13 * MINUTE_MS);
    expect(titles()).toHaveLength(1);
    await clock.advance(3 * MINUTE_MS);
    expect(titles().slice(1)).toEqual(['An event failed for good']);
    await alerts.stop();
  });

  test('tell nothing of the payload, nor what a rule said of it', async () => {
    const { clock, sent, fail, alerts } = scene();
    fail('evt_1');
    await clock.advance(MINUTE_MS);
    expect(JSON.stringify(sent)).not.toContain('Ann');
    await alerts.stop();
  });

  test('what ends in another way is no message', async () => {
    const { alerts, clock, titles } = scene();
    for (const status of ['done', 'queued', 'waiting', 'ignored', 'unmatched'] as const) {
      alerts.hearAttempt({ outcome: { status } } as unknown as AttemptFacts);
    }
    await clock.advance(60 * MINUTE_MS);
    expect(titles()).toEqual([]);
    await alerts.stop();
  });
});

describe('what lasts', () => {
  const age = (minutes: number): Waiting[] => [
    { status: 'queued', events: 7, oldestAgeMs: minutes * MINUTE_MS },
  ];
  const STATES: readonly (readonly [
    string,
    (world: ReturnType<typeof scene>['world']) => void,
    string,
  ])[] = [
    [
      'old work',
      (world) => {
        world.waiting = age(16);
      },
      'work is waiting for long',
    ],
    [
      'parked events',
      (world) => {
        world.waiting = [{ status: 'parked', events: 3, oldestAgeMs: 1 }];
      },
      'events are parked',
    ],
    [
      'broken rules',
      (world) => {
        world.rules = { ...GOOD, isCurrent: false, problems: ['x'] };
      },
      'the rules on disk are NOT what runs',
    ],
  ];

  test.each(STATES)(
    '%s: said when it begins, after six hours, and when it is over',
    async (_name, begin, title) => {
      const { clock, world, titles, sent, alerts } = scene();
      await clock.advance(MINUTE_MS);
      expect(titles()).toEqual([]);
      begin(world);
      await clock.advance(5 * 60 * MINUTE_MS);
      expect(titles()).toEqual([title]);
      await clock.advance(2 * 60 * MINUTE_MS);
      expect(titles()).toEqual([title, `Still: ${title}`]);
      Object.assign(world, { waiting: [], rules: GOOD });
      await clock.advance(60 * MINUTE_MS);
      expect(sent.map(({ body }) => body['state'])).toEqual(['new', 'again', 'over']);
      await alerts.stop();
    },
  );

  test.each([
    [15, 0],
    [15.1, 1],
  ])('work that is queued for %d minutes: %d messages', async (minutes, messages) => {
    const { clock, world, titles, alerts } = scene();
    world.waiting = age(minutes);
    await clock.advance(MINUTE_MS);
    expect(titles()).toHaveLength(messages);
    await alerts.stop();
  });
});

describe('a receiver that does not take them', () => {
  const BAD: readonly (readonly [string, Answer])[] = [
    ['answers 500', () => new Response('', { status: 500 })],
    ['redirects', () => new Response('', { status: 302 })],
    ['is away', () => Promise.reject(new TypeError(`fetch failed: ${URL_WITH_SECRET}`))],
  ];
  test.each(BAD)('%s: asked ever more rarely, and nothing is lost', async (_name, answer) => {
    const { clock, world, fail, sent, titles, lines, alerts } = scene();
    world.answer = answer;
    fail('evt_1');
    await clock.advance(60 * MINUTE_MS);
    expect(sent.length).toBeGreaterThan(3);
    expect(sent.length).toBeLessThan(12);
    expect(lines.join('')).toContain('could not be sent');
    expect(lines.join('')).not.toContain('a_secret_path');
    fail('evt_2');
    world.answer = () => new Response('ok');
    await clock.advance(16 * MINUTE_MS);
    expect(titles().at(-1)).toBe('2 events failed for good');
    const before = sent.length;
    await clock.advance(60 * MINUTE_MS);
    expect(sent).toHaveLength(before);
    await alerts.stop();
  });
});

test('events that the brake holds are one message that says which rule and how many, and one when they are gone', async () => {
  const { alerts, clock, sent, world, titles } = scene();
  const hold = (id: string): void =>
    alerts.hearAttempt({
      taken: { event: { id, source: 'shop', type: 'a', payload: { name: 'Ann' } } },
      outcome: { status: 'parked', code: 'BRAKE_HELD', rule: 'gone', reason: 'it would delete 7' },
    } as unknown as AttemptFacts);
  hold('evt_1');
  hold('evt_2');
  world.waiting = [{ status: 'held', events: 3, oldestAgeMs: 5 * MINUTE_MS }];
  await clock.advance(MINUTE_MS);
  expect(titles()).toEqual(['the brake holds events']);
  expect(sent[0]?.body['text']).toMatch(
    /3 held[\s\S]*2 × shop\/gone: it would delete 7 \(for example evt_1\)/,
  );
  world.waiting = [];
  await clock.advance(MINUTE_MS);
  expect(titles()[1]).toBe('The brake holds no event any more');
  await alerts.stop();
});

test('Slack gets its own shape, in which nothing of a sender is markup', async () => {
  const { clock, sent, fail, alerts } = scene({ format: 'slack' });
  fail('<!channel> & co');
  await clock.advance(MINUTE_MS);
  expect(Object.keys(sent[0]?.body ?? {})).toEqual(['text']);
  expect(sent[0]?.body['text']).toMatch(/^:warning: \*Keywright: An event failed for good\*\n/);
  expect(sent[0]?.body['text']).toContain('&lt;!channel&gt; &amp; co');
  await alerts.stop();
});

test('a receiver that never answers does not hold up the end of the server', async () => {
  const { clock, fail, world, sent, alerts } = scene();
  world.answer = () => new Promise(() => undefined);
  fail('evt_1');
  await clock.advance(MINUTE_MS);
  expect(sent).toHaveLength(1);
  await alerts.stop();
});
