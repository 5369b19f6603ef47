// YAML text with its positions. Takes a file's name and text; gives plain values and, for each of
// them, the place where it stands. Refuses whatever YAML would read as something else than a person
// meant (docs/rules.md lists it). Never throws on a user's mistake: it reports findings.

import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
  type YAMLError,
} from 'yaml';
import type { AppErrorCode } from '../errors.ts';
import type { SourceLocation } from '../model.ts';
import type { Findings } from './findings.ts';

/** Where a value stands in its document: names and indexes from the root. */
export type YamlPath = readonly (string | number)[];

/** A document that was read without findings that forbid going on. */
export interface YamlFile {
  readonly file: string;
  readonly text: string;
  readonly value: unknown;
  /** Where the value at the path begins; the nearest parent's place when there is no such value. */
  locate(path: YamlPath): SourceLocation;
  /** Where the key of the value at the path begins. */
  locateKey(path: YamlPath): SourceLocation;
  /** The place of a character of a scalar's text: `offset` counts in the parsed text, from 0. */
  locateInside(path: YamlPath, offset: number): SourceLocation;
  /** How many characters the scalar takes in the source's first line of it. */
  lengthOf(path: YamlPath): number;
}

/** Reads one YAML 1.2 document. All problems go to `findings`; undefined when nothing can be read. */
export function readYaml(file: string, text: string, findings: Findings): YamlFile | undefined {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    strict: true,
    uniqueKeys: true,
    merge: false,
    prettyErrors: false,
    lineCounter,
  });
  const at = (offset: number): SourceLocation => {
    const { line, col } = lineCounter.linePos(Math.min(offset, text.length));
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  // A warning (an unknown tag, say) means that YAML read something else than was written.
  for (const error of [...document.errors, ...document.warnings]) {
    reportSyntax(error, at, text, findings);
  }
  if (document.errors.length > 0) return undefined;
  reportTraps(document, at, findings);
  return {
    file,
    text,
    value: document.toJS({ maxAliasCount: 100 }) as unknown,
    locate: (path) => at(startOf(nodeAt(document, path) ?? undefined)),
    locateKey: (path) => at(startOf(keyAt(document, path) ?? nodeAt(document, path))),
    locateInside: (path, offset) => at(offsetInside(document, path, offset, text)),
    lengthOf: (path) => lengthOf(nodeAt(document, path), text),
  };
}

const SYNTAX_HINTS: Partial<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY:
    'A formula with ": " in it (a ternary, say) needs quotes around it; or use $if(condition, a, b).',
  BAD_DQ_ESCAPE: 'Use single quotes around a formula that holds back-slashes.',
  BAD_INDENT: 'Indent with spaces; all keys of one map begin in the same column.',
  TAB_AS_INDENT: 'Indent with spaces; YAML does not allow tabs there.',
};

function reportSyntax(
  error: YAMLError,
  at: (offset: number) => SourceLocation,
  text: string,
  findings: Findings,
): void {
  let code: AppErrorCode = 'YAML_SYNTAX';
  if (error.code === 'DUPLICATE_KEY') code = 'YAML_DUPLICATE_KEY';
  if (error.code === 'TAG_RESOLVE_FAILED') code = 'YAML_TAG';
  const [start, end] = error.pos;
  const firstLineEnd = text.indexOf('\n', start);
  const lineEnd = firstLineEnd === -1 ? text.length : firstLineEnd;
  findings.error(code, error.message, {
    location: at(start),
    length: Math.max(1, Math.min(end, lineEnd) - start),
    ...(SYNTAX_HINTS[error.code] === undefined ? {} : { hint: SYNTAX_HINTS[error.code] as string }),
  });
}

/** What is legal YAML but never what the author of a rule meant. */
function reportTraps(
  document: Document.Parsed,
  at: (offset: number) => SourceLocation,
  findings: Findings,
): void {
  visit(document, {
    Node(_key, node) {
      const tag = (node as { tag?: string }).tag;
      // A tag that YAML does not know was a warning already.
      if (tag !== undefined && !isAlias(node) && document.warnings.length === 0) {
        findings.error('YAML_TAG', `the tag ${tag} is not used here`, {
          location: at(startOf(node as Node)),
        });
      }
    },
    Pair(_key, pair) {
      reportKey(pair, at, findings);
    },
  });
}

function reportKey(
  pair: Pair<unknown, unknown>,
  at: (offset: number) => SourceLocation,
  findings: Findings,
): void {
  const key = pair.key;
  const location = at(startOf(key as Node | undefined));
  if (!isScalar(key)) {
    const hint =
      'A formula that begins with "{" or "[" needs quotes, and so does one with "{ }" in it.';
    findings.error('YAML_KEY_NOT_TEXT', 'this key is a map or a list', { location, hint });
    return;
  }
  if (typeof key.value !== 'string') {
    const written = key.source ?? String(key.value);
    const hint = `Put it in quotes: "${written}".`;
    const message = written === '' ? 'this key is empty' : `the key ${written} is not a text`;
    findings.error(written === '' ? 'YAML_FORMULA_AS_KEY' : 'YAML_KEY_NOT_TEXT', message, {
      location,
      ...(written === '' ? {} : { hint }),
      length: Math.max(1, written.length),
    });
    return;
  }
  const text = key.value;
  if (text === '<<') {
    findings.error('YAML_MERGE', '"<<" does not merge here', { location, length: 2 });
    return;
  }
  const valueIsMissing = pair.value === null || (isScalar(pair.value) && pair.value.source === '');
  const looksCut = valueIsMissing && /[)\]"']$/.test(text);
  if (text === '' || text.startsWith('=') || looksCut) {
    findings.error('YAML_FORMULA_AS_KEY', `"${text}" was read as a key, not as a formula`, {
      location,
      length: Math.max(1, text.length),
    });
  }
}

function nodeAt(document: Document.Parsed, path: YamlPath): Node | undefined {
  let node: unknown = document.contents;
  for (const step of path) {
    const resolved: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isMap(resolved)) {
      const pair: Pair<unknown, unknown> | undefined = resolved.items.find(
        (item) => isScalar(item.key) && item.key.value === step,
      );
      if (pair === undefined) return resolved;
      // A key without a value has no node of its own: the key is the best place there is.
      node = pair.value ?? pair.key;
    } else if (isSeq(resolved)) {
      const item: unknown = resolved.items[Number(step)];
      if (item === undefined) return resolved;
      node = isPair(item) ? item.key : item;
    } else {
      return resolved as Node | undefined;
    }
  }
  return (node ?? undefined) as Node | undefined;
}

function keyAt(document: Document.Parsed, path: YamlPath): Node | undefined {
  const parent = nodeAt(document, path.slice(0, -1));
  const resolved = isAlias(parent) ? parent.resolve(document) : parent;
  if (!isMap(resolved)) return undefined;
  const last = path[path.length - 1];
  const pair = resolved.items.find((item) => isScalar(item.key) && item.key.value === last);
  return pair?.key as Node | undefined;
}

function startOf(node: Node | undefined): number {
  return node?.range?.[0] ?? 0;
}

function lengthOf(node: Node | undefined, text: string): number {
  if (node?.range === undefined || node.range === null) return 1;
  const source = text.slice(node.range[0], node.range[1]);
  return Math.max(1, source.split('\n', 1)[0]?.trimEnd().length ?? 1);
}

/**
 * White space is all that folding changes in plain, folded and literal scalars, so a character is
 * found again by counting those that are not white space. Escapes in quoted scalars are stepped over.
 */
function offsetInside(
  document: Document.Parsed,
  path: YamlPath,
  offset: number,
  text: string,
): number {
  const found = nodeAt(document, path);
  const node = isAlias(found) ? (found.resolve(document) as Node | undefined) : found;
  if (!isScalar(node) || typeof node.value !== 'string' || !node.range) return startOf(node);
  const [start, end] = node.range;
  const wanted = node.value.slice(0, offset).replaceAll(/\s/g, '').length;
  let position = start + contentStart(node, text.slice(start, end));
  for (let seen = 0; position < end; position += 1) {
    const character = text[position] ?? '';
    if (/\s/.test(character)) continue;
    if (seen === wanted) return position;
    seen += 1;
    const escaped =
      (node.type === 'QUOTE_DOUBLE' && character === '\\') ||
      (node.type === 'QUOTE_SINGLE' && character === "'" && text[position + 1] === "'");
    if (escaped) position += 1;
  }
  return Math.max(start, end - 1);
}

function contentStart(node: Scalar, source: string): number {
  if (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') return 1;
  if (node.type === 'BLOCK_FOLDED' || node.type === 'BLOCK_LITERAL')
    return source.indexOf('\n') + 1;
  return 0;
}
