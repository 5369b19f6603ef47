// The bodies of 2xx answers. Takes their text, gives typed objects or the reason why they are none.
// Never trusts the type of a member that the rest of the program relies on. Only the id must be there: whoever
// reads another member says so, by `told` where it cannot be done without.

import type { License, LicenseTemplate, Product, User } from './types.ts';

export type Read<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'nonsense'; readonly reason: string };

type Reader<T> = (text: string) => Read<T>;
/** What is wrong with a parsed value; undefined when nothing is. */
type Check = (value: unknown) => string | undefined;

export const readUser: Reader<User> = reader<User>(checkUser);
export const readLicense: Reader<License> = reader<License>(checkLicense);
export const readTemplate: Reader<LicenseTemplate> = reader<LicenseTemplate>(checkTemplate);
export const readProduct: Reader<Product> = reader<Product>(checkMembers('product', { id: 'id' }));
export const readUsers: Reader<User[]> = reader<User[]>(listOf(checkUser));
export const readLicenses: Reader<License[]> = reader<License[]>(listOf(checkLicense));

/** A delete is answered with 204 and no body; JSON is borne, a web page is not from Cryptlex. */
export const readDeleted: Reader<'deleted'> = (text) => {
  if (text.trim() !== '' && parse(text).kind === 'nonsense') return parseFailure;
  return { kind: 'value', value: 'deleted' };
};

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const parseFailure = { kind: 'nonsense', reason: 'its body is not JSON' } as const;

function parse(text: string): Read<unknown> {
  try {
    return { kind: 'value', value: JSON.parse(text) };
  } catch {
    return parseFailure;
  }
}

function reader<T>(check: Check): Reader<T> {
  return (text) => {
    if (text.trim() === '') return { kind: 'nonsense', reason: 'its body is empty' };
    const parsed = parse(text);
    if (parsed.kind === 'nonsense') return parsed;
    const reason = check(parsed.value);
    if (reason !== undefined) return { kind: 'nonsense', reason };
    // The check has looked at every member whose type matters.
    return { kind: 'value', value: parsed.value as T };
  };
}

function listOf(check: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return 'its body is not a list';
    for (const [index, item] of value.entries()) {
      const reason = check(item);
      if (reason !== undefined) return `in item ${index + 1} of the list ${reason}`;
    }
    return undefined;
  };
}

type MemberType = 'id' | 'text?' | 'boolean?' | 'textOrNull?' | 'user?' | 'metadata?' | 'texts?';

/** `?` = may be absent. Values are never quoted: they are license keys and addresses. */
const MEMBER_TESTS: Readonly<Record<MemberType, (value: unknown) => boolean>> = {
  id: (value) => typeof value === 'string' && value !== '',
  'text?': (value) => value === undefined || typeof value === 'string',
  'boolean?': (value) => value === undefined || typeof value === 'boolean',
  'textOrNull?': (value) => value === undefined || value === null || typeof value === 'string',
  'texts?': (value) =>
    value === undefined ||
    value === null ||
    (Array.isArray(value) && value.every((item) => typeof item === 'string')),
  'user?': (value) =>
    value === undefined || value === null || (isRecord(value) && typeof value['id'] === 'string'),
  'metadata?': (value) =>
    value === undefined || value === null || (Array.isArray(value) && value.every(isEntry)),
};

function isEntry(value: unknown): boolean {
  return isRecord(value) && typeof value['key'] === 'string' && typeof value['value'] === 'string';
}

function checkMembers(what: string, members: Readonly<Record<string, MemberType>>): Check {
  return (value) => {
    if (!isRecord(value)) return `its body is not a ${what}`;
    for (const [name, type] of Object.entries(members)) {
      if (MEMBER_TESTS[type](value[name])) continue;
      const problem = value[name] === undefined ? 'is missing' : 'has the wrong type';
      return `the member ${name} of a ${what} ${problem}`;
    }
    return undefined;
  };
}

function checkUser(value: unknown): string | undefined {
  return checkMembers('user', {
    id: 'id',
    email: 'text?',
    role: 'textOrNull?',
    metadata: 'metadata?',
  })(value);
}

function checkLicense(value: unknown): string | undefined {
  return checkMembers('license', {
    id: 'id',
    key: 'text?',
    productId: 'text?',
    revoked: 'boolean?',
    suspended: 'boolean?',
    expiresAt: 'textOrNull?',
    userId: 'textOrNull?',
    user: 'user?',
    metadata: 'metadata?',
  })(value);
}

function checkTemplate(value: unknown): string | undefined {
  return checkMembers('license template', { id: 'id', requiredMetadataKeys: 'texts?' })(value);
}
