// Scenario files: what is shipped, what is told of one that is not right, and what a run makes of one.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bodyOf, type Delivery, tell } from '../../../src/authoring/simulator/deliveries.ts';
import {
  loadScenario,
  type Scenario,
  type ScenarioText,
} from '../../../src/authoring/simulator/scenario.ts';
import { findScenario, listScenarios } from '../../../src/authoring/simulator/scenario-files.ts';
import type { JsonObject } from '../../../src/core/model.ts';
import { PROVIDERS } from '../../../src/core/providers.ts';
import { valueAt } from '../../../src/engine/cases/event-paths.ts';

const START_MS = Date.UTC(2026, 10, 1, 10);
const shipped = PROVIDERS.flatMap((provider) =>
  listScenarios(provider, undefined).map((input) => ({ provider, input, name: input.name })),
);

function load(text: string, beside: Readonly<Record<string, string>> = {}) {
  const from = findScenario('stripe', 'renewals', undefined);
  const input: ScenarioText = {
    ...{ ...from, name: 'mine', file: 'mine.yaml', text },
    readBeside: (name) => beside[name],
  };
  return loadScenario(input);
}

function scenario(provider: 'stripe' | 'fastspring' | 'paddle', name: string): Scenario {
  const { scenario: found } = loadScenario(findScenario(provider, name, undefined));
  if (found === undefined) throw new Error(`${name} has findings`);
  return found;
}

function told(of: Scenario, seed = 1, settings: { path: string; value: number | string }[] = []) {
  return tell(of, { seed, startMs: START_MS, settings, keepIds: false });
}

function valuesOf(deliveries: readonly Delivery[], path: string): unknown[] {
  return deliveries.flatMap(({ events }) => events.map(({ payload }) => valueAt(payload, path)));
}

describe('the shipped scenarios', () => {
  test.each(shipped)('$provider $name has no finding, and its schema is named', ({ input }) => {
    expect(loadScenario(input).diagnostics).toEqual([]);
    expect(input.text).toMatch(
      /^# yaml-language-server: \$schema=\.\.\/\.\.\/schema\/scenario\.schema\.json\n/,
    );
  });

  test('tell at least the first purchase, renewals and an end of each provider', () => {
    const names = shipped.map(({ provider, name }) => `${provider} ${name}`);
    for (const provider of PROVIDERS) {
      expect(names).toContain(`${provider} first-purchase`);
      expect(names).toContain(`${provider} renewals`);
      expect(names).toContain(`${provider} refund`);
    }
    expect(names.length).toBeGreaterThan(30);
  });

  test('are described for editors, every member of them', () => {
    const schema = JSON.parse(
      readFileSync(new URL('../../../schema/scenario.schema.json', import.meta.url), 'utf8'),
    );
    for (const members of [schema.properties, schema.$defs.step.properties]) {
      for (const [name, member] of Object.entries<JsonObject>(members)) {
        expect(member['description'], name).toBeTypeOf('string');
      }
    }
  });
});

const HEAD = 'provider: stripe\ndescription: mine\nsteps:\n';

describe('findings', () => {
  test.each([
    [
      'an unknown member of a step',
      '  - smaple: stripe/invoice.paid-manual\n',
      '4:5 RULE_UNKNOWN_FIELD a step has no field "smaple"; did you mean "sample"?',
    ],
    [
      'an unknown sample',
      '  - sample: stripe/invoice.piad-manual\n',
      '4:13 SAMPLE_UNKNOWN "stripe/invoice.piad-manual" cannot be found; did you mean "stripe/invoice.paid-manual"?',
    ],
    [
      'a sample of another provider',
      '  - sample: paddle/customer.created\n',
      '4:13 SAMPLE_UNKNOWN "paddle/customer.created" is no sample of stripe; its name begins with "stripe/"',
    ],
    [
      'a way out of the samples',
      '  - sample: stripe/../../package\n',
      '4:13 SAMPLE_UNKNOWN "stripe/../../package" cannot be found',
    ],
    [
      'neither sample nor file',
      '  - after: P1M\n',
      '4:5 RULE_MISSING_FIELD a step has either "sample" or "file"',
    ],
    [
      'both',
      '  - { sample: stripe/customer.created, file: a.json }\n',
      '4:5 RULE_MISSING_FIELD a step has either "sample" or "file"',
    ],
    [
      'an interval that is none',
      '  - sample: stripe/customer.created\n    after: 1 month\n',
      '5:12 RULE_WRONG_TYPE "after" needs an ISO 8601 interval like P1M or PT10M, not "1 month"',
    ],
    [
      'a place that is not there',
      '  - sample: stripe/customer.created\n    set: { data.object.id.x: 1 }\n',
      '5:12 SAMPLE_PATH "data.object.id" is a text, so it has no "x"',
    ],
    [
      'nothing to take away',
      '  - sample: stripe/customer.created\n    unset: [data.object.nmae]\n',
      '5:13 SAMPLE_PATH there is no "data.object.nmae"; did you mean "name"?',
    ],
    [
      'a fresh id that is none',
      '  - sample: stripe/customer.created\n    fresh: [created]\n',
      '5:13 SAMPLE_PATH there is no id at created in this event',
    ],
    [
      'a file that is not there',
      '  - file: gone.json\n',
      '4:11 SAMPLE_UNKNOWN "gone.json" cannot be found',
    ],
    [
      'a file that is no JSON',
      '  - file: broken.json\n',
      '4:11 SAMPLE_UNKNOWN it is no event of stripe: it is not JSON',
    ],
    [
      'a file without an event',
      '  - file: empty.json\n',
      '4:11 SAMPLE_UNKNOWN it is no event of stripe: it has no "id"',
    ],
    ['a tab', '\t- sample: x\n', '4:1 YAML_SYNTAX Tabs are not allowed as indentation'],
    ['no steps', '  []\n', '4:3 RULE_WRONG_TYPE "steps" must not be empty'],
  ])('%s', (_, steps, wanted) => {
    const { scenario: none, diagnostics } = load(HEAD + steps, {
      'broken.json': '{',
      'empty.json': '{}',
    });
    expect(none).toBeUndefined();
    expect(
      diagnostics.map(
        ({ location, code, message }) => `${location.line}:${location.column} ${code} ${message}`,
      ),
    ).toEqual([wanted]);
  });

  test('all of a file are told at once', () => {
    const steps =
      '  - sample: stripe/nope\n  - sample: stripe/customer.created\n    unset: [a, b]\n';
    expect(load(HEAD + steps).diagnostics).toHaveLength(3);
  });
});

describe('a run', () => {
  test('is the same again with the same seed, to the byte', () => {
    for (const { provider, name } of shipped) {
      const bytes = () =>
        told(scenario(provider, name)).deliveries.map(({ events }) =>
          Buffer.from(bodyOf(provider, events)).toString(),
        );
      expect(bytes()).toEqual(bytes());
    }
  });

  test('is of another customer with another seed: no id and no address is the same', () => {
    const idsIn = (text: string) =>
      text.match(/"(?:(?:evt|sub|cus|in|pi|ch|ctm|txn)_\w+|[^"\s]+@[^"\s]+)"/g) ?? [];
    for (const { provider, name } of shipped) {
      const texts = [1, 2].map((seed) =>
        JSON.stringify(told(scenario(provider, name), seed).deliveries.map(({ events }) => events)),
      );
      const first = new Set(idsIn(texts[0] ?? ''));
      expect(
        idsIn(texts[1] ?? '').filter((id) => first.has(id)),
        name,
      ).toEqual([]);
    }
  });

  test('keeps together what belongs together', () => {
    const { deliveries } = told(scenario('stripe', 'renewals'));
    const subscriptions = [
      ...valuesOf(deliveries, 'data.object.parent.subscription_details.subscription'),
      ...valuesOf(deliveries, 'data.object.subscription'),
    ].filter((id) => typeof id === 'string');
    expect(new Set(subscriptions).size).toBe(1);
    expect(subscriptions.length).toBeGreaterThan(4);
    expect(subscriptions[0]).toMatch(/^sub_\w{24}$/);
  });

  test('gives each renewal an invoice of its own, and its draft another than the last', () => {
    const { deliveries } = told(scenario('stripe', 'renewals'));
    const paid = deliveries.filter(({ name }) => name.startsWith('invoice.paid'));
    expect(new Set(valuesOf(paid, 'data.object.id')).size).toBe(3);
    const charges = told(scenario('fastspring', 'renewals')).deliveries.slice(2);
    const orders = valuesOf(charges, 'data.order.id');
    expect(new Set(orders).size).toBe(2);
    expect(valuesOf(charges, 'data.order.order')).toEqual(orders);
  });

  test('leaves what is sold as it is', () => {
    const { deliveries } = told(scenario('fastspring', 'first-purchase'));
    const [, order] = deliveries;
    const [item] = order === undefined ? [] : valuesOf([order], 'data.items.0');
    expect(item).toMatchObject({
      product: 'northlight-pro-monthly',
      attributes: { cryptlex_product_id: 'a9197f4a-49e0-48a8-b8cc-365e12442b7a' },
    });
  });

  test('happens at its times, and every date of an event moves along', () => {
    const { deliveries } = told(scenario('paddle', 'pause'));
    const last = deliveries.at(-1)?.events[0];
    expect(new Date(last?.timeMs ?? 0).toISOString()).toMatch(/^2027-01-13T10:02:02/);
    expect(valueAt(last?.payload ?? {}, 'data.billing_period.ends_at')).toMatch(
      /^2027-02-13T09:59/,
    );
    const stripe = told(scenario('stripe', 'renewals')).deliveries.at(-1)?.events[0];
    const created = Number(valueAt(stripe?.payload ?? {}, 'created'));
    expect(created).toBe(Math.floor((stripe?.timeMs ?? 0) / 1000));
    const end = Number(valueAt(stripe?.payload ?? {}, 'data.object.lines.data.0.period.end'));
    expect(Math.round((end - created) / 86_400)).toBeGreaterThan(25);
    expect(valueAt(stripe?.payload ?? {}, 'api_version')).toBe('2026-10-28.endive');
  });

  test('tells one date alike in all the ways in which FastSpring writes it', () => {
    const of = scenario('fastspring', 'first-purchase');
    const startMs = Date.UTC(2026, 10, 1, 23, 59);
    const [, order] = tell(of, { seed: 1, startMs, settings: [], keepIds: false }).deliveries;
    const data = order?.events[0]?.payload ?? {};
    expect(valueAt(data, 'data.changedDisplayISO8601')).toBe('2026-11-01');
    expect(valueAt(data, 'data.changedDisplay')).toBe('2026/11/01');
    expect(valueAt(data, 'data.changedDisplayEmailEnhancementsWithTime')).toMatch(
      /^Nov 1, 2026 \d\d:\d\d:\d\d [AP]M$/,
    );
    expect(Number(valueAt(data, 'data.changedInSeconds'))).toBe(
      Math.floor(Number(valueAt(data, 'data.changed')) / 1000),
    );
  });

  test('takes a value where there is a place for it, and tells where there is none', () => {
    const of = scenario('fastspring', 'renewals');
    const { deliveries, unused } = told(of, 1, [
      { path: 'data.items.0.quantity', value: 7 },
      { path: 'data.itmes.0.quantity', value: 7 },
    ]);
    expect(valuesOf(deliveries, 'data.items.0.quantity').filter((value) => value === 7)).toEqual([
      7,
    ]);
    expect(unused).toEqual(['data.itmes.0.quantity']);
  });

  test('writes bodies as each provider does', () => {
    const text = (provider: 'stripe' | 'fastspring' | 'paddle') => {
      const [first] = told(scenario(provider, 'first-purchase')).deliveries;
      return Buffer.from(bodyOf(provider, first?.events ?? [])).toString();
    };
    expect(text('stripe')).toMatch(/^\{\n {2}"id": "evt_/);
    expect(text('fastspring')).toMatch(/^\{"events":\[\{/);
    expect(text('paddle')).toMatch(/^[\0-\x7f]+$/);
    expect(JSON.parse(text('paddle')).data.name).toMatch(/[^\0-\x7f]/);
  });

  test('may begin with a file of its own, beside the scenario', () => {
    const event = { id: 'evt_ours1', type: 'ours', created: 1, data: { object: { id: 'in_1' } } };
    const { scenario: own } = load(`${HEAD}  - file: ours.json\n`, {
      'ours.json': JSON.stringify(event),
    });
    const [delivery] = own === undefined ? [] : told(own).deliveries;
    expect(delivery?.events[0]).toMatchObject({ type: 'ours' });
    expect(delivery?.events[0]?.id).toMatch(/^evt_\w{12,}$/);
  });
});
