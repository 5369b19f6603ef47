// What the way between a provider and a server does to deliveries. Takes deliveries in their order and chance;
// gives rounds of sendings: again, under new ids, in another order, in batches, late, side by side, and
// forged ones between them. Pure: the same chance gives the same rounds. The end state must be the one of
// the calm order; what would rightly end otherwise is kept in order by its scenario.

import { PROVIDER_FACTS, type Provider } from '../../core/providers.ts';
import { type Delivery, type ToldEvent, underNewId } from './deliveries.ts';
import { createFreshIds } from './fresh-ids.ts';
import { below, type Random, shuffled } from './random.ts';

export type Forgery = 'wrong signature' | 'tampered body' | 'stale timestamp';

/** One POST to be made. */
export interface Sending {
  readonly name: string;
  readonly events: readonly ToldEvent[];
  /** Nothing for what the provider sends first. */
  readonly note: 'again' | 'new id' | 'batch' | Forgery | undefined;
  /** A forged delivery must be refused. What is signed in place of what is sent, where they differ. */
  readonly forgery: { readonly kind: Forgery; readonly signs: readonly ToldEvent[] } | undefined;
  /** How long after its turn came it is sent. */
  readonly delayMs: number;
}

/** Sendings that may be made side by side; a round begins when the one before it is answered. */
export type Round = readonly Sending[];

const DELAY_MS_MAX = 20;
const REPEATS_MAX = 2;
const NEW_ID_CHANCE = 0.4;
const FORGERY_CHANCE = 0.3;
const BATCH_CHANCE = 0.4;

/** Each delivery once, one after the other. */
export function calm(deliveries: readonly Delivery[]): readonly Round[] {
  return deliveries.map(({ name, events }) => [sending(name, events)]);
}

/** The same deliveries with everything that may happen to them. */
export function chaotic(
  provider: Provider,
  deliveries: readonly Delivery[],
  random: Random,
): readonly Round[] {
  const segments = segmentsOf(deliveries);
  const rounds: Sending[][] = segments.map((segment) =>
    PROVIDER_FACTS[provider].batchMember !== undefined
      ? batched(segment, random)
      : segment.map(({ name, events }) => sending(name, events)),
  );
  segments.forEach((segment, place) => {
    const later = (): Sending[] => rounds[place + below(random, rounds.length - place)] ?? [];
    for (const delivery of segment) {
      for (const extra of extrasOf(provider, delivery, random)) later().push(extra);
    }
  });
  return rounds.map((round) =>
    shuffled(round, random).map((each) => ({ ...each, delayMs: below(random, DELAY_MS_MAX) })),
  );
}

/** Deliveries that may change places with one another. */
function segmentsOf(deliveries: readonly Delivery[]): readonly (readonly Delivery[])[] {
  const segments: Delivery[][] = [[]];
  for (const delivery of deliveries) {
    if (delivery.keepsOrder) segments.push([delivery], []);
    else segments.at(-1)?.push(delivery);
  }
  return segments.filter((segment) => segment.length > 0);
}

function sending(
  name: string,
  events: readonly ToldEvent[],
  note?: Sending['note'],
  forgery?: Sending['forgery'],
): Sending {
  return { name, events, note, forgery, delayMs: 0 };
}

function extrasOf(
  provider: Provider,
  { name, events }: Delivery,
  random: Random,
): readonly Sending[] {
  const extras: Sending[] = [];
  for (let left = below(random, REPEATS_MAX + 1); left > 0; left -= 1) {
    extras.push(sending(name, events, 'again'));
  }
  if (random() < NEW_ID_CHANCE) {
    const number = below(random, 1e9);
    const renamed = events.map((event) => underNewId(provider, event, number));
    extras.push(sending(name, renamed, 'new id'));
  }
  if (random() < FORGERY_CHANCE) extras.push(forged(provider, name, events, random));
  return extras;
}

/** Of another customer, so that one that is let in is seen in the end as well. */
function forged(
  provider: Provider,
  name: string,
  events: readonly ToldEvent[],
  random: Random,
): Sending {
  // A plain signature holds no time.
  const kinds: readonly Forgery[] =
    PROVIDER_FACTS[provider].signature.kind === 'plain'
      ? ['wrong signature', 'tampered body']
      : ['wrong signature', 'tampered body', 'stale timestamp'];
  const kind = kinds[below(random, kinds.length)] ?? 'wrong signature';
  const ids = createFreshIds(provider, 'forged', below(random, 1e9));
  const strangers = events.map((event) => {
    const payload = ids.renew(event.payload, '', new Set([event.id]));
    return { ...event, payload, id: String(payload[PROVIDER_FACTS[provider].idMember]) };
  });
  const signs = kind === 'tampered body' ? events : strangers;
  return sending(name, strangers, kind, { kind, signs });
}

/** `order.completed +2` */
function batchName(before: string): string {
  const [, first = before, more = '0'] = /^(.*?)(?: \+(\d+))?$/.exec(before) ?? [];
  return `${first} +${Number(more) + 1}`;
}

/** Neighbours in one POST, in no order, as FastSpring may send them. */
function batched(segment: readonly Delivery[], random: Random): Sending[] {
  const sendings: Sending[] = [];
  for (const { name, events } of segment) {
    const before = sendings.at(-1);
    if (before === undefined || random() >= BATCH_CHANCE) {
      sendings.push(sending(name, events));
      continue;
    }
    const together = shuffled([...before.events, ...events], random);
    sendings[sendings.length - 1] = sending(batchName(before.name), together, 'batch');
  }
  return sendings;
}
