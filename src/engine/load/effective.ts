// A rule file with the files that it extends. Takes the file's text, gives one value as if it were written
// in one file, and for each part of it the place in the file that it comes from.

import type { JsonValue } from '../../core/model.ts';
import { PROVIDERS } from '../../core/providers.ts';
import { didYouMean } from '../diagnostics/closest.ts';
import type { Findings } from '../diagnostics/findings.ts';
import { knownYaml } from '../diagnostics/prebuilt-yaml.ts';
import { type CheckedFile, checkRuleFile } from '../diagnostics/schema.ts';
import { readYaml, type YamlFile } from '../diagnostics/yaml.ts';
import type { YamlPath } from '../diagnostics/yaml-places.ts';

/** A rule file as it stands on disk. */
export interface RuleFileText {
  /** As it is shown to people: `rules/stripe.yaml`. */
  readonly file: string;
  readonly text: string;
  /** Gives the text of a file beside it, or of `shipped/NAME.yaml`; undefined when there is none. */
  readonly readBeside: (name: string) => string | undefined;
}

export interface EffectiveFile {
  /** The merged value; its places are those of the files that its parts come from. */
  readonly yaml: YamlFile;
  readonly raw: CheckedFile;
  /** The texts of the extended files, by the name under which `readBeside` gives them. */
  readonly beside: Readonly<Record<string, string>>;
  /** The settings that the file, or one between it and the declaring file, gives a value. */
  readonly valued: ReadonlySet<string>;
}

interface Reading {
  readonly input: RuleFileText;
  readonly known: ReadonlyMap<string, string> | undefined;
  readonly findings: Findings;
  readonly beside: Record<string, string>;
}

type Section = Readonly<Record<string, unknown>>;

/** Reads a file and all that it extends; undefined when the rest would mean nothing. */
export function readEffective(
  input: RuleFileText,
  known: ReadonlyMap<string, string> | undefined,
  findings: Findings,
): EffectiveFile | undefined {
  const reading: Reading = { input, known, findings, beside: {} };
  const layer = readLayer(input.file, input.text, [], reading);
  if (layer === undefined) return undefined;
  return { ...layer, beside: reading.beside };
}

type Layer = Omit<EffectiveFile, 'beside'>;

/** @param below the names of the files that extend this one, for circles */
function readLayer(
  file: string,
  text: string,
  below: readonly string[],
  reading: Reading,
): Layer | undefined {
  const { findings, known } = reading;
  const yaml = knownYaml(file, text, known) ?? readYaml(file, text, findings);
  if (yaml === undefined) return undefined;
  const raw = checkRuleFile(yaml, findings);
  if (raw === undefined) return undefined;
  const named = raw['extends'];
  if (typeof named !== 'string') return { yaml, raw, valued: new Set() };
  const base = readBase(named, yaml, below, reading);
  return base === undefined
    ? undefined
    : mergeLayers({ yaml, raw, valued: new Set() }, base, findings);
}

/** What `extends: paddle` and `extends: base.yaml` are called beside the file. */
export function extendedName(named: string): string {
  return /\.ya?ml$/.test(named) ? named : `shipped/${named}.yaml`;
}

function readBase(
  named: string,
  yaml: YamlFile,
  below: readonly string[],
  { input, ...rest }: Reading,
): Layer | undefined {
  const location = yaml.locate(['extends']);
  const refuse = (message: string, hint?: string): undefined => {
    const options = { location, length: named.length, ...(hint === undefined ? {} : { hint }) };
    rest.findings.error('RULES_EXTENDS', message, options);
    return undefined;
  };
  const name = extendedName(named);
  if (below.includes(name) || name === input.file.replace(/^.*[\\/]/, '')) {
    return refuse(`"${named}" is extended in a circle`);
  }
  const text = input.readBeside(name);
  if (text === undefined) {
    return refuse(`there is no rule file "${named}" to extend${didYouMean(named, SHIPPED)}`);
  }
  rest.beside[name] = text;
  return readLayer(nameBeside(input.file, name), text, [...below, name], { input, ...rest });
}

/** How a file beside a rule file is called in findings. */
export function nameBeside(file: string, name: string): string {
  return name.startsWith('shipped/') ? name : file.replace(/[^/\\]*$/, '') + name;
}

/** The files that come with Keywright and can be extended by their bare name. */
const SHIPPED: readonly string[] = PROVIDERS;

/** Members of the header that are maps and are merged name by name. */
const MERGED = ['let', 'settings', 'env'] as const;

function mergeLayers(own: Layer, base: Layer, findings: Findings): Layer {
  const { extends: _named, without: _without, rules: ownRules, ...header } = own.raw;
  const { provider } = header;
  if (provider !== undefined && provider !== base.raw['provider']) {
    const message = `the extended file is for ${String(base.raw['provider'])}, not for ${String(provider)}`;
    const options = { location: own.yaml.locate(['provider']), length: String(provider).length };
    findings.error('RULES_EXTENDS', message, options);
  }
  const { catalog, catalogFile, ...baseHeader } = base.raw;
  const sellsItself = header['catalog'] !== undefined || header['catalogFile'] !== undefined;
  const rules = mergeRules(own, base, (ownRules ?? []) as readonly unknown[], findings);
  const settings = mergeSettings(own, base, findings);
  const merged: CheckedFile = {
    ...baseHeader,
    ...(sellsItself ? {} : { catalog, catalogFile }),
    ...header,
    let: { ...section(base.raw, 'let'), ...settings.let },
    settings: settings.declared,
    env: { ...envMap(base.raw['env']), ...envMap(header['env']) },
    rules: rules.map(({ rule }) => rule) as CheckedFile['rules'],
  };
  const origin = (path: YamlPath): { yaml: YamlFile; path: YamlPath } => {
    const [first, second, ...rest] = path;
    if (first === 'rules' && typeof second === 'number') {
      const from = rules[second];
      return from === undefined
        ? { yaml: own.yaml, path: [] }
        : { yaml: from.yaml, path: ['rules', from.index, ...rest] };
    }
    if (first === 'settings' && typeof second === 'string') {
      const value = section(own.raw, 'settings')[second];
      if (value === undefined) return { yaml: base.yaml, path };
      const isValue = rest[0] === 'default' && !isMap(value);
      return { yaml: own.yaml, path: isValue ? ['settings', second] : path };
    }
    if (typeof first === 'string' && (MERGED as readonly string[]).includes(first)) {
      const isOwn = second === undefined || holdsName(own.raw[first], second);
      return { yaml: isOwn && own.raw[first] !== undefined ? own.yaml : base.yaml, path };
    }
    const isOwn = typeof first !== 'string' || own.raw[first] !== undefined;
    return { yaml: isOwn ? own.yaml : base.yaml, path };
  };
  const valued = new Set([...base.valued, ...settings.valued]);
  return { yaml: placedYaml(own.yaml, merged, origin), raw: merged, valued };
}

/** A value whose parts come from several files. */
function placedYaml(
  own: YamlFile,
  value: unknown,
  origin: (path: YamlPath) => { yaml: YamlFile; path: YamlPath },
): YamlFile {
  const ask = <Result>(path: YamlPath, question: (yaml: YamlFile, path: YamlPath) => Result) => {
    const from = origin(path);
    return question(from.yaml, from.path);
  };
  return {
    file: own.file,
    text: own.text,
    value,
    isCheckedAlready: true,
    locate: (path) => ask(path, (yaml, at) => yaml.locate(at)),
    locateKey: (path) => ask(path, (yaml, at) => yaml.locateKey(at)),
    locateInside: (path, offset) => ask(path, (yaml, at) => yaml.locateInside(at, offset)),
    lengthOf: (path) => ask(path, (yaml, at) => yaml.lengthOf(at)),
  };
}

interface PlacedRule {
  readonly rule: unknown;
  readonly yaml: YamlFile;
  readonly index: number;
}

/** Own rules come first; one with the id of an extended rule takes its place. */
function mergeRules(
  own: Layer,
  base: Layer,
  ownRules: readonly unknown[],
  findings: Findings,
): readonly PlacedRule[] {
  const ids = base.raw.rules.map((rule) => String(rule?.['id'] ?? ''));
  const without = new Set<string>();
  for (const [index, id] of ((own.raw['without'] ?? []) as readonly string[]).entries()) {
    without.add(id);
    if (ids.includes(id)) continue;
    const message = `the extended file has no rule "${id}"${didYouMean(id, ids)}`;
    const location = own.yaml.locate(['without', index]);
    findings.error('RULES_EXTENDS', message, { location, length: id.length });
  }
  const placed = ownRules.map((rule, index) => ({ rule, yaml: own.yaml, index }));
  const idOf = ({ rule }: PlacedRule): string => String((rule as Section | null)?.['id'] ?? '');
  const replacing = new Map(placed.map((entry) => [idOf(entry), entry]));
  const rest = base.raw.rules.flatMap((rule, index) => {
    const id = ids[index] ?? '';
    if (without.has(id)) return [];
    // A rule of a merged file lies where its own file has it.
    return [replacing.get(id) ?? { rule, yaml: base.yaml, index }];
  });
  return [...placed.filter((entry) => !ids.includes(idOf(entry))), ...rest];
}

/** Values join the declarations of the extended file; further declarations are for own rules. */
function mergeSettings(
  own: Layer,
  base: Layer,
  findings: Findings,
): { declared: Section; let: Section; valued: readonly string[] } {
  const declared: Record<string, unknown> = { ...section(base.raw, 'settings') };
  const names = Object.keys(declared);
  const valued: string[] = [];
  const set = (name: string, value: JsonValue): void => {
    declared[name] = { ...(declared[name] as Section), default: value };
    valued.push(name);
  };
  for (const [name, value] of Object.entries(section(own.raw, 'settings'))) {
    if (isMap(value)) {
      declared[name] = names.includes(name) ? { ...(declared[name] as Section), ...value } : value;
      continue;
    }
    if (names.includes(name)) {
      set(name, value as JsonValue);
      continue;
    }
    const location = own.yaml.locateKey(['settings', name]);
    const message = `there is no setting "${name}"${didYouMean(name, names)}`;
    const hint = `The settings are ${names.join(', ')}.`;
    findings.error('SETTING_UNKNOWN', message, { location, length: name.length, hint });
  }
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(section(own.raw, 'let'))) {
    const isFormula = typeof value === 'string' && value.startsWith('=');
    if (!names.includes(name) || isFormula || isMap(value)) {
      kept[name] = value;
      continue;
    }
    set(name, value as JsonValue);
    const location = own.yaml.locateKey(['let', name]);
    const hint = `Write \`settings: { ${name}: ${String(value)} }\`, or let \`keywright check --fix\` do it.`;
    const message = `"${name}" is a setting now, not a name of \`let\``;
    findings.warning('SETTING_IN_LET', message, { location, length: name.length, hint });
  }
  return { declared, let: kept, valued };
}

function envMap(env: unknown): Section {
  if (Array.isArray(env)) return Object.fromEntries(env.map((name) => [String(name), null]));
  return isMap(env) ? env : {};
}

function holdsName(container: unknown, name: string | number): boolean {
  if (Array.isArray(container)) return container.includes(name);
  return isMap(container) && name in container;
}

function section(raw: CheckedFile, name: string): Section {
  const value = raw[name];
  return isMap(value) ? value : {};
}

export function isMap(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
