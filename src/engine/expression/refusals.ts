// What a formula may not say. Takes a parsed formula, gives problems with their place in it.
// JSONata accepts all of these and means something else than their author; never changes the tree.

import type { AppErrorCode } from '../../core/error-codes.ts';
import { didYouMean } from '../diagnostics/closest.ts';
import { FUNCTION_NAMES, REFUSED_FUNCTIONS } from './function-names.ts';
import { judgePattern } from './patterns.ts';
import { type AstNode, isCoalesce, type NodeContext, tokenSpan, visitAst } from './syntax.ts';

/** A problem at a place in the formula's text, counted from 0. */
export interface ExpressionProblem {
  readonly code: AppErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly offset: number;
  readonly length: number;
}

/** Names that other languages use for values; in JSONata they are paths that find nothing. */
const FOREIGN_WORDS: ReadonlyMap<string, string> = new Map([
  ['undefined', 'null'],
  ['none', 'null'],
  ['None', 'null'],
  ['nil', 'null'],
  ['NULL', 'null'],
  ['Null', 'null'],
  ['TRUE', 'true'],
  ['True', 'true'],
  ['FALSE', 'false'],
  ['False', 'false'],
]);

/** White space that cannot be seen, and quotes of word processors: they become part of a name. */
// biome-ignore lint/suspicious/noMisleadingCharacterClass: each of them is meant on its own.
const INVISIBLE = /[\u00a0\u200b\u200c\u200d\u2060\ufeff\u2018\u2019\u201c\u201d]/;

/** Everything refused in the formula, in the order of the tree. */
export function refusals(
  root: AstNode,
  text: string,
  rootNames: readonly string[],
): readonly ExpressionProblem[] {
  const problems: ExpressionProblem[] = [];
  // The second half of `my-key` is no name of its own; one finding for it is enough.
  const halves = new Set<AstNode | undefined>();
  const report = (node: AstNode, code: AppErrorCode, message: string, hint?: string): void => {
    const span = tokenSpan(node, text);
    problems.push({ code, message, ...span, ...(hint === undefined ? {} : { hint }) });
  };
  visitAst(root, (node, context, parent) => {
    if (node.type === 'name' && !halves.has(node)) refuseName(node, context, rootNames, report);
    if (node.type === 'function' || node.type === 'partial') refuseCall(node, context, report);
    if (node.type === 'variable') refuseVariable(node, context, parent, report);
    if (node.type === 'binary' && refuseOperator(node, text, report) === 'subtraction') {
      halves.add(node.rhs?.steps?.[0]);
    }
    if (node.type === 'condition') refuseCondition(node, report);
    if (node.type === 'regex') refuseRegex(node, report);
    if (node.type === 'transform') {
      report(node, 'FORMULA_REFUSED', 'a formula cannot change the event (| … |)');
    }
    for (const filter of [...(node.stages ?? []), ...(node.predicate ?? [])]) {
      if (filter.expr?.type === 'string') {
        const name = String(filter.expr.value);
        const message = `["${name}"] is a filter that is always true`;
        report(filter.expr, 'FORMULA_REFUSED', message, `Write .${name} instead.`);
      }
    }
  });
  return problems;
}

type Report = (node: AstNode, code: AppErrorCode, message: string, hint?: string) => void;

function refuseName(
  node: AstNode,
  context: NodeContext,
  rootNames: readonly string[],
  report: Report,
): void {
  const name = String(node.value);
  if (INVISIBLE.test(name)) {
    const message = `"${name}" holds a character that cannot be seen, or a curly quote`;
    report(node, 'FORMULA_SYNTAX', message, 'Type it anew with plain spaces and straight quotes.');
    return;
  }
  if (!context.atRoot || rootNames.includes(name)) return;
  const word = FOREIGN_WORDS.get(name);
  if (word !== undefined) {
    report(node, 'FORMULA_UNKNOWN_NAME', `${name} is a name here, not a value`, `Write ${word}.`);
    return;
  }
  const known = rootNames.join(', ');
  const suggestion = didYouMean(name, rootNames);
  const hint = `An event has: ${known}. A text needs quotes, a variable a "$".`;
  report(node, 'FORMULA_UNKNOWN_NAME', `no event has a member "${name}"${suggestion}`, hint);
}

function refuseCall(node: AstNode, context: NodeContext, report: Report): void {
  const procedure = node.procedure;
  if (procedure?.type !== 'variable') return;
  const name = String(procedure.value);
  if (context.locals.has(name) || FUNCTION_NAMES.has(name)) return;
  const reason = REFUSED_FUNCTIONS.get(name);
  if (reason !== undefined) {
    report(procedure, 'FORMULA_REFUSED', `$${name} is not allowed: ${reason}`);
    return;
  }
  const names = [...FUNCTION_NAMES].map((known) => `$${known}`);
  const suggestion = didYouMean(`$${name}`, names);
  report(procedure, 'FORMULA_UNKNOWN_FUNCTION', `there is no function $${name}${suggestion}`);
}

function refuseVariable(
  node: AstNode,
  context: NodeContext,
  parent: AstNode | undefined,
  report: Report,
): void {
  const name = String(node.value);
  const isFunction = FUNCTION_NAMES.has(name) || REFUSED_FUNCTIONS.has(name);
  if (!isFunction || context.locals.has(name)) return;
  // A function may be handed to another one, as in $map(list, $uppercase).
  const handedOn = parent?.type === 'function' && parent.arguments?.includes(node);
  if (handedOn === true && FUNCTION_NAMES.has(name)) return;
  report(node, 'FORMULA_REFUSED', `$${name} is a function; it needs ( )`);
}

function refuseOperator(node: AstNode, text: string, report: Report): 'subtraction' | undefined {
  const { lhs, rhs } = node;
  if (lhs === undefined || rhs === undefined || Array.isArray(lhs)) return undefined;
  const left = plainName(lhs);
  const right = firstName(rhs);
  const { offset } = tokenSpan(node, text);
  // Whoever subtracts writes spaces; whoever writes a name does not.
  const spaced = /\s-|-\s/.test(text.slice(Math.max(0, offset - 1), offset + 2));
  if (node.value === '-' && left !== undefined && right !== undefined && !spaced) {
    const message = `${left}-${right} is a subtraction`;
    const hint = `For a name, write \`${left}-${right}\` in back-ticks; to subtract, put spaces around the "-".`;
    report(node, 'FORMULA_REFUSED', message, hint);
    return 'subtraction';
  }
  if (isCoalesce(lhs) || isCoalesce(rhs)) reportAmbiguous(isCoalesce(lhs) ? lhs : rhs, report);
  return undefined;
}

/** The name that a path begins with: of `key.x` it is `key`. */
function firstName(node: AstNode): string | undefined {
  const first = node.type === 'path' ? node.steps?.[0] : undefined;
  return first?.type === 'name' ? String(first.value) : undefined;
}

/** The last name of a path without filters: `a.b` is one, `$x` and `a[1]` are none. */
function plainName(node: AstNode): string | undefined {
  const last = node.type === 'path' ? node.steps?.at(-1) : undefined;
  return last?.type === 'name' && last.stages === undefined ? String(last.value) : undefined;
}

function refuseCondition(node: AstNode, report: Report): void {
  if (!isCoalesce(node)) {
    if (node.condition !== undefined && isCoalesce(node.condition)) {
      reportAmbiguous(node.condition, report);
    }
    return;
  }
  const greedy = (side: AstNode | undefined): boolean =>
    side?.type === 'binary' || (side?.type === 'condition' && !isCoalesce(side));
  if (greedy(node.then) || greedy(node.else)) reportAmbiguous(node, report);
}

function reportAmbiguous(node: AstNode, report: Report): void {
  const message = 'what "??" chooses between is not what it looks like here';
  report({ ...node, value: '??' }, 'FORMULA_AMBIGUOUS', message);
}

function refuseRegex(node: AstNode, report: Report): void {
  const { source, flags } = node.value as RegExp;
  const verdict = judgePattern(source, flags);
  if (verdict.kind === 'refused') report(node, 'FORMULA_REFUSED', verdict.reason);
}
