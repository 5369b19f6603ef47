// Writes src/engine/lint/shapes/shapes.generated.json: what the events of each type look like, learnt from
// samples/, and which event types each provider has, read from its own package (FastSpring has none).
// With --check it only says whether the file is up to date (exit code 1 when it is not).

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { EventName } from '@paddle/paddle-node-sdk';
import type { JsonObject } from '../src/core/model.ts';
import { PROVIDERS, type Provider } from '../src/core/providers.ts';
import {
  type KnownShapes,
  learnEvents,
  type ProviderShapes,
  writeShapes,
} from '../src/engine/lint/shapes/known.ts';

/**
 * FastSpring's event types (developer.fastspring.com/reference/webhooks-overview and the pages of each
 * event, read 2026-11).
 */
const FASTSPRING_TYPES = [
  ...['account.created', 'account.updated', 'chargeback.created', 'fulfillment.failed'],
  ...['mailingListEntry.abandoned', 'mailingListEntry.removed', 'mailingListEntry.updated'],
  ...['order.approval.pending', 'order.canceled', 'order.completed', 'order.failed'],
  ...['order.payment.pending', 'payoutEntry.created', 'quote.created', 'quote.updated'],
  ...['return.created', 'subscription.activated', 'subscription.canceled'],
  ...['subscription.charge.completed', 'subscription.charge.failed', 'subscription.deactivated'],
  ...['subscription.paused', 'subscription.payment.overdue', 'subscription.payment.reminder'],
  ...['subscription.resumed', 'subscription.trial.reminder', 'subscription.uncanceled'],
  'subscription.updated',
  ...['subscription.group.activated', 'subscription.group.canceled'],
  ...['subscription.group.deactivated', 'subscription.group.payment.charge.completed'],
  ...['subscription.group.payment.charge.failed', 'subscription.group.payment.overdue'],
  ...['subscription.group.payment.reminder', 'subscription.group.uncanceled'],
  'subscription.group.updated',
];

/** The union that Stripe's own typings allow for an endpoint's `enabled_events`. */
function stripeTypes(): readonly string[] {
  const file = new URL(
    '../node_modules/stripe/esm/resources/WebhookEndpoints.d.ts',
    import.meta.url,
  );
  const union = /type EnabledEvent = ([^;]+);/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  const types = [...union.matchAll(/'([a-z0-9_.]+)'/g)].map(([, type]) => type ?? '');
  if (types.length < 200)
    throw new Error('the event types of Stripe were not found in its typings');
  return types;
}

function readSamples(provider: Provider): readonly JsonObject[] {
  const folder = new URL(`../samples/${provider}/`, import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as JsonObject);
}

/** Where the list of a provider's event types is known, a rule that names another one is a finding. */
const TYPES: Readonly<Partial<Record<Provider, readonly string[]>>> = {
  stripe: stripeTypes(),
  fastspring: FASTSPRING_TYPES,
  paddle: Object.values(EventName),
};

const known = Object.fromEntries(
  PROVIDERS.map((provider): [Provider, ProviderShapes] => [
    provider,
    { ...learnEvents(provider, readSamples(provider)), types: [...(TYPES[provider] ?? [])].sort() },
  ]),
) as KnownShapes;

const path = new URL('../src/engine/lint/shapes/shapes.generated.json', import.meta.url);
const wanted = writeShapes(known);
if (process.argv.includes('--check')) {
  // The formatter may have laid it out anew, which changes nothing.
  const written: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (JSON.stringify(written) !== JSON.stringify(JSON.parse(wanted))) {
    console.error(`${path.pathname} is out of date: run \`npm run generate\`.`);
    process.exitCode = 1;
  }
} else {
  writeFileSync(path, wanted);
}
