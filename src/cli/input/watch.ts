// Runs something again whenever files change. Takes paths and the work, ends when the process is told to.
// A file that is deleted or a folder that comes later is a change like any other.

import { existsSync, type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Editors write a file in several steps; this many milliseconds of quiet make one change. */
const QUIET_MS = 100;

/**
 * Does the work once, and again after each change.
 * @param paths files or folders; asked anew after each run, since a run may find further ones
 * @returns after SIGINT or SIGTERM
 */
export async function workAndWatch(
  work: () => Promise<void>,
  paths: () => readonly string[],
  stopped: Promise<void> = signalled(),
): Promise<void> {
  let isStopped = false;
  void stopped.then(() => {
    isStopped = true;
  });
  while (!isStopped) {
    // Watched from before the work, so that a change during it is not missed.
    const before = nextChange(paths());
    await work();
    const after = nextChange(paths());
    await Promise.race([before.happened, after.happened, stopped]);
    before.close();
    after.close();
    if (!isStopped) await quiet();
  }
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

function quiet(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, QUIET_MS);
  });
}

/** Folders are watched, not files: an editor that replaces a file would leave a watcher of the old one. */
function nextChange(paths: readonly string[]): { happened: Promise<void>; close: () => void } {
  const watchers: FSWatcher[] = [];
  const happened = new Promise<void>((resolve) => {
    for (const folder of new Set(paths.map(folderOf))) {
      try {
        const watcher = watch(folder, { recursive: true }, () => resolve());
        watcher.on('error', () => resolve());
        watchers.push(watcher);
      } catch {
        // A folder that went away between asking and watching is a change.
        resolve();
      }
    }
  });
  const close = (): void => {
    for (const watcher of watchers) watcher.close();
  };
  return { happened, close };
}

/** The nearest folder that exists. */
function folderOf(path: string): string {
  if (existsSync(path)) return statSync(path).isDirectory() ? path : dirname(path);
  const parent = dirname(path);
  return parent === path ? '.' : folderOf(parent);
}
