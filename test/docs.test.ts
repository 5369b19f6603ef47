// The documentation says what is so: its rules load, its commands give what it shows, its links lead
// somewhere, and nothing that exists is left out.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../scripts/free-port.ts';
import {
  FUNCTION_DOCS,
  FUNCTION_EXAMPLE_CATALOG,
  renderErrors,
  renderRules,
  renderTests,
} from '../scripts/generate-docs.ts';
import { runCli } from '../src/cli/run-cli.ts';
import { readConfig } from '../src/config/config.ts';
import { ERRORS } from '../src/core/error-codes.ts';
import { Secret } from '../src/core/secret.ts';
import { compileExpression } from '../src/engine/expression/compile.ts';
import type { AdminDependencies } from '../src/server/admin.ts';
import { difference, Shell, stepsOf } from './docs/console.ts';
import {
  anchorsOf,
  fencesOf,
  linksOf,
  type Page,
  proseOf,
  ROOT,
  readPages,
} from './docs/markdown.ts';
import { findingsOf, isRuleFence, shownFindings } from './docs/rule-fences.ts';
import { fakeServer } from './server/fakes.ts';
import { variablesRead } from './support/variables-read.ts';

const pages = readPages();

function page(file: string): Page {
  const found = pages.find((candidate) => candidate.file === file);
  if (found === undefined) throw new Error(`there is no ${file}`);
  return found;
}

function named(file: string, line: number): string {
  return `${file}:${line}`;
}

describe('rules in the documentation', () => {
  const fences = pages.flatMap(({ file, text }) => {
    const all = fencesOf(text);
    const beside = new Map(all.map((fence) => [fence.label.replace(/^.*\//, ''), fence.text]));
    return all
      .filter(isRuleFence)
      .map((fence) => ({ name: named(file, fence.line), fence, beside }));
  });

  it.each(fences)('$name load, or are refused as shown', ({ fence, beside }) => {
    const found = findingsOf(fence, (name) => beside.get(name));
    expect(found).toEqual(shownFindings(fence));
  });

  it('are found in the pages', () => {
    expect(fences.length).toBeGreaterThan(12);
  });

  it('are refused where they are wrong, at their own line', () => {
    const fence = {
      language: 'yaml',
      label: 'let',
      text: 'a: =data.id\nb: =$frist(data.id)\n',
      line: 1,
    };
    expect(findingsOf(fence, () => undefined)).toEqual(['2 FORMULA_UNKNOWN_FUNCTION']);
    expect(shownFindings(fence)).toEqual([]);
    const shown = { ...fence, text: 'a: =$frist(data.id) # ✗ FORMULA_UNKNOWN_FUNCTION\n' };
    expect(findingsOf(shown, () => undefined)).toEqual(shownFindings(shown));
  });
});

describe('commands in the documentation', () => {
  const withConsole = pages.filter(({ text }) => /^```console/m.test(text));

  it('stand at least in the README, the manual of the rules and the one of operating', () => {
    expect(withConsole.map(({ file }) => file)).toEqual(
      expect.arrayContaining(['README.md', 'docs/rules.md', 'docs/operating.md']),
    );
  });

  describe.each(withConsole)('$file', ({ file, text }) => {
    let shell: Shell;
    beforeAll(async () => {
      const ports = [String(await freePort()), String(await freePort())] as const;
      shell = new Shell(
        new Map([
          ['9890', ports[0]],
          ['9891', ports[1]],
        ]),
      );
      for (const { language, label, text: body } of fencesOf(text)) {
        if (language !== 'console' && label.includes('/')) shell.write(label, body);
      }
    });
    afterAll(() => shell.close());

    const blocks = fencesOf(text).filter(({ language }) => language === 'console');
    it.each(blocks.map((fence) => ({ name: named(file, fence.line), fence })))(
      '$name print what is shown',
      async ({ fence }) => {
        for (const step of stepsOf(fence.text)) {
          expect(await shell.run(step), `$ ${step.command}`).toBeUndefined();
        }
      },
    );
  });

  it('are compared line by line, and what is left out is at least something', () => {
    expect(difference(['a', '[…]', 'd'], ['a', 'b', 'c', 'd'])).toBeUndefined();
    expect(difference(['time […] ok'], ['time 12:00 ok'])).toBeUndefined();
    expect(difference(['a', '[…]', 'b'], ['a', 'b'])).toContain('follows');
    expect(difference(['a'], ['a', 'b'])).toContain('lacks: b');
    expect(difference(['a', 'b'], ['a'])).toContain('lacks: b');
    expect(difference(['1 license.'], ['2 licenses.'])).toContain('shows');
    expect(difference(['a.c'], ['abc'])).toContain('shows');
  });

  it('are read with their continued lines', () => {
    expect(stepsOf('$ a \\\n  b\nout\n$ c &\n')).toEqual([
      { command: 'a \\\n  b', expected: ['out'] },
      { command: 'c &', expected: [] },
    ]);
  });
});

describe('generated parts', () => {
  it('of docs/rules.md are those of the schema, the actions and the functions', () => {
    const schema = JSON.parse(
      readFileSync(join(ROOT, 'schema/rules.schema.json'), 'utf8'),
    ) as object;
    const { text } = page('docs/rules.md');
    expect(renderRules(text, schema)).toBe(text);
    expect(renderRules(text.replace('| `$plus(', '| `$minus('), schema)).toBe(text);
  });

  it('of docs/testing-rules.md are those of the schema', () => {
    const schema = JSON.parse(
      readFileSync(join(ROOT, 'schema/tests.schema.json'), 'utf8'),
    ) as object;
    const { text } = page('docs/testing-rules.md');
    expect(renderTests(text, schema)).toBe(text);
    expect(renderTests(text.replace('| `sample` |', '| `smaple` |'), schema)).toBe(text);
  });

  it('of docs/errors.md are those of the registry, and every code has its section', () => {
    const registry = readFileSync(join(ROOT, 'src/core/error-codes.ts'), 'utf8');
    const { text } = page('docs/errors.md');
    expect(renderErrors(text, registry)).toBe(text);
    const sections = [...text.matchAll(/^### (\w+)$/gm)].map(([, code]) => code);
    expect(sections).toEqual(Object.keys(ERRORS));
  });

  it('keep what was written by hand, and drop a code that is no more', () => {
    const registry = readFileSync(join(ROOT, 'src/core/error-codes.ts'), 'utf8');
    const { text } = page('docs/errors.md');
    const stale = `${text}\n### OLD_CODE\n\nA note on it.\n`;
    expect(renderErrors(stale, registry)).toBe(text);
    const noted = renderErrors(`${text}\nA last word.\n`, registry);
    expect(noted.endsWith('\n\nA last word.\n')).toBe(true);
  });

  it.each(Object.values(FUNCTION_DOCS))(
    '$call gives what its example says',
    async ({ example }) => {
      const catalog = new Map(Object.entries(FUNCTION_EXAMPLE_CATALOG));
      const [formula, wanted] = example;
      const compiled = compileExpression(formula, ['data'], catalog);
      if (compiled.kind === 'refused') throw new Error(compiled.problems[0]?.message);
      expect(await compiled.expression.evaluate({}, {})).toEqual(JSON.parse(wanted));
    },
  );
});

describe('nothing is left out', () => {
  it('every variable of the environment stands in docs/operating.md, and no other does', async () => {
    const environment = sectionOf(page('docs/operating.md').text, 'Environment');
    const rows = [...environment.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell]) => cell ?? '');
    const documented = rows.flatMap((cell) =>
      [...cell.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name),
    );
    // An address: some are read only where another one holds it.
    const set = Object.fromEntries(documented.map((name) => [name ?? '', 'http://x.test']));
    const known = await variablesRead({ ...set, NOT_READ: 'x' }, (env) =>
      readConfig(env, () => ''),
    );
    // Those of proxies are read in small letters too, as everywhere.
    const names = new Set(['NAME_FILE', ...known.map((name) => name.toUpperCase())]);
    expect(documented.toSorted()).toEqual([...names].toSorted());
  });

  it('every command stands in docs/operating.md, with the summary that it has itself', async () => {
    let overview = '';
    const write = (text: string): void => {
      overview += text;
    };
    await runCli(['--help'], { env: {}, isTty: false, writeOut: write, writeError: write });
    const commands = [...overview.matchAll(/^ {2}(\S+) +(.+)$/gm)];
    expect(commands.length).toBeGreaterThan(4);
    const section = sectionOf(page('docs/operating.md').text, 'Commands');
    const rows = [...section.matchAll(/^\| `keywright (\S+?)[ `].*?\| (.+?) \|/gm)];
    expect(rows.map(([, name]) => name)).toEqual(commands.map(([, name]) => name));
    for (const [index, [, , summary]] of commands.entries()) {
      expect(rows[index]?.[2]).toContain(summary);
    }
  });

  it('every address of the admin API stands in docs/operating.md, and no other does', () => {
    const admin = { token: new Secret('a-token-of-the-docs') } as AdminDependencies;
    const routes = fakeServer({ admin })
      .app.routes.filter(({ method, path }) => method !== 'ALL' && path.startsWith('/admin'))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(routes.length).toBeGreaterThan(2);
    const section = sectionOf(page('docs/operating.md').text, 'The admin API');
    const documented = [...section.matchAll(/^\| `([A-Z]+ \/admin[^`]*)` \|/gm)];
    expect(documented.map(([, address]) => address)).toEqual(routes);
  });

  it('every decision stands in the list of decisions', () => {
    const list = page('docs/decisions/README.md').text;
    for (const { file } of pages.filter(({ file: path }) => /decisions\/\d/.test(path))) {
      expect(list).toContain(`](${file.replace('docs/decisions/', '')})`);
    }
  });
});

describe('pages', () => {
  it.each(pages)('$file links to what exists', ({ file, text }) => {
    const broken = linksOf(text).filter(
      (target) => !/^https?:/.test(target) && !leads(file, target),
    );
    expect(broken).toEqual([]);
  });

  it('a link to nothing is noticed', () => {
    expect(leads('docs/rules.md', '../README.md')).toBe(true);
    expect(leads('docs/rules.md', 'no-such-page.md')).toBe(false);
    expect(leads('docs/rules.md', 'errors.md#rule_once_missing')).toBe(true);
    expect(leads('docs/rules.md', 'errors.md#no-such-code')).toBe(false);
  });

  const decisions = pages.filter(({ file }) => /decisions\/\d{4}-[a-z-]+\.md$/.test(file));
  it.each(decisions)('$file is at most 40 lines long', ({ text }) => {
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
    for (const heading of ['## Context', '## Decision', '## Consequences']) {
      expect(text).toContain(heading);
    }
  });

  it('each recipe of CONTRIBUTING.md takes ten steps at most, and names files that exist', () => {
    const recipes = sectionOf(page('CONTRIBUTING.md').text, 'Recipes').split(/^### /m).slice(1);
    expect(recipes.map((recipe) => recipe.split('\n')[0])).toEqual([
      'Add a provider',
      'Add an action',
      'Add an error code',
    ]);
    for (const recipe of recipes) {
      const lines = recipe
        .trim()
        .split('\n')
        .slice(1)
        .filter((line) => line.trim() !== '');
      expect(lines.length).toBeLessThanOrEqual(10);
    }
  });

  it.each(pages)('$file names only files and folders that exist', ({ text }) => {
    const paths = [
      ...proseOf(text).matchAll(
        /`((?:src|test|docs|rules|samples|schema|scripts|bench)\/[\w./-]*)`/g,
      ),
    ];
    const missing = paths
      .map(([, path]) => path ?? '')
      .filter((path) => !existsSync(join(ROOT, path)));
    expect(missing).toEqual([]);
  });
});

/** The text of a `##` section. */
function sectionOf(text: string, title: string): string {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${title}\n`));
  if (section === undefined) throw new Error(`there is no section "${title}"`);
  return section;
}

function leads(file: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const to = path === '' ? file : normalize(join(dirname(file), path));
  const at = join(ROOT, to);
  if (!existsSync(at)) return false;
  if (anchor === undefined || statSync(at).isDirectory()) return true;
  return anchorsOf(readFileSync(at, 'utf8')).has(anchor);
}
