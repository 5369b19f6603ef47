// One run of rule tests. Takes paths and a pattern, gives each case's result, what could not be run and
// what was covered. Reads files and runs on the sandbox; prints nothing.

import { ACTIONS } from '../../actions/definitions.ts';
import { AppError } from '../../core/error-codes.ts';
import type { Diagnostic, JsonObject } from '../../core/model.ts';
import type { Provider } from '../../core/providers.ts';
import { Coverage, type CoverageReport } from '../../engine/cases/coverage.ts';
import { loadTestFile, type TestCase, type TestFile } from '../../engine/cases/load-tests.ts';
import { loadRuleFile } from '../../engine/load/load.ts';
import type { RuleSet } from '../../engine/rules/rule-set.ts';
import { readRuleFiles } from '../../sources/rule-files.ts';
import { type CaseResult, runCase } from './run-case.ts';
import { eventReaderFor, readTestFile, ruleFileFor, shownPath, testFilesAt } from './test-files.ts';

export interface TestRunOptions {
  readonly paths: readonly string[];
  /** Cases whose name holds it, in any case; all where undefined. */
  readonly pattern: string | undefined;
  readonly rulesDir: string;
  /** Rule files that count for the coverage even where no case is about them. */
  readonly coveredRules: readonly string[];
}

export interface TestRun {
  readonly files: readonly string[];
  readonly results: readonly CaseResult[];
  /** How many cases the pattern left out. */
  readonly leftOut: number;
  /** What kept cases from being run: errors of test files and of rule files. */
  readonly findings: readonly Diagnostic[];
  readonly coverage: CoverageReport;
  /** The texts of files that findings may point into. */
  readonly texts: ReadonlyMap<string, string>;
  /** The rule files that were read. */
  readonly ruleFiles: readonly string[];
}

/** @throws TEST_UNREADABLE */
export async function runTests(options: TestRunOptions): Promise<TestRun> {
  const run = new Run(options);
  for (const file of new Set(options.paths.flatMap(testFilesAt))) await run.file(file);
  for (const file of options.coveredRules) run.rules(shownPath(file), {});
  return run.result();
}

class Run {
  readonly #options: TestRunOptions;
  readonly #files: string[] = [];
  readonly #results: CaseResult[] = [];
  readonly #findings = new Map<string, Diagnostic>();
  readonly #texts = new Map<string, string>();
  readonly #loaded = new Map<string, Loaded>();
  readonly #coverage = new Coverage();
  #leftOut = 0;

  constructor(options: TestRunOptions) {
    this.#options = options;
  }

  async file(path: string): Promise<void> {
    this.#files.push(path);
    const { text } = readTestFile(path);
    this.#texts.set(path, text);
    const { testFile, diagnostics } = loadTestFile(path, text, eventReaderFor(path));
    this.#report(diagnostics);
    for (const testCase of testFile?.cases ?? []) {
      if (testFile === undefined || !this.#isWanted(testCase)) this.#leftOut += 1;
      else await this.#case(testCase, testFile);
    }
  }

  #isWanted({ name }: TestCase): boolean {
    const { pattern } = this.#options;
    return pattern === undefined || name.toLowerCase().includes(pattern.toLowerCase());
  }

  async #case(testCase: TestCase, testFile: TestFile): Promise<void> {
    const ruleSets = new Map<Provider, RuleSet>();
    for (const { provider } of testCase.steps.flatMap(({ bodies }) => bodies)) {
      const ruleSet = this.#rulesFor(provider, testCase, testFile);
      if (ruleSet === undefined) return;
      ruleSets.set(provider, ruleSet);
    }
    const result = await runCase(testCase, {
      rulesOf: (provider) => {
        const ruleSet = ruleSets.get(provider);
        if (ruleSet === undefined) throw new AppError('SOURCE_UNKNOWN', `no rules of ${provider}`);
        return ruleSet;
      },
      observer: this.#coverage,
    });
    this.#report(result.findings);
    if (result.findings.length === 0) this.#results.push(result);
  }

  #rulesFor(provider: Provider, testCase: TestCase, { rules }: TestFile): RuleSet | undefined {
    const { yaml, path, settings } = testCase;
    const { rulesDir } = this.#options;
    const file = ruleFileFor(yaml.file, { rules, provider, rulesDir });
    const { ruleSet, diagnostics } = this.rules(file, {});
    if (ruleSet === undefined || Object.keys(settings).length === 0) return ruleSet;
    const changed = this.#load(file, settings);
    if (changed.ruleSet !== undefined) return changed.ruleSet;
    // The file is right by itself, so what is wrong now came with the settings.
    const location = yaml.locateKey([...path, 'settings']);
    const known = new Set(diagnostics.map(({ message }) => message));
    this.#report(
      changed.diagnostics
        .filter(({ message }) => !known.has(message))
        .map((finding) => ({ ...finding, location, length: 'settings'.length })),
    );
    return undefined;
  }

  /** A rule file as it stands; its errors are reported once. */
  rules(file: string, settings: JsonObject): Loaded {
    const loaded = this.#load(file, settings);
    this.#report(loaded.diagnostics);
    if (loaded.ruleSet !== undefined) this.#coverage.add(loaded.ruleSet);
    return loaded;
  }

  #load(file: string, settings: JsonObject): Loaded {
    const key = `${file} ${JSON.stringify(settings)}`;
    const known = this.#loaded.get(key);
    if (known !== undefined) return known;
    const loaded = loadRules(file, settings, this.#texts);
    this.#loaded.set(key, loaded);
    return loaded;
  }

  #report(diagnostics: readonly Diagnostic[]): void {
    for (const finding of diagnostics) {
      if (finding.severity !== 'error') continue;
      const { file, line, column } = finding.location;
      this.#findings.set(`${file}:${line}:${column} ${finding.message}`, finding);
    }
  }

  result(): TestRun {
    return {
      files: this.#files,
      results: this.#results,
      leftOut: this.#leftOut,
      findings: [...this.#findings.values()],
      coverage: this.#coverage.report(),
      texts: this.#texts,
      ruleFiles: [...new Set([...this.#loaded.keys()].map((key) => key.replace(/ \{.*$/s, '')))],
    };
  }
}

interface Loaded {
  readonly ruleSet: RuleSet | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** A rule file that cannot be read is a finding like any other: the tests of other files still run. */
function loadRules(file: string, settings: JsonObject, texts: Map<string, string>): Loaded {
  try {
    const [input] = readRuleFiles(file);
    if (input === undefined) return { ruleSet: undefined, diagnostics: [] };
    texts.set(file, input.text);
    const loaded = loadRuleFile(input, ACTIONS, { settings });
    for (const { location } of loaded.diagnostics) {
      texts.set(location.file, loaded.textOf(location.file) ?? '');
    }
    return loaded;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, hint } = error;
    const location = { file, line: 1, column: 1 };
    const finding = { code, message, hint, location, severity: 'error', length: 1 } as const;
    return { ruleSet: undefined, diagnostics: [finding] };
  }
}
