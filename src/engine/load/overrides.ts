// What a rule test wants different. Takes a rule file and the test's `settings`, gives the file with them.

import type { Findings } from '../diagnostics/findings.ts';
import { checkRuleFile } from '../diagnostics/schema.ts';
import { type EffectiveFile, isMap } from './effective.ts';

/** Members of the header that a rule test may override; every other name is a setting. */
const OVERRIDABLE = [
  'mode',
  'unmatched',
  'catalog',
  'catalogFile',
  'maxDelete',
  'waitFor',
  'brake',
];

/** The file as a rule test wants it. Another catalog also replaces that in a file of its own. */
export function withOverrides(
  file: EffectiveFile,
  overrides: Readonly<Record<string, unknown>>,
  findings: Findings,
): EffectiveFile | undefined {
  if (Object.keys(overrides).length === 0) return file;
  const { let: names, ...others } = overrides;
  const header: Record<string, unknown> = { ...file.raw };
  if ('catalog' in others) delete header['catalogFile'];
  const declared = isMap(header['settings']) ? { ...header['settings'] } : {};
  const lets = isMap(header['let']) ? { ...header['let'] } : {};
  const valued = new Set(file.valued);
  const set = (name: string, value: unknown): void => {
    declared[name] = isMap(declared[name]) ? { ...declared[name], default: value } : value;
    valued.add(name);
  };
  for (const [name, value] of Object.entries(others)) {
    if (OVERRIDABLE.includes(name)) header[name] = value;
    else set(name, value);
  }
  for (const [name, value] of Object.entries(isMap(names) ? names : {})) {
    if (name in declared) set(name, value);
    else lets[name] = value;
  }
  const value = { ...header, let: lets, ...(valued.size > 0 ? { settings: declared } : {}) };
  const yaml = { ...file.yaml, value, isCheckedAlready: false };
  const raw = checkRuleFile(yaml, findings);
  return raw === undefined ? undefined : { ...file, yaml, raw, valued };
}
