// The lifecycles that samples/README.md tells. Takes its lines and the files they name, checks that they can be played:
// one sale, one order of time, ids where the rules look for them. Never changes a file.

import { describe, expect, test } from 'vitest';
import { PROVIDERS, type Provider } from '../../src/core/providers.ts';
import {
  at,
  eventsOf,
  links,
  README,
  type Sample,
  sample,
  samples,
  share,
} from '../support/read-samples.ts';

const lifecycles = README.split('\n')
  .filter((line) => line.startsWith('- **'))
  .map((line) => {
    const files = links(line).map(({ path }) => path.split('/') as [Provider, string]);
    return {
      title: `${files[0]?.[0]}: ${line.match(/\*\*(.+?)\*\*/)?.[1]}`,
      files: files.map(([provider, name]) => sample(provider, name)),
    };
  });

describe('the lifecycles of the README', () => {
  test('there are some for every provider', () => {
    for (const provider of PROVIDERS)
      expect(lifecycles.filter(({ title }) => title.startsWith(provider)).length).toBeGreaterThan(
        1,
      );
  });

  test.each(lifecycles)(
    '$title: each file shares an id with one before it, and comes later',
    ({ files }) => {
      const times = files.map((each) => eventsOf(each)[0]?.timeMs ?? Number.NaN);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      for (const [place, each] of files.entries()) {
        const before = files.slice(0, place);
        expect(place === 0 || before.some((earlier) => share(earlier, each)), each.name).toBe(true);
      }
    },
  );

  test('files of different sales share no id', () => {
    const strangers: string[] = [];
    for (const a of samples)
      for (const b of samples)
        if (a.name < b.name && a.provider === b.provider && share(a, b) && !related(a, b))
          strangers.push(`${a.name} and ${b.name}`);
    expect(strangers).toEqual([]);
  });
});

/** Two files belong together when a line, or lines that have a file in common, name both. */
function related(a: Sample, b: Sample): boolean {
  const known = new Set([a]);
  for (let before = 0; before !== known.size; ) {
    before = known.size;
    for (const { files } of lifecycles)
      if (files.some((each) => known.has(each))) for (const each of files) known.add(each);
  }
  return known.has(b);
}

const PLACES: [string, Provider, [name: string, path: string][]][] = [
  [
    'Stripe: checkout, first invoice and renewal',
    'stripe',
    [
      ['checkout.session.completed-subscription', 'data.object.subscription'],
      ['invoice.paid-subscription-create', 'data.object.parent.subscription_details.subscription'],
      [
        'invoice.paid-subscription-cycle',
        'data.object.lines.data.0.parent.subscription_item_details.subscription',
      ],
      [
        'invoice.paid-subscription-cycle-expanded',
        'data.object.parent.subscription_details.subscription.id',
      ],
      ['customer.subscription.deleted', 'data.object.id'],
    ],
  ],
  [
    'Stripe: old and new places',
    'stripe',
    [
      ['invoice.paid-subscription-create-legacy', 'data.object.subscription'],
      ['invoice.paid-subscription-cycle-legacy', 'data.object.lines.data.0.subscription'],
      ['invoice.paid-subscription-cycle-both-shapes', 'data.object.subscription'],
      [
        'invoice.paid-subscription-cycle-both-shapes',
        'data.object.parent.subscription_details.subscription',
      ],
    ],
  ],
  [
    'Stripe: metadata on both',
    'stripe',
    [
      [
        'checkout.session.completed-subscription-metadata',
        'data.object.metadata.CRYPTLEX_PRODUCT_ID',
      ],
      [
        'invoice.paid-subscription-create-metadata',
        'data.object.parent.subscription_details.metadata.CRYPTLEX_PRODUCT_ID',
      ],
    ],
  ],
  [
    'FastSpring: order, charge, overdue and end',
    'fastspring',
    [
      ['order.completed', 'events.0.data.items.0.subscription.id'],
      ['order.completed-addon-later', 'events.0.data.items.0.parentSubscription'],
      ['subscription.charge.completed', 'events.0.data.subscription.id'],
      ['subscription.charge.completed-no-expansion', 'events.0.data.subscription'],
      ['subscription.payment.overdue', 'events.0.data.id'],
      ['subscription.deactivated', 'events.0.data.id'],
    ],
  ],
  [
    'Paddle: purchase, renewal, pause and change',
    'paddle',
    [
      ['transaction.completed-web', 'data.subscription_id'],
      ['transaction.completed-subscription-recurring', 'data.subscription_id'],
      ['subscription.paused', 'data.id'],
      ['transaction.completed-subscription-update', 'data.subscription_id'],
    ],
  ],
  [
    'Paddle: buyer',
    'paddle',
    [
      ['transaction.completed-web', 'data.customer_id'],
      ['customer.created', 'data.id'],
      ['customer.updated', 'data.id'],
    ],
  ],
];
test.each(PLACES)('%s have one id where the rules look for it', (_, provider, places) => {
  const found = places.map(([name, path]) => at(sample(provider, name).body, path));
  expect(found[0]).toEqual(expect.any(String));
  expect(new Set(found).size).toBe(1);
});
