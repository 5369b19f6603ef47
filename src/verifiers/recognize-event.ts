// Whose event a body is, for files that a user shows without saying so. Takes a webhook body, one event of a
// batch, or what `keywright events show --json` prints; gives the body and its provider, told by
// the members that only its envelope has. Never for deliveries: there the signature says it.

import { isJsonObject } from '../core/json.ts';
import type { JsonObject } from '../core/model.ts';
import { isProvider, type Provider, providerOfBody } from '../core/providers.ts';

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
    return { provider: providerOfBody(value), source: undefined, body: value };
  }
  return {
    provider: isProvider(provider) ? provider : providerOfBody(payload),
    source: typeof source === 'string' ? source : undefined,
    body: payload,
  };
}
