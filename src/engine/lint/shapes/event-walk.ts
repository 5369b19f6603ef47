// Walks the templates of a rule file for one event type. Takes formulas, literals, maps and lists; gives what
// they may give, and notes what was seen at each place. Never decides what a rule needs; see fields.ts.

import jsonata from 'jsonata';
import type { AppErrorCode } from '../../../core/error-codes.ts';
import type { SourceLocation } from '../../../core/model.ts';
import type { AstNode } from '../../expression/syntax.ts';
import type { Formula, NameTable, Template } from '../../rules/rule-set.ts';
import type { Notebook, Suspicion } from './notebook.ts';
import { type EventKind, judgeMove, judgeName } from './paths.ts';
import type { ShapeScope } from './scope.ts';
import { isKnown, learn, type Shape } from './shape.ts';
import { eitherOf, severalOf, UNKNOWN_VALUE, type Value, valueFrom } from './value.ts';
import { type Place, Walk } from './walk.ts';

interface WalkOptions {
  readonly event: EventKind;
  /** Whether there is a sample of this type; without one, everything is fine. */
  readonly isSampled: boolean;
  readonly notebook: Notebook;
  /** Whether only what paths lead to is looked at. */
  readonly namesOnly: boolean;
  /** Every template that was walked, for whatever event type. */
  readonly walked: Set<Template>;
  readonly catalogEntry: Shape;
  /** The lines of the rule file. */
  readonly lines: readonly string[];
}

/** What is wrong at a whole value; the place and its length are the value's own. */
interface ValueProblem {
  readonly code: AppErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Names that use names; beyond it nothing is known. */
const DEPTH_MAX = 50;

/** The tree of a formula as it was written; the one that is evaluated was changed for that. */
const trees = new WeakMap<Formula, AstNode>();

function treeOf(formula: Formula): AstNode {
  const known = trees.get(formula);
  if (known !== undefined) return known;
  const tree = jsonata(formula.text).ast() as unknown as AstNode;
  trees.set(formula, tree);
  return tree;
}

export class EventWalk {
  readonly event: EventKind;
  readonly #options: WalkOptions;
  #depth = 0;

  constructor(options: WalkOptions) {
    this.event = options.event;
    this.#options = options;
  }

  /** What a template may give; `lenient` where another value may stand in for it. */
  template(template: Template, scope: ShapeScope, lenient: boolean): Value {
    this.#options.walked.add(template);
    if (this.#depth > DEPTH_MAX) return UNKNOWN_VALUE;
    this.#depth += 1;
    const value = this.#inside(template, scope, lenient);
    this.#depth -= 1;
    return value;
  }

  #inside(template: Template, scope: ShapeScope, lenient: boolean): Value {
    switch (template.kind) {
      case 'literal':
        return valueFrom(learn(template.value));
      case 'formula':
        return this.#formula(template, scope, lenient);
      case 'list':
        return severalOf(
          eitherOf(template.items.map((item) => this.template(item, scope, lenient))),
        );
      case 'map': {
        const members = new Map<string, Shape>();
        for (const [name, member] of template.members) {
          const { shape, many } = this.template(member, scope, lenient);
          members.set(name, many ? { plain: new Set(), item: shape } : shape);
        }
        return members.size === 0 ? UNKNOWN_VALUE : valueFrom({ plain: new Set(), members });
      }
    }
  }

  #formula(formula: Formula, scope: ShapeScope, lenient: boolean): Value {
    const { event, isSampled, catalogEntry } = this.#options;
    const walk = new Walk({
      text: formula.text,
      root: isSampled ? valueFrom(event.root, []) : UNKNOWN_VALUE,
      variable: (name, isLenient) =>
        scope.resolve(name, isLenient, (template, owner, inner) =>
          this.template(template, owner, inner),
        ),
      note: (offset, kind, seen, known) => {
        this.note(formula.locate(offset), kind, seen, known);
      },
      lookUp: (offset, holder, name, place) => {
        this.lookUp(formula.locate(offset), holder, name, place);
      },
      catalogEntry,
    });
    return walk.run(treeOf(formula), lenient);
  }

  /** What a variable holds. */
  variable(name: string, scope: ShapeScope): Value {
    return scope.resolve(name, false, (template, owner, lenient) =>
      this.template(template, owner, lenient),
    );
  }

  /** The event itself, where paths begin. */
  root(): Value {
    return this.#options.isSampled ? valueFrom(this.event.root, []) : UNKNOWN_VALUE;
  }

  /** The place of a character of a key, which may stand in quotes. */
  inKey(location: SourceLocation, offset: number): SourceLocation {
    const first = this.#options.lines[location.line - 1]?.[location.column - 1];
    const quote = first === '"' || first === "'" ? 1 : 0;
    return { ...location, column: location.column + offset + quote };
  }

  /** Names of a `let` that nothing has asked for yet. */
  rest(names: NameTable, scope: ShapeScope): void {
    for (const template of names.values()) {
      if (!this.#options.walked.has(template)) this.template(template, scope, true);
    }
  }

  /** Notes what is wrong with the whole value of a template. */
  noteFormula(
    template: Template,
    kind: string,
    problem: ValueProblem | undefined,
    value: Value,
  ): void {
    const isFormula = template.kind === 'formula';
    const location = isFormula ? template.locate(0) : template.location;
    const length = isFormula ? (template.text.split('\n', 1)[0]?.length ?? 1) : 1;
    const known = isKnown(value.shape);
    this.note(location, kind, problem === undefined ? undefined : { ...problem, length }, known);
  }

  /** Judges a name of a path: whether it is there, and whether it was moved. */
  lookUp(location: SourceLocation, holder: Value, name: string, place: Place): void {
    const known = isKnown(holder.shape);
    const { event } = this;
    this.note(location, 'name', judgeName(holder, name, place, event), known);
    this.note(location, 'move', judgeMove(holder, name, place, event), known);
  }

  /** Notes what was seen at a place, and whether enough was known to judge. */
  note(location: SourceLocation, kind: string, seen: Suspicion | undefined, known: boolean): void {
    const { isSampled, namesOnly, notebook } = this.#options;
    if (namesOnly && kind !== 'name') return;
    if (seen === undefined && !known && isSampled) return;
    notebook.note(location, kind, seen);
  }
}
