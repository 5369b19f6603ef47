// What a formula uses: variables, and the paths that its value may come from. Takes a syntax tree,
// gives lists. Never changes the tree.

import { type AstNode, tokenStart, visitAst } from './syntax.ts';

/** One use of a variable, with the plain names behind it: `$user.id` is `user`, [`id`]. */
export interface VariableUse {
  readonly name: string;
  readonly members: readonly string[];
  /** False where the variable's value is the formula's value or an alternative for it. */
  readonly inside: boolean;
  readonly offset: number;
}

/** A path of plain names that the formula's value may come from; for saying what was missing. */
export interface PathUse {
  /** The variable it begins with, without `$`; undefined when it begins at the event. */
  readonly variable: string | undefined;
  readonly names: readonly string[];
}

/** Every variable that is not bound inside the formula itself. */
export function variableUses(ast: AstNode, text: string): readonly VariableUse[] {
  const uses: VariableUse[] = [];
  visitAst(ast, (node, context, parent) => {
    const name = String(node.value);
    if (node.type !== 'variable' || name === '' || name === '$') return;
    if (context.locals.has(name) || parent?.type === 'bind') return;
    // Functions that are handed on, as in $map(list, $uppercase), are no variables.
    if (parent?.type === 'function' && isFunctionArgument(node, parent)) return;
    const members: string[] = [];
    let plain = node.stages === undefined && node.predicate === undefined;
    if (parent?.type === 'path' && parent.steps?.[0] === node) {
      for (const step of parent.steps.slice(1)) {
        if (!plain || step.type !== 'name') {
          plain = false;
          break;
        }
        members.push(String(step.value));
        plain = step.stages === undefined;
      }
    }
    const inside = !context.whole || !plain;
    uses.push({ name, members, inside, offset: tokenStart(node, text) });
  });
  return uses;
}

function isFunctionArgument(node: AstNode, parent: AstNode): boolean {
  return parent.procedure?.value !== undefined &&
    FUNCTION_TAKERS.has(String(parent.procedure.value))
    ? parent.arguments?.[1] === node && OWN_VALUE.test(String(node.value))
    : false;
}

const FUNCTION_TAKERS = new Set(['map', 'filter', 'each', 'sift', 'single', 'reduce', 'sort']);
// A function that takes a function also takes a variable; only JSONata's own names are functions.
const OWN_VALUE =
  /^(?:abs|boolean|ceil|exists|floor|id|keys|length|lowercase|not|number|round|string|sum|trim|type|unix|uppercase|words)$/;

/** The paths from which the formula's value may come: itself, or the alternatives of it. */
export function valueSources(ast: AstNode): readonly PathUse[] {
  const sources: PathUse[] = [];
  visitAst(ast, (node, context, parent) => {
    if (!context.source) return;
    if (node.type === 'variable' && parent?.type !== 'path') {
      sources.push({ variable: String(node.value), names: [] });
    }
    if (node.type !== 'path') return;
    const [head, ...tail] = node.steps ?? [];
    const rest = tail.filter((step) => step.type === 'name').map((step) => String(step.value));
    if (head?.type === 'name') {
      sources.push({ variable: undefined, names: [String(head.value), ...rest] });
    }
    if (head?.type === 'variable') {
      sources.push({ variable: String(head.value), names: rest });
    }
  });
  return sources.filter((source) => source.variable !== '' && source.variable !== '$');
}
