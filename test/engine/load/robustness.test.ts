// Whatever arrives, the rules give a whole plan or a reason. Every sample is taken apart, member by
// member, and nothing that comes out may be half a plan.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue, MatchResult, WebhookEvent } from '../../../src/core/model.ts';
import { PROVIDERS, type Provider } from '../../../src/core/providers.ts';
import { samples } from '../../support/read-samples.ts';
import { match, sampleEvents, shippedRules, stripeRules } from '../support/rules.ts';

const RULES = Object.fromEntries(PROVIDERS.map((provider) => [provider, shippedRules(provider)]));
/** The same with a seller's catalog and skipping, so that the other branches are walked, too. */
const SKIPPING = Object.fromEntries(
  PROVIDERS.map((provider) => [
    provider,
    shippedRules(provider, [
      [
        'catalog: {}',
        'catalog: { price_1isOX3N0rTh7LghtkrmNkaH4: { productId: p }, lens-pack: { productId: l } }',
      ],
      ['default: reject', 'default: skip'],
    ]),
  ]),
);

/** What is wrong with a result, or nothing. The properties below say that nothing is. */
function flaws(result: MatchResult): readonly string[] {
  if (result.kind === 'ignored' || result.kind === 'unmatched') {
    return result.reason === '' ? ['no reason'] : [];
  }
  if (result.kind === 'failed') {
    const found = result.problems.flatMap(({ code, message, location, hint }) => {
      const whole = message !== '' && !/undefined|\[object|NaN/.test(message);
      const placed = location !== undefined && /^rules\/\w+\.yaml:\d+:\d+$/.test(location);
      return whole && placed && hint ? [] : [`${code} ${message} at ${location}`];
    });
    return result.problems.length === 0 ? ['failed without a problem'] : found;
  }
  return result.plan.steps.flatMap(({ action, input, once, unitKey }) => {
    const found = flawsInside(input, action);
    if (JSON.stringify(JSON.parse(JSON.stringify(input))) !== JSON.stringify(input))
      found.push('no JSON');
    if (action === 'license.create' && !input['productId']) found.push('no productId');
    if (
      /^license\.(?!create)/.test(action) &&
      Object.keys((input['find'] ?? {}) as JsonObject).length === 0
    ) {
      found.push('no find');
    }
    if (/create|renew/.test(action) && (!once || !unitKey?.includes('#'))) found.push('no once');
    return found;
  });
}

function flawsInside(value: JsonValue | undefined, path: string): string[] {
  if (value === undefined || value === null) return [`${path} is ${String(value)}`];
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [`${path} is ${value}`];
  if (typeof value === 'string') {
    const isFree = path.endsWith('.subscriptionInterval');
    return value.trim() === '' && !isFree ? [`${path} is empty`] : [];
  }
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, member]) => flawsInside(member, `${path}.${name}`));
}

/** Every path of a value, the deepest last. */
function pathsOf(value: JsonValue, path: readonly (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const here = [...path, Array.isArray(value) ? Number(name) : name];
    return [here, ...pathsOf(member, here)];
  });
}

/** The payload with one member replaced, or left out where `value` is undefined. */
function replaced(
  payload: JsonObject,
  path: readonly (string | number)[],
  value: JsonValue | undefined,
) {
  const copy = structuredClone(payload);
  let parent: unknown = copy;
  for (const step of path.slice(0, -1)) parent = (parent as Record<string | number, unknown>)[step];
  const last = path.at(-1) ?? '';
  if (value === undefined) delete (parent as Record<string | number, unknown>)[last];
  else (parent as Record<string | number, unknown>)[last] = value;
  return copy;
}

const ODD: readonly (JsonValue | undefined)[] = [
  ...[
    undefined,
    null,
    '',
    ' ',
    0,
    -1,
    1.5,
    true,
    'x',
    [],
    {},
    [null],
    [[]],
    ['a', 'b'],
    { a: null },
  ],
  ...[{ $ref: 'user.id' }, { id: 'x' }, 1e21, 'x'.repeat(5000), '\u0000', '2026-13-45'],
];

/** The flaws of one changed event, under the rules as shipped or under the seller's, by turns. */
async function checked(event: WebhookEvent, payload: JsonObject, what: string): Promise<string[]> {
  const rules = (what.length % 2 === 0 ? RULES : SKIPPING)[event.provider];
  if (rules === undefined) throw new Error(event.provider);
  const result = await match(rules, { ...event, payload });
  return flaws(result).map((flaw) => `${what}: ${flaw}`);
}

describe('a sample with one member spoilt', () => {
  it.each(samples.filter(({ name }) => name !== 'v1.invoice.paid-thin'))(
    'never makes half a plan: $provider/$name',
    async ({ provider, name }) => {
      const found: string[] = [];
      let turn = name.length;
      for (const event of sampleEvents(`${provider}/${name}`)) {
        for (const path of pathsOf(event.payload)) {
          // Each path meets one odd value; all samples together meet each value thousands of times.
          turn += 1;
          for (const value of ODD.filter((_odd, index) => (index + turn) % 21 === 0)) {
            const payload = replaced(event.payload, path, value);
            const what = `${path.join('.')} = ${JSON.stringify(value)?.slice(0, 40)}`;
            found.push(...(await checked(event, payload, what)));
          }
        }
      }
      expect(found).toEqual([]);
    },
  );
});

describe('anything at all', () => {
  const types: Readonly<Record<Provider, readonly string[]>> = {
    stripe: ['checkout.session.completed', 'invoice.paid', 'customer.created'],
    fastspring: ['order.completed', 'subscription.charge.completed', 'subscription.deactivated'],
    paddle: ['transaction.completed', 'subscription.paused', 'customer.created'],
  };

  it.each(PROVIDERS)('as an event of %s gives a result without a flaw', async (provider) => {
    const rules = RULES[provider];
    if (rules === undefined) throw new Error(provider);
    const property = fc.asyncProperty(
      fc.constantFrom(...types[provider]),
      fc.jsonValue({ maxDepth: 4 }),
      async (type, data) => {
        const payload = { data: { object: data, ...(typeof data === 'object' ? data : {}) } };
        const event = { source: provider, provider, id: 'e', type, timeMs: 0, live: null };
        const result = await match(rules, { ...event, payload: payload as JsonObject });
        expect(flaws(result)).toEqual([]);
      },
    );
    await fc.assert(property, { numRuns: 150 });
  });

  it('may be spread into an action, or be its metadata', async () => {
    const rules = stripeRules(
      '  - id: a\n    on: sale\n    once: =data.id\n    do:\n      - license.create:\n          from: [=data.one, =data.two]\n          metadata: =data.metadata\n          quantity: =data.quantity\n          expiresAt: =data.date\n',
    );
    const property = fc.asyncProperty(
      fc.record({
        id: fc.string({ minLength: 1 }),
        one: fc.oneof(fc.jsonValue(), fc.record({ productId: fc.jsonValue() })),
        two: fc.jsonValue(),
        metadata: fc.jsonValue(),
        quantity: fc.jsonValue(),
        date: fc.jsonValue(),
      }),
      async (data) => {
        const payload = { data } as unknown as JsonObject;
        const event = { source: 'stripe', provider: 'stripe', id: 'e', type: 'sale' } as const;
        const result = await match(rules, { ...event, timeMs: 0, live: null, payload });
        const found = flaws(result).filter((flaw) => !flaw.includes('at stripe.yaml'));
        expect(found).toEqual([]);
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });
});

describe('the search for flaws', () => {
  const step = { action: 'license.create', input: {}, rule: 'r', location: 'l' };
  const plan = (input: JsonObject, more = {}): MatchResult => ({
    kind: 'matched',
    rules: [],
    trace: [],
    plan: { steps: [{ ...step, input, once: 'o', unitKey: '#1', ...more }] },
  });
  it('finds them', () => {
    expect(flaws(plan({ productId: 'p' }))).toEqual([]);
    expect(flaws(plan({}))).toEqual(['no productId']);
    expect(flaws(plan({ productId: 'p', metadata: { a: '' } }))).toEqual([
      'license.create.metadata.a is empty',
    ]);
    expect(flaws(plan({ productId: 'p', quantity: Number.NaN }))).toContain(
      'license.create.quantity is NaN',
    );
    expect(flaws(plan({ productId: 'p' }, { once: '' }))).toEqual(['no once']);
    expect(flaws(plan({ find: {} }, { action: 'license.suspend' }))).toEqual(['no find']);
    expect(flaws({ kind: 'failed', rule: undefined, problems: [], trace: [] })).toHaveLength(1);
  });
});
