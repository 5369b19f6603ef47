// Short names for the objects of the Cryptlex Web API. Takes the generated types, gives aliases.
// Never adds a member: what Cryptlex sends is described in schema/cryptlex.openapi.yaml alone.

import type { components } from './types.generated.ts';

type Schemas = components['schemas'];

export type User = Schemas['User'];
export type UserCreate = Schemas['UserCreate'];
export type UserUpdate = Schemas['UserUpdate'];
export type License = Schemas['License'];
export type LicenseCreate = Schemas['LicenseCreate'];
export type LicenseUpdate = Schemas['LicenseUpdate'];
export type LicenseTemplate = Schemas['LicenseTemplate'];
export type Product = Schemas['Product'];
export type Metadata = Schemas['Metadata'];
export type MetadataInput = Schemas['MetadataInput'];
