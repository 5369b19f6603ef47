// The events of rule tests. Takes an `event:` and whoever reads files, gives the provider's own JSON as it
// will be sent, and its time. What it says is changed by event-paths.ts, never here.

import type { JsonObject } from '../../core/model.ts';
import {
  eventsInBody,
  eventTimeOf,
  PROVIDER_FACTS,
  PROVIDERS,
  type Provider,
  setEventTime,
} from '../../core/providers.ts';

import { didYouMean } from '../diagnostics/closest.ts';
import type { EventReader } from './load-tests.ts';

/** An event, or the batch that one sample holds. */
export interface EventBody {
  readonly provider: Provider;
  /** As it is told: the sample's name, the file's path, or "an event written out". */
  readonly name: string;
  /** What paths begin in: the event itself; of a batch the whole body. Its own copy. */
  readonly content: JsonObject;
  readonly eventCount: number;
}

export type EventReading =
  | { readonly kind: 'read'; readonly body: EventBody }
  | {
      readonly kind: 'refused';
      readonly message: string;
      /** The member that is to blame. */
      readonly member: 'sample' | 'file' | 'data' | undefined;
      readonly hint?: string;
    };

type Raw = Readonly<Record<string, unknown>>;

/** @param provider that of the rule file which the test file names */
export function readEventBody(
  raw: Raw,
  { reader, provider: usual }: { reader: EventReader; provider: Provider | undefined },
): EventReading {
  const origins = (['sample', 'file', 'data'] as const).filter((member) => member in raw);
  const [origin, second] = origins;
  if (origin === undefined || second !== undefined) {
    const message = 'an event has exactly one of `sample`, `file` and `data`';
    return { kind: 'refused', message, member: second };
  }
  const refused = (message: string, hint?: string): EventReading => ({
    kind: 'refused',
    message,
    member: origin,
    ...(hint === undefined ? {} : { hint }),
  });
  const written = String(raw[origin]);
  const said = raw['provider'] as Provider | undefined;
  const ofSample = PROVIDERS.find((name) => origin === 'sample' && written.startsWith(`${name}/`));
  const provider = ofSample ?? said ?? usual;
  let content: unknown = raw['data'];
  if (origin !== 'data') {
    const text = origin === 'sample' ? reader.readSample(written) : reader.readFile(written);
    if (text === undefined) {
      const like = origin === 'sample' ? didYouMean(written, reader.sampleNames()) : '';
      return refused(
        origin === 'sample'
          ? `there is no sample "${written}"${like}`
          : `the file "${written}" cannot be read`,
        origin === 'sample' ? 'Their names stand in samples/README.md.' : undefined,
      );
    }
    content = parseJson(text);
    if (content === undefined) return refused(`"${written}" is not JSON`);
  }
  if (provider === undefined) {
    return refused('it is not known whose event this is', 'Say `provider: stripe` beside it.');
  }
  if (usual !== undefined && provider !== usual) {
    return refused(`this is an event of ${provider}, but the rules of this file are for ${usual}`);
  }
  const body = bodyOf(content, provider, origin === 'data' ? 'an event written out' : written);
  return body === undefined
    ? refused('this is not an event: it has to be a map')
    : { kind: 'read', body };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** FastSpring wraps every event in a list; paths begin in the event, as they do in rules. */
function bodyOf(content: unknown, provider: Provider, name: string): EventBody | undefined {
  if (!isObject(content)) return undefined;
  const { batchMember } = PROVIDER_FACTS[provider];
  const events: unknown = batchMember === undefined ? undefined : content[batchMember];
  if (!Array.isArray(events)) {
    return { provider, name, content: structuredClone(content), eventCount: 1 };
  }
  const [only] = events;
  if (events.length === 1 && isObject(only)) {
    return { provider, name, content: structuredClone(only), eventCount: 1 };
  }
  return { provider, name, content: structuredClone(content), eventCount: events.length };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The events inside, as their provider writes them. */
export function eventsIn({ provider, content }: EventBody): readonly JsonObject[] {
  return eventsInBody(provider, content);
}

/** When it happened, by the provider's own member; the latest of a batch; undefined when it does not say. */
export function eventTimeMs(body: EventBody): number | undefined {
  const times = eventsIn(body).flatMap((event) => eventTimeOf(body.provider, event) ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Lets the event happen at that moment. What else it says of times stays. */
export function putEventTime(body: EventBody, atMs: number): void {
  for (const event of eventsIn(body)) setEventTime(body.provider, event, atMs);
}
