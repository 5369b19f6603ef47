// What Cryptlex says of the ids that the catalogs name, for the console. Takes the rules that run, gives a verdict
// for each id, by the doctor's own questions. Asks only when somebody presses the button, once in a while, and for
// so many ids at most, so that the account's rate limit is left to the server. Only reads.

import type { Config } from '../config/config.ts';
import { createSystemClock } from '../core/clock.ts';
import type { Clock } from '../core/model.ts';
import { createCryptlexClient } from '../cryptlex/client.ts';
import { createPace } from '../cryptlex/rate-limiter.ts';
import type { Transport } from '../http/transport.ts';
import type { CurrentRules } from '../pipeline/pipeline.ts';
import { askForIds, IDS_MAX } from './look-up-ids.ts';
import { needsOf, TEMPLATE_SCOPE } from './rule-needs.ts';

/** What Cryptlex says of ids. */
export interface CatalogFindings {
  readonly askedAtMs: number;
  /** By id; an id that was not asked about is not in it. */
  readonly verdicts: ReadonlyMap<string, IdVerdict>;
  /** Why some were not asked about, one sentence each. */
  readonly notes: readonly string[];
}

export type IdVerdict =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown' }
  /** The template wants metadata that no rule writes by name. */
  | { readonly kind: 'lacks-metadata'; readonly keys: readonly string[] };

export interface CatalogSources {
  readonly config: Pick<Config, 'baseUrl' | 'rateLimit' | 'accessToken'>;
  readonly clock: Clock;
  readonly transport: Transport;
  currentRules(): CurrentRules;
}

/** What was asked is good for so long. */
const FRESH_MS = 5 * 60 * 1000;

export function createCatalogCheck(
  sources: CatalogSources,
): (isAsked: boolean) => Promise<CatalogFindings | undefined> {
  let last: Promise<CatalogFindings> | undefined;
  let lastMs = 0;
  let lastRules: unknown;
  return async (isAsked) => {
    const { ruleSets } = sources.currentRules();
    const nowMs = sources.clock.nowMs();
    const isFresh = lastRules === ruleSets && nowMs - lastMs < FRESH_MS;
    if (isAsked && (!isFresh || last === undefined)) {
      lastMs = nowMs;
      lastRules = ruleSets;
      last = ask(sources);
      // Asked again at the next press, not five minutes later.
      last.catch(() => {
        last = undefined;
      });
    }
    return lastRules === ruleSets ? last : undefined;
  };
}

async function ask({
  config,
  clock,
  transport,
  currentRules,
}: CatalogSources): Promise<CatalogFindings> {
  const { ruleSets, env } = currentRules();
  const { productIds, templateIds, metadataKeys, hasUnknownKeys } = needsOf(
    [...ruleSets.values()],
    Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >,
  );
  // The system's time: a test's clock stands still, and the pace would wait for ever.
  const system = createSystemClock();
  const client = createCryptlexClient({
    baseUrl: config.baseUrl,
    token: config.accessToken,
    transport,
    pace: createPace({ ...config.rateLimit, concurrency: 2, clock: system }),
    clock: system,
    retryPausesMs: [],
  });
  const verdicts = new Map<string, IdVerdict>();
  const notes: string[] = [];
  const note = (
    what: string,
    scope: string,
    size: number,
    stopped: { kind: string; message: string } | undefined,
  ) => {
    if (stopped?.kind === 'forbidden')
      notes.push(`The token may not read ${what} (${scope}), so they were not looked up.`);
    else if (stopped !== undefined)
      notes.push(`Cryptlex could not be asked for ${what}: ${stopped.message}`);
    else if (size > IDS_MAX) notes.push(`The first ${IDS_MAX} of ${size} ${what} were looked up.`);
  };
  const products = await askForIds(productIds, IDS_MAX, (id) => client.getProduct(id));
  for (const id of products.found.keys()) verdicts.set(id, { kind: 'known' });
  note('products', 'product:read', productIds.size, products.stopped);
  const templates = await askForIds(templateIds, IDS_MAX, (id) => client.getLicenseTemplate(id));
  for (const [id, { requiredMetadataKeys }] of templates.found) {
    const keys = (requiredMetadataKeys ?? []).filter((key) => !metadataKeys.has(key));
    const isLacking = keys.length > 0 && !hasUnknownKeys;
    verdicts.set(id, isLacking ? { kind: 'lacks-metadata', keys } : { kind: 'known' });
  }
  note('license templates', TEMPLATE_SCOPE, templateIds.size, templates.stopped);
  for (const id of [...products.unknown, ...templates.unknown])
    verdicts.set(id, { kind: 'unknown' });
  return { askedAtMs: clock.nowMs(), verdicts, notes };
}
