// Short names for the objects of the Cryptlex Web API. Takes the generated types, gives aliases.
// Never adds a member: what Cryptlex sends is described in schema/cryptlex.openapi.yaml alone. In an answer only
// the id is certain: whoever reads another member says what becomes of it when it is missing.

import type { components } from './types.generated.ts';

type Schemas = components['schemas'];

type Answered<T extends { readonly id: string }> = Pick<T, 'id'> & {
  readonly [Member in keyof T as Member extends 'id' ? never : Member]?: T[Member];
};

export type User = Answered<Schemas['User']>;
export type UserCreate = Schemas['UserCreate'];
export type UserUpdate = Schemas['UserUpdate'];
export type License = Answered<Schemas['License']>;
export type LicenseCreate = Schemas['LicenseCreate'];
export type LicenseUpdate = Schemas['LicenseUpdate'];
export type LicenseTemplate = Answered<Schemas['LicenseTemplate']>;
export type Product = Answered<Schemas['Product']>;
export type Metadata = Schemas['Metadata'];
export type MetadataInput = Schemas['MetadataInput'];
