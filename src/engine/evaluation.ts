// Evaluates formulas and values for one event. Takes compiled templates, gives values or an
// EvaluationFailure that says where and why. Pure: the same event gives the same values.

import { AppError, type AppErrorCode } from '../errors.ts';
import type {
  FormulaPart,
  JsonObject,
  JsonValue,
  NameTrace,
  Problem,
  SourceLocation,
  ValueTrace,
  WebhookEvent,
} from '../model.ts';
import { isBlank, type PlainResult, toPlain, withoutNulls } from './expression/values.ts';
import { formatLocation } from './findings.ts';
import type { Formula, NameTable, Observer, Template } from './rules.ts';
import { writtenAs } from './written-as.ts';

/** Ends the evaluation of one value; caught where problems are collected. */
export class EvaluationFailure extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

export function problemAt(
  code: AppErrorCode,
  message: string,
  location: SourceLocation | undefined,
  hint?: string,
): Problem {
  return {
    code,
    message,
    hint: hint ?? new AppError(code, '').hint,
    location: location === undefined ? undefined : formatLocation(location),
  };
}

type Entry =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'lazy'; readonly template: Template; result: Promise<unknown> | undefined };

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
      scope.#entries.set(name, { kind: 'lazy', template, result: undefined });
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
    this.root = (withoutNulls(event.payload) ?? {}) as JsonObject;
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
    const { variables } = formula;
    const bindings = variables.length === 0 ? {} : await this.#bindings(formula, scope);
    try {
      return await formula.evaluate(this.root, bindings);
    } catch (error) {
      throw failureOf(error, formula);
    }
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
    if (entry.result === undefined) {
      entry.result = this.template(entry.template, found.scope);
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
    switch (template.kind) {
      case 'literal':
        return template.value ?? undefined;
      case 'formula':
        return this.formula(template, scope);
      case 'map': {
        const map: Record<string, unknown> = {};
        for (const [name, member] of template.members) {
          const value = await this.template(member, scope);
          if (value === undefined || isIntervalOfNothing(name, member, value)) continue;
          map[name] = value;
        }
        return map;
      }
      case 'list': {
        const values: unknown[] = [];
        for (const item of template.items) values.push(await this.template(item, scope));
        return values.filter((value) => value !== undefined);
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

/** What JSONata or the library threw, with its place inside the formula. */
function failureOf(error: unknown, template: Template): EvaluationFailure {
  if (error instanceof EvaluationFailure) return error;
  const { message, position, token } = error as {
    message?: string;
    position?: number;
    token?: unknown;
  };
  const text = template.kind === 'formula' ? ` in =${template.text}` : '';
  let location = template.location;
  if (template.kind === 'formula' && typeof position === 'number') {
    location = template.locate(blamedOffset(template.text, position, token));
  }
  const detail = `${(message ?? 'it cannot be evaluated').replace(/\.$/, '')}${text}`;
  return new EvaluationFailure(problemAt('FORMULA_FAILED', detail, location));
}

/** JSONata gives the position behind the token; of a call, behind its "(". */
function blamedOffset(text: string, position: number, token: unknown): number {
  const before = text.slice(0, position);
  for (const written of [String(token), `$${String(token)}`, `$${String(token)}(`]) {
    if (before.endsWith(written)) return position - written.length;
  }
  const call = /\$\w+\s*\($/.exec(before);
  return call?.index ?? Math.max(0, position - 1);
}
