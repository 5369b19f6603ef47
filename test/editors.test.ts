// What an editor with a YAML language server gives the author of a rule, through the line at the top of each
// shipped file; and that the schemas behind it describe every property.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACTIONS } from '../src/actions/definitions.ts';
import { Editor } from './support/language-server.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FILE = join(ROOT, 'rules/mine.yaml');
const HEAD =
  '# yaml-language-server: $schema=../schema/rules.schema.json\nprovider: paddle\nsubject: =data.id\n';
const RULE = `${HEAD}rules:\n  - id: paused\n    on: subscription.paused\n`;

describe('in an editor', () => {
  let editor: Editor;
  beforeAll(async () => {
    editor = new Editor();
    await editor.open();
  });
  afterAll(() => editor.close());

  const labels = async (marked: string): Promise<readonly string[]> =>
    (await editor.completions(FILE, marked)).map(({ label }) => label);

  test('all actions are offered where a step begins, each with what it does', async () => {
    const offered = await editor.completions(FILE, `${RULE}    do:\n      - |`);
    const names = offered.map(({ label }) => label);
    expect(names).toEqual(
      expect.arrayContaining([...Object.keys(ACTIONS), 'forEach', 'when', 'as']),
    );
    const suspend = offered.find(({ label }) => label === 'license.suspend');
    expect(suspend?.documentation).toContain(ACTIONS['license.suspend']?.summary);
  });

  test.each([
    ['at the top', `${HEAD}|`, ['catalog', 'let', 'env', 'rules', 'unmatched', 'mode']],
    ['in a rule', `${RULE}    |`, ['when', 'once', 'do', 'ignore', 'reject', 'let', 'continue']],
    ['in an action', `${RULE}    do:\n      - license.suspend:\n          |`, ['find', 'missing']],
    [
      'in a search',
      `${RULE}    do:\n      - license.suspend:\n          find:\n            |`,
      ['metadata', 'productId', 'userId', 'key'],
    ],
    ['for a choice', `${HEAD}unmatched: |`, ['reject', 'ignore']],
  ])('what may stand %s is offered', async (_, marked, wanted) => {
    expect(await labels(marked)).toEqual(expect.arrayContaining(wanted));
  });

  test('what stands there already is not offered again', async () => {
    const offered = await labels(`${HEAD}|`);
    expect(offered).not.toContain('provider');
  });

  test.each([
    ['a field of a rule', `${RULE}    on|ce: =data.id\n`, 'What makes the fact one'],
    [
      'an action',
      `${RULE}    do:\n      - license.sus|pend:\n          find: { key: x }\n`,
      'Suspends',
    ],
    [
      'a field of an action',
      `${RULE}    do:\n      - license.suspend:\n          fi|nd: { key: x }\n`,
      'licenses',
    ],
  ])('%s is explained under the cursor', async (_, marked, wanted) => {
    expect(await editor.hover(FILE, marked)).toContain(wanted);
  });

  test.each([
    ['a field that is none', `${RULE}    wen: { data.id: x }\n    ignore: Why not.\n`, 7, /wen/],
    [
      'an action that is none',
      `${RULE}    do:\n      - license.suspnd: { find: { key: x } }\n`,
      8,
      /license\.suspnd/,
    ],
    ['a choice that is none', `${RULE}    ignore: Why not.\nmode: lve\n`, 8, /live/],
    ['a missing field', `${HEAD}rules:\n  - id: paused\n    ignore: Why not.\n`, 5, /"on"/],
  ])('%s is underlined', async (_, text, line, wanted) => {
    const findings = await editor.findings(FILE, text);
    expect(findings.map((finding) => finding.line)).toContain(line);
    expect(findings.map(({ message }) => message).join('\n')).toMatch(wanted);
  });

  const shipped = ['rules', 'scenarios'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.ya?ml$/.test(name))
      .map((name) => join(ROOT, folder, name)),
  );

  test('every shipped file names its schema in its first line, and has nothing underlined', async () => {
    expect(shipped.length).toBeGreaterThan(10);
    const underlined = await Promise.all(
      shipped.map(async (path) => {
        const text = readFileSync(path, 'utf8');
        expect(text.split('\n')[0], path).toMatch(
          /^# yaml-language-server: \$schema=(?:\.\.\/)+schema\/\w+\.schema\.json$/,
        );
        const findings = await editor.findings(path, text);
        return findings.map(({ line, message }) => `${path}:${line}: ${message}`);
      }),
    );
    expect(underlined.flat()).toEqual([]);
  });
});

describe('the schemas', () => {
  interface Node {
    readonly $ref?: string;
    readonly description?: string;
    readonly examples?: readonly unknown[];
    readonly properties?: Readonly<Record<string, Node>>;
    readonly $defs?: Readonly<Record<string, Node>>;
  }

  /** Every property, and what it refers to in its stead. */
  function propertiesOf(
    node: unknown,
    root: Node,
    path = '',
  ): readonly (readonly [string, Node])[] {
    if (typeof node !== 'object' || node === null) return [];
    const own = Object.entries((node as Node).properties ?? {}).map(([name, property]) => {
      const target = property.$ref?.replace('#/$defs/', '');
      const resolved = target === undefined ? property : { ...root.$defs?.[target], ...property };
      return [`${path}/${name}`, resolved] as const;
    });
    const inner = Object.entries(node)
      .filter(([name]) => name !== 'examples')
      .flatMap(([name, member]) => propertiesOf(member, root, `${path}/${name}`));
    return [...own, ...inner];
  }

  const files = readdirSync(join(ROOT, 'schema')).filter((name) => name.endsWith('.schema.json'));

  test.each(files)('%s describes every property, with an example', (name) => {
    const schema = JSON.parse(readFileSync(join(ROOT, 'schema', name), 'utf8')) as Node;
    const properties = propertiesOf(schema, schema);
    expect(properties.length).toBeGreaterThan(10);
    const bare = properties.filter(
      // What a condition of the schema asks for is described where the property is.
      ([path, { description = '', examples = [] }]) =>
        !/^\/(?:if|then)\//.test(path) && (description.length < 3 || examples.length === 0),
    );
    expect(bare.map(([path]) => path)).toEqual([]);
  });

  test('each property of a rule file has its row in docs/rules.md: what it takes, means, an example', () => {
    const schema = JSON.parse(readFileSync(join(ROOT, 'schema/rules.schema.json'), 'utf8')) as Node;
    const page = readFileSync(join(ROOT, 'docs/rules.md'), 'utf8');
    const rows = new Map(
      [...page.matchAll(/^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$/gm)].map(
        ([, name = '', ...cells]) => [name, cells],
      ),
    );
    const sections = new Set([...page.matchAll(/^#### (\S+)$/gm)].map(([, name]) => name));
    const missing = propertiesOf(schema, schema)
      .map(([path]) => path.split('/').at(-1) ?? '')
      .filter((name) => !rows.has(name) && !sections.has(name));
    expect(missing).toEqual([]);
    for (const [name, cells] of rows) {
      expect(cells, name).toHaveLength(3);
      for (const cell of cells) expect(cell.trim(), name).not.toBe('');
    }
  });

  test('a property without a description or an example is noticed', () => {
    const bare = {
      properties: { a: { examples: [1] }, b: { $ref: '#/$defs/b' } },
      $defs: { b: {} },
    };
    expect(propertiesOf(bare, bare as Node).map(([path]) => path)).toEqual(['/a', '/b']);
  });
});
