// What replaying an event would do with the rules as they are now. Runs on the sandbox; nothing is sent.

import { explainEvent } from '../../authoring/dry-run/explain.ts';
import { environmentFor } from '../../authoring/dry-run/rule-variables.ts';
import type { EventDetails } from '../../journal/archive.ts';
import type { Terminal } from '../command.ts';
import { loadRulesFor } from '../input/rules-for.ts';

/** One event's preview as text. */
export async function previewOf(
  { record, operations }: EventDetails,
  env: Terminal['env'],
): Promise<string> {
  const { event } = record;
  const head = `${event.provider} ${event.type} ${event.id}: ${record.status}`;
  if (record.isErased) return `${head}; its payload was erased, so it cannot be replayed\n`;
  const ruleSet = loadRulesFor(event.source, env);
  if (ruleSet === undefined)
    return `${head}; the rules of ${event.source} have errors or are gone\n`;
  const { env: values } = environmentFor(ruleSet, env);
  const explanation = await explainEvent(ruleSet, event, { env: values, given: undefined });
  const steps = explanation.plan.map(
    ({ action, item }) => `${action}${item === undefined ? '' : ` [${item}]`}`,
  );
  const done = operations.filter(({ state }) => state === 'done').length;
  const { timer } = explanation;
  const waits = timer === null ? '' : `, not before its time (timer ${timer.name}, ${timer.after})`;
  const plan = steps.length > 0 ? `${steps.join(', ')}${waits}` : (explanation.reason ?? 'no plan');
  const problems = explanation.errors
    .map(({ message, code }) => `  ${message} [${code}]\n`)
    .join('');
  return `${head}\n  plan: ${plan}; ${done} operations are done already and would be skipped\n${problems}`;
}
