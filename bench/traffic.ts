// Recorded traffic to measure with: node bench/traffic.ts COUNT [SEED] > events.jsonl
// Writes one webhook body a line, of customers who live through the shipped scenarios, spread over the 90
// days before 2026-11-01. No two bodies are alike. Streams; the same seed writes the same bytes.

import { once } from 'node:events';
import { bodyOf, tell } from '../src/authoring/simulator/deliveries.ts';
import { below, randomOf } from '../src/authoring/simulator/random.ts';
import { loadScenario, type Scenario } from '../src/authoring/simulator/scenario.ts';
import { listScenarios } from '../src/authoring/simulator/scenario-files.ts';
import { PROVIDERS, type Provider } from '../src/core/providers.ts';

const LAST_START_MS = Date.UTC(2026, 10, 1);
const DAYS = 90;
const DAY_MS = 86_400_000;

const [countText = '100000', seedText = '1'] = process.argv.slice(2);
const count = Number(countText);
const random = randomOf(Number(seedText));
const scenarios: readonly Scenario[] = PROVIDERS.flatMap((provider: Provider) =>
  listScenarios(provider, undefined).flatMap((input) => loadScenario(input).scenario ?? []),
);

let written = 0;
for (let seed = 0; written < count; seed += 1) {
  const scenario = scenarios[below(random, scenarios.length)];
  if (scenario === undefined) throw new Error('there are no scenarios');
  const startMs = LAST_START_MS - Math.floor(random() * DAYS * DAY_MS);
  const { deliveries } = tell(scenario, { seed, startMs, settings: [], keepIds: false });
  for (const { events } of deliveries.slice(0, count - written)) {
    // Bodies of Stripe have line breaks; a line holds one body.
    const body = JSON.parse(new TextDecoder().decode(bodyOf(scenario.provider, events)));
    if (!process.stdout.write(`${JSON.stringify(body)}\n`)) await once(process.stdout, 'drain');
    written += 1;
  }
}
