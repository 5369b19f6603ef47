// What a function call may give, and what its arguments must be. Takes a call and the walk it stands in;
// gives a value. What JSONata's own functions take is from docs.jsonata.org (jsonata 2.2.2).

import type { AstNode } from '../../expression/syntax.ts';
import { tokenSpan } from '../../expression/syntax.ts';
import type { Suspicion } from './notebook.ts';
import { isKnown, isMapShape, type Letter, merge, type Shape, TEXT, UNKNOWN } from './shape.ts';
import {
  BOOLEAN_VALUE,
  describe,
  eitherOf,
  isNever,
  memberOf,
  NUMBER_VALUE,
  severalOf,
  single,
  TEXT_VALUE,
  UNKNOWN_VALUE,
  type Value,
  valueFrom,
} from './value.ts';
import type { Here, Walk } from './walk.ts';

/** Functions that ask whether something is there, or choose: what they are given need not be there. */
const LENIENT = new Set(['exists', 'not', 'boolean', 'type', 'count', 'if', 'keys', 'lookup']);
/** Functions that choose among several. */
const CHOOSING = new Set(['first', 'catalog', 'append', 'merge']);

const BOOLEANS = new Set(['exists', 'not', 'boolean', 'contains']);
const NUMBERS = new Set([
  ...['count', 'sum', 'max', 'min', 'average', 'abs', 'ceil', 'floor', 'round', 'power', 'sqrt'],
  ...['number', 'length', 'toMillis', 'parseInteger'],
]);
const TEXTS = new Set([
  ...['string', 'lowercase', 'uppercase', 'trim', 'substring', 'substringBefore', 'pad', 'join'],
  ...['substringAfter', 'replace', 'formatNumber', 'formatBase', 'formatInteger', 'fromMillis'],
  ...['type', 'base64encode', 'base64decode', 'encodeUrl', 'decodeUrl', 'interval', 'unix', 'plus'],
  ...['encodeUrlComponent', 'decodeUrlComponent'],
]);

/** What the first argument must be: one of these kinds, and whether it may be a list. */
const FIRST_ARGUMENT = new Map<
  string,
  { readonly letters: readonly Letter[]; readonly many: boolean }
>([
  ...['lowercase', 'uppercase', 'trim', 'length', 'substring', 'substringBefore'].map(oneText),
  ...['substringAfter', 'split', 'contains', 'replace', 'match', 'pad', 'toMillis'].map(oneText),
  ...['words', 'plus'].map(oneText),
  ...['sum', 'max', 'min', 'average'].map(
    (name) => [name, { letters: ['n'], many: true }] as const,
  ),
  ...['abs', 'ceil', 'floor', 'round', 'sqrt', 'power', 'fromMillis', 'formatNumber'].map(
    (name) => [name, { letters: ['n'], many: false }] as const,
  ),
  ...['unix', 'number', 'interval'].map(
    (name) => [name, { letters: ['n', 't'], many: false }] as const,
  ),
  ['catalog', { letters: ['t'], many: true }],
]);

function oneText(name: string): readonly [string, { letters: readonly Letter[]; many: boolean }] {
  return [name, { letters: ['t'], many: false }];
}

const WORDS_SHAPE: Shape = {
  plain: new Set(),
  members: new Map([
    ['first', TEXT],
    ['rest', TEXT],
  ]),
};

/** What the call may give. */
export function callValue(walk: Walk, node: AstNode, here: Here): Value {
  const name = String(node.procedure?.value ?? '');
  const isNamed = node.procedure?.type === 'variable' && !here.locals.has(name);
  const written = node.arguments ?? [];
  const lenient = here.lenient || LENIENT.has(name) || (CHOOSING.has(name) && written.length > 1);
  const inside = { ...here, lenient };
  if (isNamed && OVER_ITEMS.has(name)) return overItems(walk, name, written, inside);
  const given = written.map((argument) =>
    argument.type === 'lambda' ? UNKNOWN_VALUE : walk.value(argument, inside),
  );
  if (!isNamed) return UNKNOWN_VALUE;
  checkArguments(walk, name, written, given);
  const [head = UNKNOWN_VALUE] = given;
  return ownResult(name, given, walk) ?? libraryResult(name, head);
}

function ownResult(name: string, given: readonly Value[], walk: Walk): Value | undefined {
  const [head = UNKNOWN_VALUE] = given;
  switch (name) {
    case 'first':
      return eitherOf(given);
    case 'if':
      return eitherOf(given.slice(1));
    case 'id':
      return idOf(head);
    case 'one':
    case 'single':
      return single(head);
    case 'need':
      return head;
    case 'catalog':
      return given.length === 0 ? NUMBER_VALUE : valueFrom(walk.around.catalogEntry);
    case 'words':
      return valueFrom(WORDS_SHAPE);
    default:
      return undefined;
  }
}

function libraryResult(name: string, head: Value): Value {
  if (BOOLEANS.has(name)) return BOOLEAN_VALUE;
  if (NUMBERS.has(name)) return NUMBER_VALUE;
  if (TEXTS.has(name)) return TEXT_VALUE;
  if (name === 'split' || name === 'keys') return severalOf(TEXT_VALUE);
  if (name === 'distinct' || name === 'reverse' || name === 'sort') return head;
  return UNKNOWN_VALUE;
}

/** The `id` of a map, or the text itself. */
function idOf(value: Value): Value {
  const { shape, many } = value;
  if (!isKnown(shape)) return { ...UNKNOWN_VALUE, many };
  const id = isMapShape(shape) ? memberOf(value, 'id') : undefined;
  const found = id?.kind === 'found' ? id.value.shape : UNKNOWN;
  const text = shape.plain.has('t') ? TEXT : UNKNOWN;
  return { shape: merge(found, text), many };
}

const OVER_ITEMS = new Set(['map', 'filter', 'each', 'sift', 'reduce', 'single', 'sort']);

/** Functions that are handed a function: its first parameter is an item of the list. */
function overItems(walk: Walk, name: string, written: readonly AstNode[], here: Here): Value {
  const [list, callback] = written;
  const head = list === undefined ? UNKNOWN_VALUE : walk.value(list, here);
  let result = UNKNOWN_VALUE;
  if (callback?.type === 'lambda' && callback.body !== undefined) {
    const isOverItems = name === 'map' || name === 'filter' || name === 'single';
    const parameters = (callback.arguments ?? []).map(
      (parameter, index) =>
        [
          String(parameter.value),
          index === 0 && isOverItems ? single(head) : UNKNOWN_VALUE,
        ] as const,
    );
    const locals = new Map([...here.locals, ...parameters]);
    result = walk.value(callback.body, { ...here, locals, lenient: false });
  }
  switch (name) {
    case 'map':
      return callback?.type === 'lambda' ? severalOf(result) : severalOf(UNKNOWN_VALUE);
    case 'filter':
    case 'sort':
      return head;
    case 'single':
      return single(head);
    default:
      return UNKNOWN_VALUE;
  }
}

function checkArguments(
  walk: Walk,
  name: string,
  written: readonly AstNode[],
  given: readonly Value[],
): void {
  const wanted = FIRST_ARGUMENT.get(name);
  if (wanted === undefined) return;
  // The further keys of $catalog are of the same kind.
  const count = name === 'catalog' ? given.length : 1;
  for (const [index, value] of given.slice(0, count).entries()) {
    const argument = written[index];
    if (argument === undefined) continue;
    const { offset, length } = spanOf(argument, walk.around.text);
    const problem = argumentProblem(name, value, wanted, length);
    walk.around.note(offset, `argument ${name}`, problem, isKnown(value.shape));
  }
}

/** A path from its first name to its last; of anything else its token. */
function spanOf(node: AstNode, text: string): { offset: number; length: number } {
  const { offset, length } = tokenSpan(node.steps?.[0] ?? node, text);
  const last = node.steps?.at(-1);
  if (last === undefined) return { offset, length };
  const end = tokenSpan(last, text);
  return { offset, length: Math.max(length, end.offset + end.length - offset) };
}

function argumentProblem(
  name: string,
  value: Value,
  wanted: { readonly letters: readonly Letter[]; readonly many: boolean },
  length: number,
): Suspicion | undefined {
  const needs = wanted.letters.map((letter) => (letter === 't' ? 'a text' : 'a number'));
  if (isNever(value, wanted.letters)) {
    const message = `$${name} needs ${needs.join(' or ')}, and this is ${describe(value)}`;
    return { code: 'SHAPE_TYPE', message, length };
  }
  if (value.many && !wanted.many && isKnown(value.shape)) {
    const message = `$${name} needs ${needs.join(' or ')}, and this can be a list`;
    return { code: 'SHAPE_LIST', message, length };
  }
  return undefined;
}
