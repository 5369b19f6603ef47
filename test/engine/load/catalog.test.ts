// What is sold, in the rule file or in a table beside it: read strictly, found in no time.

import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../../src/actions/definitions.ts';
import type { JsonObject } from '../../../src/core/model.ts';
import { loadRuleFile } from '../../../src/engine/load/load.ts';
import { eventOf, linesOf, match } from '../support/rules.ts';

const RULES =
  'rules:\n  - id: a\n    on: sale\n    once: =data.id\n    do:\n      - license.create:\n          from: =$catalog(data.sku)\n          notes: =$string($catalog())\n';

function load(head: string, beside: Readonly<Record<string, string>> = {}) {
  const text = `provider: stripe\nsubject: =data.id\n${head}${RULES}`;
  return loadRuleFile(
    { file: 'rules/stripe.yaml', text, readBeside: (name) => beside[name] },
    ACTIONS,
  );
}

/** The fields that the catalog gives for a key; the findings when it does not load. */
async function entry(csv: string, sku: string, file = 'catalog.csv') {
  const { ruleSet, diagnostics } = load(`catalogFile: ${file}\n`, { [file]: csv });
  if (ruleSet === undefined) return diagnostics.map(({ message }) => message);
  const result = await match(ruleSet, eventOf({ id: 's', sku }));
  if (result.kind !== 'matched') return linesOf(result);
  const { notes: _size, ...fields }: JsonObject = result.plan.steps[0]?.input ?? {};
  return fields;
}

/** The findings of a CSV file, as `LINE CODE`. */
function findings(csv: string) {
  const { diagnostics } = load('catalogFile: catalog.csv\n', { 'catalog.csv': csv });
  expect(diagnostics.every(({ location }) => location.file === 'rules/catalog.csv')).toBe(true);
  return diagnostics.map(({ location, code }) => `${location.line} ${code}`);
}

const HEAD = 'key,productId,licenseTemplateId\n';

const TABLES: readonly (readonly [name: string, csv: string, fields: object])[] = [
  ['plain', `${HEAD}a,p,t\n`, { productId: 'p', licenseTemplateId: 't' }],
  ['without a last line break', `${HEAD}a,p,t`, { productId: 'p', licenseTemplateId: 't' }],
  [
    'with CRLF',
    `${HEAD}a,p,t\n`.replaceAll('\n', '\r\n'),
    { productId: 'p', licenseTemplateId: 't' },
  ],
  ['with a byte order mark', `\ufeff${HEAD}a,p,t\n`, { productId: 'p', licenseTemplateId: 't' }],
  ['with quotes', `${HEAD}"a","p","t"\n`, { productId: 'p', licenseTemplateId: 't' }],
  ['with a comma in quotes', 'key,productId,notes\na,p,"one, two"\n', { productId: 'p' }],
  ['with doubled quotes', `${HEAD}a,"p""q",t\n`, { productId: 'p"q', licenseTemplateId: 't' }],
  [
    'with a line break in quotes',
    `${HEAD}b,"x\ny",t\na,p,t\n`,
    { productId: 'p', licenseTemplateId: 't' },
  ],
  ['with blank lines', `\n${HEAD}\n\na,p,t\n,,\n`, { productId: 'p', licenseTemplateId: 't' }],
  ['with blanks around', ' key , productId \n a , p \n', { productId: 'p' }],
  ['with an empty cell', `${HEAD}a,p,\n`, { productId: 'p' }],
  ['with a short line', `${HEAD}a,p\n`, { productId: 'p' }],
  ['in another order', 'productId,key\np,a\n', { productId: 'p' }],
  [
    'with a key like a number',
    `${HEAD}00123,q,t\na,p,t\n`,
    { productId: 'p', licenseTemplateId: 't' },
  ],
  [
    'with every kind of cell',
    'key,productId,quantity,subscriptionInterval,requireAuthentication,tags,maxAllowedReleaseVersion\na,p,3,perpetual,true,one; two,1.10\n',
    {
      productId: 'p',
      quantity: 3,
      subscriptionInterval: '',
      requireAuthentication: true,
      tags: ['one', 'two'],
      maxAllowedReleaseVersion: '1.10',
    },
  ],
];

const WRONG: readonly (readonly [name: string, csv: string, findings: readonly string[]])[] = [
  ['nothing in it', '', ['1 RULE_MISSING_FIELD', '1 RULE_MISSING_FIELD']],
  ['no key', 'productId\np\n', ['1 RULE_MISSING_FIELD']],
  ['no productId', 'key\na\n', ['1 RULE_MISSING_FIELD']],
  [
    'semicolons',
    'key;productId\na;p\n',
    ['1 RULE_UNKNOWN_FIELD', '1 RULE_MISSING_FIELD', '1 RULE_MISSING_FIELD'],
  ],
  ['a column with a slip', 'key,productId,quantty\na,p,1\n', ['1 RULE_UNKNOWN_FIELD']],
  [
    'a column like a part of JavaScript',
    'key,productId,constructor\na,p,1\n',
    ['1 RULE_UNKNOWN_FIELD'],
  ],
  ['a column that stands twice', 'key,productId,productId\na,p,q\n', ['1 YAML_DUPLICATE_KEY']],
  ['a key that stands twice', `${HEAD}a,p,t\nb,p,t\na,q,t\n`, ['4 YAML_DUPLICATE_KEY']],
  ['a line without a key', `${HEAD},p,t\n`, ['2 RULE_MISSING_FIELD']],
  ['a line without a product', `${HEAD}a,,t\n`, ['2 RULE_MISSING_FIELD']],
  ['a line with too many cells', `${HEAD}a,p,t,x\n`, ['2 RULE_UNKNOWN_FIELD']],
  ['a formula', `${HEAD}a,=data.id,t\n`, ['2 RULE_WRONG_TYPE']],
  ['a quantity of 0', 'key,productId,quantity\na,p,0\n', ['2 RULE_WRONG_TYPE']],
  [
    'an interval in words',
    'key,productId,subscriptionInterval\na,p,monthly\n',
    ['2 RULE_WRONG_TYPE'],
  ],
  ['yes for true', 'key,productId,requireAuthentication\na,p,yes\n', ['2 RULE_WRONG_TYPE']],
  ['a quote that is never closed', `${HEAD}b,p,t\na,"p,t\nc,p,t\n`, ['3 INPUT_UNREADABLE']],
  [
    'several of these',
    `${HEAD}a,p,t\n,p,t\na,q,t\n`,
    ['3 RULE_MISSING_FIELD', '4 YAML_DUPLICATE_KEY'],
  ],
];

describe('a catalog in a CSV file', () => {
  it.each(TABLES)('is read: %s', async (_name, csv, fields) => {
    expect(await entry(csv, 'a')).toEqual(fields);
  });

  it.each(WRONG)('is refused: %s', (_name, csv, wanted) => {
    expect(findings(csv)).toEqual(wanted);
  });

  it('says commas to whoever writes semicolons', () => {
    const { diagnostics } = load('catalogFile: catalog.csv\n', {
      'catalog.csv': 'key;productId\n',
    });
    expect(diagnostics[0]?.hint).toMatch(/commas/);
  });
});

describe('a catalog in a YAML file', () => {
  it('is read like the one in the rule file', async () => {
    const yaml = 'a: { productId: p, quantity: 2 }\n';
    expect(await entry(yaml, 'a', 'catalog.yaml')).toEqual({ productId: 'p', quantity: 2 });
  });

  it.each([
    ['a: { productID: p }\n', '1:6 RULE_UNKNOWN_FIELD'],
    ['a: { productId: =data.id }\n', '1:17 RULE_WRONG_TYPE'],
    ['a: { productId: p }\na: { productId: q }\n', '2:1 YAML_DUPLICATE_KEY'],
    ['a: { productId: p\n', '2:1 YAML_SYNTAX'],
    ['- a\n', '1:1 RULE_WRONG_TYPE'],
  ])('is refused at its own place: %s', (yaml, wanted) => {
    const { diagnostics } = load('catalogFile: catalog.yaml\n', { 'catalog.yaml': yaml });
    const found = diagnostics.map(
      ({ location: { file, line, column }, code }) => `${file} ${line}:${column} ${code}`,
    );
    expect(found).toEqual([`rules/catalog.yaml ${wanted}`]);
  });
});

describe('a catalog', () => {
  it('may be in the file and beside it, but each key once', () => {
    const head = 'catalog: { a: { productId: p } }\ncatalogFile: catalog.csv\n';
    const { diagnostics } = load(head, { 'catalog.csv': `${HEAD}a,p,t\n` });
    expect(diagnostics.map(({ code }) => code)).toEqual(['YAML_DUPLICATE_KEY']);
  });

  it('that cannot be read is a finding at its name', () => {
    const { diagnostics } = load('catalogFile: catalog.csv\n');
    expect(diagnostics).toMatchObject([
      { code: 'RULES_UNREADABLE', location: { line: 3, column: 14 } },
    ]);
  });

  it('counts for the hash that is stamped on plans', () => {
    const hash = (csv: string) => load('catalogFile: c.csv\n', { 'c.csv': csv }).ruleSet?.hash;
    expect(hash(`${HEAD}a,p,t\n`)).toBe(hash(`${HEAD}a,p,t\n`));
    expect(hash(`${HEAD}a,p,t\n`)).not.toBe(hash(`${HEAD}a,q,t\n`));
  });

  it('of a hundred thousand entries costs an event no more than one of ten', async () => {
    const table = (size: number) =>
      `${HEAD}${Array.from({ length: size }, (_none, index) => `k${index},p${index},t`).join('\n')}\n`;
    const costMs = async (size: number) => {
      const { ruleSet } = load('catalogFile: c.csv\n', { 'c.csv': table(size) });
      if (ruleSet === undefined) throw new Error('it does not load');
      const sku = `k${size - 1}`;
      expect(linesOf(await match(ruleSet, eventOf({ id: 's', sku })))[1]).toContain(
        `p${size - 1} `,
      );
      const start = performance.now();
      for (let time = 0; time < 100; time += 1) await match(ruleSet, eventOf({ id: 's', sku }));
      return performance.now() - start;
    };
    const small = await costMs(10);
    const large = await costMs(100_000);
    // A walk of the entries would cost thousands of times more; a factor of 20 leaves room for noise.
    expect(large).toBeLessThan(small * 20 + 100);
  });
});
