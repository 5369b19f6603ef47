// What an answer of Cryptlex must tell before it is acted on. Takes an object of an answer, gives a member, or
// throws: what is missing is never taken for "no" or "none", and what nobody reads may be missing.

import { AppError } from './error-codes.ts';

/** @throws CRYPTLEX_NONSENSE when the answer came without it */
export function told<T extends { readonly id: string }, Member extends string & keyof T>(
  object: T,
  member: Member,
): Exclude<T[Member], undefined> {
  const value = object[member];
  if (value !== undefined) return value as Exclude<T[Member], undefined>;
  throw new AppError('CRYPTLEX_NONSENSE', `the answer for ${object.id} has no member ${member}`);
}

/** Whose license it is: newer servers send `userId`, older ones `user` only. Undefined when neither is told. */
export function ownerOf(license: {
  readonly user?: { readonly id: string } | null;
  readonly userId?: string | null;
}): string | null | undefined {
  const { user, userId } = license;
  return user?.id ?? userId ?? (user === null || userId === null ? null : undefined);
}
