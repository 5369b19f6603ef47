// What each fact should have done, whatever way it came. Takes a sale and what happened to it, gives what
// Cryptlex has to hold in the end. Knows nothing of events, retries or journals: that is the point of it.
//
// Where the promise leaves freedom, it is said here, and only here:
// - The expiry after Paddle's payments of a sale that was paused depends on whether the pause was seen
//   before them: a suspended license is paid through a date, an active one is moved by its interval. What
//   came in order has one outcome; what did not may have that of any order (`expiries`).
// - The same after Paddle's payments of a sale whose licenses were to be suspended after a time: a payment that
//   is delivered when that is over finds them suspended, however early it was made.
// - A change of plan that comes before any license is there has nothing to bring back: the rule says
//   `missing: ignore`, so it is done and not remembered. The lifecycles tell none before its purchase.
// - A payment that FastSpring tells again by hand has the time of the telling. If the server was away when it was
//   told first, all goes by the later time: the lifecycles resend only what was accepted.
// - What is told of a sale that has ended, after its end was carried out, finds nothing any more.

import { addInterval, parseInterval } from '../../src/core/interval.ts';
import type { Provider } from '../../src/core/providers.ts';

/** What is sold as one: `quantity` licenses of a product. */
export interface Line {
  readonly productId: string;
  readonly quantity: number;
  /** ISO 8601; empty for perpetual. */
  readonly interval: string;
  /** Of a subscription; what was bought once is not touched by later facts. */
  readonly isRecurring: boolean;
  /** The metadata by which its licenses are found. */
  readonly reference: readonly [key: string, value: string];
}

/**
 * What happens to the recurring lines of a sale after the purchase. Payments are told apart by a number; 0 is
 * the purchase itself, which paid for all lines.
 */
export type Fact = { readonly timeMs: number } & (
  | { readonly kind: 'payment'; readonly paidUntilMs?: number }
  | { readonly kind: 'suspension' }
  /** It suspends when the time of grace is over, unless something was paid since: at once or later. */
  | { readonly kind: 'failure' }
  /** A change of plan was paid: what is suspended comes back, paid through a date. */
  | { readonly kind: 'comeback'; readonly paidUntilMs: number }
  /** The subscription has ended: FastSpring's licenses are deleted, the others revoked. */
  | { readonly kind: 'end' }
  /** A payment was paid back in full, was disputed, or that dispute was won. */
  | { readonly kind: 'refund' | 'dispute' | 'won'; readonly payment: number }
);

export interface Sale {
  readonly provider: Provider;
  readonly ownerEmail: string;
  readonly lines: readonly Line[];
  readonly facts: readonly Fact[];
  /** Each fact arrived after those before it, so that there is one outcome only. */
  readonly cameInOrder: boolean;
}

/** A license as far as the model is about it. */
export interface Seen {
  readonly productId: string;
  readonly ownerEmail: string | undefined;
  readonly suspended: boolean;
  readonly revoked: boolean;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | undefined;
}

export function hasEnded(sale: Sale, line: Line): boolean {
  return sale.provider === 'fastspring' && line.isRecurring && hasFact(sale.facts, 'end');
}

const hasFact = (facts: readonly Fact[], wanted: Fact['kind']): boolean =>
  facts.some(({ kind }) => kind === wanted);

/** What is wrong with the licenses of a line; nothing when they are as each fact applied once makes them. */
export function differences(sale: Sale, line: Line, licenses: readonly Seen[]): readonly string[] {
  const wanted = hasEnded(sale, line) ? 0 : line.quantity;
  const wrong: string[] = [];
  if (licenses.length !== wanted) wrong.push(`${licenses.length} licenses instead of ${wanted}`);
  const facts = sale.facts.filter(
    (fact) => line.isRecurring || ('payment' in fact && fact.payment === 0),
  );
  const isRevoked = hasFact(facts, 'refund') || hasFact(facts, 'end');
  for (const license of licenses) {
    const { productId, ownerEmail, suspended, revoked, createdAtMs, expiresAtMs } = license;
    if (revoked !== isRevoked) wrong.push(revoked ? 'revoked' : 'not revoked');
    if (productId !== line.productId) wrong.push(`product ${productId}`);
    if (ownerEmail !== sale.ownerEmail) wrong.push(`${ownerEmail} owns it, not ${sale.ownerEmail}`);
    const allowed = outcomes(line, facts, sale.cameInOrder, createdAtMs);
    if (!allowed.has(told(suspended, expiresAtMs))) {
      wrong.push(`${told(suspended, expiresAtMs)} instead of ${[...allowed].join(' or ')}`);
    }
  }
  return wrong;
}

const told = (suspended: boolean, expiresAtMs: number | undefined): string =>
  `${suspended ? 'suspended' : 'active'} until ${
    expiresAtMs === undefined ? 'ever' : new Date(expiresAtMs).toISOString()
  }`;

function outcomes(
  line: Line,
  facts: readonly Fact[],
  cameInOrder: boolean,
  createdAtMs: number,
): ReadonlySet<string> {
  const suspended = isSuspended(facts);
  const dates = [...expiries(line, facts, cameInOrder, createdAtMs)];
  return new Set(dates.map((ms) => told(suspended, ms)));
}

/**
 * The newest word counts; of two of the same time the payment's. A dispute counts until it is won. In the end
 * every clock has run out, so a failure is a suspension where nothing was paid since.
 */
function isSuspended(facts: readonly Fact[]): boolean {
  const suspendedMs = newest(facts.filter(suspends));
  const paidMs = newest(facts.filter(({ kind }) => kind === 'payment' || kind === 'comeback'));
  const isDisputed = facts.some(
    (fact) => fact.kind === 'dispute' && fact.timeMs > paidMs && !isWon(fact.payment, facts),
  );
  return suspendedMs > paidMs || isDisputed;
}

function isWon(payment: number, facts: readonly Fact[]): boolean {
  return facts.some((fact) => fact.kind === 'won' && fact.payment === payment);
}

const suspends = ({ kind }: Fact): boolean => kind === 'suspension' || kind === 'failure';

const newest = (facts: readonly Fact[]): number => Math.max(0, ...facts.map((fact) => fact.timeMs));

function expiries(
  line: Line,
  facts: readonly Fact[],
  cameInOrder: boolean,
  createdAtMs: number,
): ReadonlySet<number | undefined> {
  const interval = parseInterval(line.interval);
  if (interval === undefined) return new Set([undefined]);
  const plus = (ms: number): number => addInterval(ms, interval) ?? Number.NaN;
  const byTime = [...facts].sort((a, b) => a.timeMs - b.timeMs || rank(a) - rank(b));
  const hasDates = facts.some((fact) => 'paidUntilMs' in fact);
  const mayHaveRunOut = facts.some(({ kind }) => kind === 'failure');
  const hasOneOrder = cameInOrder && !mayHaveRunOut;
  const orders = hasOneOrder || !hasDates ? [byTime] : permutations(byTime);
  return new Set(orders.map((order) => expiryAfter(order, plus(createdAtMs), plus)));
}

/** A suspension comes before a payment of the same time, so that the payment wins. */
const rank = (fact: Fact): number => (suspends(fact) || fact.kind === 'dispute' ? 0 : 1);

/** The facts one after the other; one that is older than what it would set changes nothing of that. */
function expiryAfter(
  facts: readonly Fact[],
  startMs: number,
  plus: (ms: number) => number,
): number {
  let expiresAtMs = startMs;
  let isDown = false;
  let paidOrDownMs = 0;
  let movedMs = 0;
  let datedMs = 0;
  let paidMs = 0;
  const disputes = new Map<number, number>();
  const won = new Set<number>();
  for (const fact of facts) {
    const { timeMs } = fact;
    switch (fact.kind) {
      case 'end':
      case 'refund':
        break;
      case 'won':
        won.add(fact.payment);
        disputes.delete(fact.payment);
        break;
      case 'dispute':
        if (!won.has(fact.payment) && timeMs > paidMs) disputes.set(fact.payment, timeMs);
        break;
      case 'suspension':
      case 'failure':
        if (timeMs > paidOrDownMs) isDown = true;
        paidOrDownMs = Math.max(paidOrDownMs, timeMs);
        break;
      default: {
        const isDisputed = [...disputes.values()].some((sinceMs) => sinceMs <= timeMs);
        if ((isDown || isDisputed) && fact.paidUntilMs !== undefined) {
          if (timeMs >= movedMs) {
            expiresAtMs = fact.paidUntilMs;
            datedMs = timeMs;
            movedMs = timeMs;
          }
        } else if (fact.kind === 'payment' && timeMs >= datedMs) {
          expiresAtMs = plus(expiresAtMs);
          movedMs = Math.max(movedMs, timeMs);
        }
        if (timeMs >= paidOrDownMs) isDown = false;
        for (const [payment, sinceMs] of disputes) {
          if (sinceMs <= timeMs) disputes.delete(payment);
        }
        paidMs = Math.max(paidMs, timeMs);
        paidOrDownMs = Math.max(paidOrDownMs, timeMs);
      }
    }
  }
  return expiresAtMs;
}

function permutations<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}
