// What is known of events, for the editor: the shapes that the samples taught, and the event beside the rules.
// Takes a provider, event types and the event's text, gives members and values by path.

import type { JsonValue } from '../../../core/model.ts';
import type { Provider } from '../../../core/providers.ts';
import { type KnownShapes, readShapes, shapeOf } from '../../../engine/lint/shapes/known.ts';
import { learn, merge, type Shape, UNKNOWN } from '../../../engine/lint/shapes/shape.ts';
import written from '../../../engine/lint/shapes/shapes.generated.json' with { type: 'json' };

const KINDS = { t: 'text', n: 'number', b: 'true or false' } as const;

let known: KnownShapes | undefined;

export interface EventKnowledge {
  /** Every event type of the provider. */
  readonly types: readonly string[];
  /** What is at a path in events of these types: as it is known, then as it is in the event beside the rules. */
  shapesAt(types: readonly string[], path: readonly string[]): readonly Shape[];
  /** What stands in the event beside the rules; undefined where there is nothing. */
  valueAt(path: readonly string[]): JsonValue | undefined;
}

/** @param eventText may be half written: then it teaches nothing */
export function eventKnowledge(provider: Provider, eventText: string): EventKnowledge {
  known ??= readShapes(written);
  const { types, shapes, families } = known[provider];
  const event = eventOf(eventText);
  const own = event === undefined ? UNKNOWN : learn(event);
  const all = known[provider];
  return {
    types: [...new Set([...types, ...families.keys()])],
    shapesAt: (asked, path) => {
      const found = asked.flatMap((type) => shapeOf(all, type) ?? []);
      const either = (found.length > 0 ? found : [...shapes.values()]).reduce(merge, UNKNOWN);
      // Not merged: what only the event has tells nothing of the words that a member takes.
      return [either, own].flatMap((shape) => memberShape(shape, path) ?? []);
    },
    valueAt: (path) => {
      let here = event;
      for (const step of path) {
        if (Array.isArray(here)) [here] = here;
        if (typeof here !== 'object' || here === null || Array.isArray(here)) return undefined;
        here = Object.hasOwn(here, step) ? here[step] : undefined;
      }
      return here;
    },
  };
}

/** One event of the body: FastSpring sends several in one. */
function eventOf(text: string): JsonValue | undefined {
  try {
    const body = JSON.parse(text) as JsonValue;
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
    const { events } = body;
    return Array.isArray(events) ? events[0] : body;
  } catch {
    return undefined;
  }
}

/** Lists are passed through, as formulas do. */
function memberShape(shape: Shape, path: readonly string[]): Shape | undefined {
  let here: Shape | undefined = shape;
  for (const step of path) {
    while (here?.item !== undefined) here = here.item;
    here = here?.members?.get(step) ?? here?.rest;
  }
  while (here?.item !== undefined && here.members === undefined) here = here.item;
  return here;
}

/** `text`, `list of maps`, `"paid" or "open"`. */
export function kindOf(shape: Shape): string {
  const kinds: string[] = [...shape.plain].map((letter) => KINDS[letter]);
  if (shape.item !== undefined) kinds.push('list');
  if (shape.members !== undefined || shape.rest !== undefined) kinds.push('map');
  return kinds.join(' or ');
}
