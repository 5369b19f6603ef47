// A file that says what exists in Cryptlex. Takes its document, checks it as `given:` of a rule test is
// checked, reports every deviation at its place. Never puts anything anywhere.

import { parseInstant, parseInterval } from '../../core/interval.ts';
import type { Findings } from '../diagnostics/findings.ts';
import { checkShape } from '../diagnostics/schema.ts';
import { stateShape } from '../diagnostics/test-validators.ts';
import type { YamlFile } from '../diagnostics/yaml.ts';

/** Whether it is right: lists of users, licenses, templates and products, with dates that are some. */
export function checkStateFile(yaml: YamlFile, findings: Findings): boolean {
  return checkShape(stateShape, yaml, findings, 'the file') && checkTimes(yaml, findings);
}

function checkTimes(yaml: YamlFile, findings: Findings): boolean {
  let right = true;
  for (const [list, items] of Object.entries(yaml.value as Record<string, object[]>)) {
    for (const [index, item] of items.entries()) {
      for (const [name, value] of Object.entries(item)) {
        const wanted = typeof value === 'string' ? wantedInstead(name, value) : undefined;
        if (wanted === undefined) continue;
        const path = [list, index, name];
        const place = { location: yaml.locate(path), length: yaml.lengthOf(path) };
        findings.error('RULE_WRONG_TYPE', `"${name}" must be ${wanted}`, place);
        right = false;
      }
    }
  }
  return right;
}

function wantedInstead(name: string, value: string): string | undefined {
  if (/(?:At|Date)$/.test(name) && parseInstant(value) === undefined) {
    return 'a date like 2026-05-01T00:00:00Z';
  }
  const isInterval = name === 'subscriptionInterval' && value !== '';
  return isInterval && parseInterval(value) === undefined
    ? 'an ISO 8601 interval like P1M or P1Y, or ""'
    : undefined;
}
