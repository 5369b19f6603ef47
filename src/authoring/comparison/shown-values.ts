// Values of a plan's fields in words. Takes a field and what it was and is, gives a text that may stand in a
// pull request: values that a seller chose are shown, those that may be a buyer's are not.

import type { JsonValue } from '../../core/model.ts';

/** Fields whose values come from the seller's own tables and settings. */
const SELLERS_FIELDS =
  /^(?:productId|licenseTemplateId|entitlementSetId|maintenancePolicyId|quantity|allowed\w+|subscriptionInterval|subscriptionStartTrigger|maxAllowedReleaseVersion|requireAuthentication|type|missing|emailTaken|suspended|revoked|tags|validity|leaseDuration|whenSuspended\.resume|find\.suspended|find\.productId)$/;
const DATES = /(?:^|\.)expiresAt$/;
/** Ids and intervals fit; what is longer says no more to a reader. */
const LENGTH_MAX = 60;

/** `P1M → P1Y`, `nothing → 5`, `another value`. */
export function shownValue(
  field: string,
  from: JsonValue | undefined,
  to: JsonValue | undefined,
): string {
  if (from === undefined)
    return `${SELLERS_FIELDS.test(field) ? wordsOf(to) : 'a value'}, not written before`;
  if (to === undefined)
    return `${SELLERS_FIELDS.test(field) ? wordsOf(from) : 'its value'} is not written any more`;
  if (DATES.test(field)) {
    const [fromMs, toMs] = [Date.parse(String(from)), Date.parse(String(to))];
    if (toMs < fromMs) return 'an earlier date';
    return toMs > fromMs ? 'a later date' : 'another date';
  }
  return SELLERS_FIELDS.test(field) ? `${wordsOf(from)} → ${wordsOf(to)}` : 'another value';
}

function wordsOf(value: JsonValue | undefined): string {
  if (value === '') return '"" (perpetual)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LENGTH_MAX ? `${text.slice(0, LENGTH_MAX)}…` : text;
}
