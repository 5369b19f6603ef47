// What two versions of the rules make different of one event: in which words, and what is marked.

import { describe, expect, test } from 'vitest';
import { ACTIONS } from '../../../src/actions/definitions.ts';
import { differencesOf, type Verdict } from '../../../src/authoring/comparison/difference.ts';
import type { JsonObject } from '../../../src/core/model.ts';
import { loadRuleFile } from '../../../src/engine/load/load.ts';
import { matchEvent } from '../../../src/engine/plan/match.ts';

const EVENT = {
  amount: 12,
  days: 'P1Y',
  until: '2027-03-01',
  mail: 'ann@example.com',
  list: [1, 2],
};

/** A file with one rule for `invoice.paid`, whose steps are given as YAML at its left edge. */
function rules(steps: string, more = ''): string {
  const inside = steps
    .trim()
    .split('\n')
    .map((line) => `      ${line}\n`)
    .join('');
  return `provider: stripe\nsubject: =data.object.id\n${more}rules:\n  - id: paid\n    on: invoice.paid\n    once: =data.object.id\n    do:\n${inside}`;
}
const only = (rule: string): string =>
  `provider: stripe\nsubject: =data.object.id\nrules:\n  - id: other\n    on: ${rule}\n`;

async function verdict(text: string | undefined): Promise<Verdict> {
  if (text === undefined) return undefined;
  const input = { file: 'stripe.yaml', text, readBeside: () => undefined };
  const { ruleSet, diagnostics } = loadRuleFile(input, ACTIONS);
  if (ruleSet === undefined) throw new Error(diagnostics.map(({ message }) => message).join());
  const payload = { data: { object: { id: 'in_1', ...EVENT } } } as JsonObject;
  const origin = { source: 'stripe', provider: 'stripe', live: true, timeMs: 0 } as const;
  return matchEvent(ruleSet, { ...origin, id: 'evt_1', type: 'invoice.paid', payload }, {});
}

/** `! -1 license.create`: the mark, the sign of a step, the text. */
async function told(before: string | undefined, after: string | undefined): Promise<string[]> {
  const found = differencesOf('invoice.paid', await verdict(before), await verdict(after));
  return found.map(({ danger, steps, text, kind }) => {
    const sign = kind === 'step' ? `${steps > 0 ? '+' : '-'}1 ` : '';
    return `${danger === undefined ? ' ' : '!'} ${sign}${text}`;
  });
}

const FIND = 'find: { metadata: { sub: =data.object.id } }';
const create = (fields: string): string =>
  rules(`- license.create:\n    productId: p1\n${fields.replaceAll(/^/gm, '    ')}`);
const step = (action: string, fields = ''): string =>
  rules(`- license.${action}:\n    ${FIND}${fields === '' ? '' : `\n    ${fields}`}`);

describe('an outcome', () => {
  const IGNORE = `${only('invoice.paid')}    ignore: nothing\n`;
  const REJECT = `${only('invoice.paid')}    reject: no\n`;
  const NONE = `${only('customer.created')}    ignore: nothing\n`;
  const LENIENT = NONE.replace('provider: stripe', 'provider: stripe\nunmatched: ignore');
  test.each([
    ['that is the same', IGNORE, IGNORE, []],
    ['ignored, now refused', IGNORE, REJECT, ['! ignored → failed']],
    ['ignored, now unmatched', IGNORE, NONE, ['! ignored → unmatched (400)']],
    ['ignored, now let pass', IGNORE, LENIENT, ['  ignored → unmatched (200)']],
    ['refused, now ignored', REJECT, IGNORE, ['  failed → ignored']],
    ['unmatched, now refused', NONE, REJECT, ['  unmatched (400) → failed']],
    ['unmatched, answered otherwise', LENIENT, NONE, ['! unmatched (200) → unmatched (400)']],
    ['of a source that is gone', IGNORE, undefined, ['! ignored → no rules for its source']],
    ['of a source that is new', undefined, IGNORE, ['  no rules for its source → ignored']],
    ['matched, now ignored', step('renew'), IGNORE, ['  matched → ignored', '! -1 license.renew']],
    [
      'ignored, now matched',
      IGNORE,
      step('delete'),
      ['  ignored → matched', '! +1 license.delete'],
    ],
    [
      'by another rule, with the same effect',
      IGNORE,
      IGNORE.replace('id: other', 'id: another'),
      ['  decided by another instead of other, with the same effect'],
    ],
    [
      'failed for another reason',
      REJECT,
      create('quantity: 1').replace(': p1', ': =data.object.missing'),
      ['  fails for another reason: RULE_REJECTED → FIELD_MISSING'],
    ],
  ])('%s', async (_, before, after, wanted) => {
    expect(await told(before, after)).toEqual(wanted);
  });
});

describe('a step', () => {
  test.each([
    ['suspend', '! +1'],
    ['revoke', '! +1'],
    ['delete', '! +1'],
    ['resume', '  +1'],
    ['renew', '  +1'],
  ])('license.%s that is added', async (action, wanted) => {
    const before = rules(`- license.update:\n    ${FIND}\n    notes: x`);
    const after = `${before}      - license.${action}:\n          ${FIND}\n`;
    expect(await told(before, after)).toEqual([`${wanted} license.${action}`]);
    const sign = ['resume', 'renew'].includes(action) ? '! -1' : '  -1';
    expect(await told(after, before)).toEqual([`${sign} license.${action}`]);
  });

  test('an expiry that is added', async () => {
    const before = rules(`- license.update:\n    ${FIND}\n    notes: x`);
    const after = `${before}      - license.setExpiry:\n          ${FIND}\n          expiresAt: =data.object.until\n`;
    expect(await told(before, after)).toEqual(['! +1 license.setExpiry']);
  });

  test('of a loop is compared with that of the same item, whatever its place', async () => {
    const loop = (list: string, quantity: string): string =>
      rules(`- forEach: =${list}
  as: item
  key: =$string($item)
  rules:
    - id: all
      do:
        - license.create: { productId: =$string($item), quantity: ${quantity} }`);
    expect(
      await told(loop('data.object.list', '3'), loop('$reverse(data.object.list)', '3')),
    ).toEqual([]);
    expect(await told(loop('data.object.list', '3'), loop('data.object.list[0]', '3'))).toEqual([
      '! -1 license.create',
    ]);
    expect(
      await told(loop('data.object.list', '3'), loop('$reverse(data.object.list)', '2')),
    ).toEqual(['! license.create quantity: 3 → 2', '! license.create quantity: 3 → 2']);
  });
});

describe('a clock', () => {
  const SUSPEND = rules(`- license.suspend:\n    ${FIND}`);
  const wait = (after: string): string =>
    SUSPEND.replace(
      '    do:',
      `    after: ${after}\n    timer: { grace: =data.object.id }\n    do:`,
    );
  const cancel = SUSPEND.replace('    do:', '    cancels: { grace: =data.object.id }\n    do:');
  const other = `  - id: starts
    on: invoice.payment_failed
    after: P7D
    timer: { grace: =data.object.id }
    do:
      - license.suspend:
          ${FIND}
`;
  test.each([
    ['that is added', SUSPEND, wait('P7D'), ['  at once → after P7D (timer grace)']],
    ['that is taken away', wait('P7D'), SUSPEND, ['! after P7D (timer grace) → at once']],
    [
      'that runs longer',
      wait('P7D'),
      wait('P14D'),
      ['  after P7D (timer grace) → after P14D (timer grace)'],
    ],
    [
      'that a payment no longer stops',
      cancel + other,
      SUSPEND + other,
      ['! no longer cancels the timer grace'],
    ],
    ['that a payment stops', SUSPEND + other, cancel + other, ['  cancels the timer grace']],
  ])('%s', async (_, before, after, wanted) => {
    expect(await told(before, after)).toEqual(wanted);
  });
});

describe('an input', () => {
  test.each([
    [
      'interval, longer',
      'subscriptionInterval: P1M',
      'subscriptionInterval: P1Y',
      ['  license.create subscriptionInterval: P1M → P1Y'],
    ],
    [
      'interval, shorter',
      'subscriptionInterval: =data.object.days',
      'subscriptionInterval: P1M',
      ['! license.create subscriptionInterval: P1Y → P1M'],
    ],
    [
      'interval, the same in other words',
      'subscriptionInterval: P1Y',
      'subscriptionInterval: P12M',
      ['  license.create subscriptionInterval: P1Y → P12M'],
    ],
    [
      'no longer perpetual',
      'subscriptionInterval: ""',
      'subscriptionInterval: P9Y',
      ['! license.create subscriptionInterval: "" (perpetual) → P9Y'],
    ],
    [
      'perpetual now',
      'subscriptionInterval: P9Y',
      'subscriptionInterval: ""',
      ['  license.create subscriptionInterval: P9Y → "" (perpetual)'],
    ],
    [
      'interval left to the template',
      'subscriptionInterval: P9Y',
      'notes: x',
      [
        '  license.create subscriptionInterval: P9Y is not written any more',
        '  license.create notes: a value, not written before',
      ],
    ],
    [
      'more of it',
      'quantity: 2',
      'quantity: =data.object.amount',
      ['  license.create quantity: 2 → 12'],
    ],
    [
      'fewer of it',
      'allowedActivations: 5',
      'allowedActivations: 4',
      ['! license.create allowedActivations: 5 → 4'],
    ],
    [
      'another product',
      'quantity: 1',
      'quantity: 1\nentitlementSetId: e2',
      ['  license.create entitlementSetId: e2, not written before'],
    ],
    [
      "a buyer's value is not shown",
      'notes: =data.object.mail',
      'notes: ="to " & data.object.mail',
      ['  license.create notes: another value'],
    ],
    [
      'metadata is not shown, its name is',
      'metadata: { a: =data.object.mail }',
      'metadata: { b: =data.object.mail }',
      [
        '  license.create metadata.a: its value is not written any more',
        '  license.create metadata.b: a value, not written before',
      ],
    ],
    [
      'metadata called like a field',
      'metadata: { productId: a }',
      'metadata: { productId: b }',
      ['  license.create metadata.productId: another value'],
    ],
  ])('%s', async (_, before, after, wanted) => {
    expect(await told(create(before), create(after))).toEqual(wanted);
  });

  test.each([
    ['another product', 'productId: p1', 'productId: p2', ['! license.create productId: p1 → p2']],
    [
      'another name of the fact',
      'once: =data.object.id',
      'once: =$event.id',
      ['! license.create once: the fact has another name'],
    ],
  ])('%s', async (_, from, to, wanted) => {
    const before = create('quantity: 1');
    expect(await told(before, before.replace(from, to))).toEqual(wanted);
  });

  test.each([
    [
      'comes back no more',
      'renew',
      'whenSuspended: { resume: true }',
      'whenSuspended: { resume: false }',
      ['! license.renew whenSuspended.resume: true → false'],
    ],
    [
      'a payment is forgotten',
      'renew',
      'missing: wait',
      'missing: ignore',
      ['! license.renew missing: wait → ignore'],
    ],
    [
      'an earlier date',
      'setExpiry',
      'expiresAt: =data.object.until',
      'expiresAt: "2027-02-01"',
      ['! license.setExpiry expiresAt: an earlier date'],
    ],
    [
      'a later date',
      'setExpiry',
      'expiresAt: =data.object.until',
      'expiresAt: "2027-04-01"',
      ['  license.setExpiry expiresAt: a later date'],
    ],
  ])('%s', async (_, action, from, to, wanted) => {
    expect(await told(step(action, from), step(action, to))).toEqual(wanted);
  });

  test('other licenses are found', async () => {
    const after = step('suspend').replace('sub: =data.object.id', 'sub: =data.object.mail');
    expect(await told(step('suspend'), after)).toEqual([
      '! license.suspend find.metadata.sub: another value',
    ]);
  });
});
