// The members that may be given, per resource. Constants only; the compiler keeps them in step with
// the types.

import type { GivenLicense, GivenTemplate, GivenUser } from './types.ts';

/** Fails to compile when a member of the type is missing from the table. */
function names<T>(table: Record<keyof T, true>): readonly string[] {
  return Object.keys(table);
}

export const USER_MEMBERS = names<Required<GivenUser>>({
  id: true,
  createdAt: true,
  updatedAt: true,
  name: true,
  firstName: true,
  lastName: true,
  email: true,
  company: true,
  role: true,
  roles: true,
  organizationId: true,
  resellerId: true,
  allowCustomerPortalAccess: true,
  twoFactorEnabled: true,
  googleSsoEnabled: true,
  lastLoginAt: true,
  lastSeenAt: true,
  metadata: true,
  tags: true,
});

export const LICENSE_INSTANTS = [
  'createdAt',
  'updatedAt',
  'effectiveDate',
  'activatedAt',
  'lastUsedAt',
  'expiresAt',
  'maintenanceExpiresAt',
] as const;

export const LICENSE_MEMBERS = names<Required<GivenLicense>>({
  payment: true,
  id: true,
  createdAt: true,
  updatedAt: true,
  key: true,
  type: true,
  revoked: true,
  suspended: true,
  perpetual: true,
  allowedActivations: true,
  allowedDeactivations: true,
  allowedFloatingClients: true,
  totalActivations: true,
  totalDeactivations: true,
  subscriptionInterval: true,
  subscriptionStartTrigger: true,
  validity: true,
  expirationStrategy: true,
  effectiveDate: true,
  activatedAt: true,
  lastUsedAt: true,
  expiresAt: true,
  maintenanceExpiresAt: true,
  maxAllowedReleaseVersion: true,
  currentReleaseVersion: true,
  requireAuthentication: true,
  productId: true,
  productVersionId: true,
  entitlementSetId: true,
  maintenancePolicyId: true,
  organizationId: true,
  resellerId: true,
  additionalUserIds: true,
  notes: true,
  tags: true,
  metadata: true,
  meterAttributes: true,
  user: true,
  userId: true,
  licenseTemplateId: true,
});

export const TEMPLATE_MEMBERS = names<Required<GivenTemplate>>({
  id: true,
  createdAt: true,
  updatedAt: true,
  name: true,
  type: true,
  keyPattern: true,
  subscriptionInterval: true,
  subscriptionStartTrigger: true,
  validity: true,
  expirationStrategy: true,
  allowedActivations: true,
  allowedDeactivations: true,
  allowedFloatingClients: true,
  requireAuthentication: true,
  requiredMetadataKeys: true,
  requiredMeterAttributes: true,
});
