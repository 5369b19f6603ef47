// What two versions of the rules make different of the clocks of one event: whether it waits, for how long,
// and which clocks it stops. Takes two verdicts, gives differences. Pure.

import type { MatchResult } from '../../core/model.ts';
import type { Difference } from './difference.ts';

type Verdict = MatchResult | undefined;

export function timerDifferences(
  rule: string,
  before: Verdict,
  after: Verdict,
): readonly Difference[] {
  const [was, is] = [waitOf(before), waitOf(after)];
  const [stopped, stops] = [cancelsOf(before), cancelsOf(after)];
  const base = { rule, kind: 'timer', steps: 0 } as const;
  const differences: Difference[] = [];
  if (was !== is) {
    const danger = is === AT_ONCE ? 'what waited for a time is done at once' : undefined;
    differences.push({ ...base, text: `${was} → ${is}`, danger });
  }
  for (const name of stopped.filter((one) => !stops.includes(one))) {
    const danger = 'whoever pays is struck all the same when the time is over';
    differences.push({ ...base, text: `no longer cancels the timer ${name}`, danger });
  }
  for (const name of stops.filter((one) => !stopped.includes(one))) {
    differences.push({ ...base, text: `cancels the timer ${name}`, danger: undefined });
  }
  return differences;
}

const AT_ONCE = 'at once';

/** Only of plans: whether there is one at all is another difference. */
function waitOf(verdict: Verdict): string {
  if (verdict?.kind !== 'matched' || verdict.timer === undefined) return AT_ONCE;
  const { name, after } = verdict.timer;
  return `after ${after} (timer ${name})`;
}

function cancelsOf(verdict: Verdict): readonly string[] {
  return [...new Set((verdict?.cancels ?? []).map(({ name }) => name))];
}
