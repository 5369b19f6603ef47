// What ends a process of drafts from inside, however busy it is: more memory than it may have, also outside the
// heap, and a server that is gone. A thread looks at both. Takes the limits, never answers.

import { writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** As text, so that no build has to know of a further file. */
const WATCH = `
const { workerData: { rssBytesMax, parentPid } } = require('node:worker_threads');
const pause = new Int32Array(new SharedArrayBuffer(4));
for (;;) {
  Atomics.wait(pause, 0, 0, 25);
  if (process.memoryUsage.rss() > rssBytesMax || process.ppid !== parentPid) {
    process.kill(process.pid, 'SIGKILL');
  }
}`;

/** @param parentPid of the server: when it is another one, the server is gone */
export function guardProcess(rssBytesMax: number, parentPid: number): void {
  try {
    // Where the machine runs out of memory, Linux ends this process and not the server.
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Other systems have no such file.
  }
  new Worker(WATCH, { eval: true, workerData: { rssBytesMax, parentPid } }).unref();
  process.on('disconnect', () => process.exit());
}
