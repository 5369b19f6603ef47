// Findings as text for people, as JSON for programs, or as annotations of GitHub Actions. Takes findings, writes
// them to stdout. Which of them there are is the engine's.

import type { Diagnostic } from '../../core/model.ts';
import { formatDiagnostic } from '../../engine/diagnostics/findings.ts';
import type { Terminal } from '../command.ts';
import { paintFor } from './terminal-text.ts';

export const FORMATS = ['text', 'json', 'github'] as const;
export type Format = (typeof FORMATS)[number];

export function writeFindings(
  findings: readonly Diagnostic[],
  format: Format,
  textOf: (file: string) => string | undefined,
  terminal: Terminal,
): void {
  switch (format) {
    case 'json':
      terminal.writeOut(`${JSON.stringify(findings.map(toJson), null, 2)}\n`);
      break;
    case 'github':
      for (const finding of findings) terminal.writeOut(`${toAnnotation(finding)}\n`);
      break;
    case 'text': {
      const paint = paintFor(terminal);
      for (const finding of findings) {
        terminal.writeOut(`${formatDiagnostic(finding, textOf, paint)}\n\n`);
      }
    }
  }
}

function toJson({ location, ...finding }: Diagnostic): object {
  return { ...finding, ...location };
}

/**
 * A workflow command (docs.github.com/actions/reference/workflow-commands, read 2026-11): what stands in it
 * is escaped, or it would end the command or begin another.
 */
function toAnnotation({ severity, location, length, code, message, hint }: Diagnostic): string {
  const { file, line, column } = location;
  const properties = {
    file,
    line: String(line),
    col: String(column),
    endColumn: String(column + length),
    title: code,
  };
  const written = Object.entries(properties).map(([name, value]) => `${name}=${property(value)}`);
  const text = hint === undefined ? message : `${message}\nHint: ${hint}`;
  return `::${severity} ${written.join(',')}::${data(text)}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
