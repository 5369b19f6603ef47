// Reads the shipped samples for the tests about them. Takes samples/ as it is on disk, gives each file with
// its text, its body, what its events say of themselves, and the ids of the sale it tells of. Never changes a file.

import { readdirSync, readFileSync } from 'node:fs';
import type { JsonObject, JsonValue } from '../../src/core/model.ts';
import { PROVIDERS, type Provider } from '../../src/core/providers.ts';

export interface Sample {
  name: string;
  provider: Provider;
  text: string;
  body: JsonObject;
}
export interface SampleEvent {
  id: string;
  type: string;
  timeMs: number;
}

export const ROOT = new URL('../../samples/', import.meta.url);
export const README = readFileSync(new URL('README.md', ROOT), 'utf8');

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value at a dotted path; a number is a place in a list. Undefined where there is none. */
export function at(value: JsonValue | undefined, path: string): JsonValue | undefined {
  return path.split('.').reduce<JsonValue | undefined>((found, step) => {
    if (Array.isArray(found)) return found[Number(step)];
    return isObject(found) ? found[step] : undefined;
  }, value);
}

export const samples: Sample[] = PROVIDERS.flatMap((provider) =>
  readdirSync(new URL(`${provider}/`, ROOT)).map((file) => {
    const text = readFileSync(new URL(`${provider}/${file}`, ROOT), 'utf8');
    return { name: file.replace(/\.json$/, ''), provider, text, body: JSON.parse(text) };
  }),
);
export function sample(provider: Provider, name: string): Sample {
  const found = samples.find((each) => each.provider === provider && each.name === name);
  if (found === undefined) throw new Error(`there is no sample ${provider}/${name}`);
  return found;
}

/** What each event of a body says of itself, in the words of its provider. */
export function eventsOf({ provider, body }: Sample): SampleEvent[] {
  const list = provider === 'fastspring' ? body['events'] : [body];
  if (!Array.isArray(list)) throw new Error('a FastSpring body holds a list of events');
  return list.map((event) => {
    const time = at(
      event,
      { stripe: 'created', fastspring: 'created', paddle: 'occurred_at' }[provider],
    );
    const seconds = provider === 'stripe' && typeof time === 'number';
    return {
      id: String(at(event, provider === 'paddle' ? 'event_id' : 'id')),
      type: String(at(event, provider === 'paddle' ? 'event_type' : 'type')),
      timeMs: seconds
        ? time * 1000
        : new Date(String(time).match(/^\d+$/) ? Number(time) : String(time)).getTime(),
    };
  });
}

/** Every text of a value, each with the name it stands under. */
function texts(value: JsonValue, key = ''): [string, string][] {
  if (typeof value === 'string') return [[key, value]];
  if (Array.isArray(value)) return value.flatMap((each) => texts(each, key));
  return isObject(value) ? Object.entries(value).flatMap(([name, each]) => texts(each, name)) : [];
}

/** The ids that say which sale a file tells of. Ids of prices and products are shared by strangers. */
function saleIds({ provider, body }: Sample): Set<string> {
  const tells: Record<Provider, (key: string, text: string) => boolean> = {
    stripe: (_, text) => /^(sub|cs_test|in|pi|cus)_\w+$/.test(text),
    fastspring: (key, text) =>
      /^(order|subscription|subscriptions|parentSubscription|initialOrderId)$/.test(key) &&
      /^[\w-]{22}$/.test(text),
    paddle: (_, text) => /^(sub|txn|ctm)_\w+$/.test(text),
  };
  return new Set(texts(body).flatMap(([key, text]) => (tells[provider](key, text) ? [text] : [])));
}
/** Whether two files tell of the same sale, or of the same customer. */
export function share(a: Sample, b: Sample): boolean {
  const ids = saleIds(b);
  return [...saleIds(a)].some((id) => ids.has(id));
}

/** The samples that a text in Markdown links to. */
export const links = (text: string) =>
  [...text.matchAll(/\[([^\]]+)\]\((\w+)\/([^)]+)\.json\)/g)].map(([, shown, provider, file]) => ({
    shown,
    path: `${provider}/${file}`,
    file,
  }));
