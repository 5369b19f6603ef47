// Chance that can be repeated. Takes a seed, gives the same numbers each time; never asks the system.

import { createHash } from 'node:crypto';

/** Numbers from 0 (included) to 1, in a fixed order for each seed. */
export type Random = () => number;

/** mulberry32; good enough to shuffle with, and the same on every machine. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A seed made of texts: the same texts give the same seed. */
export function seedOf(...texts: readonly (string | number)[]): number {
  return createHash('sha256').update(JSON.stringify(texts)).digest().readUInt32BE(0);
}

/** A whole number from 0 up to, but not, `below`. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** The same items in an order of chance (Fisher and Yates). */
export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = below(random, last + 1);
    [mixed[last], mixed[other]] = [mixed[other] as Item, mixed[last] as Item];
  }
  return mixed;
}
