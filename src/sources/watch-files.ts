// Watches where the rules lie. Takes a path, tells whenever something there is not what it was. Never reads
// a rule, and never ends by itself: a directory may vanish and come back.
//
// The system's own events (fs.watch) only make it look sooner. What counts is what it sees when it looks,
// which it also does every second: events are lost on network drives, behind links that are swapped as a
// ConfigMap's are, and when the directory itself is replaced.

import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { fingerprintOf } from './rule-files.ts';

export interface RulesWatch {
  stop(): void;
}

interface WatchOptions {
  /** How often it looks without being told to. */
  readonly pollMs?: number;
  /** Whether it uses the system's events; without them it only looks. */
  readonly listens?: boolean;
}

const POLL_MS = 1_000;
/** One save makes several events; one look is enough for them. */
const GATHER_MS = 50;

/**
 * @param seen the fingerprint of the files as they were read last
 * @param onChange called at each look that finds another fingerprint than the one before
 */
export function watchRules(
  path: string,
  seen: string,
  onChange: () => void,
  { pollMs = POLL_MS, listens = true }: WatchOptions = {},
): RulesWatch {
  let last = seen;
  let isHurrying = false;
  let timer: NodeJS.Timeout | undefined;
  let watched: { readonly watcher: FSWatcher; readonly place: string } | undefined;

  const close = (): void => {
    watched?.watcher.close();
    watched = undefined;
  };

  /** Listens to the directory that the path means now, which may be another one than before. */
  const listen = (): void => {
    const place = listens ? placeOf(path) : undefined;
    if (place?.id === watched?.place) return;
    close();
    if (place === undefined) return;
    try {
      const watcher = watch(place.directory, { persistent: false }, hurry);
      // A watch that breaks (the directory is gone) is made anew at the next look.
      watcher.on('error', close);
      watched = { watcher, place: place.id };
    } catch {
      // There are no watches left, or the drive has none: looking every second has to do.
      watched = undefined;
    }
  };

  const look = (): void => {
    isHurrying = false;
    listen();
    plan(pollMs);
    const now = fingerprintOf(path);
    if (now === last) return;
    last = now;
    onChange();
  };

  const plan = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(look, ms).unref();
  };

  const hurry = (): void => {
    if (isHurrying) return;
    isHurrying = true;
    plan(GATHER_MS);
  };

  listen();
  plan(pollMs);
  return {
    stop: () => {
      clearTimeout(timer);
      close();
    },
  };
}

function placeOf(path: string): { directory: string; id: string } | undefined {
  try {
    const directory = statSync(path).isDirectory() ? path : dirname(path);
    const { dev, ino } = statSync(directory);
    return { directory, id: `${dev} ${ino}` };
  } catch {
    return undefined;
  }
}
