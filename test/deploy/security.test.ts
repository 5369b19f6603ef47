// docs/security.md names what is shipped, and its figures are those of the code.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HEADERS_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from '../../src/server/listen.ts';
import { BODY_BYTES_MAX } from '../../src/server/read-body.ts';
import { PER_ADDRESS_MAX, PER_SOURCE_MAX } from '../../src/server/refusal-limiter.ts';
import {
  GUESS_DELAY_MS,
  WAITING_MAX,
  WAITING_PER_ADDRESS_MAX,
} from '../../src/server/token-guard.ts';

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
  `From the ${PER_ADDRESS_MAX + 1}st of an address`,
  `the ${PER_SOURCE_MAX + 1}st of a source`,
  `After ${PER_ADDRESS_MAX} wrong ones in a minute from one address`,
  `each further answer waits ${GUESS_DELAY_MS / 1_000} s`,
  `${words(WAITING_PER_ADDRESS_MAX)} wait at once for an address and ${WAITING_MAX} in all`,
  `Headers must be there within ${HEADERS_TIMEOUT_MS / 1_000} s`,
  `the whole request within ${REQUEST_TIMEOUT_MS / 1_000} s`,
  `bodies to ${BODY_BYTES_MAX / 1024 ** 2} MiB`,
])('the page says the limit that holds: %s', (sentence) => {
  expect(PAGE).toContain(sentence);
});

function words(count: number): string {
  return (
    ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'][count] ?? `${count}`
  );
}
