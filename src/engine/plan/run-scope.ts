// The names that a formula sees while an event is evaluated. Takes tables of names, gives what stands under
// one, from the innermost place outwards. Never evaluates anything.

import type { NameTable, Template } from '../rules/rule-set.ts';

/** What stands under a name. */
export type Entry =
  | { readonly kind: 'value'; readonly value: unknown }
  | {
      readonly kind: 'lazy';
      readonly template: Template;
      /** From its first use on, where it has to be waited for. */
      result: Promise<unknown> | undefined;
      /** Once it is known; in a map of its own, since it may be known to be missing. */
      known: { readonly value: unknown } | undefined;
    };

/** The names at one place of a rule while an event is evaluated, innermost first. */
export class RunScope {
  readonly #entries = new Map<string, Entry>();
  readonly #parent: RunScope | undefined;
  /** The item of a loop that the names belong to, for people. */
  item: string | undefined;

  constructor(parent?: RunScope) {
    this.#parent = parent;
    this.item = parent?.item;
  }

  /** A scope inside this one, with the names of a `let`. */
  child(names: NameTable = new Map()): RunScope {
    const scope = new RunScope(this);
    for (const [name, template] of names) {
      scope.#entries.set(name, { kind: 'lazy', template, result: undefined, known: undefined });
    }
    return scope;
  }

  set(name: string, value: unknown): void {
    this.#entries.set(name, { kind: 'value', value });
  }

  /** The entry of a name and the scope that it belongs to, in which its own names are looked up. */
  find(name: string): { entry: Entry; scope: RunScope } | undefined {
    const entry = this.#entries.get(name);
    return entry === undefined ? this.#parent?.find(name) : { entry, scope: this };
  }
}
