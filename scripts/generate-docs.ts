// Keeps the reference parts of docs/rules.md, docs/testing-rules.md and docs/errors.md in step with the code.
// Takes the schemas, the actions, the functions and the registry of errors; rewrites what stands between
// the markers, and leaves every hand-written line alone. With --check it only compares (exit code 1).

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ACTIONS } from '../src/actions/definitions.ts';
import { type AppErrorCode, ERRORS, registryEntry } from '../src/core/error-codes.ts';
import type { ActionDefinition, FieldType } from '../src/core/model.ts';
import {
  FUNCTION_NAMES,
  OWN_FUNCTIONS,
  REFUSED_FUNCTIONS,
} from '../src/engine/expression/function-names.ts';

const ROOT = new URL('../', import.meta.url);

interface FunctionEntry {
  readonly call: string;
  readonly gives: string;
  /** A formula and the JSON it gives, over the catalog of FUNCTION_EXAMPLE_CATALOG; a test tries it. */
  readonly example: readonly [formula: string, result: string];
}

/** The catalog that the examples of `$catalog` look into. */
export const FUNCTION_EXAMPLE_CATALOG = { pro: { productId: 'p1' } } as const;

/** What each function of Keywright's library does. A function without an entry is a type error. */
export const FUNCTION_DOCS: Readonly<Record<(typeof OWN_FUNCTIONS)[number], FunctionEntry>> = {
  first: {
    call: '$first(a, b, …)',
    gives:
      'The first that is not blank. Blank is: missing, null, [], {} and a text of nothing but white space.',
    example: ['$first(" ", {}, "Ann")', '"Ann"'],
  },
  if: {
    call: '$if(condition, a, b)',
    gives:
      '`a` when the condition holds, else `b`; without `b`, nothing. Both are worked out in any case, so neither may fail.',
    example: ['$if(1 < 2, "yes", "no")', '"yes"'],
  },
  id: {
    call: '$id(x)',
    gives:
      'The `id` of an object, or the text itself where only the id was sent. A list gives a list.',
    example: ['$id({"id": "sub_1", "state": "active"})', '"sub_1"'],
  },
  one: {
    call: '$one(list, message)',
    gives: 'The only member of a list. None or several: the event fails with the message.',
    example: ['$one([7], "one line")', '7'],
  },
  need: {
    call: '$need(value, message)',
    gives: 'The value. Is it blank, the event fails with the message.',
    example: ['$need("x", "There is no x.")', '"x"'],
  },
  catalog: {
    call: '$catalog(key, …)',
    gives:
      'The entry of the first key that the catalog has. Without a key: how many entries there are.',
    example: ['$catalog("unknown", "pro").productId', '"p1"'],
  },
  interval: {
    call: '$interval(n, unit)',
    gives: 'An ISO 8601 interval; the unit is `day`, `week`, `month` or `year`.',
    example: ['$interval(3, "month")', '"P3M"'],
  },
  words: {
    call: '$words(text)',
    gives: 'The first word as `first`, the others as `rest`.',
    example: ['$words("Ann van Dyke").rest', '"van Dyke"'],
  },
  unix: {
    call: '$unix(seconds)',
    gives: 'A date from seconds since 1970.',
    example: ['$unix(1767225600)', '"2026-01-01T00:00:00.000Z"'],
  },
  plus: {
    call: '$plus(date, interval)',
    gives: 'The date that much later.',
    example: ['$plus("2026-01-31", "P1M")', '"2026-02-28T00:00:00.000Z"'],
  },
};

/** What each kind of field takes. */
const FIELD_TYPES: Readonly<Record<FieldType, string>> = {
  text: 'a text',
  email: 'an e-mail address',
  integer: 'a whole number, or a text of digits',
  quantity: 'a whole number from 1 to 10000, or a text of digits',
  boolean: 'true or false',
  date: 'an ISO 8601 date',
  interval: 'an ISO 8601 interval, or ""',
  version: 'a version of two to four numbers, as text',
  texts: 'a list of texts',
  metadata: 'a map of texts',
  find: 'search criteria, see [find](#find)',
  whenSuspended: 'a map, see [whenSuspended](#whensuspended)',
  emailTaken: '`merge` or `fail`',
  missing: '`wait`, `fail` or `ignore`',
  startTrigger: '`creation` or `activation`',
  licenseType: '`node-locked`, `hosted-floating` or `on-premise-floating`',
};

interface SchemaNode {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly pattern?: string;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly enum?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
}

/** docs/rules.md as it should be: its hand-written text with the blocks of today. */
export function renderRules(page: string, schema: SchemaNode): string {
  return renderBlocks('docs/rules.md', page, {
    header: propertyTable(schema, schema, []),
    rule: propertyTable(schema.$defs?.['rule'] ?? {}, schema, []),
    step: propertyTable(schema.$defs?.['step'] ?? {}, schema, Object.keys(ACTIONS)),
    'catalog-entry': propertyTable(schema.$defs?.['catalogEntry'] ?? {}, schema, []),
    'env-options': propertyTable(envOptions(schema), schema, []),
    actions: Object.values(ACTIONS)
      .map((definition) => actionSection(definition, schema))
      .join('\n\n'),
    find: propertyTable(fieldNode(schema, 'license.renew', 'find'), schema, []),
    'when-suspended': propertyTable(
      fieldNode(schema, 'license.renew', 'whenSuspended'),
      schema,
      [],
    ),
    functions: functionTable(),
    'jsonata-functions': jsonataFunctions(),
  });
}

/** docs/testing-rules.md as it should be. */
export function renderTests(page: string, schema: SchemaNode): string {
  const part = (name: string): SchemaNode => schema.$defs?.[name] ?? {};
  const steps = part('case').properties?.['steps']?.items ?? {};
  const ofStep = Object.keys(steps.properties ?? {});
  const expect = part('expect');
  return renderBlocks('docs/testing-rules.md', page, {
    file: propertyTable(schema, schema, []),
    case: propertyTable(part('case'), schema, ofStep),
    step: propertyTable(steps, schema, []),
    event: propertyTable(part('event'), schema, []),
    expect: propertyTable(expect, schema, []),
  });
}

function renderBlocks(
  name: string,
  page: string,
  blocks: Readonly<Record<string, string>>,
): string {
  let text = page;
  for (const [block, content] of Object.entries(blocks)) {
    const start = `<!-- generated: ${block} -->`;
    const end = `<!-- end of ${block} -->`;
    const from = text.indexOf(start);
    const to = text.indexOf(end);
    if (from === -1 || to < from) throw new Error(`${name} has no place for "${block}"`);
    text = `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`;
  }
  return text;
}

function propertyTable(node: SchemaNode, schema: SchemaNode, without: readonly string[]): string {
  const rows = Object.entries(node.properties ?? {})
    .filter(([name]) => !without.includes(name))
    .map(([name, property]) => {
      const { description = '', examples = [], enum: choices } = resolve(property, schema);
      const needed = node.required?.includes(name) === true ? ' **Required.**' : '';
      const values = choices === undefined ? '' : ` One of ${choices.map(code).join(', ')}.`;
      const [example] = examples;
      return [
        code(name),
        kindOf(resolve(property, schema)),
        `${description}${values}${needed}`,
        example === undefined ? '' : code(example),
      ];
    });
  return table(['field', 'takes', 'meaning', 'example'], rows);
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
};

/** What a property takes, in the words of the manual: `a list or a text`, `a formula`. */
function kindOf({ type = [], pattern }: SchemaNode): string {
  if (pattern === '^=') return 'a formula';
  const kinds = [type].flat().flatMap((name) => KINDS[name] ?? []);
  return kinds.join(' or ');
}

/** The schema of one field of an action. */
function fieldNode(schema: SchemaNode, action: string, field: string): SchemaNode {
  return schema.$defs?.['step']?.properties?.[action]?.properties?.[field] ?? {};
}

/** What may be said of a variable where `env` is a map. */
function envOptions(schema: SchemaNode): SchemaNode {
  const options = schema.properties?.['env']?.additionalProperties;
  return typeof options === 'object' ? options : {};
}

function resolve(node: SchemaNode, schema: SchemaNode): SchemaNode {
  const name = node.$ref?.replace('#/$defs/', '');
  return name === undefined ? node : (schema.$defs?.[name] ?? {});
}

function actionSection(definition: ActionDefinition, schema: SchemaNode): string {
  const { name, summary, fields, results, needsOnce, takesFrom, kind } = definition;
  const notes = [
    summary,
    ...(kind === 'read' ? ['It reads only.'] : []),
    ...(needsOnce ? ['Its rule says `once:`.'] : []),
    ...(takesFrom ? ['`from:` may spread maps into the fields.'] : []),
    ...(results.length > 0
      ? [
          `With \`as: x\`, later steps read ${results.map((member) => code(`$x.${member}`)).join(', ')}.`,
        ]
      : []),
  ];
  const exampleOf = (field: string): string => {
    const [example] = fieldNode(schema, name, field).examples ?? [];
    return example === undefined ? '' : code(example);
  };
  const from = fieldNode(schema, name, 'from');
  const rows = [
    ...(takesFrom ? [[code('from'), kindOf(from), from.description ?? '', exampleOf('from')]] : []),
    ...Object.entries(fields).map(([field, { type, description, required }]) => [
      code(field),
      FIELD_TYPES[type],
      `${description}${required === true ? ' **Required.**' : ''}`,
      exampleOf(field),
    ]),
  ];
  const head = ['field', 'takes', 'meaning', 'example'];
  return `#### ${name}\n\n${notes.join(' ')}\n\n${table(head, rows)}`;
}

function functionTable(): string {
  const rows = OWN_FUNCTIONS.map((name) => {
    const { call, gives, example } = FUNCTION_DOCS[name];
    return [code(call), gives, `${code(`=${example[0]}`)} → ${code(example[1])}`];
  });
  return table(['function', 'gives', 'example'], rows);
}

function jsonataFunctions(): string {
  const own: ReadonlySet<string> = new Set(OWN_FUNCTIONS);
  const names = [...FUNCTION_NAMES]
    .filter((name) => !own.has(name))
    .map((name) => code(`$${name}`));
  const refused = [...REFUSED_FUNCTIONS].map(([name, why]) => [code(`$${name}`), why]);
  const stricter =
    'Two are stricter here: `$number` takes a number or a text of digits, `$toMillis` one whole date in ISO 8601 (a time with its offset, no picture).';
  return `${names.join(', ')}.\n\n${stricter}\n\n${table(['not allowed', 'why'], refused)}`;
}

/** docs/errors.md as it should be: today's codes, each with the hand-written lines below it. */
export function renderErrors(page: string, registrySource: string): string {
  const notes = handWritten(page);
  const [preamble = ''] = page.split(/^## /m, 1);
  const parts = [preamble.trimEnd()];
  for (const { title, codes } of groupsOf(registrySource)) {
    parts.push(withNote(`## ${title}`, notes));
    for (const name of codes) parts.push(withNote(`### ${name}\n\n${errorBlock(name)}`, notes));
  }
  return `${parts.join('\n\n')}\n`;
}

/** The registry's groups are its comments, so that the page follows the file. */
function groupsOf(source: string): readonly { title: string; codes: AppErrorCode[] }[] {
  const groups: { title: string; codes: AppErrorCode[] }[] = [];
  for (const [, title, name] of source.matchAll(/^ {2}(?:\/\/ -{4} (.+?) -{4}|(\w+): \{)$/gm)) {
    if (title !== undefined) groups.push({ title, codes: [] });
    else if (name !== undefined && name in ERRORS) groups.at(-1)?.codes.push(name as AppErrorCode);
  }
  const listed = groups.flatMap(({ codes }) => codes);
  const lost = Object.keys(ERRORS).filter((name) => !listed.includes(name as AppErrorCode));
  if (lost.length > 0)
    throw new Error(`src/core/error-codes.ts: no group holds ${lost.join(', ')}`);
  return groups;
}

const BLOCK_END = '<!-- end -->';

function errorBlock(name: AppErrorCode): string {
  const { title, hint, retryable, httpStatus } = registryEntry(name);
  const again = retryable ? 'It is tried again.' : 'It is not tried again by itself.';
  const webhook =
    httpStatus === undefined
      ? 'No webhook is answered with it.'
      : `A webhook is answered with ${httpStatus}. ${again}`;
  return `<!-- generated -->\n**${title}.** ${hint}\n\n${webhook}\n${BLOCK_END}`;
}

/** What stands below each heading and behind its generated block. */
function handWritten(page: string): ReadonlyMap<string, string> {
  const notes = new Map<string, string>();
  for (const section of page.split(/^(?=#{2,3} )/m).slice(1)) {
    const [heading = '', ...rest] = section.split('\n');
    const body = rest.join('\n');
    const end = body.indexOf(BLOCK_END);
    const note = (end === -1 ? body : body.slice(end + BLOCK_END.length)).trim();
    if (note !== '') notes.set(heading, note);
  }
  return notes;
}

function withNote(section: string, notes: ReadonlyMap<string, string>): string {
  const [heading = ''] = section.split('\n', 1);
  const note = notes.get(heading);
  return note === undefined ? section : `${section}\n\n${note}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value || '""' : JSON.stringify(value)}\``;
}

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

/** @returns the exit code: 0 up to date or written, 1 out of date. */
function main(check: boolean): number {
  const schema = JSON.parse(read('schema/rules.schema.json')) as SchemaNode;
  const tests = JSON.parse(read('schema/tests.schema.json')) as SchemaNode;
  const pages = [
    ['docs/rules.md', renderRules(read('docs/rules.md'), schema)],
    ['docs/testing-rules.md', renderTests(read('docs/testing-rules.md'), tests)],
    ['docs/errors.md', renderErrors(read('docs/errors.md'), read('src/core/error-codes.ts'))],
  ] as const;
  const stale = pages.filter(([path, wanted]) => read(path) !== wanted);
  for (const [path, wanted] of stale) {
    if (check) process.stderr.write(`${path} is out of date: run \`npm run generate\`.\n`);
    else writeFileSync(new URL(path, ROOT), wanted);
  }
  return check && stale.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = main(process.argv.includes('--check'));
}
