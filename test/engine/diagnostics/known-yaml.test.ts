// Rule files that were read when Keywright was built: whoever starts a server must not see a difference.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PROVIDERS } from '../../../src/core/providers.ts';
import { Findings } from '../../../src/engine/diagnostics/findings.ts';
import { knownYaml, noteYaml } from '../../../src/engine/diagnostics/prebuilt-yaml.ts';
import { readYaml, type YamlFile } from '../../../src/engine/diagnostics/yaml.ts';
import type { YamlPath } from '../../../src/engine/diagnostics/yaml-places.ts';

const FILES = PROVIDERS.map((provider) => `rules/${provider}.yaml`);

function known(file: string, text: string): YamlFile {
  const noted = noteYaml(text);
  const yaml = knownYaml(file, text, new Map(noted === undefined ? [] : [noted]));
  if (yaml === undefined) throw new Error(`${file} is not known`);
  return yaml;
}

function read(file: string, text: string): YamlFile {
  const yaml = readYaml(file, text, new Findings());
  if (yaml === undefined) throw new Error(`${file} cannot be read`);
  return yaml;
}

function pathsOf(value: unknown, path: YamlPath = []): YamlPath[] {
  if (typeof value !== 'object' || value === null) return [path];
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [
    path,
    ...steps.flatMap((step) =>
      pathsOf((value as Record<string | number, unknown>)[step], [...path, step]),
    ),
  ];
}

test.each(FILES)('%s means the same, known or read', (file) => {
  const text = readFileSync(file, 'utf8');
  const before = read(file, text);
  const yaml = known(file, text);
  expect(yaml.value).toStrictEqual(before.value);
  expect([yaml.file, yaml.text]).toEqual([file, text]);
});

test.each(FILES)('findings in %s stand at the same places, known or read', (file) => {
  const text = readFileSync(file, 'utf8');
  const before = read(file, text);
  const yaml = known(file, text);
  const paths = pathsOf(before.value);
  expect(paths.length).toBeGreaterThan(100);
  // What is not there has the place of what is nearest above it.
  const missing = paths.map((path) => [...path, 'not there']);
  for (const path of [...paths, ...missing, ['__proto__'], ['rules', 9999, 'id']]) {
    expect(yaml.locate(path), path.join()).toEqual(before.locate(path));
    expect(yaml.locateKey(path), path.join()).toEqual(before.locateKey(path));
    expect(yaml.lengthOf(path), path.join()).toBe(before.lengthOf(path));
    expect(yaml.locateInside(path, 3), path.join()).toEqual(before.locateInside(path, 3));
  }
});

test('a rule file of which one character was changed is read', () => {
  const text = readFileSync('rules/stripe.yaml', 'utf8');
  const noted = noteYaml(text);
  if (noted === undefined) throw new Error('it has findings');
  const texts = new Map([noted]);
  expect(knownYaml('rules/stripe.yaml', text, texts)).toBeDefined();
  expect(knownYaml('rules/stripe.yaml', `${text} `, texts)).toBeUndefined();
  expect(knownYaml('rules/stripe.yaml', text.replace('rules:', 'rulez:'), texts)).toBeUndefined();
});

test('a rule file from the sources is read, known to nobody', () => {
  expect(knownYaml('rules/stripe.yaml', readFileSync('rules/stripe.yaml', 'utf8'))).toBeUndefined();
});

test('what is done with a known file stays with whoever did it', () => {
  const text = readFileSync('rules/paddle.yaml', 'utf8');
  const noted = noteYaml(text);
  if (noted === undefined) throw new Error('it has findings');
  const texts = new Map([noted]);
  const first = knownYaml('rules/paddle.yaml', text, texts)?.value as { provider: string };
  first.provider = 'somebody';
  expect(knownYaml('rules/paddle.yaml', text, texts)?.value).toHaveProperty('provider', 'paddle');
});

test('a file with findings never becomes known', () => {
  expect(noteYaml('provider: stripe\nprovider: stripe\nrules: []\n')).toBeUndefined();
  expect(noteYaml('provider: stripe\nrulez: []\n')).toBeUndefined();
  expect(noteYaml('provider: [\n')).toBeUndefined();
});
