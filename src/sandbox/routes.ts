// Which handler does which operation of the OpenAPI document. A table only.
// An operation without a handler does not exist in the sandbox (404); a test keeps the table whole.

import { getLicenseTemplate, getProduct } from './catalog.ts';
import {
  createLicense,
  deleteLicense,
  getLicense,
  listLicenses,
  renewLicense,
  updateLicense,
  updateLicenseExpiresAt,
} from './licenses.ts';
import { createUser, getUser, listUsers, updateUser } from './users.ts';
import type { Handler } from './world.ts';

export const HANDLERS: ReadonlyMap<string, Handler> = new Map(
  Object.entries({
    listUsers,
    createUser,
    getUser,
    updateUser,
    listLicenses,
    createLicense,
    getLicense,
    updateLicense,
    deleteLicense,
    renewLicense,
    updateLicenseExpiresAt,
    getLicenseTemplate,
    getProduct,
  } satisfies Record<string, Handler>),
);
