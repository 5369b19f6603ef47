// From rule files and secrets to sources: which providers are on, by which rules, with which verifier.
// Takes texts and the environment, gives sources or every problem at once. Nothing is ever found out by
// the first webhook.

import type { Environment } from '../config/environment.ts';
import { registryEntry } from '../core/error-codes.ts';
import type { ActionCatalog, Problem } from '../core/model.ts';
import type { Provider } from '../core/providers.ts';
import type { Secret } from '../core/secret.ts';
import { formatDiagnostic, formatLocation } from '../engine/diagnostics/findings.ts';
import type { RuleFileText } from '../engine/load/effective.ts';
import { loadRuleFile } from '../engine/load/load.ts';
import type { RuleSet } from '../engine/rules/rule-set.ts';
import { headerOf, secretNameOf, sourceNameOf } from './header.ts';

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
      const { provider, path } = headerOf(input);
      const source = sourceNameOf(input.file);
      if (name !== undefined && provider !== undefined)
        off.push({ name: source, provider, secretName: name, path });
      continue;
    }
    const { ruleSet, diagnostics, textOf } = loadRuleFile(input, actions);
    for (const diagnostic of diagnostics) {
      const lines = formatDiagnostic(diagnostic, textOf);
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
