// YAML text with its positions. Takes a file's name and text; gives plain values and, for each of
// them, the place where it stands. Refuses whatever YAML would read as something else than a person
// meant (docs/rules.md lists it). Never throws on a user's mistake: it reports findings.

import {
  type Document,
  isAlias,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import type { AppErrorCode } from '../../core/error-codes.ts';
import type { SourceLocation } from '../../core/model.ts';
import type { Findings } from './findings.ts';
import { keyAt, lengthOf, nodeAt, offsetInside, startOf, type YamlPath } from './yaml-places.ts';

/** A document that was read without findings that forbid going on. */
export interface YamlFile {
  readonly file: string;
  readonly text: string;
  readonly value: unknown;
  /** Whether the value is known to be right by the schema of rule files; see known-yaml.ts. */
  readonly isCheckedAlready?: boolean;
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
  // What UTF-16 and programs look like when they are read as UTF-8.
  if (/[\0\ufffd]/.test(text.slice(0, 4096))) {
    const options = { location: { file, line: 1, column: 1 }, hint: 'Save the file as UTF-8.' };
    findings.error('YAML_SYNTAX', 'the file is no text, or not written in UTF-8', options);
    return undefined;
  }
  const lineCounter = new LineCounter();
  const document = parse(file, text, lineCounter, findings);
  if (document === undefined) return undefined;
  const at = (offset: number): SourceLocation => {
    const { line, col } = lineCounter.linePos(Math.min(offset, text.length));
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  // A warning (an unknown tag, say) means that YAML read something else than was written.
  // What the parser stumbles over after its first error mostly follows from it.
  const [broken] = document.errors;
  const errors = broken === undefined ? document.warnings : [broken];
  for (const error of errors) reportSyntax(error, at, text, findings);
  if (broken !== undefined) return undefined;
  const context: Reading = { document, text, at, findings };
  reportTraps(context);
  if (!aliasesAreRight(context)) return undefined;
  const value = toValue(document, file, findings);
  if (value === undefined) return undefined;
  return {
    file,
    text,
    value,
    locate: (path) => at(startOf(nodeAt(document, path) ?? undefined)),
    locateKey: (path) => at(startOf(keyAt(document, path) ?? nodeAt(document, path))),
    locateInside: (path, offset) => at(offsetInside(document, path, offset, text)),
    lengthOf: (path) => lengthOf(nodeAt(document, path), text),
  };
}

/** The parser is recursive, so a text can nest too deeply for it. */
function parse(
  file: string,
  text: string,
  lineCounter: LineCounter,
  findings: Findings,
): Document.Parsed | undefined {
  try {
    return parseDocument(text, {
      version: '1.2',
      strict: true,
      // Looked for here: the parser compares each key with every other one, which is slow in a catalog.
      uniqueKeys: false,
      merge: false,
      prettyErrors: false,
      // What is worth a warning is reported here, not written to the terminal by the parser.
      logLevel: 'error',
      lineCounter,
    });
  } catch {
    const location = { file, line: 1, column: 1 };
    findings.error('YAML_SYNTAX', 'the file cannot be read: it nests too deeply', { location });
    return undefined;
  }
}

/** Null for an empty file; undefined when aliases would make the file endless. */
function toValue(document: Document.Parsed, file: string, findings: Findings): unknown {
  try {
    return (document.toJS({ maxAliasCount: 100 }) as unknown) ?? null;
  } catch {
    const location = { file, line: 1, column: 1 };
    const hint = 'Write the values out, or share them under `let:`.';
    findings.error('YAML_SYNTAX', 'the file uses too many aliases (*name)', { location, hint });
    return undefined;
  }
}

const SYNTAX_HINTS: Partial<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY:
    'A formula with ": " in it (a ternary, say) needs quotes around it; or use $if(condition, a, b).',
  BAD_DQ_ESCAPE: 'Use single quotes around a formula that holds back-slashes.',
  BAD_INDENT: 'Indent with spaces; all keys of one map begin in the same column.',
  MULTIPLE_DOCS: 'A file holds one document: remove the "---", or make two files.',
  TAB_AS_INDENT: 'Indent with spaces; YAML does not allow tabs there.',
};

function reportSyntax(
  error: YAMLError,
  at: (offset: number) => SourceLocation,
  text: string,
  findings: Findings,
): void {
  let code: AppErrorCode = 'YAML_SYNTAX';
  if (error.code === 'TAG_RESOLVE_FAILED') code = 'YAML_TAG';
  const [start, end] = error.pos;
  const firstLineEnd = text.indexOf('\n', start);
  const lineEnd = firstLineEnd === -1 ? text.length : firstLineEnd;
  const message = error.code === 'MULTIPLE_DOCS' ? 'a second document begins here' : error.message;
  findings.error(code, message, {
    location: at(start),
    length: Math.max(1, Math.min(end, lineEnd) - start),
    ...(SYNTAX_HINTS[error.code] === undefined ? {} : { hint: SYNTAX_HINTS[error.code] as string }),
  });
}

interface Reading {
  readonly document: Document.Parsed;
  readonly text: string;
  at(offset: number): SourceLocation;
  readonly findings: Findings;
}

/** A key that is a piece of a formula or a merge; it is reported where the YAML is read. */
export function isTrapKey(key: string, value: unknown): boolean {
  const isCut = (value === null || value === undefined) && /[)\]"']$/.test(key);
  return key === '' || key === '<<' || key.startsWith('=') || isCut;
}

/** Whether a value of the file is a map with such a key. */
export function holdsTrapKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, member]) => isTrapKey(key, member));
}

/** What is legal YAML but never what the author of a rule meant. */
function reportTraps({ document, text, at, findings }: Reading): void {
  visit(document, {
    Node(key, node) {
      if (key !== 'key') reportNumber(node as Node, at, findings);
      const tag = (node as { tag?: string }).tag;
      // A tag that YAML does not know was a warning already.
      if (tag !== undefined && !isAlias(node) && document.warnings.length === 0) {
        findings.error('YAML_TAG', `the tag ${tag} is not used here`, {
          location: at(startOf(node as Node)),
        });
      }
    },
    Map(_key, map) {
      reportTwice(map, at, findings);
    },
    Pair(_key, pair) {
      reportKey(pair, { document, text, at, findings });
    },
  });
}

/** Keys that stand twice in one map. */
function reportTwice(
  map: YAMLMap,
  at: (offset: number) => SourceLocation,
  findings: Findings,
): void {
  const keys = new Set<unknown>();
  for (const { key } of map.items) {
    if (!isScalar(key)) continue;
    if (keys.has(key.value)) {
      const written = key.source ?? String(key.value);
      const location = at(startOf(key as Node));
      const options = { location, length: Math.max(1, written.length) };
      findings.error('YAML_DUPLICATE_KEY', `the key ${written} stands twice`, options);
    }
    keys.add(key.value);
  }
}

function reportNumber(
  node: Node,
  at: (offset: number) => SourceLocation,
  findings: Findings,
): void {
  if (!isScalar(node) || typeof node.value !== 'number' || Number.isFinite(node.value)) return;
  const written = node.source ?? '';
  const options = { location: at(startOf(node)), length: Math.max(1, written.length) };
  findings.error('RULE_WRONG_TYPE', `${written} is no number that can be used`, options);
}

/** Whether each alias has an anchor, and none stands inside its own. */
function aliasesAreRight({ document, at, findings }: Reading): boolean {
  let right = true;
  visit(document, {
    Alias(_key, node, path) {
      const anchored = node.resolve(document);
      if (anchored !== undefined && !path.includes(anchored)) return;
      right = false;
      const what =
        anchored === undefined ? 'there is no anchor' : 'this stands inside its own anchor';
      const hint = `An anchor is written "&${node.source}", before its first use and not around it.`;
      const options = { location: at(startOf(node)), length: node.source.length + 1, hint };
      findings.error('YAML_SYNTAX', `${what} "${node.source}"`, options);
    },
  });
  return right;
}

function reportKey(pair: Pair<unknown, unknown>, { text: file, at, findings }: Reading): void {
  const { key } = pair;
  const start = startOf(key as Node | undefined);
  // A key of no characters stands nowhere; its colon does.
  const blanks = /^\s*/.exec(file.slice(start))?.[0].length ?? 0;
  const location = at(isScalar(key) && key.source === '' ? start + blanks : start);
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
  const isMissing = pair.value === null || (isScalar(pair.value) && pair.value.source === '');
  if (isTrapKey(text, isMissing ? null : pair.value)) {
    findings.error('YAML_FORMULA_AS_KEY', `"${text}" was read as a key, not as a formula`, {
      location,
      length: Math.max(1, text.length),
    });
  }
}
