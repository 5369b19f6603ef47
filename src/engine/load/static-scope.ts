// Which names a formula may use, known before any event comes. Takes the uses of variables, reports
// unknown ones and results of steps that are used where nobody can know them yet.

import type { SourceLocation } from '../../core/model.ts';
import { didYouMean } from '../diagnostics/closest.ts';
import type { Findings } from '../diagnostics/findings.ts';
import { FUNCTION_NAMES } from '../expression/function-names.ts';
import type { VariableUse } from '../expression/uses.ts';
import { EVENT_MEMBERS } from '../rules/event-members.ts';
import type { Template } from '../rules/rule-set.ts';

/** What a name stands for. */
export type NameInfo =
  | {
      readonly kind: 'let';
      readonly location: SourceLocation;
      template: Template | undefined;
      used: boolean;
      /** Whether it may hold the result of a step, by its members: what was found out already. */
      deferred?: Map<string, boolean>;
    }
  | { readonly kind: 'item' }
  /** The declared settings of the file. */
  | { readonly kind: 'settings'; readonly members: readonly string[] }
  | { readonly kind: 'result'; readonly members: readonly string[] };

/** One look through names that use each other. */
interface Search {
  /** The names that are being looked into. */
  readonly open: Set<NameInfo>;
  /** Whether all that was met could be looked into. */
  isWhole: boolean;
}

const DEPTH_MAX = 200;

function newSearch(): Search {
  return { open: new Set(), isWhole: true };
}

/** The names that can be seen at one place of a rule file, innermost first. */
export class StaticScope {
  readonly #names = new Map<string, NameInfo>();
  readonly #parent: StaticScope | undefined;
  readonly #envNames: readonly string[];

  constructor(envNames: readonly string[], parent?: StaticScope) {
    this.#envNames = envNames;
    this.#parent = parent;
  }

  child(): StaticScope {
    return new StaticScope(this.#envNames, this);
  }

  /** Adds a name; false when it is taken at this level, by a function, or by one of ours. */
  declare(name: string, info: NameInfo): boolean {
    const reserved = name === 'env' || name === 'event' || FUNCTION_NAMES.has(name);
    if (reserved || this.#names.has(name)) return false;
    this.#names.set(name, info);
    return true;
  }

  find(name: string): NameInfo | undefined {
    return this.#names.get(name) ?? this.#parent?.find(name);
  }

  own(): ReadonlyMap<string, NameInfo> {
    return this.#names;
  }

  visible(): readonly string[] {
    return [...this.#names.keys(), ...(this.#parent?.visible() ?? ['env', 'event'])];
  }

  /**
   * Reports what is wrong with one use of a variable.
   * @param locate asked only where there is something to report: finding a place takes its time
   */
  check(use: VariableUse, locate: () => SourceLocation, findings: Findings): void {
    const at = () => ({ location: locate(), length: use.name.length + 1 });
    const [member] = use.members;
    if (use.name === 'env' || use.name === 'event') {
      const known = use.name === 'env' ? this.#envNames : EVENT_MEMBERS;
      if (member === undefined || !known.includes(member)) {
        const message =
          member === undefined
            ? `$${use.name} is used by its members, as $${use.name}.${known[0] ?? 'NAME'}`
            : `$${use.name} has no member "${member}"${didYouMean(member, known)}`;
        const hint =
          use.name === 'env'
            ? 'Name it under `env:` at the top of the file.'
            : `It has ${EVENT_MEMBERS.join(', ')}.`;
        findings.error('FORMULA_UNKNOWN_VARIABLE', message, { ...at(), hint });
      }
      return;
    }
    const info = this.find(use.name);
    if (info === undefined) {
      const names = this.visible().map((name) => `$${name}`);
      const message = `there is no variable $${use.name}${didYouMean(`$${use.name}`, names)}`;
      findings.error('FORMULA_UNKNOWN_VARIABLE', message, at());
      return;
    }
    if (info.kind === 'let') info.used = true;
    if (info.kind === 'settings') {
      if (member !== undefined && info.members.includes(member)) return;
      const message =
        member === undefined
          ? `$settings is used by its members, as $settings.${info.members[0] ?? 'NAME'}`
          : `there is no setting "${member}"${didYouMean(member, info.members)}`;
      const hint = `The settings are ${info.members.join(', ') || 'none'}.`;
      findings.error('SETTING_UNKNOWN', message, { ...at(), hint });
      return;
    }
    if (info.kind === 'result' && (member === undefined || !info.members.includes(member))) {
      const message =
        member === undefined
          ? `$${use.name} is the result of a step; it is used by its members`
          : `$${use.name} has no member "${member}"${didYouMean(member, info.members)}`;
      const hint = `It has ${info.members.join(', ') || 'none'}.`;
      findings.error('FORMULA_UNKNOWN_VARIABLE', message, { ...at(), hint });
      return;
    }
    if (use.inside && this.#isDeferred(use.name, use.members, newSearch())) {
      const written = [`$${use.name}`, ...use.members].join('.');
      const message = `${written} is known only when the plan runs`;
      findings.error('FORMULA_REFERENCE', message, at());
    }
  }

  /** Whether a name stands for, or may hold, the result of a step. */
  #isDeferred(name: string, members: readonly string[], search: Search): boolean {
    const info = this.find(name);
    if (info === undefined || info.kind === 'item' || info.kind === 'settings') return false;
    if (info.kind === 'result') return true;
    // Names that need each other are a finding of their own; a name that is not compiled yet says nothing.
    if (info.template === undefined || search.open.has(info) || search.open.size > DEPTH_MAX) {
      search.isWhole = false;
      return false;
    }
    const path = members.join('.');
    const known = info.deferred?.get(path);
    if (known !== undefined) return known;
    search.open.add(info);
    const outer = search.isWhole;
    search.isWhole = true;
    const holds = this.#holdsResult(info.template, members, search);
    search.open.delete(info);
    // Each name is looked into once, however many others use it.
    if (search.isWhole) {
      info.deferred ??= new Map();
      info.deferred.set(path, holds);
    }
    search.isWhole &&= outer;
    return holds;
  }

  #holdsResult(template: Template, members: readonly string[], search: Search): boolean {
    if (template.kind === 'literal') return false;
    if (template.kind === 'formula') {
      return template.variables.some((use) => this.#isDeferred(use.name, use.members, search));
    }
    if (template.kind === 'list') {
      return template.items.some((item) => this.#holdsResult(item, [], search));
    }
    const [first, ...rest] = members;
    const chosen =
      first === undefined ? [...template.members.values()] : [template.members.get(first)];
    return chosen.some((member) => member !== undefined && this.#holdsResult(member, rest, search));
  }

  /** Whether the template's value may hold the result of a step. */
  needsRun(template: Template): boolean {
    return this.#holdsResult(template, [], newSearch());
  }
}
