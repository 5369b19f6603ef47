// npm run build: everything that runs elsewhere, into dist/. Takes the sources and node_modules, gives
//   dist/bin/keywright.mjs   the command line and the server; beside it the parts that it loads when they
//                            are needed, the threads of `keywright diff`, and the process that
//                            evaluates drafts; all packages inside
//   dist/console             scripts and styles of the console, for the browser
//   dist/rules, schema, samples, scenarios   what it reads when it runs
//   dist/lambda/   the same for AWS Lambda: dist/lambda/bin/lambda.mjs, its rules, schema and console
//   LICENSES.txt, sbom.json in both: the licences of the bundled packages, and where each came from
// The same sources give the same bytes. Never downloads anything.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build, type Metafile } from 'esbuild';
import { bundleConsole } from '../src/console/bundle.ts';
import { MANIFEST_FILE, type Manifest, RELEASE_FOLDER } from '../src/console/files.ts';
import { bundledPackages, licensesOf, sbomOf } from './bundled-packages.ts';
import { compiledSchemas, lazyBuiltins } from './compiled-schemas.ts';
import { knownRules } from './known-rules.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** What a release says to npm. A checkout needs less: it runs on the Node that npm installs into it. */
const RELEASE_ENGINES = { node: '>=22.18.0' };
const TARGET = 'node22.18';

interface Product {
  /** Below the output folder. */
  readonly folder: string;
  /** The first one is what is started; each is a file in `bin/`, and they share parts that lie beside them. */
  readonly entries: Readonly<Record<string, string>>;
  readonly assets: readonly string[];
}

export const PRODUCTS: readonly Product[] = [
  {
    folder: '.',
    entries: {
      keywright: 'src/cli.ts',
      'comparison-thread': 'src/authoring/comparison/comparison-thread.ts',
      'draft-process': 'src/authoring/playground/draft-process.ts',
    },
    assets: ['rules', 'schema', 'samples', 'scenarios', 'LICENSE'],
  },
  {
    folder: 'lambda',
    entries: {
      lambda: 'src/lambda.ts',
      'draft-process': 'src/authoring/playground/draft-process.ts',
    },
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
  const { entries, assets } = product;
  const { inputs, bytes } = await bundle(product, join(folder, 'bin'));
  inputs.push(...(await writeConsole(join(folder, RELEASE_FOLDER))));
  for (const asset of assets) {
    cpSync(join(ROOT, asset), join(folder, asset), { recursive: true });
  }
  const own = readOwnPackage();
  const packages = bundledPackages(ROOT, inputs);
  writeFileSync(join(folder, 'LICENSES.txt'), licensesOf(packages));
  writeFileSync(join(folder, 'sbom.json'), `${JSON.stringify(sbomOf(own, packages), null, 2)}\n`);
  // Says to Node and to tools what this folder is; nothing in it has to be installed.
  const { name, version, license } = own;
  const main = `bin/${Object.keys(entries)[0]}.mjs`;
  const about = { name, version, license, type: 'module', main, engines: RELEASE_ENGINES };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(about, null, 2)}\n`);
  const kilobytes = Math.round(bytes / 1024);
  return `${join(folder, main)}: ${kilobytes} kB with its parts, ${packages.length} packages inside`;
}

/** Gives the files that went in, and how much came out. */
async function bundle(
  { entries }: Product,
  outdir: string,
): Promise<{ inputs: string[]; bytes: number }> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: entries,
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What is imported when it is needed is read when it is needed: most commands need a tenth of it.
    splitting: true,
    // In bin/ itself: src/assets.ts finds rules and schema from where it lies.
    chunkNames: 'part-[hash]',
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
    plugins: [compiledSchemas, lazyBuiltins, knownRules(join(ROOT, 'rules'))],
    // Packages in the older module format ask for Node's own modules by `require`.
    banner: {
      js: "import { createRequire as createRequireForBundle } from 'node:module'; const require = createRequireForBundle(import.meta.url);",
    },
    metafile: true,
    // A package is what it is called, also where node_modules is a link.
    preserveSymlinks: true,
    logLevel: 'warning',
  });
  const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
  return { inputs: inputsOf(metafile), bytes };
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

function readOwnPackage(): { name: string; version: string; license: string } {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as never;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } });
  for (const line of await buildAll(resolve(ROOT, values.out))) console.log(line);
}
