// Two versions of the rules over recorded traffic. Takes versions and items, gives a tally: every event is planned
// with both by the engine's one evaluation, and nothing is executed. One thread's part of the work.

import type { WebhookEvent } from '../../core/model.ts';
import type { Env } from '../../engine/plan/match.ts';
import { matchEvent } from '../../engine/plan/match.ts';
import type { RuleSet } from '../../engine/rules/rule-set.ts';
import { differencesOf, type Verdict } from './difference.ts';
import { readItem, type TrafficItem } from './read-item.ts';
import type { Tally } from './tally.ts';
import { type RulesVersion, ruleSetFor } from './versions.ts';

export interface Comparison {
  readonly before: RulesVersion;
  readonly after: RulesVersion;
  /** The values of the variables that rules of either may read. */
  readonly env: Env;
}

/** A portion of what was recorded, with the place of its first item among all. */
export interface Portion {
  readonly firstPlace: number;
  readonly items: readonly TrafficItem[];
}

/** Events of one batch share an item; they are told apart within it. */
const EVENTS_OF_ITEM_MAX = 10_000;

export async function comparePortion(
  { firstPlace, items }: Portion,
  comparison: Comparison,
  tally: Tally,
): Promise<void> {
  for (const [index, item] of items.entries()) {
    const read = readItem(item);
    if (read.kind === 'unusable') {
      tally.addUnusable(read.unusable);
      continue;
    }
    for (const [inside, event] of read.events.entries()) {
      const { before, after, env } = comparison;
      const was = await verdictOf(ruleSetFor(before, event), event, env);
      const is = await verdictOf(ruleSetFor(after, event), event, env);
      const place = (firstPlace + index) * EVENTS_OF_ITEM_MAX + inside;
      tally.add(event, place, differencesOf(event.type, was, is));
    }
  }
}

async function verdictOf(
  ruleSet: RuleSet | undefined,
  event: WebhookEvent,
  env: Env,
): Promise<Verdict> {
  return ruleSet === undefined ? undefined : matchEvent(ruleSet, event, env);
}
