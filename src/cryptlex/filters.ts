// What is searched for. Takes the wanted criteria, gives query parameters and the check of each
// object that comes back. Never lets an empty criterion through: Cryptlex ignores empty filters and
// answers with everybody's licenses (vendor's staff, forum thread 1295).

import { AppError } from '../core/error-codes.ts';
import { ownerOf, told } from '../core/told.ts';
import type { operations } from './types.generated.ts';
import type { License, Metadata, User } from './types.ts';

export type MetadataCriteria = Readonly<Record<string, string>>;
export type UserFilter =
  | {
      readonly email: string;
      /** Also looks where the address is stored in another case; one call more. */
      readonly anyCase?: boolean;
    }
  | { readonly metadata: MetadataCriteria };

/** All criteria must hold. */
export interface LicenseFilter {
  readonly metadata?: MetadataCriteria;
  readonly productId?: string;
  /** The license's own user; being one of its additional users does not count. */
  readonly userId?: string;
  readonly suspended?: boolean;
  readonly key?: string;
}

type UserQuery = NonNullable<operations['listUsers']['parameters']['query']>;
type LicenseQuery = NonNullable<operations['listLicenses']['parameters']['query']>;

const LICENSE_CRITERIA: ReadonlySet<string> = new Set<keyof LicenseFilter>([
  'metadata',
  'productId',
  'userId',
  'suspended',
  'key',
]);

/**
 * The query for a search of licenses. Only the first metadata pair is sent, since it is not
 * documented how several combine; `matchesLicense` sees to the others.
 * @throws FILTER_EMPTY when there is no criterion, or an empty one
 */
export function licenseQuery(filter: LicenseFilter): LicenseQuery {
  const criteria = Object.entries(filter);
  if (criteria.length === 0) throw emptyFilter('licenses', 'no criterion at all');
  for (const [name, value] of criteria) {
    if (!LICENSE_CRITERIA.has(name)) throw emptyFilter('licenses', `${name} is no criterion`);
    if (name === 'metadata') requireMetadata('licenses', value);
    else if (name === 'suspended') requireBoolean(name, value);
    else requireText('licenses', name, value);
  }
  return {
    ...(filter.metadata === undefined ? {} : metadataQuery(filter.metadata)),
    ...(filter.productId === undefined ? {} : { productId: { eq: filter.productId } }),
    ...(filter.userId === undefined ? {} : { userId: filter.userId }),
    ...(filter.suspended === undefined ? {} : { suspended: filter.suspended }),
    ...(filter.key === undefined ? {} : { key: { eq: filter.key } }),
  };
}

/**
 * Whether the license meets every criterion, by exact text.
 * @throws CRYPTLEX_NONSENSE when the answer does not tell a member that is asked about
 */
export function matchesLicense(license: License, filter: LicenseFilter): boolean {
  const { metadata, userId } = filter;
  if (metadata !== undefined && !hasMetadata(told(license, 'metadata'), metadata)) return false;
  if (userId !== undefined && (ownerOf(license) ?? told(license, 'user')) !== userId) return false;
  return (['productId', 'suspended', 'key'] as const).every(
    (name) => filter[name] === undefined || told(license, name) === filter[name],
  );
}

/**
 * The searches for a user, to be tried in turn until one finds somebody. Whether Cryptlex compares
 * addresses by case is not documented, so one with capitals is looked up in lower case, too.
 * @throws FILTER_EMPTY when the address or the metadata is empty
 */
export function userQueries(filter: UserFilter): UserQuery[] {
  if ('email' in filter) {
    requireText('users', 'email', filter.email);
    const email = filter.email.trim();
    const exact = [...new Set([email, email.toLowerCase()])].map((eq) => ({ email: { eq } }));
    return filter.anyCase === true ? [...exact, { search: email }] : exact;
  }
  requireMetadata('users', filter.metadata);
  return [metadataQuery(filter.metadata)];
}

/**
 * Whether this is the user searched for: e-mail without regard to case, metadata by exact text.
 * @throws CRYPTLEX_NONSENSE when the answer does not tell it
 */
export function matchesUser(user: User, filter: UserFilter): boolean {
  if (!('email' in filter)) return hasMetadata(told(user, 'metadata'), filter.metadata);
  return told(user, 'email').trim().toLowerCase() === filter.email.trim().toLowerCase();
}

function metadataQuery(wanted: MetadataCriteria): LicenseQuery & UserQuery {
  const [first] = Object.entries(wanted);
  if (first === undefined) return {};
  return { 'metadata.key': { eq: first[0] }, 'metadata.value': { eq: first[1] } };
}

/** One entry must hold key and value: the server may match them in two different entries. */
function hasMetadata(entries: readonly Metadata[] | null | undefined, wanted: MetadataCriteria) {
  return Object.entries(wanted).every(([key, value]) =>
    (entries ?? []).some((entry) => entry.key === key && entry.value === value),
  );
}

/** Blank counts as empty: ASP.NET binds a text of spaces to null. */
function requireText(what: string, name: string, value: unknown): void {
  if (typeof value !== 'string' || value.trim() === '') throw emptyFilter(what, `${name} is empty`);
}

function requireBoolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw emptyFilter('licenses', `${name} is empty`);
}

function requireMetadata(what: string, value: unknown): void {
  const pairs = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (pairs.length === 0) throw emptyFilter(what, 'metadata is empty');
  for (const [key, text] of pairs) {
    requireText(what, 'a metadata key', key);
    requireText(what, `metadata ${key}`, text);
  }
}

function emptyFilter(what: string, reason: string): AppError {
  return new AppError('FILTER_EMPTY', `the search for ${what} was not sent: ${reason}`);
}
