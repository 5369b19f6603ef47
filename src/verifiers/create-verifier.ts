// The door for webhooks. Takes a provider and its secrets, gives a verifier that turns a raw request
// into a verified delivery. Never answers "no": what is not let in is thrown, as a code of the registry.

import { AppError } from '../core/error-codes.ts';
import { PROVIDER_FACTS, type Provider } from '../core/providers.ts';
import type { Secret } from '../core/secret.ts';
import { lateLibrary } from './lazy-import.ts';
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

/** A provider's verifier is the file of its name; a server loads those of the sources that are on. */
function verifierOf(provider: Provider, settings: VerifierSettings): Verifier {
  const verifier = lateLibrary(async () => {
    const file = (await import(`./providers/${provider}.ts`)) as ProviderVerifier;
    return file.createVerifier(settings);
  });
  verifier.soon();
  return { verify: async (request, source) => (await verifier.get()).verify(request, source) };
}

interface ProviderVerifier {
  createVerifier(settings: VerifierSettings): Verifier;
}

function refuseBlank(provider: Provider, secrets: readonly Secret[]): void {
  if (secrets.length === 0) {
    throw new AppError('ENV_BLANK', `${PROVIDER_FACTS[provider].title} has no webhook secret`);
  }
  if (secrets.some((secret) => secret.reveal().trim() === '')) {
    throw new AppError(
      'ENV_BLANK',
      `a webhook secret of ${PROVIDER_FACTS[provider].title} is blank`,
    );
  }
}
