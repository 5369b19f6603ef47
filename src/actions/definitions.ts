// The fixed set of actions as data: what each is called, which fields it takes, what it gives.
// Read by the engine, by the generator of the schema and by the reference page. Never executes.
// Longer than usual: it is one table.

import type { ActionCatalog, ActionDefinition, ActionField } from '../core/model.ts';

const FIND: ActionField = {
  type: 'find',
  required: true,
  description:
    'Which licenses: by `metadata`, `payment`, `productId`, `userId`, `suspended` or `key`. All criteria must hold, and at least one is needed.',
};

const MISSING: ActionField = {
  type: 'missing',
  description:
    'What it means that there is no such license. `wait`: the purchase may still be on its way (default). `fail`: the event fails. `ignore`: there is nothing to do.',
};

const BECAUSE: ActionField = {
  type: 'text',
  description:
    'What it is done for, as an id: the dispute, the refund. It is done once for that, whatever a person changes later, and `license.restore` with the same id takes it back.',
};

const USER_FIELDS = {
  email: {
    type: 'email',
    description:
      "The user's e-mail address; also how the user is looked up when `find` is left out.",
  },
  firstName: {
    type: 'text',
    description:
      'First name. Without one: the company, else the part of the e-mail address before the @.',
  },
  lastName: { type: 'text', description: 'Last name.' },
  company: { type: 'text', description: 'Company.' },
  metadata: {
    type: 'metadata',
    description: 'Metadata of the user, visible to administrators only.',
  },
  find: {
    type: 'find',
    description: 'Looks the user up by `metadata` instead of by e-mail address.',
  },
} as const satisfies Record<string, ActionField>;

const EMAIL_TAKEN: ActionField = {
  type: 'emailTaken',
  description:
    'When another user has the e-mail address already. `merge`: that user becomes this customer and takes over the licenses. `fail`: the event fails (default).',
};

const LICENSE_FIELDS = {
  userId: { type: 'text', description: 'The user that owns the license, as `=$user.id`.' },
  organizationId: { type: 'text', description: 'The organization that owns the license.' },
  resellerId: { type: 'text', description: 'The reseller of the license.' },
  entitlementSetId: { type: 'text', description: 'Id of an entitlement set.' },
  allowedActivations: {
    type: 'integer',
    description:
      'How many activations are allowed, 1 or more. 0 is refused: Cryptlex reads it as "unlimited". Leave it out to take it from the template.',
  },
  allowedDeactivations: { type: 'integer', description: 'How many deactivations are allowed.' },
  allowedFloatingClients: {
    type: 'integer',
    description: 'How many floating clients are allowed.',
  },
  maxAllowedReleaseVersion: {
    type: 'version',
    description: 'The newest release that the license may run, as "2.5" (in quotes).',
  },
  maintenancePolicyId: { type: 'text', description: 'Id of a maintenance policy.' },
  requireAuthentication: {
    type: 'boolean',
    description: 'Whether the user must sign in to activate.',
  },
  notes: { type: 'text', description: 'Notes for administrators.' },
  tags: { type: 'texts', description: 'Up to five tags.' },
  metadata: {
    type: 'metadata',
    description: 'Metadata of the license, visible to administrators only.',
  },
} as const satisfies Record<string, ActionField>;

const DEFINITIONS: readonly ActionDefinition[] = [
  {
    name: 'user.insert',
    summary: 'Finds the user, or creates one. A user that exists stays as it is.',
    kind: 'write',
    needsOnce: false,
    takesFrom: false,
    fields: { ...USER_FIELDS, email: { ...USER_FIELDS.email, required: true } },
    results: ['id'],
  },
  {
    name: 'user.upsert',
    summary:
      "Finds the user and gives it the event's names and e-mail address, or creates one. Never changes a role.",
    kind: 'write',
    needsOnce: false,
    takesFrom: false,
    fields: {
      ...USER_FIELDS,
      email: { ...USER_FIELDS.email, required: true },
      emailTaken: EMAIL_TAKEN,
    },
    results: ['id'],
  },
  {
    name: 'user.update',
    summary: 'Changes a user that exists; never creates one.',
    kind: 'write',
    needsOnce: false,
    takesFrom: false,
    fields: {
      userId: {
        type: 'text',
        description:
          'Id of the user, where the event may know it: tried first. Nobody has it: `find` and `email` are asked.',
      },
      ...USER_FIELDS,
      orEmail: {
        type: 'email',
        description:
          'Where nobody is found by `find`: the user with this e-mail address, who keeps it.',
      },
      emailTaken: EMAIL_TAKEN,
      missing: {
        type: 'missing',
        description:
          'What it means that there is no such user: `fail` (default), `wait` or `ignore`.',
      },
    },
    results: ['id'],
  },
  {
    name: 'license.create',
    summary:
      'Creates one license, or as many as `quantity` says: up to the wanted number, however often it is asked.',
    kind: 'write',
    needsOnce: true,
    takesFrom: true,
    fields: {
      productId: { type: 'text', required: true, description: 'Id of the product in Cryptlex.' },
      licenseTemplateId: {
        type: 'text',
        description: "Id of the license template; without it the product's default is used.",
      },
      quantity: {
        type: 'quantity',
        description: 'How many licenses, 1 to 10000; 1 when left out.',
      },
      subscriptionInterval: {
        type: 'interval',
        description:
          'ISO 8601 interval such as P1M or P1Y; "" makes the license perpetual; left out, the template says it.',
      },
      subscriptionStartTrigger: {
        type: 'startTrigger',
        description: 'Whether the interval starts with `creation` or with the first `activation`.',
      },
      expiresAt: { type: 'date', description: 'A fixed end, as an ISO 8601 date.' },
      type: {
        type: 'licenseType',
        description: '`node-locked`, `hosted-floating` or `on-premise-floating`.',
      },
      ...LICENSE_FIELDS,
    },
    results: [],
  },
  {
    name: 'license.renew',
    summary: 'Adds one interval to the expiry of every license found, once for each payment.',
    kind: 'write',
    needsOnce: true,
    takesFrom: false,
    fields: {
      find: FIND,
      whenSuspended: {
        type: 'whenSuspended',
        description:
          'What happens to a suspended license. `resume: true` lifts the suspension and renews; with `expiresAt` the expiry is set instead of renewed.',
      },
      missing: MISSING,
    },
    results: [],
  },
  {
    name: 'license.suspend',
    summary: 'Suspends every license found.',
    kind: 'write',
    needsOnce: false,
    takesFrom: false,
    fields: { find: FIND, because: BECAUSE, missing: MISSING },
    results: [],
  },
  {
    name: 'license.resume',
    summary: 'Lifts the suspension of every license found.',
    kind: 'write',
    needsOnce: false,
    takesFrom: false,
    fields: {
      find: FIND,
      expiresAt: {
        type: 'date',
        description: 'Also sets the expiry of those that were suspended.',
      },
      missing: MISSING,
    },
    results: [],
  },
  {
    name: 'license.revoke',
    summary: 'Revokes every license found.',
    kind: 'write',
    needsOnce: false,
    takesFrom: false,
    fields: { find: FIND, because: BECAUSE, missing: MISSING },
    results: [],
  },
  {
    name: 'license.restore',
    summary:
      'Takes back what was done to the licenses found `because` of the same: lifts that suspension, undoes that revocation. What a person or another rule did stays.',
    kind: 'write',
    needsOnce: false,
    takesFrom: false,
    fields: {
      find: FIND,
      because: {
        type: 'text',
        required: true,
        description: 'The id that the suspension or revocation was given.',
      },
      missing: MISSING,
    },
    results: [],
  },
  {
    name: 'license.delete',
    summary: 'Deletes every license found, for good. At most `maxDelete` of one event.',
    kind: 'write',
    needsOnce: false,
    takesFrom: false,
    fields: { find: FIND, missing: MISSING },
    results: [],
  },
  {
    name: 'license.setExpiry',
    summary: 'Sets the expiry of every license found.',
    kind: 'write',
    needsOnce: false,
    takesFrom: false,
    fields: {
      find: FIND,
      expiresAt: { type: 'date', required: true, description: 'The new end, as an ISO 8601 date.' },
      missing: MISSING,
    },
    results: [],
  },
  {
    name: 'license.update',
    summary: 'Changes the given fields of every license found.',
    kind: 'write',
    needsOnce: false,
    takesFrom: false,
    fields: { find: FIND, missing: MISSING, ...LICENSE_FIELDS },
    results: [],
  },
  {
    name: 'license.get',
    summary: 'Reads the oldest license found, before anything is written.',
    kind: 'read',
    needsOnce: false,
    takesFrom: false,
    fields: { find: FIND, missing: MISSING },
    results: [
      'id',
      'productId',
      'subscriptionInterval',
      'subscriptionStartTrigger',
      'expiresAt',
      'allowedActivations',
      'maxAllowedReleaseVersion',
      'entitlementSetId',
    ],
  },
  {
    name: 'licenseTemplate.get',
    summary: 'Reads a license template, before anything is written.',
    kind: 'read',
    needsOnce: false,
    takesFrom: false,
    fields: { id: { type: 'text', required: true, description: 'Id of the license template.' } },
    results: [
      'id',
      'name',
      'subscriptionInterval',
      'subscriptionStartTrigger',
      'allowedActivations',
      'type',
    ],
  },
  {
    name: 'payment.link',
    summary:
      'Says that two ids name one payment: what is noted under one is found by the other. Calls nothing.',
    kind: 'write',
    needsOnce: false,
    takesFrom: false,
    fields: {
      id: { type: 'text', required: true, description: 'One id of the payment.' },
      to: { type: 'text', required: true, description: 'Another id of it, such as its invoice.' },
    },
    results: [],
  },
];

/** Every action by its name. */
export const ACTIONS: ActionCatalog = Object.fromEntries(
  DEFINITIONS.map((definition) => [definition.name, definition]),
);
