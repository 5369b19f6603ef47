// Events that a provider signed all the same: odd quantities, hostile texts, a body of 900 kB.

import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/core/model.ts';
import { cpuMsOf } from '../support/cpu-time.ts';
import { type Keywright, sampleBody, withKeywright } from '../support/keywright.ts';
import { listenForPasswords, secretsIn } from './log-search.ts';

/** Sets a member at a dotted path. */
function set(body: JsonObject, path: string, value: JsonValue): void {
  const steps = path.split('.');
  const last = steps.pop() ?? '';
  let place: JsonValue | undefined = body;
  for (const step of steps) {
    place = Array.isArray(place) ? place[Number(step)] : (place as JsonObject)[step];
  }
  if (Array.isArray(place)) place[Number(last)] = value;
  else (place as JsonObject)[last] = value;
}

const writes = ({ sandbox }: Keywright) =>
  sandbox.requests.filter(({ method }) => method !== 'GET').length;

const QUANTITIES: readonly JsonValue[] = [
  ...[0, -1, 1.5, 10_001, 1e9, 1e300],
  ...['x', '', null, [1], { n: 1 }, true],
];

describe('a quantity', () => {
  for (const [provider, sample, path] of [
    ['fastspring', 'order.completed-quantity', 'events.0.data.items.0.quantity'],
    ['paddle', 'transaction.completed-web', 'data.details.line_items.0.quantity'],
    ['fastspring', 'order.completed-seats', 'events.0.data.items.0.quantity'],
  ] as const) {
    test(`${provider} ${sample}: whatever it is but a number from 1 to 10000 is refused before anything is written`, () =>
      withKeywright({}, async (keywright) => {
        for (const quantity of QUANTITIES) {
          // Seats are a number on one license; so many of them are odd, but do no harm.
          if (sample === 'order.completed-seats' && (quantity === 10_001 || quantity === 1e9)) {
            continue;
          }
          const answer = await keywright.sendSample(provider, sample, {
            edit: (body) => set(body, path, quantity),
          });
          expect([quantity, answer.status]).toEqual([quantity, 400]);
          expect(answer.json['message']).toMatch(/quantity/i);
          expect(writes(keywright)).toBe(0);
        }
      }));
  }
});

const HOSTILE = [
  '"; drop table licenses; --',
  '{{7*7}} ${7*7} <%= 7 %>',
  '<script>alert(1)</script>',
  '../../v3/licenses?limit=100&metadata.key=',
  'a&metadata.value[eq]=&x=',
  '\u0000\u0001\u001b[31m\r\nSet-Cookie: x=1',
  '\u202egnp.exe\u2066',
  '\ud83d\ude00\u00e9\u4e2d',
  '__proto__',
  'constructor',
  ' '.repeat(50),
  'x'.repeat(4_000),
  '=$env.CRYPTLEX_ACCESS_TOKEN',
  'null',
];

describe('a hostile text', () => {
  for (const text of HOSTILE) {
    test(`${JSON.stringify(text.slice(0, 40))} as a name is a name, and nothing else`, () =>
      withKeywright({}, async (keywright) => {
        const passwords = listenForPasswords(keywright);
        const answer = await keywright.sendSample('stripe', 'invoice.paid-subscription-create', {
          edit: (body) => set(body, 'data.object.customer_name', text),
        });
        expect(answer.status).toBe(200);
        const name = text.trim().slice(0, 256);
        const given = keywright.sandbox.state.users[0]?.firstName ?? '';
        expect(name === '' ? given.startsWith('Stripe Invoice') : given === name).toBe(true);
        expect(keywright.sandbox.state.licenses).toHaveLength(1);
        expect(keywright.log.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true);
        expect(secretsIn(keywright.log, keywright, passwords)).toEqual([]);
      }));
  }

  test('as a subscription touches no other license', () => {
    const metadata = (value: string) => ({
      expiresAt: '2026-12-01T00:00:00Z',
      metadata: { stripe_subscription_id: value },
    });
    return withKeywright(
      { given: { licenses: [metadata('s'), metadata('x')] } },
      async (keywright) => {
        for (const [index, text] of HOSTILE.entries()) {
          const answer = await keywright.sendSample('stripe', 'invoice.paid-subscription-cycle', {
            edit: (body) => {
              set(body, 'id', `evt_${index}`);
              set(body, 'data.object.parent.subscription_details.subscription', text);
            },
          });
          expect([400, 503]).toContain(answer.status);
        }
        expect(writes(keywright)).toBe(0);
      },
    );
  });

  test('as the id of an event is told, and logged on one line', () =>
    withKeywright({}, async (keywright) => {
      for (const text of HOSTILE) {
        const answer = await keywright.sendSample('stripe', 'invoice.paid-manual', {
          edit: (body) => set(body, 'id', text),
        });
        expect([200, 400]).toContain(answer.status);
      }
      expect(keywright.log.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true);
    }));
});

test('two intervals in one cart are kept apart', () =>
  withKeywright({}, async (keywright) => {
    const sample = 'transaction.completed-web-two-intervals';
    expect((await keywright.sendSample('paddle', sample)).status).toBe(200);
    const intervals = keywright.sandbox.state.licenses.map(
      (license) => license.subscriptionInterval,
    );
    expect(new Set(intervals).size).toBeGreaterThan(1);
    const again = await keywright.sendSample('paddle', sample, {
      edit: (body) => set(body, 'event_id', 'evt_again'),
    });
    expect(again.status).toBe(200);
    expect(keywright.sandbox.state.licenses).toHaveLength(intervals.length);
  }));

describe('a large event', () => {
  for (const [kilobytes, status] of [
    [900, 200],
    [1_100, 413],
  ] as const) {
    test(`of ${kilobytes} kB is answered ${status}, and never logged`, () =>
      withKeywright({}, async (keywright) => {
        const body = sampleBody('stripe', 'invoice.paid-subscription-create');
        set(body, 'data.object.description', 'filler '.repeat((kilobytes * 1024) / 7));
        const cpuMs = await cpuMsOf(async () => {
          expect((await keywright.send('stripe', body)).status).toBe(status);
        });
        expect(cpuMs).toBeLessThan(5_000);
        expect(keywright.log.join('')).not.toContain('filler');
      }));
  }
});

test('an order of 300 licenses goes on behind the answer, and is whole in the end', () =>
  withKeywright({ env: { WEBHOOK_DEADLINE_MS: '50' } }, async (keywright) => {
    const edit = (body: JsonObject) => set(body, 'events.0.data.items.0.quantity', 300);
    const first = await keywright.sendSample('fastspring', 'order.completed-quantity', { edit });
    expect(first.status).toBe(503);
    expect(first.json['details']).toMatchObject({ status: 'queued' });
    await expect
      .poll(
        async () =>
          (await keywright.sendSample('fastspring', 'order.completed-quantity', { edit })).status,
      )
      .toBe(200);
    expect(keywright.sandbox.state.licenses).toHaveLength(300);
  }));
