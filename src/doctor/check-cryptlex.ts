// The doctor's questions to Cryptlex: reachable, clock, token, scopes, ids, required metadata. Takes the
// configuration and what the rules need, gives findings. Changes nothing: it reads, and asks for writes
// only to an id that nobody has, to see whether they are refused for want of a scope.

import type { Config } from '../config/config.ts';
import { createSystemClock } from '../core/clock.ts';
import { type CryptlexClient, createCryptlexClient } from '../cryptlex/client.ts';
import { NOBODY, probe, type Reach, reachOf } from '../cryptlex/probe.ts';
import { createPace } from '../cryptlex/rate-limiter.ts';
import type { LicenseTemplate } from '../cryptlex/types.ts';
import { createTransport } from '../http/transport.ts';
import { type Finding, ok, problem, skipped, warning } from './finding.ts';
import { askForIds, IDS_MAX } from './look-up-ids.ts';
import { type RuleNeeds, TEMPLATE_SCOPE } from './rule-needs.ts';

/** Paddle's signatures are valid for 5 s; beyond that its webhooks fail. */
const SKEW_MS_WARNING = 2_000;
const SKEW_MS_PROBLEM = 5_000;

export async function askCryptlex(config: Config, needs: RuleNeeds): Promise<readonly Finding[]> {
  const clock = createSystemClock();
  let skewMs: number | undefined;
  const transport = createTransport(config.proxies);
  const client = createCryptlexClient({
    baseUrl: config.baseUrl,
    token: config.accessToken,
    pace: createPace({ ...config.rateLimit, concurrency: 4, clock }),
    clock,
    retryPausesMs: [],
    transport: async (request) => {
      const sentMs = clock.nowMs();
      const response = await transport(request);
      const date = Date.parse(response.headers.get('date') ?? '');
      // The header has whole seconds; the middle of both is the best guess.
      if (!Number.isNaN(date)) skewMs = (sentMs + clock.nowMs()) / 2 - (date + 500);
      return response;
    },
  });
  const reach = await probe(client);
  const first = [reachability(config, reach), clockFinding(skewMs)];
  if (reach.kind === 'failed' || (reach.kind === 'refused' && reach.status === 401)) {
    const rest = ['token-scopes', 'products', 'templates', 'required-metadata'];
    return [
      ...first,
      tokenFinding(reach),
      ...rest.map((check) => skipped(check, 'Cryptlex could not be asked')),
    ];
  }
  const templates = await templatesFinding(client, needs);
  return [
    ...first,
    tokenFinding(reach),
    await scopesFinding(client, needs),
    await productsFinding(client, needs),
    templates.finding,
    metadataFinding(templates.found, needs),
    ...entitlementsFinding(needs),
  ];
}

function reachability({ baseUrl }: Config, reach: Reach): Finding {
  const check = 'cryptlex';
  if (reach.kind !== 'failed') return ok(check, `${baseUrl} answers`);
  const remedy =
    reach.error.code === 'CRYPTLEX_NONSENSE'
      ? 'What answers there is not the Web API. Check CRYPTLEX_WEB_API_BASE_URL: https://api.cryptlex.com, for the EU region https://api.eu.cryptlex.com.'
      : 'Check CRYPTLEX_WEB_API_BASE_URL, HTTPS_PROXY and NO_PROXY, the name service and the firewall of this machine.';
  return problem(check, `${baseUrl}: ${reach.error.message}`, remedy);
}

function clockFinding(skewMs: number | undefined): Finding {
  const check = 'clock';
  if (skewMs === undefined) return skipped(check, 'no answer of Cryptlex told its time');
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1);
  const message = `${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} the clock of Cryptlex`;
  const remedy = 'Set the clock of this machine by NTP; providers sign the time, Paddle to 5 s.';
  if (Math.abs(skewMs) > SKEW_MS_PROBLEM) return problem(check, message, remedy);
  if (Math.abs(skewMs) > SKEW_MS_WARNING) return warning(check, message, remedy);
  return ok(check, message);
}

function tokenFinding(reach: Reach): Finding {
  const check = 'token';
  if (reach.kind === 'failed') return skipped(check, 'Cryptlex could not be asked');
  if (reach.kind === 'fine' || reach.status === 403) return ok(check, 'Cryptlex knows the token');
  return problem(
    check,
    'Cryptlex refuses the access token (401)',
    'Make a new personal access token in Cryptlex and set CRYPTLEX_ACCESS_TOKEN; see docs/operating.md.',
  );
}

const SCOPE_PROBES: Readonly<Record<string, (client: CryptlexClient) => Promise<unknown>>> = {
  'user:read': (client) => client.getUser(NOBODY),
  'user:write': (client) => client.updateUser(NOBODY, {}),
  'license:read': (client) => client.getLicense(NOBODY),
  'license:write': (client) => client.updateLicense(NOBODY, {}),
  [TEMPLATE_SCOPE]: (client) => client.getLicenseTemplate(NOBODY),
};

async function scopesFinding(client: CryptlexClient, needs: RuleNeeds): Promise<Finding> {
  const check = 'token-scopes';
  const missing: string[] = [];
  for (const scope of needs.scopes) {
    const probe = SCOPE_PROBES[scope];
    if (probe === undefined) continue;
    const reach = await reachOf(() => probe(client));
    if (reach.kind === 'refused') missing.push(scope);
    if (reach.kind === 'failed') return skipped(check, reach.error.message);
  }
  const all = [...needs.scopes].join(', ');
  if (missing.length === 0) return ok(check, `the token may do what the rules need: ${all}`);
  return problem(
    check,
    `the token lacks ${missing.join(', ')}`,
    'Make a token with all of them: events that need one are parked until then. A right to read templates is called licenseTemplate:read or licensePolicy:read.',
  );
}

async function productsFinding(
  client: CryptlexClient,
  { productIds }: RuleNeeds,
): Promise<Finding> {
  const check = 'products';
  if (productIds.size === 0) return skipped(check, 'the rules name no product by its id');
  const { unknown, stopped } = await askForIds(productIds, IDS_MAX, (id) => client.getProduct(id));
  if (stopped?.kind === 'forbidden') {
    const message = 'the token may not read products (product:read), which serving does not need';
    return skipped(check, message);
  }
  return stopped === undefined
    ? existence(check, 'products', productIds, unknown)
    : skipped(check, stopped.message);
}

async function templatesFinding(
  client: CryptlexClient,
  { templateIds }: RuleNeeds,
): Promise<{ finding: Finding; found: readonly LicenseTemplate[] }> {
  const check = 'templates';
  if (templateIds.size === 0) {
    return { finding: skipped(check, 'the rules name no license template by its id'), found: [] };
  }
  const asked = await askForIds(templateIds, IDS_MAX, (id) => client.getLicenseTemplate(id));
  const found = [...asked.found.values()];
  if (asked.stopped === undefined) {
    return { finding: existence(check, 'license templates', templateIds, asked.unknown), found };
  }
  const message =
    asked.stopped.kind === 'forbidden'
      ? `the token may not read templates (${TEMPLATE_SCOPE})`
      : asked.stopped.message;
  return { finding: skipped(check, message), found };
}

function existence(
  check: string,
  what: string,
  ids: ReadonlySet<string>,
  unknown: readonly string[],
): Finding {
  if (unknown.length > 0) {
    return problem(
      check,
      `Cryptlex does not know the ${what} ${unknown.join(', ')}`,
      'Copy the ids from Cryptlex again, into the rules, the catalog or CRYPTLEX_PRODUCT_ID. Test and live accounts have different ones.',
    );
  }
  const asked = Math.min(ids.size, IDS_MAX);
  return ok(check, `${asked} of ${ids.size} ${what} asked for, all known`);
}

function metadataFinding(
  templates: readonly LicenseTemplate[],
  { metadataKeys, hasUnknownKeys }: RuleNeeds,
): Finding {
  const check = 'required-metadata';
  if (templates.length === 0) return skipped(check, 'no license template was read');
  const missing = templates.flatMap(({ id, requiredMetadataKeys }) =>
    (requiredMetadataKeys ?? [])
      .filter((key) => !metadataKeys.has(key))
      .map((key) => `${key} (template ${id})`),
  );
  if (missing.length === 0)
    return ok(check, 'the rules write every key that the templates require');
  const remedy =
    'Add the key to the metadata of license.create, or take it out of the template: Cryptlex refuses the license without it.';
  const message = `no rule names the required metadata ${missing.join(', ')}`;
  if (!hasUnknownKeys) return problem(check, message, remedy);
  return warning(check, `${message}; a formula may bring it`, remedy);
}

/** Cryptlex documents no address to read them at. */
function entitlementsFinding({ entitlementSetIds }: RuleNeeds): readonly Finding[] {
  if (entitlementSetIds.size === 0) return [];
  const ids = [...entitlementSetIds].join(', ');
  return [skipped('entitlement-sets', `they cannot be read; look for yourself: ${ids}`)];
}
