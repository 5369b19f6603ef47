// Every typical mistake in a rule file is found at load, at its place, once, and explained.
// Takes the files of test/bad-rules, each of which says in its first lines what must be found.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../../src/actions/definitions.ts';
import { PROVIDERS } from '../../../src/core/providers.ts';
import { formatDiagnostic } from '../../../src/engine/diagnostics/findings.ts';
import { createInspection, loadKnownShapes } from '../../../src/engine/lint/inspect.ts';
import { loadRuleFile } from '../../../src/engine/load/load.ts';
import { shippedText } from '../support/rules.ts';

const FOLDER = new URL('../../bad-rules/', import.meta.url);
const EXPECT = /^# expect: (\d+:\d+ [A-Z_]+)$/gm;

const files = readdirSync(FOLDER).map((name) => ({
  name,
  text: readFileSync(new URL(name, FOLDER), 'utf8'),
}));

const inspection = createInspection(await loadKnownShapes(), ACTIONS);

function findingsOf(text: string) {
  const provider = /^provider: (paddle|fastspring)$/m.exec(text)?.[1] ?? 'stripe';
  const input = { file: `${provider}.yaml`, text, readBeside: () => undefined };
  return loadRuleFile(input, ACTIONS, { inspect: inspection }).diagnostics;
}

describe('a mistake in a rule file', () => {
  it('has more than a hundred and eighty examples', () => {
    expect(files.length).toBeGreaterThan(180);
  });

  it.each(files)('$name is found where it stands, and nothing else is', ({ text }) => {
    const wanted = [...text.matchAll(EXPECT)].map(([, expected]) => expected);
    const found = findingsOf(text).map(
      ({ location, code }) => `${location.line}:${location.column} ${code}`,
    );
    expect(wanted.length).toBeGreaterThan(0);
    expect(found).toEqual(wanted);
  });

  it.each(files)('$name is explained, with a caret under the place', ({ text }) => {
    for (const finding of findingsOf(text)) {
      expect(finding.message).not.toBe('');
      expect(finding.message).not.toMatch(/undefined|\[object|""|YAML\./);
      expect(finding.hint).toBeTruthy();
      const written = formatDiagnostic(finding, () => text);
      expect(written).toContain(`[${finding.code}]`);
      expect(written).toMatch(/^ {6}\| *\^+$/m);
    }
  });

  it('is not found where there is none', () => {
    const text =
      'provider: stripe\nsubject: =data.object.id\nrules:\n  - id: a\n    on: invoice.paid\n    ignore: Why.\n';
    expect(findingsOf(text)).toEqual([]);
  });

  it.each(PROVIDERS)('is not found in the shipped rules/%s.yaml', (provider) => {
    expect(findingsOf(shippedText(provider))).toEqual([]);
  });
});
