// Many subscriptions at once that renew again and again, told late, twice, and under new ids. Takes how many
// facts there are, gives a scenario of them: what a busy hour of a shop looks like when all goes wrong.

import fc from 'fast-check';
import {
  MINUTE_MS,
  type Scenario,
  type Step,
  type Story,
  scenarioOf,
  type Telling,
} from './lifecycles.ts';

/** The purchase and what follows, for each subscription. */
const FACTS_EACH = 10;

/** An older invoice may come minutes after a newer one. */
const lateTelling: fc.Arbitrary<Telling> = fc.record({
  delayMs: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 4 * MINUTE_MS }) },
  ),
  repeats: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: MINUTE_MS })), {
    maxLength: 1,
  }),
  resend: fc.option(fc.integer({ min: 0, max: MINUTE_MS }), { nil: undefined, freq: 2 }),
});

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    ...(['payment', 'payment', 'payment', 'payment', 'suspension', 'dispute', 'won'] as const),
  ),
  afterMs: fc.integer({ min: 1_000, max: MINUTE_MS }),
  telling: lateTelling,
});

/** Of Stripe or FastSpring: Paddle's dates leave freedom where it is not told in order. */
export const subscription: fc.Arbitrary<Story> = fc.record({
  provider: fc.constantFrom('stripe', 'fastspring'),
  buyer: fc.nat(9),
  lines: fc.tuple(
    fc.record({
      quantity: fc.constantFrom(1, 1, 1, 2),
      product: fc.nat(1),
      recurring: fc.constant(true),
    }),
  ),
  startMs: fc.integer({ min: 0, max: 2 * MINUTE_MS }),
  purchase: lateTelling,
  steps: fc.array(step, { minLength: FACTS_EACH - 1, maxLength: FACTS_EACH - 1 }),
  end: fc.option(lateTelling, { nil: undefined, freq: 8 }),
  inOrder: fc.constant(false),
});

/** @param startMs when the first sale may happen; whole seconds, since Stripe tells no more */
export function storms(startMs: number, facts: number): fc.Arbitrary<Scenario> {
  const size = Math.ceil(facts / FACTS_EACH);
  return fc
    .record({
      stories: fc.array(subscription, { minLength: size, maxLength: size }),
      batches: fc.boolean(),
    })
    .map(({ stories, batches }) => scenarioOf(startMs, stories, [], { batches }));
}
