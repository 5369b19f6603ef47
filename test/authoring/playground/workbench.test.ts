// The workbench of the playground: what it gives, and that nothing somebody types can hold the server up.

import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { createWorkbench } from '../../../src/authoring/playground/create-playground.ts';
import {
  type RulesDraft,
  TRY_MS_MAX,
  type Tried,
  type TryTask,
} from '../../../src/authoring/playground/playground.ts';
import { createSystemClock } from '../../../src/core/clock.ts';
import type { JsonObject } from '../../../src/core/model.ts';
import type { RecordedEvent } from '../../../src/journal/archive.ts';

const SAMPLE = readFileSync(
  new URL('../../../samples/stripe/checkout.session.completed-payment.json', import.meta.url),
  'utf8',
);
const RUNNING = readFileSync(new URL('../../../rules/stripe.yaml', import.meta.url), 'utf8');
const ENV = { CRYPTLEX_PRODUCT_ID: '00000000-0000-4000-8000-00000000beef' };

const recorded: RecordedEvent[] = [];
/** Of what is not slow by itself; a busy machine may be. */
const PATIENT_MS = 10 * TRY_MS_MAX;
let tryMsMax = PATIENT_MS;
const workbench = createWorkbench({
  tryMsMax: () => tryMsMax,
  clock: createSystemClock(),
  archive: {
    traffic: async ({ source }, { limit, cursor }) => {
      const start = Number(cursor ?? 0);
      const events = recorded.filter((event) => event.source === source);
      const more = start + limit < events.length;
      return {
        events: events.slice(start, start + limit),
        cursor: more ? String(start + limit) : undefined,
      };
    },
  },
});
afterAll(() => workbench.stop());

function draft(text: string, file = 'stripe.yaml'): RulesDraft {
  return { file, text, beside: {} };
}

function task(text: string, event: string | undefined = SAMPLE): TryTask {
  return { draft: draft(text), event, env: ENV };
}

/** One rule with a condition of the test's. */
function condition(formula: string): string {
  return `provider: stripe\nsubject: =data.object.id\nrules:\n  - id: mine\n    on: checkout.session.completed\n    when: ${JSON.stringify(`=${formula}`)}\n    ignore: My own reason.\n`;
}

async function tried(given: TryTask, owner = 'ann'): Promise<Tried> {
  const answer = await workbench.tryOut(given, owner);
  if (answer.kind !== 'tried') throw new Error(answer.kind);
  return answer;
}

/** How long the server's event loop was not free at the longest, in milliseconds. */
async function longestPause(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 5);
  await work();
  clearInterval(timer);
  return longest;
}

describe('a try', () => {
  test('gives what the rules make of an event, as a dry run does', async () => {
    const { findings, events } = await tried(task(RUNNING));
    expect(findings).toEqual([]);
    expect(events).toMatchObject([{ outcome: 'matched', rule: { id: 'checkout-paid' } }]);
    expect(events?.[0]?.plan.map(({ action }) => action)).toEqual([
      'user.insert',
      'license.create',
    ]);
    expect(events?.[0]?.licenses.after).toHaveLength(1);
  });

  test('gives every finding of check, also those that need the known events', async () => {
    const text = RUNNING.replace(
      'data.object.customer_details.email',
      'data.object.customer_detials.email',
    );
    const { findings, events } = await tried(task(text));
    expect(findings.map(({ code, location }) => [code, location.file])).toEqual([
      ['SHAPE_PATH_UNKNOWN', 'stripe.yaml'],
    ]);
    expect(events).toHaveLength(1);
  });

  test.each([
    ['no JSON', '{"id":', /no event of stripe/],
    ['another provider', '{"event_id": "evt_1", "event_type": "x"}', /no event of stripe/],
    ['a list', '[]', /no event of stripe/],
  ])('says why an event cannot be read: %s', async (_name, event, message) => {
    const { events, eventProblem } = await tried(task(RUNNING, event));
    expect(events).toBeUndefined();
    expect(eventProblem).toMatch(message);
  });

  test('of one owner only the newest waits; another owner is not disturbed', async () => {
    const first = workbench.tryOut(task(RUNNING), 'ann');
    const second = workbench.tryOut(task(RUNNING), 'ann');
    const others = workbench.tryOut(task(RUNNING), 'bob');
    const third = workbench.tryOut(task(RUNNING), 'ann');
    const kinds = (await Promise.all([first, second, others, third])).map(({ kind }) => kind);
    expect(kinds).toEqual(['tried', 'superseded', 'tried', 'tried']);
  });

  test('reads no file and no variable that the server does not lend it', async () => {
    const text = RUNNING.replace('catalog: {}', 'catalogFile: ../../etc/passwd');
    const { findings } = await tried(task(text));
    expect(findings.map(({ severity }) => severity)).toContain('error');
    const secret = condition('$env.ADMIN_TOKEN = "x"').replace(
      'subject',
      'env: [ADMIN_TOKEN]\nsubject',
    );
    expect((await tried(task(secret))).findings).toMatchObject([{ code: 'RULE_SECRET' }]);
    const other = condition('$env.HOME = "x"').replace('subject', 'env: [HOME]\nsubject');
    expect(JSON.stringify((await tried(task(other))).events)).toContain('<HOME>');
  });
});

describe('what would take long', () => {
  const million = '[1..1000000]';
  test.each([
    ['a list of very many', condition(`$count($map(${million}, function($x) { $x * 2 })) > 0`)],
    ['lists in lists', condition(`$sum(${million}.([1..1000].($ * 2))) > 0`)],
    ['a function that calls itself', condition('($f := function($n) { $f($n + 1) }; $f(0)) > 0')],
    [
      'aliases upon aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map(
          (name, index) =>
            `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`,
        )
        .join('\n')}\n`,
    ],
    ['deep nesting', `rules: ${'['.repeat(50_000)}`],
  ])('never holds the server up: %s', async (_name, text) => {
    const pauseMs = await longestPause(() => workbench.tryOut(task(text), 'ann'));
    // The process is another one; what is left is handing texts over, on a busy machine.
    expect(pauseMs).toBeLessThan(500);
    expect((await tried(task(RUNNING))).events).toHaveLength(1);
  });
});

test('what takes longer than it may is ended, and the next try has a new process', async () => {
  tryMsMax = 1;
  expect(await workbench.tryOut(task(RUNNING), 'ann')).toEqual({ kind: 'too-slow' });
  tryMsMax = PATIENT_MS;
  expect((await tried(task(RUNNING))).events).toHaveLength(1);
});

describe('a comparison', () => {
  const { id, type, created } = JSON.parse(SAMPLE) as JsonObject;
  for (let index = 0; index < 120; index += 1) {
    recorded.push({
      ...{ source: 'stripe', provider: 'stripe', id: `${String(id)}${index}`, type: String(type) },
      ...{
        timeMs: Number(created) * 1000,
        live: false,
        payload: index === 119 ? undefined : SAMPLE,
      },
    });
  }
  const compareTask = (text: string) => ({ running: draft(RUNNING), draft: draft(text), env: ENV });

  test('tells what would have been done otherwise, over as many events as were asked for', async () => {
    const answer = await workbench.compare(
      compareTask(RUNNING.replace('payment_status: [paid,', 'payment_status: [')),
      100,
      'ann',
    );
    expect(answer).toMatchObject({
      kind: 'compared',
      isPart: false,
      counts: { compared: 100, different: 100 },
    });
    if (answer.kind !== 'compared') return;
    expect(answer.groups.map(({ text }) => text)).toContain('matched → ignored');
    expect(answer.groups[0]?.danger).toBeDefined();
  });

  test('counts events whose payload was erased, and tells changed settings', async () => {
    const text = RUNNING.replace('mode: any', 'mode: live');
    const answer = await workbench.compare(compareTask(text), 1_000, 'ann');
    expect(answer).toMatchObject({ kind: 'compared', erased: 1, counts: { compared: 119 } });
    expect(answer.kind === 'compared' && answer.settings).toMatchObject([
      { text: 'mode: any → live' },
    ]);
  });

  test('is refused for rules that cannot be read', async () => {
    expect(await workbench.compare(compareTask('rules: 1'), 100, 'ann')).toEqual({
      kind: 'unreadable',
    });
  });
});
