// The packages that npm installs: what `npm ci` says about the machine's own Node. Reads the lock file.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/** The oldest Node of the line that machines still have; a checkout then runs on the Node that npm brings. */
const MACHINE_NODE = '20.19.0';

interface LockedPackage {
  readonly version?: string;
  readonly engines?: { readonly node?: string };
  readonly optional?: boolean;
}

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
  packages: Record<string, LockedPackage>;
};

/** Knows the forms that packages use: `*`, `18`, `^20.19.0`, `>=20` and several of them with `||`. */
function accepts(range: string, node: string): boolean {
  return range.split('||').some((part) => {
    const form = /^\s*(\^|>=|)\s*v?(\*|\d+(?:\.\d+){0,2})(?:\.x)*\s*$/.exec(part);
    if (form === null) throw new Error(`cannot read the range of Node ${JSON.stringify(range)}`);
    const [, operator, oldest = '*'] = form;
    if (oldest === '*') return true;
    const sameLine = oldest.split('.')[0] === node.split('.')[0];
    const newEnough = node.localeCompare(oldest, 'en', { numeric: true }) >= 0;
    return newEnough && (operator === '>=' || sameLine);
  });
}

describe('npm ci warns of nothing (EBADENGINE)', () => {
  test(`on Node ${MACHINE_NODE}`, () => {
    const refusing = Object.entries(lock.packages).flatMap(
      ([path, { version, engines, optional }]) =>
        optional === true || engines?.node === undefined || accepts(engines.node, MACHINE_NODE)
          ? []
          : [`${path || 'this package'} ${version} wants Node ${engines.node}`],
    );
    expect(refusing).toEqual([]);
  });

  test.each([
    ['>=22.13.0', false],
    ['^22.12.0 || ^24.0.0 || >=26.0.0', false],
    ['^20.20.0 || >=22', false],
    ['^20.19.0 || >=22.12.0', true],
    ['>= 8', true],
    ['20', true],
    ['*', true],
  ])('%s counts as %s', (range, accepted) => {
    expect(accepts(range, MACHINE_NODE)).toBe(accepted);
  });
});
