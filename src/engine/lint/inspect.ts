// What `check` looks at beside what loading finds: shapes of events, event types, rules that shadow others,
// conditions that can never be true, ids that are none. Takes what is known of the providers' events, gives
// an inspection for `loadRuleFile`. Nothing of this is loaded by a server.

import type { ActionCatalog, JsonObject } from '../../core/model.ts';
import type { Provider } from '../../core/providers.ts';
import type { Inspection } from '../load/load.ts';
import { lintLogic } from './contradictions.ts';
import { lintEventTypes } from './event-types.ts';
import { checkShapes } from './shapes/check-shapes.ts';
import { type KnownShapes, readShapes, teach } from './shapes/known.ts';

/** What the shipped samples taught; read only when somebody asks. */
export async function loadKnownShapes(): Promise<KnownShapes> {
  const { default: written } = await import('./shapes/shapes.generated.json', {
    with: { type: 'json' },
  });
  return readShapes(written);
}

/** Adds what further events of a provider teach: a body of a webhook each. */
export function teachShapes(
  known: KnownShapes,
  provider: Provider,
  bodies: readonly JsonObject[],
): KnownShapes {
  return teach(known, provider, bodies);
}

/** Everything that `check` looks at. */
export function createInspection(known: KnownShapes, actions: ActionCatalog): Inspection {
  return (ruleSet, yaml, findings) => {
    lintEventTypes(ruleSet, yaml, known[ruleSet.provider].types, findings);
    lintLogic(ruleSet, findings);
    checkShapes(ruleSet, known, actions, findings);
  };
}
