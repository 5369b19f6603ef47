// What two versions of the rules make of one event, compared. Takes two Explanations, gives the differences
// in short sentences; none when both would do the same.

import { written } from '../../core/format.ts';
import type { JsonObject, JsonValue, PlannedStep } from '../../core/model.ts';
import type { Explanation } from './explain.ts';

/** Each difference on a line of its own: `license.renew would no longer be done`. */
export function differences(then: Explanation, now: Explanation): readonly string[] {
  return [...verdicts(then, now), ...steps(then.plan, now.plan), ...problems(then, now)];
}

function verdicts(then: Explanation, now: Explanation): readonly string[] {
  const lines: string[] = [];
  if (then.outcome !== now.outcome) lines.push(`It would be ${now.outcome}, not ${then.outcome}.`);
  const [old, current] = [then.rule?.id, now.rule?.id];
  if (old !== current) {
    const name = (id: string | undefined) => (id === undefined ? 'no rule' : `the rule ${id}`);
    lines.push(`${capital(name(current))} would fit, not ${name(old)}.`);
  }
  if (then.reason !== now.reason && now.reason !== null)
    lines.push(`The reason would be: ${now.reason}`);
  return lines;
}

function problems(then: Explanation, now: Explanation): readonly string[] {
  const texts = ({ errors }: Explanation) => errors.map(({ message }) => message);
  const [old, current] = [texts(then), texts(now)];
  return [
    ...current.filter((text) => !old.includes(text)).map((text) => `A new problem: ${text}`),
    ...old.filter((text) => !current.includes(text)).map((text) => `No longer a problem: ${text}`),
  ];
}

/** Steps are compared with those of the same action and item, in their order. */
function steps(then: readonly PlannedStep[], now: readonly PlannedStep[]): readonly string[] {
  const left = numbered(then);
  const lines = [...numbered(now)].flatMap(([key, step]) => {
    const old = left.get(key);
    left.delete(key);
    if (old === undefined) return [`${nameOf(step)} would be done, and was not.`];
    const changed = fields(old, step);
    return changed.map((text) => `${nameOf(step)}: ${text}`);
  });
  return [
    ...lines,
    ...[...left.values()].map((step) => `${nameOf(step)} would no longer be done.`),
  ];
}

function numbered(plan: readonly PlannedStep[]): Map<string, PlannedStep> {
  const counts = new Map<string, number>();
  return new Map(
    plan.map((step) => {
      const kind = JSON.stringify([step.action, step.item ?? null]);
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      return [`${kind} ${count}`, step];
    }),
  );
}

function nameOf({ action, item }: PlannedStep): string {
  return item === undefined ? action : `${action} [${item}]`;
}

function fields(then: PlannedStep, now: PlannedStep): readonly string[] {
  const [old, current] = [flat(then), flat(now)];
  const names = [...new Set([...old.keys(), ...current.keys()])];
  return names.flatMap((name) => {
    const [from, to] = [old.get(name), current.get(name)];
    if (JSON.stringify(from) === JSON.stringify(to)) return [];
    return [`${name} would be ${shown(to)}, not ${shown(from)}.`];
  });
}

function flat({ input, once, payments }: PlannedStep): ReadonlyMap<string, JsonValue> {
  const found = new Map<string, JsonValue>();
  const add = (members: JsonObject, path: string): void => {
    for (const [name, value] of Object.entries(members)) {
      const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
      if (isMap && !('$ref' in value) && !('$firstOf' in value)) add(value, `${path}${name}.`);
      else found.set(`${path}${name}`, value);
    }
  };
  add(input, '');
  if (once !== undefined) found.set('once', once);
  if (payments !== undefined) found.set('payment', [...payments]);
  return found;
}

function shown(value: JsonValue | undefined): string {
  return value === undefined ? 'left out' : written(value);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
