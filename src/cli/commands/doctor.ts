// keywright doctor: a checklist of all that serving needs. Reads the same environment as serve, changes
// nothing, and can run beside a server.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { examine } from '../../doctor/doctor.ts';
import type { Finding, Verdict } from '../../doctor/finding.ts';
import { asUsageError, type Command } from '../command.ts';

const HELP = `keywright doctor [--json]

Looks at everything that serving needs: Node, environment, rules, secrets, clock, Cryptlex (token, scopes,
products, templates), database, disk, the last events. Says what to do where it is not well.
It changes nothing, and may run beside a server. Exit code 0: all is well; 1: there are findings.

  --json    the checklist as a JSON array for programs: check, verdict, message, remedy

Example:
  keywright doctor
`;

const MARKS: Readonly<Record<Verdict, string>> = {
  ok: '✓',
  warning: '!',
  problem: '✗',
  skipped: '-',
};

export const doctorCommand: Command = {
  help: HELP,
  run: async (args, terminal) => {
    const json = parse(args);
    const findings = await examine({
      env: terminal.env,
      readFile: (path) => readFileSync(path, 'utf8'),
      nodeVersion: process.versions.node,
    });
    const bad = findings.filter(({ verdict }) => verdict === 'problem' || verdict === 'warning');
    if (json) terminal.writeOut(`${JSON.stringify(findings, null, 2)}\n`);
    else {
      for (const finding of findings) terminal.writeOut(textOf(finding));
      terminal.writeError(`${findings.length} checks: ${countOf(bad)}\n`);
    }
    return bad.length === 0 ? 0 : 1;
  },
};

function parse(args: readonly string[]): boolean {
  try {
    const options = { json: { type: 'boolean', default: false } } as const;
    return parseArgs({ args: [...args], options }).values.json;
  } catch (error) {
    throw asUsageError(error, 'doctor');
  }
}

function textOf({ check, verdict, message, remedy }: Finding): string {
  const line = `${MARKS[verdict]} ${check}: ${message}\n`;
  return remedy === undefined ? line : `${line}    → ${remedy}\n`;
}

function countOf(bad: readonly Finding[]): string {
  if (bad.length === 0) return 'all is well';
  const problems = bad.filter(({ verdict }) => verdict === 'problem').length;
  const warnings = bad.length - problems;
  return [
    problems === 0 ? '' : `${problems} ${problems === 1 ? 'problem' : 'problems'}`,
    warnings === 0 ? '' : `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}
