// The words of the sandbox: resources as the API answers them, what may be put there, and options.
// Types only; the API's members are those of schema/cryptlex.openapi.yaml and of the vendor's reference.

import type { Clock, JsonValue } from '../core/model.ts';
import type { Fault } from './faults.ts';

export interface SandboxMetadata {
  readonly id: string;
  readonly key: string;
  readonly value: string;
  readonly viewPermissions: readonly string[];
  readonly visible: boolean;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface SandboxUser {
  readonly id: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly name: string;
  readonly firstName: string;
  readonly lastName: string | null;
  readonly email: string;
  readonly company: string | null;
  readonly role: string;
  readonly roles: readonly string[];
  readonly organizationId: string | null;
  readonly organization: null;
  readonly resellerId: string | null;
  readonly allowCustomerPortalAccess: boolean;
  readonly twoFactorEnabled: boolean;
  readonly googleSsoEnabled: boolean;
  readonly lastLoginAt: string | null;
  readonly lastSeenAt: string | null;
  readonly metadata: readonly SandboxMetadata[];
  readonly tags: readonly string[];
}

/** A license as it is stored: the answer's members but for `user`, which is joined when answering. */
export interface StoredLicense {
  readonly id: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly key: string;
  readonly type: string;
  readonly revoked: boolean;
  readonly suspended: boolean;
  readonly perpetual: boolean;
  readonly allowedActivations: number;
  readonly allowedDeactivations: number;
  readonly allowedFloatingClients: number;
  readonly totalActivations: number;
  readonly totalDeactivations: number;
  readonly subscriptionInterval: string | null;
  readonly subscriptionStartTrigger: string;
  readonly validity: number;
  readonly expirationStrategy: string;
  readonly effectiveDate: string | null;
  readonly activatedAt: string | null;
  readonly lastUsedAt: string | null;
  readonly expiresAt: string | null;
  readonly maintenanceExpiresAt: string | null;
  readonly maxAllowedReleaseVersion: string | null;
  readonly currentReleaseVersion: string | null;
  readonly requireAuthentication: boolean;
  readonly productId: string;
  readonly productVersionId: string | null;
  readonly entitlementSetId: string | null;
  readonly maintenancePolicyId: string | null;
  readonly organizationId: string | null;
  readonly organization: null;
  readonly resellerId: string | null;
  readonly additionalUserIds: readonly string[];
  readonly notes: string | null;
  readonly tags: readonly string[];
  readonly metadata: readonly SandboxMetadata[];
  readonly meterAttributes: readonly JsonValue[];
}

/** A license as `state` shows it: the answer, and the two ids that the API keeps to itself. */
export interface SandboxLicense extends StoredLicense {
  readonly user: SandboxUser | null;
  readonly userId: string | null;
  readonly licenseTemplateId: string;
}

export interface SandboxTemplate {
  readonly id: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly name: string;
  readonly type: string;
  readonly keyPattern: string;
  /** ISO 8601; empty or null for perpetual licenses. */
  readonly subscriptionInterval: string | null;
  readonly subscriptionStartTrigger: 'creation' | 'activation';
  /** Seconds; 0 for none. The forerunner of the interval. */
  readonly validity: number;
  readonly expirationStrategy: string;
  readonly allowedActivations: number;
  readonly allowedDeactivations: number;
  readonly allowedFloatingClients: number;
  readonly requireAuthentication: boolean;
  readonly requiredMetadataKeys: readonly string[];
  readonly requiredMeterAttributes: readonly string[];
}

export interface SandboxProduct {
  readonly id: string;
  readonly name: string;
  readonly licenseTemplateId: string;
}

export interface SandboxState {
  readonly users: readonly SandboxUser[];
  readonly licenses: readonly SandboxLicense[];
  readonly licenseTemplates: readonly SandboxTemplate[];
  readonly products: readonly SandboxProduct[];
}

/** Metadata to be put there: the short form (key to value), or entries as the API takes them. */
export type GivenMetadata =
  | Readonly<Record<string, string>>
  | readonly {
      readonly key: string;
      readonly value: string;
      readonly viewPermissions?: readonly string[];
    }[];

export type GivenUser = Partial<Omit<SandboxUser, 'metadata' | 'organization'>> & {
  readonly metadata?: GivenMetadata;
};

export type GivenLicense = Partial<Omit<StoredLicense, 'metadata' | 'organization'>> & {
  readonly metadata?: GivenMetadata;
  /** The owner's e-mail address or id; a user that is not there yet is made. */
  readonly user?: string;
  readonly userId?: string;
  readonly licenseTemplateId?: string;
  /** The payment that it was bought with: nothing of Cryptlex, see given-payments.ts. */
  readonly payment?: string;
};

export type GivenTemplate = Partial<SandboxTemplate>;
export type GivenProduct = Partial<SandboxProduct>;

/** What is put into the sandbox before it is used; everything left out gets a sensible value. */
export interface SandboxGiven {
  readonly users?: readonly GivenUser[];
  readonly licenses?: readonly GivenLicense[];
  readonly licenseTemplates?: readonly GivenTemplate[];
  readonly products?: readonly GivenProduct[];
}

/** One request as it came and what became of it. Passwords are not kept. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  /** Decoded, in the order in which they were sent. */
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly body: JsonValue | undefined;
  /** Null while there is no answer, and for good where a fault kept it back. */
  readonly status: number | null;
  readonly atMs: number;
}

/** A request that breaks the OpenAPI document, or an answer of ours that does. */
export interface Violation {
  readonly method: string;
  readonly path: string;
  readonly message: string;
}

export interface TokenGrant {
  /** Such as `license:read`; `all` for every scope. */
  readonly scopes: readonly string[] | 'all';
  /** From this instant on the token is expired. */
  readonly expiresAtMs?: number;
  readonly revoked?: boolean;
}

export interface RateLimit {
  readonly requests: number;
  readonly periodMs: number;
}

export interface SandboxOptions {
  readonly clock: Clock;
  /** The vendor's limit, 50 in 5 s, unless given; false for none. */
  readonly rateLimit?: RateLimit | false;
  /** The text of a 429, as the vendor's middleware sends it, or the JSON its document declares. */
  readonly rateLimitBody?: 'text' | 'json';
  /** A token with every scope. Default `sandbox-token`. */
  readonly token?: string;
  /** Further tokens and what they may. */
  readonly tokens?: Readonly<Record<string, TokenGrant>>;
  /** ASP.NET answers 401 without a body unless told otherwise; the vendor's document declares JSON. */
  readonly unauthorizedBody?: 'json' | 'empty';
  /** Whether key and value have to hold for one metadata entry. Unknown of the vendor; `anyEntry` is the harsher. */
  readonly metadataMatch?: 'anyEntry' | 'sameEntry';
  /** Whether an e-mail filter minds the case; that addresses are unique never does. */
  readonly emailFilter?: 'caseSensitive' | 'caseBlind';
  /** What a `metadata` array in a PATCH does to entries it does not name. */
  readonly metadataPatch?: 'replace' | 'merge';
  /** The answer to renewing a license without interval or expiry; 200 leaves it as it is. */
  readonly renewWithoutExpiry?: 400 | 409 | 200;
  /** The answer to setting the expiry of a perpetual license; 200 ends its being perpetual. */
  readonly expiryOnPerpetual?: 400 | 200;
  /** Items a page when `limit` is not sent. Small, so that code which forgets it is caught. */
  readonly defaultLimit?: number;
  /** Gives ids in UUID shape. Default: counting, so that runs are reproducible. */
  readonly newId?: () => string;
  /** A list does not show writes younger than this. */
  readonly staleListMs?: number;
  /** The products there are; with `any` each id is accepted and gets the default template. */
  readonly knownProducts?: 'any' | readonly string[];
  /** The same for license templates. */
  readonly knownTemplates?: 'any' | readonly string[];
  /** What templates are like that nobody described. Default: one year, from creation, one activation. */
  readonly defaultTemplate?: GivenTemplate;
  readonly faults?: readonly Fault[];
  /** Whether requests are kept for reading. Default true; a benchmark turns it off. */
  readonly recordRequests?: boolean;
}
