// The console as the server mounts it. Takes what the console needs, gives answers to requests; the
// console's own code is loaded at the first of them, or some time after the start, so that no start waits for it.

import type { Console, ConsoleParts, Visitor } from '../console/parts.ts';
import type { CatalogSources } from '../doctor/check-catalog.ts';
import type { ConsoleSources } from './console-tools.ts';

/** By then the start is over, and so is what had come while the server was away. */
const LOAD_AFTER_MS = 2_000;

export interface MountedConsole {
  /** Loads it in a while, so that the first who looks at it does not wait for that. */
  loadSoon(): void;
  fetch(request: Request, visitor: Visitor): Promise<Response>;
  stop(): void;
}

export function mountConsole(
  parts: Omit<ConsoleParts, 'facts' | 'explain' | 'asTest' | 'askAboutCatalog'> &
    ConsoleSources &
    CatalogSources,
): MountedConsole {
  let loading: Promise<Console> | undefined;
  let loaded: Console | undefined;
  const load = async (): Promise<Console> => {
    const [{ createConsole }, { createConsoleTools }, { createCatalogCheck }] = await Promise.all([
      import('../console/console.ts'),
      import('./console-tools.ts'),
      import('../doctor/check-catalog.ts'),
    ]);
    loaded = await createConsole({
      ...{ ...parts, ...createConsoleTools(parts) },
      askAboutCatalog: createCatalogCheck(parts),
    });
    return loaded;
  };
  const loadOnce = (): Promise<Console> => {
    // What could not be loaded is tried again at the next request.
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  let planned: NodeJS.Timeout | undefined;
  return {
    loadSoon: () => {
      planned = setTimeout(() => loadOnce().catch(() => undefined), LOAD_AFTER_MS).unref();
    },
    fetch: async (request, visitor) => (await loadOnce()).fetch(request, visitor),
    stop: () => {
      clearTimeout(planned);
      loaded?.stop();
    },
  };
}
