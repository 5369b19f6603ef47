// Formulas that are plain paths and calls of our own functions, evaluated without JSONata's machinery.
// Takes the syntax tree that JSONata would evaluate, gives a function with the very same results, or
// nothing where the formula needs more than that: of operators it knows =, and, or, and {} for an empty map. Most formulas of a rule file need no more; JSONata makes
// about ten objects and promises for each step of a path, and V8 frees those only in its large collections.
// Never decides what an operator means: test/engine/expression/direct.test.ts proves the two equal.

import type { AstNode } from './syntax.ts';

/** What a formula gives at once, or that JSONata has to be asked after all. */
export type DirectEvaluation = (
  root: unknown,
  bindings: Readonly<Record<string, unknown>>,
) => unknown;

type Implementation = (...parameters: unknown[]) => unknown;

/** JSONata has to be asked: a limit is passed, or a value is there that it treats in its own way. */
export const ASK_JSONATA: unique symbol = Symbol('ask JSONata');

class Asks extends Error {}

/** Members that the node of a plain step, literal, variable, path, call or operator has; any other means more. */
const PLAIN_MEMBERS = new Set([
  ...['type', 'value', 'position', 'steps', 'procedure', 'arguments', 'lhs', 'rhs'],
]);

/**
 * The direct evaluation of a tree, or undefined where it holds anything but names, literals, variables, simple
 * operators and calls of these functions.
 * @param sequenceMax more items than this in one list are JSONata's to refuse
 */
export function compileDirect(
  ast: AstNode,
  functions: ReadonlyMap<string, Implementation>,
  sequenceMax: number,
): DirectEvaluation | undefined {
  const evaluate = compileNode(ast, { functions, sequenceMax });
  if (evaluate === undefined) return undefined;
  return (root, bindings) => {
    try {
      return evaluate(root, bindings);
    } catch (error) {
      if (error instanceof Asks) return ASK_JSONATA;
      throw error;
    }
  };
}

interface Means {
  readonly functions: ReadonlyMap<string, Implementation>;
  readonly sequenceMax: number;
}

function compileNode(node: AstNode, means: Means): DirectEvaluation | undefined {
  const isPlain = Object.entries(node).every(
    ([member, value]) => value === undefined || PLAIN_MEMBERS.has(member),
  );
  if (!isPlain) return undefined;
  switch (node.type) {
    case 'string':
    case 'number':
    case 'value': {
      const { value } = node;
      return () => value;
    }
    case 'variable':
      return compileVariable(String(node.value ?? ''));
    case 'name': {
      const name = String(node.value);
      return (root) => normal(lookUp(root, name));
    }
    case 'path':
      return compilePath(node, means);
    case 'function':
      return compileCall(node, means);
    case 'binary':
      return compileOperator(node, means);
    case 'unary':
      // A map without members; one with members is JSONata's.
      return node.value === '{' && Array.isArray(node.lhs) && node.lhs.length === 0
        ? () => Object.create(null) as object
        : undefined;
    default:
      return undefined;
  }
}

/** `$name`; `$` alone is the input, and `$$` is the root: both are JSONata's. */
function compileVariable(name: string): DirectEvaluation | undefined {
  if (name === '' || name === '$') return undefined;
  return (_, bindings) => {
    // A name that is not bound may be one of JSONata's own functions.
    if (!Object.hasOwn(bindings, name)) throw new Asks();
    return bindings[name];
  };
}

function compilePath(node: AstNode, means: Means): DirectEvaluation | undefined {
  const [head, ...rest] = node.steps ?? [];
  if (head === undefined) return undefined;
  const first = compileNode(head, means);
  const names: string[] = [];
  for (const step of rest) {
    if (step.type !== 'name' || compileNode(step, means) === undefined) return undefined;
    names.push(String(step.value));
  }
  if (first === undefined) return undefined;
  return (root, bindings) => {
    // A list as the whole input is wrapped by JSONata; events are maps.
    if (Array.isArray(root)) throw new Asks();
    let value = first(root, bindings);
    let place = 0;
    // As long as no list comes, one value leads to one value.
    while (place < names.length && value !== undefined && !Array.isArray(value)) {
      value = lookUp(value, names[place] ?? '');
      place += 1;
    }
    if (!Array.isArray(value)) return value;
    return manyFrom(value, names.slice(place), means.sequenceMax);
  };
}

/** The rest of a path from a list on. */
function manyFrom(list: unknown, names: readonly string[], sequenceMax: number): unknown {
  const lastPlace = names.length - 1;
  let sequence = flatten([normal(list)], lastPlace < 0, sequenceMax);
  for (const [place, name] of names.entries()) {
    if (sequence.items.length === 0) break;
    const found = sequence.items.map((item) => normal(lookUp(item, name)));
    sequence = flatten(found, place === lastPlace, sequenceMax);
  }
  return sequence.isList ? sequence.items : normalItems(sequence.items);
}

/** Comparing and deciding by texts, numbers and truth values; what a list or a map means there is JSONata's. */
function compileOperator(node: AstNode, means: Means): DirectEvaluation | undefined {
  const { value: operator, lhs, rhs, position } = node;
  if (lhs === undefined || Array.isArray(lhs) || rhs === undefined) return undefined;
  const left = compileNode(lhs, means);
  const right = compileNode(rhs, means);
  if (left === undefined || right === undefined) return undefined;
  if (operator === '=') {
    return (root, bindings) => {
      const one = scalar(left(root, bindings));
      const other = scalar(right(root, bindings));
      return one !== undefined && one === other;
    };
  }
  if (operator !== 'and' && operator !== 'or') return undefined;
  return (root, bindings) => {
    const isSo = Boolean(scalar(left(root, bindings)));
    if (isSo === (operator === 'or')) return isSo;
    try {
      return Boolean(scalar(right(root, bindings)));
    } catch (error) {
      // As JSONata does it: what fails on the right is told at the operator.
      throw error instanceof Asks
        ? error
        : Object.assign(error as object, { position, token: operator });
    }
  };
}

function scalar(value: unknown): string | number | boolean | undefined {
  if (value === undefined || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new Asks();
}

interface Flat {
  readonly items: readonly unknown[];
  /** A list as it stands in the event: it stays one, however many items it has. */
  readonly isList: boolean;
}

/** Values of one step, with lists among them opened; a list that is all there is at the end stays. */
function flatten(values: readonly unknown[], isLast: boolean, sequenceMax: number): Flat {
  const found = values.filter((value) => value !== undefined);
  const [only] = found;
  if (isLast && found.length === 1 && Array.isArray(only) && !(only instanceof Several)) {
    return { items: only, isList: true };
  }
  const items = found.flat();
  if (items.length > sequenceMax) throw new Asks();
  return { items, isList: false };
}

/** Several values that a step found, as opposed to one list of the event. */
class Several extends Array<unknown> {
  // What a function makes of it, by `map` or `filter`, is a list of its own.
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

function normalItems(items: readonly unknown[]): unknown {
  if (items.length < 2) return items[0];
  return Several.from(items);
}

function normal(value: unknown): unknown {
  return value instanceof Several ? normalItems(value) : value;
}

/** The member of a map, or of each map of a list, at any depth of lists. */
function lookUp(input: unknown, name: string): unknown {
  if (Array.isArray(input)) {
    const found = input.flatMap((item: unknown) => {
      const value = lookUp(item, name);
      return value === undefined ? [] : value;
    });
    return Several.from(found);
  }
  if (typeof input !== 'object' || input === null || !Object.hasOwn(input, name)) return undefined;
  if (isFunctionOfJsonata(input)) return undefined;
  return (input as Record<string, unknown>)[name];
}

function compileCall(node: AstNode, means: Means): DirectEvaluation | undefined {
  const { procedure, position } = node;
  const name = String(procedure?.value);
  const isType = name === 'type' && node.arguments?.length === 1;
  const implementation = isType ? typeOf : means.functions.get(name);
  if (procedure?.type !== 'variable' || implementation === undefined) return undefined;
  const parameters: DirectEvaluation[] = [];
  for (const argument of node.arguments ?? []) {
    const parameter = compileNode(argument, means);
    if (parameter === undefined) return undefined;
    parameters.push(parameter);
  }
  return (root, bindings) => {
    if (Object.hasOwn(bindings, name)) throw new Asks();
    const values: unknown[] = [];
    for (const parameter of parameters) {
      const value = parameter(root, bindings);
      if (isFunctionOfJsonata(value)) throw new Asks();
      values.push(value);
    }
    try {
      return normal(implementation(...values));
    } catch (error) {
      // As JSONata does it: where the call stands, for whoever tells of the error.
      throw Object.assign(error as object, { position, token: name });
    }
  };
}

/** JSONata's own `$type`, which rules ask to tell an object from its id. */
function typeOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** What JSONata takes for a function; an event may hold such a member, too. */
function isFunctionOfJsonata(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  const marks = value as { _jsonata_function?: unknown; _jsonata_lambda?: unknown };
  return marks._jsonata_function === true || marks._jsonata_lambda === true;
}
