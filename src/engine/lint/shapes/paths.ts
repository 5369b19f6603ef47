// What is wrong with a name that a path looks up. Takes the value that should hold it; gives the message, with
// what was probably meant. Never walks a formula.

import { PROVIDER_FACTS, type Provider } from '../../../core/providers.ts';
import { closest, didYouMean } from '../../diagnostics/closest.ts';
import { MOVED_PATHS, MOVED_SINCE } from './facts.ts';
import type { Suspicion } from './notebook.ts';
import type { Shape } from './shape.ts';
import { describe, memberOf, type Value } from './value.ts';
import type { Place } from './walk.ts';

const NAMES_SHOWN = 12;

/** The event that is looked at. */
export interface EventKind {
  readonly provider: Provider;
  readonly type: string;
  readonly family: string | undefined;
  readonly root: Shape;
}

/** What is wrong with looking up `name` in `holder`; undefined where nothing is. */
export function judgeName(
  holder: Value,
  name: string,
  { inFilter, written }: Place,
  event: EventKind,
): Suspicion | undefined {
  const member = memberOf(holder, name);
  const { length } = written;
  if (member.kind === 'found') return undefined;
  if (holder.path === undefined) return madeProblem(holder, name, length);
  const where = holder.path.join('.');
  if (member.kind === 'no-map') {
    const message = `${where} is ${describe({ ...holder, many: false })} in ${article(event.type)} event, so it has no "${name}"`;
    const isText = holder.shape.plain.has('t');
    const hint = isText
      ? 'Where the event holds only the id of something, it holds nothing else of it.'
      : undefined;
    return { code: 'SHAPE_PATH_UNKNOWN', message, hint, length };
  }
  const meant = suggestion(holder, name);
  const known = meant === undefined ? '' : `; did you mean "${meant}"?`;
  const place = where === '' ? '' : ` in ${where}`;
  const isRoot = inFilter && event.root.members?.has(name) === true;
  const hint = isRoot
    ? `Inside [ ] names mean the item. For the event write $$.${name}.`
    : hintFor(holder, meant);
  const message = `no ${event.type} event has "${name}"${place}${known}`;
  return { code: 'SHAPE_PATH_UNKNOWN', message, hint, length };
}

/** A member of something that the rule itself made: a catalog entry, a map of `let`. */
function madeProblem(holder: Value, name: string, length: number): Suspicion {
  const names = [...(holder.shape.members?.keys() ?? [])];
  const isMap = names.length > 0;
  const message = isMap
    ? `there is no "${name}" in this map${didYouMean(name, names)}`
    : `this is ${describe({ ...holder, many: false })}, so it has no "${name}"`;
  const hint = isMap ? `It has ${names.join(', ')}.` : 'Only a map has members.';
  return { code: 'SHAPE_PATH_UNKNOWN', message, hint, length };
}

function article(word: string): string {
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
}

/** Without a suggestion, what there is; undefined for the hint of the registry. */
function hintFor(holder: Value, meant: string | undefined): string | undefined {
  if (meant !== undefined) return undefined;
  const names = [...(holder.shape.members?.keys() ?? [])];
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  const more = names.length > NAMES_SHOWN ? ', …' : '';
  return `It has ${shown}${more}. If your own events have it, show some to \`check --samples DIR\`.`;
}

/** The name that was probably meant: a near one, one that holds it, or a path further down. */
function suggestion(holder: Value, name: string): string | undefined {
  const names = [...(holder.shape.members?.keys() ?? [])];
  const near = closest(name, names);
  if (near !== undefined) return near;
  if (name.length < 3) return undefined;
  for (const [below, shape] of holder.shape.members ?? []) {
    const inner = shape.members ?? shape.item?.members;
    if (inner?.has(name) === true) return `${below}.${name}`;
  }
  const words = name.split('_');
  return names.find((known) => known.split('_').includes(name) || words.includes(known));
}

/** A place that newer versions of the provider's API leave empty, where nothing may stand in for it. */
export function judgeMove(
  holder: Value,
  name: string,
  { lenient, written }: Place,
  event: EventKind,
): Suspicion | undefined {
  const { length } = written;
  const prefix = PROVIDER_FACTS[event.provider].objectPath;
  if (lenient || holder.path === undefined) return undefined;
  const path = [...holder.path, name].slice(prefix.length).join('.');
  const moved = MOVED_PATHS.find((entry) => entry.family === event.family && entry.path === path);
  if (moved === undefined) return undefined;
  const full = [...prefix, path].join('.');
  const now = moved.now === undefined ? '' : `; there it is ${[...prefix, moved.now].join('.')}`;
  const message = `${full} is empty in ${MOVED_SINCE}${now}`;
  return { code: 'SHAPE_PATH_MOVED', message, hint: moved.hint, length };
}
