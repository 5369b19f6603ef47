// From the text of a rule file to a RuleSet. Takes texts, gives a RuleSet or all findings at once.
// Pure: files are read by whoever calls, and an event never comes near.

import { createHash } from 'node:crypto';
import type { ActionCatalog, Diagnostic, JsonObject } from '../../core/model.ts';
import type { Provider } from '../../core/providers.ts';
import { Findings } from '../diagnostics/findings.ts';
import { withoutIgnored } from '../diagnostics/ignored.ts';
import { lintSecrets } from '../diagnostics/pasted-secrets.ts';
import type { YamlFile } from '../diagnostics/yaml.ts';
import type { Catalog } from '../expression/library.ts';
import { isSwitchedOff } from '../lint/disabled-rules.ts';
import { lintRuleSet } from '../lint/lint.ts';
import type { EnvName, Formula, NameTable, Rule, RuleSet } from '../rules/rule-set.ts';
import { catalogOf, type EntryFields, placeIn, readCatalogFile, readEntries } from './catalog.ts';
import { compileNames } from './compile-names.ts';
import { compileRules } from './compile-rules.ts';
import { nameBeside, type RuleFileText, readEffective } from './effective.ts';
import { withOverrides } from './overrides.ts';
import { compileSettings, settingsTemplate } from './settings.ts';
import { readSourceSettings } from './source-settings.ts';
import { StaticScope } from './static-scope.ts';
import { compileTemplate, type TemplateContext } from './templates.ts';

export interface LoadedRules {
  /** Undefined when there are errors. */
  readonly ruleSet: RuleSet | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** The text of a file that a finding is in. */
  readonly textOf: (file: string) => string | undefined;
}

/**
 * A further look at a file that could be read; it sees what could be compiled, also where there are
 * errors. See inspect.ts.
 */
export type Inspection = (ruleSet: RuleSet, yaml: YamlFile, findings: Findings) => void;

interface LoadOptions {
  /** Members of the header and settings that a rule test wants different; those of `let` one by one. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  readonly inspect?: Inspection | undefined;
  /** Texts that were read before; those of known-texts.ts unless said otherwise. */
  readonly known?: ReadonlyMap<string, string> | undefined;
}

/** Loads one rule file; everything that is wrong with it is in `diagnostics`. */
export function loadRuleFile(
  input: RuleFileText,
  actions: ActionCatalog,
  options: LoadOptions = {},
): LoadedRules {
  const findings = new Findings();
  lintSecrets(input.file, input.text, findings);
  const texts = new Map([[input.file, input.text]]);
  const readBeside = (name: string): string | undefined => {
    const text = input.readBeside(name);
    if (text !== undefined) texts.set(nameBeside(input.file, name), text);
    return text;
  };
  const ruleSet = load({ ...input, readBeside }, actions, options, findings);
  let diagnostics = findings.list();
  for (const [file, text] of texts) diagnostics = withoutIgnored(diagnostics, { file, text });
  return {
    ruleSet: findings.hasErrors() ? undefined : ruleSet,
    diagnostics,
    textOf: (file) => texts.get(file),
  };
}

function load(
  input: RuleFileText,
  actions: ActionCatalog,
  { settings: overrides = {}, inspect, known }: LoadOptions,
  findings: Findings,
): RuleSet | undefined {
  const { file, text } = input;
  const read = readEffective(input, known, findings);
  if (read === undefined) return undefined;
  const effective = withOverrides(read, overrides, findings);
  if (effective === undefined) return undefined;
  const { yaml, raw } = effective;
  const provider = raw['provider'] as Provider;
  const beside: Record<string, string> = { ...effective.beside };
  const catalog = loadCatalog(raw, input, yaml, actions, beside, findings);
  const env = readEnv(raw['env'], yaml);
  const context = { yaml, provider, catalog, findings, actions };
  const scope = new StaticScope(env.map(({ name }) => name));
  const declared = compileSettings(effective, findings);
  scope.declare('settings', { kind: 'settings', members: declared.map(({ name }) => name) });
  const names = new Map(compileNames(raw['let'], ['let'], scope, context));
  if (declared.length > 0) {
    names.set('settings', settingsTemplate(declared, yaml.locate(['settings'])));
  }
  const subjects = compileSubjects(raw['subject'], scope, context);
  const rules = compileRules(raw.rules, ['rules'], scope, context);
  const source = file.replace(/^.*\//, '').replace(/\.ya?ml$/, '');
  const ruleSet: RuleSet = {
    source,
    file,
    text,
    beside,
    hash: createHash('sha256')
      .update([text, ...Object.values(beside)].join('\0'))
      .digest('hex'),
    provider,
    mode: (raw['mode'] ?? 'any') as RuleSet['mode'],
    unmatched: (raw['unmatched'] ?? 'reject') as RuleSet['unmatched'],
    env,
    catalog,
    subjects,
    names,
    declared,
    rules,
    ...byType(rules, names),
    typesByPayment: new Set(rules.flatMap((rule) => (findsPayment(rule) ? rule.types : []))),
    settings: readSourceSettings(raw, source, provider, yaml, findings),
  };
  lintRuleSet(ruleSet, yaml, findings);
  inspect?.(ruleSet, yaml, findings);
  findings.dropGuesses();
  return ruleSet;
}

function loadCatalog(
  raw: Readonly<Record<string, unknown>>,
  input: RuleFileText,
  yaml: YamlFile,
  actions: ActionCatalog,
  beside: Record<string, string>,
  findings: Findings,
): Catalog {
  const fields: EntryFields = actions['license.create']?.fields ?? {};
  const inline = readEntries(raw['catalog'], fields, placeIn(yaml, ['catalog']), findings);
  const name = raw['catalogFile'];
  if (typeof name !== 'string') return catalogOf(inline);
  const location = yaml.locate(['catalogFile']);
  const at = { location, length: name.length };
  const text = input.readBeside(name);
  if (text === undefined) {
    findings.error('RULES_UNREADABLE', `"${name}" cannot be read`, at);
    return catalogOf(new Map<string, JsonObject>());
  }
  beside[name] = text;
  const file = nameBeside(input.file, name);
  lintSecrets(file, text, findings);
  const further = readCatalogFile(file, text, fields, findings);
  for (const key of inline.keys()) {
    if (!further.has(key)) continue;
    const twice = { location: yaml.locateKey(['catalog', key]), length: key.length };
    findings.error('YAML_DUPLICATE_KEY', `"${key}" is in ${name} as well`, twice);
  }
  return catalogOf(new Map([...further, ...inline]));
}

function readEnv(value: unknown, yaml: YamlFile): readonly EnvName[] {
  if (Array.isArray(value)) {
    return value.map((name, index) => ({
      name: String(name),
      optional: false,
      location: yaml.locate(['env', index]),
    }));
  }
  return Object.entries((value ?? {}) as Record<string, { optional?: boolean } | null>).map(
    ([name, options]) => ({
      name,
      optional: options?.optional === true,
      location: yaml.locateKey(['env', name]),
    }),
  );
}

function compileSubjects(
  value: unknown,
  scope: StaticScope,
  context: TemplateContext,
): readonly Formula[] {
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return list.flatMap((item, index) => {
    const path = Array.isArray(value) ? ['subject', index] : ['subject'];
    const template = compileTemplate(item, path, scope, context);
    if (template?.kind === 'formula') return [template];
    if (template !== undefined) {
      const hint = 'A fixed subject would make all events wait for each other.';
      const location = context.yaml.locate(path);
      const options = { location, hint, length: context.yaml.lengthOf(path) };
      context.findings.error('RULE_WRONG_TYPE', 'a subject must be a formula', options);
    }
    return [];
  });
}

/** A type that only rules name which are switched off is named by none. */
function byType(
  rules: readonly Rule[],
  names: NameTable,
): Pick<RuleSet, 'rulesByType' | 'rulesSwitchedOff'> {
  const rulesByType = new Map<string, Rule[]>();
  const rulesSwitchedOff = new Map<string, Rule[]>();
  for (const rule of rules) {
    for (const type of new Set(rule.types)) {
      const list = rulesByType.get(type);
      if (list === undefined) rulesByType.set(type, [rule]);
      else list.push(rule);
    }
  }
  for (const [type, list] of rulesByType) {
    if (!list.every((rule) => isSwitchedOff(rule, names))) continue;
    rulesByType.delete(type);
    rulesSwitchedOff.set(type, list);
  }
  return { rulesByType, rulesSwitchedOff };
}

function findsPayment(rule: Rule): boolean {
  const steps = rule.effect.kind === 'do' ? rule.effect.steps : [];
  return steps.some((step) => {
    if (step.kind === 'loop') return step.rules.some(findsPayment);
    const find = step.fields.find(({ name }) => name === 'find')?.template;
    return find?.kind === 'map' && find.members.has('payment');
  });
}
