// The stamp. Takes events that a verifier has let in, gives the delivery that the rest of Keywright
// works on. This is the only cast to VerifiedDelivery, and only the files beside it may call it.

import type { VerifiedDelivery, WebhookEvent } from '../core/model.ts';
import type { Provider } from '../core/providers.ts';

interface DeliveryContent {
  readonly source: string;
  readonly provider: Provider;
  readonly receivedAtMs: number;
  readonly events: readonly WebhookEvent[];
}

/** Call it only after the signature and its age were checked. */
export function verifiedDelivery(content: DeliveryContent): VerifiedDelivery {
  // The brand exists for the compiler alone, so no value can be made that has it without a cast.
  return content as VerifiedDelivery;
}
