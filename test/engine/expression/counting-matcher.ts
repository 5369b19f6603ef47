// A matcher of patterns that tries one way after the other, as V8's does, and counts its steps. Takes the tree of a
// pattern, so its verdicts also show whether the tree says what the pattern says.

import type { PatternNode } from '../../../src/engine/expression/pattern-syntax.ts';

/** Gives up behind so many steps. */
export class TooManySteps extends Error {}

export function searchCounted(
  root: PatternNode,
  text: string,
  stepsMax: number,
): { found: boolean; steps: number } {
  let steps = 0;
  const step = (): void => {
    steps += 1;
    if (steps > stepsMax) throw new TooManySteps(`more than ${stepsMax} steps`);
  };
  const isWord = (at: number): boolean => /\w/.test(text[at] ?? '');

  function match(node: PatternNode, at: number, next: (at: number) => boolean): boolean {
    switch (node.kind) {
      case 'set': {
        step();
        const code = text.charCodeAt(at);
        return at < text.length && (node.set & (1n << BigInt(code))) !== 0n && next(at + 1);
      }
      case 'sequence':
        return inOrder(node.items, 0, at, next);
      case 'choice':
        return node.options.some((option) => match(option, at, next));
      case 'repeat':
        return repeat(node, 0, at, next);
      case 'start':
        return at === 0 && next(at);
      case 'end':
        return at === text.length && next(at);
      case 'boundary':
        return isWord(at - 1) !== isWord(at) && next(at);
      case 'around':
        return match(node.body, at, () => true) && next(at);
      case 'back':
        throw new Error('the matcher of the tests knows no groups');
    }
  }

  function inOrder(
    items: readonly PatternNode[],
    index: number,
    at: number,
    next: (at: number) => boolean,
  ): boolean {
    const item = items[index];
    if (item === undefined) return next(at);
    return match(item, at, (end) => inOrder(items, index + 1, end, next));
  }

  function repeat(
    node: Extract<PatternNode, { kind: 'repeat' }>,
    times: number,
    at: number,
    next: (at: number) => boolean,
  ): boolean {
    const again = (end: number): boolean =>
      (end > at || times < node.least) && repeat(node, times + 1, end, next);
    if (times < node.most && match(node.body, at, again)) return true;
    return times >= node.least && next(at);
  }

  for (let start = 0; start <= text.length; start += 1) {
    if (match(root, start, () => true)) return { found: true, steps };
  }
  return { found: false, steps };
}
