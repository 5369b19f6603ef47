// The parts of a Markdown page that can be tested: fences, links, anchors. Takes text, gives parts with
// their line. Knows just the Markdown that our own pages use.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = new URL('../../', import.meta.url).pathname;

export interface Page {
  /** Below the project's root: `docs/rules.md`. */
  readonly file: string;
  readonly text: string;
}

export interface Fence {
  readonly language: string;
  /** What stands behind the language: how a fragment is to be read, or a path. */
  readonly label: string;
  readonly text: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
}

/** README, CONTRIBUTING, CHANGELOG and everything under docs/. */
export function readPages(): readonly Page[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`);
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs].map((file) => ({
    file,
    text: readFileSync(join(ROOT, file), 'utf8'),
  }));
}

export function fencesOf(text: string): readonly Fence[] {
  const fences: Fence[] = [];
  let open: { language: string; label: string; line: number; body: string[] } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const mark = /^```\s*(\S*)\s*(.*)$/.exec(line);
    if (mark === null) {
      open?.body.push(line);
    } else if (open === undefined) {
      open = { language: mark[1] ?? '', label: (mark[2] ?? '').trim(), line: index + 1, body: [] };
    } else {
      const { body, ...rest } = open;
      fences.push({ ...rest, text: `${body.join('\n')}\n` });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`the fence of line ${open.line} is never closed`);
  return fences;
}

/** The text without its fences, so that nothing in an example is taken for prose. */
export function proseOf(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, '');
}

/** Targets of links: `rules.md#formulas`, `#limits`, `https://…`. */
export function linksOf(text: string): readonly string[] {
  return [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '');
}

/** The anchors that headings make on GitHub. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = [...proseOf(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set(anchors);
}
