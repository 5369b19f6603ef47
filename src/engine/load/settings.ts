// The declared settings of a rule file. Takes the declarations with their values, gives a table for
// formulas (`$settings.refunds`); reports every value that is not declared, and those without effect.

import { parseInterval } from '../../core/interval.ts';
import type { JsonValue, SourceLocation } from '../../core/model.ts';
import { didYouMean } from '../diagnostics/closest.ts';
import type { Findings } from '../diagnostics/findings.ts';
import type { Setting, SettingType, Template } from '../rules/rule-set.ts';
import { type EffectiveFile, isMap } from './effective.ts';

interface Declaration {
  readonly oneOf?: readonly string[];
  readonly type?: SettingType;
  readonly default: JsonValue;
  readonly about?: string;
  readonly events?: Readonly<Record<string, readonly string[]>> | readonly string[];
  readonly when?: Readonly<Record<string, JsonValue>>;
}

/** Every setting with its value; values that are wrong are left out of the table. */
export function compileSettings(file: EffectiveFile, findings: Findings): readonly Setting[] {
  const { yaml, raw, valued } = file;
  const declared = isMap(raw['settings']) ? raw['settings'] : {};
  const settings: Setting[] = [];
  for (const [name, declaration] of Object.entries(declared)) {
    const key = { location: yaml.locateKey(['settings', name]), length: name.length };
    if (!isMap(declaration)) {
      const hint =
        'Only a file with `extends:` gives values; declare it as `{ oneOf: […], default: … }`.';
      findings.error('SETTING_UNKNOWN', `no file declares the setting "${name}"`, { ...key, hint });
      continue;
    }
    const {
      oneOf,
      type,
      events,
      when = {},
      about,
      ...rest
    } = declaration as unknown as Declaration;
    if (oneOf === undefined && type === undefined) {
      const hint = 'For example `oneOf: [off, on]` or `type: interval`.';
      const message = `the setting "${name}" says neither its words (oneOf) nor its type`;
      findings.error('SETTING_WRONG', message, { ...key, hint });
      continue;
    }
    const path = ['settings', name, 'default'];
    const location = yaml.locate(path);
    const at = { location, length: yaml.lengthOf(path) };
    const words = oneOf ?? [];
    settings.push({
      name,
      value: rest.default,
      isSet: valued.has(name),
      words,
      type,
      about,
      events: events ?? {},
      when,
      location,
    });
    if (!isDeclared(rest.default, words, type)) {
      const written =
        typeof rest.default === 'string' ? rest.default : JSON.stringify(rest.default);
      const wanted = [...words, ...(type === undefined ? [] : [TYPES[type].called])].join(', ');
      const message = `the setting "${name}" is ${wanted}; it cannot be "${written}"${didYouMean(written, words)}`;
      findings.error('SETTING_WRONG', message, { ...at, ...hintFor(type, words) });
    }
  }
  reportWithoutEffect(settings, findings);
  return settings;
}

/** The table that formulas and conditions read as `$settings`. */
export function settingsTemplate(settings: readonly Setting[], location: SourceLocation): Template {
  const members = settings.map(
    ({ name, value, location: at }) =>
      [name, { kind: 'literal', value, location: at } as const] as const,
  );
  return { kind: 'map', members: new Map<string, Template>(members), location };
}

const TYPES: Readonly<Record<SettingType, { called: string; holds(value: JsonValue): boolean }>> = {
  interval: {
    called: 'an interval such as P10D',
    holds: (value) =>
      typeof value === 'string' && value !== '' && parseInterval(value) !== undefined,
  },
  integer: { called: 'a whole number', holds: (value) => Number.isSafeInteger(value) },
  boolean: { called: 'true or false', holds: (value) => typeof value === 'boolean' },
  text: { called: 'a text', holds: (value) => typeof value === 'string' },
  id: {
    called: 'an id',
    holds: (value) => typeof value === 'string' && /^\S+$/.test(value),
  },
};

function isDeclared(
  value: JsonValue,
  words: readonly string[],
  type: SettingType | undefined,
): boolean {
  if (typeof value === 'string' && words.includes(value)) return true;
  return type !== undefined && TYPES[type].holds(value);
}

function hintFor(type: SettingType | undefined, words: readonly string[]): { hint?: string } {
  if (type === 'interval') {
    const further = words.length === 0 ? '' : `, or ${words.join(', ')}`;
    return { hint: `Ten days are P10D, a month is P1M, six hours are PT6H${further}.` };
  }
  return words.length === 0 ? {} : { hint: `Its words are ${words.join(', ')}.` };
}

/** A setting that is given a value and changes nothing as the others are set. */
function reportWithoutEffect(settings: readonly Setting[], findings: Findings): void {
  const values = new Map(settings.map(({ name, value }) => [name, value]));
  for (const { name, isSet, when, location } of settings) {
    if (!isSet) continue;
    for (const [other, wanted] of Object.entries(when)) {
      const accepted = Array.isArray(wanted) ? wanted : [wanted];
      const actual = values.get(other);
      if (actual === undefined || accepted.includes(actual)) continue;
      const message = `"${name}" has no effect while ${other} is ${String(actual)}`;
      const hint = `It works with ${other}: ${accepted.map(String).join(' or ')}.`;
      findings.warning('SETTING_WITHOUT_EFFECT', message, { location, length: 1, hint });
    }
  }
}
