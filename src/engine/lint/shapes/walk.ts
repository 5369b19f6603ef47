// Walks a formula with shapes in the place of values. Takes its syntax tree and what is known of the event;
// gives what the formula may give, and notes what cannot be meant. Says nothing where nothing is known.

import type { AstNode } from '../../expression/syntax.ts';
import { isCoalesce, tokenSpan } from '../../expression/syntax.ts';
import { callValue } from './functions.ts';
import type { Suspicion } from './notebook.ts';
import { checkOperator } from './operators.ts';
import { BOOLEAN, isKnown, NUMBER, type Shape, TEXT } from './shape.ts';
import {
  BOOLEAN_VALUE,
  eitherOf,
  memberOf,
  NUMBER_VALUE,
  severalOf,
  single,
  TEXT_VALUE,
  UNKNOWN_VALUE,
  type Value,
} from './value.ts';

/** What a walk needs of its surroundings. */
export interface Surroundings {
  readonly text: string;
  /** The event, where paths begin. */
  readonly root: Value;
  /** What a name of `let`, a loop or a step holds; `lenient` where another value may stand in for it. */
  variable(name: string, lenient: boolean): Value;
  /** Notes what was seen at an offset of the formula, and whether enough was known to judge. */
  note(offset: number, kind: string, seen: Suspicion | undefined, known: boolean): void;
  /** Judges a name that is looked up at an offset of the formula. */
  lookUp(offset: number, holder: Value, name: string, place: Place): void;
  /** The fields that an entry of the catalog may have. */
  readonly catalogEntry: Shape;
}

/** How a name is looked up. */
export interface Place {
  /** Another value may stand in for it. */
  readonly lenient: boolean;
  /** It stands inside [ ], where names mean the item. */
  readonly inFilter: boolean;
  readonly written: string;
}

export interface Here {
  readonly context: Value;
  readonly locals: ReadonlyMap<string, Value>;
  readonly lenient: boolean;
  readonly inFilter: boolean;
}

/** One walk over one formula. */
export class Walk {
  readonly around: Surroundings;

  constructor(around: Surroundings) {
    this.around = around;
  }

  /** What the whole formula may give. */
  run(ast: AstNode, lenient: boolean): Value {
    const context = this.around.root;
    return this.value(ast, { context, locals: new Map(), lenient, inFilter: false });
  }

  value(node: AstNode, here: Here): Value {
    const value = this.#bare(node, here);
    const filtered = (node.predicate ?? []).reduce(
      (rest, filter) => this.#filter(rest, filter, here, false),
      value,
    );
    return node.group === undefined ? filtered : UNKNOWN_VALUE;
  }

  #bare(node: AstNode, here: Here): Value {
    switch (node.type) {
      case 'path':
        return this.#path(node, here);
      case 'name':
        return this.#name(node, here);
      case 'variable':
        return this.#variable(node, here);
      case 'string':
        return { shape: { ...TEXT, words: [String(node.value)] }, many: false };
      case 'number':
        return NUMBER_VALUE;
      case 'value':
        return typeof node.value === 'boolean' ? BOOLEAN_VALUE : UNKNOWN_VALUE;
      case 'binary':
        return this.#binary(node, here);
      case 'unary':
        return this.#unary(node, here);
      case 'function':
        return callValue(this, node, here);
      case 'condition':
        return this.#condition(node, here);
      case 'block':
        return this.#block(node, here);
      case 'bind':
        return node.rhs === undefined ? UNKNOWN_VALUE : this.value(node.rhs, here);
      case 'apply':
        if (node.lhs !== undefined && !Array.isArray(node.lhs)) this.value(node.lhs, here);
        return UNKNOWN_VALUE;
      default:
        return UNKNOWN_VALUE;
    }
  }

  #path(node: AstNode, here: Here): Value {
    let current = here.context;
    let { locals } = here;
    for (const [index, step] of (node.steps ?? []).entries()) {
      const outerMany = index > 0 && current.many;
      if (step.type === 'sort') {
        const inner = { ...here, context: single(current), locals, inFilter: true };
        for (const { expression } of step.terms ?? []) this.value(expression, inner);
        continue;
      }
      const inner = { ...here, context: index === 0 ? current : single(current), locals };
      let found = this.value(step, index === 0 ? inner : { ...inner, inFilter: false });
      for (const filter of step.stages ?? []) {
        found = this.#filter(found, filter, { ...here, locals }, outerMany);
      }
      for (const bound of [step.focus, step.index]) {
        if (bound !== undefined) locals = new Map([...locals, [bound, UNKNOWN_VALUE]]);
      }
      // A join keeps the context of the step before, so what follows it is not known.
      current = step.focus === undefined ? found : UNKNOWN_VALUE;
      if (outerMany) current = severalOf(current);
    }
    return node.group === undefined ? current : UNKNOWN_VALUE;
  }

  #name(node: AstNode, here: Here): Value {
    const name = String(node.value);
    const { context, lenient, inFilter } = here;
    const { around } = this;
    const { offset } = tokenSpan(node, around.text);
    around.lookUp(offset, context, name, { lenient, inFilter, written: name });
    const member = memberOf(context, name);
    return member.kind === 'found' ? member.value : UNKNOWN_VALUE;
  }

  #variable(node: AstNode, here: Here): Value {
    const name = String(node.value);
    if (name === '') return here.context;
    if (name === '$') return this.around.root;
    return here.locals.get(name) ?? this.around.variable(name, here.lenient);
  }

  /** `[0]` takes one of a list; any other filter leaves as many as there were. */
  #filter(value: Value, filter: AstNode, here: Here, ofEach: boolean): Value {
    const { expr } = filter;
    if (expr === undefined) return value;
    const context = single(value);
    const asked = this.value(expr, { ...here, context, lenient: false, inFilter: true });
    const isIndex = expr.type === 'number' || (expr.type === 'unary' && expr.value === '-');
    if (isIndex && isKnown(value.shape)) {
      const { offset } = tokenSpan(filter, this.around.text);
      const written = this.around.text.slice(offset).split(']', 1)[0] ?? '';
      const suspicion: Suspicion = {
        code: 'SHAPE_LIST',
        message: `${written}] takes the first of each, and so all of them`,
        hint: 'Put brackets around the path to take one of the whole list: (a.b.c)[0].',
        length: written.length + 1,
      };
      this.around.note(offset, 'index', ofEach && !value.many ? suspicion : undefined, true);
    }
    // A number picks one; what is not known may be a number.
    const picks = isIndex || (asked.shape.plain.size === 1 && asked.shape.plain.has('n'));
    return picks ? single(value) : value;
  }

  #binary(node: AstNode, here: Here): Value {
    const { lhs, rhs } = node;
    if (lhs === undefined || Array.isArray(lhs) || rhs === undefined) return UNKNOWN_VALUE;
    const operator = String(node.value);
    // What is asked for beside something else need not be there.
    const lenient = here.lenient || operator === 'or' || operator === 'and';
    const left = this.value(lhs, { ...here, lenient });
    const right = this.value(rhs, { ...here, lenient });
    const { offset } = tokenSpan(node, this.around.text);
    const known = isKnown(left.shape) && isKnown(right.shape);
    this.around.note(offset, 'operator', checkOperator(operator, left, right), known);
    switch (operator) {
      case '&':
        return TEXT_VALUE;
      case '..':
        return { shape: NUMBER, many: true };
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
        return NUMBER_VALUE;
      default:
        return { shape: BOOLEAN, many: false };
    }
  }

  #unary(node: AstNode, here: Here): Value {
    if (node.value === '[') {
      return severalOf(eitherOf((node.expressions ?? []).map((item) => this.value(item, here))));
    }
    if (node.value === '{' && Array.isArray(node.lhs)) {
      const members = new Map<string, Shape>();
      let open = false;
      for (const [key, member] of node.lhs) {
        const { shape, many } = this.value(member, here);
        if (key.type === 'string') {
          members.set(String(key.value), many ? { plain: new Set(), item: shape } : shape);
        } else open = true;
      }
      return open || members.size === 0
        ? UNKNOWN_VALUE
        : { shape: { plain: new Set(), members }, many: false };
    }
    if (node.expression !== undefined) this.value(node.expression, here);
    return NUMBER_VALUE;
  }

  #condition(node: AstNode, here: Here): Value {
    const lenient = { ...here, lenient: true };
    if (!isCoalesce(node) && node.condition !== undefined) this.value(node.condition, lenient);
    const branches = [node.then, node.else].filter((branch) => branch !== undefined);
    return eitherOf(branches.map((branch) => this.value(branch, lenient)));
  }

  #block(node: AstNode, here: Here): Value {
    let { locals } = here;
    let last = UNKNOWN_VALUE;
    for (const expression of node.expressions ?? []) {
      last = this.value(expression, { ...here, locals });
      const { lhs } = expression;
      if (expression.type === 'bind' && lhs !== undefined && !Array.isArray(lhs)) {
        locals = new Map([...locals, [String(lhs.value), last]]);
      }
    }
    return last;
  }
}
