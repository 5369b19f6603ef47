// Ids of Cryptlex that are plainly none: an id of the provider, a placeholder, a UUID with a slip. Takes a
// text, gives why it is no id. An id that only looks unusual is left alone.

/** Fields that hold an id of Cryptlex. */
export const ID_FIELDS = new Set([
  ...['productId', 'licenseTemplateId', 'entitlementSetId', 'userId', 'organizationId'],
  ...['resellerId', 'maintenancePolicyId', 'id'],
]);

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
/** Ids of Stripe and Paddle. */
const FOREIGN = /^(?:price|prod|plink|sub|cus|plan|pri|pro|ctm|txn|sku|in|cs|si)_[A-Za-z0-9]{4,}/;

/** Why a text is no id; undefined where it may be one. */
export function whyNoId(text: string): string | undefined {
  if (UUID.test(text)) return undefined;
  if (FOREIGN.test(text)) return 'is an id of the payment provider, not of Cryptlex';
  if (/^[\s"'`]|[\s"'`]$/.test(text)) return 'has a blank or a quote at its end';
  if (/[<>{}…]|\.\.\.|^x{4,}$|^(?:your|my|the)[-_ ]|todo|change-?me|placeholder/i.test(text)) {
    return 'is a placeholder, not an id';
  }
  if (/\s/.test(text)) return 'has a space in it, so it is a name and not an id';
  if (/^https?:/.test(text)) return 'is an address, not an id';
  return slipOf(text);
}

/** A UUID that lost or gained something on its way. */
function slipOf(text: string): string | undefined {
  const groups = text.split('-');
  const isNearly = groups.length === 5 && text.length >= 30 && text.length <= 42;
  if (!isNearly || !/^[\da-z-]+$/i.test(text)) return undefined;
  const strange = /[^\da-f-]/i.exec(text);
  if (strange !== null) return `is no id: "${strange[0]}" is none of 0-9 and a-f`;
  return `is no id: it has ${text.length} characters, and an id has 36`;
}
