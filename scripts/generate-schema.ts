// Writes schema/rules.schema.json from the set of actions and the shape of a rule file below.
// With --check it only says whether the file is up to date (exit code 1 when it is not).

import { readFileSync, writeFileSync } from 'node:fs';
import { ACTIONS } from '../src/actions/definitions.ts';
import { BRAKE_DEFAULTS } from '../src/core/brake.ts';
import type { ActionDefinition, ActionField, FieldType } from '../src/core/model.ts';
import { PROVIDERS } from '../src/core/providers.ts';

type Schema = Record<string, unknown>;

const FORMULA_NOTE = 'A value that begins with "=" is a formula.';

/** What a field may be in YAML. What it must hold is checked in src/engine/rules/fields.ts, where messages can be better. */
const FIELD_SCHEMAS: Record<FieldType, Schema> = {
  text: { type: 'string', examples: ['=data.id'] },
  email: { type: 'string', examples: ['=data.customer.email'] },
  integer: { type: ['integer', 'string'], examples: [5, '=$item.quantity'] },
  quantity: { type: ['integer', 'string'], examples: [1, '=$item.quantity'] },
  boolean: { type: ['boolean', 'string'], examples: [true] },
  date: { type: 'string', examples: ['=data.billing_period.ends_at', '2027-01-01'] },
  interval: { type: 'string', examples: ['P1M', 'P1Y', ''] },
  version: { type: 'string', examples: ['2.5'] },
  texts: { type: ['array', 'string'], items: { type: 'string' }, examples: [['beta']] },
  metadata: {
    type: ['object', 'string'],
    additionalProperties: { type: ['string', 'number', 'boolean'] },
    examples: [{ order_id: '=data.id' }],
  },
  find: {
    type: 'object',
    minProperties: 1,
    additionalProperties: false,
    properties: {
      metadata: {
        type: 'object',
        minProperties: 1,
        description: 'Metadata entries that it must have, by exact text.',
        additionalProperties: { type: ['string', 'number'] },
        examples: [{ stripe_subscription_id: '=data.object.id' }],
      },
      productId: {
        type: 'string',
        description: 'Only licenses of this product.',
        examples: ['=$sold.productId'],
      },
      userId: {
        type: 'string',
        description: 'Only licenses of this user.',
        examples: ['=$user.id'],
      },
      suspended: {
        type: 'boolean',
        description: 'Only suspended ones, or only those that are not.',
        examples: [true],
      },
      payment: {
        type: 'string',
        description: 'The licenses that a rule with `payment:` has noted under this id.',
        examples: ['=data.object.payment_intent'],
      },
      key: {
        type: 'string',
        description: 'The license with this key.',
        examples: ['=data.custom_data.license_key'],
      },
    },
    examples: [{ metadata: { stripe_subscription_id: '=data.object.id' } }],
  },
  whenSuspended: {
    type: 'object',
    required: ['resume'],
    additionalProperties: false,
    properties: {
      resume: {
        type: 'boolean',
        description: 'Whether the suspension is lifted.',
        examples: [true],
      },
      expiresAt: {
        type: 'string',
        description: 'Sets the expiry instead of renewing.',
        examples: ['=data.billing_period.ends_at'],
      },
    },
    examples: [{ resume: true }],
  },
  emailTaken: { type: 'string', enum: ['merge', 'fail'], examples: ['merge'] },
  missing: { type: 'string', enum: ['wait', 'fail', 'ignore'], examples: ['ignore'] },
  startTrigger: { type: 'string', examples: ['creation', '=$template.subscriptionStartTrigger'] },
  licenseType: { type: 'string', examples: ['node-locked'] },
};

/** Better examples than those of the type, by the field's name. */
const FIELD_EXAMPLES: Readonly<Record<string, unknown>> = {
  firstName: '=data.customer.first',
  lastName: '=data.customer.last',
  company: '=data.customer.company',
  productId: '=$sold.productId',
  licenseTemplateId: '=$sold.licenseTemplateId',
  userId: '=$user.id',
  key: '=data.custom_data.license_key',
  id: '=$sold.licenseTemplateId',
  entitlementSetId: '699fc9e2-b595-44ed-b379-7de372f81db7',
  maintenancePolicyId: '5b8f0a3e-6f4d-4a38-9d0a-2f7f5f0f2a11',
  expiresAt: '=$unix(data.object.current_period_end)',
  subscriptionStartTrigger: 'creation',
  notes: 'Bought at the fair.',
  because: '=data.object.id',
  to: '=data.object.invoice',
};

/** Entries of a catalog hold no formulas. */
const CATALOG_EXAMPLES: Readonly<Record<string, unknown>> = {
  productId: '7c1d0f8e-2f5a-4a55-9a3e-0b7f3a3a9b10',
  licenseTemplateId: '51d0c7e2-88a1-4f0b-b6f4-0d5d7a1c2e33',
};

function fieldSchema(
  name: string,
  field: ActionField,
  examples: Readonly<Record<string, unknown>> = {},
): Schema {
  const schema = FIELD_SCHEMAS[field.type];
  const better = { ...FIELD_EXAMPLES, ...examples }[name];
  return {
    description: field.description,
    ...schema,
    ...(better === undefined ? {} : { examples: [better] }),
  };
}

function actionSchema(definition: ActionDefinition): Schema {
  const properties: Record<string, Schema> = {};
  if (definition.takesFrom) {
    properties['from'] = {
      description:
        'Maps whose members become fields; later ones win, and fields that are written win over all.',
      type: ['string', 'array'],
      items: { type: 'string' },
      examples: [['=$sold', '=$common']],
    };
  }
  const required: string[] = [];
  for (const [name, field] of Object.entries(definition.fields)) {
    properties[name] = fieldSchema(name, field);
    if (field.required === true && !definition.takesFrom) required.push(name);
  }
  return {
    description: definition.summary,
    type: 'object',
    additionalProperties: false,
    ...(required.length > 0 ? { required } : {}),
    properties,
    examples: [
      Object.fromEntries(required.map((name) => [name, exampleOf(definition.fields[name])])),
    ],
  };
}

function exampleOf(field: ActionField | undefined): unknown {
  return field === undefined ? '' : (FIELD_SCHEMAS[field.type]['examples'] as unknown[])[0];
}

const LET: Schema = {
  description:
    'Names for formulas, and settings. Evaluated only where they are used; a map may hold several values.',
  type: 'object',
  propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_]*$' },
  examples: [{ unlicensedItems: 'reject', saleId: '=data.id' }],
};

const WHEN: Schema = {
  description:
    'All of these must hold: `path: value`, a list for "any of", null for "blank", or { exists, not, in, matches, gt, gte, lt, lte }. `any:`, `all:` and `not:` group them. Or one formula.',
  type: ['object', 'string'],
  examples: [{ 'data.completed': true, 'data.items': { exists: true } }],
};

const ID: Schema = {
  description: 'The name of the rule, in answers, logs and tests.',
  type: 'string',
  pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
  examples: ['order-completed'],
};

const REASON = (verb: string): Schema => ({
  description: `The rule ${verb} what it fits, and says why.`,
  type: 'string',
  minLength: 1,
  examples: ['This invoice changes no license.'],
});

/** What rules have in common, at the top and inside a loop. */
const RULE_BODY: Record<string, Schema> = {
  id: ID,
  description: {
    description: 'What the rule is for, in a sentence.',
    type: 'string',
    examples: ['A paid checkout makes the user and one license.'],
  },
  when: { $ref: '#/$defs/when' },
  let: { $ref: '#/$defs/let' },
  ignore: REASON('ignores'),
  reject: REASON('refuses'),
  do: {
    description: 'What is done, in this order.',
    type: 'array',
    minItems: 1,
    items: { $ref: '#/$defs/step' },
    examples: [[{ 'license.suspend': { find: { metadata: { order_id: '=data.id' } } } }]],
  },
};

function actions(): Record<string, Schema> {
  return Object.fromEntries(
    Object.values(ACTIONS).map((definition) => [definition.name, actionSchema(definition)]),
  );
}

const CATALOG_FIELDS = [
  'productId',
  'licenseTemplateId',
  'quantity',
  'subscriptionInterval',
  'subscriptionStartTrigger',
  'entitlementSetId',
  'allowedActivations',
  'allowedDeactivations',
  'allowedFloatingClients',
  'maxAllowedReleaseVersion',
  'maintenancePolicyId',
  'requireAuthentication',
  'type',
  'notes',
  'tags',
];

function catalogEntry(): Schema {
  const create = ACTIONS['license.create'];
  const fields = CATALOG_FIELDS.map((name) => [name, create?.fields[name]] as const);
  return {
    description: 'The license that is made for it.',
    type: 'object',
    required: ['productId'],
    additionalProperties: false,
    properties: Object.fromEntries(
      fields.map(([name, field]) => [
        name,
        field === undefined ? {} : fieldSchema(name, field, CATALOG_EXAMPLES),
      ]),
    ),
    examples: [{ productId: '7c1d0f8e-2f5a-4a55-9a3e-0b7f3a3a9b10', subscriptionInterval: 'P1Y' }],
  };
}

/** A value, or a declaration. */
const SETTING: Schema = {
  description: 'The value of a setting, or its declaration.',
  type: ['string', 'number', 'boolean', 'object'],
  additionalProperties: false,
  required: ['default'],
  properties: {
    oneOf: {
      description: 'The words that it takes.',
      type: 'array',
      minItems: 1,
      items: { type: 'string' },
      examples: [['off', 'suspend', 'revoke']],
    },
    type: {
      description: 'The type of its value; with `oneOf`, beside those words.',
      type: 'string',
      enum: ['interval', 'integer', 'boolean', 'text', 'id'],
      examples: ['interval'],
    },
    default: {
      description: 'The value that it has unless a file that extends this one gives another.',
      type: ['string', 'number', 'boolean'],
      examples: ['off'],
    },
    about: {
      description: 'What it is for, in one sentence.',
      type: 'string',
      examples: ['Licenses of a payment that is paid back in full.'],
    },
    events: {
      description:
        'The event types that the provider has to send for it: for each word, or a list.',
      type: ['object', 'array'],
      items: { type: 'string' },
      additionalProperties: { type: 'array', items: { type: 'string' } },
      examples: [{ revoke: ['charge.refunded'] }],
    },
    when: {
      description: 'It has an effect only where these settings have these values.',
      type: 'object',
      additionalProperties: { type: ['string', 'number', 'boolean', 'array'] },
      examples: [{ expiry: 'paid-through' }],
    },
  },
  examples: ['paid-through', { oneOf: ['off', 'revoke'], default: 'off' }],
};

function schema(): Schema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://keywright.dev/schema/rules.schema.json',
    $comment: 'Generated by scripts/generate-schema.ts; edit that.',
    title: 'Keywright rule file',
    description: `What happens for the events of one payment provider. ${FORMULA_NOTE}`,
    type: 'object',
    additionalProperties: false,
    // `properties` beside `required`: the strict mode of Ajv asks for it.
    if: { not: { properties: { extends: {} }, required: ['extends'] } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {
      properties: { provider: {}, subject: {}, rules: { type: 'array', minItems: 1 } },
      required: ['provider', 'subject', 'rules'],
    },
    properties: {
      extends: {
        description:
          'The rule file that this one builds on: a shipped one by its name (stripe, fastspring, paddle), or a file beside this one.',
        type: 'string',
        pattern: '^[^/\\\\.]+(\\.ya?ml)?$',
        examples: ['paddle'],
      },
      settings: {
        description:
          'With `extends`: values for the settings of that file. Otherwise: the settings that this file has, which formulas read as $settings.NAME.',
        type: ['object', 'null'],
        propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_]*$' },
        additionalProperties: { $ref: '#/$defs/setting' },
        examples: [{ expiry: 'paid-through', refunds: 'revoke' }],
      },
      without: {
        description: 'Rules of the extended file that are taken out, by their ids.',
        type: 'array',
        items: { type: 'string' },
        examples: [['customer-updated']],
      },
      provider: {
        description: 'Who sends the events.',
        type: 'string',
        enum: PROVIDERS,
        examples: ['stripe'],
      },
      mode: {
        description: 'Which events are let in: those of live mode, of test mode, or any.',
        type: 'string',
        enum: ['live', 'test', 'any'],
        examples: ['live'],
      },
      unmatched: {
        description:
          'An event type that no rule names: `reject` answers 400, `ignore` answers 200.',
        type: 'string',
        enum: ['reject', 'ignore'],
        examples: ['ignore'],
      },
      env: {
        description:
          'Environment variables that formulas may read as $env.NAME: a list, or a map with { optional: true }.',
        type: ['array', 'object'],
        items: { type: 'string', pattern: '^[A-Z][A-Z0-9_]*$' },
        propertyNames: { pattern: '^[A-Z][A-Z0-9_]*$' },
        additionalProperties: {
          type: ['object', 'null'],
          additionalProperties: false,
          properties: {
            optional: {
              description: 'Whether it may be unset.',
              type: 'boolean',
              examples: [true],
            },
          },
        },
        examples: [['CRYPTLEX_PRODUCT_ID']],
      },
      catalog: {
        description:
          "What you sell: the provider's price, product, SKU or payment link on the left, the license on the right.",
        type: ['object', 'null'],
        additionalProperties: { $ref: '#/$defs/catalogEntry' },
        examples: [{ 'pro-yearly': { productId: '7c1d0f8e-2f5a-4a55-9a3e-0b7f3a3a9b10' } }],
      },
      catalogFile: {
        description:
          'The catalog in a file of its own beside this one: YAML, or CSV with a column `key`.',
        type: 'string',
        pattern: '^[^/\\\\]+\\.(csv|ya?ml)$',
        examples: ['catalog.csv'],
      },
      subject: {
        description: 'Events that share one of these are handled one after the other.',
        type: ['array', 'string'],
        minItems: 1,
        items: { type: 'string' },
        examples: [['=data.id']],
      },
      let: { $ref: '#/$defs/let' },
      secret: {
        description: 'The environment variable that holds the signing secret, for further sources.',
        type: 'string',
        pattern: '^[A-Z][A-Z0-9_]*$',
        examples: ['STRIPE_EU_WEBHOOK_SECRET'],
      },
      path: {
        description: 'A further address of this source, beside /webhooks/{source}.',
        type: 'string',
        pattern: '^/[A-Za-z0-9/_-]+$',
        examples: ['/stripe/webhook'],
      },
      answer: {
        description: 'A fixed body for answers with 200.',
        type: 'object',
        examples: [{ received: true }],
      },
      refusalCode: {
        description:
          "What `error` says in answers 400 to a bad signature or a body that is no event; Keywright's own code is then `details.code`.",
        type: 'string',
        pattern: '^[A-Za-z][A-Za-z0-9_]*$',
        examples: ['validation_error'],
      },
      acknowledge: {
        description:
          'What 200 means: `done`, no event of the delivery failed so far; `stored`, they are in the journal, whatever becomes of them.',
        type: 'string',
        enum: ['done', 'stored'],
        examples: ['stored'],
      },
      ownEvents: {
        description:
          'Whether it handles an event that another rule file of the provider has handled already. Left out, an event is done once.',
        type: 'boolean',
        examples: [true],
      },
      toleranceSeconds: {
        description: 'How old a signature may be, in seconds (Stripe 300, Paddle 5).',
        type: 'integer',
        minimum: 1,
        maximum: 86400,
        examples: [300],
      },
      maxDelete: {
        description: 'How many licenses one event may delete that Keywright did not create.',
        type: 'integer',
        minimum: 0,
        examples: [100],
      },
      brake: {
        description:
          'How many licenses the events of this source may take away in a time. An event that would exceed one of these is held, whole, until a person releases it.',
        type: 'object',
        additionalProperties: false,
        properties: Object.fromEntries(
          Object.entries(BRAKE_DEFAULTS).map(([name, limit]) => [
            name,
            {
              description: `Licenses that may be taken by \`license.${name}\` (${limit} where nothing is written).`,
              type: 'string',
              examples: [limit],
            },
          ]),
        ),
        examples: [BRAKE_DEFAULTS],
      },
      waitFor: {
        description:
          'How long an event waits for a license or a user that is not there yet, as an ISO 8601 interval.',
        type: 'string',
        examples: ['P1D'],
      },
      rules: {
        description: 'In their order; the first that fits is taken.',
        type: ['array', 'null'],
        items: { $ref: '#/$defs/rule' },
        examples: [[{ id: 'paused', on: 'subscription.paused', ignore: 'Pauses change nothing.' }]],
      },
    },
    $defs: {
      let: LET,
      when: WHEN,
      catalogEntry: catalogEntry(),
      setting: SETTING,
      rule: {
        description: 'What happens for one event type, or several.',
        type: 'object',
        additionalProperties: false,
        required: ['id', 'on'],
        properties: {
          ...RULE_BODY,
          on: {
            description: 'The event type, or a list of them.',
            type: ['string', 'array'],
            minLength: 1,
            minItems: 1,
            items: { type: 'string', minLength: 1 },
            examples: ['order.completed'],
          },
          once: {
            description:
              "What makes the fact one, whatever the event's id: the sale, or the payment. Needed by rules that create or renew.",
            type: 'string',
            pattern: '^=',
            examples: ['=data.id'],
          },
          payment: {
            description:
              'What it was paid with: an id, or several of one payment. The licenses that the rule creates, renews or changes are noted under it, so that a refund finds them with `find: { payment: … }`.',
            type: ['string', 'array'],
            pattern: '^=',
            minItems: 1,
            items: { type: 'string', pattern: '^=' },
            examples: ['=data.object.payment_intent'],
          },
          after: {
            description:
              'What is done is done only when so much time has passed since the event, as an ISO 8601 interval, unless another rule cancels the timer before.',
            type: 'string',
            examples: ['P7D', '=$grace'],
          },
          timer: {
            description:
              'The clock of `after`: a name, and what it belongs to (one of the subjects). Events of the same timer share one clock, which the first of them starts.',
            type: 'object',
            minProperties: 1,
            maxProperties: 1,
            propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_]*$' },
            additionalProperties: { type: 'string', pattern: '^=' },
            examples: [{ grace: '=data.id' }],
          },
          cancels: {
            description:
              'Stops these clocks: what they would have done is not done. A rule may do nothing else.',
            type: 'object',
            minProperties: 1,
            propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_]*$' },
            additionalProperties: { type: 'string', pattern: '^=' },
            examples: [{ grace: '=$id(data.subscription)' }],
          },
          rank: {
            description:
              'Of two events of the same time, the one of the higher rank counts as the later: a whole number from 0 to 99. Left out, a payment wins over the rest, and else the one that comes last.',
            type: ['integer', 'string'],
            minimum: 0,
            maximum: 99,
            pattern: '^=',
            examples: [2, '=$if(data.object.ended_at, 3, 2)'],
          },
          continue: {
            description: 'Goes on to the next rules after this one fitted.',
            type: 'boolean',
            examples: [true],
          },
        },
      },
      itemRule: {
        description:
          'What happens for one item of a loop. The first that fits is taken; none fits is an error.',
        type: 'object',
        additionalProperties: false,
        required: ['id'],
        properties: RULE_BODY,
      },
      step: {
        description: 'One action, or a loop.',
        type: 'object',
        additionalProperties: false,
        properties: {
          ...actions(),
          as: {
            description: 'A name for the result, or for the item of the loop.',
            type: 'string',
            pattern: '^[A-Za-z][A-Za-z0-9_]*$',
            examples: ['user'],
          },
          when: { $ref: '#/$defs/when' },
          forEach: {
            description: 'Runs the rules below for each item of this list.',
            type: 'string',
            pattern: '^=',
            examples: ['=data.items'],
          },
          key: {
            description: 'Tells the items apart, also in messages; equal keys are numbered.',
            type: 'string',
            pattern: '^=',
            examples: ['=$item.product'],
          },
          let: { $ref: '#/$defs/let' },
          rules: {
            description: 'The first that fits the item is taken.',
            type: 'array',
            minItems: 1,
            items: { $ref: '#/$defs/itemRule' },
            examples: [[{ id: 'other', ignore: 'Not licensed.' }]],
          },
        },
      },
    },
  };
}

const path = new URL('../schema/rules.schema.json', import.meta.url);
const wanted = `${JSON.stringify(schema(), null, 2)}\n`;
if (process.argv.includes('--check')) {
  // The formatter may have laid it out anew, which changes nothing.
  const written: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (JSON.stringify(written, null, 2) !== wanted.trimEnd()) {
    console.error('schema/rules.schema.json is out of date: run `npm run generate`.');
    process.exitCode = 1;
  }
} else {
  writeFileSync(path, wanted);
}
