// The names at one place of a rule file, with what each of them holds for one event type. Takes templates,
// gives values; each is walked once for a scope. Reports nothing itself.

import type { NameTable, Template } from '../../rules/rule-set.ts';
import { UNKNOWN_VALUE, type Value } from './value.ts';

type Entry =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'let'; readonly template: Template; readonly results: Map<boolean, Value> };

/** Works out what a template of a scope gives. */
export type Evaluate = (template: Template, scope: ShapeScope, lenient: boolean) => Value;

export class ShapeScope {
  readonly #entries = new Map<string, Entry>();
  readonly #parent: ShapeScope | undefined;

  constructor(parent?: ShapeScope) {
    this.#parent = parent;
  }

  child(names: NameTable = new Map()): ShapeScope {
    const scope = new ShapeScope(this);
    for (const [name, template] of names) {
      scope.#entries.set(name, { kind: 'let', template, results: new Map() });
    }
    return scope;
  }

  set(name: string, value: Value): void {
    this.#entries.set(name, { kind: 'value', value });
  }

  /** What a name holds; names that need each other are a finding of their own, and unknown here. */
  resolve(name: string, lenient: boolean, evaluate: Evaluate): Value {
    const entry = this.#entries.get(name);
    if (entry === undefined) return this.#parent?.resolve(name, lenient, evaluate) ?? UNKNOWN_VALUE;
    if (entry.kind === 'value') return entry.value;
    const known = entry.results.get(lenient);
    if (known !== undefined) return known;
    entry.results.set(lenient, UNKNOWN_VALUE);
    const value = evaluate(entry.template, this, lenient);
    entry.results.set(lenient, value);
    return value;
  }
}
