// What a reviewer wants to be stopped by. Takes one difference between two plans, gives why it may take something
// from customers or lose a sale; nothing where it does not. The reasons stand in docs/comparing-rules.md.

import { type Interval, parseInterval } from '../../core/interval.ts';
import type { JsonValue } from '../../core/model.ts';

const TAKING: Readonly<Record<string, string>> = {
  'license.suspend': 'licenses are suspended that were not',
  'license.revoke': 'licenses are revoked that were not',
  'license.delete': 'licenses are deleted that were not',
  'license.setExpiry': 'an expiry is set where none was',
};

const GIVING: Readonly<Record<string, string>> = {
  'license.create': 'a sale is not licensed any more',
  'license.renew': 'a payment does not renew any more',
  'license.resume': 'suspended licenses do not come back any more',
  'license.restore': 'what was taken back does not come back any more',
};

export function dangerOfAdding(action: string): string | undefined {
  return TAKING[action];
}

export function dangerOfRemoving(action: string): string | undefined {
  return GIVING[action];
}

/** @param from undefined: the field was not written; @param to undefined: it is not written any more */
export function dangerOfValue(
  action: string,
  field: string,
  from: JsonValue | undefined,
  to: JsonValue | undefined,
): string | undefined {
  if (field.startsWith('find.') && action.startsWith('license.')) {
    return 'other licenses are found than before';
  }
  switch (field.replace(/^whenSuspended\./, '')) {
    case 'subscriptionInterval':
      return isShorter(from, to) ? 'licenses run for a shorter time' : undefined;
    case 'expiresAt':
      return from === undefined ? TAKING['license.setExpiry'] : earlier(from, to);
    case 'quantity':
    case 'allowedActivations':
    case 'allowedFloatingClients':
    case 'allowedDeactivations':
      return typeof from === 'number' && typeof to === 'number' && to < from
        ? 'customers get fewer than before'
        : undefined;
    case 'productId':
      return from === undefined
        ? undefined
        : 'another product is licensed; a sale that was licensed before and is told again is a conflict';
    case 'resume':
      return from === true && to !== true ? 'suspended licenses stay suspended' : undefined;
    case 'missing':
      return to === 'ignore' && action in GIVING
        ? 'a payment that comes before its purchase is forgotten'
        : undefined;
    default:
      return undefined;
  }
}

/** An empty interval is for ever; one that is not written is the template's, of which nothing is known. */
function isShorter(from: JsonValue | undefined, to: JsonValue | undefined): boolean {
  if (typeof from !== 'string' || typeof to !== 'string' || to === '') return false;
  if (from === '') return true;
  const [was, is] = [parseInterval(from), parseInterval(to)];
  return was !== undefined && is !== undefined && daysOf(is) < daysOf(was);
}

/** Long enough to tell P1M from P30D and P1Y from P12M. */
function daysOf({ months, days, seconds }: Interval): number {
  return months * 30.44 + days + seconds / 86_400;
}

function earlier(from: JsonValue, to: JsonValue | undefined): string | undefined {
  const isEarlier = Date.parse(String(to)) < Date.parse(String(from));
  return isEarlier ? 'licenses expire earlier' : undefined;
}
