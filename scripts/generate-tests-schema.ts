// Writes schema/tests.schema.json from the actions, what the sandbox can be given, and the shape of a
// rule test below. With --check it only says whether the file is up to date (exit code 1 when it is not).

import { readFileSync, writeFileSync } from 'node:fs';
import { ACTIONS } from '../src/actions/definitions.ts';
import type { ActionDefinition } from '../src/core/model.ts';
import { EVENT_STATUSES } from '../src/core/model.ts';
import { PROVIDERS } from '../src/core/providers.ts';
import type { GivenLicense, GivenProduct, GivenTemplate, GivenUser } from '../src/sandbox/types.ts';

type Schema = Record<string, unknown>;
/** A member that is missing here does not compile. */
type Members<T> = Record<keyof Required<T>, Schema>;

const text = (description: string, example: unknown = 'x'): Schema => ({
  description,
  type: ['string', 'null'],
  examples: [example],
});
const whole = (description: string, example: number): Schema => ({
  description,
  type: 'integer',
  examples: [example],
});
const flag = (description: string): Schema => ({
  description,
  type: 'boolean',
  examples: [true],
});
const texts = (description: string, example: string): Schema => ({
  description,
  type: 'array',
  items: { type: 'string' },
  examples: [[example]],
});
const moment = (description: string): Schema => ({
  description: `${description} A time in ISO 8601, or a date.`,
  type: ['string', 'null'],
  examples: ['2026-02-28T09:00:00Z'],
});

const METADATA: Schema = {
  description: 'Metadata: key to value.',
  type: ['object', 'array'],
  additionalProperties: { type: ['string', 'number', 'boolean', 'null'] },
  items: { type: 'object' },
  examples: [{ stripe_subscription_id: 'sub_1' }],
};

const USER: Members<GivenUser> = {
  id: text('Its id; one is made unless said.', '00000000-0000-4000-8000-000000000001'),
  createdAt: moment('When it was made.'),
  updatedAt: moment('When it was changed last.'),
  name: text('First and last name together.', 'Ann Smith'),
  firstName: text('First name.', 'Ann'),
  lastName: text('Last name.', 'Smith'),
  email: text('E-mail address; no two users have the same.', 'ann@example.com'),
  company: text('Company.', 'Northlight Tools'),
  role: text('`user`, or the role of somebody who works for you.', 'user'),
  roles: texts('All its roles.', 'user'),
  organizationId: text('Its organization.', '00000000-0000-4000-8000-000000000002'),
  resellerId: text('Its reseller.', '00000000-0000-4000-8000-000000000003'),
  allowCustomerPortalAccess: flag('Whether it may use the customer portal.'),
  twoFactorEnabled: flag('Whether it signs in with two factors.'),
  googleSsoEnabled: flag('Whether it signs in with Google.'),
  lastLoginAt: moment('When it signed in last.'),
  lastSeenAt: moment('When it was seen last.'),
  metadata: METADATA,
  tags: texts('Tags.', 'beta'),
};

const LICENSE: Members<GivenLicense> = {
  id: text('Its id; one is made unless said.', '00000000-0000-4000-8000-000000000004'),
  createdAt: moment('When it was made.'),
  updatedAt: moment('When it was changed last.'),
  key: text('The license key.', 'AAAAAA-BBBBBB-CCCCCC-DDDDDD-EEEEEE-FFFFFF'),
  type: text('`node-locked` or `hosted-floating`.', 'node-locked'),
  revoked: flag('Whether it is revoked.'),
  suspended: flag('Whether it is suspended.'),
  perpetual: flag('Whether it runs for ever.'),
  allowedActivations: whole('How many activations it allows.', 5),
  allowedDeactivations: whole('How many deactivations it allows.', 3),
  allowedFloatingClients: whole('How many floating clients it allows.', 10),
  totalActivations: whole('How many activations there are.', 1),
  totalDeactivations: whole('How many deactivations there were.', 0),
  subscriptionInterval: text('How long one period is, in ISO 8601; "" is perpetual.', 'P1M'),
  subscriptionStartTrigger: text('When the first period begins.', 'creation'),
  validity: whole('Seconds it is valid; the forerunner of the interval.', 0),
  expirationStrategy: text('What begins its time.', 'immediate'),
  effectiveDate: moment('From when on it is valid.'),
  activatedAt: moment('When it was activated first.'),
  lastUsedAt: moment('When it was used last.'),
  expiresAt: moment('When it ends.'),
  maintenanceExpiresAt: moment('When its maintenance ends.'),
  maxAllowedReleaseVersion: text('The newest version it may run.', '2.9'),
  currentReleaseVersion: text('The version it runs.', '2.4'),
  requireAuthentication: flag('Whether its user has to sign in.'),
  productId: text('Its product.', 'a9197f4a-49e0-48a8-b8cc-365e12442b7a'),
  productVersionId: text('The version of its product.', '00000000-0000-4000-8000-000000000005'),
  entitlementSetId: text('Its entitlement set.', '699fc9e2-b595-44ed-b379-7de372f81db7'),
  maintenancePolicyId: text('Its maintenance policy.', '00000000-0000-4000-8000-000000000006'),
  organizationId: text('Its organization.', '00000000-0000-4000-8000-000000000002'),
  resellerId: text('Its reseller.', '00000000-0000-4000-8000-000000000003'),
  additionalUserIds: texts('Further users, by id or e-mail address.', 'ben@example.com'),
  notes: text('Notes.', 'bought at the fair'),
  tags: texts('Tags.', 'beta'),
  metadata: METADATA,
  meterAttributes: {
    description: 'What is counted.',
    type: 'array',
    examples: [[{ name: 'exports', allowedUses: 10 }]],
  },
  user: text("Its owner's e-mail address.", 'ann@example.com'),
  userId: text("Its owner's id.", '00000000-0000-4000-8000-000000000001'),
  licenseTemplateId: text('The template it was made from.', '04ba627c-d8f2-4100-94e9-513cab4c05c3'),
  payment: text('The payment it was bought with, by which a refund finds it.', 'pi_1'),
};

const TEMPLATE: Members<GivenTemplate> = {
  id: text('Its id.', '04ba627c-d8f2-4100-94e9-513cab4c05c3'),
  createdAt: moment('When it was made.'),
  updatedAt: moment('When it was changed last.'),
  name: text('Its name.', 'Monthly'),
  type: text('The type of its licenses.', 'node-locked'),
  keyPattern: text('How keys are formed.', 'AAAAAA-AAAAAA'),
  subscriptionInterval: text('How long a period of its licenses is; "" is perpetual.', 'P1M'),
  subscriptionStartTrigger: text('When the first period begins.', 'creation'),
  validity: whole('Seconds its licenses are valid; the forerunner of the interval.', 0),
  expirationStrategy: text('What begins the time of its licenses.', 'immediate'),
  allowedActivations: whole('How many activations its licenses allow.', 5),
  allowedDeactivations: whole('How many deactivations its licenses allow.', 3),
  allowedFloatingClients: whole('How many floating clients its licenses allow.', 10),
  requireAuthentication: flag('Whether users have to sign in.'),
  requiredMetadataKeys: texts('Metadata that each license must have.', 'order_id'),
  requiredMeterAttributes: texts('What must be counted.', 'exports'),
};

const PRODUCT: Members<GivenProduct> = {
  id: text('Its id.', 'a9197f4a-49e0-48a8-b8cc-365e12442b7a'),
  name: text('Its name.', 'Northlight Pro'),
  licenseTemplateId: text(
    'The template of licenses that name none.',
    '04ba627c-d8f2-4100-94e9-513cab4c05c3',
  ),
};

const closed = (description: string, properties: Schema, more: Schema = {}): Schema => ({
  description,
  type: 'object',
  additionalProperties: false,
  ...more,
  properties,
});

const list = (description: string, ref: string, example: unknown): Schema => ({
  description,
  type: 'array',
  items: { $ref: `#/$defs/${ref}` },
  examples: [[example]],
});

const SUBSCRIPTION = { metadata: { stripe_subscription_id: 'sub_1' } };

function planStep(): Schema {
  const actions = Object.values(ACTIONS).map(
    (definition) => [definition.name, plannedAction(definition)] as const,
  );
  return closed('One step of the plan: its action with the fields that matter here.', {
    ...Object.fromEntries(actions),
    once: text('The fact it is done once for.', 'sub_1'),
    payments: {
      description: 'What it was paid with.',
      type: 'array',
      items: { type: 'string' },
      examples: [['pi_1']],
    },
    item: text('The item of the loop it belongs to, by its key.', 'northlight-pro'),
    as: text('The name of its result.', 'user'),
    rule: text('The rule it comes from; of a loop `order-completed/one-time`.', 'order-completed'),
  });
}

/** A plan holds values, so a field may be of any kind here; its name must be one of the action's. */
function plannedAction({ summary, fields }: ActionDefinition): Schema {
  const members = Object.entries(fields).map(([name, { description }]) => [
    name,
    { description, examples: ['…'] },
  ]);
  return {
    description: summary,
    type: ['object', 'null'],
    additionalProperties: false,
    properties: Object.fromEntries(members),
    examples: [{}],
  };
}

const EVENT_EXPECTATIONS: Record<string, Schema> = {
  rule: {
    description: 'The rule that fits, or a list where several do (`continue`); null for none.',
    type: ['string', 'array', 'null'],
    items: { type: 'string' },
    examples: ['subscription-renewed'],
  },
  outcome: {
    description: 'What the rules make of the event.',
    type: 'string',
    enum: ['matched', 'ignored', 'unmatched', 'failed'],
    examples: ['matched'],
  },
  status: {
    description: 'How the event stands after the step; `refused` is not let in at all.',
    type: 'string',
    enum: [...EVENT_STATUSES, 'refused'],
    examples: ['done'],
  },
  duplicate: flag('Whether the event was done before, so that nothing is called.'),
  reason: text('A part of the reason that is told.', 'not completed yet'),
  message: text('A part of the message that is told.', '1 license renewed'),
  errors: {
    description: 'Codes of what is wrong, in any order; [] for none.',
    type: 'array',
    items: { type: 'string' },
    examples: [['FIELD_MISSING']],
  },
  plan: list('Steps of the plan, in their order; [] for none.', 'planStep', {
    'license.renew': { find: SUBSCRIPTION },
  }),
  timer: {
    description: 'The clock that the plan waits for; null where it is carried out at once.',
    type: ['object', 'null'],
    additionalProperties: false,
    properties: {
      name: text('Its name.', 'grace'),
      key: text('What it belongs to.', 'sub_1'),
      after: text('How long it runs.', 'P7D'),
      dueAt: text('When it is due, if this event starts it.', '2026-01-08T09:00:00Z'),
    },
    examples: [{ name: 'grace', after: 'P7D' }],
  },
  cancels: texts('The names of the clocks that the event stops; [] for none.', 'grace'),
};

const EXPECT: Schema = closed(
  'What is seen after the step. Only what is written is compared, unless `exact` says otherwise.',
  {
    ...EVENT_EXPECTATIONS,
    events: {
      description:
        'The same for each event, where a step has several: in the order in which they are handled.',
      type: 'array',
      items: closed('What is expected of one event.', EVENT_EXPECTATIONS),
      examples: [[{ rule: 'order-completed' }, { status: 'failed' }]],
    },
    licenses: list(
      'Licenses that are there after the step, in any order; [] for none.',
      'license',
      { suspended: false, expiresAt: '2026-02-28' },
    ),
    licenseCount: whole('How many licenses are there after the step.', 1),
    users: list('Users that are there after the step, in any order; [] for none.', 'user', {
      email: 'ann@example.com',
    }),
    userCount: whole('How many users are there after the step.', 1),
    requests: list('Calls to Cryptlex made in the step, in their order; [] for none.', 'request', {
      method: 'POST',
      path: '/v3/licenses/{id}/renew',
    }),
    exact: {
      description:
        'True: the lists hold nothing else than what is written, and steps of the plan, requests and metadata no further members.',
      type: 'boolean',
      examples: [true],
    },
  },
  { minProperties: 1, examples: [{ rule: 'subscription-renewed' }] },
);

const EVENT: Schema = closed(
  'The event that comes: a sample by name, a file, or written out; with changes.',
  {
    sample: {
      description: 'A shipped sample: the provider, "/", its name.',
      type: 'string',
      examples: ['fastspring/order.completed'],
    },
    file: {
      description: 'A JSON file, beside this file: an event or a whole webhook body.',
      type: 'string',
      minLength: 1,
      examples: ['events/first-sale.json'],
    },
    data: {
      description: 'The event itself, as the provider sends it.',
      type: 'object',
      examples: [{ id: 'evt_1', type: 'customer.created', data: { object: {} } }],
    },
    provider: {
      description:
        'Who sends it; needed with `file` and `data`, unless `rules` of the file says it.',
      type: 'string',
      enum: PROVIDERS,
      examples: ['stripe'],
    },
    set: {
      description:
        'Changes the event: path to value. 0 is the first item of a list; maps that are missing are made.',
      type: 'object',
      minProperties: 1,
      examples: [{ 'data.items.0.quantity': 3 }],
    },
    unset: {
      description: 'Takes these paths out of the event.',
      type: ['array', 'string'],
      minItems: 1,
      items: { type: 'string' },
      examples: [['data.customer.email']],
    },
  },
  { examples: [{ sample: 'stripe/invoice.paid-manual' }] },
);

const STEP: Record<string, Schema> = {
  at: {
    description:
      'When it happens: the time of the server and of the event. Without it, an event comes at its own time, or right after the step before where that is later.',
    type: 'string',
    examples: ['2026-01-31T09:00:00Z'],
  },
  byHand: {
    description: 'What somebody changes in Cryptlex itself at that moment, before the event comes.',
    type: 'array',
    minItems: 1,
    items: closed(
      'A change of every license that has these members.',
      {
        license: { $ref: '#/$defs/license' },
        set: { $ref: '#/$defs/license' },
      },
      { required: ['license', 'set'] },
    ),
    examples: [[{ license: SUBSCRIPTION, set: { suspended: true } }]],
  },
  event: { $ref: '#/$defs/event' },
  events: list('Several events that come together; FastSpring sends them as one batch.', 'event', {
    sample: 'fastspring/order.completed',
  }),
  expect: { $ref: '#/$defs/expect' },
};

const ENV: Schema = {
  description:
    'Environment variables that the rules read. One that is not said is <NAME>, whatever is set outside.',
  type: 'object',
  propertyNames: { pattern: '^[A-Z][A-Z0-9_]*$' },
  additionalProperties: { type: ['string', 'null'] },
  examples: [{ CRYPTLEX_PRODUCT_ID: 'a9197f4a-49e0-48a8-b8cc-365e12442b7a' }],
};

const CASE: Schema = closed(
  'One case: what is there, what happens, what is expected.',
  {
    name: {
      description: 'What the case shows, in words; no two of a file are the same.',
      type: 'string',
      minLength: 1,
      examples: ['a late payment is forgiven'],
    },
    given: { $ref: '#/$defs/given' },
    env: { $ref: '#/$defs/env' },
    settings: closed(
      'Members of the header of the rule file that are different in this case.',
      {
        mode: text('Which events are let in.', 'live'),
        unmatched: text('What happens to event types that no rule names.', 'ignore'),
        catalog: {
          description: 'Another catalog.',
          type: 'object',
          examples: [{ 'pro-yearly': { productId: 'a9197f4a-49e0-48a8-b8cc-365e12442b7a' } }],
        },
        let: {
          description: 'Other values for names of `let`; those not named stay.',
          type: 'object',
          examples: [{ unlicensedItems: 'skip' }],
        },
        maxDelete: whole('How many licenses one event may delete.', 0),
        brake: {
          description: 'Other limits of the brake; those not named stay.',
          type: 'object',
          examples: [{ delete: '2/1h' }],
        },
        waitFor: text('How long an event waits for a license.', 'PT6H'),
      },
      { examples: [{ let: { unlicensedItems: 'skip' } }] },
    ),
    steps: {
      description: 'A lifecycle: one step after the other, over the same Cryptlex.',
      type: 'array',
      minItems: 1,
      items: closed('What happens at one moment, and what is expected after it.', STEP),
      examples: [[{ event: { sample: 'stripe/invoice.paid-manual' }, expect: { rule: 'other' } }]],
    },
    ...STEP,
  },
  { required: ['name'] },
);

function schema(): Schema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://keywright.dev/schema/tests.schema.json',
    $comment: 'Generated by scripts/generate-tests-schema.ts; edit that.',
    title: 'Keywright rule tests',
    description: 'Cases that show what the rules do: a list, or a map with the list under `cases`.',
    type: ['array', 'object'],
    items: { $ref: '#/$defs/case' },
    additionalProperties: false,
    properties: {
      rules: {
        description:
          "The rule file that is tested, from this file's folder. Without it, that of the event's provider in the folder above `tests`, or in RULES_DIR.",
        type: 'string',
        minLength: 1,
        examples: ['../stripe.yaml'],
      },
      env: { $ref: '#/$defs/env' },
      cases: {
        description: 'The cases.',
        type: 'array',
        items: { $ref: '#/$defs/case' },
        examples: [[{ name: 'a manual invoice', event: { sample: 'stripe/invoice.paid-manual' } }]],
      },
    },
    $defs: {
      case: CASE,
      env: ENV,
      event: EVENT,
      expect: EXPECT,
      planStep: planStep(),
      request: closed('One call to Cryptlex.', {
        method: text('GET, POST, PATCH or DELETE.', 'POST'),
        path: text('Its path; {id} stands for any id.', '/v3/licenses/{id}/renew'),
        query: { description: 'Its parameters.', type: 'object', examples: [{ page: '1' }] },
        body: { description: 'Its body.', type: 'object', examples: [{ suspended: true }] },
      }),
      license: {
        ...closed('A license, by Cryptlex’s own names.', LICENSE),
        examples: [SUBSCRIPTION],
      },
      user: closed('A user, by Cryptlex’s own names.', USER),
      given: closed(
        'What is there in Cryptlex before the first step. What is left out gets a sensible value.',
        {
          users: list('Users.', 'user', { email: 'ann@example.com' }),
          licenses: list('Licenses; their owners and products are made where needed.', 'license', {
            ...SUBSCRIPTION,
            subscriptionInterval: 'P1M',
          }),
          licenseTemplates: {
            description: 'License templates; any other is made when it is named: one year.',
            type: 'array',
            items: closed('A license template.', TEMPLATE),
            examples: [[{ id: 'monthly', subscriptionInterval: 'P1M' }]],
          },
          products: {
            description: 'Products; any other is made when it is named.',
            type: 'array',
            items: closed('A product.', PRODUCT),
            examples: [[{ id: 'pro', licenseTemplateId: 'monthly' }]],
          },
        },
        { examples: [{ licenses: [{ ...SUBSCRIPTION, suspended: true }] }] },
      ),
    },
  };
}

const path = new URL('../schema/tests.schema.json', import.meta.url);
const wanted = `${JSON.stringify(schema(), null, 2)}\n`;
if (process.argv.includes('--check')) {
  // The formatter may have laid it out anew, which changes nothing.
  const written: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (JSON.stringify(written, null, 2) !== wanted.trimEnd()) {
    console.error('schema/tests.schema.json is out of date: run `npm run generate`.');
    process.exitCode = 1;
  }
} else {
  writeFileSync(path, wanted);
}
