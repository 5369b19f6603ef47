// What an event costs before anything is called: verify, subjects, match and plan, in this process. Takes rule
// files of any size, gives microseconds for each event, round by round in turn.

import { readFileSync } from 'node:fs';
import { ACTIONS } from '../src/actions/definitions.ts';
import type { Provider } from '../src/core/providers.ts';
import { Secret } from '../src/core/secret.ts';
import { loadRuleFile } from '../src/engine/load/load.ts';
import { matchEvent, subjectsOf } from '../src/engine/plan/match.ts';
import type { RuleSet } from '../src/engine/rules/rule-set.ts';
import { createVerifier } from '../src/verifiers/create-verifier.ts';
import { createDeliveries, SECRET, type SignedDelivery } from './events.ts';
import { type Spread, spreadOf } from './stats.ts';

const ENV = { CRYPTLEX_PRODUCT_ID: 'product' };

/** The shipped rules of a provider, with so many more. */
export interface RulesOfSize {
  /** Further rules, each for an event type of its own. */
  readonly rules?: number;
  /** Further rules for the type of the event that is measured, none of which fits it. */
  readonly rulesOfType?: number;
  /** Lines in the catalog. */
  readonly catalog?: number;
}

const PURCHASE_TYPES: Readonly<Record<Provider, string>> = {
  stripe: 'checkout.session.completed',
  fastspring: 'order.completed',
  paddle: 'transaction.completed',
};

function textOf(
  provider: Provider,
  { rules = 0, rulesOfType = 0, catalog = 0 }: RulesOfSize,
): string {
  const shipped = readFileSync(new URL(`../rules/${provider}.yaml`, import.meta.url), 'utf8');
  const lines = Array.from(
    { length: catalog },
    (_, index) => `  item_${index}: { productId: product-${index}, licenseTemplateId: template }`,
  );
  const more = (count: number, prefix: string, on: (index: number) => string): string[] =>
    Array.from(
      { length: count },
      (_, index) =>
        `  - { id: ${prefix}-${index}, on: ${on(index)}, when: { data.bench: v${index} }, ignore: none }`,
    );
  const added = [
    ...more(rules, 'other', (index) => `bench.type.n${index}`),
    ...more(rulesOfType, 'same', () => PURCHASE_TYPES[provider]),
  ];
  return shipped
    .replace('catalog: {}', lines.length === 0 ? 'catalog: {}' : `catalog:\n${lines.join('\n')}`)
    .replace('\nrules:\n', `\nrules:\n${added.join('\n')}${added.length === 0 ? '' : '\n'}`);
}

function load(provider: Provider, size: RulesOfSize): { rules: RuleSet; loadMs: number } {
  const text = textOf(provider, size);
  const startedAtMs = performance.now();
  const file = { file: `${provider}.yaml`, text, readBeside: () => undefined };
  const { ruleSet } = loadRuleFile(file, ACTIONS);
  if (ruleSet === undefined) throw new Error(`the rules of ${provider} have errors`);
  return { rules: ruleSet, loadMs: performance.now() - startedAtMs };
}

export interface PlanFigures {
  readonly provider: Provider;
  readonly size: RulesOfSize;
  readonly loadMs: number;
  readonly microseconds: Spread;
  /** By the first size, round by round. */
  readonly ratio: Spread;
}

/** The sizes in turn, in each round: the first of them is what the others are compared with. */
export async function measurePlans(
  provider: Provider,
  sizes: readonly RulesOfSize[],
  { rounds, events }: { rounds: number; events: number },
): Promise<readonly PlanFigures[]> {
  const verifier = createVerifier(provider, {
    secrets: [new Secret(SECRET)],
    toleranceSeconds: 3600,
  });
  const loaded = sizes.map((size) => load(provider, size));
  const results: number[][] = sizes.map(() => []);
  // Stripe would refuse this sale where a catalog is filled: its product would have to be a line of it.
  const make = createDeliveries(provider, 'first-purchase', { run: 'plan' });
  const deliveries = Array.from({ length: events }, (_, index) => make(index));
  for (let round = -2; round < rounds; round += 1) {
    for (const [index, { rules }] of loaded.entries()) {
      const startedAt = process.hrtime.bigint();
      for (const delivery of deliveries) await planOne(provider, verifier, delivery, rules);
      const nanoseconds = Number(process.hrtime.bigint() - startedAt);
      if (round >= 0) results[index]?.push(nanoseconds / 1000 / events);
    }
  }
  const [first = []] = results;
  return sizes.map((size, index) => {
    const times = results[index] ?? [];
    return {
      ...{ provider, size, loadMs: loaded[index]?.loadMs ?? 0, microseconds: spreadOf(times) },
      ratio: spreadOf(times.map((time, round) => time / (first[round] ?? time))),
    };
  });
}

async function planOne(
  provider: Provider,
  verifier: ReturnType<typeof createVerifier>,
  { headers, body }: SignedDelivery,
  rules: RuleSet,
): Promise<void> {
  const signature = Object.entries(headers).find(([name]) => name !== 'content-type')?.[1] ?? '';
  const request = { signature, rawBody: body, receivedAtMs: Date.now() };
  const { events } = await verifier.verify(request, provider);
  for (const event of events) {
    await subjectsOf(rules, event, ENV);
    const match = await matchEvent(rules, event, ENV);
    if (match.kind === 'failed' || match.kind === 'unmatched') {
      throw new Error(`${provider}: ${match.kind}`);
    }
  }
}
