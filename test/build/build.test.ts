// What `npm run build` makes: it runs alone, says whose code is in it, and is the same each time.
// Tried on further versions of Node by `npm run test:nodes`.

import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildAll } from '../../scripts/build.ts';
import { bundledPackages, licensesOf } from '../../scripts/bundled-packages.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'keywright-build-'));
const dist = join(folder, 'dist');
const alone = join(folder, 'a folder with blanks');

beforeAll(async () => {
  await buildAll(dist);
  cpSync(dist, alone, { recursive: true });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function keywright(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(alone, 'bin/keywright.mjs'), ...args],
    // Neither the checkout's folder nor its environment.
    { cwd: folder, env, encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

describe('the bundle, alone in a folder', () => {
  test('tells the demo: server, sandbox, rules and samples are all there', () => {
    const { status, stdout } = keywright(['demo']);
    expect(stdout).toContain('16 webhooks, 4 licenses and 4 users at the end');
    expect(status).toBe(0);
  });

  test('tells everything that is wrong with its environment, as in a checkout', () => {
    const { status, stderr } = keywright(['serve'], { RULES_DIR: join(alone, 'rules') });
    expect(stderr).toContain('CRYPTLEX_ACCESS_TOKEN is not set [ENV_MISSING]');
    expect(status).toBe(2);
  });

  test('finds the same in broken files as a checkout does, by schemas that were compiled beforehand', () => {
    const args = ['check', '--json', join(ROOT, 'test/bad-rules')];
    const inCheckout = spawnSync(process.execPath, [join(ROOT, 'src/cli.ts'), ...args], {
      cwd: folder,
      env: {},
      encoding: 'utf8',
    });
    const { status, stdout } = keywright(args);
    expect(stdout.length).toBeGreaterThan(10_000);
    expect(stdout).toBe(inCheckout.stdout);
    expect(status).toBe(1);
  });

  test.each(['bin', 'lambda/bin'])(
    'evaluates drafts in a process of its own: %s',
    async (product) => {
      const child = fork(join(alone, product, 'draft-process.mjs'), ['1e9', String(process.pid)], {
        env: {},
        serialization: 'advanced',
      });
      const next = async () =>
        ((await once(child, 'message')) as [{ kind: string; json?: string }])[0];
      expect(await next()).toEqual({ kind: 'ready' });
      const text = readFileSync(join(ROOT, 'rules/stripe.yaml'), 'utf8');
      const event = readFileSync(join(ROOT, 'samples/stripe/invoice.paid-manual.json'), 'utf8');
      const draft = { file: 'stripe.yaml', text, beside: {} };
      const env = { CRYPTLEX_PRODUCT_ID: 'p' };
      child.send({ kind: 'dry-run', task: { draft, provider: 'stripe', event, env } });
      const { kind, json = '' } = await next();
      expect(kind).toBe('explained');
      expect(JSON.parse(json)).toMatchObject([{ event: { type: 'invoice.paid' } }]);
      child.disconnect();
      expect(await once(child, 'exit')).toEqual([0, null]);
    },
  );

  test('reaches for no module that is not in it', () => {
    for (const product of ['bin', 'lambda/bin']) {
      const files = readdirSync(join(dist, product));
      const asked = files.flatMap((file) => [
        ...readFileSync(join(dist, product, file), 'utf8').matchAll(
          /(?:\bfrom|\bimport\s?\(?|\brequire\()\s*"([@a-z.][\w./@:-]*)"/g,
        ),
      ]);
      const names = new Set(asked.map(([, name = '']) => name));
      expect(names.size, product).toBeGreaterThan(20);
      const parts = new Set(files.map((file) => `./${file}`));
      // pg looks for pg-native, and goes on without; ajv writes its names into code that nobody asks for.
      const foreign = [...names].filter(
        (name) =>
          !isBuiltin(name) && !parts.has(name) && !/^(?:pg-native|esbuild|ajv.*)$/.test(name),
      );
      expect(foreign, product).toEqual([]);
    }
  });
});

describe('what is in the bundle', () => {
  const sbom = () =>
    JSON.parse(readFileSync(join(dist, 'sbom.json'), 'utf8')) as {
      components: { name: string; version: string; hashes?: unknown[] }[];
    };

  test('is named with version and hash, and each with the text of its licence', () => {
    const { components } = sbom();
    const names = components.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['@paddle/paddle-node-sdk', 'hono', 'jsonata', 'pg', 'stripe']),
    );
    expect(components.filter(({ hashes }) => hashes?.length !== 1)).toEqual([]);
    const licenses = readFileSync(join(dist, 'LICENSES.txt'), 'utf8');
    for (const { name, version } of components) expect(licenses).toContain(`${name} ${version} (`);
    const sections = licenses.split(/^={80}$/m).slice(1);
    expect(sections.length).toBe(components.length * 2);
    // A licence is a page; less would be a name without its text.
    expect(sections.filter((text, index) => index % 2 === 1 && text.length < 500)).toEqual([]);
  });

  test('holds no tool of development', () => {
    const names = sbom().components.map(({ name }) => name);
    expect(names.filter((name) => /esbuild|vitest|typescript|^@types|biome/.test(name))).toEqual(
      [],
    );
  });

  test('a package under a licence that nobody looked at is refused', () => {
    // TypeScript's own is allowed; lightningcss has one that is not on the list.
    expect(existsSync(join(ROOT, 'node_modules/lightningcss'))).toBe(true);
    expect(() => bundledPackages(ROOT, ['node_modules/lightningcss/node/index.js'])).toThrow(
      /lightningcss has the licence MPL-2.0/,
    );
    const [own] = bundledPackages(ROOT, ['node_modules/pgpass/lib/index.js']);
    expect(licensesOf(own === undefined ? [] : [own])).toContain('Permission is hereby granted');
  });

  test('is the same when it is built again', async () => {
    const again = join(folder, 'again');
    await buildAll(again);
    const files = readdirSync(dist, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(dist, join(parentPath, name)));
    expect(files).toEqual(expect.arrayContaining(['bin/keywright.mjs', 'lambda/bin/lambda.mjs']));
    for (const file of files) {
      expect(readFileSync(join(again, file)).equals(readFileSync(join(dist, file))), file).toBe(
        true,
      );
    }
  });
});
