// Warnings that the author has looked at: `# keywright: ignore CODE` at the end of a line, or on a line of its
// own above it, keeps them from being told. Takes findings and the text of a file; gives the others. Errors are
// always told.

import type { Diagnostic } from '../model.ts';

const DIRECTIVE = /(?:^|\s)#\s*keywright:\s*ignore\s+([A-Z_]+(?:\s*,\s*[A-Z_]+)*)/;
/** A line after which a block of text begins: no comment can stand in one. */
const BLOCK_HEADER = /[|>][-+\d]*(?:\s+#.*)?$/;

/** The findings but for the warnings that a comment in this file takes back. */
export function withoutIgnored(
  diagnostics: readonly Diagnostic[],
  { file, text }: { readonly file: string; readonly text: string },
): readonly Diagnostic[] {
  if (!text.includes('keywright:')) return diagnostics;
  const lines = text.split(/\r?\n/);
  return diagnostics.filter(({ severity, code, location }) => {
    if (severity === 'error' || location.file !== file) return true;
    return !codesFor(lines, location.line - 1).includes(code);
  });
}

function codesFor(lines: readonly string[], at: number): readonly string[] {
  const codes = [...codesOn(lines[at])];
  const header = blockHeaderAbove(lines, at);
  if (header !== undefined) codes.push(...codesOn(lines[header]));
  for (
    let line = (header ?? at) - 1;
    lines[line]?.trimStart().startsWith('#') === true;
    line -= 1
  ) {
    codes.push(...codesOn(lines[line]));
  }
  return codes;
}

function codesOn(line: string | undefined): readonly string[] {
  return DIRECTIVE.exec(line ?? '')?.[1]?.split(/\s*,\s*/) ?? [];
}

function blockHeaderAbove(lines: readonly string[], at: number): number | undefined {
  const indent = indentOf(lines[at]);
  for (let line = at - 1; line >= 0; line -= 1) {
    if (lines[line]?.trim() === '' || indentOf(lines[line]) >= indent) continue;
    return BLOCK_HEADER.test(lines[line] ?? '') ? line : undefined;
  }
  return undefined;
}

function indentOf(line: string | undefined): number {
  return /^\s*/.exec(line ?? '')?.[0].length ?? 0;
}
