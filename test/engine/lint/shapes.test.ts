// What check knows of events: it is learnt from samples, and it speaks only where it is sure. The mistakes that it
// finds are in test/bad-rules; here is what it must leave alone, and what it makes of one file as a whole.

import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../../src/actions/definitions.ts';
import type { JsonObject, JsonValue } from '../../../src/core/model.ts';
import type { Provider } from '../../../src/core/providers.ts';
import {
  createInspection,
  loadKnownShapes,
  teachShapes,
} from '../../../src/engine/lint/inspect.ts';
import { readShapes, writeShapes } from '../../../src/engine/lint/shapes/known.ts';
import { learn, merge, readShape, writeShape } from '../../../src/engine/lint/shapes/shape.ts';
import { loadRuleFile } from '../../../src/engine/load/load.ts';

const known = await loadKnownShapes();

function findingsOf(provider: Provider, text: string, shapes = known): readonly string[] {
  const subject = provider === 'stripe' ? '=data.object.id' : '=data.id';
  const input = {
    file: `${provider}.yaml`,
    text: `provider: ${provider}\nsubject: ${subject}\n${text}`,
    readBeside: () => undefined,
  };
  const { diagnostics } = loadRuleFile(input, ACTIONS, {
    inspect: createInspection(shapes, ACTIONS),
  });
  return diagnostics.map(({ code, message }) => `${code} ${message}`);
}

/** A rule whose only action suspends by this value. */
function suspending(type: string, formula: string, head = ''): string {
  const find = `          find:\n            metadata:\n              sale: ${formula}\n`;
  return `${head}rules:\n  - id: a\n    on: ${type}\n    do:\n      - license.suspend:\n${find}`;
}

function asking(type: string, when: string): string {
  const rest = `  - id: rest\n    on: ${type}\n    ignore: Every other one.\n`;
  return `rules:\n  - id: a\n    on: ${type}\n    when: ${when}\n    ignore: Why.\n${rest}`;
}

const FINE: readonly (readonly [name: string, provider: Provider, text: string])[] = [
  ['a path that the samples have', 'stripe', suspending('invoice.paid', '=data.object.number')],
  ['a path that is null in most', 'stripe', suspending('invoice.paid', '=data.object.due_date')],
  ['any key of metadata', 'stripe', suspending('invoice.paid', '=data.object.metadata.whatever')],
  [
    'anything inside custom data',
    'paddle',
    suspending('transaction.completed', '=data.custom_data.team.seats[0].name'),
  ],
  [
    'previous attributes',
    'stripe',
    suspending('customer.subscription.updated', '=data.previous_attributes.status'),
  ],
  [
    'an attribute',
    'fastspring',
    asking('order.completed', '=$count(data.items[attributes.x = "1"]) > 0'),
  ],
  [
    'the new place, then the old one',
    'stripe',
    suspending(
      'invoice.paid',
      '=$first(data.object.parent.subscription_details.subscription, data.object.subscription)',
    ),
  ],
  [
    'the new place ?? the old one',
    'stripe',
    suspending(
      'invoice.paid',
      '=data.object.parent.subscription_details.subscription ?? data.object.subscription',
    ),
  ],
  [
    'the old place by a name that is used as a fallback',
    'stripe',
    suspending(
      'invoice.paid',
      '=$first(data.object.parent.subscription_details.subscription, $old)',
      'let:\n  old: =data.object.subscription\n',
    ),
  ],
  [
    'the old place as one of several conditions',
    'stripe',
    asking('invoice.paid', '{ any: [{ data.object.paid: true }, { data.object.status: paid }] }'),
  ],
  [
    'an event type of which there is no sample',
    'stripe',
    suspending('invoice.finalized', '=data.object.whatever.it.may[0].be'),
  ],
  [
    'a rule for two types, of which one has the path',
    'stripe',
    suspending('[customer.created, invoice.paid]', '=data.object.customer_email'),
  ],
  [
    'a rule for two types, of which one is not known',
    'stripe',
    suspending('[invoice.paid, invoice.finalized]', '=data.object.whatever'),
  ],
  [
    'a name of the file that fits one of its rules',
    'stripe',
    `let:\n  email: =$first(data.object.customer_email, data.object.email)\n${suspending('customer.created', '=$email')}`,
  ],
  [
    'a number that is text to a text',
    'paddle',
    asking('transaction.completed', '=data.details.totals.total = "0"'),
  ],
  [
    'a text that is made a number',
    'paddle',
    asking('transaction.completed', '=$number(data.details.totals.total) > 0'),
  ],
  ['the first of a list', 'fastspring', suspending('order.completed', '=(data.items.product)[0]')],
  [
    'the only one of a list',
    'fastspring',
    suspending('order.completed', '=$one(data.items.product, "one")'),
  ],
  [
    'the first that fits',
    'fastspring',
    suspending('order.completed', '=data.items[sku = "a"][0].product'),
  ],
  [
    'a list asked for a member',
    'fastspring',
    asking('order.completed', '="a" in data.items.product'),
  ],
  [
    'an item by its own names',
    'fastspring',
    suspending('order.completed', '=$join($map(data.items, function($i) { $i.product }))'),
  ],
  [
    'the event inside [ ]',
    'fastspring',
    suspending('order.completed', '=data.items[product = $$.data.reference][0].sku'),
  ],
  ['a wildcard', 'fastspring', suspending('order.completed', '=$string($count(data.*))')],
  ['a chain', 'fastspring', suspending('order.completed', '=data.customer.first ~> $uppercase()')],
  [
    'an id or a map, by $id',
    'fastspring',
    suspending('subscription.charge.completed', '=$id(data.subscription)'),
  ],
  ['a date from seconds', 'stripe', suspending('invoice.paid', '=$unix(data.object.created)')],
  [
    'a word that the provider sends',
    'stripe',
    asking('invoice.paid', '{ data.object.billing_reason: manual }'),
  ],
  ['a member of the envelope', 'stripe', asking('invoice.paid', '{ account: acct_1 }')],
  ['members of $event', 'stripe', asking('invoice.paid', '{ $event.live: true }')],
  [
    'a catalog entry',
    'stripe',
    suspending('checkout.session.completed', '=$catalog(data.object.payment_link).productId'),
  ],
  [
    'opposite conditions, which leave nothing out',
    'fastspring',
    'rules:\n  - { id: a, on: order.completed, when: { data.completed: true }, ignore: A. }\n  - { id: b, on: order.completed, when: { data.completed: { not: true } }, ignore: B. }\n',
  ],
  [
    'a not around the same conditions',
    'fastspring',
    'rules:\n  - { id: a, on: order.completed, when: { data.completed: true }, ignore: A. }\n  - { id: b, on: order.completed, when: { not: { data.completed: true } }, ignore: B. }\n',
  ],
  [
    'a narrower rule before a wider one',
    'stripe',
    'rules:\n  - { id: a, on: invoice.paid, when: { data.object.status: paid, data.object.number: "1" }, ignore: A. }\n  - { id: b, on: invoice.paid, when: { data.object.status: paid }, ignore: B. }\n  - { id: c, on: invoice.paid, ignore: C. }\n',
  ],
  [
    'a rule after one that goes on',
    'stripe',
    'rules:\n  - { id: a, on: invoice.paid, when: { data.object.status: paid }, continue: true, ignore: A. }\n  - { id: b, on: invoice.paid, when: { data.object.status: paid }, ignore: B. }\n  - { id: c, on: invoice.paid, ignore: C. }\n',
  ],
  [
    'equal conditions on a name that each rule means otherwise',
    'stripe',
    'rules:\n  - { id: a, on: invoice.paid, let: { x: =data.object.number }, when: { $x: "1" }, ignore: A. }\n  - { id: b, on: invoice.paid, let: { x: =data.object.id }, when: { $x: "1" }, ignore: B. }\n  - { id: c, on: invoice.paid, ignore: C. }\n',
  ],
  [
    'two bounds with room between them',
    'stripe',
    asking('invoice.paid', '{ data.object.amount_paid: { gte: 5, lte: 5 } }'),
  ],
];

describe('check says nothing of', () => {
  it.each(FINE)('%s', (_name, provider, text) => {
    expect(findingsOf(provider, text)).toEqual([]);
  });
});

describe('what is learnt', () => {
  const SHAPES: readonly (readonly [JsonValue, unknown])[] = [
    ['Ann', 't'],
    [5, 'n'],
    [true, 'b'],
    [null, ''],
    [{}, { '*': '' }],
    [[], ['']],
    [{ a: [{ b: 1 }, { c: null }] }, { a: [{ b: 'n', c: '' }] }],
    [{ metadata: { seats: '5' } }, { metadata: { '*': 't' } }],
    [{ custom_data: { seats: 5 } }, { custom_data: '' }],
  ];
  it.each(SHAPES)('of %j are names and kinds, and no value', (value, wanted) => {
    const written = writeShape(learn(value));
    expect(written).toEqual(wanted);
    expect(writeShape(readShape(written))).toEqual(written);
  });

  it('is what either of two samples shows', () => {
    const both = merge(learn({ a: 'x', b: 1 }), learn({ a: { id: 'x' }, c: null }));
    expect(writeShape(both)).toEqual({ a: { '|': ['t', { id: 't' }] }, b: 'n', c: '' });
    expect(writeShape(readShape(writeShape(both)))).toEqual(writeShape(both));
  });

  it('holds no value of any sample', () => {
    const text = writeShapes(known);
    expect(text).not.toMatch(/@|example\.(?:com|org)|a9197f4a/);
    expect(writeShapes(readShapes(JSON.parse(text)))).toBe(text);
  });

  it("grows by the seller's own events", () => {
    const text = suspending('invoice.paid', '=data.object.our_own');
    expect(findingsOf('stripe', text)).toHaveLength(1);
    const event: JsonObject = {
      object: 'event',
      type: 'invoice.paid',
      data: { object: { object: 'invoice', our_own: 'x' } },
    };
    expect(findingsOf('stripe', text, teachShapes(known, 'stripe', [event]))).toEqual([]);
    const number = asking('invoice.paid', '{ data.object.our_own: 5 }');
    expect(findingsOf('stripe', number, teachShapes(known, 'stripe', [event]))).toEqual([
      expect.stringContaining('SHAPE_TYPE data.object.our_own is a text, and never 5'),
    ]);
  });
});

describe('a whole file', () => {
  it('is looked at also where it has errors, and nothing is told twice', () => {
    const text = `let:\n  name: =data.object.custmer_name\nrules:
  - id: a
    on: invoice.paid
    do:
      - user.insert: { email: =data.object.customer_email, firstName: =$name, lastName: =$name, compny: x }
  - id: b
    on: invoice.created
    ignore: =$name
`;
    expect(findingsOf('stripe', text).map((finding) => finding.split(' ')[0])).toEqual([
      'SHAPE_PATH_UNKNOWN',
      'RULE_UNKNOWN_FIELD',
    ]);
  });

  it('asks once what about the rest, for all types that end with the same rule', () => {
    const text = `rules:
  - { id: a, on: [invoice.paid, invoice.created], when: { data.object.status: paid }, ignore: A. }
  - { id: b, on: invoice.created, when: { data.object.status: open }, ignore: B. }
  - { id: c, on: [customer.created, customer.updated], when: { livemode: true }, ignore: C. }
`;
    expect(findingsOf('stripe', text)).toEqual([
      expect.stringContaining('every other invoice.paid?'),
      expect.stringContaining('every other invoice.created?'),
      expect.stringContaining('every other customer.created and customer.updated?'),
    ]);
  });

  const IGNORED = suspending('invoice.paid', '=data.object.our_own');
  it.each([
    [
      'behind the line',
      IGNORED.replace('our_own', 'our_own # keywright: ignore SHAPE_PATH_UNKNOWN'),
      0,
    ],
    [
      'above the line',
      IGNORED.replace(
        /(?= {14}sale)/,
        '              # keywright: ignore SHAPE_LIST, SHAPE_PATH_UNKNOWN\n',
      ),
      0,
    ],
    [
      'at the head of a block',
      suspending(
        'invoice.paid',
        '>- # keywright: ignore SHAPE_PATH_UNKNOWN\n                =$first(data.object.number,\n                data.object.our_own)',
      ),
      0,
    ],
    ['of another code', IGNORED.replace('our_own', 'our_own # keywright: ignore SHAPE_LIST'), 1],
    ['two lines above', `# keywright: ignore SHAPE_PATH_UNKNOWN\n\n${IGNORED}`, 1],
    [
      'inside a text',
      IGNORED.replace('our_own', 'our_own & "# keywright: ignore SHAPE_PATH_UNKNOWN"'),
      1,
    ],
  ])('may take a warning back: a comment %s', (_name, text, count) => {
    expect(findingsOf('stripe', text)).toHaveLength(count);
  });

  it('cannot take an error back', () => {
    const text = suspending('invoice.paid', '=$oops # keywright: ignore FORMULA_UNKNOWN_VARIABLE');
    expect(findingsOf('stripe', text)).toHaveLength(1);
  });
});

describe('what could take for ever', () => {
  it('names that use each other twice, thousands in a row', () => {
    const names = Array.from({ length: 2000 }, (_, n) => `  n${n + 1}: =$n${n} & $n${n}\n`);
    const text = `let:\n  n0: =data.object.id\n${names.join('')}${suspending('invoice.paid', '=$n2000')}`;
    expect(findingsOf('stripe', text)).toEqual([]);
  });

  it('many rules for one type, each for a value of its own', () => {
    const rules = Array.from(
      { length: 1500 },
      (_, n) =>
        `  - { id: r${n}, on: invoice.paid, when: { data.object.number: "${n}" }, ignore: W. }\n`,
    );
    const text = `rules:\n${rules.join('')}  - { id: twice, on: invoice.paid, when: { data.object.number: "7" }, ignore: W. }\n  - { id: rest, on: invoice.paid, ignore: W. }\n`;
    expect(findingsOf('stripe', text)).toEqual([
      expect.stringContaining('rule "twice" is never reached: whatever fits it fits "r7" first'),
    ]);
  });
});
