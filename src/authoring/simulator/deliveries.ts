// A scenario as one customer lives it. Takes a scenario, a seed and a start; gives the deliveries with this
// run's ids and times, each a body that can be signed. The same seed and start give the same bytes.

import { addInterval } from '../../core/interval.ts';
import type { JsonObject, JsonValue } from '../../core/model.ts';
import { bodyOfEvents, eventTimeOf, PROVIDER_FACTS, type Provider } from '../../core/providers.ts';
import { setAt, valueAt } from '../../engine/cases/event-paths.ts';
import { movedTo } from './event-times.ts';
import { createFreshIds } from './fresh-ids.ts';
import type { Scenario, ScenarioStep } from './scenario.ts';

/** One event as it is told. */
export interface ToldEvent {
  readonly id: string;
  readonly type: string;
  readonly timeMs: number;
  readonly payload: JsonObject;
  /** No rule needs to name it. */
  readonly mayBeUnmatched: boolean;
}

/** What one POST holds. */
export interface Delivery {
  /** The sample that it was made from. */
  readonly name: string;
  readonly events: readonly ToldEvent[];
  readonly keepsOrder: boolean;
}

/** A value that the user wants in every event that has a place for it. */
export interface Setting {
  readonly path: string;
  readonly value: JsonValue;
}

export interface TellingOptions {
  readonly seed: number;
  /** When the first step happens. */
  readonly startMs: number;
  readonly settings: readonly Setting[];
  /** Leaves ids and addresses as they stand in the samples. */
  readonly keepIds: boolean;
}

/** The members that hold ids of the event and of its delivery. */
function idMembersOf(provider: Provider): readonly string[] {
  const { idMember, deliveryIdMember } = PROVIDER_FACTS[provider];
  return deliveryIdMember === undefined ? [idMember] : [idMember, deliveryIdMember];
}

/** The deliveries in their order. Settings that no event has a place for are in `unused`. */
export function tell(
  { name, provider, steps }: Scenario,
  options: TellingOptions,
): { readonly deliveries: readonly Delivery[]; readonly unused: readonly string[] } {
  const ids = createFreshIds(provider, options.seed, provider, name);
  const used = new Set<string>();
  let timeMs = options.startMs;
  const deliveries = steps.map((step, index): Delivery => {
    if (index > 0) timeMs = addInterval(timeMs, step.after) ?? timeMs;
    const events = inTime(provider, step, timeMs).map((event) => {
      const own = options.keepIds
        ? event
        : ids.renew(event, String(index), idsOfStep(provider, step, event));
      return toldEvent(provider, withSettings(own, options.settings, used), step);
    });
    return { name: step.from, events, keepsOrder: step.keepsOrder };
  });
  const unused = options.settings.map(({ path }) => path).filter((path) => !used.has(path));
  return { deliveries, unused };
}

/** Events of one POST keep their distance; the last of them happens at the step's time. */
function inTime(provider: Provider, step: ScenarioStep, timeMs: number): readonly JsonObject[] {
  const times = step.events.map((event) => eventTimeOf(provider, event) ?? 0);
  const lastMs = Math.max(...times);
  return step.events.map((event, index) =>
    movedTo(provider, event, timeMs + (times[index] ?? 0) - lastMs),
  );
}

/** An event's own id is new in each step, and so is what the step says. */
function idsOfStep(
  provider: Provider,
  { fresh }: ScenarioStep,
  event: JsonObject,
): ReadonlySet<string> {
  const values = [...idMembersOf(provider), ...fresh].map((path) => valueAt(event, path));
  return new Set(values.filter((value) => typeof value === 'string'));
}

function withSettings(
  event: JsonObject,
  settings: readonly Setting[],
  used: Set<string>,
): JsonObject {
  const result = structuredClone(event);
  for (const { path, value } of settings) {
    if (!hasPlace(result, path) || setAt(result, path, value) !== undefined) continue;
    used.add(path);
  }
  return result;
}

/** Whether what the path's last name would belong to is there. */
function hasPlace(event: JsonObject, path: string): boolean {
  const around = path.slice(0, Math.max(0, path.search(/(?:\.[^.[]*|\[\d+\])$/)));
  if (around === '') return true;
  const parent = valueAt(event, around);
  return typeof parent === 'object' && parent !== null;
}

function toldEvent(provider: Provider, payload: JsonObject, step: ScenarioStep): ToldEvent {
  const { idMember, typeMember } = PROVIDER_FACTS[provider];
  return {
    id: String(payload[idMember]),
    type: String(payload[typeMember]),
    timeMs: eventTimeOf(provider, payload) ?? 0,
    payload,
    mayBeUnmatched: step.mayBeUnmatched,
  };
}

/** The same fact under another event id, as a resend by hand makes it. */
export function underNewId(provider: Provider, event: ToldEvent, number: number): ToldEvent {
  const ids = createFreshIds(provider, 'again', number);
  const payload: Record<string, JsonValue> = { ...event.payload };
  for (const member of idMembersOf(provider)) {
    const value = payload[member];
    if (typeof value !== 'string') continue;
    payload[member] = ids.renew({ id: value }, '', new Set([value]))['id'] ?? value;
  }
  return { ...event, id: String(payload[PROVIDER_FACTS[provider].idMember]), payload };
}

/** The bytes of a POST as the provider writes them. */
export function bodyOf(provider: Provider, events: readonly ToldEvent[]): Uint8Array {
  const body = bodyOfEvents(
    provider,
    events.map(({ payload }) => payload),
  );
  const { json } = PROVIDER_FACTS[provider];
  const text = JSON.stringify(body, null, json === 'indented' ? 2 : 0);
  return new TextEncoder().encode(json === 'ascii' ? escaped(text) : text);
}

function escaped(text: string): string {
  return text.replaceAll(
    /[^\0-\x7f]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
