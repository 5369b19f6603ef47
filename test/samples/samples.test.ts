// The shipped samples. Takes samples/ as it is on disk, checks what people and other tests rely on:
// names, ids, addresses, the table in the README, and that the providers' own libraries read them. Never changes a file.

import { readdirSync } from 'node:fs';
import { Webhooks } from '@paddle/paddle-node-sdk';
import Stripe from 'stripe';
import { describe, expect, test } from 'vitest';
import { PROVIDERS, type Provider } from '../../src/core/providers.ts';
import { eventsOf, links, README, ROOT, samples } from '../support/read-samples.ts';

const SECRETS =
  /\b(sk|rk|pk)_(live|test)_|whsec_|pdl_(ntf|live|sdbx|apikey)|AKIA[0-9A-Z]{16}|PRIVATE KEY|\beyJ[\w-]{10,}\.|bearer /i;
const EMAILS = /[\w.+-]+@[\w.-]+/g;
const RESERVED = /@example\.(com|org|net)$/i;

const ID_SHAPES: Record<Provider, RegExp> = {
  stripe: /^evt_1\w{23}$/,
  fastspring: /^([\w-]{22}|[A-Z2-7]{30})$/,
  paddle: /^evt_01[0-9a-hjkmnp-tv-z]{24}$/,
};

test('there are samples of every provider, and nothing else', () => {
  expect(readdirSync(ROOT).sort()).toEqual(['README.md', ...PROVIDERS].sort());
  for (const provider of PROVIDERS)
    expect(samples.filter((each) => each.provider === provider).length).toBeGreaterThan(20);
});

describe.each(samples.map((each) => [`${each.provider}/${each.name}`, each] as const))(
  '%s',
  (_, each) => {
    test('is printed with two spaces, as the provider writes its text', () => {
      const plain = `${JSON.stringify(each.body, null, 2)}\n`;
      const escaped = plain.replace(
        /[\u0080-\uffff]/g,
        (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
      expect(each.text).toBe(each.provider === 'paddle' ? escaped : plain);
    });

    test('has events of the type in its name, with ids of the right shape', () => {
      const events = eventsOf(each);
      expect(events.length).toBeGreaterThan(each.name.startsWith('batch-') ? 1 : 0);
      for (const event of events) {
        if (!each.name.startsWith('batch-')) expect(event.type).toBe(each.name.split('-')[0]);
        expect(event.id).toMatch(ID_SHAPES[each.provider]);
        expect(new Date(event.timeMs).getUTCFullYear()).toBeGreaterThan(2025);
      }
    });

    test('names no secret and only addresses that are reserved for examples', () => {
      expect(each.text).not.toMatch(SECRETS);
      const decoded = JSON.stringify(each.body);
      expect((decoded.match(EMAILS) ?? []).filter((email) => !RESERVED.test(email))).toEqual([]);
    });
  },
);

test('the search for secrets and addresses finds what it is made for', () => {
  for (const planted of [
    'sk_live_1',
    'rk_test_1',
    'whsec_1',
    'pdl_ntfset_1',
    'Bearer x',
    'eyJhbGciOiJIUzI1NiJ9.e30',
  ])
    expect(planted).toMatch(SECRETS);
  expect(
    'to a+b@mail.example.com and c@example.com'.match(EMAILS)?.map((email) => RESERVED.test(email)),
  ).toEqual([false, true]);
});

test('no two events have the same id', () => {
  const ids = samples.flatMap((each) => eventsOf(each).map((event) => event.id));
  expect(ids.filter((id, place) => ids.indexOf(id) !== place)).toEqual([]);
});

test("Paddle's own library reads every Paddle sample", () => {
  for (const each of samples.filter(({ provider }) => provider === 'paddle')) {
    const read = Webhooks.fromJson(JSON.parse(each.text));
    expect(read, each.name).toMatchObject({ eventType: eventsOf(each)[0]?.type });
  }
});

test("Stripe's own library takes every Stripe sample but the thin one", () => {
  const secret = ['test', 'secret'].join('-');
  const refused = samples.filter(({ provider, text }) => {
    if (provider !== 'stripe') return false;
    const header = Stripe.webhooks.generateTestHeaderString({ payload: text, secret });
    try {
      return Stripe.webhooks.constructEvent(text, header, secret).object !== 'event';
    } catch {
      return true;
    }
  });
  expect(refused.map(({ name }) => name)).toEqual(['v1.invoice.paid-thin']);
});

test('the README has a row for every file, and a file for every row', () => {
  const rows = links(
    README.split('\n')
      .filter((line) => line.startsWith('| ['))
      .join('\n'),
  );
  for (const { shown, file } of links(README)) expect(shown).toBe(file);
  expect(rows.map(({ path }) => path).sort()).toEqual(
    samples.map((each) => `${each.provider}/${each.name}`).sort(),
  );
});
