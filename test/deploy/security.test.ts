// docs/security.md names what is shipped, and its figures are those of the code.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const PAGE = read('docs/security.md');

test('every package that is shipped stands there with its licence, and no other', () => {
  const own = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
  const rows = [...PAGE.matchAll(/^\| `([^`]+)` \| \S+ \| (\S+) \|/gm)];
  expect(rows.map(([, name]) => name)).toEqual(Object.keys(own.dependencies).toSorted());
  for (const [, name, license] of rows) {
    const { license: said } = JSON.parse(read(`node_modules/${name}/package.json`)) as {
      license: string;
    };
    expect(said, name).toBe(license);
  }
});

test('every dependency is pinned to one version and one hash', () => {
  const own = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const all = { ...own['dependencies'], ...own['devDependencies'] };
  for (const [name, version] of Object.entries(all)) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+(?:-[\w.]+)?$/);
  }
  const lock = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { integrity?: string; dev?: boolean; hasInstallScript?: boolean }>;
  };
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === '') continue;
    expect(entry.integrity, path).toMatch(/^sha512-/);
    if (entry.dev !== true) expect(entry.hasInstallScript, path).toBeUndefined();
  }
});

test.each([
  ['src/server/refusal-limiter.ts', /PER_ADDRESS_MAX = 60;/, 'From the 61st of an address'],
  ['src/server/refusal-limiter.ts', /PER_SOURCE_MAX = 300;/, 'the 301st of a source'],
  ['src/server/token-guard.ts', /GUESS_DELAY_MS = 1_000;/, 'each further answer waits 1 s'],
  ['src/server/listen.ts', /headersTimeoutMs = 10_000, requestTimeoutMs = 30_000/, 'within 10 s'],
  ['src/server/read-body.ts', /BODY_BYTES_MAX = 1024 \* 1024/, 'bodies to 1 MiB'],
])('the limits of %s are told as they are', (file, inCode, onPage) => {
  expect(read(file)).toMatch(inCode);
  expect(PAGE).toContain(onPage);
});
