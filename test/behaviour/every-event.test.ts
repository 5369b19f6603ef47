// What holds for every event, whatever the provider: nothing before the signature, and one license for each fact.

import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import type { Provider } from '../../src/core/providers.ts';
import { type Keywright, sampleBody, withKeywright } from '../support/keywright.ts';
import {
  calls,
  EXPIRY_1M,
  expectUntouched,
  expiries,
  monthly,
  onlyLicense,
  onlyUser,
  RENEWALS,
  SALES,
  underId,
  writes,
} from './support.ts';

describe('E1: verify, route, run, call, answer', () => {
  const MARK = 'a-name-that-nobody-else-has';

  /** A body with a mark in every place that somebody might log. */
  function marked(provider: Provider, sample: string): JsonObject {
    const body = sampleBody(provider, sample);
    body['mark'] = MARK;
    const id = { stripe: 'id', fastspring: 'events', paddle: 'event_id' }[provider];
    if (provider !== 'fastspring') body[id] = `evt_${MARK}`;
    return body;
  }

  test.each(SALES)(
    'E1: %s: nothing of an unverified body is parsed, logged, stored or answered',
    (provider, sample) =>
      withKeywright({}, async (keywright) => {
        const body = marked(provider, sample);
        const forged = await keywright.send(provider, body, { secret: 'not the secret' });
        expect(forged.status).toBe(400);
        expect(forged.json['error']).toBe('SIGNATURE_MISMATCH');
        const broken = new TextEncoder().encode(`{"${MARK}": `);
        const unparsed = await keywright.send(provider, broken, { secret: 'not the secret' });
        // A body that is no JSON is told as badly signed: nobody looked into it.
        expect(unparsed.json['error']).toBe('SIGNATURE_MISMATCH');
        expect(keywright.log.join('') + forged.text + unparsed.text).not.toContain(MARK);
        expectUntouched(keywright);
        // The same id with a good signature is new: nothing of the forgery was kept.
        const genuine = await keywright.send(provider, body);
        expect(genuine.json).toMatchObject({ status: 'done' });
        expect(genuine.json['duplicate']).toBeUndefined();
      }),
  );

  test.each(SALES)('E1: %s: without a signature header it is refused', (provider, sample) =>
    withKeywright({}, async (keywright) => {
      const headers = (all: Record<string, string>) => {
        for (const name of Object.keys(all)) if (name.includes('signature')) delete all[name];
      };
      const answer = await keywright.sendSample(provider, sample, { headers });
      expect(answer.status).toBe(400);
      expect(answer.json['error']).toBe('SIGNATURE_MISSING');
      expectUntouched(keywright);
    }),
  );

  test.each(SALES)('E1: %s: well signed nonsense is refused, never a crash', (provider) =>
    withKeywright({}, async (keywright) => {
      for (const body of [
        '',
        'null',
        '[]',
        '{}',
        '"text"',
        '{"events":[]}',
        '{"events":{}}',
        '{"id":1,"type":[]}',
      ]) {
        const answer = await keywright.send(provider, new TextEncoder().encode(body));
        expect([body, answer.status]).toEqual([body, 400]);
        expect(answer.json['error']).toBe('BODY_MALFORMED');
      }
      expectUntouched(keywright);
    }),
  );

  test.each(SALES)(
    'E1: %s: reads come before writes, the user before the license',
    (provider, sample) =>
      withKeywright({}, async (keywright) => {
        await keywright.sendSample(provider, sample);
        expect(writes(keywright)).toEqual(['POST /v3/users', 'POST /v3/licenses']);
      }),
  );

  test.each(SALES)('E1: %s: the same at its own address /webhooks/{source}', (provider, sample) =>
    withKeywright({}, async (keywright) => {
      const answer = await keywright.sendSample(provider, sample, {
        path: `/webhooks/${provider}`,
      });
      expect(answer.json['status']).toBe('done');
      const again = await keywright.sendSample(provider, sample);
      expect(again.json['duplicate']).toBe(true);
      onlyLicense(keywright);
    }),
  );
});

describe('E6: one license for each fact', () => {
  test.each(SALES)('E6: %s: redelivered: a duplicate, and no call at all', (provider, sample) =>
    withKeywright({}, async (keywright) => {
      const first = await keywright.sendSample(provider, sample);
      keywright.sandbox.clearRequests();
      const again = await keywright.sendSample(provider, sample);
      expect(again.status).toBe(200);
      expect(again.json).toEqual({ ...first.json, duplicate: true });
      expect(calls(keywright)).toEqual([]);
    }),
  );

  test.each(SALES)('E6: %s: resent by hand under a new id: still one license', (provider, sample) =>
    withKeywright({}, async (keywright) => {
      const first = await keywright.sendSample(provider, sample);
      const resent = await keywright.sendSample(provider, sample, underId(provider, 'evt_resent'));
      expect(resent.json).toMatchObject({ status: 'done', licenseIds: first.json['licenseIds'] });
      onlyLicense(keywright);
      expect(writes(keywright)).toEqual(['POST /v3/users', 'POST /v3/licenses']);
    }),
  );

  test.each(RENEWALS)(
    'E6: %s: a renewal resent by hand, twenty times at once: one period',
    (provider, _, renewal, metadata) => {
      const given = { licenses: [monthly('l1', metadata)] };
      return withKeywright({ given }, async (keywright) => {
        const sending = Array.from({ length: 20 }, (__, index) =>
          keywright.sendSample(provider, renewal, underId(provider, `evt_${index}`)),
        );
        for (const { json } of await Promise.all(sending)) {
          expect(json).toMatchObject({ status: 'done', licenseIds: ['l1'] });
        }
        expect(expiries(keywright)).toEqual({ l1: EXPIRY_1M });
      });
    },
  );

  test('E6: one id of two providers is two events', () =>
    withKeywright({}, async (keywright) => {
      await keywright.sendSample(
        'stripe',
        'invoice.paid-subscription-create',
        underId('stripe', 'same'),
      );
      await keywright.sendSample('paddle', 'transaction.completed-web', underId('paddle', 'same'));
      expect(keywright.sandbox.state.licenses).toHaveLength(2);
    }));

  const lifecycle = async (
    keywright: Keywright,
    provider: Provider,
    samples: readonly string[],
  ) => {
    for (const sample of samples) await keywright.sendSample(provider, sample);
  };
  test('E6: a whole life of a subscription, each event told twice, ends as told once', async () => {
    const lives: [Provider, string[]][] = [
      [
        'stripe',
        [
          'customer.created',
          'invoice.paid-subscription-create',
          'checkout.session.completed-subscription',
          'invoice.created',
          'invoice.paid-subscription-cycle',
          'invoice.payment_failed',
          'invoice.paid-subscription-cycle-expanded',
        ],
      ],
      [
        'paddle',
        [
          'customer.created',
          'transaction.completed-web',
          'transaction.completed-subscription-recurring',
          'subscription.paused',
          'transaction.completed-subscription-recurring-resumed',
          'transaction.completed-subscription-update',
          'customer.updated',
        ],
      ],
    ];
    for (const [provider, samples] of lives) {
      const ends: unknown[] = [];
      for (const told of [samples, samples.flatMap((sample) => [sample, sample])]) {
        await withKeywright({}, async (keywright) => {
          await lifecycle(keywright, provider, told);
          const { suspended: isSuspended, metadata } = onlyLicense(keywright);
          const changes = writes(keywright).length;
          const entries = metadata.map(({ key, value }) => [key, value]);
          ends.push([isSuspended, entries, onlyUser(keywright).email, changes]);
        });
      }
      expect(ends[1]).toEqual(ends[0]);
    }
  });
});
