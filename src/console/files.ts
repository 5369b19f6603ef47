// The files that a browser loads, found and compressed. Takes the folder of a release, or of a checkout's
// sources, gives each file with its type and its address. Reads and makes each of them once, at the first
// request; never reads a path that a request names.

import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { assetPath } from '../assets.ts';
import { AppError } from '../core/error-codes.ts';
import { bundleConsole } from './bundle.ts';

export interface ConsoleFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** By the coding's name; empty where compressing does not pay. */
  readonly compressed: ReadonlyMap<'br' | 'gzip', Uint8Array<ArrayBuffer>>;
}

export interface ConsoleFiles {
  /** The address of a file by the name a page knows it by: `events.js` → `/console/files/events.1a2b3c4d.js`. */
  address(name: string): string;
  /** By the last part of its address. */
  find(name: string): ConsoleFile | undefined;
}

export const FILES_PATH = '/console/files';

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};
const COMPRESSIBLE = new Set(['.js', '.css', '.svg']);
/** Where `npm run build` puts them; scripts/build.ts writes what is read here. */
export const RELEASE_FOLDER = 'console';
export const MANIFEST_FILE = 'manifest.json';

/** @throws AppError CONSOLE_NOT_BUILT in a checkout without esbuild */
export async function loadConsoleFiles(): Promise<ConsoleFiles> {
  const manifestPath = assetPath(join(RELEASE_FOLDER, MANIFEST_FILE));
  const { manifest, read } = existsSync(manifestPath)
    ? fromRelease(manifestPath)
    : await fromSources();
  const names = new Set(Object.values(manifest.names).concat(manifest.shared));
  const loaded = new Map<string, ConsoleFile>();
  return {
    address: (name) => {
      const file = manifest.names[name];
      if (file === undefined) throw new AppError('INTERNAL', `the console has no file ${name}`);
      return `${FILES_PATH}/${file}`;
    },
    find: (name) => {
      if (!names.has(name)) return undefined;
      const file = loaded.get(name) ?? toFile(name, read(name));
      loaded.set(name, file);
      return file;
    },
  };
}

/** What a release's manifest.json holds. */
export interface Manifest {
  readonly names: Readonly<Record<string, string>>;
  /** Files that no page asks for: parts that several scripts share. */
  readonly shared: readonly string[];
}

interface Found {
  readonly manifest: Manifest;
  read(name: string): Uint8Array;
}

function fromRelease(manifestPath: string): Found {
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as Manifest;
  return {
    manifest,
    read: (name) => readFileSync(assetPath(join(RELEASE_FOLDER, name))),
  };
}

async function fromSources(): Promise<Found> {
  const esbuild = await import('esbuild').catch(() => undefined);
  if (esbuild === undefined) throw new AppError('CONSOLE_NOT_BUILT', 'esbuild is not installed');
  const bundle = await bundleConsole(assetPath('src/console'), assetPath('.'), esbuild.build);
  const byName = new Map(bundle.files.map(({ name, bytes }) => [name, bytes]));
  return {
    manifest: { names: bundle.manifest, shared: [...byName.keys()] },
    read: (name) => byName.get(name) ?? new Uint8Array(),
  };
}

function toFile(name: string, read: Uint8Array): ConsoleFile {
  const bytes = new Uint8Array(read);
  const type = TYPES[extname(name)] ?? 'application/octet-stream';
  const compressed = new Map<'br' | 'gzip', Uint8Array<ArrayBuffer>>();
  if (COMPRESSIBLE.has(extname(name))) {
    const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
    compressed.set('br', new Uint8Array(brotliCompressSync(bytes, { params })));
    compressed.set('gzip', new Uint8Array(gzipSync(bytes)));
  }
  return { type, bytes, compressed };
}
