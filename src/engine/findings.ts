// Collects the findings of a user's files, all of them, and writes them for people.
// Takes codes, messages and places; gives Diagnostic[] and text. Never decides what is wrong.

import { type AppErrorCode, registryEntry } from '../errors.ts';
import type { Diagnostic, SourceLocation } from '../model.ts';
import { hideSecrets } from './secrets.ts';

interface FindingOptions {
  readonly location: SourceLocation;
  /** How many characters the caret covers; 1 when left out. */
  readonly length?: number;
  /** Overrides the hint of the registry. */
  readonly hint?: string;
}

/** A bag of findings. The same finding at the same place is kept once. */
export class Findings {
  #items: Diagnostic[] = [];
  readonly #seen = new Set<string>();

  error(code: AppErrorCode, message: string, options: FindingOptions): void {
    this.#add('error', code, message, options);
  }

  warning(code: AppErrorCode, message: string, options: FindingOptions): void {
    this.#add('warning', code, message, options);
  }

  hasErrors(): boolean {
    return this.#items.some((item) => item.severity === 'error');
  }

  /** Warnings that would only guess in a file with errors: what is wrong may have used the name. */
  dropGuesses(): void {
    if (!this.hasErrors()) return;
    const guesses: readonly AppErrorCode[] = [
      'RULE_LET_UNUSED',
      'RULE_UNREACHABLE',
      'RULE_REST_UNSAID',
    ];
    this.#items = this.#items.filter(({ code }) => !guesses.includes(code));
  }

  /** In the order in which they stand in the files. */
  list(): readonly Diagnostic[] {
    return this.#items.toSorted(
      (a, b) =>
        a.location.file.localeCompare(b.location.file) ||
        a.location.line - b.location.line ||
        a.location.column - b.location.column,
    );
  }

  #add(
    severity: 'error' | 'warning',
    code: AppErrorCode,
    message: string,
    options: FindingOptions,
  ): void {
    const { location, length = 1, hint = registryEntry(code).hint } = options;
    const key = `${code} ${formatLocation(location)} ${message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#items.push({ code, severity, message, hint, location, length });
  }
}

/** `file:line:column` */
export function formatLocation(location: SourceLocation): string {
  return `${location.file}:${location.line}:${location.column}`;
}

/**
 * One finding as people read it: `FILE:LINE:COL: severity: message [CODE]`, the source line, a
 * caret, a hint. `textOf` gives the text of a file, or undefined when it could not be read.
 */
export function formatDiagnostic(
  diagnostic: Diagnostic,
  textOf: (file: string) => string | undefined,
): string {
  const { location, severity, message, code, hint } = diagnostic;
  const lines = [`${formatLocation(location)}: ${severity}: ${message} [${code}]`];
  const source = textOf(location.file)?.split(/\r?\n/)[location.line - 1];
  if (source !== undefined) {
    const number = String(location.line).padStart(5);
    const before = source.slice(0, location.column - 1).replaceAll(/[^\t]/g, ' ');
    const room = Math.max(1, source.length - location.column + 1);
    // A finding must not carry a secret into the log of a build.
    lines.push(`${number} | ${hideSecrets(source)}`);
    lines.push(`      | ${before}${'^'.repeat(Math.min(diagnostic.length, room))}`);
  }
  if (hint !== undefined) lines.push(`      = hint: ${hint}`);
  return lines.join('\n');
}
