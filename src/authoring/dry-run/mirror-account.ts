// What was read from the real Cryptlex, put into a sandbox. Takes an answer of the API as it came, gives it to
// the sandbox with the members that it knows. Never throws for what an answer holds: what cannot be put
// there whole is put there in short, and what cannot be put there at all is left out.

import { AppError } from '../../core/error-codes.ts';
import type { JsonObject, JsonValue } from '../../core/model.ts';
import { LICENSE_MEMBERS, TEMPLATE_MEMBERS, USER_MEMBERS } from '../../sandbox/members.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { GivenLicense, GivenTemplate, GivenUser, SandboxGiven } from '../../sandbox/types.ts';

export function mirrorUser(sandbox: Sandbox, item: JsonObject): void {
  const { id, email } = item;
  if (typeof id !== 'string' || sandbox.state.users.some((user) => user.id === id)) return;
  const whole = { ...picked(item, USER_MEMBERS), metadata: entriesOf(item) } as GivenUser;
  const short = { id, ...(typeof email === 'string' ? { email } : {}) };
  seedFirst(sandbox, [{ users: [whole] }, { users: [short] }, { users: [{ id }] }]);
}

export function mirrorLicense(sandbox: Sandbox, item: JsonObject): void {
  const { id, productId, key, user, subscriptionInterval, expiresAt, suspended } = item;
  if (typeof id !== 'string') return;
  if (isObject(user)) mirrorUser(sandbox, user);
  const ownerId = (isObject(user) ? user['id'] : undefined) ?? item['userId'];
  const owner = typeof ownerId === 'string' ? { userId: ownerId } : {};
  const interval = typeof subscriptionInterval === 'string' ? subscriptionInterval : '';
  const essential = {
    id,
    productId: String(productId),
    // Null means "the template's" to whoever makes a license, and "none" of one that is there.
    subscriptionInterval: interval,
    expiresAt: typeof expiresAt === 'string' ? expiresAt : null,
    perpetual: item['perpetual'] === true,
    suspended: suspended === true,
    metadata: entriesOf(item),
  };
  const { user: _user, ...members } = picked(item, LICENSE_MEMBERS);
  const whole = { ...members, ...essential, ...owner, ...(usable(key) ? {} : { key: '' }) };
  const candidates = [whole, { ...essential, ...owner }, essential] as GivenLicense[];
  seedFirst(
    sandbox,
    candidates.map((license) => ({ licenses: [license] })),
  );
}

/** Whether the sandbox took it. */
export function mirrorTemplate(sandbox: Sandbox, item: JsonObject): boolean {
  const template = picked(item, TEMPLATE_MEMBERS) as GivenTemplate;
  return seedFirst(sandbox, [{ licenseTemplates: [template] }]);
}

function seedFirst(sandbox: Sandbox, candidates: readonly SandboxGiven[]): boolean {
  return candidates.some((given) => {
    try {
      sandbox.seed(given);
      return true;
    } catch (error) {
      if (error instanceof AppError) return false;
      throw error;
    }
  });
}

/** Keys shorter than this are refused of whoever makes a license; an old one may be shorter. */
function usable(key: JsonValue | undefined): boolean {
  return typeof key === 'string' && key.length >= 16;
}

function picked(item: JsonObject, names: readonly string[]): JsonObject {
  const kept = Object.entries(item).filter(
    ([name, value]) => names.includes(name) && value !== null,
  );
  return Object.fromEntries(kept);
}

function entriesOf(item: JsonObject): { key: string; value: string; viewPermissions: string[] }[] {
  const { metadata } = item;
  return (Array.isArray(metadata) ? metadata : []).filter(isObject).map((entry) => ({
    key: String(entry['key']),
    value: String(entry['value']),
    viewPermissions: [entry['viewPermissions'] ?? []].flat().map(String),
  }));
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
