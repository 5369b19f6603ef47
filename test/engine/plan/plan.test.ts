// What stands in a plan: the fields in Cryptlex's form, what makes each fact one, references to results,
// and, when something is wrong, all problems of the event at once and no step at all.

import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue, PlannedStep } from '../../../src/core/model.ts';
import { eventOf, linesOf, match, stripeRules } from '../support/rules.ts';

async function plan(rules: string, data: object, head = ''): Promise<readonly PlannedStep[]> {
  const result = await match(stripeRules(rules, head), eventOf(data as JsonObject));
  if (result.kind === 'matched') return result.plan.steps;
  throw new Error(linesOf(result).join('\n'));
}

const problems = async (rules: string, data: object, head = '') => {
  const result = await match(stripeRules(rules, head), eventOf(data as JsonObject));
  return result.kind === 'failed' ? linesOf(result).slice(1) : [result.kind];
};

const rule = (steps: string, more = '') =>
  `  - id: sale\n    on: sale\n    once: =data.id\n${more}    do:\n${steps}`;
const USER = '      - user.insert:\n          email: =data.email\n        as: user\n';
const create = (fields: string) =>
  `      - license.create:\n${fields
    .split('\n')
    .map((line) => `          ${line}\n`)
    .join('')}`;
const SALE = { id: 's1', email: ' ann@example.org ' };

describe('a step', () => {
  it('is plain data, with its place and what makes it one', async () => {
    const steps = await plan(rule(USER + create('productId: p\nuserId: =$user.id')), SALE);
    expect(steps).toStrictEqual([
      {
        action: 'user.insert',
        input: { email: 'ann@example.org' },
        as: 'user',
        rule: 'sale',
        location: 'stripe.yaml:8:9',
      },
      {
        action: 'license.create',
        input: { productId: 'p', userId: { $ref: 'user.id' } },
        once: 's1',
        unitKey: '#1',
        rule: 'sale',
        location: 'stripe.yaml:11:9',
      },
    ]);
  });

  it('is left out when its `when` does not hold', async () => {
    const suspend =
      '      - license.suspend: { find: { key: k } }\n        when: { data.late: true }\n';
    expect(await plan(rule(USER + suspend), SALE)).toHaveLength(1);
    expect(await plan(rule(USER + suspend), { ...SALE, late: true })).toHaveLength(2);
  });

  it('takes maps by `from`, later ones win, written fields win over all', async () => {
    const fields = 'from: [=data.one, =data.two, =data.gone]\nnotes: written';
    const one = { productId: 'p1', notes: 'one', licenseTemplateId: 't1' };
    const [step] = await plan(rule(create(fields)), { ...SALE, one, two: { productId: 'p2' } });
    expect(step?.input).toEqual({ productId: 'p2', licenseTemplateId: 't1', notes: 'written' });
  });

  it('never takes a blank member of `from` over one that is there', async () => {
    const two = { productId: '', licenseTemplateId: null, subscriptionInterval: '' };
    const data = { ...SALE, one: { productId: 'p1' }, two };
    const [step] = await plan(rule(create('from: [=data.one, =data.two]')), data);
    expect(step?.input).toEqual({ productId: 'p1', subscriptionInterval: '' });
  });

  it.each([
    ['an empty text of the event: the template says it', '=data.interval', undefined],
    ['"" as it is written: perpetual', '""', ''],
  ])('takes an interval of a named map, %s', async (_, interval, wanted) => {
    const sold = `    let:\n      sold: { productId: p1, subscriptionInterval: ${interval} }\n`;
    const data = { ...SALE, interval: '' };
    const [step] = await plan(rule(create('from: =$sold'), sold), data);
    expect(step?.input['subscriptionInterval']).toBe(wanted);
  });

  it('leaves out fields that are not required and come out missing', async () => {
    const fields = 'productId: p\nnotes: =data.notes\nquantity: =data.quantity\ntags: =data.tags';
    const data = { ...SALE, notes: null, quantity: null, tags: [] };
    expect((await plan(rule(create(fields)), data))[0]?.input).toEqual({ productId: 'p' });
  });

  it('leaves out members of metadata that a formula gives blank', async () => {
    const data = { ...SALE, metadata: { a: 'x', b: '', c: null, d: 5, e: true } };
    const [step] = await plan(rule(create('productId: p\nmetadata: =data.metadata')), data);
    expect(step?.input).toEqual({ productId: 'p', metadata: { a: 'x', d: '5', e: 'true' } });
  });
});

describe('references to results', () => {
  const TEMPLATE = '      - licenseTemplate.get:\n          id: t1\n        as: template\n';
  const interval = async (formula: string, data: object = SALE) => {
    const fields = `productId: p\nsubscriptionInterval: "${formula}"`;
    const steps = await plan(rule(TEMPLATE + create(fields)), data);
    return steps[1]?.input['subscriptionInterval'];
  };

  it.each<readonly [string, JsonValue]>([
    ['=$template.subscriptionInterval', { $ref: 'template.subscriptionInterval' }],
    [
      '=$first(data.gone, $template.subscriptionInterval)',
      { $ref: 'template.subscriptionInterval' },
    ],
    ['=$first(data.interval, $template.subscriptionInterval)', 'P1Y'],
    [
      "=$first($template.subscriptionInterval, 'P1M')",
      { $firstOf: [{ $ref: 'template.subscriptionInterval' }, 'P1M'] },
    ],
    [
      "=$template.subscriptionInterval ?? 'P1M'",
      { $firstOf: [{ $ref: 'template.subscriptionInterval' }, 'P1M'] },
    ],
    ['=data.interval ?? $template.subscriptionInterval', 'P1Y'],
    [
      '=$if(data.interval, $template.subscriptionInterval)',
      { $ref: 'template.subscriptionInterval' },
    ],
  ])('%s', async (formula, wanted) => {
    expect(await interval(formula, { ...SALE, interval: 'P1Y' })).toEqual(wanted);
  });

  it('that can be chosen are checked like any value', async () => {
    const fields = `productId: p\nsubscriptionInterval: =$first($template.subscriptionInterval, data.interval)`;
    const text = rule(TEMPLATE + create(fields));
    expect(await problems(text, { ...SALE, interval: '1 month' })).toEqual([
      'FIELD_TYPE sale: license.create.subscriptionInterval needs an ISO 8601 interval like P1M, not "1 month"',
    ]);
  });

  it('may go through a name of `let`', async () => {
    const loop =
      `${USER}      - forEach: =data.items\n        let: { owner: { userId: =$user.id } }\n        rules:\n          - id: all\n            do:\n` +
      '              - license.create:\n                  from: =$owner\n                  productId: p\n';
    const steps = await plan(rule(loop), { ...SALE, items: [1] });
    expect(steps[1]?.input).toEqual({ userId: { $ref: 'user.id' }, productId: 'p' });
  });

  it('of a step that loops stands in are told apart', async () => {
    const loop =
      '      - forEach: =data.items\n        rules:\n          - id: all\n            do:\n' +
      '              - licenseTemplate.get: { id: =$item }\n                as: template\n' +
      '              - license.create: { productId: p, subscriptionInterval: =$template.subscriptionInterval }\n';
    const steps = await plan(rule(loop), { ...SALE, items: ['a', 'b'] });
    expect(steps.map(({ as, input }) => as ?? input['subscriptionInterval'])).toEqual([
      'template',
      { $ref: 'template.subscriptionInterval' },
      'template#2',
      { $ref: 'template#2.subscriptionInterval' },
    ]);
  });
});

const LOOP =
  '      - forEach: =data.items\n        as: line\n        key: =$line.key\n        rules:\n' +
  '          - id: gift\n            when: { $line.kind: gift }\n            ignore: A gift.\n' +
  '          - id: bad\n            when: { $line.kind: bad }\n            reject: =$line.key & " is bad."\n' +
  '          - id: good\n            when: { $line.kind: good }\n            do:\n' +
  '              - license.create: { productId: =$line.product, quantity: =$line.quantity }\n';
const line = (key: string | null, kind = 'good', more = {}) => ({
  key,
  kind,
  product: 'p',
  ...more,
});

describe('a loop', () => {
  it('numbers equal keys of one fact, whatever stands between them', async () => {
    const items = [line('a'), line('b'), line('a'), line('x', 'gift'), line('a')];
    const steps = await plan(rule(LOOP), { ...SALE, items });
    expect(steps.map(({ unitKey, item, rule: id }) => `${unitKey} ${item} ${id}`)).toEqual([
      'a#1 a sale/good',
      'b#1 b sale/good',
      'a#2 a#2 sale/good',
      'a#3 a#3 sale/good',
    ]);
  });

  it('takes one item as a list of one', async () => {
    expect(await plan(rule(LOOP), { ...SALE, items: line('a') })).toHaveLength(1);
  });

  it('tells of everything that is wrong, and plans nothing', async () => {
    const items = [
      line('a', 'bad'),
      line('b'),
      line('c', 'odd'),
      line('d', 'good', { quantity: 0 }),
    ];
    const text = rule(USER + LOOP);
    expect(await problems(text, { id: null, items: [...items, line('e', 'bad')] })).toEqual([
      'FIELD_MISSING sale: once came out missing: data.id is missing (data has items)',
      'FIELD_MISSING sale: user.insert.email came out missing: data.email is missing (data has items)',
      'RULE_REJECTED sale/bad, item a: a is bad.',
      'ITEM_UNMATCHED sale, item c: no rule of the loop fits it',
      'QUANTITY_INVALID sale/good, item d: license.create.quantity needs a whole number from 1 to 10000, not 0',
      'RULE_REJECTED sale/bad, item e: e is bad.',
    ]);
  });

  it('needs something to go through, and a key for each item', async () => {
    expect(await problems(rule(LOOP), SALE)).toEqual([
      'FIELD_MISSING sale: forEach found nothing in =data.items: data.items is missing (data has id, email)',
    ]);
    const [problem] = await problems(rule(LOOP), { ...SALE, items: [line(null), line('b')] });
    expect(problem).toMatch(/^FIELD_MISSING sale, item 1: key came out missing/);
  });

  it('of more steps than a plan may have is refused once, and quickly', async () => {
    const items = Array.from({ length: 5000 }, () => line('a'));
    expect(await plan(rule(LOOP), { ...SALE, items })).toHaveLength(5000);
    expect(
      await problems(rule(LOOP), { ...SALE, items: [...items, line('a'), line('a')] }),
    ).toEqual(['QUANTITY_INVALID sale: the plan has more than 5000 steps']);
  });

  it('inside a loop sees both items', async () => {
    const inner =
      '      - forEach: =data.items\n        as: box\n        rules:\n          - id: box\n            do:\n' +
      '              - forEach: =$box.parts\n                as: part\n                key: =$part\n                rules:\n' +
      '                  - id: part\n                    do:\n                      - license.create: { productId: =$box.id & "-" & $part }\n';
    const items = [
      { id: 'a', parts: ['x', 'y'] },
      { id: 'b', parts: ['x'] },
    ];
    const steps = await plan(rule(inner), { ...SALE, items });
    expect(
      steps.map(({ input, unitKey, rule: id }) => `${input['productId']} ${unitKey} ${id}`),
    ).toEqual(['a-x x#1 sale/box/part', 'a-y y#1 sale/box/part', 'b-x x#2 sale/box/part']);
  });
});

describe('names of `let`', () => {
  const failing =
    '    let:\n      broken: =$need(data.gone, "It is gone.")\n      total: =data.total\n';

  it('are looked up only where they are used', async () => {
    const used = create(
      'productId: =$first(data.product, "p")\nnotes: =$if(data.flag, $string($total))',
    );
    const unused =
      '      - license.suspend: { find: { key: =$broken } }\n        when: { data.flag: true }\n';
    expect(await plan(rule(used + unused, failing), SALE)).toHaveLength(1);
    expect(await problems(rule(used + unused, failing), { ...SALE, flag: true, total: 1 })).toEqual(
      ['FORMULA_FAILED sale: It is gone in =$need(data.gone, "It is gone.")'],
    );
  });

  it('that fail are one problem, however often they are used', async () => {
    const fields = create('productId: =$broken\nnotes: =$broken\nuserId: =$string($total)');
    expect(await problems(rule(fields, failing), { ...SALE, total: 5 })).toHaveLength(1);
  });

  it('may stand in any order, and inner ones hide outer ones', async () => {
    const more = '    let:\n      a: =$b & "!"\n      b: =$c\n';
    const steps = await plan(
      rule(create('productId: =$a'), more),
      SALE,
      'let:\n  c: outer\n  b: hidden\n',
    );
    expect(steps[0]?.input).toEqual({ productId: 'outer!' });
  });

  it('leave out what is missing from a map', async () => {
    const more =
      '    let:\n      fields: { productId: p, notes: =data.gone, tags: [=data.gone, two] }\n';
    const steps = await plan(rule(create('from: =$fields'), more), SALE);
    expect(steps[0]?.input).toEqual({ productId: 'p', tags: ['two'] });
  });
});

const BLAMES: readonly (readonly [name: string, field: string, data: object, blame: string])[] = [
  [
    'a slip',
    '=data.custmer_email',
    { customer_email: 'x' },
    'data.custmer_email is missing (there is customer_email)',
  ],
  [
    'a step of the path',
    '=data.custmer.email',
    { customer: {} },
    'data.custmer is missing (there is customer)',
  ],
  ['null', '=data.email', { email: null, name: 'x' }, 'data.email is missing (data has name)'],
  ['an empty text', '=data.email', { email: '' }, 'data.email is missing (it is blank)'],
  [
    'both places of $first',
    '=$first(data.a.email, data.b.email)',
    { a: { x: 1 } },
    'data.a.email is missing (data.a has x); data.b is missing (data has id, a)',
  ],
  [
    'an item of a list',
    '=data.items.email',
    { items: [{ mail: 'x' }] },
    'data.items.email is missing (there is mail)',
  ],
  ['a name of `let`', '=$who', { name: 'x' }, 'data.email is missing (data has name)'],
];

describe('a required value that is missing', () => {
  it.each(BLAMES)('blames the place: %s', async (_name, field, data, blame) => {
    const text = rule(
      `      - user.insert: { email: "${field}" }\n`,
      field === '=$who' ? '    let: { who: =data.email }\n' : '',
    );
    expect(await problems(text, { id: 's1', ...data })).toEqual([
      `FIELD_MISSING sale: user.insert.email came out missing: ${blame.replace('data has name', 'data has id, name')}`,
    ]);
  });

  it('is told with its place in the file', async () => {
    const result = await match(
      stripeRules(rule('      - user.insert:\n          email: =data.email\n')),
      eventOf({ id: 's' }),
    );
    expect(result).toMatchObject({
      problems: [{ location: 'stripe.yaml:9:18', hint: expect.any(String) }],
    });
  });

  it('is told at the operator or the call that failed', async () => {
    const at = async (formula: string) => {
      const result = await match(
        stripeRules(rule(create(`productId: ${formula}`))),
        eventOf({ id: 's' }),
      );
      return result.kind === 'failed' ? result.problems[0]?.location : result.kind;
    };
    expect(await at('="order " & data.gone')).toBe('stripe.yaml:9:32');
    expect(await at('=data.x & $number("x")')).toBe('stripe.yaml:9:32');
    expect(await at('=$interval(1, "moon")')).toBe('stripe.yaml:9:23');
  });
});
