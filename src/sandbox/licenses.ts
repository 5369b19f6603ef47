// The calls on /v3/licenses. Takes a checked call, gives the answer and changes the store.
// Never looks at the present when it renews: the stored expiry counts.

import { addInterval, formatInstant, parseInstant, parseInterval } from '../core/interval.ts';
import type { JsonObject } from '../core/model.ts';
import { type Answer, jsonAnswer, NO_CONTENT, refusal } from './answer.ts';
import { draftLicense, refuseUsers } from './license-draft.ts';
import { listRows } from './lists.ts';
import { metadataInputs, patchEntries, repeatedKey } from './metadata.ts';
import { type LicenseRow, wireLicense } from './store.ts';
import type { StoredLicense } from './types.ts';
import { pickMembers, textOrNull } from './users.ts';
import type { Handler, World } from './world.ts';

export const listLicenses: Handler = (world, call) =>
  listRows(world.licenses, call.query, {
    metadataMatch: world.settings.metadataMatch,
    defaultLimit: world.settings.defaultLimit,
    nowMs: world.nowMs(),
    staleListMs: call.staleListMs,
  });

export const getLicense: Handler = (world, { id }) => {
  const row = world.store.licenses.get(id);
  return row === undefined ? licenseNotFound(id) : jsonAnswer(200, wireLicense(world.store, row));
};

/** No idempotency: the same call again makes a second license, unless its key collides (409). */
export const createLicense: Handler = (world, { body }) => {
  const draft = draftLicense(world, body);
  if (draft.kind === 'refused') return draft.answer;
  return save(world, draft, 201);
};

/** Only given members change; those that the vendor's model leaves out (product, interval) are passed over. */
export const updateLicense: Handler = (world, { id, body }) => {
  const row = world.store.licenses.get(id);
  if (row === undefined) return licenseNotFound(id);
  const refused = refuseUpdate(world, row, body);
  if (refused !== undefined) return refused;
  const license = {
    ...row.license,
    ...pickMembers(body, LICENSE_MEMBERS),
    updatedAt: world.now(),
    metadata:
      body['metadata'] === undefined
        ? row.license.metadata
        : patchEntries(world, row.license.metadata, metadataInputs(body['metadata'])),
  } as StoredLicense;
  const userId = body['userId'] === undefined ? row.userId : textOrNull(body['userId']);
  return save(world, { license, userId, templateId: row.templateId }, 200);
};

const LICENSE_MEMBERS = [
  'key',
  'revoked',
  'suspended',
  'organizationId',
  'resellerId',
  'additionalUserIds',
  'entitlementSetId',
  'allowedActivations',
  'allowedDeactivations',
  'allowedFloatingClients',
  'maxAllowedReleaseVersion',
  'maintenancePolicyId',
  'productVersionId',
  'requireAuthentication',
  'notes',
  'tags',
  'meterAttributes',
] as const;

function refuseUpdate(world: World, row: LicenseRow, body: JsonObject): Answer | undefined {
  const twice = repeatedKey(metadataInputs(body['metadata']));
  if (twice !== undefined) return refusal(400, `The metadata key ${twice} is repeated.`);
  if (body['key'] !== undefined) {
    const owner = world.store.licenseWithKey(String(body['key']));
    // The vendor declares no 409 for this call.
    if (owner !== undefined && owner.id !== row.id) return refusal(400, 'The key is taken.');
  }
  return refuseUsers(world, body);
}

/** Adds the interval to the stored expiry, not to the present (vendor's manual). Each call adds again. */
export const renewLicense: Handler = (world, { id }) => {
  const row = world.store.licenses.get(id);
  if (row === undefined) return licenseNotFound(id);
  const { license } = row;
  const expiresAtMs = license.expiresAt === null ? undefined : Date.parse(license.expiresAt);
  const interval = parseInterval(license.subscriptionInterval ?? '') ?? validityOf(license);
  if (expiresAtMs === undefined || interval === undefined) {
    const { renewWithoutExpiry } = world.settings;
    return renewWithoutExpiry === 200
      ? jsonAnswer(200, wireLicense(world.store, row))
      : refusal(renewWithoutExpiry, 'The license has no expiry that could be extended.');
  }
  const renewedMs = addInterval(expiresAtMs, interval);
  if (renewedMs === undefined) return refusal(400, 'The license would expire after the year 9999.');
  return changeExpiry(world, row, renewedMs);
};

function validityOf(license: StoredLicense): ReturnType<typeof parseInterval> {
  return license.validity > 0 ? { months: 0, days: 0, seconds: license.validity } : undefined;
}

export const updateLicenseExpiresAt: Handler = (world, { id, body }) => {
  const row = world.store.licenses.get(id);
  if (row === undefined) return licenseNotFound(id);
  const expiresAtMs = parseInstant(String(body['expiresAt']));
  if (expiresAtMs === undefined) return refusal(400, 'body/expiresAt is not a moment in time');
  if (row.license.perpetual && world.settings.expiryOnPerpetual === 400) {
    return refusal(400, 'The license is perpetual.');
  }
  return changeExpiry(world, row, expiresAtMs);
};

function changeExpiry(world: World, row: LicenseRow, expiresAtMs: number): Answer {
  const expiresAt = formatInstant(expiresAtMs);
  const license = { ...row.license, expiresAt, perpetual: false, updatedAt: world.now() };
  return save(world, { ...row, license }, 200);
}

/** For good. The second call finds nothing any more. */
export const deleteLicense: Handler = (world, { id }) => {
  const row = world.store.licenses.get(id);
  if (row === undefined) return licenseNotFound(id);
  world.store.deleteLicense(row, world.nowMs());
  return NO_CONTENT;
};

function save(
  world: World,
  row: Pick<LicenseRow, 'license' | 'userId' | 'templateId'>,
  status: number,
): Answer {
  const { license, userId, templateId } = row;
  const saved = world.store.putLicense({ license, userId, templateId }, world.nowMs());
  return jsonAnswer(status, wireLicense(world.store, saved));
}

function licenseNotFound(id: string): Answer {
  return refusal(404, `License with id ${id} was not found.`);
}
