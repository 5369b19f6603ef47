// What is inside a bundle that others wrote. Takes the files that were bundled, gives the packages with
// licence and origin, as a text for people and as an SBOM (CycloneDX 1.6) for scanners.
// Refuses a package whose licence nobody has looked at, so that none slips in with an update.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX, as the package says it. */
  readonly license: string;
  readonly licenseText: string;
  /** The hash that npm's registry and the download had to agree on, from package-lock.json. */
  readonly integrity: string;
}

/** Licences that allow to ship the code inside a bundle, when their text comes along. */
const LICENSES_ALLOWED: ReadonlySet<string> = new Set(['MIT', 'ISC', 'BSD-3-Clause', 'Apache-2.0']);

interface LockEntry {
  readonly version?: string;
  readonly integrity?: string;
}

/** @param inputs paths below the root, such as `node_modules/pg/lib/index.js` */
export function bundledPackages(
  root: string,
  inputs: readonly string[],
): readonly BundledPackage[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockEntry>;
  };
  const folders = new Set(
    inputs.flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []),
  );
  return [...folders]
    .map((folder) => describe(root, folder, lock.packages[folder]))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function describe(root: string, folder: string, locked: LockEntry | undefined): BundledPackage {
  const { name, version, license } = JSON.parse(
    readFileSync(join(root, folder, 'package.json'), 'utf8'),
  ) as { name: string; version: string; license?: unknown };
  if (locked?.version !== version || locked.integrity === undefined) {
    throw new Error(`${folder} is not what package-lock.json names; run npm ci`);
  }
  if (typeof license !== 'string' || !LICENSES_ALLOWED.has(license)) {
    throw new Error(`${name} has the licence ${String(license)}; look at it before it is shipped`);
  }
  const licenseText = readLicense(join(root, folder)) ?? `Licence: ${license}`;
  return { name, version, license, licenseText, integrity: locked.integrity };
}

function readLicense(folder: string): string | undefined {
  const names = readdirSync(folder);
  const texts = names.filter((name) => /^(?:licen[cs]e|copying|notice)/i.test(name)).sort();
  if (texts.length > 0) {
    return texts.map((name) => readFileSync(join(folder, name), 'utf8').trim()).join('\n\n');
  }
  // Some keep it at the end of their README.
  const readme = names.find((name) => /^readme/i.test(name));
  if (readme === undefined) return undefined;
  const text = readFileSync(join(folder, readme), 'utf8');
  return /^#+\s*licen[cs]e[\s\S]*/im.exec(text)?.[0].trim();
}

export function licensesOf(packages: readonly BundledPackage[]): string {
  const parts = packages.map(
    ({ name, version, license, licenseText }) =>
      `${'='.repeat(80)}\n${name} ${version} (${license})\n${'='.repeat(80)}\n\n${licenseText}\n`,
  );
  const head = `Keywright contains the following packages. Their licences:\n`;
  return [head, ...parts].join('\n');
}

/** A CycloneDX document without a time or a random number: the same bundle gives the same SBOM. */
export function sbomOf(
  own: { readonly name: string; readonly version: string; readonly license: string },
  packages: readonly BundledPackage[],
): object {
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        name: own.name,
        version: own.version,
        licenses: [{ license: { id: own.license } }],
      },
    },
    components: packages.map(({ name, version, license, integrity }) => ({
      type: 'library',
      name,
      version,
      purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
      licenses: [{ license: { id: license } }],
      ...hashesOf(integrity),
    })),
  };
}

/** npm writes `sha512-BASE64`, CycloneDX wants hexadecimal. */
function hashesOf(integrity: string): object {
  const base64 = /^sha512-(.+)$/.exec(integrity)?.[1];
  if (base64 === undefined) return {};
  return { hashes: [{ alg: 'SHA-512', content: Buffer.from(base64, 'base64').toString('hex') }] };
}
