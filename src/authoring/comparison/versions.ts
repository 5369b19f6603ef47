// A version of the rules. Takes a file, a folder or a place in the history of git; gives rule sets by source, or the
// texts of the findings. Reads files and runs `git show`; nothing else.

import { execFileSync } from 'node:child_process';
import { posix } from 'node:path';
import { ACTIONS } from '../../actions/definitions.ts';
import { AppError } from '../../core/error-codes.ts';
import type { WebhookEvent } from '../../core/model.ts';
import { formatDiagnostic } from '../../engine/diagnostics/findings.ts';
import type { RuleFileText } from '../../engine/load/effective.ts';
import { loadRuleFile } from '../../engine/load/load.ts';
import type { RuleSet } from '../../engine/rules/rule-set.ts';
import { headerOf } from '../../sources/header.ts';
import { readRuleFiles } from '../../sources/rule-files.ts';
import { withShipped } from '../../sources/shipped-rules.ts';

export interface RulesVersion {
  /** As the user wrote it. */
  readonly name: string;
  readonly ruleSets: readonly RuleSet[];
  /** One file: it is about all events of its provider, whatever the file is called. */
  readonly isSingleFile: boolean;
}

/** Texts of rule files, enough to load them again in another thread. */
export interface RulesTexts {
  readonly name: string;
  readonly isSingleFile: boolean;
  readonly files: readonly {
    readonly file: string;
    readonly text: string;
    readonly beside: Readonly<Record<string, string>>;
  }[];
}

const GIT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * @returns the version, and findings as they are printed; without a version when one is an error
 * @throws RULES_UNREADABLE
 */
export function loadVersion(name: string): {
  version: RulesVersion | undefined;
  findings: readonly string[];
} {
  const files = name.startsWith('git:') ? readGitFiles(name) : readRuleFiles(name);
  if (files.length === 0) throw new AppError('RULES_UNREADABLE', `${name} holds no rule file`);
  const isSingleFile = /\.ya?ml$/.test(name);
  const loaded = files.map((input) => {
    const known = isSingleFile ? asMainSource(input) : input;
    return { input, known, ...loadRuleFile(known, ACTIONS) };
  });
  const findings = loaded.flatMap(({ input, known, diagnostics, textOf }) =>
    diagnostics.map(({ location, ...finding }) => {
      const file = location.file === known.file ? input.file : location.file;
      const shown = { ...finding, location: { ...location, file } };
      return formatDiagnostic(shown, (of) => textOf(of === input.file ? known.file : of));
    }),
  );
  const ruleSets = loaded.flatMap(({ ruleSet }) => ruleSet ?? []);
  const version = ruleSets.length === files.length ? { name, ruleSets, isSingleFile } : undefined;
  return { version, findings };
}

/** A file that is compared by itself may be called `old.yaml`; it is read as the provider's own. */
function asMainSource(input: RuleFileText): RuleFileText {
  const { provider } = headerOf(input);
  return provider === undefined
    ? input
    : { ...input, file: input.file.replace(/[^/\\]*$/, `${provider}.yaml`) };
}

/** The rules that are asked about an event. */
export function ruleSetFor(
  { ruleSets, isSingleFile }: RulesVersion,
  event: WebhookEvent,
): RuleSet | undefined {
  if (isSingleFile) return ruleSets.find(({ provider }) => provider === event.provider);
  return ruleSets.find(({ source }) => source === event.source);
}

export function textsOf({ name, isSingleFile, ruleSets }: RulesVersion): RulesTexts {
  return {
    name,
    isSingleFile,
    files: ruleSets.map(({ file, text, beside }) => ({ file, text, beside })),
  };
}

/** The version again, in another thread; its texts loaded once already. */
export function versionOfTexts({ name, isSingleFile, files }: RulesTexts): RulesVersion {
  const ruleSets = files.map(({ file, text, beside }) => {
    const input = { file, text, readBeside: (beside_: string) => beside[beside_] };
    const { ruleSet } = loadRuleFile(input, ACTIONS);
    // It was loaded before; without it, its events would seem to have no rules.
    if (ruleSet === undefined) throw new AppError('INTERNAL', `${file} cannot be loaded again`);
    return ruleSet;
  });
  return { name, isSingleFile, ruleSets };
}

/** `git:REVISION:PATH`, of a file or a folder; paths count from the current folder, as git's `./` does. */
function readGitFiles(name: string): readonly RuleFileText[] {
  const [, revision = '', path = ''] = /^git:([^:]+):(.+)$/.exec(name) ?? [];
  if (revision === '' || revision.startsWith('-')) {
    throw new AppError('RULES_UNREADABLE', `${name} is not written like git:main:rules`);
  }
  const folder = path.replace(/\/+$/, '');
  const files = /\.ya?ml$/.test(folder)
    ? [folder]
    : git(name, ['ls-tree', '--name-only', revision, `./${folder}/`])
        .split('\n')
        .filter((file) => /\.ya?ml$/.test(file));
  return files.map((file) => ({
    file,
    text: git(name, ['show', `${revision}:./${file}`]),
    readBeside: withShipped((beside) => {
      try {
        return git(name, ['show', `${revision}:./${posix.join(posix.dirname(file), beside)}`]);
      } catch {
        return undefined;
      }
    }),
  }));
}

/** No shell: a revision is an argument, whatever is in it. */
function git(name: string, args: readonly string[]): string {
  try {
    return execFileSync('git', [...args], {
      encoding: 'utf8',
      maxBuffer: GIT_BYTES_MAX,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    const told = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    const why = told.split('\n')[0] || 'is git installed?';
    throw new AppError('RULES_UNREADABLE', `${name} cannot be read: ${why}`, { cause: error });
  }
}
