// The parts of a formula and what each was for one event: the operands of its operators and the arguments
// of its functions, as they are written. For people who ask why a formula came out as it did.
// Takes a syntax tree; changes it so that the parts are noted while it is evaluated. Never used where an
// event is handled: only a tree that was made to explain is changed.

import { type AstNode, isCoalesce, tokenStart, visitAst } from './syntax.ts';

/** A piece of a formula that has a value of its own. */
export interface Part {
  readonly node: AstNode;
  /** As written: `data.amount`, `$count(data.items)`. */
  readonly text: string;
}

/** What a part came out as; `undefined` stands for missing. */
export interface PartValue {
  readonly text: string;
  readonly value: unknown;
}

/**
 * The parts whose value does not depend on an item of a filter or on a name bound inside the formula,
 * outermost first. The whole formula, and what is written out (5, "x"), are none of them.
 */
export function partsOf(ast: AstNode, text: string): readonly Part[] {
  const parts: Part[] = [];
  collect(ast, true, (node) => parts.push({ node, text: writtenAs(node, text) }));
  return parts.filter((part) => part.text !== '');
}

/** Makes the tree hand the value of each part to the function of that name, by the part's number. */
export function notePartsWith(functionName: string, parts: readonly Part[]): void {
  for (const [index, { node }] of parts.entries()) {
    const original = { ...node };
    for (const member of Object.keys(node)) delete node[member as keyof AstNode];
    Object.assign(node, {
      type: 'function',
      value: '(',
      procedure: { type: 'variable', value: functionName },
      arguments: [{ type: 'number', value: index }, original],
    });
  }
}

function collect(node: AstNode | undefined, isWhole: boolean, add: (node: AstNode) => void): void {
  if (node === undefined) return;
  switch (node.type) {
    case 'binary':
      if (!isWhole) add(node);
      for (const side of [node.lhs, node.rhs]) {
        if (side !== undefined && !Array.isArray(side)) collect(side, false, add);
      }
      return;
    case 'condition':
      // `a ?? b` is parsed as a condition that nobody wrote: `$exists(a) ? a : b`.
      if (isCoalesce(node)) {
        collect(node.condition?.arguments?.[0], false, add);
      } else {
        collect(node.condition, false, add);
        collect(node.then, false, add);
      }
      collect(node.else, false, add);
      return;
    case 'block': {
      const [only, ...more] = node.expressions ?? [];
      if (more.length === 0) collect(only, isWhole, add);
      return;
    }
    case 'function':
      if (!isWhole) add(node);
      collectArguments(node, add);
      return;
    case 'path': {
      if (!isWhole) add(node);
      const [head] = node.steps ?? [];
      if (head?.type === 'function') collectArguments(head, add);
      return;
    }
    case 'variable':
      if (!isWhole && typeof node.value === 'string' && node.value !== '') add(node);
      return;
    case 'unary':
      for (const item of [node.expression, ...(node.expressions ?? [])]) collect(item, false, add);
      return;
  }
}

/** Functions whose arguments are functions are asked about items, which are no parts. */
const TAKES_FUNCTION = new Set(['map', 'filter', 'each', 'sift', 'single', 'reduce', 'sort']);

function collectArguments(node: AstNode, add: (node: AstNode) => void): void {
  const [first, ...rest] = node.arguments ?? [];
  const byFunction = TAKES_FUNCTION.has(String(node.procedure?.value));
  for (const argument of byFunction ? [first] : [first, ...rest]) {
    if (argument?.type !== 'lambda') collect(argument, false, add);
  }
}

/** The node's own text; '' where its place is not known. */
function writtenAs(node: AstNode, text: string): string {
  let start = text.length;
  let end = 0;
  const take = (part: AstNode | undefined): void => {
    if (part?.position === undefined) return;
    start = Math.min(start, tokenStart(part, text));
    end = Math.max(end, part.position);
  };
  visitAst(node, (inner) => {
    take(inner);
    take(inner.procedure);
    for (const bound of inner.type === 'lambda' ? (inner.arguments ?? []) : []) take(bound);
  });
  if (start >= end) return '';
  return balanced(text, start, end).replaceAll(/\s+/g, ' ').trim();
}

const BRACKETS = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|[()[\]{}]/g;

/** The span, with the brackets that close behind it: those of a call and of a filter have no place. */
function balanced(text: string, start: number, end: number): string {
  const written = text.slice(start, end);
  const signs = [...written.matchAll(BRACKETS)].map(([sign]) => sign);
  const open = signs.filter((sign) => /^[([{]$/.test(sign)).length;
  const closed = signs.filter((sign) => /^[)\]}]$/.test(sign)).length;
  if (open <= closed) return open === closed ? written : '';
  const behind = text.slice(end).search(/[)\]}]/);
  return behind === -1 ? '' : balanced(text, start, end + behind + 1);
}
