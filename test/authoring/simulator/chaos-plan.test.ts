// What chaos makes of deliveries: everything still comes, some of it again, and what must keep its order does.

import { describe, expect, test } from 'vitest';
import { chaotic, type Round } from '../../../src/authoring/simulator/chaos.ts';
import { type Delivery, tell } from '../../../src/authoring/simulator/deliveries.ts';
import { randomOf } from '../../../src/authoring/simulator/random.ts';
import { loadScenario } from '../../../src/authoring/simulator/scenario.ts';
import { findScenario } from '../../../src/authoring/simulator/scenario-files.ts';
import { PROVIDERS, type Provider } from '../../../src/core/providers.ts';

const NAMES = { stripe: 'renewals', fastspring: 'lifecycle', paddle: 'pause' } as const;
const SEEDS = Array.from({ length: 60 }, (_, index) => index);

function deliveriesOf(provider: Provider): readonly Delivery[] {
  const { scenario } = loadScenario(findScenario(provider, NAMES[provider], undefined));
  if (scenario === undefined) throw new Error('it has findings');
  const startMs = Date.UTC(2026, 10, 1);
  return tell(scenario, { seed: 1, startMs, settings: [], keepIds: false }).deliveries;
}

const idsOf = (rounds: readonly Round[], notes: readonly (string | undefined)[]): string[] =>
  rounds
    .flat()
    .filter(({ note }) => notes.includes(note))
    .flatMap(({ events }) => events.map(({ id }) => id));

describe.each(PROVIDERS)('chaos for %s', (provider) => {
  const deliveries = deliveriesOf(provider);
  const ids = deliveries.flatMap(({ events }) => events.map(({ id }) => id));
  const plans = SEEDS.map((seed) => chaotic(provider, deliveries, randomOf(seed)));

  test('loses nothing and sends each event first once', () => {
    for (const plan of plans) {
      expect(idsOf(plan, [undefined, 'batch']).sort()).toEqual([...ids].sort());
    }
  });

  test('is the same with the same seed, and another with another', () => {
    expect(chaotic(provider, deliveries, randomOf(7))).toEqual(plans[7]);
    expect(new Set(plans.map((plan) => JSON.stringify(plan))).size).toBe(SEEDS.length);
  });

  test('knows every kind of trouble', () => {
    const notes = new Set(plans.flat(2).map(({ note }) => note));
    const always = [undefined, 'again', 'new id', 'wrong signature', 'tampered body'];
    const own = provider === 'fastspring' ? 'batch' : 'stale timestamp';
    expect(notes).toEqual(new Set([...always, own]));
    const orders = plans.map((plan) => idsOf(plan, [undefined, 'batch']).join());
    expect(new Set(orders).size).toBeGreaterThan(3);
  });

  test('tells the same fact under a new id, and forges strangers only', () => {
    for (const plan of plans) {
      for (const id of [
        ...idsOf(plan, ['new id']),
        ...idsOf(plan, ['wrong signature', 'tampered body', 'stale timestamp']),
      ]) {
        expect(ids).not.toContain(id);
      }
      for (const { note, events, forgery } of plan.flat()) {
        const [event] = events;
        const twin = deliveries
          .flatMap((each) => each.events)
          .find(({ type, timeMs }) => type === event?.type && timeMs === event.timeMs);
        if (note === 'new id') expect(event?.payload['data']).toEqual(twin?.payload['data']);
        if (forgery !== undefined)
          expect(event?.payload['data']).not.toEqual(twin?.payload['data']);
      }
    }
  });

  test('delivers nothing for the first time across a step that keeps its order', () => {
    const fixed = deliveries.filter(({ keepsOrder }) => keepsOrder).flatMap(({ events }) => events);
    expect(fixed.length > 0).toBe(provider === 'paddle');
    for (const { id } of fixed) {
      const place = ids.indexOf(id);
      for (const plan of plans) {
        const rounds = plan.map((round) => idsOf([round], [undefined]));
        const round = rounds.findIndex((each) => each.includes(id));
        expect(rounds[round]).toEqual([id]);
        expect(rounds.slice(0, round).flat().sort()).toEqual(ids.slice(0, place).sort());
      }
    }
  });
});
