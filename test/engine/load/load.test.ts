// What a rule file says of itself: its source, its settings, and how its findings are shown.

import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../../src/actions/definitions.ts';
import { closest } from '../../../src/engine/diagnostics/closest.ts';
import { formatDiagnostic } from '../../../src/engine/diagnostics/findings.ts';
import { loadRuleFile } from '../../../src/engine/load/load.ts';
import { rulesOf } from '../support/rules.ts';

const RULES = 'rules:\n  - id: a\n    on: sale\n    ignore: Why.\n';
const HEAD = 'provider: stripe\nsubject: =data.id\n';
const load = (text: string, file = 'rules/stripe.yaml') =>
  loadRuleFile({ file, text, readBeside: () => undefined }, ACTIONS);

describe('a rule file', () => {
  it('says little and means the defaults', () => {
    expect(rulesOf(HEAD + RULES, 'rules/stripe.yaml')).toMatchObject({
      source: 'stripe',
      provider: 'stripe',
      mode: 'any',
      unmatched: 'reject',
      env: [],
      settings: { secretName: 'STRIPE_WEBHOOK_SECRET', maxDelete: 100, waitForMs: 86_400_000 },
    });
  });

  it('says everything', () => {
    const head =
      'mode: live\nunmatched: ignore\nenv: { SHOP: { optional: true }, PLAN: null }\nsecret: EU_SECRET\npath: /eu\n' +
      'answer: { ok: true }\ntoleranceSeconds: 60\nmaxDelete: 0\nwaitFor: P1DT12H\n';
    const ruleSet = rulesOf(HEAD + head + RULES, 'rules/stripe-eu.yml');
    expect(ruleSet).toMatchObject({
      source: 'stripe-eu',
      mode: 'live',
      unmatched: 'ignore',
      settings: {
        secretName: 'EU_SECRET',
        path: '/eu',
        answer: { ok: true },
        toleranceSeconds: 60,
        maxDelete: 0,
        waitForMs: 129_600_000,
      },
    });
    expect(ruleSet.env.map(({ name, optional }) => [name, optional])).toEqual([
      ['SHOP', true],
      ['PLAN', false],
    ]);
  });

  it('of a further source names its secret', () => {
    const { diagnostics } = load(HEAD + RULES, 'rules/stripe-eu.yaml');
    expect(diagnostics).toMatchObject([
      { code: 'RULE_MISSING_FIELD', hint: expect.stringContaining('STRIPE_EU_WEBHOOK_SECRET') },
    ]);
  });

  it('may have an empty catalog', () => {
    expect(load(`${HEAD}catalog:\n${RULES}`).diagnostics).toEqual([]);
    expect(load(`${HEAD}catalog: {}\n${RULES}`).diagnostics).toEqual([]);
  });

  it('changes its hash with every change', () => {
    const hash = (text: string) => rulesOf(text).hash;
    expect(hash(HEAD + RULES)).toMatch(/^[0-9a-f]{64}$/);
    expect(hash(HEAD + RULES)).not.toBe(hash(`${HEAD}${RULES}# more\n`));
  });

  it('with warnings only is loaded all the same', () => {
    const { ruleSet, diagnostics } = load(
      `${HEAD}${RULES}  - id: b\n    on: sale\n    ignore: Why.\n`,
    );
    expect(diagnostics.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      'warning RULE_UNREACHABLE',
    ]);
    expect(ruleSet).toBeDefined();
  });

  it('lets a later rule be reached for one of its types, or behind `continue`', () => {
    const later = '  - id: b\n    on: [sale, refund]\n    ignore: Why.\n';
    expect(load(HEAD + RULES + later).diagnostics).toEqual([]);
    const going = RULES.replace('    ignore', '    continue: true\n    ignore');
    expect(load(`${HEAD}${going}  - id: b\n    on: sale\n    ignore: Why.\n`).diagnostics).toEqual(
      [],
    );
  });
});

describe('a finding', () => {
  it('is shown with its line, a caret and a hint', () => {
    const text = `${HEAD}unmached: ignore\n${RULES}`;
    const [finding] = load(text).diagnostics;
    if (finding === undefined) throw new Error('nothing was found');
    expect(formatDiagnostic(finding, () => text)).toBe(
      [
        'rules/stripe.yaml:3:1: error: a rule file has no field "unmached"; did you mean "unmatched"? [RULE_UNKNOWN_FIELD]',
        '    3 | unmached: ignore',
        '      | ^^^^^^^^',
        '      = hint: Check the spelling and the indentation.',
      ].join('\n'),
    );
  });

  it('keeps its caret in place behind tabs, and inside the line', () => {
    const at = { file: 'a.yaml', line: 1, column: 5 };
    const finding = { severity: 'error', code: 'USAGE', message: 'm', hint: undefined } as const;
    const shown = formatDiagnostic({ ...finding, location: at, length: 99 }, () => '\tab\tcd');
    expect(shown).toBe('a.yaml:1:5: error: m [USAGE]\n    1 | \tab\tcd\n      | \t  \t^^');
    expect(
      formatDiagnostic({ ...finding, location: at, length: 1 }, () => undefined),
    ).not.toContain('|');
  });
});

describe('a suggestion', () => {
  it.each([
    ['custmer', ['customer', 'id'], 'customer'],
    ['FirstName', ['firstname', 'lastname'], 'firstname'],
    ['a', ['id', 'b'], undefined],
    ['ab', ['id', 'abc'], 'abc'],
    ['license.explode', ['license.revoke', 'license.resume'], undefined],
    ['', ['id'], undefined],
  ])('for "%s" among %j is %s', (word, candidates, wanted) => {
    expect(closest(word, candidates)).toBe(wanted);
  });
});

describe('the schema for editors', () => {
  it.each(['generate-schema.ts', 'generate-tests-schema.ts'])('is what %s writes', (name) => {
    const script = new URL(`../../../scripts/${name}`, import.meta.url);
    execFileSync(process.execPath, [script.pathname, '--check']);
  });
});
