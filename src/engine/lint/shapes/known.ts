// What is known of the events of each provider. Takes sample bodies, gives the shape of each event type;
// writes them compactly and reads them back. Never reads a file.

import type { JsonObject } from '../../../core/model.ts';
import { eventsInBody, PROVIDER_FACTS, PROVIDERS, type Provider } from '../../../core/providers.ts';

import { FURTHER_MEMBERS, familyOf, MOVED_PATHS, WORDS } from './facts.ts';
import {
  learn,
  merge,
  readShape,
  type Shape,
  UNKNOWN,
  type WrittenShape,
  writeShape,
} from './shape.ts';

/** The events of one provider. */
export interface ProviderShapes {
  /** Every event type that the provider documents. */
  readonly types: readonly string[];
  /** What the object of an event is, for each type of which there is a sample: `stripe invoice`. */
  readonly families: ReadonlyMap<string, string>;
  /** The event with an object of this kind. */
  readonly shapes: ReadonlyMap<string, Shape>;
}

export type KnownShapes = Readonly<Record<Provider, ProviderShapes>>;

/** The shape of the events of a type; undefined where there is no sample of it. */
export function shapeOf(known: ProviderShapes, type: string): Shape | undefined {
  const family = known.families.get(type);
  return family === undefined ? undefined : known.shapes.get(family);
}

/** Learns from bodies of webhooks; those that are none of the provider's teach nothing. */
export function learnEvents(
  provider: Provider,
  bodies: readonly JsonObject[],
): Pick<ProviderShapes, 'families' | 'shapes'> {
  const families = new Map<string, string>();
  const shapes = new Map<string, Shape>();
  for (const event of bodies.flatMap((body) => eventsInBody(provider, body))) {
    const type = event[PROVIDER_FACTS[provider].typeMember];
    const { data } = event;
    if (typeof type !== 'string' || typeof data !== 'object' || data === null) continue;
    const object = (data as { object?: { object?: unknown } }).object?.object;
    const family = familyOf(provider, type, object);
    families.set(type, family);
    shapes.set(family, merge(shapes.get(family) ?? UNKNOWN, learn(event)));
  }
  return { families, shapes };
}

/** Adds what samples cannot teach: members that only some events have, and the words that members take. */
function withFacts(provider: Provider, family: string, shape: Shape): Shape {
  const words = WORDS[family] ?? {};
  const envelope = new Map(
    PROVIDER_FACTS[provider].members.map((name) => [name, UNKNOWN] as const),
  );
  const event = merge(shape, { plain: new Set(), members: envelope });
  return at(event, PROVIDER_FACTS[provider].objectPath, (object) => {
    const members = new Map(object.members);
    const old = MOVED_PATHS.filter((moved) => moved.family === family && !moved.path.includes('.'));
    for (const name of [...(FURTHER_MEMBERS[family] ?? []), ...old.map(({ path }) => path)]) {
      if (!members.has(name)) members.set(name, UNKNOWN);
    }
    for (const [name, list] of Object.entries(words)) {
      members.set(name, { ...(members.get(name) ?? UNKNOWN), words: list });
    }
    return { ...object, members };
  });
}

function at(shape: Shape, path: readonly string[], change: (shape: Shape) => Shape): Shape {
  const [name, ...rest] = path;
  const member = name === undefined ? undefined : shape.members?.get(name);
  if (name === undefined) return change(shape);
  if (member === undefined) return shape;
  return {
    ...shape,
    members: new Map([...(shape.members ?? []), [name, at(member, rest, change)]]),
  };
}

interface Written {
  readonly types: readonly string[];
  readonly families: Readonly<Record<string, string>>;
  readonly shapes: Readonly<Record<string, WrittenShape>>;
}

/** One line for each object, so that a change of the samples shows where it belongs. */
export function writeShapes(known: KnownShapes): string {
  const lines = PROVIDERS.map((provider) => {
    const { types, families, shapes } = known[provider];
    const written = [...shapes].sort(([a], [b]) => (a < b ? -1 : 1));
    const objects = written.map(
      ([family, shape]) => `"${family}": ${JSON.stringify(writeShape(shape))}`,
    );
    const sorted = Object.fromEntries([...families].sort(([a], [b]) => (a < b ? -1 : 1)));
    return [
      `"${provider}": {`,
      `"types": ${JSON.stringify(types)},`,
      `"families": ${JSON.stringify(sorted)},`,
      `"shapes": {\n${objects.join(',\n')}\n}\n}`,
    ].join('\n');
  });
  return `{\n${lines.join(',\n')}\n}\n`;
}

const NOTHING: Written = { types: [], families: {}, shapes: {} };

/** What `writeShapes` wrote, with the facts that no sample teaches. */
export function readShapes(written: unknown): KnownShapes {
  const all = written as Readonly<Partial<Record<Provider, Written>>>;
  const entries = PROVIDERS.map((provider): [Provider, ProviderShapes] => {
    // Of a provider without samples nothing is known, so nothing is found wrong.
    const { types, families, shapes } = all[provider] ?? NOTHING;
    const read = Object.entries(shapes).map(
      ([family, shape]) => [family, withFacts(provider, family, readShape(shape))] as const,
    );
    return [
      provider,
      { types, families: new Map(Object.entries(families)), shapes: new Map(read) },
    ];
  });
  return Object.fromEntries(entries) as KnownShapes;
}

/** What is known, and beside it what further bodies of one provider teach. */
export function teach(
  known: KnownShapes,
  provider: Provider,
  bodies: readonly JsonObject[],
): KnownShapes {
  const before = known[provider];
  const learnt = learnEvents(provider, bodies);
  const shapes = new Map(before.shapes);
  for (const [family, shape] of learnt.shapes) {
    shapes.set(family, merge(shapes.get(family) ?? UNKNOWN, shape));
  }
  const types = [...new Set([...before.types, ...learnt.families.keys()])];
  const families = new Map([...before.families, ...learnt.families]);
  return { ...known, [provider]: { types, families, shapes } };
}
