// Evaluates formulas and values for one event. Takes compiled templates, gives values or an
// EvaluationFailure that says where and why. Pure: the same event gives the same values.

import type {
  FormulaPart,
  JsonObject,
  JsonValue,
  NameTrace,
  SourceLocation,
  ValueTrace,
  WebhookEvent,
} from '../../core/model.ts';
import { formatLocation } from '../diagnostics/findings.ts';
import { ASK_JSONATA } from '../expression/direct.ts';
import { requireValueSize, sizeOf } from '../expression/size-limits.ts';
import { isBlank, type PlainResult, toPlain, withoutNulls } from '../expression/values.ts';
import type { Formula, Observer, Template } from '../rules/rule-set.ts';
import { writtenAs } from '../rules/written-as.ts';
import { EvaluationFailure, failureOf, problemAt } from './evaluation-failure.ts';
import { RunScope } from './run-scope.ts';

/** What cannot be had without waiting: JSONata has to be asked. */
const NOT_NOW: unique symbol = Symbol('not now');

/** Payloads without nulls, as long as their events are worked on: subjects and plan need the same. */
const ROOTS = new WeakMap<JsonObject, JsonObject>();

function rootOf(payload: JsonObject): JsonObject {
  let root = ROOTS.get(payload);
  if (root === undefined) {
    root = (withoutNulls(payload) ?? {}) as JsonObject;
    ROOTS.set(payload, root);
  }
  return root;
}

/** One event under evaluation. */
export class Evaluation {
  readonly event: WebhookEvent;
  /** The event's payload without nulls: what formulas see. */
  readonly root: JsonObject;
  /** The outermost names: $env and $event. */
  readonly outermost: RunScope;
  /** Where what is looked up is noted for people; undefined where an event is only handled. */
  readonly lookups: { readonly names: NameTrace[]; readonly values: ValueTrace[] } | undefined;
  readonly observer: Observer | undefined;

  constructor(
    event: WebhookEvent,
    env: Readonly<Record<string, string | undefined>>,
    { explain = false, observer }: { explain?: boolean; observer?: Observer | undefined } = {},
  ) {
    this.event = event;
    this.observer = observer;
    this.lookups = explain ? { names: [], values: [] } : undefined;
    this.root = rootOf(event.payload);
    this.outermost = new RunScope();
    this.outermost.set('env', env);
    this.outermost.set('event', {
      provider: event.provider,
      id: event.id,
      type: event.type,
      time: new Date(event.timeMs).toISOString(),
      ...(event.live === null ? {} : { live: event.live }),
    });
  }

  /** What a formula gives, with references to results of steps as objects of their own. */
  async formula(formula: Formula, scope: RunScope): Promise<unknown> {
    const now = this.#now(formula, scope);
    return now === NOT_NOW ? this.#later(formula, scope) : now;
  }

  async #later(formula: Formula, scope: RunScope): Promise<unknown> {
    const bindings = await this.#bindings(formula, scope);
    const value = evaluateNow(formula, this.root, bindings);
    if (value !== NOT_NOW) return value;
    try {
      return await formula.evaluate(this.root, bindings);
    } catch (error) {
      throw failureOf(error, formula);
    }
  }

  /**
   * A value that needs nothing to be waited for, which is most of them: without a promise for each formula, an
   * event costs half. What is explained is evaluated in the other way, in which its names are noted.
   */
  #now(template: Template, scope: RunScope): unknown {
    if (this.lookups !== undefined) return NOT_NOW;
    switch (template.kind) {
      case 'literal':
        return template.value ?? undefined;
      case 'formula': {
        const bindings: Record<string, unknown> = {};
        for (const { name } of template.variables) {
          if (Object.hasOwn(bindings, name)) continue;
          const value = this.#variableNow(name, scope);
          if (value === NOT_NOW) return NOT_NOW;
          bindings[name] = value;
        }
        return evaluateNow(template, this.root, bindings);
      }
      case 'map': {
        const map: Record<string, unknown> = {};
        for (const [name, member] of template.members) {
          const value = this.#now(member, scope);
          if (value === NOT_NOW) return NOT_NOW;
          addMember(map, name, member, value);
        }
        return notTooLarge(map, template);
      }
      case 'list': {
        const values: unknown[] = [];
        for (const item of template.items) {
          const value = this.#now(item, scope);
          if (value === NOT_NOW) return NOT_NOW;
          if (value !== undefined) values.push(value);
        }
        return notTooLarge(values, template);
      }
    }
  }

  #variableNow(name: string, scope: RunScope): unknown {
    const found = scope.find(name);
    if (found === undefined) return undefined;
    const { entry } = found;
    if (entry.kind === 'value') return entry.value;
    if (entry.known !== undefined) return entry.known.value;
    if (entry.result !== undefined) return NOT_NOW;
    const value = this.#now(entry.template, found.scope);
    if (value !== NOT_NOW) entry.known = { value };
    return value;
  }

  /** What the parts of a formula were, where the event is explained. */
  async parts(formula: Formula, scope: RunScope): Promise<readonly FormulaPart[]> {
    if (this.lookups === undefined) return [];
    const parts = await formula.explain(this.root, await this.#bindings(formula, scope));
    return parts.map(({ text, value }) => ({ formula: text, actual: shown(value) }));
  }

  async #bindings(formula: Formula, scope: RunScope): Promise<Record<string, unknown>> {
    const bindings: Record<string, unknown> = {};
    for (const { name } of formula.variables) {
      if (!Object.hasOwn(bindings, name)) bindings[name] = await this.variable(name, scope);
    }
    return bindings;
  }

  /** The value of a name; evaluated at its first use, in the scope it was written in. */
  async variable(name: string, scope: RunScope): Promise<unknown> {
    const found = scope.find(name);
    if (found === undefined) return undefined;
    const { entry } = found;
    if (entry.kind === 'value') return entry.value;
    if (entry.known !== undefined) return entry.known.value;
    if (entry.result === undefined) {
      entry.result = this.template(entry.template, found.scope).then((value) => {
        entry.known = { value };
        return value;
      });
      if (this.lookups !== undefined) await this.#note(name, entry.template, found.scope, entry);
    }
    return entry.result;
  }

  async #note(
    name: string,
    template: Template,
    { item }: RunScope,
    entry: { readonly result: Promise<unknown> | undefined },
  ): Promise<void> {
    // What fails is told as a problem, by whoever needed the name.
    const value = await entry.result?.catch(() => undefined);
    this.lookups?.names.push({
      name: `$${name}`,
      ...(item === undefined ? {} : { item }),
      expression: writtenAs(template),
      actual: shown(value),
      location: formatLocation(template.location),
    });
  }

  /** Any value of a rule; members and items that come out missing are left out. */
  async template(template: Template, scope: RunScope): Promise<unknown> {
    const now = this.#now(template, scope);
    if (now !== NOT_NOW) return now;
    switch (template.kind) {
      case 'literal':
        return template.value ?? undefined;
      case 'formula':
        return this.#later(template, scope);
      case 'map': {
        const map: Record<string, unknown> = {};
        for (const [name, member] of template.members) {
          addMember(map, name, member, await this.template(member, scope));
        }
        return notTooLarge(map, template);
      }
      case 'list': {
        const values: unknown[] = [];
        for (const item of template.items) values.push(await this.template(item, scope));
        return notTooLarge(
          values.filter((value) => value !== undefined),
          template,
        );
      }
    }
  }

  /** The same as plain JSON. */
  async plain(template: Template, scope: RunScope): Promise<PlainResult> {
    const value = await this.template(template, scope);
    return plainAt(value, template.location, template);
  }

  /** A text that must be there: an id, a reason. */
  async text(template: Template, scope: RunScope, what: string): Promise<string> {
    const value = await this.plain(template, scope);
    if (typeof value === 'string' && !isBlank(value)) return value;
    if (typeof value === 'number') return String(value);
    const code = isBlank(value) ? 'FIELD_MISSING' : 'FIELD_TYPE';
    const message = isBlank(value) ? `${what} came out missing` : `${what} must be one text`;
    throw new EvaluationFailure(problemAt(code, message, template.location));
  }
}

/** What a formula gives without JSONata, or NOT_NOW. @throws EvaluationFailure */
function evaluateNow(
  formula: Formula,
  root: JsonObject,
  bindings: Readonly<Record<string, unknown>>,
): unknown {
  try {
    const value = formula.evaluateNow(root, bindings);
    return value === ASK_JSONATA ? NOT_NOW : value;
  } catch (error) {
    throw failureOf(error, formula);
  }
}

/** A value that is put together by YAML has the bounds of one that a formula makes. @throws EvaluationFailure */
function notTooLarge(value: object, template: Template): object {
  try {
    requireValueSize('this value', sizeOf(value));
    return value;
  } catch (error) {
    throw failureOf(error, template);
  }
}

function addMember(
  map: Record<string, unknown>,
  name: string,
  member: Template,
  value: unknown,
): void {
  if (value === undefined || isIntervalOfNothing(name, member, value)) return;
  map[name] = value;
}

/** A value for people; what has no form of its own is shown as nothing. */
function shown(value: unknown): JsonValue {
  try {
    return toPlain(value) ?? null;
  } catch {
    return null;
  }
}

/**
 * "" as an interval means perpetual where a person wrote it. Where a formula found it in an event, a seller
 * left the attribute empty, and a monthly customer must not be given a license for ever.
 */
function isIntervalOfNothing(name: string, member: Template, value: unknown): boolean {
  return name === 'subscriptionInterval' && member.kind === 'formula' && isBlank(value);
}

/**
 * A value as plain JSON.
 * @throws EvaluationFailure when it is a function or no number, at the place given.
 */
export function plainAt(value: unknown, location: SourceLocation, of?: Template): PlainResult {
  try {
    return toPlain(value);
  } catch (error) {
    throw failureOf(error, of ?? { kind: 'literal', value: null, location });
  }
}
