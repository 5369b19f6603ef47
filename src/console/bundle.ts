// Makes the files that a browser loads: client scripts and styles, bundled and minified by esbuild, and
// what lies in public/ as it is. Takes the folder of the console's sources, gives files with their content
// in their name. Used by `npm run build`, and by a checkout at the first request; never in a release.
//
// Every `.ts` directly in client/ is a script that a page may ask for by its name, every `.css` directly
// in styles/ a style sheet. What scripts share lies in folders below, and may be any npm package.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import type { build as Build } from 'esbuild';

export interface BundledFile {
  /** `events.1a2b3c4d.js`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface ConsoleBundle {
  readonly files: readonly BundledFile[];
  /** What pages ask for → the file's name: `events.js` → `events.1a2b3c4d.js`. */
  readonly manifest: Readonly<Record<string, string>>;
  /** Paths of the sources that went in, below the project. */
  readonly inputs: readonly string[];
}

/** @param folder of the console's sources; @param root of the project; @param build esbuild's own */
export async function bundleConsole(
  folder: string,
  root: string,
  build: typeof Build,
): Promise<ConsoleBundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [
      ...filesOf(join(folder, 'client'), '.ts'),
      ...filesOf(join(folder, 'styles'), '.css'),
    ],
    outdir: join(root, 'console'),
    entryNames: '[name].[hash]',
    chunkNames: 'shared.[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome123', 'firefox121', 'safari17.5'],
    minify: true,
    // The licences of bundled packages stand in LICENSES.txt, whole.
    legalComments: 'none',
    write: false,
    metafile: true,
    preserveSymlinks: true,
    logLevel: 'silent',
    tsconfigRaw: {},
  });
  const built = outputFiles.map(({ path, contents }) => ({
    name: basename(path),
    bytes: contents,
  }));
  const plain = filesOf(join(folder, 'public')).map(hashed);
  const files = [...built, ...plain];
  const manifest = Object.fromEntries(files.map(({ name }) => [withoutHash(name), name]));
  const inputs = Object.values(metafile.outputs).flatMap(({ inputs: parts }) =>
    Object.entries(parts).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  return { files, manifest, inputs };
}

function filesOf(folder: string, extension?: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .filter(({ name }) => extension === undefined || extname(name) === extension)
    .map(({ name }) => join(folder, name))
    .sort();
}

function hashed(path: string): BundledFile {
  const bytes = readFileSync(path);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
  const extension = extname(path);
  return { name: `${basename(path, extension)}.${hash}${extension}`, bytes };
}

function withoutHash(name: string): string {
  return name.replace(/\.[^.]+(\.[a-z0-9]+)$/, '$1');
}
