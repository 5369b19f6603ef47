// The schema of rule files, walked by names. Takes the path that leads to a place, gives what the schema says of
// it: description, examples, the names that may stand there. Knows nothing of editors.

import rulesSchema from '../../../../schema/rules.schema.json' with { type: 'json' };
import type { PathStep } from './yaml-place.ts';

export interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
}

const ROOT = rulesSchema as unknown as Schema & {
  readonly $defs: Readonly<Record<string, Schema>>;
};
const WHEN = ROOT.$defs['when'];

function resolved(schema: Schema): Schema {
  const [, name = ''] = /^#\/\$defs\/(\w+)$/.exec(schema.$ref ?? '') ?? [];
  const target = ROOT.$defs[name];
  return target === undefined ? schema : target;
}

/** Undefined where the schema says nothing. */
export function schemaAt(path: readonly PathStep[]): Schema | undefined {
  let here: Schema | undefined = ROOT;
  for (const step of path) {
    if (here === undefined) return undefined;
    const { items, properties, additionalProperties }: Schema = here;
    const inner: Schema | boolean | undefined =
      step === '*' && items !== undefined
        ? items
        : properties !== undefined && Object.hasOwn(properties, step)
          ? properties[step]
          : additionalProperties;
    here = typeof inner === 'object' ? resolved(inner) : undefined;
  }
  return here;
}

/** Whether names at this place are paths of the event. */
export function isCondition(path: readonly PathStep[]): boolean {
  const start = path.lastIndexOf('when');
  if (start < 0 || schemaAt(path.slice(0, start + 1)) !== WHEN) return false;
  return path.slice(start + 1).every((step) => ['any', 'all', 'not', '*'].includes(step));
}

/** The path of the event that the value belongs to: `when: { data.object.mode: | }`. */
export function conditionOf(path: readonly PathStep[]): string | undefined {
  const start = path.lastIndexOf('when');
  if (start < 0) return undefined;
  const last = path
    .slice(start + 1)
    .findLast((step) => !['any', 'all', '*'].includes(step) && !OPERATORS.has(step));
  return last;
}

/** How a value of a condition may be compared; docs/rules.md. */
export const OPERATORS: ReadonlyMap<string, string> = new Map([
  ['exists', 'true: something must be there; false: nothing may be there.'],
  ['not', 'The value must be another one, or none of a list.'],
  ['in', 'One of a list.'],
  ['matches', 'A pattern that the whole text must match.'],
  ['gt', 'More than this number or later than this date.'],
  ['gte', 'At least this.'],
  ['lt', 'Less than this.'],
  ['lte', 'At most this.'],
]);

export function typeOf({ type, enum: words }: Schema): string {
  if (words !== undefined) return words.map(String).join(' | ');
  return (
    (Array.isArray(type)
      ? (type as readonly string[]).join(' or ')
      : (type as string | undefined)) ?? ''
  );
}
