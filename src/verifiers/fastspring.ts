// FastSpring verifier. Takes the raw request, returns a VerifiedDelivery of 1..n events or throws.
// Never parses the body before the digest matches. FastSpring signs no time, so there is no age to
// check: a delivery sent again is told by its event ids, in the journal.

import { AppError } from '../core/error-codes.ts';
import type { JsonObject, JsonValue, WebhookEvent } from '../core/model.ts';
import type { EventOrigin } from './event-body.ts';
import {
  isJsonObject,
  liveMark,
  parseEventBody,
  requiredName,
  timeOrArrival,
} from './event-body.ts';
import { hmacSha256, sameDigest } from './hmac.ts';
import { requiredHeader } from './signature-header.ts';
import { signatureMismatch } from './signature-mismatch.ts';
import { verifiedDelivery } from './verified-delivery.ts';
import type { Verifier, VerifierSettings } from './verifier.ts';

/**
 * The header is the base64 HMAC-SHA256 of the raw body. One signature is sent, so while the secret
 * is rotated both the old and the new one are tried. Errors: see Verifier.
 * @see https://developer.fastspring.com/reference/message-security, read 2026-11
 */
export function createFastSpringVerifier({ secrets }: VerifierSettings): Verifier {
  return {
    async verify(request, source) {
      const signature = requiredHeader(request.signature, 'fastspring');
      const { rawBody, receivedAtMs } = request;
      const matches = secrets.some((secret) =>
        sameDigest(hmacSha256(secret, [rawBody], 'base64'), signature),
      );
      if (!matches) {
        throw signatureMismatch(secrets);
      }
      const events = readFastSpringEvents(parseEventBody(rawBody), { source, receivedAtMs });
      return verifiedDelivery({ source, provider: 'fastspring', receivedAtMs, events });
    },
  };
}

/**
 * The events of a batch, by their `created` (milliseconds), then by their place: FastSpring does not
 * sort them. An id that comes twice counts once, at its first place.
 *
 * One broken entry refuses the whole batch. An entry without an id can be neither stored nor named in
 * the answer, so "all but this one" cannot be said to FastSpring, and a 200 would lose it. Only id and
 * type are asked for: what `data` must hold is for the rules to say, for their own types.
 * @throws BODY_MALFORMED
 */
export function readFastSpringEvents(
  body: JsonObject,
  origin: EventOrigin,
): readonly WebhookEvent[] {
  const entries = body['events'];
  if (!Array.isArray(entries) || entries.length === 0) {
    throw new AppError('BODY_MALFORMED', 'the body has no list "events" with at least one entry');
  }
  const byId = new Map<string, WebhookEvent>();
  for (const [index, entry] of entries.entries()) {
    const event = toEvent(entry, `entry ${index + 1} of "events"`, origin);
    if (!byId.has(event.id)) {
      byId.set(event.id, event);
    }
  }
  // The sort is stable, so equal times keep their places.
  return [...byId.values()].sort((one, other) => one.timeMs - other.timeMs);
}

function toEvent(entry: JsonValue, where: string, origin: EventOrigin): WebhookEvent {
  if (!isJsonObject(entry)) {
    throw new AppError('BODY_MALFORMED', `${where} is not an event`);
  }
  const created = entry['created'];
  const createdMs = typeof created === 'number' ? created : Number.NaN;
  return {
    source: origin.source,
    provider: 'fastspring',
    id: requiredName(entry, 'id', where),
    type: requiredName(entry, 'type', where),
    timeMs: timeOrArrival(createdMs, origin.receivedAtMs),
    live: liveMark(entry['live']),
    payload: entry,
  };
}
