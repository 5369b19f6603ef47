// What the tests of the engine share: rule files from texts, events from the shipped samples, and what
// the rules make of an event as short lines a person can compare.

import { readFileSync } from 'node:fs';
import { ACTIONS } from '../../../src/actions/definitions.ts';
import type { JsonObject, JsonValue, MatchResult, WebhookEvent } from '../../../src/core/model.ts';
import type { Provider } from '../../../src/core/providers.ts';
import { loadRuleFile } from '../../../src/engine/load/load.ts';
import { matchEvent } from '../../../src/engine/plan/match.ts';
import type { RuleSet } from '../../../src/engine/rules/rule-set.ts';
import { readEvents } from '../../../src/verifiers/read-events.ts';

/** The diagnostics of a rule file, as `LINE:COL CODE`. */
export function findingsOf(text: string, file = 'stripe.yaml'): readonly string[] {
  const { diagnostics } = loadRuleFile({ file, text, readBeside: () => undefined }, ACTIONS);
  return diagnostics.map(({ location, code }) => `${location.line}:${location.column} ${code}`);
}

/** A rule set from a text that must be free of errors. */
export function rulesOf(
  text: string,
  file = 'stripe.yaml',
  beside: Readonly<Record<string, string>> = {},
): RuleSet {
  const input = { file, text, readBeside: (name: string) => beside[name] };
  const { ruleSet, diagnostics } = loadRuleFile(input, ACTIONS);
  if (ruleSet !== undefined) return ruleSet;
  throw new Error(
    diagnostics.map(({ location, message }) => `${location.line}: ${message}`).join('\n'),
  );
}

/** A Stripe rule file with these rules; what stands above `rules:` may be added. */
export function stripeRules(rules: string, head = ''): RuleSet {
  return rulesOf(`provider: stripe\nsubject: =data.id\n${head}rules:\n${rules}`);
}

/** The text of a shipped rule file, each `from` replaced by its `to`; a `from` that is not there is a mistake of the test. */
export function shippedText(
  provider: Provider,
  changes: readonly (readonly [from: string, to: string])[] = [],
): string {
  let text = readFileSync(new URL(`../../../rules/${provider}.yaml`, import.meta.url), 'utf8');
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`rules/${provider}.yaml does not hold: ${from}`);
    text = text.replace(from, () => to);
  }
  return text;
}

export function shippedRules(
  provider: Provider,
  changes: readonly (readonly [from: string, to: string])[] = [],
): RuleSet {
  return rulesOf(shippedText(provider, changes), `rules/${provider}.yaml`);
}

/** The events of a sample, `stripe/invoice.paid-manual`, each payload changed by `change` where given. */
export function sampleEvents(
  path: string,
  change: (payload: JsonObject) => void = () => undefined,
): readonly WebhookEvent[] {
  const provider = path.split('/')[0] as Provider;
  const body = readFileSync(new URL(`../../../samples/${path}.json`, import.meta.url));
  const events = readEvents(provider, body, { source: provider, receivedAtMs: 0 });
  for (const event of events) change(event.payload);
  return events;
}

export function sampleEvent(path: string, change?: (payload: JsonObject) => void): WebhookEvent {
  const [event] = sampleEvents(path, change);
  if (event === undefined) throw new Error(`${path} holds no event`);
  return event;
}

/** An event of no provider in particular, around `data`. */
export function eventOf(data: JsonValue, more: Partial<WebhookEvent> = {}): WebhookEvent {
  const payload = { id: 'evt_1', type: 'sale', data };
  const event = { source: 'stripe', provider: 'stripe', id: 'evt_1', type: 'sale' } as const;
  return { ...event, timeMs: Date.UTC(2026, 0, 31), live: false, payload, ...more };
}

export function match(ruleSet: RuleSet, event: WebhookEvent): Promise<MatchResult> {
  return matchEvent(ruleSet, event, { CRYPTLEX_PRODUCT_ID: 'product-of-the-environment' });
}

/** What the rules made of an event, one line for each step, problem or reason. */
export function linesOf(result: MatchResult): readonly string[] {
  switch (result.kind) {
    case 'matched': {
      const rules = result.rules.map((rule) => rule.id).join(', ');
      return [
        `matched ${rules}`,
        ...result.plan.steps.map((step) => {
          const unit = step.unitKey === undefined ? '' : ` | once ${step.once} ${step.unitKey}`;
          const name = step.as === undefined ? '' : ` as ${step.as}`;
          return `${step.action}${name}: ${flat(step.input)}${unit}`;
        }),
      ];
    }
    case 'ignored':
      return [`ignored ${result.rule?.id ?? '-'}: ${result.reason}`];
    case 'unmatched':
      return [`unmatched, ${result.answer}`];
    case 'failed':
      return [
        `failed ${result.rule?.id ?? '-'}`,
        ...result.problems.map(({ code, message }) => `${code} ${message}`),
      ];
  }
}

/** `{ a: { b: 1 } }` as `a.b=1`. */
function flat(value: JsonValue, path = ''): string {
  if (typeof value !== 'object' || value === null) return `${path}=${String(value)}`;
  const { $ref } = value as { $ref?: string };
  if ($ref !== undefined) return `${path}=$${$ref}`;
  return Object.entries(value)
    .map(([name, member]) => flat(member, path === '' ? name : `${path}.${name}`))
    .join(' ');
}
