// The calls on /v3/users. Takes a checked call, gives the answer and changes the store.
// Never lets two users share an address, whatever its case.

import type { JsonObject, JsonValue } from '../core/model.ts';
import { type Answer, jsonAnswer, refusal } from './answer.ts';
import { listRows } from './lists.ts';
import { metadataInputs, newEntry, patchEntries, repeatedKey } from './metadata.ts';
import type { SandboxUser } from './types.ts';
import type { Handler, World } from './world.ts';

export const listUsers: Handler = (world, call) =>
  listRows(world.users, call.query, {
    metadataMatch: world.settings.metadataMatch,
    defaultLimit: world.settings.defaultLimit,
    nowMs: world.nowMs(),
    staleListMs: call.staleListMs,
  });

export const getUser: Handler = (world, call) => {
  const row = world.store.users.get(call.id);
  return row === undefined ? userNotFound(call.id) : jsonAnswer(200, row.user);
};

/** An address that is taken is a 409 (vendor's reference lists it), whatever its case. */
export const createUser: Handler = (world, { body }) => {
  const email = String(body['email']);
  const taken = world.store.userByEmail(email);
  if (taken !== undefined) return refusal(409, 'A user with this email already exists.');
  const metadata = metadataInputs(body['metadata']);
  const twice = repeatedKey(metadata);
  if (twice !== undefined) return refusal(400, `The metadata key ${twice} is repeated.`);
  const user = newUser(world, {
    email,
    firstName: String(body['firstName']),
    lastName: textOrNull(body['lastName']),
    company: textOrNull(body['company']),
    role: String(body['role'] ?? 'user'),
    organizationId: textOrNull(body['organizationId']),
    resellerId: textOrNull(body['resellerId']),
    allowCustomerPortalAccess: body['allowCustomerPortalAccess'] === true,
    metadata: metadata.map((input) => newEntry(world, input)),
    tags: (body['tags'] ?? []) as string[],
  });
  world.store.putUser(user, world.nowMs());
  return jsonAnswer(201, user);
};

/** Only given members change. An address that is taken is a 400: the vendor declares no 409 here. */
export const updateUser: Handler = (world, { id, body }) => {
  const row = world.store.users.get(id);
  if (row === undefined) return userNotFound(id);
  const metadata = metadataInputs(body['metadata']);
  const twice = repeatedKey(metadata);
  if (twice !== undefined) return refusal(400, `The metadata key ${twice} is repeated.`);
  if (body['email'] !== undefined) {
    const owner = world.store.userByEmail(String(body['email']));
    if (owner !== undefined && owner.id !== id) {
      return refusal(400, 'A user with this email already exists.');
    }
  }
  const changed = {
    ...row.user,
    ...pickMembers(body, USER_MEMBERS),
    updatedAt: world.now(),
  } as SandboxUser;
  const user: SandboxUser = {
    ...changed,
    name: fullName(changed.firstName, changed.lastName),
    roles: [changed.role],
    metadata:
      body['metadata'] === undefined
        ? row.user.metadata
        : patchEntries(world, row.user.metadata, metadata),
  };
  world.store.putUser(user, world.nowMs());
  return jsonAnswer(200, user);
};

const USER_MEMBERS = [
  'firstName',
  'lastName',
  'email',
  'company',
  'role',
  'organizationId',
  'resellerId',
  'allowCustomerPortalAccess',
  'tags',
] as const;

type UserSeed = Partial<SandboxUser> & Pick<SandboxUser, 'email' | 'firstName'>;

/** Completes a user; what the seed does not say is as the vendor makes it. */
export function newUser(world: World, seed: UserSeed): SandboxUser {
  const now = world.now();
  const role = seed.role ?? 'user';
  const user: SandboxUser = {
    id: seed.id ?? world.newId(),
    createdAt: now,
    updatedAt: seed.createdAt ?? now,
    name: fullName(seed.firstName, seed.lastName ?? null),
    lastName: null,
    company: null,
    role,
    roles: [role],
    organizationId: null,
    organization: null,
    resellerId: null,
    allowCustomerPortalAccess: false,
    twoFactorEnabled: false,
    googleSsoEnabled: false,
    lastLoginAt: null,
    lastSeenAt: null,
    metadata: [],
    tags: [],
    ...seed,
  };
  return user;
}

function fullName(firstName: string, lastName: string | null): string {
  return lastName === null || lastName === '' ? firstName : `${firstName} ${lastName}`;
}

function userNotFound(id: string): Answer {
  return refusal(404, `User with id ${id} was not found.`);
}

export function textOrNull(value: JsonValue | undefined): string | null {
  return value === undefined || value === null ? null : String(value);
}

/** The members of a body that may be changed and are there. */
export function pickMembers(body: JsonObject, names: readonly string[]): JsonObject {
  const picked: JsonObject = {};
  for (const name of names) {
    const value = body[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
