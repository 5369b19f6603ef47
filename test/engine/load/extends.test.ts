// A file that extends another: what it gives, where findings point, and what is refused.

import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../../src/actions/definitions.ts';
import { loadRuleFile } from '../../../src/engine/load/load.ts';
import { matchEvent } from '../../../src/engine/plan/match.ts';

const BASE = `provider: paddle
subject: =data.id
settings:
  refunds:
    oneOf: [off, revoke]
    default: off
    events: { revoke: [adjustment.updated] }
  grace: { type: interval, default: P3D, when: { refunds: revoke } }
  failedPayments: { oneOf: [off], type: interval, default: off }
  seats: { type: integer, default: 1 }
  isStrict: { type: boolean, default: false }
let:
  word: base
rules:
  - id: paused
    on: subscription.paused
    ignore: Pauses change nothing.
  - id: canceled
    on: subscription.canceled
    when: { $settings.refunds: revoke }
    ignore: ="Ended, after " & $settings.grace
  - id: other-cancellation
    on: subscription.canceled
    ignore: Nothing.
`;

function load(text: string, beside: Readonly<Record<string, string>> = {}) {
  const files: Readonly<Record<string, string>> = { 'shipped/paddle.yaml': BASE, ...beside };
  const input = { file: 'rules/paddle.yaml', text, readBeside: (name: string) => files[name] };
  return loadRuleFile(input, ACTIONS);
}

const codes = (text: string, beside = {}): readonly string[] =>
  load(text, beside).diagnostics.map(
    ({ location, code }) => `${location.file}:${location.line}:${location.column} ${code}`,
  );

const placesOf = (text: string, beside = {}): readonly string[] =>
  (load(text, beside).ruleSet?.rules ?? []).map(
    ({ id, location }) => `${id} ${location.file}:${location.line}`,
  );

describe('a file that extends a shipped one', () => {
  it('has its rules, at the places of the shipped file', () => {
    expect(placesOf('extends: paddle\n')).toEqual([
      'paused shipped/paddle.yaml:15',
      'canceled shipped/paddle.yaml:18',
      'other-cancellation shipped/paddle.yaml:22',
    ]);
  });

  it('puts its own rules first, replaces those of the same id in their place, and takes out others', () => {
    const text = `extends: paddle
without: [paused]
rules:
  - { id: other-cancellation, on: subscription.canceled, ignore: Mine. }
  - { id: mine, on: subscription.resumed, ignore: Mine. }
`;
    expect(placesOf(text)).toEqual([
      'mine rules/paddle.yaml:5',
      'canceled shipped/paddle.yaml:18',
      'other-cancellation rules/paddle.yaml:4',
    ]);
  });

  it('gives its settings and names values, and keeps those that it does not name', () => {
    const { ruleSet } = load(
      'extends: paddle\nsettings: { refunds: revoke, grace: P10D }\nlet: { word: own }\n',
    );
    const values = Object.fromEntries(
      (ruleSet?.declared ?? []).map(({ name, value }) => [name, value]),
    );
    expect(values).toEqual({
      refunds: 'revoke',
      grace: 'P10D',
      failedPayments: 'off',
      seats: 1,
      isStrict: false,
    });
    expect(ruleSet?.names.get('word')).toMatchObject({ value: 'own' });
  });

  it('may extend a file beside it, which extends a shipped one', () => {
    const beside = { 'team.yaml': 'extends: paddle\nsettings: { refunds: revoke }\n' };
    const { ruleSet, diagnostics } = load('extends: team.yaml\nsettings: { grace: P1D }\n', beside);
    expect(diagnostics).toEqual([]);
    const values = ruleSet?.declared.map(({ name, value }) => `${name} ${value}`);
    expect(values?.slice(0, 2)).toEqual(['refunds revoke', 'grace P1D']);
  });

  it('has a hash that changes with each text that it is made of', () => {
    const hash = (text: string, base: string) =>
      load(text, { 'shipped/paddle.yaml': base }).ruleSet?.hash;
    const own = 'extends: paddle\n';
    expect(hash(own, BASE)).toBe(hash(own, BASE));
    expect(hash(own, `${BASE}# more\n`)).not.toBe(hash(own, BASE));
  });

  it('keeps what it is made of, so that it can be loaded again from that alone', () => {
    const first = load('extends: paddle\nsettings: { refunds: revoke }\n').ruleSet;
    const { file, text, beside = {}, hash } = first ?? {};
    const again = loadRuleFile(
      { file: file ?? '', text: text ?? '', readBeside: (name) => beside[name] },
      ACTIONS,
    );
    expect(again.ruleSet?.hash).toBe(hash);
  });
});

describe('refused at its place:', () => {
  it.each<[name: string, text: string, finding: string, beside?: Record<string, string>]>([
    ['a file that is not there', 'extends: padle\n', '1:10 RULES_EXTENDS'],
    ['itself', 'extends: paddle.yaml\n', '1:10 RULES_EXTENDS'],
    ['another folder', 'extends: ../paddle.yaml\n', '1:10 RULE_WRONG_TYPE'],
    ['another provider', 'extends: paddle\nprovider: stripe\n', '2:11 RULES_EXTENDS'],
    [
      'a rule to take out that is none',
      'extends: paddle\nwithout: [pausd]\n',
      '2:11 RULES_EXTENDS',
    ],
    [
      'an unknown setting',
      'extends: paddle\nsettings: { refund: revoke }\n',
      '2:13 SETTING_UNKNOWN',
    ],
    [
      'a word that is not declared',
      'extends: paddle\nsettings: { refunds: ignore }\n',
      '2:22 SETTING_WRONG',
    ],
    ['true for a word', 'extends: paddle\nsettings: { refunds: true }\n', '2:22 SETTING_WRONG'],
    [
      'an interval in words',
      'extends: paddle\nsettings: { failedPayments: 10 days }\n',
      '2:29 SETTING_WRONG',
    ],
    [
      'an interval that is blank',
      'extends: paddle\nsettings: { failedPayments: "" }\n',
      '2:29 SETTING_WRONG',
    ],
    ['a text for a number', 'extends: paddle\nsettings: { seats: many }\n', '2:20 SETTING_WRONG'],
    ['half a seat', 'extends: paddle\nsettings: { seats: 1.5 }\n', '2:20 SETTING_WRONG'],
    ['yes for true', 'extends: paddle\nsettings: { isStrict: yes }\n', '2:23 SETTING_WRONG'],
    [
      'a setting without effect',
      'extends: paddle\nsettings: { grace: P1D }\n',
      '2:20 SETTING_WITHOUT_EFFECT',
    ],
    ['a setting under `let`', 'extends: paddle\nlet: { refunds: revoke }\n', '2:8 SETTING_IN_LET'],
    [
      'an unknown setting in a condition',
      'extends: paddle\nrules: [{ id: a, on: subscription.resumed, when: { $settings.refnds: off }, ignore: x }]\n',
      '2:52 SETTING_UNKNOWN',
    ],
    [
      'an unknown word in a condition',
      'extends: paddle\nrules: [{ id: a, on: subscription.resumed, when: { $settings.refunds: revok }, ignore: x }]\n',
      '2:52 SETTING_UNKNOWN',
    ],
  ])('%s', (_name, text, finding, beside) => {
    expect(codes(text, beside)).toContain(`rules/paddle.yaml:${finding}`);
  });

  it('files that extend each other in a circle', () => {
    const beside = { 'a.yaml': 'extends: b.yaml\n', 'b.yaml': 'extends: a.yaml\n' };
    expect(codes('extends: a.yaml\n', beside)).toEqual(['rules/b.yaml:1:10 RULES_EXTENDS']);
  });

  it('a value for a setting in a file that declares none', () => {
    const text = BASE.replace('settings:\n', 'settings:\n  trials: as-paid\n');
    expect(codes('extends: paddle\n', { 'shipped/paddle.yaml': text })).toEqual([
      'shipped/paddle.yaml:4:3 SETTING_UNKNOWN',
    ]);
  });

  it.each([
    ['off', 0],
    ['P10D', 0],
    ['PT6H', 0],
    ['never', 1],
  ])('failedPayments: %s has %i findings', (value, count) => {
    expect(codes(`extends: paddle\nsettings: { failedPayments: ${value} }\n`)).toHaveLength(count);
  });
});

it('a rule test sets settings by name, and those of `let` as before', () => {
  const input = { file: 'rules/paddle.yaml', text: BASE, readBeside: () => undefined };
  for (const settings of [{ refunds: 'revoke' }, { let: { refunds: 'revoke' } }]) {
    const { ruleSet, diagnostics } = loadRuleFile(input, ACTIONS, { settings });
    expect(diagnostics).toEqual([]);
    expect(ruleSet?.declared[0]).toMatchObject({ name: 'refunds', value: 'revoke' });
  }
  const { diagnostics } = loadRuleFile(input, ACTIONS, { settings: { refunds: 'revok' } });
  expect(diagnostics.map(({ code }) => code)).toEqual(['SETTING_WRONG']);
});

it('an event names the file that its rule is in', async () => {
  const { ruleSet } = load('extends: paddle\n');
  if (ruleSet === undefined) throw new Error('it has findings');
  const payload = { event_id: 'evt_1', event_type: 'subscription.paused', data: { id: 'sub_1' } };
  const event = { source: 'paddle', provider: 'paddle', id: 'evt_1', live: null } as const;
  const result = await matchEvent(
    ruleSet,
    { ...event, type: 'subscription.paused', timeMs: 1, payload },
    {},
  );
  expect(result).toMatchObject({ rule: { file: 'shipped/paddle.yaml', line: 15 } });
});
