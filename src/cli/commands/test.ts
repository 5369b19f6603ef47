// keywright test: runs rule tests. Reads test files, rule files and samples, runs on the sandbox; with
// --update it writes test files. Never reaches the network, and never waits.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runTests, type TestRun } from '../../authoring/rule-tests/run-files.ts';
import { testFilesAt } from '../../authoring/rule-tests/test-files.ts';
import { updateExpectations } from '../../authoring/rule-tests/update-expectations.ts';
import { rulesDirIn } from '../../config/rules-dir.ts';
import { AppError } from '../../core/error-codes.ts';
import { percentOf } from '../../engine/cases/coverage.ts';
import { formatDiagnostic } from '../../engine/diagnostics/findings.ts';
import { readRuleFiles } from '../../sources/rule-files.ts';
import {
  asUsageError,
  type Command,
  type ExitCode,
  type Terminal,
  usageError,
} from '../command.ts';
import { workAndWatch } from '../input/watch.ts';
import { paintFor } from '../output/terminal-text.ts';
import { junitText } from '../output/test-junit.ts';
import { coverageText, failuresText, runJson, summaryText } from '../output/test-report.ts';

const HELP = `keywright test [PATHS…] [--run PATTERN] [--coverage] [--update] [--watch] [--json]

Runs rule tests: files of cases in YAML, or all files of a folder (RULES_DIR/tests, or rules/tests,
when none is named). Each case has a Cryptlex and a time of its own. Nothing leaves the process.

  --run PATTERN           only the cases whose name holds it
  --rules DIR             where the rule files are (RULES_DIR, or rules/); a file of tests in a folder
                          "tests" is about the rules beside that folder, or names its own
  --coverage              which rules and conditions no case has shown
  --min-coverage PERCENT  fails when fewer rules or conditions are covered
  --update                writes what was seen into the expectations that differ
  --watch                 runs again after each change of a file
  --junit FILE            writes the result as JUnit XML, too
  --json                  the result for programs

Exit code 0: all cases passed; 1: a case failed, or nothing was run; 2: a file cannot be used.

Example:
  keywright test rules/tests/stripe.yaml --run renew --coverage
`;

export const testCommand: Command = {
  help: HELP,
  run: async (args, terminal) => {
    const options = parse(args, terminal);
    if (!options.watch) return runOnce(options, terminal);
    const paths = [...options.paths, options.rulesDir];
    await workAndWatch(
      async () => {
        terminal.writeError(`── ${new Date().toISOString().slice(11, 19)} ──\n`);
        await runOnce(options, terminal).catch((error: unknown) => tell(error, terminal));
      },
      () => paths,
    );
    return 0;
  },
};

/** While watching, a file that is gone for a moment ends nothing. */
function tell(error: unknown, terminal: Terminal): void {
  if (!(error instanceof AppError)) throw error;
  terminal.writeError(`error: ${error.message} [${error.code}]\n      = hint: ${error.hint}\n`);
}

interface Options {
  readonly paths: readonly string[];
  /** Whether the paths were named, and not the usual ones. */
  readonly isNamed: boolean;
  readonly rulesDir: string;
  readonly pattern: string | undefined;
  readonly coverage: boolean;
  readonly minCoverage: number | undefined;
  readonly update: boolean;
  readonly watch: boolean;
  readonly junit: string | undefined;
  readonly json: boolean;
}

function parse(args: readonly string[], terminal: Terminal): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        run: { type: 'string' },
        rules: { type: 'string' },
        coverage: { type: 'boolean', default: false },
        'min-coverage': { type: 'string' },
        update: { type: 'boolean', default: false },
        watch: { type: 'boolean', default: false },
        junit: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    const rulesDir = values.rules ?? rulesDirIn(terminal.env);
    const { run: pattern, coverage, update, watch, junit, json } = values;
    const minCoverage = percent(values['min-coverage']);
    const isNamed = positionals.length > 0;
    const paths = isNamed ? positionals : [join(rulesDir, 'tests')];
    return { paths, isNamed, rulesDir, pattern, coverage, minCoverage, update, watch, junit, json };
  } catch (error) {
    throw asUsageError(error, 'test');
  }
}

function percent(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d{1,3}$/.test(text) || value > 100) {
    throw usageError(`--min-coverage takes 0 to 100, not "${text}"`, 'test');
  }
  return value;
}

async function runOnce(options: Options, terminal: Terminal): Promise<ExitCode> {
  const paths = existing(options);
  const runOptions = {
    paths,
    pattern: options.pattern,
    rulesDir: options.rulesDir,
    // Of the usual tests all rules are meant; a file that no case is about is not covered at all.
    coveredRules:
      options.isNamed || paths.length === 0
        ? []
        : readRuleFiles(options.rulesDir).map(({ file }) => file),
  };
  let run = await runTests(runOptions);
  if (options.update && update(run, terminal)) run = await runTests(runOptions);
  report(run, options, terminal);
  if (options.junit !== undefined) writeJunit(options.junit, run);
  return verdict(run, options, terminal);
}

/** That the usual folder is not there is no error: then there are no tests. */
function existing({ paths, isNamed }: Options): readonly string[] {
  if (isNamed) return paths;
  try {
    return paths.filter((path) => testFilesAt(path).length > 0);
  } catch {
    return [];
  }
}

/** Whether a file was changed. */
function update(run: TestRun, terminal: Terminal): boolean {
  let changed = false;
  for (const file of run.files) {
    const results = run.results.filter(({ testCase }) => testCase.location.file === file);
    const before = run.texts.get(file) ?? '';
    const { text, written, left } = updateExpectations(before, results);
    if (written > 0) {
      writeFileSync(file, text);
      changed = true;
      const what = written === 1 ? 'expectation was' : 'expectations were';
      terminal.writeError(`${file}: ${written} ${what} written; read them before you trust them\n`);
    }
    for (const { label } of left) {
      terminal.writeError(`${file}: ${label} has to be written by hand\n`);
    }
  }
  return changed;
}

function writeJunit(path: string, run: TestRun): void {
  try {
    writeFileSync(path, junitText(run));
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new AppError('INPUT_UNREADABLE', `${path} cannot be written (${why})`);
  }
}

function report(run: TestRun, options: Options, terminal: Terminal): void {
  const withCoverage = options.coverage || options.minCoverage !== undefined;
  if (options.json) {
    terminal.writeOut(`${JSON.stringify(runJson(run, withCoverage), null, 2)}\n`);
    return;
  }
  const paint = paintFor(terminal);
  for (const finding of run.findings) {
    terminal.writeError(`${formatDiagnostic(finding, (file) => run.texts.get(file))}\n\n`);
  }
  terminal.writeOut(failuresText(run, paint));
  if (withCoverage) terminal.writeOut(coverageText(run.coverage, paint));
  terminal.writeOut(summaryText(run));
}

function verdict(run: TestRun, options: Options, terminal: Terminal): ExitCode {
  const { results, findings, coverage } = run;
  if (findings.length > 0) return 2;
  if (results.length === 0) {
    terminal.writeError(`${nothingRan(run, options)}\n`);
    return 1;
  }
  const { minCoverage } = options;
  const shares = [coverage.rules, coverage.conditions].map(percentOf);
  const isLow = minCoverage !== undefined && shares.some((share) => share < minCoverage);
  if (isLow) terminal.writeError(`Less is covered than the ${minCoverage} % that are asked for.\n`);
  return isLow || results.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

function nothingRan({ files, leftOut }: TestRun, { paths, pattern }: Options): string {
  if (leftOut > 0) return `Nothing was run: no case has "${pattern ?? ''}" in its name.`;
  const where = paths.join(', ');
  return files.length === 0
    ? `Nothing was run: there are no test files in ${where}.`
    : `Nothing was run: ${where} holds no cases.`;
}
