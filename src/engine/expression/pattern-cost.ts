// How long a search for a pattern may take at worst. Takes the tree of a pattern and the length of a text, gives the
// steps of a matcher that tries one way after the other, as V8's does: each piece is tried once for each way in
// which the pieces before it can match. More than a search takes, never less.

import { ALL, type CharacterSet, LINE_ENDS, type PatternNode } from './pattern-syntax.ts';

/** The ways in which a piece can match: `factor` times the ways of cutting a text at `cuts` places. */
interface Ways {
  readonly factor: number;
  readonly cuts: number;
}

interface Cost extends Ways {
  readonly steps: number;
  /** Whether it also walks through the rest of the text, however much is left of it. */
  readonly walks?: true;
}

/** What comes behind a piece. */
interface Follow {
  /** The characters one of which has to come next. */
  readonly set: CharacterSet;
  /** False where anything may come, or nothing. */
  readonly isSure: boolean;
}

type Repeat = Extract<PatternNode, { kind: 'repeat' }>;

const ANYTHING: Follow = { set: ALL, isSure: false };
const ONE_STEP: Cost = { steps: 1, factor: 1, cuts: 0 };
/** A search is tried from each character on: as if this came before the pattern. */
const ANY_START: Repeat = {
  kind: 'repeat',
  body: { kind: 'set', set: ALL },
  least: 0,
  most: Number.POSITIVE_INFINITY,
};

/** What does not depend on the length of a text, as long as the tree lives. */
const FIRSTS = new WeakMap<PatternNode, CharacterSet>();
const TOGETHER = new WeakMap<readonly PatternNode[], readonly (readonly number[])[]>();

/** Steps of a search in the worst text of that length; Infinity where they grow without bounds. */
export function worstSteps(root: PatternNode, flags: string, length: number): number {
  const isMultiline = flags.includes('m');
  const items = root.kind === 'sequence' ? root.items : [root];
  const isBound = !isMultiline && startsBound(root);
  const whole: PatternNode = { kind: 'sequence', items: isBound ? items : [ANY_START, ...items] };
  // The ways of the last piece are not tried: the first of them ends the search.
  return new Counter(length, isMultiline).cost(whole, ANYTHING).steps + length;
}

function startsBound(node: PatternNode): boolean {
  if (node.kind === 'choice') return node.options.every(startsBound);
  if (node.kind !== 'sequence') return node.kind === 'start';
  return node.items[0] !== undefined && startsBound(node.items[0]);
}

class Counter {
  readonly #length: number;
  readonly #isMultiline: boolean;

  constructor(length: number, isMultiline: boolean) {
    this.#length = length;
    this.#isMultiline = isMultiline;
  }

  count({ factor, cuts }: Ways): number {
    let ways = factor;
    for (let cut = 1; cut <= cuts; cut += 1) ways *= (this.#length + cut) / cut;
    return ways;
  }

  cost(node: PatternNode, follow: Follow): Cost {
    switch (node.kind) {
      case 'set':
      case 'start':
      case 'end':
      case 'boundary':
        return ONE_STEP;
      case 'back':
        return { ...ONE_STEP, steps: this.#length };
      case 'around': {
        const { steps, factor, cuts } = this.#alone(this.cost(node.body, ANYTHING));
        return { ...ONE_STEP, steps: steps + this.count({ factor, cuts }) };
      }
      case 'choice':
        return this.#choice(node.options, follow);
      case 'sequence':
        return this.#sequence(node.items, follow);
      case 'repeat':
        return node.body.kind === 'set'
          ? this.#repeatedSet(node, node.body.set, follow)
          : this.#repeatedGroup(node, follow);
    }
  }

  #sequence(items: readonly PatternNode[], follow: Follow): Cost {
    const follows: Follow[] = [];
    let behind = follow;
    for (const item of items.toReversed()) {
      follows.unshift(behind);
      behind = this.#before(item, behind);
    }
    let steps = 0;
    let ways: Ways = { factor: 1, cuts: 0 };
    for (const [index, item] of items.entries()) {
      const cost = this.cost(item, follows[index] ?? ANYTHING);
      steps += this.count(ways) * cost.steps;
      if (cost.walks) steps += this.count({ ...ways, cuts: ways.cuts + 1 });
      ways = { factor: ways.factor * cost.factor, cuts: ways.cuts + cost.cuts };
    }
    return { steps, ...ways };
  }

  /** Only options that can begin with the same character are tried for one text. */
  #choice(options: readonly PatternNode[], follow: Follow): Cost {
    const costs = options.map((option) => this.#alone(this.cost(option, follow)));
    const steps = costs.reduce((sum, cost) => sum + cost.steps, 1);
    const factors = this.#together(options).map((indexes) =>
      indexes.reduce((sum, index) => sum + (costs[index]?.factor ?? 0), 0),
    );
    const factor = Math.max(...factors);
    return { steps, factor, cuts: Math.max(...costs.map(({ cuts }) => cuts)) };
  }

  /** For each character the options that can begin with it, each such list once. */
  #together(options: readonly PatternNode[]): readonly (readonly number[])[] {
    let together = TOGETHER.get(options);
    if (together === undefined) {
      const firsts = options.map((option) => (isNullable(option) ? ALL : this.#first(option)));
      const lists = new Map<string, number[]>();
      for (let bit = 1n; bit <= ALL; bit <<= 1n) {
        const list = [...firsts.keys()].filter((index) => ((firsts[index] ?? ALL) & bit) !== 0n);
        lists.set(list.join(), list);
      }
      together = [...lists.values()];
      TOGETHER.set(options, together);
    }
    return together;
  }

  /** A cost without what is known only in a row. */
  #alone({ walks, steps, ...ways }: Cost): Cost {
    return { ...ways, steps: walks ? steps + this.#length : steps };
  }

  #repeatedSet({ least, most }: Repeat, set: CharacterSet, follow: Follow): Cost {
    // Where none of its characters may come next, only one length can go on; the others end at once.
    if (follow.isSure && (set & follow.set) === 0n) {
      return most < this.#length
        ? { steps: most + 1, factor: 1, cuts: 0 }
        : { ...ONE_STEP, walks: true };
    }
    // Each length is a way, and so a step of what comes next.
    const steps = Math.min(least, this.#length) + 1;
    return { steps, ...this.#lengths(least, Math.min(most, this.#length)) };
  }

  #repeatedGroup({ body, least, most }: Repeat, follow: Follow): Cost {
    const set = this.#first(body) | follow.set;
    const isEmptyToo = isNullable(body);
    const inside = this.cost(body, { set, isSure: follow.isSure });
    const { steps, ...ways } = this.#alone(inside);
    // What matches nothing is repeated only as often as it must be.
    const times = Math.min(most, this.#length + (isEmptyToo ? least : 0));
    const each = this.count(ways);
    if (each > 1) {
      if (times === 1) return this.#optional({ steps, ...ways }, least);
      let sum = 0;
      let product = 1;
      for (let time = 0; time <= times && sum < Number.MAX_VALUE; time += 1) {
        sum += product;
        product *= each;
      }
      return { steps: sum * (steps + 1), factor: sum, cuts: 0 };
    }
    const tried = (times + 1) * (steps + 1);
    const isSure = follow.isSure && !isEmptyToo && (this.#first(body) & follow.set) === 0n;
    return { steps: tried, ...(isSure ? { factor: 1, cuts: 0 } : this.#lengths(least, times)) };
  }

  #optional({ steps, factor, cuts }: Cost, least: number): Cost {
    return { steps: steps + 1, factor: factor + (least === 0 ? 1 : 0), cuts };
  }

  #lengths(least: number, most: number): Ways {
    const lengths = Math.max(1, most - least + 1);
    return lengths < this.#length ? { factor: lengths, cuts: 0 } : { factor: 1, cuts: 1 };
  }

  /** What has to come where a piece begins. */
  #before(node: PatternNode, follow: Follow): Follow {
    switch (node.kind) {
      case 'around':
      case 'back':
        return ANYTHING;
      case 'start':
      case 'boundary':
        return follow;
      case 'end':
        return { set: this.#isMultiline ? LINE_ENDS : 0n, isSure: true };
      default: {
        const set = this.#first(node);
        return isNullable(node)
          ? { set: set | follow.set, isSure: follow.isSure && !looksAhead(node) }
          : { set, isSure: !looksAhead(node) };
      }
    }
  }

  /** The characters that a piece can begin with. */
  #first(node: PatternNode): CharacterSet {
    const known = FIRSTS.get(node);
    if (known !== undefined) return known;
    const set = this.#findFirst(node);
    FIRSTS.set(node, set);
    return set;
  }

  #findFirst(node: PatternNode): CharacterSet {
    switch (node.kind) {
      case 'set':
        return node.set;
      case 'repeat':
        return this.#first(node.body);
      case 'choice':
        return node.options.reduce((set, option) => set | this.#first(option), 0n);
      case 'sequence': {
        let set = 0n;
        for (const item of node.items) {
          set |= this.#first(item);
          if (!isNullable(item)) break;
        }
        return set;
      }
      case 'back':
        return ALL;
      case 'end':
        return this.#isMultiline ? LINE_ENDS : 0n;
      default:
        return 0n;
    }
  }
}

/** Whether a piece can match without a character. */
function isNullable(node: PatternNode): boolean {
  switch (node.kind) {
    case 'set':
      return false;
    case 'repeat':
      return node.least === 0 || isNullable(node.body);
    case 'choice':
      return node.options.some(isNullable);
    case 'sequence':
      return node.items.every(isNullable);
    default:
      return true;
  }
}

/** Whether a piece may read far before it looks at its first character. */
function looksAhead(node: PatternNode): boolean {
  switch (node.kind) {
    case 'around':
    case 'back':
      return true;
    case 'repeat':
      return looksAhead(node.body);
    case 'choice':
      return node.options.some(looksAhead);
    case 'sequence':
      return node.items.some(looksAhead);
    default:
      return false;
  }
}
