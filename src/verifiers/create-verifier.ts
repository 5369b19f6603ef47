// The door for webhooks. Takes a provider and its secrets, gives a verifier that turns a raw request
// into a verified delivery. Never answers "no": what is not let in is thrown, as a code of the registry.

import { AppError } from '../core/error-codes.ts';
import type { JsonObject, Provider, WebhookEvent } from '../core/model.ts';
import { PROVIDER_NAMES } from '../core/model.ts';
import type { Secret } from '../core/secret.ts';
import type { EventOrigin } from './event-body.ts';
import { parseEventBody } from './event-body.ts';
import { createFastSpringVerifier, readFastSpringEvents } from './fastspring.ts';
import { createPaddleVerifier, readPaddleEvents } from './paddle.ts';
import { createStripeVerifier, readStripeEvents } from './stripe.ts';
import { verifiedDelivery } from './verified-delivery.ts';
import type { Verifier, VerifierSettings } from './verifier.ts';

/** @throws ENV_BLANK when there is no secret, or a blank one: such a secret would let anybody in. */
export function createVerifier(provider: Provider, settings: VerifierSettings): Verifier {
  refuseBlank(provider, settings.secrets);
  const verifier = verifierOf(provider, settings);
  if (settings.ownEvents !== true) return verifier;
  return {
    verify: async (request, source) => {
      const delivery = await verifier.verify(request, source);
      const events = delivery.events.map((event) => ({ ...event, isOwn: true as const }));
      return verifiedDelivery({ ...delivery, events });
    },
  };
}

function verifierOf(provider: Provider, settings: VerifierSettings): Verifier {
  switch (provider) {
    case 'stripe':
      return createStripeVerifier(settings);
    case 'fastspring':
      return createFastSpringVerifier(settings);
    case 'paddle':
      return createPaddleVerifier(settings);
    default:
      return provider satisfies never;
  }
}

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
 * The events of a body that is parsed already.
 * @throws BODY_MALFORMED | THIN_EVENT
 */
export function eventsOf(
  provider: Provider,
  body: JsonObject,
  origin: EventOrigin,
): readonly WebhookEvent[] {
  switch (provider) {
    case 'stripe':
      return readStripeEvents(body, origin);
    case 'fastspring':
      return readFastSpringEvents(body, origin);
    case 'paddle':
      return readPaddleEvents(body, origin);
    default:
      return provider satisfies never;
  }
}

function refuseBlank(provider: Provider, secrets: readonly Secret[]): void {
  if (secrets.length === 0) {
    throw new AppError('ENV_BLANK', `${PROVIDER_NAMES[provider]} has no webhook secret`);
  }
  if (secrets.some((secret) => secret.reveal().trim() === '')) {
    throw new AppError('ENV_BLANK', `a webhook secret of ${PROVIDER_NAMES[provider]} is blank`);
  }
}
