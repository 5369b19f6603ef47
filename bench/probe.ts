// The inside of a process that is measured: tells its parent where it listens, and what it has used when it is
// asked. The outside is contenders.ts. Costs nothing between two questions.

export interface Usage {
  /** Processor time since the process began, its own and the system's for it. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** After a collection, where the process may collect. */
  readonly heapBytes: number;
}

export type Question =
  | { readonly ask: 'usage'; readonly collect?: boolean }
  | { readonly ask: 'stop' };

/** @param stop ends what the process does; the process ends after it, so that a profile is written */
export function reportToParent(url: string, stop: () => Promise<void>): void {
  const end = (): void => {
    void stop().finally(() => process.exit());
  };
  process.on('message', (question: Question) => {
    if (question.ask === 'stop') return end();
    if (question.collect === true) globalThis.gc?.();
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    const usage: Usage = { cpuMs: (user + system) / 1000, rssBytes: rss, heapBytes: heapUsed };
    process.send?.(usage);
  });
  process.on('disconnect', end);
  process.send?.({ url });
}
