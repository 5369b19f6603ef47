// The plan and its requests as a person reads them. Takes an Explanation, gives lines: the names that were
// looked up, each step with the expression behind each value, each request as it would go out.

import type { Explanation } from '../../../authoring/dry-run/explain.ts';
import { counted, seen, written } from '../../../core/format.ts';
import type { JsonValue, NameTrace } from '../../../core/model.ts';
import { type Paint, padded, widthOf } from '../terminal-text.ts';

/** The names of `let`. Those of a loop are shown for its first item only, unless all are wanted. */
export function nameLines(
  { names }: Pick<Explanation, 'names'>,
  all: boolean,
  paint: Paint,
): readonly string[] {
  const [first] = names.flatMap(({ item }) => item ?? []);
  const shown = names.filter(({ item }) => all || item === undefined || item === first);
  const folded = names.length - shown.length;
  return [
    ...shown.flatMap((name) => oneName(name, all, paint)),
    ...(folded === 0
      ? []
      : [paint('dim', `· ${counted(folded, 'more name')} of other items (--all shows them)`)]),
  ];
}

const EXPRESSION_LENGTH_MAX = 120;

function oneName(
  { name, item, expression, actual }: NameTrace,
  all: boolean,
  paint: Paint,
): readonly string[] {
  const of = item === undefined ? '' : ` [${item}]`;
  const isFormula = expression.includes('=');
  const isLong = !all && expression.length > EXPRESSION_LENGTH_MAX;
  const from = isLong ? `${expression.slice(0, EXPRESSION_LENGTH_MAX - 1)}…` : expression;
  return [
    `${paint('cyan', name)}${of} is ${seen(actual)}`,
    ...(isFormula ? [paint('dim', `    from ${from}`)] : []),
  ];
}

/** The clock that the plan waits for, and those that the event stops. */
export function timerLines({
  timer,
  cancels,
}: Pick<Explanation, 'timer' | 'cancels'>): readonly string[] {
  const stops = cancels.map(({ name, key }) => `cancels ${name} of ${key}, if it runs`);
  if (timer === null) return stops;
  const { name, key, after, dueAt, cancelledBy } = timer;
  const by = cancelledBy.length === 0 ? 'Nothing' : cancelledBy.join(', ');
  return [
    ...stops,
    `${name} of ${key}: what follows is done ${after} after the event, at ${dueAt}`,
    `if the clock runs already, it is not started anew; ${by} cancels it`,
  ];
}

/** Each step with its fields, and where each value came from. */
export function planLines(
  { plan, values }: Pick<Explanation, 'plan' | 'values'>,
  paint: Paint,
): readonly string[] {
  return plan.flatMap((step, index) => {
    const sources = new Map(
      values
        .filter((value) => value.step === index)
        .map((value) => [value.field, value.expression]),
    );
    const item = step.item === undefined ? '' : ` [${step.item}]`;
    const once = step.once === undefined ? [] : [{ field: 'once for', text: step.once }];
    const payments = step.payments === undefined ? [] : [`paid with: ${step.payments.join(', ')}`];
    const rank = step.rank === undefined ? [] : [{ left: `rank: ${step.rank}`, source: undefined }];
    const fields = [
      ...Object.entries(step.input).flatMap(([name, value]) => fieldLines(name, value, sources)),
      ...once.map(({ field, text }) => ({
        left: `${field}: ${text}`,
        source: sources.get('once'),
      })),
      ...payments.map((left) => ({ left, source: undefined })),
      ...rank,
    ];
    const width = Math.min(60, Math.max(0, ...fields.map(({ left }) => widthOf(left))));
    return [
      `${index + 1}. ${paint('bold', step.action)}${item}`,
      ...fields.map(({ left, source }) => {
        if (source === undefined || !source.startsWith('=')) return `     ${left}`;
        return `     ${padded(left, width)}  ${paint('dim', `← ${source}`)}`;
      }),
    ];
  });
}

interface FieldLine {
  readonly left: string;
  readonly source: string | undefined;
}

/** A map of which each member has a source of its own takes a line for each member. */
function fieldLines(
  name: string,
  value: JsonValue,
  sources: ReadonlyMap<string, string>,
  indent = '',
  path = name,
): readonly FieldLine[] {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  const hasParts = [...sources.keys()].some((field) => field.startsWith(`${path}.`));
  if (!isMap || !hasParts) {
    return [{ left: `${indent}${name}: ${written(value)}`, source: sources.get(path) }];
  }
  return [
    { left: `${indent}${name}:`, source: undefined },
    ...Object.entries(value).flatMap(([inner, member]) =>
      fieldLines(inner, member, sources, `${indent}  `, `${path}.${inner}`),
    ),
  ];
}

/** The requests, and what was put into the sandbox for them. */
export function requestLines(
  { assumed, requests }: Pick<Explanation, 'assumed' | 'requests'>,
  paint: Paint,
): readonly string[] {
  return [
    ...assumed.map((find) => paint('dim', `assumed to exist: one license with ${written(find)}`)),
    ...requests.flatMap((request) => oneRequest(request, paint)),
  ];
}

function oneRequest(
  { method, path, query, body, captured }: Explanation['requests'][number],
  paint: Paint,
): readonly string[] {
  const parameters = Object.entries(query).map(([name, text]) => `${name}=${String(text)}`);
  const search = parameters.length === 0 ? '' : `?${parameters.join('&')}`;
  const fate = captured === undefined ? '' : captured ? 'not sent  ' : 'sent      ';
  const told = fate === '' ? '' : paint(captured === true ? 'yellow' : 'dim', fate);
  const line = `${told}${method.padEnd(6)} ${path}${search}`;
  const isMap = typeof body === 'object' && body !== null && !Array.isArray(body);
  if (!isMap) return body === undefined ? [line] : [line, `         ${JSON.stringify(body)}`];
  const members = Object.entries(body).map(
    ([name, value]) => `${' '.repeat(fate.length)}         ${name}: ${written(value)}`,
  );
  return [line, ...members];
}
