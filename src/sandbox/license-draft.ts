// A license on its way into the store. Takes a checked body, gives the license as the template and
// the body make it, or the refusal. Never stores it.

import { addInterval, formatInstant, parseInstant, parseInterval } from '../core/interval.ts';
import type { JsonObject, JsonValue } from '../core/model.ts';
import { type Answer, refusal } from './answer.ts';
import { findProduct, findTemplate, productTemplate } from './catalog.ts';
import { licenseKeyFor } from './ids.ts';
import { metadataInputs, newEntry, repeatedKey } from './metadata.ts';
import type { SandboxTemplate, StoredLicense } from './types.ts';
import { textOrNull } from './users.ts';
import type { World } from './world.ts';

const KEY_LENGTH_MIN = 16;

export type Draft =
  | {
      readonly kind: 'ok';
      readonly license: StoredLicense;
      readonly userId: string | null;
      readonly templateId: string;
    }
  | { readonly kind: 'refused'; readonly answer: Answer };

/** Everything the body leaves out is the template's: the one it names, else the product's. */
export function draftLicense(world: World, body: JsonObject): Draft {
  const refuse = (status: number, message: string): Draft => {
    return { kind: 'refused', answer: refusal(status, message) };
  };
  const productId = String(body['productId']);
  const product = findProduct(world, productId);
  // The vendor declares no 404 for this call, so an unknown id is taken for a bad request.
  if (product === undefined) return refuse(400, `Product with id ${productId} does not exist.`);
  const templateId = textOrNull(body['licenseTemplateId'] ?? body['licensePolicyId']) ?? '';
  const template =
    templateId === '' ? productTemplate(world, product) : findTemplate(world, templateId);
  if (template === undefined) {
    return refuse(400, `License template with id ${templateId} does not exist.`);
  }
  const unknownUser = refuseUsers(world, body);
  if (unknownUser !== undefined) return { kind: 'refused', answer: unknownUser };
  const missing = missingInputs(template, body);
  if (missing !== undefined) return refuse(400, missing);
  const key = textOrNull(body['key']) ?? '';
  if (key !== '' && key.length < KEY_LENGTH_MIN) {
    return refuse(400, `body/key must NOT have fewer than ${KEY_LENGTH_MIN} characters`);
  }
  if (key !== '' && world.store.licenseWithKey(key) !== undefined) {
    return refuse(409, 'A license with this key already exists.');
  }
  const createdAt = textOrNull(body['createdAt']);
  const createdAtMs = createdAt === null ? world.nowMs() : parseInstant(createdAt);
  if (createdAtMs === undefined) return refuse(400, 'body/createdAt is not a moment in time');
  const term = termOf(template, body, createdAtMs);
  if (term.kind === 'refused') return refuse(400, term.message);
  const license = fill(world, { body, template, productId, key, createdAtMs, term });
  return { kind: 'ok', license, userId: textOrNull(body['userId']), templateId: template.id };
}

/** The owner and the additional users have to exist; null takes the owner away. */
export function refuseUsers(world: World, body: JsonObject): Answer | undefined {
  const owner = textOrNull(body['userId']);
  const ids = [
    ...(owner === null ? [] : [owner]),
    ...((body['additionalUserIds'] ?? []) as string[]),
  ];
  const unknown = ids.find((id) => world.store.users.get(id) === undefined);
  return unknown === undefined
    ? undefined
    : refusal(400, `User with id ${unknown} does not exist.`);
}

function missingInputs(template: SandboxTemplate, body: JsonObject): string | undefined {
  const metadata = metadataInputs(body['metadata']);
  const twice = repeatedKey(metadata);
  if (twice !== undefined) return `The metadata key ${twice} is repeated.`;
  const key = template.requiredMetadataKeys.find((wanted) =>
    metadata.every((entry) => entry.key !== wanted),
  );
  if (key !== undefined) return `The metadata key ${key} is required.`;
  const meters = (body['meterAttributes'] ?? []) as JsonObject[];
  const meter = template.requiredMeterAttributes.find((wanted) =>
    meters.every((entry) => entry['name'] !== wanted),
  );
  return meter === undefined ? undefined : `The meter attribute ${meter} is required.`;
}

interface Term {
  readonly kind: 'ok';
  readonly subscriptionInterval: string | null;
  readonly subscriptionStartTrigger: string;
  readonly validity: number;
  readonly expiresAt: string | null;
  readonly perpetual: boolean;
}

/** An empty interval means perpetual, an absent one (or null) the template's. */
function termOf(
  template: SandboxTemplate,
  body: JsonObject,
  createdAtMs: number,
): Term | { readonly kind: 'refused'; readonly message: string } {
  const asked = textOrNull(body['subscriptionInterval']);
  const text = asked ?? template.subscriptionInterval;
  const interval = parseInterval(text ?? '');
  if (text !== null && text !== '' && interval === undefined) {
    return { kind: 'refused', message: `subscriptionInterval ${text} is not an ISO 8601 duration` };
  }
  const trigger = textOrNull(body['subscriptionStartTrigger']) ?? template.subscriptionStartTrigger;
  // The older validity in seconds counts only where no interval is spoken of.
  const validity = asked === '' ? 0 : Number(body['validity'] ?? template.validity);
  const length = interval ?? (validity > 0 ? { months: 0, days: 0, seconds: validity } : undefined);
  const common = {
    kind: 'ok',
    subscriptionInterval: text,
    subscriptionStartTrigger: trigger,
    validity,
  } as const;

  const fixed = textOrNull(body['expiresAt']);
  if (fixed !== null) {
    const fixedMs = parseInstant(fixed);
    return fixedMs === undefined
      ? { kind: 'refused', message: 'body/expiresAt is not a moment in time' }
      : { ...common, expiresAt: formatInstant(fixedMs), perpetual: false };
  }
  if (length === undefined) return { ...common, expiresAt: null, perpetual: true };
  if (trigger === 'activation') return { ...common, expiresAt: null, perpetual: false };
  const expiresAtMs = addInterval(createdAtMs, length);
  return expiresAtMs === undefined
    ? { kind: 'refused', message: 'The license would expire after the year 9999.' }
    : { ...common, expiresAt: formatInstant(expiresAtMs), perpetual: false };
}

interface Parts {
  readonly body: JsonObject;
  readonly template: SandboxTemplate;
  readonly productId: string;
  readonly key: string;
  readonly createdAtMs: number;
  readonly term: Term;
}

function fill(world: World, parts: Parts): StoredLicense {
  const { body, template, term } = parts;
  const id = world.newId();
  const number = (value: JsonValue | undefined, fallback: number): number =>
    value === undefined ? fallback : Number(value);
  return {
    id,
    createdAt: formatInstant(parts.createdAtMs),
    updatedAt: world.now(),
    key: parts.key === '' ? licenseKeyFor(id) : parts.key,
    type: textOrNull(body['type']) ?? template.type,
    revoked: body['revoked'] === true,
    suspended: body['suspended'] === true,
    perpetual: term.perpetual,
    allowedActivations: number(body['allowedActivations'], template.allowedActivations),
    allowedDeactivations: number(body['allowedDeactivations'], template.allowedDeactivations),
    allowedFloatingClients: number(body['allowedFloatingClients'], template.allowedFloatingClients),
    totalActivations: 0,
    totalDeactivations: 0,
    subscriptionInterval: term.subscriptionInterval,
    subscriptionStartTrigger: term.subscriptionStartTrigger,
    validity: term.validity,
    expirationStrategy: textOrNull(body['expirationStrategy']) ?? template.expirationStrategy,
    effectiveDate:
      term.subscriptionStartTrigger === 'creation' ? formatInstant(parts.createdAtMs) : null,
    activatedAt: null,
    lastUsedAt: null,
    expiresAt: term.expiresAt,
    maintenanceExpiresAt: null,
    maxAllowedReleaseVersion: textOrNull(body['maxAllowedReleaseVersion']),
    currentReleaseVersion: null,
    requireAuthentication:
      body['requireAuthentication'] === undefined
        ? template.requireAuthentication
        : body['requireAuthentication'] === true,
    productId: parts.productId,
    productVersionId: textOrNull(body['productVersionId']),
    entitlementSetId: textOrNull(body['entitlementSetId']),
    maintenancePolicyId: textOrNull(body['maintenancePolicyId']),
    organizationId: textOrNull(body['organizationId']),
    organization: null,
    resellerId: textOrNull(body['resellerId']),
    additionalUserIds: (body['additionalUserIds'] ?? []) as string[],
    notes: textOrNull(body['notes']),
    tags: (body['tags'] ?? []) as string[],
    metadata: metadataInputs(body['metadata']).map((input) => newEntry(world, input)),
    meterAttributes: (body['meterAttributes'] ?? []) as JsonValue[],
  };
}
