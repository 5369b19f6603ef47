// From an event to what the rules make of it. Takes a RuleSet and an event; gives the plan, or why
// there is none, with a reason for every rule. The one evaluation that server, dry-run and replay share.
// Pure: no clock, no network. All mapping errors of the event are found here, before any write.

import type {
  ConditionTrace,
  MatchResult,
  PlannedStep,
  PlannedTimer,
  Problem,
  RulePointer,
  RuleTrace,
  TimerName,
  WebhookEvent,
} from '../../core/model.ts';
import type { Observer, Rule, RuleSet } from '../rules/rule-set.ts';
import { askAll } from './conditions.ts';
import { Evaluation } from './evaluation.ts';
import { EvaluationFailure, problemAt } from './evaluation-failure.ts';
import type { RunScope } from './run-scope.ts';
import { StepPlanner } from './steps.ts';
import { planCancels, planTimer } from './timers.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * JSONata's time limit is wall-clock and its evaluations interleave, so that many at once would
 * time each other out. Events are planned one after the other.
 */
let turn: Promise<unknown> = Promise.resolve();

export interface MatchOptions {
  /** For people: notes what each name and each part of a formula was. Decides nothing differently. */
  readonly explain?: boolean;
  /** Hears which rules fitted and how conditions were decided. */
  readonly observer?: Observer | undefined;
}

/** What the rules make of an event. Never throws for anything that an event or a rule holds. */
export function matchEvent(
  ruleSet: RuleSet,
  event: WebhookEvent,
  env: Env,
  options: MatchOptions = {},
): Promise<MatchResult> {
  const result = turn.then(() => match(ruleSet, event, env, options));
  turn = result.catch(() => undefined);
  return result;
}

async function match(
  ruleSet: RuleSet,
  event: WebhookEvent,
  env: Env,
  options: MatchOptions,
): Promise<MatchResult> {
  const wrongMode = modeMismatch(ruleSet, event);
  if (wrongMode !== undefined) {
    return { kind: 'ignored', rule: undefined, reason: wrongMode, trace: [] };
  }
  const evaluation = new Evaluation(event, declared(ruleSet, env), options);
  // Asked apart, so that no name is told twice of an event that is explained.
  const subjects = () => subjectList(ruleSet, new Evaluation(event, declared(ruleSet, env)));
  const matcher = new Matcher(ruleSet, evaluation, subjects);
  const candidates = ruleSet.rulesByType.get(event.type);
  if (candidates === undefined) {
    const off = ruleSet.rulesSwitchedOff.get(event.type) ?? [];
    const why =
      off.length === 0
        ? `no rule of ${ruleSet.file} names the event type ${event.type}`
        : `the rules of ${ruleSet.file} for ${event.type} are switched off by its settings`;
    const { trace } = await matcher.run(off);
    return { kind: 'unmatched', answer: ruleSet.unmatched, reason: why, trace };
  }
  const result = await matcher.run(candidates);
  return evaluation.lookups === undefined ? result : { ...result, lookups: evaluation.lookups };
}

/** Only what the file names under `env:`; a formula never sees the other variables, by no detour. */
function declared(ruleSet: RuleSet, env: Env): Env {
  return Object.fromEntries(ruleSet.env.map(({ name }) => [name, env[name]]));
}

function modeMismatch(ruleSet: RuleSet, event: WebhookEvent): string | undefined {
  if (ruleSet.mode === 'any' || event.live === null) return undefined;
  const mode = event.live ? 'live' : 'test';
  if (mode === ruleSet.mode) return undefined;
  return `it is a ${mode} event, and ${ruleSet.file} lets in ${ruleSet.mode} events only`;
}

/** One event's way through the rules. */
class Matcher {
  readonly #ruleSet: RuleSet;
  readonly #evaluation: Evaluation;
  readonly #subjects: () => Promise<readonly string[]>;
  readonly #trace: RuleTrace[] = [];
  readonly #matched: RulePointer[] = [];
  /** Rules that fitted and only stop clocks: they decide an event only where no other does. */
  readonly #canceling: RulePointer[] = [];
  readonly #problems: Problem[] = [];
  readonly #steps: PlannedStep[] = [];
  readonly #notes: string[] = [];
  readonly #units = new Map<string, number>();
  readonly #names = new Map<string, number>();
  readonly #cancels: TimerName[] = [];
  #timer: PlannedTimer | undefined;
  /** The rule whose conditions could not be asked. */
  #undecided: RulePointer | undefined;

  constructor(
    ruleSet: RuleSet,
    evaluation: Evaluation,
    subjects: () => Promise<readonly string[]>,
  ) {
    this.#ruleSet = ruleSet;
    this.#subjects = subjects;
    this.#evaluation = evaluation;
  }

  async run(candidates: readonly Rule[]): Promise<MatchResult> {
    const file = this.#evaluation.outermost.child(this.#ruleSet.names);
    let skipped: string | undefined;
    for (const rule of candidates) {
      if (skipped !== undefined) {
        this.#trace.push({ rule: rule.id, matched: false, conditions: [], skipped });
        continue;
      }
      const scope = file.child(rule.names);
      const verdict = await this.#ask(rule, scope);
      if (verdict === 'no') continue;
      const pointer = { id: rule.id, file: rule.location.file, line: rule.location.line };
      if (verdict === 'failed') {
        this.#undecided = pointer;
        skipped = `the conditions of ${rule.id} could not be asked`;
        continue;
      }
      (isOnlyCancel(rule) ? this.#canceling : this.#matched).push(pointer);
      this.#evaluation.observer?.sawRule(rule);
      await this.#planTimers(rule, scope);
      await this.#apply(rule, scope);
      if (!rule.continues) skipped = `the rule ${rule.id} came first`;
    }
    return this.#result();
  }

  async #ask(rule: Rule, scope: RunScope): Promise<'yes' | 'no' | 'failed'> {
    let conditions: readonly ConditionTrace[] = [];
    try {
      const verdict = await askAll(rule.when, scope, this.#evaluation);
      conditions = verdict.trace;
      this.#trace.push({ rule: rule.id, matched: verdict.ok, conditions });
      return verdict.ok ? 'yes' : 'no';
    } catch (error) {
      this.#trace.push({ rule: rule.id, matched: false, conditions });
      this.#collect(error, rule.id);
      return 'failed';
    }
  }

  async #planTimers(rule: Rule, scope: RunScope): Promise<void> {
    if (rule.timer === undefined && rule.cancels.length === 0) return;
    try {
      const subjects = new Set(await this.#subjects());
      this.#cancels.push(...(await planCancels(rule, scope, this.#evaluation, subjects)));
      this.#timer ??= await planTimer(rule, scope, this.#evaluation, subjects);
    } catch (error) {
      this.#collect(error, rule.id);
    }
  }

  async #apply(rule: Rule, scope: RunScope): Promise<void> {
    const { effect } = rule;
    if (effect.kind === 'do') {
      const planner = new StepPlanner(this.#evaluation, rule, {
        steps: this.#steps,
        problems: this.#problems,
        trace: this.#trace,
        notes: this.#notes,
        units: this.#units,
        names: this.#names,
      });
      await planner.plan(effect.steps, scope);
      return;
    }
    try {
      const reason = await this.#evaluation.text(effect.reason, scope, 'the reason');
      if (effect.kind === 'ignore') this.#notes.push(reason);
      else this.#problems.push(problemAt('RULE_REJECTED', `${rule.id}: ${reason}`, rule.location));
    } catch (error) {
      this.#collect(error, rule.id);
    }
  }

  #collect(error: unknown, ruleId: string): void {
    if (!(error instanceof EvaluationFailure)) throw error;
    this.#problems.push({ ...error.problem, message: `${ruleId}: ${error.problem.message}` });
  }

  /** A payment is one, whatever else is wrong with its event: what it cancels is told in any case. */
  #result(): MatchResult {
    const verdict = this.#verdict();
    return this.#cancels.length === 0 ? verdict : { ...verdict, cancels: this.#cancels };
  }

  #verdict(): MatchResult {
    const trace = this.#trace;
    const matched = this.#matched.length > 0 ? this.#matched : this.#canceling;
    const rule = matched.at(-1);
    if (this.#problems.length > 0) {
      const pointer = this.#undecided ?? rule;
      return { kind: 'failed', rule: pointer, problems: distinct(this.#problems), trace };
    }
    const onlyCancels = this.#cancels.length > 0 && this.#notes.length === 0;
    if (this.#steps.length > 0 || onlyCancels) {
      const timer = this.#timer === undefined ? {} : { timer: this.#timer };
      const plan = { steps: this.#steps };
      return { kind: 'matched', rules: matched, plan, ...timer, trace };
    }
    const reason =
      rule === undefined
        ? `the event is of a type that rules name, but fits none of them`
        : this.#notes.join(' ') || 'there is nothing to do';
    return { kind: 'ignored', rule, reason, trace };
  }
}

function isOnlyCancel({ effect }: Rule): boolean {
  return effect.kind === 'do' && effect.steps.length === 0;
}

/** A name of a `let` that fails is used in many places; it is one problem. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Map(
    problems.map((problem) => [`${problem.location} ${problem.message}`, problem]),
  );
  return [...seen.values()];
}

/**
 * What an event is about: events that share a subject are handled one after the other. Formulas that
 * come out missing or fail are passed over; an event without any subject is its own.
 */
export async function subjectsOf(
  ruleSet: RuleSet,
  event: WebhookEvent,
  env: Env,
): Promise<readonly string[]> {
  const evaluate = async (): Promise<readonly string[]> => {
    return subjectList(ruleSet, new Evaluation(event, declared(ruleSet, env)));
  };
  const result = turn.then(evaluate);
  turn = result.catch(() => undefined);
  return result;
}

async function subjectList(ruleSet: RuleSet, evaluation: Evaluation): Promise<readonly string[]> {
  const scope = evaluation.outermost.child(ruleSet.names);
  const subjects = new Set<string>();
  for (const formula of ruleSet.subjects) {
    const value = await evaluation.plain(formula, scope).catch(() => undefined);
    for (const item of [value ?? []].flat()) {
      if (typeof item === 'string' && item !== '') subjects.add(item);
    }
  }
  if (subjects.size === 0) subjects.add(evaluation.event.id);
  return [...subjects];
}
