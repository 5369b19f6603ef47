// Whose event a body is, for files that a user shows without saying so. Takes a webhook body, one event of a
// FastSpring batch, or what `keywright events show --json` prints; gives the body and its provider, told by
// the members that only its envelope has. Never for deliveries: there the signature says it.

import type { JsonObject, Provider } from '../core/model.ts';
import { PROVIDERS } from '../core/model.ts';
import { isJsonObject } from './event-body.ts';

export interface RecognizedEvent {
  /** Undefined where no provider sends such a body. */
  readonly provider: Provider | undefined;
  /** Where it was recorded; undefined for a body by itself. */
  readonly source: string | undefined;
  readonly body: JsonObject;
}

export function recognizeEvent(value: JsonObject): RecognizedEvent {
  const { payload, source, provider } = value;
  if (!isJsonObject(payload)) {
    return { provider: providerOf(value), source: undefined, body: value };
  }
  return {
    provider: PROVIDERS.find((name) => name === provider) ?? providerOf(payload),
    source: typeof source === 'string' ? source : undefined,
    body: payload,
  };
}

function providerOf(body: JsonObject): Provider | undefined {
  const { data, object, type } = body;
  if (typeof body['event_type'] === 'string') return 'paddle';
  if (Array.isArray(body['events'])) return 'fastspring';
  if (object === 'event' || object === 'v2.core.event') return 'stripe';
  // One event of a FastSpring batch has no mark of its own but this member, and not everybody keeps it.
  if (typeof body['processed'] === 'boolean') return 'fastspring';
  if (!isJsonObject(data)) return undefined;
  if (isJsonObject(data['object'])) return 'stripe';
  return typeof type === 'string' ? 'fastspring' : undefined;
}
