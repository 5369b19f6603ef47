// What the fields of an action need, against what their formulas may give. Takes a step, notes lists where one
// value is needed and values of a kind that the field never takes. Literals were checked when loading.

import type { FieldType } from '../../../core/model.ts';
import { PROVIDER_FACTS } from '../../../core/providers.ts';
import type { ActionStep, Template } from '../../rules/rule-set.ts';
import type { EventWalk } from './event-walk.ts';
import type { ShapeScope } from './scope.ts';
import { isKnown, isMapShape, type Letter } from './shape.ts';
import { describe, isNever, type Value } from './value.ts';

const NEEDS: Partial<
  Record<FieldType, { readonly letters: readonly Letter[]; readonly what: string }>
> = {
  integer: { letters: ['n', 't'], what: 'a whole number' },
  quantity: { letters: ['n', 't'], what: 'a whole number' },
  boolean: { letters: ['b'], what: 'true or false' },
  date: { letters: ['t'], what: 'an ISO 8601 date' },
  email: { letters: ['t'], what: 'an e-mail address' },
  interval: { letters: ['t'], what: 'an ISO 8601 interval' },
};
const PLAIN_TEXT = { letters: ['t'] as readonly Letter[], what: 'a text' };
/** Metadata takes numbers and booleans as well and makes texts of them. */
const ANY_PLAIN = { letters: ['t', 'n', 'b'] as readonly Letter[], what: 'one text' };

/** The fields of one action, and the maps that are spread into them. */
export function checkFields(step: ActionStep, scope: ShapeScope, walk: EventWalk): void {
  for (const template of step.from) {
    const value = walk.template(template, scope, true);
    const { shape, many } = value;
    const wrong = isKnown(shape) && (many || !isMapShape(shape));
    const message = `\`from\` needs a map, and this is ${describe(value)}`;
    walk.noteFormula(template, 'from', wrong ? { code: 'SHAPE_TYPE', message } : undefined, value);
  }
  for (const { name, type, template } of step.fields) {
    checkField(template, type, `\`${name}\``, scope, walk);
  }
}

function checkField(
  template: Template,
  type: FieldType,
  name: string,
  scope: ShapeScope,
  walk: EventWalk,
): void {
  if (type === 'metadata' || type === 'find' || type === 'whenSuspended') {
    checkMap(template, type, name, scope, walk);
    return;
  }
  if (type === 'texts') {
    walk.template(template, scope, false);
    return;
  }
  checkOne(template, NEEDS[type] ?? PLAIN_TEXT, name, scope, walk);
}

function checkMap(
  template: Template,
  type: FieldType,
  name: string,
  scope: ShapeScope,
  walk: EventWalk,
): void {
  if (template.kind !== 'map') {
    walk.template(template, scope, false);
    return;
  }
  for (const [key, member] of template.members) {
    if (type === 'metadata') checkOne(member, ANY_PLAIN, `"${key}"`, scope, walk);
    else if (key === 'metadata') checkMap(member, 'metadata', name, scope, walk);
    else if (MEMBER_TYPES.has(key)) {
      checkField(member, MEMBER_TYPES.get(key) ?? 'text', `\`${key}\``, scope, walk);
    }
  }
}

/** Members of `find` and `whenSuspended`; any other one is a finding already. */
const MEMBER_TYPES: ReadonlyMap<string, FieldType> = new Map([
  ['productId', 'text'],
  ['userId', 'text'],
  ['key', 'text'],
  ['payment', 'text'],
  ['suspended', 'boolean'],
  ['resume', 'boolean'],
  ['expiresAt', 'date'],
]);

/** A value that must be one text: `once`, `key`, a reason. */
export function checkText(
  template: Template,
  name: string,
  scope: ShapeScope,
  walk: EventWalk,
): void {
  checkOne(template, { letters: ['t', 'n'], what: 'one text' }, name, scope, walk);
}

function checkOne(
  template: Template,
  needs: { readonly letters: readonly Letter[]; readonly what: string },
  name: string,
  scope: ShapeScope,
  walk: EventWalk,
): void {
  const value = walk.template(template, scope, false);
  // What is written out was checked when loading.
  if (template.kind !== 'formula') return;
  // Whether FastSpring sends an id or all of what it stands for is a setting there; Stripe always sends the id.
  const expands = PROVIDER_FACTS[walk.event.provider].expands;
  walk.noteFormula(template, 'field', oneProblem(value, needs, name, expands), value);
}

function oneProblem(
  value: Value,
  { letters, what }: { readonly letters: readonly Letter[]; readonly what: string },
  name: string,
  expands: boolean,
): { code: 'SHAPE_LIST' | 'SHAPE_TYPE'; message: string; hint?: string } | undefined {
  const { shape, many } = value;
  if (!isKnown(shape)) return undefined;
  if (many) {
    return { code: 'SHAPE_LIST', message: `${name} needs ${what}, and this can be a list` };
  }
  const hasId = shape.members?.has('id') === true;
  if (!isNever(value, letters) && !(hasId && expands)) return undefined;
  const hint = hintFor(value, what, hasId);
  const can = isNever(value, letters) ? 'is' : 'can be';
  const found = can === 'is' ? describe(value) : 'a map';
  const message = `${name} needs ${what}, and this ${can} ${found}`;
  return { code: 'SHAPE_TYPE', message, ...(hint === undefined ? {} : { hint }) };
}

function hintFor({ shape }: Value, what: string, hasId: boolean): string | undefined {
  if (hasId) return 'Write $id( … ): it takes the id of a map, or the text itself.';
  if (what !== 'an ISO 8601 date' || !shape.plain.has('n')) return undefined;
  return 'Seconds since 1970 become a date by $unix( … ), milliseconds by $fromMillis( … ).';
}
