// The sales of a soak, one after the other and without end, each with its deliveries in the order in which they
// are sent. Takes a seed, gives the same sales for the same seed. Never keeps what was given.

import fc from 'fast-check';
import { type Delivery, type Story, scenarioOf } from '../exactly-once/lifecycles.ts';
import type { Sale } from '../exactly-once/model.ts';
import { subscription } from '../exactly-once/storms.ts';

export interface ToldSale {
  readonly id: number;
  readonly sale: Sale;
  readonly deliveries: readonly Delivery[];
}

const CHUNK = 50;
const SALES_OF_A_BUYER = 4;

export function* endlessSales(seed: number): Generator<ToldSale, void> {
  for (let chunk = 0; ; chunk += 1) {
    const stories = fc.sample(subscription, { seed: seed + chunk, numRuns: CHUNK });
    for (const [index, story] of stories.entries()) {
      const id = chunk * CHUNK + index;
      const startMs = Math.ceil(Date.now() / 1000) * 1000;
      const told = scenarioOf(startMs, [withoutEnd(story, id)], [], { firstId: id });
      const [sale] = told.sales;
      if (sale === undefined) throw new Error(`story ${id} tells no sale`);
      const deliveries = told.deliveries.toSorted((a, b) => a.atMs - b.atMs);
      yield { id, sale, deliveries };
    }
  }
}

/** What has ended leaves events that wait for ever; here everything has to be done. */
function withoutEnd(story: Story, id: number): Story {
  return { ...story, end: undefined, buyer: Math.floor(id / SALES_OF_A_BUYER) };
}
