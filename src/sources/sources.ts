// From rule files and secrets to sources: which providers are on, by which rules, with which verifier.
// Takes texts and the environment, gives sources or every problem at once. Nothing is ever found out by
// the first webhook.

import { parseDocument } from 'yaml';
import type { Environment } from '../config/environment.ts';
import { registryEntry } from '../core/error-codes.ts';
import type { ActionCatalog, Problem, Provider } from '../core/model.ts';
import { mainSecretName, PROVIDERS } from '../core/model.ts';
import type { Secret } from '../core/secret.ts';
import { formatDiagnostic, formatLocation } from '../engine/diagnostics/findings.ts';
import { loadRuleFile, type RuleFileText } from '../engine/load/load.ts';
import type { RuleSet } from '../engine/rules/rule-set.ts';

/** A source that is on. */
export interface Source {
  readonly name: string;
  readonly ruleSet: RuleSet;
  readonly secrets: readonly Secret[];
}

/** A rule file whose secret is not set. */
export interface SourceThatIsOff {
  readonly name: string;
  readonly provider: Provider;
  /** The variable that switches it on. */
  readonly secretName: string;
  /** The further address that it claims. */
  readonly path: string | undefined;
}

export interface LoadedSources {
  readonly sources: readonly Source[];
  readonly off: readonly SourceThatIsOff[];
  /** The values of the variables that rules may read. */
  readonly env: Readonly<Record<string, string>>;
  /** Findings and problems as they are printed, one entry each. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** What a file says of itself, read before anything else is checked. */
interface Header {
  readonly secret: unknown;
  readonly provider: unknown;
}

const headers = new WeakMap<RuleFileText, Header>();

/** Whether a file may say whose secret it takes; one with a common name mostly does not. */
const MAY_NAME_SECRET = /\bsecret["']?\s*:/;

/** Asked several times for each file; reading all of its YAML takes a good part of a start. */
function headerOf(input: RuleFileText): Header {
  const known = headers.get(input);
  if (known !== undefined) return known;
  const source = sourceNameOf(input.file);
  if (isProvider(source) && !MAY_NAME_SECRET.test(input.text)) {
    return { secret: undefined, provider: source };
  }
  const document = parseDocument(input.text, { logLevel: 'silent' });
  const header = { secret: document.get('secret'), provider: document.get('provider') };
  headers.set(input, header);
  return header;
}

/** The variable that holds a file's signing secret. */
export function secretNameOf(input: RuleFileText): string | undefined {
  const { secret, provider: said } = headerOf(input);
  if (typeof secret === 'string') return secret;
  const source = sourceNameOf(input.file);
  const provider = isProvider(source) ? source : said;
  return isProvider(provider) ? mainSecretName(provider) : undefined;
}

function providerOf(input: RuleFileText): Provider | undefined {
  const { provider } = headerOf(input);
  return isProvider(provider) ? provider : undefined;
}

/** Whether a file may claim an address of its own; most do not. */
const MAY_NAME_PATH = /\bpath["']?\s*:/;

/** As the schema has it; what is none belongs to nobody. */
function pathOf({ text }: RuleFileText): string | undefined {
  if (!MAY_NAME_PATH.test(text)) return undefined;
  const path: unknown = parseDocument(text, { logLevel: 'silent' }).get('path');
  return typeof path === 'string' && /^\/[A-Za-z0-9/_-]+$/.test(path) ? path : undefined;
}

function isProvider(name: unknown): name is Provider {
  return (PROVIDERS as readonly unknown[]).includes(name);
}

function sourceNameOf(file: string): string {
  return file.replace(/^.*[\\/]/, '').replace(/\.ya?ml$/, '');
}

/** Loads the rules of the sources whose secret is set, and reads the variables they ask for. */
export function loadSources(
  files: readonly RuleFileText[],
  secrets: ReadonlyMap<string, readonly Secret[]>,
  environment: Environment,
  actions: ActionCatalog,
): LoadedSources {
  const sources: Source[] = [];
  const off: SourceThatIsOff[] = [];
  const problems: string[] = [];
  const warnings: string[] = [];
  const env: Record<string, string> = {};
  for (const input of files) {
    const name = secretNameOf(input);
    const own = name === undefined ? [] : secrets.get(name);
    // Whether a file is on that does not even say its provider cannot be known, so it is read as well.
    if (own === undefined) {
      const provider = providerOf(input);
      const source = sourceNameOf(input.file);
      if (name !== undefined && provider !== undefined)
        off.push({ name: source, provider, secretName: name, path: pathOf(input) });
      continue;
    }
    const { ruleSet, diagnostics } = loadRuleFile(input, actions);
    for (const diagnostic of diagnostics) {
      const lines = formatDiagnostic(diagnostic, () => input.text);
      (diagnostic.severity === 'error' ? problems : warnings).push(lines);
    }
    if (ruleSet === undefined || name === undefined) continue;
    sources.push({ name: ruleSet.source, ruleSet, secrets: own });
    readEnv(ruleSet, environment, env, problems);
  }
  reportMissingFiles(files, secrets, problems);
  reportSharedPaths(sources, problems);
  reportSharedNames(files, problems);
  return { sources, off, env, problems, warnings };
}

function readEnv(
  ruleSet: RuleSet,
  environment: Environment,
  env: Record<string, string>,
  problems: string[],
): void {
  for (const { name, optional, location } of ruleSet.env) {
    const value = environment.resolveEnv(name);
    if (value !== undefined) env[name] = value;
    // A blank one is reported by the environment itself.
    else if (!optional && !environment.isSet(name)) {
      const hint = registryEntry('ENV_MISSING').hint;
      problems.push(
        `${formatLocation(location)}: error: ${name} is not set [ENV_MISSING]\n      = hint: ${hint}`,
      );
    }
  }
}

/** A secret without rules would answer every webhook with an error. */
function reportMissingFiles(
  files: readonly RuleFileText[],
  secrets: ReadonlyMap<string, unknown>,
  problems: string[],
): void {
  const wanted = new Set(files.map(secretNameOf));
  for (const name of secrets.keys()) {
    if (wanted.has(name)) continue;
    problems.push(`error: ${name} is set, but no rule file belongs to it [RULES_UNREADABLE]`);
  }
}

const OWN_PATHS = /^\/(?:v1|healthz|readyz|metrics|admin|billing|console|webhooks)(?:\/|$)/;

function reportSharedPaths(sources: readonly Source[], problems: string[]): void {
  const taken = new Map<string, string>();
  for (const { name, ruleSet } of sources) {
    const { path } = ruleSet.settings;
    if (path === undefined) continue;
    const rival = OWN_PATHS.test(path) ? 'Keywright itself' : taken.get(path);
    if (rival !== undefined) {
      problems.push(
        `${ruleSet.file}: error: the path ${path} belongs to ${rival} [RULE_NAME_TAKEN]`,
      );
    }
    taken.set(path, name);
  }
}

/** `stripe.yaml` beside `stripe.yml`: webhooks would go to one of them, and nobody could say to which. */
function reportSharedNames(files: readonly RuleFileText[], problems: string[]): void {
  const taken = new Map<string, string>();
  for (const { file } of files) {
    const name = sourceNameOf(file);
    const rival = taken.get(name);
    if (rival !== undefined) {
      problems.push(`${file}: error: the source ${name} is ${rival} already [RULE_NAME_TAKEN]`);
    }
    taken.set(name, file);
  }
}

/** A problem of the environment as it is printed. */
export function formatProblem({ code, message, hint }: Problem): string {
  return `error: ${message} [${code}]${hint === undefined ? '' : `\n      = hint: ${hint}`}`;
}
