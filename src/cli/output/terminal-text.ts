// How colours and tables look in what commands print. Takes texts, gives lines.
// Colours are used only where a person watches and has not asked for none (https://no-color.org).

import type { Terminal } from '../command.ts';

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Paint = (colour: keyof typeof COLOURS, text: string) => string;

/** Writes text in a colour, or as it is. */
export function paintFor({ isTty, env }: Pick<Terminal, 'isTty' | 'env'>): Paint {
  const plain = !isTty || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return (name, text) => (plain ? text : `\u001b[${COLOURS[name]}m${text}\u001b[0m`);
}

/** Rows under a head, each column as wide as its widest cell. */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const widths = head.map((title, column) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => padded(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)];
}

/** Signs that a terminal shows twice as wide: those of Chinese, Japanese and Korean. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/g;

/** How many columns a text takes. */
export function widthOf(text: string): number {
  return text.length + (text.match(WIDE)?.length ?? 0);
}

/** The text with blanks behind it, up to that many columns. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** A title with indented lines; nothing where there are none. */
export function section(title: string, lines: readonly string[], paint: Paint): readonly string[] {
  return lines.length === 0 ? [] : [paint('bold', title), ...lines.map((line) => `  ${line}`)];
}
