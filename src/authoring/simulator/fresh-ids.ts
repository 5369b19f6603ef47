// Ids and addresses of its own for each run. Takes events made of samples, gives the same events of another
// customer: each id of the provider becomes another one of the same look, everywhere alike.
// Ids of what is sold (prices, products) stay: they mean the same for every customer.

import { createHash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../../core/model.ts';
import { PROVIDER_FACTS, type Provider } from '../../core/providers.ts';

/** What a buyer or a seller writes; nothing in it is the provider's. */
export const FOREIGN_MEMBERS: ReadonlySet<string> = new Set([
  'metadata',
  'custom_data',
  'attributes',
  'tags',
]);

const ADDRESS = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** Shorter ids get something added, or two runs would soon share one. */
const CHANCE_LENGTH_MIN = 12;

export interface FreshIds {
  /**
   * The event with this run's ids.
   * @param ofStep ids that are to be new in this step alone, although other steps have them too
   */
  renew(event: JsonObject, step: string, ofStep: ReadonlySet<string>): JsonObject;
}

/** @param run makes the difference between two runs: seed and scenario */
export function createFreshIds(provider: Provider, ...run: readonly (string | number)[]): FreshIds {
  const tag = inTheLookOf('aaaaaaaa', [...run, 'address']);
  return {
    renew: (event, step, ofStep) => {
      const renewText = (text: string, member: string): string => {
        if (ADDRESS.test(text)) return ofThisRun(text, tag);
        if (!ofStep.has(text) && !PROVIDER_FACTS[provider].isCustomerId(text, member)) return text;
        return freshId(text, [...run, ofStep.has(text) ? step : '', text]);
      };
      return mapTexts(event, '', renewText) as JsonObject;
    },
  };
}

function mapTexts(
  value: JsonValue,
  member: string,
  map: (text: string, member: string) => string,
): JsonValue {
  if (typeof value === 'string') return map(value, member);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, member, map));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      FOREIGN_MEMBERS.has(name) ? inner : mapTexts(inner, name, map),
    ]),
  );
}

/** `sub_1QxYb2` → `sub_7MkPz9`. */
function freshId(text: string, key: Key): string {
  const prefix = /^(?:cs_test_|cs_live_|[a-z]+_(?=\w*\d))/.exec(text)?.[0] ?? '';
  const own = text.slice(prefix.length);
  const padded = own.padEnd(CHANCE_LENGTH_MIN, '0a');
  return prefix + inTheLookOf(padded, key);
}

const DIGITS = '0123456789';
const LOWER = 'abcdefghjkmnpqrstvwxyz0123456789';
const UPPER = 'ABCDEFGHJKMNPQRSTVWXYZ';

/** What an id is derived from; a whole digest of it, so that no two customers of very many share one. */
type Key = readonly (string | number)[];

/** Digits for digits, small letters for small ones, capitals for capitals; other signs stay. */
function inTheLookOf(text: string, key: Key): string {
  const bytes = createHash('sha512').update(JSON.stringify(key)).digest();
  const oneOf = (letters: string, place: number): string => {
    const byte = bytes[place % bytes.length] ?? 0;
    return letters.charAt((byte + Math.floor(place / bytes.length)) % letters.length);
  };
  return text.replaceAll(/[0-9a-zA-Z]/g, (sign, place: number) => {
    if (sign >= '0' && sign <= '9') return oneOf(DIGITS, place);
    return oneOf(sign >= 'a' ? LOWER : UPPER, place);
  });
}

/** `ann@example.com` → `ann+x7k2mq@example.com`: the same mailbox at most providers, another user. */
function ofThisRun(address: string, tag: string): string {
  const at = address.lastIndexOf('@');
  const name = address.slice(0, at);
  return `${name}${name.includes('+') ? '-' : '+'}${tag}${address.slice(at)}`;
}
