// From a parsed body to events, by the facts of its provider. Takes the provider and the body, gives the events in
// the order in which they are handled. What an event's object must hold is for the rules to say.

import { AppError } from '../core/error-codes.ts';
import { isJsonObject } from '../core/json.ts';
import type { JsonObject, JsonValue, WebhookEvent } from '../core/model.ts';
import { eventTimeOf, PROVIDER_FACTS, type Provider } from '../core/providers.ts';
import type { EventOrigin } from './event-body.ts';
import { liveMark, parseEventBody, requiredName, timeOrArrival } from './event-body.ts';

/**
 * The events in a webhook body, without asking who sent it: for `dry-run` and rule tests, where a
 * file is read. What comes out is no delivery, so it cannot reach the journal or Cryptlex.
 * @throws BODY_MALFORMED | THIN_EVENT
 */
export function readEvents(
  provider: Provider,
  rawBody: Uint8Array,
  origin: EventOrigin,
): readonly WebhookEvent[] {
  return eventsOf(provider, parseEventBody(rawBody), origin);
}

/**
 * The events of a body that is parsed already. A batch is sorted by the events' own time, then by their place;
 * an id that comes twice counts once, at its first place. One broken entry refuses the whole batch: an entry
 * without an id can be neither stored nor named in the answer, so a 200 would lose it.
 * @throws BODY_MALFORMED | THIN_EVENT
 */
export function eventsOf(
  provider: Provider,
  body: JsonObject,
  origin: EventOrigin,
): readonly WebhookEvent[] {
  const { batchMember, refuses } = PROVIDER_FACTS[provider];
  const refusal = refuses?.(body);
  if (refusal !== undefined) throw new AppError('THIN_EVENT', refusal);
  if (batchMember === undefined) return [toEvent(provider, body, 'the event', origin)];
  const entries = body[batchMember];
  if (!Array.isArray(entries) || entries.length === 0) {
    const message = `the body has no list "${batchMember}" with at least one entry`;
    throw new AppError('BODY_MALFORMED', message);
  }
  const byId = new Map<string, WebhookEvent>();
  for (const [index, entry] of entries.entries()) {
    const event = toEvent(provider, entry, `entry ${index + 1} of "${batchMember}"`, origin);
    if (!byId.has(event.id)) byId.set(event.id, event);
  }
  // The sort is stable, so equal times keep their places.
  return [...byId.values()].sort((one, other) => one.timeMs - other.timeMs);
}

function toEvent(
  provider: Provider,
  entry: JsonValue,
  where: string,
  { source, receivedAtMs }: EventOrigin,
): WebhookEvent {
  const { idMember, typeMember, liveMember, batchMember, objectPath } = PROVIDER_FACTS[provider];
  if (!isJsonObject(entry)) throw new AppError('BODY_MALFORMED', `${where} is not an event`);
  const id = requiredName(entry, idMember, where);
  const type = requiredName(entry, typeMember, where);
  // Of a batch only ids and types are asked for: one entry without an object must not cost the others.
  if (batchMember === undefined && !hasObject(entry, objectPath)) {
    const message = `the event has no object under ${objectPath.join('.')}`;
    throw new AppError('BODY_MALFORMED', message);
  }
  return {
    source,
    provider,
    id,
    type,
    timeMs: timeOrArrival(eventTimeOf(provider, entry) ?? Number.NaN, receivedAtMs),
    live: liveMember === undefined ? null : liveMark(entry[liveMember]),
    payload: entry,
  };
}

function hasObject(event: JsonObject, path: readonly string[]): boolean {
  let value: JsonValue | undefined = event;
  for (const name of path) value = isJsonObject(value) ? value[name] : undefined;
  return isJsonObject(value);
}
