// What an event can be found by beside its own names: the licenses and the user it came to, and the e-mail
// addresses in it. Takes an event and its outcome, gives short texts that an index can hold. An e-mail
// address becomes a keyed hash, so that it can be asked for and never be read.

import type { EventOutcome, JsonValue, WebhookEvent } from '../core/model.ts';
import type { KeyedHash } from './keyed-hash.ts';

/** Of one event; a batch of licenses has its own limit in the rules. */
const EMAILS_MAX = 20;
const LICENSES_MAX = 200;
/** RFC 5321, 4.5.3.1: 64 letters, an @, 255 letters, and never more than 254 in all. */
const EMAIL = /^[^\s@<>"]{1,64}@[^\s@<>"]{1,189}$/;

/** @param hash the journal's own */
export function referencesOf(
  { payload }: Pick<WebhookEvent, 'payload'>,
  { userId, licenseIds = [] }: Pick<EventOutcome, 'userId' | 'licenseIds'>,
  hash: KeyedHash,
): readonly string[] {
  return [
    ...licenseIds.slice(0, LICENSES_MAX).map((id) => `license:${id}`),
    ...(userId === undefined ? [] : [`user:${userId}`]),
    ...[...emailsIn(payload)].map((email) => `email:${hashOfEmail(email, hash)}`),
  ];
}

/**
 * What a text that a person looks for may refer to: a license, a user, or an e-mail address.
 * `lookup` is what a user is remembered by; see Journal.rememberUser.
 */
export function referencesFor(
  text: string,
  hash: KeyedHash,
): { readonly references: readonly string[]; readonly lookup: string | undefined } {
  const email = text.trim().toLowerCase();
  if (!EMAIL.test(email)) {
    return { references: [`license:${text}`, `user:${text}`], lookup: undefined };
  }
  const lookup = hashOfEmail(email, hash);
  return { references: [`email:${lookup}`], lookup };
}

/** The same hash by which users are remembered, so that the one leads to the other. */
function hashOfEmail(email: string, hash: KeyedHash): string {
  return hash(`email:${email}`);
}

/** Texts that are an address and nothing else, at any depth. */
function emailsIn(value: JsonValue, found = new Set<string>()): ReadonlySet<string> {
  if (found.size >= EMAILS_MAX) return found;
  if (typeof value === 'string') {
    if (value.includes('@')) {
      const text = value.trim().toLowerCase();
      if (EMAIL.test(text)) found.add(text);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) emailsIn(member, found);
  }
  return found;
}
