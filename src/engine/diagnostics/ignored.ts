// Warnings that the author has looked at: `# keywright: ignore CODE` at the end of a line, or on a line of its
// own above it, keeps them from being told. Takes findings and the text of a file; gives the others. Errors are
// always told.

import type { Diagnostic } from '../../core/model.ts';

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
  const headers = blockHeaders(lines);
  return diagnostics.filter(({ severity, code, location }) => {
    if (severity === 'error' || location.file !== file) return true;
    return !codesFor(lines, headers, location.line - 1).includes(code);
  });
}

function codesFor(
  lines: readonly string[],
  headers: ReadonlyMap<number, number>,
  at: number,
): readonly string[] {
  const header = headers.get(at) ?? at;
  const codes = [...codesOn(lines[at]), ...codesOn(lines[header])];
  for (let line = header - 1; lines[line]?.trimStart().startsWith('#') === true; line -= 1) {
    codes.push(...codesOn(lines[line]));
  }
  return codes;
}

function codesOn(line: string | undefined): readonly string[] {
  return DIRECTIVE.exec(line ?? '')?.[1]?.split(/\s*,\s*/) ?? [];
}

/** For each line inside a block of text, the line that begins the block. */
function blockHeaders(lines: readonly string[]): ReadonlyMap<number, number> {
  const headers = new Map<number, number>();
  let header: { readonly line: number; readonly indent: number } | undefined;
  for (const [line, text] of lines.entries()) {
    const indent = text.search(/\S/);
    if (header !== undefined && (indent === -1 || indent > header.indent)) {
      headers.set(line, header.line);
      continue;
    }
    header = BLOCK_HEADER.test(text) ? { line, indent } : undefined;
  }
  return headers;
}
