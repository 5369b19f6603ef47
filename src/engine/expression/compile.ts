// From a formula's text to something that can be evaluated. Takes JSONata, refuses its traps,
// rewrites the operators that bite, and notes which variables and paths are used.
// Everything is found at load; never evaluates anything here.

import jsonata from 'jsonata';
import { boundedFunctions, type NativeFunction } from './bounded-functions.ts';
import { asTooLarge, BUDGET, Budget, countPart } from './budget.ts';
import { ASK_JSONATA, compileDirect, type DirectEvaluation } from './direct.ts';
import {
  type CatalogLookup,
  concatenate,
  createLibrary,
  not,
  number,
  orElse,
  toMillis,
} from './library.ts';
import { notePartsWith, type Part, type PartValue, partsOf } from './parts.ts';
import { BoundedRegExp } from './patterns.ts';
import { type ExpressionProblem, refusals } from './refusals.ts';
import { type AstNode, isCoalesce, visitAst } from './syntax.ts';
import { syntaxProblem } from './syntax-problem.ts';
import { type PathUse, type VariableUse, valueSources, variableUses } from './uses.ts';

export interface Expression {
  readonly text: string;
  readonly variables: readonly VariableUse[];
  readonly sources: readonly PathUse[];
  /** The value, or ASK_JSONATA where only `evaluate` can tell it. Throws what `evaluate` rejects with. */
  readonly evaluateNow: DirectEvaluation;
  evaluate(root: unknown, bindings: Readonly<Record<string, unknown>>): Promise<unknown>;
  /**
   * What each part of the formula was: evaluates it once more, as another formula that notes them. A part
   * that was not asked (behind an `and` that was false already, or behind a failure) is left out.
   */
  explain(
    root: unknown,
    bindings: Readonly<Record<string, unknown>>,
  ): Promise<readonly PartValue[]>;
}

export type CompileResult =
  | { readonly kind: 'compiled'; readonly expression: Expression }
  | { readonly kind: 'refused'; readonly problems: readonly ExpressionProblem[] };

/**
 * Bounds of one evaluation. The time is wall-clock, so it is generous: it only has to end what
 * would never end. JSONata counts nested calls on the stack and items of one sequence.
 */
const GUARDRAILS = { stack: 500, timeout: 2000, sequence: 10_000 } as const;

/** Formulas are one line of a table; longer ones are a mistake or an attack. */
const LENGTH_MAX = 4000;

/** Nested `a ?? b` and `a ?: b` are parsed twice at each level, so the cost doubles; 8 cost nothing yet. */
const COALESCE_MAX = 8;
/** Not the `(?:` of a regular expression. */
const CHOICE = /\?\?|(?<!\()\?:/g;

/** By the catalog that they look into, and no longer than it lives: what is loaded anew begins with nothing. */
const compiled = new WeakMap<CatalogLookup, Map<string, CompileResult>>();

/** Compiles a formula (without its leading "="). `rootNames` are the members of the provider's event. */
export function compileExpression(
  text: string,
  rootNames: readonly string[],
  catalog: CatalogLookup,
): CompileResult {
  // The same formula often stands in a file more than once; in the shipped ones, every third has stood before.
  const key = `${rootNames.join()} ${text}`;
  let known = compiled.get(catalog);
  if (known === undefined) {
    known = new Map();
    compiled.set(catalog, known);
  }
  let result = known.get(key);
  if (result === undefined) {
    result = compileNew(text, rootNames, catalog);
    known.set(key, result);
  }
  return result;
}

function compileNew(
  text: string,
  rootNames: readonly string[],
  catalog: CatalogLookup,
): CompileResult {
  const tooMuch = beyondLimits(text);
  if (tooMuch !== undefined) return { kind: 'refused', problems: [tooMuch] };
  try {
    return compileShort(text, rootNames, catalog);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // Parser and visitors are recursive.
    const message = 'the formula nests too deeply';
    return {
      kind: 'refused',
      problems: [{ code: 'FORMULA_REFUSED', message, offset: 0, length: 1 }],
    };
  }
}

function compileShort(
  text: string,
  rootNames: readonly string[],
  catalog: CatalogLookup,
): CompileResult {
  let parsed: Parsed;
  try {
    parsed = parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return { kind: 'refused', problems: [syntaxProblem(error, text)] };
  }
  const ast = parsed.ast() as unknown as AstNode;
  const problems = refusals(ast, text, rootNames);
  if (problems.length > 0) return { kind: 'refused', problems };
  const variables = variableUses(ast, text);
  const sources = valueSources(ast);
  rewrite(ast);
  const functions = functionsOver(catalog);
  const evaluateNow: DirectEvaluation =
    compileDirect(ast, functions, GUARDRAILS.sequence) ?? (() => ASK_JSONATA);
  // Most formulas are evaluated directly, so JSONata is given the functions when it is first asked.
  let equipped: Promise<void> | undefined;
  const evaluate: Expression['evaluate'] = async (root, bindings) => {
    equipped ??= equip(parsed, functions);
    await equipped;
    return evaluateWithin(parsed, root, bindings);
  };
  const explain: Expression['explain'] = (root, bindings) =>
    explainParts(text, catalog, root, bindings);
  return {
    kind: 'compiled',
    expression: { text, variables, sources, evaluateNow, evaluate, explain },
  };
}

type Parsed = ReturnType<typeof jsonata>;
type LibraryFunctions = ReadonlyMap<string, (...parameters: unknown[]) => unknown>;

function parse(text: string): Parsed {
  return jsonata(text, {
    ...GUARDRAILS,
    RegexEngine: BoundedRegExp as unknown as RegExpConstructor,
  });
}

const libraries = new WeakMap<CatalogLookup, LibraryFunctions>();

/** The functions that formulas over this catalog may call; one set for all of them. */
function functionsOver(catalog: CatalogLookup): LibraryFunctions {
  let functions = libraries.get(catalog);
  if (functions === undefined) {
    const own = { ...createLibrary(catalog), not, number, toMillis, [CONCATENATE]: concatenate };
    functions = new Map(Object.entries(own) as [string, (...parameters: unknown[]) => unknown][]);
    libraries.set(catalog, functions);
  }
  return functions;
}

let natives: Promise<ReadonlyMap<string, NativeFunction>> | undefined;

/** Gives a parsed formula its library, and JSONata's functions with bounds. */
async function equip(parsed: Parsed, functions: LibraryFunctions): Promise<void> {
  natives ??= boundedFunctions(GUARDRAILS);
  for (const [name, native] of await natives) parsed.assign(name, native);
  for (const [name, implementation] of functions) parsed.registerFunction(name, implementation);
  parsed.registerFunction(OR_ELSE, orElse);
  // JSONata's types know names only; it calls this behind each part of a formula.
  parsed.assign(Symbol.for('jsonata.__evaluate_exit') as unknown as string, countPart);
}

/** @throws what JSONata or a function throws; FORMULA_TOO_LARGE where it would give too much */
async function evaluateWithin(
  parsed: Parsed,
  root: unknown,
  bindings: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const budget = new Budget();
  try {
    return await parsed.evaluate(root, { ...bindings, [BUDGET]: budget });
  } catch (error) {
    throw asTooLarge(error, budget, GUARDRAILS.sequence);
  }
}

// Names that no formula can write.
const CONCATENATE = ' concatenate';
const OR_ELSE = ' orElse';
const NOTE_PART = ' notePart';

async function explainParts(
  text: string,
  catalog: CatalogLookup,
  root: unknown,
  bindings: Readonly<Record<string, unknown>>,
): Promise<readonly PartValue[]> {
  const parsed = parse(text);
  // Read before the operators are rewritten: afterwards the tree is not what was written.
  const parts: readonly Part[] = partsOf(parsed.ast() as unknown as AstNode, text);
  if (parts.length === 0) return [];
  rewrite(parsed.ast() as unknown as AstNode);
  await equip(parsed, functionsOver(catalog));
  notePartsWith(NOTE_PART, parts);
  const seen = new Map<number, unknown>();
  parsed.registerFunction(NOTE_PART, (index: number, value: unknown) => {
    seen.set(index, value);
    return value;
  });
  // Why a formula failed is told by its evaluation; here it only ends what can be told of it.
  await evaluateWithin(parsed, root, bindings).catch(() => undefined);
  // What stands there twice is told once.
  const told = new Map<string, unknown>();
  for (const [index, { text: written }] of parts.entries()) {
    if (seen.has(index) && !told.has(written)) told.set(written, seen.get(index));
  }
  return [...told].map(([written, value]) => ({ text: written, value }));
}

function beyondLimits(text: string): ExpressionProblem | undefined {
  if (text.length > LENGTH_MAX) {
    const message = `the formula has ${text.length} characters; at most ${LENGTH_MAX} are allowed`;
    return { code: 'FORMULA_REFUSED', message, offset: 0, length: 1 };
  }
  const choices = [...text.matchAll(CHOICE)];
  const [first] = choices;
  if (first !== undefined && choices.length > COALESCE_MAX) {
    const message = `"${first[0]}" stands ${choices.length} times; at most ${COALESCE_MAX} are allowed`;
    const hint = 'Use $first(a, b, c, …).';
    return { code: 'FORMULA_REFUSED', message, hint, offset: first.index, length: 2 };
  }
  return undefined;
}

/** Makes the operators mean what they say; changes the tree that will be evaluated. */
function rewrite(ast: AstNode): void {
  const nodes = new Set<AstNode>();
  visitAst(ast, (node) => nodes.add(node));
  for (const node of nodes) {
    if (node.type === 'binary' && node.value === '&')
      callInstead(node, CONCATENATE, operands(node));
    if (node.type === 'binary' && node.value === '!=') {
      // With a missing side JSONata's != is false, so `items[flag != "x"]` drops all without a flag.
      const equality: AstNode = { ...node, value: '=' };
      callInstead(node, 'not', [equality]);
    }
    if (isCoalesce(node) && node.then !== undefined && node.else !== undefined) {
      const { then: value, else: otherwise } = node;
      const thunk: AstNode = { type: 'lambda', arguments: [], body: otherwise };
      const choice: AstNode = { type: 'function', value: '(', arguments: [] };
      if (node.position !== undefined) choice.position = node.position;
      callInstead(choice, OR_ELSE, [value, thunk]);
      // biome-ignore lint/suspicious/noThenProperty: the name is JSONata's own.
      node.then = choice;
    }
  }
}

function operands(node: AstNode): AstNode[] {
  const { lhs, rhs } = node;
  return lhs === undefined || Array.isArray(lhs) || rhs === undefined ? [] : [lhs, rhs];
}

function callInstead(node: AstNode, name: string, parameters: AstNode[]): void {
  delete node.lhs;
  delete node.rhs;
  node.type = 'function';
  node.value = '(';
  node.procedure = { type: 'variable', value: name };
  node.arguments = parameters;
}
