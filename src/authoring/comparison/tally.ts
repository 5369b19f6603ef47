// Differences of many events, counted. Takes differences one event at a time, gives groups: what is different, how
// often, for which events. Tallies of several threads are put together; the order of events stays.

import type { Difference } from './difference.ts';

export interface Group extends Difference {
  readonly source: string;
  /** How many events there are. */
  readonly events: number;
  /** The ids of the first of them, in the order in which they were read. */
  readonly eventIds: readonly string[];
}

/** A tally as plain data, for the way between threads. */
export interface TallyData {
  readonly groups: readonly {
    readonly source: string;
    readonly difference: Difference;
    readonly steps: number;
    readonly events: number;
    readonly first: readonly (readonly [place: number, id: string])[];
  }[];
  readonly compared: number;
  readonly different: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly unusable: readonly Unusable[];
}

/** What could not be compared, and why. */
export interface Unusable {
  readonly reason: 'erased' | 'too large' | 'unreadable';
  /** The event's id, or file and line. */
  readonly where: string;
  readonly detail: string;
}

interface Entry {
  readonly source: string;
  readonly difference: Difference;
  steps: number;
  events: number;
  lastPlace: number;
  first: (readonly [place: number, id: string])[];
}

/** So many different texts of one field are listed; with more, each says little. */
const TEXTS_OF_FIELD_MAX = 50;

export class Tally {
  readonly #idsMax: number;
  readonly #entries = new Map<string, Entry>();
  readonly #textsOfField = new Map<string, number>();
  readonly #unusable: Unusable[] = [];
  #compared = 0;
  #different = 0;
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** @param idsMax how many ids are kept of each group; what is not shown need not be held */
  constructor(idsMax: number) {
    this.#idsMax = idsMax;
  }

  /** @param place of the event among all that are read; the places of one tally only grow */
  add(
    event: { readonly source: string; readonly id: string; readonly timeMs: number },
    place: number,
    differences: readonly Difference[],
  ): void {
    this.#compared += 1;
    if (differences.length > 0) this.#different += 1;
    this.#firstMs = Math.min(this.#firstMs, event.timeMs);
    this.#lastMs = Math.max(this.#lastMs, event.timeMs);
    for (const difference of differences) {
      const entry = this.#entryOf(event.source, difference);
      entry.steps += difference.steps;
      if (entry.lastPlace === place) continue;
      entry.lastPlace = place;
      entry.events += 1;
      if (entry.first.length < this.#idsMax) entry.first.push([place, event.id]);
    }
  }

  addUnusable(unusable: Unusable): void {
    this.#unusable.push(unusable);
  }

  merge(data: TallyData): void {
    this.#compared += data.compared;
    this.#different += data.different;
    this.#firstMs = Math.min(this.#firstMs, data.firstMs);
    this.#lastMs = Math.max(this.#lastMs, data.lastMs);
    for (const unusable of data.unusable) this.#unusable.push(unusable);
    for (const { source, difference, steps, events, first } of data.groups) {
      const entry = this.#entryOf(source, difference);
      entry.steps += steps;
      entry.events += events;
      const all = [...entry.first, ...first].sort(([one], [other]) => one - other);
      entry.first = all.slice(0, this.#idsMax);
    }
  }

  data(): TallyData {
    return {
      groups: [...this.#entries.values()],
      compared: this.#compared,
      different: this.#different,
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
      unusable: this.#unusable,
    };
  }

  /** The dangerous first, then those of most events. */
  groups(): readonly Group[] {
    return [...this.#entries.values()]
      .map(({ source, difference, steps, events, first }) => ({
        ...{ source, ...difference, steps, events },
        eventIds: first.map(([, id]) => id),
      }))
      .sort(
        (one, other) =>
          Number(other.danger !== undefined) - Number(one.danger !== undefined) ||
          other.events - one.events ||
          one.source.localeCompare(other.source) ||
          one.rule.localeCompare(other.rule) ||
          one.text.localeCompare(other.text),
      );
  }

  #entryOf(source: string, difference: Difference): Entry {
    const known = this.#entries.get(keyOf(source, difference));
    if (known !== undefined) return known;
    const told = this.#withinLimit(source, difference);
    const key = keyOf(source, told);
    const entry = this.#entries.get(key) ?? {
      ...{ source, difference: told, steps: 0, events: 0, lastPlace: -1 },
      first: [],
    };
    this.#entries.set(key, entry);
    return entry;
  }

  /** `P1M → P1Y` is kept; the fifty-first pair of values of a field is one of "other values". */
  #withinLimit(source: string, difference: Difference): Difference {
    if (difference.kind !== 'input') return difference;
    const [field = ''] = difference.text.split(': ');
    const key = JSON.stringify([source, difference.rule, field]);
    const texts = (this.#textsOfField.get(key) ?? 0) + 1;
    this.#textsOfField.set(key, texts);
    return texts <= TEXTS_OF_FIELD_MAX
      ? difference
      : { ...difference, text: `${field}: other values` };
  }
}

/** Steps that are added and steps that are removed are two things. */
function keyOf(source: string, { rule, kind, text, steps, danger }: Difference): string {
  return JSON.stringify([source, rule, kind, text, Math.sign(steps), danger ?? null]);
}
