// Putting things there before a run. Takes partial users, licenses, templates and products as a
// rule test or `--given` writes them, completes them and stores them. Never overwrites by accident:
// what is given twice, misspelt or impossible is told.

import { AppError } from '../core/error-codes.ts';
import { formatInstant, parseInstant } from '../core/interval.ts';
import type { JsonObject } from '../core/model.ts';
import { putProduct, putTemplate } from './catalog.ts';
import { draftLicense } from './license-draft.ts';
import { LICENSE_INSTANTS, LICENSE_MEMBERS, TEMPLATE_MEMBERS, USER_MEMBERS } from './members.ts';
import type { MetadataInput } from './metadata.ts';
import { newEntry } from './metadata.ts';
import type {
  GivenLicense,
  GivenMetadata,
  GivenUser,
  SandboxGiven,
  SandboxUser,
  StoredLicense,
} from './types.ts';
import { newUser } from './users.ts';
import type { World } from './world.ts';

const GIVEN_PRODUCT_ID = 'product-1';

/**
 * Users come before licenses, so that these can name them. Gives the ids of the licenses, in their order.
 * @throws INPUT_UNREADABLE for unknown members, malformed dates, taken addresses, ids or keys.
 */
export function seedWorld(world: World, given: SandboxGiven): readonly string[] {
  refuseUnknown('given', given, ['users', 'licenses', 'licenseTemplates', 'products']);
  for (const template of given.licenseTemplates ?? []) {
    refuseUnknown('license template', template, TEMPLATE_MEMBERS);
    putTemplate(world, template);
  }
  for (const product of given.products ?? []) {
    refuseUnknown('product', product, ['id', 'name', 'licenseTemplateId']);
    putProduct(world, product);
  }
  for (const user of given.users ?? []) seedUser(world, user);
  return (given.licenses ?? []).map((license) => seedLicense(world, license));
}

function seedUser(world: World, given: GivenUser): SandboxUser {
  refuseUnknown('user', given, USER_MEMBERS);
  const { metadata, ...members } = given;
  const id = given.id ?? world.newId();
  const email = given.email ?? `user-${world.store.users.size + 1}@example.com`;
  if (world.store.users.get(id) !== undefined) unreadable(`user ${id} is given twice`);
  if (world.store.userByEmail(email) !== undefined) {
    unreadable(`two users are given the e-mail ${email}`);
  }
  const user = newUser(world, {
    ...instants('user', members, ['createdAt', 'updatedAt', 'lastLoginAt', 'lastSeenAt']),
    id,
    email,
    firstName: given.firstName ?? email.split('@')[0] ?? 'User',
    metadata: inputsOf('user', metadata).map((input) => newEntry(world, input)),
  });
  world.store.putUser(user, world.nowMs());
  return user;
}

function seedLicense(world: World, given: GivenLicense): string {
  refuseUnknown('license', given, LICENSE_MEMBERS);
  const { metadata, user, perpetual, payment: _payment, ...members } = given;
  const { store } = world;
  const productId = given.productId ?? GIVEN_PRODUCT_ID;
  // What is given exists: a closed list of products or templates does not shut it out.
  if (store.products.get(productId) === undefined) putProduct(world, { id: productId });
  const templateId = given.licenseTemplateId;
  if (templateId !== undefined && store.templates.get(templateId) === undefined) {
    putTemplate(world, { id: templateId });
  }
  const inputs = inputsOf('license', metadata);
  for (const id of given.additionalUserIds ?? []) findOrSeedUser(world, id);
  const known = instants('license', members, LICENSE_INSTANTS);
  const body = {
    ...known,
    productId,
    userId: ownerOf(world, user ?? given.userId),
    metadata: inputs,
    ...(perpetual === true ? { subscriptionInterval: '' } : {}),
  };
  const draft = draftLicense(world, body as unknown as JsonObject);
  if (draft.kind === 'refused') {
    const { content } = draft.answer;
    unreadable(`a given license is refused: ${JSON.stringify(content)}`);
  }
  const { userId: _userId, licenseTemplateId: _templateId, ...own } = known;
  if (given.id !== undefined && store.licenses.get(given.id) !== undefined) {
    unreadable(`license ${given.id} is given twice`);
  }
  const { license } = draft;
  const stored = {
    ...license,
    ...own,
    // Null stands for "the template's" here, too, and an empty key for one to be made.
    subscriptionInterval: license.subscriptionInterval,
    key: license.key,
    metadata: license.metadata,
    perpetual: perpetual ?? license.perpetual,
  } as StoredLicense;
  store.putLicense({ ...draft, license: stored }, world.nowMs());
  return stored.id;
}

function ownerOf(world: World, named: string | null | undefined): string | null {
  return named === undefined || named === null ? null : findOrSeedUser(world, named).id;
}

/** By e-mail address where there is an @, else by id. */
function findOrSeedUser(world: World, named: string): SandboxUser {
  const { store } = world;
  const isEmail = named.includes('@');
  const found = isEmail ? store.userByEmail(named) : store.users.get(named)?.user;
  return found ?? seedUser(world, isEmail ? { email: named } : { id: named });
}

function inputsOf(what: string, metadata: GivenMetadata | undefined): readonly MetadataInput[] {
  const inputs = Array.isArray(metadata)
    ? (metadata as readonly MetadataInput[])
    : Object.entries(metadata ?? {}).map(([key, value]) => ({ key, value: String(value) }));
  for (const { key, value } of inputs) {
    if (typeof key !== 'string' || key === '' || typeof value !== 'string') {
      unreadable(`metadata of a given ${what} must be texts by key`);
    }
  }
  return inputs;
}

/** Rewrites the named members the way the API writes them, so that filters and sorting hold. */
function instants<T extends object>(what: string, members: T, names: readonly string[]): T {
  const rewritten = { ...members } as Record<string, unknown>;
  for (const name of names) {
    const value = rewritten[name];
    if (value === undefined || value === null) continue;
    const ms = value instanceof Date ? value.getTime() : parseInstant(String(value));
    if (ms === undefined) unreadable(`${name} of a given ${what} is no date: ${String(value)}`);
    rewritten[name] = formatInstant(ms);
  }
  return rewritten as T;
}

function refuseUnknown(what: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    unreadable(`"${unknown}" is not known of a ${what}; known are ${known.join(', ')}`);
  }
}

function unreadable(message: string): never {
  throw new AppError('INPUT_UNREADABLE', message);
}
