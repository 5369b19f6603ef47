// What the editor of the playground offers and explains, by the place of the cursor (`|`).

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { eventKnowledge } from '../../src/console/client/shared/event-shapes.ts';
import { FUNCTION_HELP } from '../../src/console/client/shared/function-help.ts';
import { helpAt } from '../../src/console/client/shared/help.ts';
import { offersAt } from '../../src/console/client/shared/offers.ts';
import { OWN_FUNCTIONS } from '../../src/engine/expression/function-names.ts';

const SAMPLE = readFileSync(
  new URL('../../samples/stripe/checkout.session.completed-payment.json', import.meta.url),
  'utf8',
);
const EVENT = eventKnowledge('stripe', SAMPLE);
const RULE = 'rules:\n  - id: mine\n    on: checkout.session.completed\n';

function at(text: string): readonly [readonly string[], number, number] {
  const lines = text.split('\n');
  const line = lines.findIndex((one) => one.includes('|'));
  const column = lines[line]?.indexOf('|') ?? 0;
  return [lines.map((one) => one.replace('|', '')), line, column];
}

function labels(text: string): readonly string[] {
  return offersAt(...at(text), EVENT)?.offers.map(({ label }) => label) ?? [];
}

describe('what is offered', () => {
  test.each([
    ['at the top of the file', '|', ['provider', 'rules', 'subject']],
    ['as a value', 'mode: |', ['live', 'test', 'any']],
    ['in a rule, what it lacks', `${RULE}    |`, ['when', 'do', 'ignore']],
    [
      'as a type of event',
      'rules:\n  - id: mine\n    on: |',
      ['invoice.paid', 'checkout.session.completed'],
    ],
    ['in a list of types', 'rules:\n  - id: mine\n    on: [invoice.paid, |', ['invoice.created']],
    ['as an action', `${RULE}    do:\n      - |`, ['user.insert', 'license.create']],
    [
      'as a field of an action',
      `${RULE}    do:\n      - user.insert:\n          |`,
      ['email', 'firstName'],
    ],
    [
      'beside an action',
      `${RULE}    do:\n      - user.insert:\n          email: x\n        |`,
      ['as'],
    ],
    ['where a list is not indented', 'rules:\n- id: mine\n  |', ['on', 'when']],
    ['in a catalog', 'catalog:\n  pro: { |', ['productId', 'licenseTemplateId']],
    [
      'as a path of a condition',
      `${RULE}    when:\n      data.object.|`,
      ['data.object.payment_status'],
    ],
    [
      'as a word that the provider documents',
      `${RULE}    when: { data.object.mode: |`,
      ['payment', 'setup', 'subscription'],
    ],
    [
      'as a comparison',
      `${RULE}    when:\n      data.object.amount_total:\n        |`,
      ['gt', 'exists'],
    ],
    ['in a formula, as a path', `${RULE}    once: =data.object.customer_details.|`, ['email']],
    ['in a formula, by name', 'let:\n  saleId: =id\nsubject: =$|', ['$saleId', '$first', '$event']],
    ['of the event', 'subject: =$event.|', ['id', 'type', 'time']],
  ])('%s', (_name, text, wanted) => {
    expect(labels(text)).toEqual(expect.arrayContaining(wanted));
  });

  test.each([
    ['a name that stands there already', `${RULE}    |`, 'on'],
    ['in a formula, inside a text', 'subject: ="a $|', '$first'],
    ['in a comment', '# mo|', 'mode'],
    [
      'of another type of event',
      `${RULE}    when:\n      data.object.|`,
      'data.object.billing_reason',
    ],
  ])('never %s', (_name, text, unwanted) => {
    expect(labels(text)).not.toContain(unwanted);
  });
});

describe('what is explained', () => {
  test.each([
    ['a name of the schema', 'pro|vider: stripe', 'provider', 'Who sends the events.'],
    [
      'a field of an action',
      `${RULE}    do:\n      - user.insert:\n          em|ail: x`,
      'email',
      "The user's e-mail address",
    ],
    [
      'a path in a condition',
      `${RULE}    when: { data.object.payment_sta|tus: paid }`,
      'data.object.payment_status',
      'In this event: "paid"',
    ],
    [
      'a path in a formula',
      'subject: =data.object.mo|de',
      'data.object.mode',
      'Takes payment, setup, subscription.',
    ],
    [
      'a path that this event has not',
      `rules:\n  - id: a\n    on: invoice.paid\n    once: =data.object.billing_rea|son`,
      'data.object.billing_reason',
      'Not in the event',
    ],
    ['a function', 'subject: =$fir|st(a)', '$first(a, b, …)', 'The first that is not blank.'],
    ['a name of the file', 'let:\n  saleId: =data.id\nsubject: =$sale|Id', '$saleId', '=data.id'],
  ])('%s', (_name, text, title, told) => {
    const help = helpAt(...at(text), EVENT);
    expect(help?.title).toBe(title);
    expect(help?.text).toContain(told);
  });

  test('nothing where there is nothing to say', () => {
    expect(helpAt(...at('# pro|vider'), EVENT)).toBeUndefined();
    expect(helpAt(...at('something: el|se'), EVENT)).toBeUndefined();
    expect(helpAt(...at('subject: =data.nosuch|thing'), EVENT)).toBeUndefined();
  });
});

test('a half-written event and one that is no map do no harm', () => {
  for (const text of ['{"data": ', '[]', '1', '', '{"events": 1}']) {
    const event = eventKnowledge('paddle', text);
    expect(offersAt(['subject: =da'], 0, 12, event)?.offers.map(({ label }) => label)).toContain(
      'data',
    );
  }
});

test('the help on functions says what the manual says', () => {
  expect(Object.keys(FUNCTION_HELP).sort()).toEqual([...OWN_FUNCTIONS].sort());
  const manual = readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8');
  for (const [call, gives] of Object.values(FUNCTION_HELP)) {
    expect(manual).toContain(`| \`${call}\` | ${gives} |`);
  }
});
