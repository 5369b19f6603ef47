// What the editor offers at a place of a rule file. Takes the text and a position, gives plain data; editor.ts shows
// it. Knows the schema, the shapes of events and the event beside the rules.

import type { JsonValue } from '../../../core/model.ts';
import { FUNCTION_NAMES } from '../../../engine/expression/function-names.ts';
import { EVENT_MEMBERS } from '../../../engine/rules/event-members.ts';
import { type EventKnowledge, kindOf } from './event-shapes.ts';
import { FUNCTION_HELP } from './function-help.ts';
import {
  conditionOf,
  isCondition,
  OPERATORS,
  type Schema,
  schemaAt,
  typeOf,
} from './schema-walk.ts';
import { formulaBefore, namesOf, placeAt, typesOfRule } from './yaml-place.ts';

export interface Offer {
  readonly label: string;
  /** What is written in its place, where that is more than the label. */
  readonly apply?: string;
  readonly detail?: string;
  readonly info?: string;
  readonly kind: 'property' | 'value' | 'path' | 'function' | 'variable';
}

export interface Offers {
  /** How many characters before the cursor are replaced. */
  readonly replaces: number;
  readonly offers: readonly Offer[];
}

const SHOWN_MAX = 80;

/** @param line from 0; @param column from 0 */
export function offersAt(
  lines: readonly string[],
  line: number,
  column: number,
  event: EventKnowledge,
): Offers | undefined {
  const before = (lines[line] ?? '').slice(0, column);
  if (/^\s*#|\s#/.test(before) && !before.includes('"')) return undefined;
  const formula = formulaBefore(lines, line, column);
  if (formula !== undefined) return formulaOffers(formula, lines, line, event);
  const place = placeAt(lines, line, column);
  const { path, kind, written, siblings } = place;
  if (kind === 'key') {
    // Right of a dash either a name or a value may follow.
    const values = path.at(-1) === '*' ? valueOffers(path, lines, line, event) : [];
    const names = isCondition(path)
      ? conditionOffers(written, lines, line, event)
      : keyOffers(path, siblings);
    const offers = [...names, ...values];
    return offers.length === 0 ? undefined : { replaces: written.length, offers };
  }
  const offers = valueOffers(path, lines, line, event);
  return offers.length === 0 ? undefined : { replaces: written.length, offers };
}

function keyOffers(path: readonly string[], siblings: readonly string[]): readonly Offer[] {
  const schema = schemaAt(path);
  const { properties = {}, required = [] } = schema ?? {};
  const isInCondition = conditionOf(path) !== undefined && schema === undefined;
  if (isInCondition) {
    return [...OPERATORS].map(([label, info]) => ({
      label,
      apply: `${label}: `,
      info,
      kind: 'property',
    }));
  }
  return Object.entries(properties)
    .filter(([name]) => !siblings.includes(name))
    .map(([name]) => {
      const inner = schemaAt([...path, name]) ?? {};
      const isText = [inner.type].flat().includes('string') || inner.type === undefined;
      const opens = !isText && /object|array/.test(String(inner.type));
      return {
        label: name,
        apply: opens ? `${name}:` : `${name}: `,
        detail: required.includes(name) ? 'needed' : typeOf(inner),
        info: infoOf(inner),
        kind: 'property',
      };
    });
}

function infoOf({ description = '', examples = [] }: Schema): string {
  const [example] = examples;
  return example === undefined ? description : `${description}\nFor example: ${asYaml(example)}`;
}

/** One line of YAML, short enough to be read at a glance. */
export function asYaml(value: unknown): string {
  if (typeof value === 'string')
    return value === '' || /^[[{"'&*!|>%@#]|: |^(?:true|false|null|[\d.]+)$/.test(value)
      ? JSON.stringify(value)
      : value;
  if (Array.isArray(value)) return `[${value.map(asYaml).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([name, member]) => `${name}: ${asYaml(member)}`)
    .join(', ')} }`;
}

function valueOffers(
  path: readonly string[],
  lines: readonly string[],
  line: number,
  event: EventKnowledge,
): readonly Offer[] {
  const name = path.findLast((step) => step !== '*');
  if (name === 'on') {
    return event.types.map((label) => ({ label, kind: 'value', detail: 'event type' }));
  }
  const schema = schemaAt(path);
  if (schema === undefined) {
    const condition = conditionOf(path);
    if (condition === undefined) return [];
    const shapes = event.shapesAt(typesOfRule(lines, line), condition.split('.'));
    const seen = event.valueAt(condition.split('.'));
    const words = [
      ...shapes.flatMap((shape) => shape.words ?? []),
      ...(typeof seen === 'string' ? [seen] : []),
    ];
    const flags = shapes.some(({ plain }) => plain.has('b')) ? ['true', 'false'] : [];
    return [...new Set([...words, ...flags])].map((label) => ({
      label,
      kind: 'value',
      ...(label === seen ? { detail: 'in this event' } : {}),
    }));
  }
  const words = (schema.enum ?? []).map((word): Offer => ({ label: String(word), kind: 'value' }));
  const flags = [schema.type].flat().includes('boolean') ? ['true', 'false'] : [];
  const examples = (schema.examples ?? [])
    .map(asYaml)
    .filter((example) => !words.some(({ label }) => label === example) && !flags.includes(example));
  return [
    ...words,
    ...flags.map((label): Offer => ({ label, kind: 'value' })),
    ...examples.map(
      (label): Offer => ({
        label,
        kind: 'value',
        detail: 'example',
        info: schema.description ?? '',
      }),
    ),
  ];
}

// ---- Paths and formulas ---------------------------------------------------------------------

function conditionOffers(
  written: string,
  lines: readonly string[],
  line: number,
  event: EventKnowledge,
): readonly Offer[] {
  const start = written.replace(/[^.]*$/, '');
  const groups = start === '' ? ['any', 'all', 'not'] : [];
  return [
    ...memberOffers(start, lines, line, event).map((offer) => ({
      ...offer,
      label: `${start}${offer.label}`,
    })),
    ...groups.map(
      (label): Offer => ({ label, apply: `${label}:`, kind: 'property', detail: 'of several' }),
    ),
    ...(start === ''
      ? [...namesOf(lines)].map(([name]): Offer => ({ label: `$${name}`, kind: 'variable' }))
      : []),
  ];
}

function memberOffers(
  start: string,
  lines: readonly string[],
  line: number,
  event: EventKnowledge,
): readonly Offer[] {
  const path = start.split('.').filter((step) => step !== '');
  const shapes = event.shapesAt(typesOfRule(lines, line), path);
  // What is known comes last, and stays.
  const members = new Map(shapes.toReversed().flatMap((shape) => [...(shape.members ?? [])]));
  return [...members].map(([name, member]) => {
    const value = event.valueAt([...path, name]);
    const kind = kindOf(member);
    return {
      label: name,
      kind: 'path',
      ...(kind === '' ? {} : { detail: kind }),
      ...(value === undefined ? {} : { info: `In this event: ${shown(value)}` }),
    };
  });
}

/** A value of the event, cut to a line. */
export function shown(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

function formulaOffers(
  formula: string,
  lines: readonly string[],
  line: number,
  event: EventKnowledge,
): Offers | undefined {
  // Inside a quoted text there is nothing to complete.
  if ((formula.match(/"/g) ?? []).length % 2 === 1) return undefined;
  const word = /[$\w.]*$/.exec(formula)?.[0] ?? '';
  const start = word.replace(/[^.]*$/, '');
  const replaces = word.length - start.length;
  if (start === '$event.') {
    return { replaces, offers: EVENT_MEMBERS.map((label) => ({ label, kind: 'path' })) };
  }
  if (start.startsWith('$')) return undefined;
  const members = memberOffers(start, lines, line, event);
  if (start !== '') return { replaces, offers: members };
  const functions = [...FUNCTION_NAMES].map((name): Offer => {
    const [call, gives] = FUNCTION_HELP[name] ?? [];
    return {
      label: `$${name}`,
      apply: `$${name}(`,
      kind: 'function',
      ...(call === undefined
        ? { detail: 'JSONata' }
        : { detail: call.slice(name.length + 1), info: gives ?? '' }),
    };
  });
  const names = [...namesOf(lines)].map(
    ([name, value]): Offer => ({
      label: `$${name}`,
      kind: 'variable',
      ...(value === '' ? {} : { info: value }),
    }),
  );
  const fixed = ['$event', '$env', '$item'].map((label): Offer => ({ label, kind: 'variable' }));
  return { replaces, offers: [...members, ...names, ...fixed, ...functions] };
}
