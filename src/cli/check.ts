// keywright check: every finding of every rule file at once. Reads files, never the network.

import { parseArgs } from 'node:util';
import { ACTIONS } from '../actions/definitions.ts';
import { formatDiagnostic } from '../engine/findings.ts';
import { loadRuleFile, type RuleFileText } from '../engine/load.ts';
import type { Diagnostic } from '../model.ts';
import { readRuleFiles } from '../rule-files.ts';
import { asUsageError, type Command } from './command.ts';

const HELP = `keywright check [RULES…] [--json]

Checks rule files, or all rule files of a directory (RULES_DIR, or rules/, when none is named).
Every finding of every file is told at once. Exit code 0: no findings; 1: findings; 2: unreadable.

  --json    findings as a JSON array for programs

Example:
  keywright check rules/stripe.yaml
`;

export const checkCommand: Command = {
  name: 'check',
  summary: 'checks rule files and tells every finding',
  help: HELP,
  run: async (args, terminal) => {
    const { paths, json } = parse(args);
    const named = paths.length > 0 ? paths : [terminal.env['RULES_DIR'] ?? 'rules'];
    const files = named.flatMap(readRuleFiles);
    const texts = new Map<string, string>();
    const findings: Diagnostic[] = [];
    for (const input of files) {
      const { diagnostics } = loadRuleFile(remember(input, texts), ACTIONS);
      findings.push(...diagnostics);
    }
    if (json) {
      terminal.writeOut(`${JSON.stringify(findings.map(toJson), null, 2)}\n`);
    } else {
      for (const finding of findings) {
        terminal.writeOut(`${formatDiagnostic(finding, (file) => texts.get(file))}\n\n`);
      }
      const count = findings.length === 0 ? 'no findings' : countOf(findings);
      terminal.writeError(
        `${files.length} rule ${files.length === 1 ? 'file' : 'files'}: ${count}\n`,
      );
    }
    return findings.length === 0 ? 0 : 1;
  },
};

function parse(args: readonly string[]): { paths: readonly string[]; json: boolean } {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    return { paths: positionals, json: values.json };
  } catch (error) {
    throw asUsageError(error, 'check');
  }
}

/** Findings are shown with their source line, also those of a catalog file. */
function remember(input: RuleFileText, texts: Map<string, string>): RuleFileText {
  texts.set(input.file, input.text);
  return {
    ...input,
    readBeside: (name) => {
      const text = input.readBeside(name);
      if (text !== undefined) texts.set(input.file.replace(/[^/]*$/, '') + name, text);
      return text;
    },
  };
}

function toJson({ location, ...finding }: Diagnostic): object {
  return { ...finding, ...location };
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
