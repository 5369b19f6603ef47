// From what was recorded to events. Takes an event of the journal, or a line or file that holds a webhook body;
// gives its events, or why it cannot be used.

import { AppError } from '../../core/error-codes.ts';
import type { JsonObject, WebhookEvent } from '../../core/model.ts';
import { bodyOfEvents, PROVIDER_FACTS, PROVIDER_LIST } from '../../core/providers.ts';
import type { RecordedEvent } from '../../journal/archive.ts';
import { eventObject } from '../../verifiers/event-body.ts';
import { eventsOf } from '../../verifiers/read-events.ts';
import { recognizeEvent } from '../../verifiers/recognize-event.ts';
import type { Unusable } from './tally.ts';

/** One thing that was recorded, still as text: threads send texts to one another at little cost. */
export type TrafficItem =
  | { readonly kind: 'recorded'; readonly event: RecordedEvent }
  | { readonly kind: 'text'; readonly text: string; readonly where: string }
  | { readonly kind: 'unusable'; readonly unusable: Unusable };

export type ReadItem =
  | { readonly kind: 'events'; readonly events: readonly WebhookEvent[] }
  | { readonly kind: 'unusable'; readonly unusable: Unusable };

export function readItem(item: TrafficItem): ReadItem {
  switch (item.kind) {
    case 'unusable':
      return item;
    case 'recorded':
      return readRecorded(item.event);
    case 'text':
      return readText(item.text, item.where);
    default:
      return item satisfies never;
  }
}

function readRecorded(event: RecordedEvent): ReadItem {
  const { payload, ...rest } = event;
  if (payload === undefined) return unusable('erased', event.id, 'its payload was erased');
  return { kind: 'events', events: [{ ...rest, payload: JSON.parse(payload) as JsonObject }] };
}

function readText(text: string, where: string): ReadItem {
  try {
    const value = eventObject(parsed(text));
    const { body, source, provider } = recognizeEvent(value);
    if (provider === undefined) {
      return unusable('unreadable', where, `it is no event of ${PROVIDER_LIST}`);
    }
    const { batchMember } = PROVIDER_FACTS[provider];
    const isBatch = batchMember === undefined || batchMember in body;
    const whole = isBatch ? body : bodyOfEvents(provider, [body]);
    const origin = { source: source ?? provider, receivedAtMs: 0 };
    return { kind: 'events', events: eventsOf(provider, whole, origin) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return unusable('unreadable', where, error.message);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the event.
    throw new AppError('BODY_MALFORMED', 'it is not JSON');
  }
}

function unusable(reason: Unusable['reason'], where: string, detail: string): ReadItem {
  return { kind: 'unusable', unusable: { reason, where, detail } };
}
