// What is said of rule tests that cannot be run, and how what was expected is compared with what was seen.

import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import testsSchema from '../../../schema/tests.schema.json' with { type: 'json' };
import type { JsonObject, JsonValue } from '../../../src/core/model.ts';
import { parseEventPath, setAt, unsetAt } from '../../../src/engine/cases/event-paths.ts';
import {
  compareStep,
  type EventSeen,
  type StepSeen,
} from '../../../src/engine/cases/expectation.ts';
import { type EventReader, loadTestFile } from '../../../src/engine/cases/load-tests.ts';

const SAMPLES: Readonly<Record<string, string>> = {
  'stripe/invoice.paid':
    '{"id":"evt_1","type":"invoice.paid","created":1800000000,"data":{"a":[1]}}',
  'fastspring/batch':
    '{"events":[{"id":"1","type":"a","created":5},{"id":"2","type":"b","created":9}]}',
};
const FILES: Readonly<Record<string, string>> = {
  'event.json': '{"id":"evt_2"}',
  'broken.json': '{"id":',
  'list.json': '[]',
};
const reader: EventReader = {
  readSample: (name) => SAMPLES[name],
  sampleNames: () => Object.keys(SAMPLES),
  readFile: (path) => FILES[path],
  providerOf: (rules) => (rules === '../paddle.yaml' ? 'paddle' : undefined),
};

function load(text: string): ReturnType<typeof loadTestFile> {
  return loadTestFile('t.yaml', text, reader);
}

function findingsOf(text: string): readonly string[] {
  return load(text).diagnostics.map(
    ({ location, message, code }) => `${location.line}:${location.column} ${message} [${code}]`,
  );
}

const SAMPLE = 'event: { sample: stripe/invoice.paid }';

describe('a test file that cannot be run says why, with its place', () => {
  test.each<[string, string, readonly string[]]>([
    ['empty', '', ['1:1 the file is empty [TEST_EMPTY]']],
    ['only a comment', '# later\n', ['1:1 the file is empty [TEST_EMPTY]']],
    ['no cases', 'cases: []', ['1:8 the file holds no cases [TEST_EMPTY]']],
    [
      'no YAML',
      '- name: [',
      [
        '1:10 Flow sequence in block collection must be sufficiently indented and end with a ] [YAML_SYNTAX]',
      ],
    ],
    ['a text', 'hello', ['1:1 the file must be a list or a map [RULE_WRONG_TYPE]']],
    ['a case that is none', '- 1', ['1:3 item 1 must be a map [RULE_WRONG_TYPE]']],
    [
      'a misspelt field',
      `- name: a\n  ${SAMPLE}\n  expct: { rule: x }`,
      ['3:3 a case has no field "expct"; did you mean "expect"? [RULE_UNKNOWN_FIELD]'],
    ],
    [
      'a misspelt action',
      `- name: a\n  ${SAMPLE}\n  expect: { plan: [{ license.renw: {} }] }`,
      [
        '3:22 a step of a plan has no field "license.renw"; did you mean "license.renew"? [RULE_UNKNOWN_FIELD]',
      ],
    ],
    [
      'a misspelt member of a license',
      `- name: a\n  given: { licenses: [{ suspnded: true }] }\n  ${SAMPLE}\n  expect: { rule: x }`,
      ['2:25 a license has no field "suspnded"; did you mean "suspended"? [RULE_UNKNOWN_FIELD]'],
    ],
    [
      'no name',
      `- ${SAMPLE}\n  expect: { rule: x }`,
      ['1:3 the field "name" is missing [RULE_MISSING_FIELD]'],
    ],
    [
      'nothing expected',
      `- name: a\n  ${SAMPLE}`,
      ['1:9 the case "a" expects nothing [TEST_EMPTY]'],
    ],
    [
      'an empty expectation',
      `- name: a\n  ${SAMPLE}\n  expect: {}`,
      ['3:11 "expect" must not be empty [RULE_WRONG_TYPE]'],
    ],
    [
      'equal names',
      `- name: a\n  ${SAMPLE}\n  expect: { rule: x }\n- name: a\n  ${SAMPLE}\n  expect: { rule: x }`,
      ['4:9 the case of line 1 is called "a" as well [TEST_NAME_TAKEN]'],
    ],
    [
      'an unknown sample',
      '- name: a\n  event: { sample: stripe/invoice.piad }\n  expect: { rule: x }',
      [
        '2:20 there is no sample "stripe/invoice.piad"; did you mean "stripe/invoice.paid"? [TEST_EVENT]',
      ],
    ],
    [
      'a sample outside the samples',
      '- name: a\n  event: { sample: ../package }\n  expect: { rule: x }',
      ['2:20 there is no sample "../package" [TEST_EVENT]'],
    ],
    [
      'a file that is gone',
      '- name: a\n  event: { file: gone.json, provider: stripe }\n  expect: { rule: x }',
      ['2:18 the file "gone.json" cannot be read [TEST_EVENT]'],
    ],
    [
      'a file that is no JSON',
      '- name: a\n  event: { file: broken.json, provider: stripe }\n  expect: { rule: x }',
      ['2:18 "broken.json" is not JSON [TEST_EVENT]'],
    ],
    [
      'a file that is no event',
      '- name: a\n  event: { file: list.json, provider: stripe }\n  expect: { rule: x }',
      ['2:18 this is not an event: it has to be a map [TEST_EVENT]'],
    ],
    [
      'an event of nobody',
      '- name: a\n  event: { file: event.json }\n  expect: { rule: x }',
      ['2:18 it is not known whose event this is [TEST_EVENT]'],
    ],
    [
      'an event of another provider than the rules',
      'rules: ../paddle.yaml\ncases:\n  - name: a\n    event: { sample: stripe/invoice.paid }\n    expect: { rule: x }',
      ['4:22 this is an event of stripe, but the rules of this file are for paddle [TEST_EVENT]'],
    ],
    [
      'two origins of one event',
      '- name: a\n  event: { sample: stripe/invoice.paid, file: event.json }\n  expect: { rule: x }',
      ['2:47 an event has exactly one of `sample`, `file` and `data` [TEST_EVENT]'],
    ],
    [
      'time that goes backwards',
      `- name: a\n  steps:\n    - at: 2026-02-01\n      ${SAMPLE}\n    - at: 2026-01-31T23:59:59Z\n      ${SAMPLE}\n      expect: { rule: x }`,
      [
        '5:11 2026-01-31T23:59:59Z is before the step above, which is at 2026-02-01T00:00:00.000Z [TEST_TIME]',
      ],
    ],
    [
      'a time that is none',
      `- name: a\n  at: noon\n  ${SAMPLE}\n  expect: { rule: x }`,
      ['2:7 "noon" is no time [TEST_TIME]'],
    ],
    [
      'an item that the list does not have',
      '- name: a\n  event: { sample: stripe/invoice.paid, set: { data.a.1: 2 } }\n  expect: { rule: x }',
      ['2:48 "data.a" has 1 item, so there is none at 1 (0 is the first) [TEST_PATH]'],
    ],
    [
      'something taken out that is not there',
      '- name: a\n  event: { sample: stripe/invoice.paid, unset: data.b }\n  expect: { rule: x }',
      ['2:48 there is no "data.b" [TEST_PATH]'],
    ],
    [
      'one expectation for two events',
      '- name: a\n  event: { sample: fastspring/batch }\n  expect: { rule: x }',
      [
        '3:13 this step has 2 events; say which one has this "rule", under `events` [RULE_UNKNOWN_FIELD]',
      ],
    ],
    [
      'more events expected than come',
      `- name: a\n  ${SAMPLE}\n  expect: { events: [{ rule: x }, { rule: x }] }`,
      ['3:21 2 events are expected, but this step has 1 [RULE_WRONG_TYPE]'],
    ],
    [
      'a step in which nothing happens',
      `- name: a\n  steps:\n    - expect: { licenses: [] }`,
      ['3:7 nothing happens here: there is neither an `event` nor an `at` [TEST_EMPTY]'],
    ],
    [
      'members of a step beside steps',
      `- name: a\n  at: 2026-01-01\n  steps:\n    - ${SAMPLE}\n      expect: { rule: x }`,
      ['2:3 a case with steps has its "at" in them [RULE_UNKNOWN_FIELD]'],
    ],
  ])('%s', (_name, text, wanted) => {
    expect(findingsOf(text)).toEqual(wanted);
  });

  test('and the other cases of the file can still be run', () => {
    const good = `- name: good\n  ${SAMPLE}\n  expect: { rule: x }\n`;
    const { testFile } = load(`${good}- name: bad\n  ${SAMPLE}\n`);
    expect(testFile?.cases.map(({ name }) => name)).toEqual(['good']);
  });
});

describe('the schema for editors', () => {
  /** Each property with what it says of itself; a reference says it where it leads. */
  function* propertiesOf(node: unknown, path: string): Generator<readonly [string, JsonObject]> {
    if (typeof node !== 'object' || node === null) return;
    for (const [name, member] of Object.entries(node)) {
      if (name === 'properties') {
        for (const [property, of] of Object.entries(member as Record<string, JsonObject>)) {
          if (of['$ref'] === undefined) yield [`${path}.${property}`, of];
          yield* propertiesOf(of, `${path}.${property}`);
        }
      } else if (name !== 'examples') yield* propertiesOf(member, path);
    }
  }
  const properties = [...propertiesOf(testsSchema, '')];

  test('describes every property, with an example', () => {
    expect(properties.length).toBeGreaterThan(200);
    const silent = properties.filter(
      ([, { description, examples }]) =>
        typeof description !== 'string' || !Array.isArray(examples) || examples.length === 0,
    );
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  test('gives examples that it takes itself', () => {
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema(testsSchema, 'tests');
    const wrong = properties.flatMap(([path, schema]) => {
      const validate = ajv.compile({ ...schema, $defs: testsSchema.$defs });
      return (schema['examples'] as JsonValue[])
        .filter((example) => !validate(example))
        .map((example) => `${path}: ${JSON.stringify(example)}`);
    });
    expect(wrong).toEqual([]);
  });
});

describe('the time of a step', () => {
  const timesOf = (text: string): readonly string[] =>
    (load(text).testFile?.cases[0]?.steps ?? []).map(({ atMs }) => new Date(atMs).toISOString());
  const steps = (...lines: readonly string[]): string =>
    `- name: a\n  steps:\n${lines.map((line) => `    - { ${line}, expect: { licenses: [] } }\n`).join('')}`;

  test.each<[string, string, readonly string[]]>([
    ['is what `at` says', steps(`at: 2026-01-31, ${SAMPLE}`), ['2026-01-31T00:00:00.000Z']],
    ["is the event's own without `at`", steps(SAMPLE), ['2027-01-15T08:00:00.000Z']],
    [
      'never goes back: an old event comes right after the step before',
      steps(`at: 2028-01-01, ${SAMPLE}`, SAMPLE),
      ['2028-01-01T00:00:00.000Z', '2028-01-01T00:00:00.000Z'],
    ],
    [
      'is what the event says after it was changed',
      steps('event: { sample: stripe/invoice.paid, set: { created: 1800000060 } }'),
      ['2027-01-15T08:01:00.000Z'],
    ],
    [
      'is the latest of a batch',
      steps('event: { sample: fastspring/batch }'),
      ['1970-01-01T00:00:00.009Z'],
    ],
  ])('%s', (_name, text, wanted) => {
    expect(timesOf(text)).toEqual(wanted);
  });

  test('is given to the event, unless the test says another', () => {
    const createdOf = (event: string): JsonValue | undefined =>
      load(`- name: a\n  at: 2026-01-01\n  event: ${event}\n  expect: { rule: x }`).testFile
        ?.cases[0]?.steps[0]?.bodies[0]?.content['created'];
    expect(createdOf('{ sample: stripe/invoice.paid }')).toBe(1_767_225_600);
    expect(createdOf('{ sample: stripe/invoice.paid, set: { created: 7 } }')).toBe(7);
  });
});

describe('paths into an event', () => {
  test.each<[string, readonly string[] | undefined]>([
    ['data.items.0.id', ['data', 'items', '0', 'id']],
    ['data.items[0].id', ['data', 'items', '0', 'id']],
    ['data["a.b"].c', ['data', 'a.b', 'c']],
    ['', undefined],
    ['data.', undefined],
    ['.data', undefined],
    ['data..id', undefined],
    ['data[x]', undefined],
  ])('%s', (path, wanted) => {
    expect(parseEventPath(path)).toEqual(wanted);
  });

  test.each<[string, JsonObject, string, JsonValue, JsonObject | string]>([
    ['a value is replaced', { a: { b: 1 } }, 'a.b', 2, { a: { b: 2 } }],
    ['maps that are missing are made', {}, 'a.b.c', 2, { a: { b: { c: 2 } } }],
    ['nothing is made a map', { a: null }, 'a.b', 2, { a: { b: 2 } }],
    ['an item of a list', { a: [1, 2] }, 'a.1', 3, { a: [1, 3] }],
    [
      'an item behind the last',
      { a: [1, 2] },
      'a.2',
      3,
      '"a" has 2 items, so there is none at 2 (0 is the first)',
    ],
    ['a name in a list', { a: [{ b: 1 }] }, 'a.b', 3, '"a" is a list; say which item, as in a.0.b'],
    ['a name in a text', { a: 'x' }, 'a.b', 3, '"a" is a text, so it has no "b"'],
    ['no path', {}, 'a..b', 3, '"a..b" is no path'],
    [
      'a name that is a trap',
      {},
      '__proto__.b',
      3,
      JSON.parse('{"__proto__":{"b":3}}') as JsonObject,
    ],
  ])('set: %s', (_name, event, path, value, wanted) => {
    const problem = setAt(event, path, value);
    expect(problem ?? event).toEqual(wanted);
    expect(({} as { b?: unknown }).b).toBeUndefined();
  });

  test.each<[string, JsonObject, string, JsonObject | string]>([
    ['a member', { a: { b: 1, c: 2 } }, 'a.b', { a: { c: 2 } }],
    ['an item', { a: [1, 2] }, 'a.0', { a: [2] }],
    [
      'what is not there',
      { a: { email: 1 } },
      'a.emial',
      'there is no "a.emial"; did you mean "email"?',
    ],
    [
      'an item that is not there',
      { a: [] },
      'a.0',
      '"a" has 0 items, so there is none at 0 (0 is the first)',
    ],
  ])('unset: %s', (_name, event, path, wanted) => {
    expect(unsetAt(event, path) ?? event).toEqual(wanted);
  });
});

const EVENT: EventSeen = {
  title: 'stripe invoice.paid evt_1',
  type: 'invoice.paid',
  rules: ['renewed'],
  knownRules: ['started', 'renewed', 'a', 'b'],
  outcome: 'matched',
  status: 'done',
  duplicate: false,
  reason: null,
  message: '1 license renewed.',
  errors: [],
  plan: [
    { 'user.insert': { email: 'a@example.com' }, as: 'user', rule: 'renewed' },
    {
      'license.create': { productId: 'p1', metadata: { a: '1', b: '2' } },
      once: 's1',
      rule: 'renewed',
    },
    { 'license.create': { productId: 'p2' }, once: 's1', rule: 'renewed' },
  ],
  timer: null,
  cancels: [],
  trace: [],
};
const SEEN: StepSeen = {
  events: [EVENT],
  licenses: [
    { productId: 'p1', expiresAt: '2026-02-28T09:00:00Z', suspended: false, metadata: { a: '1' } },
    { productId: 'p1', expiresAt: '2026-03-31T09:00:00Z', suspended: true, metadata: {} },
  ],
  users: [{ email: 'a@example.com', lastName: null }],
  requests: [
    { method: 'GET', path: '/v3/users', query: {} },
    { method: 'POST', path: '/v3/licenses/l1/renew', query: {} },
  ],
};

/** `label: kind` of each difference. */
function differencesOf(expectation: object, seen: StepSeen = SEEN): readonly string[] {
  return compareStep(expectation, seen, []).map(({ label, kind }) => `${label}: ${kind}`);
}

describe('what was expected, against what was seen', () => {
  test.each<[string, object, readonly string[]]>([
    ['nothing but a good end', {}, []],
    ['the rule', { rule: 'renewed' }, []],
    ['another rule', { rule: 'started' }, ['rule: differs']],
    ['no rule', { rule: null }, ['rule: differs']],
    ['a part of the message', { message: 'renewed' }, []],
    ['another message', { message: 'created' }, ['message: differs']],
    ['no message', { message: null }, ['message: differs']],
    ['a part of the plan', { plan: [{ 'license.create': { productId: 'p2' } }] }, []],
    ['an action by itself', { plan: [{ 'license.create': null }] }, []],
    [
      'steps in another order',
      { plan: [{ 'license.create': {} }, { 'user.insert': {} }] },
      ['plan[1]: absent'],
    ],
    [
      'a step too many',
      { plan: [{ 'license.create': {} }, { 'license.create': {} }, { 'license.create': {} }] },
      ['plan[2]: absent'],
    ],
    [
      'another value, beside the step that is nearest',
      { plan: [{ 'license.create': { productId: 'p1', metadata: { a: '9', b: '2' } } }] },
      ['plan[0].license.create.metadata.a: differs'],
    ],
    ['no plan', { plan: [] }, ['plan: surplus', 'plan: surplus', 'plan: surplus']],
    [
      'exactly this plan',
      { exact: true, plan: [{ 'license.create': { productId: 'p2' } }] },
      ['plan: surplus', 'plan: surplus'],
    ],
    [
      'exactly this step, of which a member is not named',
      {
        exact: true,
        plan: [
          { 'user.insert': {} },
          { 'license.create': { productId: 'p1', metadata: { a: '1' } } },
          { 'license.create': { productId: 'p2' } },
        ],
      },
      ['plan[0].user.insert.email: unsaid', 'plan[1].license.create.metadata.b: unsaid'],
    ],
    ['licenses in any order', { licenses: [{ suspended: true }, { suspended: false }] }, []],
    [
      'a license that takes no other one its only partner',
      { licenses: [{ productId: 'p1' }, { suspended: false }] },
      [],
    ],
    ['a day', { licenses: [{ expiresAt: '2026-02-28' }] }, []],
    [
      'the day after',
      { licenses: [{ expiresAt: '2026-03-01' }] },
      ['licenses[0].expiresAt: differs'],
    ],
    [
      'the same moment, written otherwise',
      { licenses: [{ expiresAt: '2026-02-28T10:00:00+01:00' }] },
      [],
    ],
    [
      'the nearest license',
      { licenses: [{ productId: 'p1', expiresAt: '2026-02-28', suspended: true }] },
      ['licenses[0].suspended: differs'],
    ],
    [
      'one more license than there are',
      { licenses: [{}, {}, { productId: 'p1' }] },
      ['licenses[2]: absent'],
    ],
    ['nothing else', { exact: true, licenses: [{ suspended: true }] }, ['licenses: surplus']],
    [
      'metadata and nothing else',
      { exact: true, licenses: [{ suspended: false, metadata: {} }, { suspended: true }] },
      ['licenses[0].metadata.a: unsaid'],
    ],
    [
      'none',
      { licenses: [], users: [] },
      ['licenses: surplus', 'licenses: surplus', 'users: surplus'],
    ],
    ['a number of them', { licenseCount: 2, userCount: 1 }, []],
    ['another number', { licenseCount: 1 }, ['licenseCount: differs']],
    ['null for nothing', { users: [{ lastName: null, company: null }] }, []],
    [
      'a request with any id',
      { requests: [{ method: 'POST', path: '/v3/licenses/{id}/renew' }] },
      [],
    ],
    [
      'a request elsewhere',
      { requests: [{ method: 'POST', path: '/v3/licenses/{id}' }] },
      ['requests[0].path: differs'],
    ],
    ['no requests', { requests: [] }, ['requests: surplus', 'requests: surplus']],
  ])('%s', (_name, expectation, wanted) => {
    expect(differencesOf(expectation)).toEqual(wanted);
  });

  const ended = (change: Partial<EventSeen>): StepSeen => ({
    ...SEEN,
    events: [{ ...EVENT, ...change }],
  });

  test.each<[string, Partial<EventSeen>, object, readonly string[]]>([
    [
      'a failure that nobody speaks of',
      { status: 'failed', errors: ['CONFLICT'] },
      { rule: 'renewed' },
      ['status: unsaid'],
    ],
    [
      'a failure that is expected',
      { status: 'failed', errors: ['CONFLICT'] },
      { errors: ['CONFLICT'] },
      [],
    ],
    [
      'another failure',
      { status: 'failed', errors: ['CONFLICT'] },
      { errors: ['FIELD_MISSING'] },
      ['errors: differs'],
    ],
    [
      'no failure, where one came',
      { status: 'failed', errors: ['CONFLICT'] },
      { errors: [] },
      ['errors: differs'],
    ],
    ['a part of the failures', { status: 'failed', errors: ['A', 'B'] }, { errors: ['B'] }, []],
    [
      'exactly these failures',
      { status: 'failed', errors: ['A', 'B'] },
      { exact: true, errors: ['B'] },
      ['errors: differs'],
    ],
    ['an event that waits', { status: 'waiting' }, {}, ['status: unsaid']],
    ['an event that is ignored ends well', { status: 'ignored' }, {}, []],
    [
      'an event that was done before',
      { duplicate: true },
      { rule: 'renewed' },
      ['duplicate: unsaid'],
    ],
    ['and is meant to', { duplicate: true }, { duplicate: true }, []],
    ['and is not meant to', { duplicate: true }, { duplicate: false }, ['duplicate: differs']],
    ['several rules', { rules: ['a', 'b'] }, { rule: ['a', 'b'] }, []],
    ['one of several rules', { rules: ['a', 'b'] }, { rule: 'a' }, ['rule: differs']],
  ])('%s', (_name, change, expectation, wanted) => {
    expect(differencesOf(expectation, ended(change))).toEqual(wanted);
  });

  test('a rule that the file does not have is told', () => {
    const noteOf = (rule: string): unknown => compareStep({ rule }, SEEN, []);
    expect(noteOf('startd')).toMatchObject([
      { note: 'there is no rule "startd"; did you mean "started"?' },
    ]);
    expect(noteOf('started')).not.toMatchObject([{ note: expect.anything() }]);
  });

  test('each event of a batch has its own expectation', () => {
    const batch: StepSeen = { ...SEEN, events: [EVENT, { ...EVENT, status: 'failed' }] };
    expect(differencesOf({ events: [{ rule: 'renewed' }] }, batch)).toEqual([
      'events[1].status: unsaid',
    ]);
    expect(differencesOf({ events: [{}, { errors: [] }, { rule: 'x' }] }, batch)).toEqual([
      'events[2]: absent',
    ]);
    expect(differencesOf({ events: [{}, { status: 'done' }] }, batch)).toEqual([
      'events[1].status: differs',
    ]);
  });
});
