// npm run build: everything that runs elsewhere, into dist/. Takes the sources and node_modules, gives
//   dist/bin/keywright.mjs   the command line and the server, one file, all packages inside
//   dist/bin/thread.mjs      the thread of `keywright diff`
//   dist/console  scripts and styles of the console, for the browser
//   dist/rules, schema, samples, scenarios   what it reads when it runs
//   dist/lambda/   the same for AWS Lambda: dist/lambda/bin/lambda.mjs, its rules, schema and console
//   LICENSES.txt, sbom.json in both: the licences of the bundled packages, and where each came from
// The same sources give the same bytes. Never downloads anything.

import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, type Metafile } from 'esbuild';
import { bundleConsole } from '../src/console/bundle.ts';
import { MANIFEST_FILE, type Manifest, RELEASE_FOLDER } from '../src/console/files.ts';
import { bundledPackages, licensesOf, sbomOf } from './bundled-packages.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The oldest Node that releases run on; see package.json. */
const TARGET = 'node22.18';

interface Product {
  readonly entry: string;
  /** Below the output folder. */
  readonly folder: string;
  readonly file: string;
  /** Files that run in threads of their own, beside `file`: source → name. */
  readonly threads?: Readonly<Record<string, string>>;
  readonly assets: readonly string[];
}

const PRODUCTS: readonly Product[] = [
  {
    entry: 'src/cli.ts',
    folder: '.',
    file: 'bin/keywright.mjs',
    threads: { 'src/comparison/thread.ts': 'bin/thread.mjs' },
    assets: ['rules', 'schema', 'samples', 'scenarios', 'LICENSE'],
  },
  {
    entry: 'src/lambda.ts',
    folder: 'lambda',
    file: 'bin/lambda.mjs',
    assets: ['rules', 'schema', 'LICENSE'],
  },
];

/** @param out is emptied first */
export async function buildAll(out: string): Promise<readonly string[]> {
  rmSync(out, { recursive: true, force: true });
  const lines: string[] = [];
  for (const product of PRODUCTS) lines.push(await buildOne(product, join(out, product.folder)));
  return lines;
}

async function buildOne(product: Product, folder: string): Promise<string> {
  const { entry, file, assets, threads = {} } = product;
  mkdirSync(join(folder, 'bin'), { recursive: true });
  const inputs = await bundle(entry, join(folder, file));
  for (const [source, name] of Object.entries(threads)) {
    inputs.push(...(await bundle(source, join(folder, name))));
  }
  inputs.push(...(await writeConsole(join(folder, RELEASE_FOLDER))));
  for (const asset of assets) {
    cpSync(join(ROOT, asset), join(folder, asset), { recursive: true });
  }
  const own = readOwnPackage();
  const packages = bundledPackages(ROOT, inputs);
  writeFileSync(join(folder, 'LICENSES.txt'), licensesOf(packages));
  writeFileSync(join(folder, 'sbom.json'), `${JSON.stringify(sbomOf(own, packages), null, 2)}\n`);
  // Says to Node and to tools what this folder is; nothing in it has to be installed.
  const { name, version, license, engines } = own;
  const about = { name, version, license, type: 'module', main: file, engines };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(about, null, 2)}\n`);
  const kilobytes = Math.round(statSync(join(folder, file)).size / 1024);
  return `${join(folder, file)}: ${kilobytes} kB, ${packages.length} packages inside`;
}

/** Gives the files that went in. */
async function bundle(entry: string, outfile: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: TARGET,
    // Names stay as they are: a stack in a log must be readable.
    minifyWhitespace: true,
    minifySyntax: true,
    // They stand in LICENSES.txt, whole.
    legalComments: 'none',
    // pg asks for the first only where somebody installed it; the console for the second in a checkout.
    external: ['pg-native', 'esbuild'],
    // Packages in the older module format ask for Node's own modules by `require`.
    banner: {
      js: "import { createRequire as createRequireForBundle } from 'node:module'; const require = createRequireForBundle(import.meta.url);",
    },
    metafile: true,
    // A package is what it is called, also where node_modules is a link.
    preserveSymlinks: true,
    logLevel: 'warning',
  });
  return inputsOf(metafile);
}

/** What src/console/files.ts reads; gives the files that went in. */
async function writeConsole(folder: string): Promise<readonly string[]> {
  const { files, manifest, inputs } = await bundleConsole(
    join(ROOT, 'src/console'),
    resolve(ROOT),
    build,
  );
  mkdirSync(folder);
  for (const { name, bytes } of files) writeFileSync(join(folder, name), bytes);
  const names = new Set(Object.values(manifest));
  const shared = files.map(({ name }) => name).filter((name) => !names.has(name));
  const written: Manifest = { names: manifest, shared };
  writeFileSync(join(folder, MANIFEST_FILE), `${JSON.stringify(written, null, 2)}\n`);
  return inputs;
}

function inputsOf(metafile: Metafile): string[] {
  return Object.values(metafile.outputs).flatMap(({ inputs }) =>
    // What was shaken out is not shipped.
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) =>
      bytesInOutput > 0 ? [path] : [],
    ),
  );
}

function readOwnPackage(): { name: string; version: string; license: string; engines: unknown } {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as never;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } });
  for (const line of await buildAll(resolve(ROOT, values.out))) console.log(line);
}
