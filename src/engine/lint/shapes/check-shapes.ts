// The shape check: every formula and every path of a rule file against what the events of each type look
// like. Takes a RuleSet and the known shapes; reports paths that no event has, lists where one value is
// needed, types that never agree, and places that a provider has moved. Event types of which there is no
// sample are passed over, and with them every formula that serves them.

import type { ActionCatalog } from '../../../core/model.ts';
import type { Findings } from '../../diagnostics/findings.ts';
import type { Rule, RuleSet, Step, Template } from '../../rules/rule-set.ts';
import { checkConditions } from './conditions.ts';
import { EventWalk } from './event-walk.ts';
import { checkFields, checkText } from './fields.ts';
import { type KnownShapes, shapeOf } from './known.ts';
import { Notebook } from './notebook.ts';
import { ShapeScope } from './scope.ts';
import { BOOLEAN, isMapShape, NUMBER, type Shape, TEXT, UNKNOWN } from './shape.ts';
import { single, UNKNOWN_VALUE, valueFrom } from './value.ts';

/** Reports what the shapes tell of one rule file. */
export function checkShapes(
  ruleSet: RuleSet,
  known: KnownShapes,
  actions: ActionCatalog,
  findings: Findings,
): void {
  const notebook = new Notebook();
  const { provider } = ruleSet;
  const shapes = known[provider];
  const entry = catalogEntry(actions);
  const walked = new Set<Template>();
  const lines = ruleSet.text.split(/\r?\n/);
  const walkOf = (type: string, namesOnly: boolean): EventWalk => {
    const root = shapeOf(shapes, type);
    const event = { provider, type, family: shapes.families.get(type), root: root ?? UNKNOWN };
    const isSampled = root !== undefined;
    const common = { notebook, walked, catalogEntry: entry, lines };
    return new EventWalk({ event, isSampled, namesOnly, ...common });
  };
  for (const rule of ruleSet.rules) {
    for (const type of new Set(rule.types)) {
      const walk = walkOf(type, false);
      checkRule(rule, fileScope(ruleSet), walk);
    }
  }
  // Subjects and names of the file are an offer to all rules, also those to come: any event may have it.
  const offers = [...ruleSet.subjects, ...ruleSet.names.values()];
  const unused = new Set(offers.filter((template) => !walked.has(template)));
  for (const type of new Set([...ruleSet.rulesByType.keys(), ...shapes.families.keys()])) {
    for (const namesOnly of [false, true]) {
      const walk = walkOf(type, namesOnly);
      const scope = fileScope(ruleSet);
      const part = offers.filter((template) => unused.has(template) !== namesOnly);
      for (const template of part) walk.template(template, scope, true);
    }
  }
  notebook.report(findings);
}

function fileScope(ruleSet: RuleSet): ShapeScope {
  const outermost = new ShapeScope();
  // Which members $env and $event have is known when loading, and reported there.
  outermost.set('env', valueFrom({ plain: new Set(), rest: TEXT }));
  const event = ['provider', 'id', 'type', 'time'].map((name) => [name, TEXT] as const);
  const members = new Map<string, Shape>([...event, ['live', BOOLEAN]]);
  outermost.set('event', valueFrom({ plain: new Set(), members, rest: UNKNOWN }));
  return outermost.child(ruleSet.names);
}

function checkRule(rule: Rule, outer: ShapeScope, walk: EventWalk): void {
  const scope = outer.child(rule.names);
  checkConditions(rule.when, scope, walk);
  if (rule.once !== undefined) checkText(rule.once, '`once`', scope, walk);
  for (const payment of rule.payments) checkText(payment, '`payment`', scope, walk);
  if (rule.timer !== undefined) {
    checkText(rule.timer.key, '`timer`', scope, walk);
    checkText(rule.timer.after, '`after`', scope, walk);
  }
  for (const { key } of rule.cancels) checkText(key, '`cancels`', scope, walk);
  if (rule.rank !== undefined) walk.template(rule.rank, scope, false);
  if (rule.effect.kind === 'do') checkSteps(rule.effect.steps, scope, walk);
  else checkText(rule.effect.reason, 'the reason', scope, walk);
  walk.rest(rule.names, scope);
}

function checkSteps(steps: readonly Step[], scope: ShapeScope, walk: EventWalk): void {
  for (const step of steps) {
    checkConditions(step.when, scope, walk);
    if (step.kind === 'action') {
      checkFields(step, scope, walk);
      if (step.as !== undefined) scope.set(step.as, UNKNOWN_VALUE);
      continue;
    }
    const list = walk.template(step.list, scope, false);
    const { shape } = list;
    const isPlain = shape.plain.size > 0 && !isMapShape(shape) && !list.many;
    walk.noteFormula(
      step.list,
      'loop',
      isPlain
        ? { code: 'SHAPE_TYPE', message: '`forEach` needs a list, and this is one value' }
        : undefined,
      list,
    );
    const inner = scope.child(step.names);
    inner.set(step.as, single(list));
    if (step.key !== undefined) checkText(step.key, '`key`', inner, walk);
    for (const rule of step.rules) checkRule(rule, inner, walk);
    walk.rest(step.names, inner);
  }
}

/** What `$catalog( )` gives: the fields of a license. */
function catalogEntry(actions: ActionCatalog): Shape {
  const members = new Map<string, Shape>();
  for (const [name, { type }] of Object.entries(actions['license.create']?.fields ?? {})) {
    const isNumber = type === 'integer' || type === 'quantity';
    const plain = isNumber ? NUMBER : type === 'boolean' ? BOOLEAN : TEXT;
    const isMade = type === 'metadata' || type === 'texts';
    members.set(name, isMade ? UNKNOWN : plain);
  }
  return members.size === 0 ? UNKNOWN : { plain: new Set(), members };
}
