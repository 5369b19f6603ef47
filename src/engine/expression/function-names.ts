// The functions that a formula may call: JSONata's own that are safe, and Keywright's library.
// Data only.

/** Keywright's library; implemented in library.ts, described in docs/rules.md. */
export const OWN_FUNCTIONS = [
  'first',
  'if',
  'id',
  'one',
  'need',
  'catalog',
  'interval',
  'words',
  'unix',
  'plus',
] as const;

/** JSONata's functions that give the same result at each replay (jsonata 2.2.2). */
export const JSONATA_FUNCTIONS = [
  ...['abs', 'append', 'assert', 'average', 'boolean', 'ceil', 'contains', 'count', 'distinct'],
  ...['each', 'error', 'exists', 'filter', 'floor', 'formatBase', 'formatInteger', 'formatNumber'],
  ...['fromMillis', 'join', 'keys', 'length', 'lookup', 'lowercase', 'map', 'match', 'max'],
  ...['merge', 'min', 'not', 'number', 'pad', 'parseInteger', 'power', 'reduce', 'replace'],
  ...['reverse', 'round', 'sift', 'single', 'sort', 'split', 'spread', 'sqrt', 'string'],
  ...['substring', 'substringAfter', 'substringBefore', 'sum', 'toMillis', 'trim', 'type'],
  ...['uppercase', 'zip', 'base64encode', 'base64decode', 'encodeUrl', 'encodeUrlComponent'],
  ...['decodeUrl', 'decodeUrlComponent'],
] as const;

export const FUNCTION_NAMES: ReadonlySet<string> = new Set([
  ...OWN_FUNCTIONS,
  ...JSONATA_FUNCTIONS,
]);

/** Why a function of JSONata is not allowed. */
export const REFUSED_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ['now', 'a replay must give the same plan; use $event.time'],
  ['millis', 'a replay must give the same plan; use $event.time'],
  ['random', 'a replay must give the same plan'],
  ['shuffle', 'a replay must give the same plan'],
  ['eval', 'formulas stand in the rule file, never in an event'],
  ['clone', 'it is not needed: formulas never change the event'],
]);
