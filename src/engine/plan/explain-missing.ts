// Why a formula came out missing. Takes the formula and the event, gives a sentence that blames the
// step of the path where it broke off: "no `custmer_email`; there is `customer_email`".

import { closest } from '../diagnostics/closest.ts';
import type { PathUse } from '../expression/uses.ts';
import { isBlank } from '../expression/values.ts';
import type { Template } from '../rules/rule-set.ts';
import type { Evaluation } from './evaluation.ts';
import type { RunScope } from './run-scope.ts';

const NAMES_SHOWN = 8;
const DEPTH_MAX = 4;

/** One sentence for each place where the value was looked for; empty when nothing can be said. */
export async function explainMissing(
  template: Template,
  scope: RunScope,
  evaluation: Evaluation,
): Promise<string> {
  const sentences = await explain(template, [], scope, evaluation, 0);
  return [...new Set(sentences)].join('; ');
}

async function explain(
  template: Template,
  members: readonly string[],
  scope: RunScope,
  evaluation: Evaluation,
  depth: number,
): Promise<readonly string[]> {
  if (depth > DEPTH_MAX) return [];
  if (template.kind === 'map') {
    const [first, ...rest] = members;
    const member = first === undefined ? undefined : template.members.get(first);
    return member === undefined ? [] : explain(member, rest, scope, evaluation, depth + 1);
  }
  if (template.kind !== 'formula') return [];
  const sentences: string[] = [];
  for (const source of template.sources) {
    sentences.push(...(await explainSource(source, scope, evaluation, depth)));
  }
  return sentences;
}

async function explainSource(
  source: PathUse,
  scope: RunScope,
  evaluation: Evaluation,
  depth: number,
): Promise<readonly string[]> {
  if (source.variable === undefined) return sentence('', evaluation.root, source.names);
  const found = scope.find(source.variable);
  if (found === undefined) return [];
  if (found.entry.kind === 'lazy') {
    const { template } = found.entry;
    return explain(template, source.names, found.scope, evaluation, depth + 1);
  }
  return sentence(`$${source.variable}`, found.entry.value, source.names);
}

function sentence(head: string, start: unknown, names: readonly string[]): readonly string[] {
  let value: unknown = start;
  const walked = head === '' ? [] : [head];
  for (const name of names) {
    // A list is looked through: the first item stands for all.
    const here: unknown = Array.isArray(value) ? value[0] : value;
    const next = (here as Record<string, unknown> | undefined | null)?.[name];
    if (isBlank(next)) {
      const path = [...walked, name].join('.');
      return [`${path} is missing${whatIsThere(here, name, walked.join('.') || 'the event')}`];
    }
    walked.push(name);
    value = next;
  }
  return [];
}

function whatIsThere(here: unknown, name: string, where: string): string {
  if (typeof here !== 'object' || here === null) return '';
  const names = Object.keys(here);
  if (names.includes(name)) return ' (it is blank)';
  const nearest = closest(name, names);
  if (nearest !== undefined) return ` (there is ${nearest})`;
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  return ` (${where} has ${shown}${names.length > NAMES_SHOWN ? ', …' : ''})`;
}
