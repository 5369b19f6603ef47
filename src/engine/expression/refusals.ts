// What a formula may not say. Takes a parsed formula, gives problems with their place in it.
// JSONata accepts all of these and means something else than their author; never changes the tree.

import type { AppErrorCode } from '../../errors.ts';
import { didYouMean } from '../closest.ts';
import { FUNCTION_NAMES, REFUSED_FUNCTIONS } from './function-names.ts';
import { type AstNode, isCoalesce, type NodeContext, tokenStart, visitAst } from './syntax.ts';

/** A problem at a place in the formula's text, counted from 0. */
export interface ExpressionProblem {
  readonly code: AppErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly offset: number;
  readonly length: number;
}

/** Names that other languages use for values; in JSONata they are paths that find nothing. */
const FOREIGN_WORDS: Readonly<Record<string, string>> = {
  undefined: 'null',
  none: 'null',
  None: 'null',
  nil: 'null',
  NULL: 'null',
  Null: 'null',
  TRUE: 'true',
  True: 'true',
  FALSE: 'false',
  False: 'false',
};

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
    const offset = tokenStart(node, text);
    const length = typeof node.value === 'string' ? Math.max(1, node.value.length) : 1;
    problems.push({ code, message, offset, length, ...(hint === undefined ? {} : { hint }) });
  };
  visitAst(root, (node, context, parent) => {
    if (node.type === 'name' && !halves.has(node)) refuseName(node, context, rootNames, report);
    if (node.type === 'function' || node.type === 'partial') refuseCall(node, context, report);
    if (node.type === 'variable') refuseVariable(node, context, parent, report);
    if (node.type === 'binary' && refuseOperator(node, report) === 'subtraction') {
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
  const word = FOREIGN_WORDS[name];
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
  const reason = REFUSED_FUNCTIONS[name];
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
  const isFunction = FUNCTION_NAMES.has(name) || REFUSED_FUNCTIONS[name] !== undefined;
  if (!isFunction || context.locals.has(name)) return;
  // A function may be handed to another one, as in $map(list, $uppercase).
  const handedOn = parent?.type === 'function' && parent.arguments?.includes(node);
  if (handedOn === true && FUNCTION_NAMES.has(name)) return;
  report(node, 'FORMULA_REFUSED', `$${name} is a function; it needs ( )`);
}

function refuseOperator(node: AstNode, report: Report): 'subtraction' | undefined {
  const { lhs, rhs } = node;
  if (lhs === undefined || rhs === undefined || Array.isArray(lhs)) return undefined;
  const left = plainName(lhs);
  const right = plainName(rhs);
  if (node.value === '-' && left !== undefined && right !== undefined) {
    const message = `${left}-${right} is a subtraction`;
    report(
      node,
      'FORMULA_REFUSED',
      message,
      `For a name, write \`${left}-${right}\` in back-ticks.`,
    );
    return 'subtraction';
  }
  if (isCoalesce(lhs) || isCoalesce(rhs)) reportAmbiguous(isCoalesce(lhs) ? lhs : rhs, report);
  return undefined;
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
  const reason = slowPattern(String((node.value as RegExp).source));
  if (reason !== undefined) report(node, 'FORMULA_REFUSED', reason);
}

/**
 * Why a pattern could take for ever, or undefined. A repeated group that itself repeats or chooses
 * can match one text in exponentially many ways; time limits do not reach into a regular expression.
 */
export function slowPattern(source: string): string | undefined {
  const groups: { repeats: boolean }[] = [];
  const plain = source.replaceAll(/\\./g, 'x').replaceAll(/\[[^\]]*\]/g, 'x');
  for (let index = 0; index < plain.length; index += 1) {
    const character = plain[index] ?? '';
    const repeats = /^(?:[*+]|\{\d+,\d*\})/.test(plain.slice(index));
    if (character === '(') groups.push({ repeats: false });
    if (character === ')') {
      const group = groups.pop();
      if (group?.repeats === true && /^(?:[*+]|\{\d+,\d*\})/.test(plain.slice(index + 1))) {
        return 'this pattern repeats a group that repeats or chooses, which can take for ever';
      }
      const outer = groups.at(-1);
      if (outer !== undefined && group?.repeats === true) outer.repeats = true;
    }
    const innermost = groups.at(-1);
    if (innermost !== undefined && (repeats || character === '|')) innermost.repeats = true;
  }
  return undefined;
}
