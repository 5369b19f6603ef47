// What Keywright's own functions do, for the help of the editor: name, how it is called, what it gives. The words
// are those of docs/rules.md; a test compares them. Data only.

export const FUNCTION_HELP: Readonly<Record<string, readonly [call: string, gives: string]>> = {
  first: [
    '$first(a, b, …)',
    'The first that is not blank. Blank is: missing, null, [], {} and a text of nothing but white space.',
  ],
  if: [
    '$if(condition, a, b)',
    '`a` when the condition holds, else `b`; without `b`, nothing. Both are worked out in any case, so neither may fail.',
  ],
  id: [
    '$id(x)',
    'The `id` of an object, or the text itself where only the id was sent. A list gives a list.',
  ],
  one: [
    '$one(list, message)',
    'The only member of a list. None or several: the event fails with the message.',
  ],
  need: ['$need(value, message)', 'The value. Is it blank, the event fails with the message.'],
  catalog: [
    '$catalog(key, …)',
    'The entry of the first key that the catalog has. Without a key: how many entries there are.',
  ],
  interval: [
    '$interval(n, unit)',
    'An ISO 8601 interval; the unit is `day`, `week`, `month` or `year`.',
  ],
  words: ['$words(text)', 'The first word as `first`, the others as `rest`.'],
  unix: ['$unix(seconds)', 'A date from seconds since 1970.'],
  plus: ['$plus(date, interval)', 'The date that much later.'],
};
