// Collects the findings of a user's files, all of them, and writes them for people.
// Takes codes, messages and places; gives Diagnostic[] and text. Never decides what is wrong.

import { type AppErrorCode, registryEntry } from '../../core/error-codes.ts';
import type { Diagnostic, SourceLocation } from '../../core/model.ts';
import { hideSecrets } from './pasted-secrets.ts';

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

  /** How many there are, for whoever asks whether a part brought some. */
  get count(): number {
    return this.#items.length;
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

/** Writes a piece of a text in a colour, or as it is. */
type Paint = (colour: 'bold' | 'dim' | 'red' | 'yellow' | 'cyan', text: string) => string;

/** Longer source lines are shown around the caret only. */
const SHOWN_MAX = 160;
const SHOWN_BEFORE = 60;

/**
 * One finding as people read it: `FILE:LINE:COL: severity: message [CODE]`, the source line, a
 * caret, a hint. `textOf` gives the text of a file, or undefined when it could not be read.
 */
export function formatDiagnostic(
  diagnostic: Diagnostic,
  textOf: (file: string) => string | undefined,
  paint: Paint = (_colour, text) => text,
): string {
  const { location, severity, message, code, hint } = diagnostic;
  const colour = severity === 'error' ? 'red' : 'yellow';
  const place = paint('bold', formatLocation(location));
  const lines = [
    `${place}: ${paint(colour, `${severity}:`)} ${message} ${paint('dim', `[${code}]`)}`,
  ];
  const text = textOf(location.file);
  const source = text === undefined ? undefined : lineOf(text, location.line);
  if (source !== undefined) {
    const { shown, column } = window(source, location.column);
    const number = paint('dim', `${String(location.line).padStart(5)} |`);
    const before = shown.slice(0, column - 1).replaceAll(/[^\t]/g, ' ');
    const room = Math.max(1, shown.length - column + 1);
    const caret = '^'.repeat(Math.min(diagnostic.length, room));
    lines.push(`${number} ${shown}`);
    lines.push(`${paint('dim', '      |')} ${before}${paint(colour, caret)}`);
  }
  if (hint !== undefined) lines.push(`      = ${paint('cyan', 'hint:')} ${hint}`);
  return lines.join('\n');
}

/** The text whose lines were asked for last: findings come file by file. */
let cut: { readonly text: string; readonly lines: readonly string[] } | undefined;

function lineOf(text: string, line: number): string | undefined {
  if (cut?.text !== text) cut = { text, lines: text.split(/\r?\n/) };
  return cut.lines[line - 1];
}

/** The part of a line that is shown, and the column of the finding in it. */
function window(source: string, column: number): { shown: string; column: number } {
  // A finding must not carry a secret into the log of a build.
  const safe = hideSecrets(source);
  if (safe.length <= SHOWN_MAX) return { shown: safe, column };
  const start = Math.max(0, Math.min(column - 1 - SHOWN_BEFORE, safe.length - SHOWN_MAX));
  const before = start > 0 ? '…' : '';
  const after = start + SHOWN_MAX < safe.length ? '…' : '';
  const shown = `${before}${safe.slice(start, start + SHOWN_MAX)}${after}`;
  return { shown, column: column - start + before.length };
}
