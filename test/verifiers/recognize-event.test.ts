// Whose event a file holds: every sample, in each form in which files hold events.

import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { recognizeEvent } from '../../src/verifiers/recognize-event.ts';
import { samples } from '../support/read-samples.ts';

/** A FastSpring body is a batch; files often hold one event of it. */
const bodies: readonly (readonly [string, string, JsonObject])[] = samples.flatMap(
  ({ name, provider, body }) => {
    const { events } = body;
    const single = (Array.isArray(events) ? events : []) as JsonObject[];
    return [
      [`${provider}/${name}`, provider, body] as const,
      ...single.map((event, at) => [`${provider}/${name} event ${at}`, provider, event] as const),
    ];
  },
);

test.each([
  ['as it was sent', (body: JsonObject) => body],
  ['without `processed`', ({ processed: _, ...body }: JsonObject) => body],
  ['as `events show` prints it', (payload: JsonObject) => ({ payload, status: 'done' })],
])('every sample is recognized %s', (_, form) => {
  const wrong = bodies.filter(
    ([, provider, body]) => recognizeEvent(form(body)).provider !== provider,
  );
  expect(wrong.map(([name]) => name)).toEqual([]);
});

test('what was recorded says its provider and its source', () => {
  const recorded = { provider: 'paddle', source: 'paddle-eu', payload: { data: {} } };
  expect(recognizeEvent(recorded)).toEqual({
    provider: 'paddle',
    source: 'paddle-eu',
    body: { data: {} },
  });
});

test.each([
  ['an empty object', {}],
  ['an object of Stripe that is no event', { object: 'invoice', id: 'in_1' }],
  ['a body without data', { type: 'order.completed' }],
])('%s is no event', (_, body) => {
  expect(recognizeEvent(body).provider).toBeUndefined();
});
