// The members of each provider's event object: where paths may begin. Data only.
// Sources: Stripe API reference "Event" (2026-11), FastSpring "Webhooks" reference (2026-11),
// Paddle API reference "Events" (2026-11).

import type { Provider } from '../../core/model.ts';

export const ENVELOPES: Readonly<Record<Provider, readonly string[]>> = {
  stripe: [
    ...['id', 'object', 'account', 'api_version', 'context', 'created', 'data', 'livemode'],
    ...['pending_webhooks', 'request', 'type'],
  ],
  fastspring: ['id', 'processed', 'created', 'type', 'live', 'data'],
  paddle: ['event_id', 'event_type', 'occurred_at', 'notification_id', 'data'],
};

/** What formulas may read as `$event.…`. */
export const EVENT_MEMBERS = ['provider', 'id', 'type', 'time', 'live'] as const;
