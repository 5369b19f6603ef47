// keywright check: every finding of every rule file at once. Reads files, never the network.

import { parseArgs } from 'node:util';
import { ACTIONS } from '../../actions/definitions.ts';
import { rulesDirIn } from '../../config/rules-dir.ts';
import { AppError } from '../../core/error-codes.ts';
import type { Diagnostic } from '../../core/model.ts';
import { createInspection, loadKnownShapes } from '../../engine/lint/inspect.ts';
import { type Inspection, loadRuleFile } from '../../engine/load/load.ts';
import { readRuleFiles } from '../../sources/rule-files.ts';
import {
  asUsageError,
  type Command,
  type ExitCode,
  type Terminal,
  usageError,
} from '../command.ts';
import { learnFrom } from '../input/check-samples.ts';
import { workAndWatch } from '../input/watch.ts';
import { FORMATS, type Format, writeFindings } from '../output/findings-report.ts';

const HELP = `keywright check [RULES…] [--samples DIR] [--format FORMAT | --json] [--watch]

Checks rule files, or all rule files of a directory (RULES_DIR, or rules/, when none is named).
Every finding of every file is told at once: mistakes in the YAML and in formulas, and what can be
known of the events: paths that no such event has, lists where one value is needed, kinds that never
agree. Exit code 0: no findings; 1: findings; 2: unreadable.

  --samples DIR     also learns from your own events: bodies of webhooks, as JSON files
  --format FORMAT   text (default), json, or github: annotations for GitHub Actions
  --json            findings as a JSON array for programs, as --format json
  --watch           checks again after each change of a file, until Ctrl-C

A warning that you have looked at is taken back by a comment behind the line, or above it:
  # keywright: ignore CODE

Example:
  keywright check rules/stripe.yaml
`;

export const checkCommand: Command = {
  help: HELP,
  run: async (args, terminal) => {
    const options = parse(args);
    const named = options.paths.length > 0 ? options.paths : [rulesDirIn(terminal.env)];
    const checkOnce = async (): Promise<CheckedFiles> => {
      const known = await loadKnownShapes();
      const shapes = options.samples === undefined ? known : learnFrom(options.samples, known);
      return checkFiles(named, createInspection(shapes, ACTIONS));
    };
    if (!options.watch) return report(await checkOnce(), options.format, terminal);
    return watchFiles(named, options, checkOnce, terminal);
  },
};

interface Options {
  readonly paths: readonly string[];
  readonly samples: string | undefined;
  readonly format: Format;
  readonly watch: boolean;
}

function parse(args: readonly string[]): Options {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        format: { type: 'string' },
        samples: { type: 'string' },
        watch: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    const name = values.format ?? (values.json ? 'json' : 'text');
    const format = FORMATS.find((known) => known === name);
    if (format === undefined || (values.json && format !== 'json')) {
      throw usageError(`--format takes one of ${FORMATS.join(', ')}, not "${name}"`, 'check');
    }
    const { samples, watch } = values;
    return { paths: positionals, samples, format, watch };
  } catch (error) {
    throw asUsageError(error, 'check');
  }
}

interface CheckedFiles {
  readonly findings: readonly Diagnostic[];
  readonly fileCount: number;
  /** The texts that were read, by the name under which findings speak of them. */
  readonly texts: ReadonlyMap<string, string>;
}

/** @throws RULES_UNREADABLE */
function checkFiles(named: readonly string[], inspect: Inspection): CheckedFiles {
  const texts = new Map<string, string>();
  const findings: Diagnostic[] = [];
  // A file that is named twice, by itself and by its folder, is one file.
  const files = new Map(named.flatMap(readRuleFiles).map((input) => [input.file, input]));
  for (const input of files.values()) {
    const { diagnostics, textOf } = loadRuleFile(input, ACTIONS, { inspect });
    texts.set(input.file, input.text);
    for (const { location } of diagnostics) texts.set(location.file, textOf(location.file) ?? '');
    // A table of a hundred thousand lines may have as many findings: too many for the arguments of a call.
    for (const finding of diagnostics) findings.push(finding);
  }
  return { findings, fileCount: files.size, texts };
}

function report(checked: CheckedFiles, format: Format, terminal: Terminal): ExitCode {
  const { findings, fileCount, texts } = checked;
  writeFindings(findings, format, (file) => texts.get(file), terminal);
  const files = `${fileCount} rule ${fileCount === 1 ? 'file' : 'files'}`;
  terminal.writeError(`${files}: ${findings.length === 0 ? 'no findings' : countOf(findings)}\n`);
  return findings.length === 0 ? 0 : 1;
}

/** Checks again whenever a file says something else; a file that is gone for a moment ends nothing. */
async function watchFiles(
  named: readonly string[],
  { format, samples }: Options,
  checkOnce: () => Promise<CheckedFiles>,
  terminal: Terminal,
): Promise<ExitCode> {
  let code: ExitCode = 0;
  let last: string | undefined;
  const work = async (): Promise<void> => {
    try {
      const checked = await checkOnce();
      // Editors touch more files than they change.
      const now = JSON.stringify([[...checked.texts], checked.findings]);
      if (now === last) return;
      if (last !== undefined) terminal.writeError('\n');
      last = now;
      code = report(checked, format, terminal);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (last === error.message) return;
      last = error.message;
      code = 2;
      terminal.writeError(`error: ${error.message} [${error.code}]\n`);
    }
    terminal.writeError('Watching for changes; Ctrl-C ends.\n');
  };
  await workAndWatch(work, () => (samples === undefined ? named : [...named, samples]));
  return code;
}

function countOf(findings: readonly Diagnostic[]): string {
  const errors = findings.filter((finding) => finding.severity === 'error').length;
  const warnings = findings.length - errors;
  const parts = [
    errors > 0 ? `${errors} ${errors === 1 ? 'error' : 'errors'}` : '',
    warnings > 0 ? `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}
