// All that the sandbox knows: users, licenses, templates, products, with their indexes.
// Takes whole rows, gives rows. Never checks a rule of the API: that is done before.

import { Table } from './table.ts';
import type {
  SandboxLicense,
  SandboxProduct,
  SandboxState,
  SandboxTemplate,
  SandboxUser,
  StoredLicense,
} from './types.ts';

export interface UserRow {
  readonly id: string;
  readonly seq: number;
  readonly createdAt: string;
  readonly user: SandboxUser;
}

export interface LicenseRow {
  readonly id: string;
  readonly seq: number;
  readonly createdAt: string;
  readonly license: StoredLicense;
  readonly userId: string | null;
  readonly templateId: string;
}

type Index = Map<string, Set<string>>;

export class Store {
  readonly users = new Table<UserRow>();
  readonly licenses = new Table<LicenseRow>();
  readonly templates = new Map<string, SandboxTemplate>();
  readonly products = new Map<string, SandboxProduct>();
  readonly #userIdByEmail = new Map<string, string>();
  readonly #licenseIdByKey = new Map<string, string>();
  readonly #licenseIdsByMetadataValue: Index = new Map();
  readonly #licenseIdsByUser: Index = new Map();
  readonly #userIdsByMetadataValue: Index = new Map();
  #seq = 0;

  clear(): void {
    this.users.clear();
    this.licenses.clear();
    this.templates.clear();
    this.products.clear();
    this.#userIdByEmail.clear();
    this.#licenseIdByKey.clear();
    this.#licenseIdsByMetadataValue.clear();
    this.#licenseIdsByUser.clear();
    this.#userIdsByMetadataValue.clear();
    this.#seq = 0;
  }

  putUser(user: SandboxUser, atMs: number): void {
    const old = this.users.get(user.id);
    if (old !== undefined) this.#forgetUser(old.user);
    const seq = old?.seq ?? this.#nextSeq();
    this.users.put({ id: user.id, seq, createdAt: user.createdAt, user }, atMs);
    this.#userIdByEmail.set(user.email.toLowerCase(), user.id);
    for (const entry of user.metadata) add(this.#userIdsByMetadataValue, entry.value, user.id);
  }

  #forgetUser(user: SandboxUser): void {
    this.#userIdByEmail.delete(user.email.toLowerCase());
    for (const entry of user.metadata) remove(this.#userIdsByMetadataValue, entry.value, user.id);
  }

  putLicense(row: Omit<LicenseRow, 'id' | 'seq' | 'createdAt'>, atMs: number): LicenseRow {
    const { license } = row;
    const old = this.licenses.get(license.id);
    if (old !== undefined) this.#forgetLicense(old);
    const seq = old?.seq ?? this.#nextSeq();
    const put = { ...row, id: license.id, seq, createdAt: license.createdAt };
    this.licenses.put(put, atMs);
    this.#licenseIdByKey.set(license.key, license.id);
    for (const entry of license.metadata) {
      add(this.#licenseIdsByMetadataValue, entry.value, license.id);
    }
    for (const userId of ownersOf(put)) add(this.#licenseIdsByUser, userId, license.id);
    return put;
  }

  deleteLicense(row: LicenseRow, atMs: number): void {
    this.#forgetLicense(row);
    this.licenses.delete(row.id, atMs);
  }

  #forgetLicense(row: LicenseRow): void {
    this.#licenseIdByKey.delete(row.license.key);
    for (const entry of row.license.metadata) {
      remove(this.#licenseIdsByMetadataValue, entry.value, row.id);
    }
    for (const userId of ownersOf(row)) remove(this.#licenseIdsByUser, userId, row.id);
  }

  /** Without regard to case, as the vendor's accounts are unique by address. */
  userByEmail(email: string): SandboxUser | undefined {
    const id = this.#userIdByEmail.get(email.toLowerCase());
    return id === undefined ? undefined : this.users.get(id)?.user;
  }

  usersWithMetadataValue(value: string): readonly UserRow[] {
    return pick(this.users, this.#userIdsByMetadataValue.get(value));
  }

  licenseWithKey(key: string): LicenseRow | undefined {
    const id = this.#licenseIdByKey.get(key);
    return id === undefined ? undefined : this.licenses.get(id);
  }

  licensesWithMetadataValue(value: string): readonly LicenseRow[] {
    return pick(this.licenses, this.#licenseIdsByMetadataValue.get(value));
  }

  /** Those the user owns and those it may use besides. */
  licensesOfUser(userId: string): readonly LicenseRow[] {
    return pick(this.licenses, this.#licenseIdsByUser.get(userId));
  }

  userOf(row: LicenseRow): SandboxUser | null {
    return row.userId === null ? null : (this.users.get(row.userId)?.user ?? null);
  }

  #nextSeq(): number {
    this.#seq += 1;
    return this.#seq;
  }
}

export function ownersOf(row: Pick<LicenseRow, 'userId' | 'license'>): readonly string[] {
  const { additionalUserIds } = row.license;
  return row.userId === null ? additionalUserIds : [row.userId, ...additionalUserIds];
}

/** The license as the API answers it: with its user whole, without the template it came from. */
export function wireLicense(store: Store, row: LicenseRow): object {
  return { ...row.license, user: store.userOf(row) };
}

/** A window on the store for assertions, in the order of insertion. */
export function stateOf(store: Store): SandboxState {
  return {
    get users(): readonly SandboxUser[] {
      return Array.from(store.users.values(), (row) => row.user);
    },
    get licenses(): readonly SandboxLicense[] {
      return Array.from(store.licenses.values(), (row) => ({
        ...row.license,
        user: store.userOf(row),
        userId: row.userId,
        licenseTemplateId: row.templateId,
      }));
    },
    get licenseTemplates(): readonly SandboxTemplate[] {
      return [...store.templates.values()];
    },
    get products(): readonly SandboxProduct[] {
      return [...store.products.values()];
    },
  };
}

function add(index: Index, value: string, id: string): void {
  const ids = index.get(value);
  if (ids === undefined) index.set(value, new Set([id]));
  else ids.add(id);
}

function remove(index: Index, value: string, id: string): void {
  const ids = index.get(value);
  ids?.delete(id);
  if (ids?.size === 0) index.delete(value);
}

function pick<R extends { id: string; seq: number; createdAt: string }>(
  table: Table<R>,
  ids: ReadonlySet<string> | undefined,
): readonly R[] {
  const rows: R[] = [];
  for (const id of ids ?? []) {
    const row = table.get(id);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}
