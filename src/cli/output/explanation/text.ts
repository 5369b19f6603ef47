// A dry run as a person reads it. Takes an Explanation, gives text; see explanation-rules.ts, -plan.ts and
// -state.ts for its parts.

import type { Explanation } from '../../../authoring/dry-run/explain.ts';
import { type Paint, section } from '../terminal-text.ts';
import { nameLines, planLines, requestLines, timerLines } from './plan.ts';
import { ruleLines } from './rules.ts';
import { stateLines } from './state.ts';

export interface TextOptions {
  readonly paint: Paint;
  /** Whether every rule, item and name is shown. */
  readonly all: boolean;
}

export function explanationText(explanation: Explanation, { paint, all }: TextOptions): string {
  const { event, outcome, rule, reason } = explanation;
  const at = rule === null ? '' : `, rule ${rule.id} (${rule.file}:${rule.line})`;
  const tone = explanation.refused ? 'red' : outcome === 'matched' ? 'green' : 'yellow';
  const blocks = [
    [
      paint('bold', `${event.provider} ${event.type} ${event.id}`),
      `about: ${event.subjects.join(', ')}`,
      `outcome: ${paint(tone, outcome)}${at}`,
      ...(reason === null ? [] : [`reason: ${reason}`]),
    ],
    section('Problems', explanation.errors.flatMap(problemLines), paint),
    section('Rules', ruleLines(explanation, all, paint), paint),
    section('Names', nameLines(explanation, all, paint), paint),
    section('Timer', timerLines(explanation), paint),
    section('Plan', planLines(explanation, paint), paint),
    section('Requests to Cryptlex', requestLines(explanation, paint), paint),
    section('Before and after', stateLines(explanation, paint), paint),
    section('Notes', explanation.notes, paint),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

function problemLines(problem: Explanation['errors'][number]): readonly string[] {
  const place = problem.location === undefined ? '' : `${problem.location}: `;
  const hint = problem.hint === undefined ? [] : [`    = hint: ${problem.hint}`];
  return [`${place}${problem.message} [${problem.code}]`, ...hint];
}
