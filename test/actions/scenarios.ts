// The plans whose end state must be the same whatever goes wrong on the way. Takes nothing; each has
// what is there before and the steps of one event.

import type { SandboxGiven } from '../../src/sandbox/types.ts';
import type { Step } from './bench.ts';

export interface Scenario {
  readonly name: string;
  readonly given?: SandboxGiven;
  readonly steps: readonly Step[];
}

const FIND = { metadata: { sub: 's1' } };
const PAID = '2026-06-01T00:00:00Z';

function license(id: string, members: object = {}) {
  return {
    id,
    productId: 'p1',
    user: 'ada@example.com',
    metadata: { sub: 's1' },
    subscriptionInterval: 'P1M',
    expiresAt: '2026-02-01T00:00:00Z',
    ...members,
  };
}

const THREE: SandboxGiven = {
  licenses: [
    license('l1'),
    license('l2', { suspended: true }),
    license('l3'),
    // A stranger whose metadata matches key and value in two entries: an API that looks for each in
    // any entry gives it along.
    license('x1', { user: 'eve@example.com', metadata: { sub: 'other', ref: 's1' } }),
  ],
};

const USER = { email: 'ada@example.com', firstName: 'Ada', lastName: 'Lovelace' };

export const CREATE_ONE: Scenario = {
  name: 'a purchase of one license',
  steps: [
    { action: 'user.insert', input: USER, as: 'user' },
    {
      action: 'license.create',
      input: { productId: 'p1', userId: { $ref: 'user.id' }, metadata: { sub: 's1' } },
      once: 'sale-1',
    },
  ],
};

export const CREATE_FIVE: Scenario = {
  name: 'a purchase of five licenses',
  steps: [
    { action: 'user.insert', input: USER, as: 'user' },
    {
      action: 'license.create',
      input: { productId: 'p1', quantity: 5, userId: { $ref: 'user.id' }, metadata: { sub: 's1' } },
      once: 'sale-1',
      unitKey: 'item-1',
    },
  ],
};

const renew = (input: object = {}): Step => ({
  action: 'license.renew',
  input: { find: FIND, ...input },
  once: 'invoice-1',
});

export const RENEW_THREE: Scenario = {
  name: 'a renewal of three licenses',
  given: THREE,
  steps: [renew()],
};

export const RENEW_AND_RESUME: Scenario = {
  name: 'a renewal that resumes',
  given: THREE,
  steps: [renew({ whenSuspended: { resume: true } })],
};

export const RENEW_TO_DATE: Scenario = {
  name: 'a renewal that sets the expiry of those suspended',
  given: THREE,
  steps: [renew({ whenSuspended: { resume: true, expiresAt: PAID } })],
};

const MERGE: Scenario = {
  name: 'a user whose address belongs to another user',
  given: {
    users: [
      { id: 'u1', email: 'ctm_1@cryptlexpaddle.com', metadata: { customer: 'c1' } },
      { id: 'u2', email: 'ada@example.com', metadata: { crm: '7' } },
    ],
    licenses: [
      license('l1', { user: 'ctm_1@cryptlexpaddle.com' }),
      license('l2', { user: 'ctm_1@cryptlexpaddle.com' }),
      license('l3', { user: 'ada@example.com', additionalUserIds: ['u1'] }),
    ],
  },
  steps: [
    {
      action: 'user.upsert',
      input: {
        ...USER,
        find: { metadata: { customer: 'c1' } },
        metadata: { customer: 'c1' },
        emailTaken: 'merge',
      },
      as: 'user',
    },
  ],
};

export const SCENARIOS: readonly Scenario[] = [
  CREATE_ONE,
  CREATE_FIVE,
  RENEW_THREE,
  RENEW_AND_RESUME,
  RENEW_TO_DATE,
  {
    name: 'a suspension',
    given: THREE,
    steps: [{ action: 'license.suspend', input: { find: FIND } }],
  },
  {
    name: 'a suspension because of a dispute',
    given: THREE,
    steps: [{ action: 'license.suspend', input: { find: FIND, because: 'du_1' } }],
  },
  {
    name: 'a dispute that is won as soon as it is told',
    given: THREE,
    steps: [
      { action: 'license.revoke', input: { find: FIND, because: 'du_1' } },
      { action: 'license.restore', input: { find: FIND, because: 'du_1' } },
    ],
  },
  {
    name: 'a resumption with an expiry',
    given: THREE,
    steps: [
      {
        action: 'license.resume',
        input: { find: { ...FIND, suspended: true }, expiresAt: PAID, missing: 'ignore' },
      },
    ],
  },
  {
    name: 'a revocation',
    given: THREE,
    steps: [{ action: 'license.revoke', input: { find: FIND } }],
  },
  {
    name: 'an expiry',
    given: THREE,
    steps: [{ action: 'license.setExpiry', input: { find: FIND, expiresAt: PAID } }],
  },
  {
    name: 'an update',
    given: THREE,
    steps: [
      {
        action: 'license.update',
        input: { find: FIND, notes: 'paid', metadata: { plan: 'gold' } },
      },
    ],
  },
  {
    name: 'a deletion',
    given: THREE,
    steps: [{ action: 'license.delete', input: { find: FIND } }],
  },
  {
    name: 'a new user',
    steps: [{ action: 'user.upsert', input: { ...USER, metadata: { customer: 'c1' } } }],
  },
  {
    name: 'a user with a new name and address',
    given: { users: [{ id: 'u1', email: 'old@example.com', metadata: { customer: 'c1' } }] },
    steps: [
      {
        action: 'user.upsert',
        input: { ...USER, find: { metadata: { customer: 'c1' } }, metadata: { customer: 'c1' } },
      },
    ],
  },
  MERGE,
  {
    ...MERGE,
    name: 'a user whose address belongs to an older user',
    given: { ...MERGE.given, users: [...(MERGE.given?.users ?? [])].reverse() },
  },
];
