// What the editor explains at a place of a rule file. Takes the text and a position, gives plain data; editor.ts shows
// it. Knows the schema, the shapes of events and the event beside the rules.

import { FUNCTION_NAMES } from '../../../engine/expression/function-names.ts';
import { type EventKnowledge, kindOf } from './event-shapes.ts';
import { FUNCTION_HELP } from './function-help.ts';
import { asYaml, shown } from './offers.ts';
import { isCondition, OPERATORS, schemaAt, typeOf } from './schema-walk.ts';
import { formulaBefore, namesOf, placeAt, typesOfRule } from './yaml-place.ts';

export interface Help {
  readonly title: string;
  readonly kind: string;
  readonly text: string;
  readonly examples: readonly string[];
}

/** Of the word at a position; undefined where there is nothing to say. */
export function helpAt(
  lines: readonly string[],
  line: number,
  column: number,
  event: EventKnowledge,
): (Help & { from: number; to: number }) | undefined {
  const text = lines[line] ?? '';
  if (/^\s*#/.test(text)) return undefined;
  const left = /[$\w.-]*$/.exec(text.slice(0, column))?.[0] ?? '';
  const right = /^[$\w-]*/.exec(text.slice(column))?.[0] ?? '';
  const from = column - left.length;
  const to = column + right.length;
  const word = `${left}${right}`;
  if (word === '') return undefined;
  const help =
    formulaBefore(lines, line, to) === undefined
      ? keyHelp(lines, line, from, to, event)
      : formulaHelp(word, lines, line, event);
  return help && { ...help, from, to };
}

function formulaHelp(
  word: string,
  lines: readonly string[],
  line: number,
  event: EventKnowledge,
): Help | undefined {
  if (!word.startsWith('$')) return pathHelp(word, lines, line, event);
  const name = word.slice(1);
  const own = FUNCTION_HELP[name];
  if (own !== undefined) return { title: own[0], kind: 'function', text: own[1], examples: [] };
  if (FUNCTION_NAMES.has(name))
    return {
      title: word,
      kind: 'function of JSONata',
      text: 'Described at docs.jsonata.org.',
      examples: [],
    };
  const value = namesOf(lines).get(name.split('.')[0] ?? '');
  return value === undefined ? undefined : { title: word, kind: 'name', text: value, examples: [] };
}

function pathHelp(
  word: string,
  lines: readonly string[],
  line: number,
  event: EventKnowledge,
): Help | undefined {
  const path = word.replace(/\.$/, '').split('.');
  const [shape] = event.shapesAt(typesOfRule(lines, line), path);
  const value = event.valueAt(path);
  if (shape === undefined && value === undefined) return undefined;
  const words = shape?.words ?? [];
  const text = [
    value === undefined ? 'Not in the event beside the rules.' : `In this event: ${shown(value)}`,
    ...(words.length > 0 ? [`Takes ${words.join(', ')}.`] : []),
  ].join('\n');
  return {
    title: path.join('.'),
    kind: shape === undefined ? '' : kindOf(shape),
    text,
    examples: [],
  };
}

function keyHelp(
  lines: readonly string[],
  line: number,
  from: number,
  to: number,
  event: EventKnowledge,
): Help | undefined {
  const { path, kind } = placeAt(lines, line, from);
  const text = lines[line] ?? '';
  const word = text.slice(from, to);
  const isName = kind === 'key' && /^["']?\s*:/.test(text.slice(to));
  const own = isName ? [...path, word] : path;
  if (isName && isCondition(path) && !['any', 'all', 'not'].includes(word))
    return pathHelp(word, lines, line, event);
  const schema = schemaAt(own);
  const operator = isName ? OPERATORS.get(word) : undefined;
  if (schema?.description === undefined) {
    return operator === undefined
      ? undefined
      : { title: word, kind: 'comparison', text: operator, examples: [] };
  }
  const title = own.findLast((step) => step !== '*') ?? word;
  return {
    title,
    kind: typeOf(schema),
    text: schema.description,
    examples: (schema.examples ?? []).slice(0, 2).map(asYaml),
  };
}
