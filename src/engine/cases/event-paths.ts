// Places in an event, by dotted paths. Takes an event and a path as a rule test or a scenario writes it
// (`data.items.0.quantity`), changes what stands there or says why it cannot. Never guesses an item of a list.

import type { JsonObject, JsonValue } from '../../core/model.ts';
import { didYouMean } from '../diagnostics/closest.ts';
import { kindOf } from '../expression/values.ts';

/** Names and indexes; undefined when the text is no path. `a[0].b` is the same as `a.0.b`. */
export function parseEventPath(text: string): readonly string[] | undefined {
  const steps: string[] = [];
  let rest = text;
  while (rest !== '') {
    const [piece, quoted, index, name] =
      /^\["([^"]+)"\]\.?|^\[(\d+)\]\.?|^([^.[\]\s"]+)(?:\.(?!$)|(?=\[)|$)/.exec(rest) ?? [];
    const step = quoted ?? index ?? name;
    if (piece === undefined || step === undefined) return undefined;
    steps.push(step);
    rest = rest.slice(piece.length);
  }
  return steps.length === 0 || /\.$/.test(text) ? undefined : steps;
}

/** What stands at a path; undefined where there is nothing, or no such path. */
export function valueAt(root: JsonObject, path: string): JsonValue | undefined {
  const steps = parseEventPath(path);
  let found: JsonValue | undefined = steps === undefined ? undefined : root;
  for (const step of steps ?? []) {
    const isPlace = !Array.isArray(found) || /^\d+$/.test(step);
    if (typeof found !== 'object' || found === null || !isPlace) return undefined;
    found = Object.hasOwn(found, step) ? (found as Record<string, JsonValue>)[step] : undefined;
  }
  return found;
}

/** Sets a value in place; maps that are missing are made. Gives what is wrong with the path, or undefined. */
export function setAt(root: JsonObject, path: string, value: JsonValue): string | undefined {
  const steps = parseEventPath(path);
  if (steps === undefined) return `"${path}" is no path`;
  let node: JsonValue = root;
  for (const [depth, step] of steps.entries()) {
    const isLast = depth === steps.length - 1;
    const here = steps.slice(0, depth).join('.');
    const problem: string | undefined = cannotEnter(node, step, here);
    if (problem !== undefined) return problem;
    const holder = node as Record<string, JsonValue>;
    if (isLast) {
      put(holder, step, value);
      return undefined;
    }
    const next: JsonValue | undefined = Object.hasOwn(holder, step) ? holder[step] : undefined;
    node = next ?? {};
    if (next === undefined || next === null) put(holder, step, node);
  }
  return undefined;
}

/** Takes a value out, in place. Gives what is wrong with the path, or undefined. */
export function unsetAt(root: JsonObject, path: string): string | undefined {
  const steps = parseEventPath(path);
  if (steps === undefined) return `"${path}" is no path`;
  let node: JsonValue = root;
  for (const [depth, step] of steps.entries()) {
    const here = steps.slice(0, depth).join('.');
    const problem: string | undefined = cannotEnter(node, step, here);
    if (problem !== undefined) return problem;
    const holder = node as Record<string, JsonValue>;
    if (!Object.hasOwn(holder, step)) {
      return `there is no "${steps.slice(0, depth + 1).join('.')}"${didYouMean(step, Object.keys(holder))}`;
    }
    if (depth < steps.length - 1) node = holder[step] as JsonValue;
    else if (Array.isArray(node)) node.splice(Number(step), 1);
    else delete holder[step];
  }
  return undefined;
}

/** Defined by itself, so that a member called `__proto__` is one like any other. */
function put(holder: Record<string, JsonValue>, name: string, value: JsonValue): void {
  Object.defineProperty(holder, name, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

function cannotEnter(node: JsonValue, step: string, here: string): string | undefined {
  const where = here === '' ? 'the event' : `"${here}"`;
  if (Array.isArray(node)) {
    if (!/^\d+$/.test(step)) return `${where} is a list; say which item, as in ${here}.0.${step}`;
    if (Number(step) < node.length) return undefined;
    const count = node.length === 1 ? '1 item' : `${node.length} items`;
    return `${where} has ${count}, so there is none at ${step} (0 is the first)`;
  }
  if (typeof node === 'object' && node !== null) return undefined;
  return `${where} is ${kindOf(node)}, so it has no "${step}"`;
}
