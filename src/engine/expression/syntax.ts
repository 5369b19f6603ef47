// JSONata's syntax tree, as far as Keywright looks at it. Takes a tree, visits each node once with
// what it means where it stands. Never changes the tree.

/** A node of the tree that `jsonata(text).ast()` gives (read in jsonata 2.2.2, 2026-11). */
export interface AstNode {
  type: string;
  value?: unknown;
  /** The offset behind the node's token, or of the operator; see `tokenStart`. */
  position?: number;
  steps?: AstNode[];
  stages?: AstNode[];
  predicate?: AstNode[];
  expr?: AstNode;
  group?: { lhs: [AstNode, AstNode][] };
  lhs?: AstNode | [AstNode, AstNode][];
  rhs?: AstNode;
  expression?: AstNode;
  expressions?: AstNode[];
  procedure?: AstNode;
  arguments?: AstNode[];
  body?: AstNode;
  condition?: AstNode;
  then?: AstNode;
  else?: AstNode;
  terms?: { expression: AstNode }[];
  focus?: string;
  index?: string;
  keepArray?: boolean;
}

/** What a node means where it stands. */
export interface NodeContext {
  /** Names here begin at the event itself, not at an item of a filter or a later step. */
  readonly atRoot: boolean;
  /** The node's value is the formula's value, or one of the alternatives for it. */
  readonly whole: boolean;
  /** The formula's value comes from here, whole or by way of a function that passes it on. */
  readonly source: boolean;
  /** Variables bound inside the formula. */
  readonly locals: ReadonlySet<string>;
}

type Visitor = (node: AstNode, context: NodeContext, parent: AstNode | undefined) => void;

/** `a ?? b` is parsed as `$exists(a) ? a : b`; only the `$exists` that nobody wrote has no position. */
export function isCoalesce(node: AstNode): boolean {
  const procedure = node.condition?.procedure;
  return (
    node.type === 'condition' && procedure?.value === 'exists' && procedure.position === undefined
  );
}

/** Where the node's token stands in the formula: its first character, counted from 0, and its length. */
export function tokenSpan(node: AstNode, text: string): { offset: number; length: number } {
  const end = node.position ?? 0;
  const offset = tokenStart(node, text);
  // JSONata gives operators the position behind their first character.
  const written = typeof node.value === 'string' && node.type !== 'string' ? node.value.length : 1;
  return { offset, length: Math.max(1, end - offset, written) };
}

/** Where the node's first character stands in the formula, counted from 0. */
export function tokenStart(node: AstNode, text: string): number {
  const end = node.position ?? 0;
  if (node.type === 'string') return quoteBefore(text, end);
  if (node.type === 'variable') return Math.max(0, end - String(node.value ?? '').length - 1);
  if (node.type === 'name') {
    const length = String(node.value ?? '').length;
    // A name may be written in back-ticks, and after a dot in quotes, too.
    return /[`"']/.test(text[end - 1] ?? '') && text.slice(end - length, end) !== node.value
      ? quoteBefore(text, end)
      : Math.max(0, end - length);
  }
  if (node.type === 'regex')
    return Math.max(0, text.lastIndexOf('/', text.lastIndexOf('/', end - 1) - 1));
  return Math.max(0, end - (typeof node.value === 'string' ? node.value.length : 1));
}

/** The opening quote of a text that ends at `end`; quotes inside it are escaped. */
function quoteBefore(text: string, end: number): number {
  const quote = text[end - 1] ?? '"';
  let start = end - 2;
  while (start > 0 && (text[start] !== quote || text[start - 1] === '\\')) start -= 1;
  return Math.max(0, start);
}

/** Functions that give what their arguments hold, so that a path in them explains what is missing. */
const PASSING_ON = new Set([
  'id',
  'need',
  'one',
  'unix',
  'words',
  'catalog',
  'plus',
  'max',
  'first',
]);

/** Functions whose further arguments are alternatives for their value. */
const ALTERNATIVES: ReadonlyMap<string, number> = new Map([
  ['first', 0],
  ['if', 1],
]);

/** Visits the node and everything below it, parents first. */
export function visitAst(
  node: AstNode,
  visitor: Visitor,
  context: NodeContext = { atRoot: true, whole: true, source: true, locals: new Set() },
  parent?: AstNode,
): void {
  visitor(node, context, parent);
  const inside = { ...context, whole: false, source: false };
  const below = { ...inside, atRoot: false };
  const go = (child: AstNode | undefined, childContext: NodeContext): void => {
    if (child !== undefined) visitAst(child, visitor, childContext, node);
  };
  switch (node.type) {
    case 'path':
      visitPath(node, context, go);
      break;
    case 'function':
    case 'partial': {
      const from = ALTERNATIVES.get(String(node.procedure?.value));
      if (node.procedure?.type !== 'variable') go(node.procedure, inside);
      node.arguments?.forEach((argument, index) => {
        const alternative = from !== undefined && index >= from;
        const passedOn = alternative || PASSING_ON.has(String(node.procedure?.value));
        const whole = alternative && context.whole;
        go(argument, { ...context, whole, source: passedOn && context.source });
      });
      break;
    }
    case 'condition':
      if (!isCoalesce(node)) go(node.condition, inside);
      go(node.then, context);
      go(node.else, context);
      break;
    case 'block':
      visitBlock(node, context, go);
      break;
    case 'lambda': {
      const names = (node.arguments ?? []).map((argument) => String(argument.value));
      go(node.body, { ...inside, locals: new Set([...context.locals, ...names]) });
      break;
    }
    default:
      visitOthers(node, inside, go);
  }
  for (const filter of node.predicate ?? []) go(filter.expr, below);
  for (const filter of node.stages ?? []) go(filter.expr, below);
  for (const [key, value] of node.group?.lhs ?? []) {
    go(key, below);
    go(value, below);
  }
}

function visitPath(
  node: AstNode,
  context: NodeContext,
  go: (child: AstNode, childContext: NodeContext) => void,
): void {
  let { locals } = context;
  for (const [index, step] of (node.steps ?? []).entries()) {
    go(step, {
      atRoot: context.atRoot && index === 0,
      whole: context.whole && index === 0,
      source: context.source && index === 0,
      locals,
    });
    for (const name of [step.focus, step.index]) {
      if (name !== undefined) locals = new Set([...locals, name]);
    }
  }
}

function visitBlock(
  node: AstNode,
  context: NodeContext,
  go: (child: AstNode, childContext: NodeContext) => void,
): void {
  let { locals } = context;
  const expressions = node.expressions ?? [];
  for (const [index, expression] of expressions.entries()) {
    const last = index === expressions.length - 1;
    const whole = context.whole && last;
    const source = context.source && last;
    go(expression, { ...context, whole, source, locals });
    if (expression.type === 'bind') {
      const name = String((expression.lhs as AstNode | undefined)?.value);
      locals = new Set([...locals, name]);
    }
  }
}

function visitOthers(
  node: AstNode,
  inside: NodeContext,
  go: (child: AstNode | undefined, childContext: NodeContext) => void,
): void {
  const bound = node.type === 'bind';
  if (Array.isArray(node.lhs)) {
    for (const [key, value] of node.lhs) {
      go(key, inside);
      go(value, inside);
    }
  } else if (!bound) {
    go(node.lhs, inside);
  }
  go(node.rhs, inside);
  go(node.expression, inside);
  for (const expression of node.expressions ?? []) go(expression, inside);
  for (const term of node.terms ?? []) go(term.expression, { ...inside, atRoot: false });
}
