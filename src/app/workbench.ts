// Where drafts of rules are evaluated, as the server mounts it: its code is loaded when somebody first asks.

import type { Workbench } from '../authoring/playground/playground.ts';
import type { Clock } from '../core/model.ts';
import type { Archive } from '../journal/archive.ts';

export function mountWorkbench(parts: {
  readonly archive: Pick<Archive, 'traffic'>;
  readonly clock: Clock;
}): Workbench {
  let loaded: Workbench | undefined;
  let isStopped = false;
  const load = async (): Promise<Workbench> => {
    const { createWorkbench } = await import('../authoring/playground/create-playground.ts');
    loaded ??= createWorkbench(parts);
    if (isStopped) loaded.stop();
    return loaded;
  };
  return {
    tryOut: async (task, owner) => (await load()).tryOut(task, owner),
    dryRun: async (task) => (await load()).dryRun(task),
    compare: async (task, eventsMax, owner) => (await load()).compare(task, eventsMax, owner),
    stop: () => {
      isStopped = true;
      loaded?.stop();
    },
  };
}
