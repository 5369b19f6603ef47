// What users and licenses can be filtered, searched and sorted by. Takes the store, gives the tables.
// The names are those of the vendor's reference (get-licenses; users: its own client), read 2026-08.

import type { Field } from './filters.ts';
import type { ListSource } from './lists.ts';
import { type LicenseRow, ownersOf, type Store, type UserRow, wireLicense } from './store.ts';
import type { SandboxUser, StoredLicense } from './types.ts';

/** The vendor does not say how soon is soon. */
const EXPIRING_SOON_MS = 30 * 86_400_000;

export interface FieldOptions {
  /** Whether e-mail filters are blind to case. */
  readonly emailBlind: boolean;
}

export function userLists(store: Store, options: FieldOptions): ListSource<UserRow> {
  const text = (read: (user: SandboxUser) => string | null): Field<UserRow> => {
    return { kind: 'text', read: (row) => read(row.user) };
  };
  return {
    table: store.users,
    toWire: (row) => row.user,
    narrow: (wanted) => {
      const id = wanted.get('id');
      if (id !== undefined) return present(store.users.get(id));
      const email = wanted.get('email');
      // The index is blind to case; the filter itself decides whether the case has to fit.
      if (email !== undefined) {
        const user = store.userByEmail(email);
        return user === undefined ? [] : present(store.users.get(user.id));
      }
      const value = wanted.get('metadata.value');
      return value === undefined ? undefined : store.usersWithMetadataValue(value);
    },
    filterable: {
      metadataOf: (row) => row.user.metadata,
      searched: ({ user }) => [user.name, user.email, user.company],
      fields: {
        id: text((user) => user.id),
        email: { kind: 'text', read: (row) => row.user.email, blind: options.emailBlind },
        name: text((user) => user.name),
        company: text((user) => user.company),
        role: text((user) => user.role),
        organizationId: text((user) => user.organizationId),
        productId: {
          kind: 'texts',
          read: (row) => store.licensesOfUser(row.id).map(({ license }) => license.productId),
        },
        tags: { kind: 'texts', read: (row) => row.user.tags },
        'metadata.key': { kind: 'metadataKey' },
        'metadata.value': { kind: 'metadataValue' },
        createdAt: { kind: 'date', read: (row) => row.createdAt },
        updatedAt: { kind: 'date', read: (row) => row.user.updatedAt },
        lastSeenAt: { kind: 'date', read: (row) => row.user.lastSeenAt },
        userType: { kind: 'plain', read: (row) => [row.user.role === 'user' ? 'user' : 'admin'] },
      },
    },
  };
}

export function licenseLists(store: Store, options: FieldOptions): ListSource<LicenseRow> {
  return {
    table: store.licenses,
    toWire: (row) => wireLicense(store, row),
    narrow: (wanted) => {
      const id = wanted.get('id');
      if (id !== undefined) return present(store.licenses.get(id));
      const key = wanted.get('key');
      if (key !== undefined) return present(store.licenseWithKey(key));
      const value = wanted.get('metadata.value');
      if (value !== undefined) return store.licensesWithMetadataValue(value);
      const userId = wanted.get('userId');
      return userId === undefined ? undefined : store.licensesOfUser(userId);
    },
    filterable: {
      metadataOf: (row) => row.license.metadata,
      searched: (row) => {
        const user = store.userOf(row);
        return [row.license.key, row.license.notes, user?.email ?? null, user?.name ?? null];
      },
      fields: { ...licenseTexts(store, options), ...licenseMeasures() },
    },
  };
}

function licenseTexts(
  store: Store,
  options: FieldOptions,
): Readonly<Record<string, Field<LicenseRow>>> {
  const text = (read: (license: StoredLicense) => string | null): Field<LicenseRow> => {
    return { kind: 'text', read: (row) => read(row.license) };
  };
  return {
    id: text((license) => license.id),
    key: text((license) => license.key),
    productId: text((license) => license.productId),
    productVersionId: text((license) => license.productVersionId),
    entitlementSetId: text((license) => license.entitlementSetId),
    organizationId: text((license) => license.organizationId),
    resellerId: text((license) => license.resellerId),
    type: text((license) => license.type),
    notes: text((license) => license.notes),
    subscriptionInterval: text((license) => license.subscriptionInterval),
    subscriptionStartTrigger: text((license) => license.subscriptionStartTrigger),
    'user.email': {
      kind: 'text',
      read: (row) => store.userOf(row)?.email ?? null,
      blind: options.emailBlind,
    },
    'user.company': { kind: 'text', read: (row) => store.userOf(row)?.company ?? null },
    tags: { kind: 'texts', read: (row) => row.license.tags },
    userId: { kind: 'plain', read: ownersOf },
    'metadata.key': { kind: 'metadataKey' },
    'metadata.value': { kind: 'metadataValue' },
  };
}

function licenseMeasures(): Readonly<Record<string, Field<LicenseRow>>> {
  const number = (read: (license: StoredLicense) => number): Field<LicenseRow> => {
    return { kind: 'number', read: (row) => read(row.license) };
  };
  const date = (read: (license: StoredLicense) => string | null): Field<LicenseRow> => {
    return { kind: 'date', read: (row) => read(row.license) };
  };
  const boolean = (read: (license: StoredLicense, nowMs: number) => boolean): Field<LicenseRow> => {
    return { kind: 'boolean', read: (row, nowMs) => read(row.license, nowMs) };
  };
  const leftMs = (license: StoredLicense, nowMs: number): number =>
    license.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(license.expiresAt) - nowMs;
  return {
    allowedActivations: number((license) => license.allowedActivations),
    allowedDeactivations: number((license) => license.allowedDeactivations),
    totalActivations: number((license) => license.totalActivations),
    totalDeactivations: number((license) => license.totalDeactivations),
    validity: number((license) => license.validity),
    expiresAt: date((license) => license.expiresAt),
    activatedAt: date((license) => license.activatedAt),
    lastUsedAt: date((license) => license.lastUsedAt),
    createdAt: date((license) => license.createdAt),
    updatedAt: date((license) => license.updatedAt),
    revoked: boolean((license) => license.revoked),
    suspended: boolean((license) => license.suspended),
    perpetual: boolean((license) => license.perpetual),
    expired: boolean((license, nowMs) => leftMs(license, nowMs) <= 0),
    expiringSoon: boolean((license, nowMs) => {
      const left = leftMs(license, nowMs);
      return left > 0 && left <= EXPIRING_SOON_MS;
    }),
  };
}

function present<R>(row: R | undefined): readonly R[] {
  return row === undefined ? [] : [row];
}
