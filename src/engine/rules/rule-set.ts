// A rule file after loading: everything checked, every formula compiled. Types only.

import type { BrakeLimits } from '../../core/brake.ts';
import type {
  ActionDefinition,
  FieldType,
  JsonObject,
  JsonValue,
  SourceLocation,
} from '../../core/model.ts';
import type { Provider } from '../../core/providers.ts';
import type { DirectEvaluation } from '../expression/direct.ts';
import type { Catalog } from '../expression/library.ts';
import type { PartValue } from '../expression/parts.ts';
import type { PathUse, VariableUse } from '../expression/uses.ts';

/** One rule file: a source with its rules. */
export interface RuleSet {
  /** The source's name: the file's name without `.yaml`. */
  readonly source: string;
  readonly file: string;
  readonly text: string;
  /** The texts of the files beside it that it was made of, by name. */
  readonly beside: Readonly<Record<string, string>>;
  /** SHA-256 of all texts it was made of; stamped on what it decides. */
  readonly hash: string;
  readonly provider: Provider;
  readonly mode: 'live' | 'test' | 'any';
  readonly unmatched: 'reject' | 'ignore';
  readonly env: readonly EnvName[];
  readonly catalog: Catalog;
  readonly subjects: readonly Formula[];
  readonly names: NameTable;
  /** The declared settings, with their values. */
  readonly declared: readonly Setting[];
  readonly rules: readonly Rule[];
  /** The rules that name a type, in their order: an event costs the same however many others there are. */
  readonly rulesByType: ReadonlyMap<string, readonly Rule[]>;
  /** The rules of types that only such rules name which a setting of `let` keeps from fitting. */
  readonly rulesSwitchedOff: ReadonlyMap<string, readonly Rule[]>;
  /** The types of events for which a rule finds licenses by their payment. */
  readonly typesByPayment: ReadonlySet<string>;
  readonly settings: SourceSettings;
}

export interface SourceSettings {
  /** The variable that holds the signing secret. */
  readonly secretName: string;
  /** A further address, beside /webhooks/{source}. */
  readonly path?: string;
  /** A fixed body for answers with 200. */
  readonly answer?: JsonObject;
  /** What `error` says in answers to a delivery that is not let in; left out, Keywright's own code. */
  readonly refusalCode?: string;
  /** When a delivery is answered 200: when its events did not fail, or as soon as they are stored. */
  readonly acknowledge: 'done' | 'stored';
  /** It handles its events for itself, also those that another file has handled. */
  readonly ownEvents: boolean;
  readonly toleranceSeconds?: number;
  /** How many licenses one event may delete that Keywright did not create. */
  readonly maxDelete: number;
  /** How many licenses the events of this source may take away in a time, by action. */
  readonly brake: BrakeLimits;
  /** How long an event waits for a license that is not there yet. */
  readonly waitForMs: number;
}

export type SettingType = 'interval' | 'integer' | 'boolean' | 'text' | 'id';

/** One declared setting of a rule file, with its value. */
export interface Setting {
  readonly name: string;
  readonly value: JsonValue;
  /** Whether a file that extends the declaring one gives the value. */
  readonly isSet: boolean;
  /** The words that it takes; with a type it takes values of that as well. */
  readonly words: readonly string[];
  readonly type: SettingType | undefined;
  /** What it is for, in words. */
  readonly about: string | undefined;
  /** The event types that it needs: by word, or for any value but `off`. */
  readonly events: Readonly<Record<string, readonly string[]>> | readonly string[];
  /** It has an effect only where other settings have these values. */
  readonly when: Readonly<Record<string, JsonValue>>;
  readonly location: SourceLocation;
}

export interface EnvName {
  readonly name: string;
  readonly optional: boolean;
  readonly location: SourceLocation;
}

/** The names of one `let`, or what a loop or a step adds. */
export type NameTable = ReadonlyMap<string, Template>;

/** A compiled formula with its place. */
export interface Formula {
  readonly kind: 'formula';
  readonly text: string;
  readonly location: SourceLocation;
  readonly variables: readonly VariableUse[];
  readonly sources: readonly PathUse[];
  /** The place of a character of the formula's text, "=" not counted. */
  locate(offset: number): SourceLocation;
  /** The value, or ASK_JSONATA where only `evaluate` can tell it. */
  readonly evaluateNow: DirectEvaluation;
  evaluate(root: unknown, bindings: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** What each part of the formula was; for people, never for deciding. */
  explain(
    root: unknown,
    bindings: Readonly<Record<string, unknown>>,
  ): Promise<readonly PartValue[]>;
}

/** A value as the rule gives it: known, or to be evaluated for each event. */
export type Template =
  | Formula
  | { readonly kind: 'literal'; readonly value: JsonValue; readonly location: SourceLocation }
  | {
      readonly kind: 'map';
      readonly members: ReadonlyMap<string, Template>;
      readonly location: SourceLocation;
    }
  | {
      readonly kind: 'list';
      readonly items: readonly Template[];
      readonly location: SourceLocation;
    };

export interface Rule {
  readonly id: string;
  /** With the ids of the rules around it: `order-completed/one-time`. */
  readonly fullId: string;
  readonly location: SourceLocation;
  /** Empty for rules inside a loop. */
  readonly types: readonly string[];
  readonly when: readonly Condition[];
  readonly names: NameTable;
  readonly once: Template | undefined;
  /** Ids of what was paid with; those that come out missing are passed over. */
  readonly payments: readonly Template[];
  /** Its steps wait for a time. */
  readonly timer: RuleTimer | undefined;
  /** The clocks that it stops. */
  readonly cancels: readonly TimerTemplate[];
  /** Which of two events of the same time counts as the later. */
  readonly rank: Template | undefined;
  readonly effect:
    | { readonly kind: 'ignore' | 'reject'; readonly reason: Template }
    /** A rule that only stops clocks has no steps. */
    | { readonly kind: 'do'; readonly steps: readonly Step[] };
  readonly continues: boolean;
}

/** A clock as a rule names it: `{ grace: =data.id }`. */
export interface TimerTemplate {
  readonly name: string;
  readonly key: Template;
  readonly location: SourceLocation;
}

export interface RuleTimer extends TimerTemplate {
  /** How long it runs. */
  readonly after: Template;
}

export type Step = ActionStep | LoopStep;

export interface ActionStep {
  readonly kind: 'action';
  readonly definition: ActionDefinition;
  readonly when: readonly Condition[];
  readonly from: readonly Template[];
  readonly fields: readonly FieldTemplate[];
  readonly as: string | undefined;
  readonly location: SourceLocation;
}

export interface FieldTemplate {
  readonly name: string;
  readonly type: FieldType;
  readonly template: Template;
}

export interface LoopStep {
  readonly kind: 'loop';
  readonly when: readonly Condition[];
  readonly list: Formula;
  readonly as: string;
  readonly key: Template | undefined;
  readonly names: NameTable;
  /** The first that fits the item is taken. */
  readonly rules: readonly Rule[];
  readonly location: SourceLocation;
}

/** What a `when:` asks. */
export type Condition =
  | { readonly kind: 'all' | 'any'; readonly items: readonly Condition[] }
  | { readonly kind: 'not'; readonly items: readonly Condition[] }
  | { readonly kind: 'formula'; readonly formula: Formula }
  | {
      readonly kind: 'leaf';
      readonly path: ConditionPath;
      readonly tests: readonly LeafTest[];
      /** As written, for the trace. */
      readonly expected: JsonValue;
      readonly location: SourceLocation;
    };

/** A condition that is asked by itself. */
export type AskedCondition = Extract<Condition, { kind: 'formula' | 'leaf' }>;

/** Hears what an event made of the rules: for the coverage of rule tests. */
export interface Observer {
  /** It fitted the event, or an item of a loop. */
  sawRule(rule: Rule): void;
  /** It was asked where it decided something. `ok` is its own verdict, before any `not`. */
  sawCondition(condition: AskedCondition, ok: boolean): void;
}

/** Names joined by dots; `variable` when it begins with `$name`. */
export interface ConditionPath {
  readonly text: string;
  readonly variable: string | undefined;
  readonly names: readonly string[];
}

export type LeafTest =
  | { readonly kind: 'blank'; readonly wanted: boolean }
  | { readonly kind: 'in'; readonly values: readonly JsonValue[]; readonly wanted: boolean }
  | { readonly kind: 'matches'; readonly pattern: RegExp; readonly textLengthMax: number }
  | {
      readonly kind: 'compare';
      readonly operator: 'gt' | 'gte' | 'lt' | 'lte';
      readonly limit: number | string;
    };
