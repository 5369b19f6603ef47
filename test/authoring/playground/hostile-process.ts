// Stands in for the process of drafts, with what a formula would do to it if the engine had no bounds. Does what
// the event of a try says, under the guard of the real one.

import type { FromProcess, ToProcess } from '../../../src/authoring/playground/draft-process.ts';
import { guardProcess } from '../../../src/authoring/playground/process-guard.ts';

const held: unknown[] = [];
const DEEDS: Readonly<Record<string, () => string>> = {
  /** Outside the heap, which no option of Node bounds. */
  buffers: () => {
    for (;;) held.push(Buffer.alloc(1024 * 1024, 1));
  },
  'one text outside the heap': () => {
    for (;;) held.push(Buffer.alloc(300_000_000, 1).toString('base64'));
  },
  heap: () => {
    for (;;) held.push(Array.from({ length: 1000 }, (_, index) => ({ index })));
  },
  loop: () => {
    for (;;) held.length = 0;
  },
  exit: () => process.exit(3),
  environment: () => JSON.stringify(process.env),
};

const [rssBytesMax, parentPid] = process.argv.slice(2).map(Number);
guardProcess(rssBytesMax ?? 0, parentPid ?? 0);
process.on('message', (message: ToProcess) => {
  const deed = message.kind === 'try' ? (message.task.event ?? '') : '';
  const answer: FromProcess = { kind: 'broken', message: DEEDS[deed]?.() ?? '' };
  process.send?.(answer);
});
process.send?.({ kind: 'ready' } satisfies FromProcess);
