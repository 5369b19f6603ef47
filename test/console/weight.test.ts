// What a browser has to load: all files of the console together, compressed, and who has to load the editor.

import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { assetPath } from '../../src/assets.ts';
import { bundleConsole } from '../../src/console/bundle.ts';

const KILOBYTES_MAX = 400;
/** Of a page without the editor. */
const PLAIN_KILOBYTES_MAX = 40;

test('all files of the console together stay small, and only the playground loads the editor', async () => {
  const { files, manifest } = await bundleConsole(assetPath('src/console'), assetPath('.'), build);
  // As files.ts compresses them.
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
  const weights = new Map(
    files.map(({ name, bytes }) => [name, brotliCompressSync(bytes, { params }).length / 1024]),
  );
  const sum = (names: Iterable<string>): number =>
    [...names].reduce((all, name) => all + (weights.get(name) ?? 0), 0);
  expect(sum(weights.keys())).toBeLessThan(KILOBYTES_MAX);

  const editor = files
    .filter(({ bytes }) => Buffer.from(bytes).includes('cm-editor'))
    .map(({ name }) => name);
  expect(editor).toHaveLength(1);
  const textOf = (name: string): string =>
    Buffer.from(files.find((file) => file.name === name)?.bytes ?? []).toString();
  const loadedBy = (name: string): ReadonlySet<string> => {
    const loaded = new Set([name]);
    for (const one of loaded) {
      for (const { name: other } of files)
        if (textOf(one).includes(`./${other}`)) loaded.add(other);
    }
    return loaded;
  };
  for (const [asked, name] of Object.entries(manifest)) {
    if (!asked.endsWith('.js') || asked.startsWith('shared.')) continue;
    const loaded = loadedBy(name);
    expect(loaded.has(editor[0] ?? ''), asked).toBe(asked === 'playground.js');
    if (asked !== 'playground.js') expect(sum(loaded), asked).toBeLessThan(PLAIN_KILOBYTES_MAX);
  }
});
