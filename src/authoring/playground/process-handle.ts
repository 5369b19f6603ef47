// A process for drafts, from the server's side. Takes messages, gives the answers of the process; ends it when an
// answer takes too long, says so when it ended itself for its memory, and starts another one for what comes next.
// Ends it as well when nobody has asked for a while, so that a server at rest holds no memory for it.

import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { FromProcess, ToProcess } from './draft-process.ts';

/** Loading the engine takes about half a second, several where the machine is busy. */
const START_MS_MAX = 30_000;
const IDLE_MS_MAX = 60_000;
const MIB = 1024 * 1024;
/** Of all that the process holds: the engine takes a quarter of it. */
const RSS_MIB_MAX = 400;
const RSS_MIB_MIN = 160;
/** A limit counts the time of a processor; where others need it, an answer may take longer by this. */
const BUSY_FACTOR = 5;
/** How Node ends when its heap is full, and how its own guard ends it. */
const ENDS_OF_MEMORY: ReadonlySet<string> = new Set(['SIGKILL', 'SIGABRT', 'SIGTRAP', 'SIGILL']);
const EXIT_CODES_OF_MEMORY: ReadonlySet<number> = new Set([133, 134, 137]);

export type ProcessAnswer =
  | FromProcess
  | { readonly kind: 'too-slow' | 'too-large' }
  /** The process cannot be started here, or ended for no known reason. */
  | { readonly kind: 'unavailable'; readonly reason: string };

interface Started {
  readonly child: ChildProcess;
  /** Called with the next message of the process, or with what ended it. */
  onAnswer: (answer: ProcessAnswer) => void;
}

/** In a bundle the process is a file of its own beside it. */
const DRAFT_PROCESS = new URL(
  `./draft-process.${import.meta.url.endsWith('.ts') ? 'ts' : 'mjs'}`,
  import.meta.url,
);

export class DraftProcess {
  readonly #script: URL;
  #started: Started | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(script: URL = DRAFT_PROCESS) {
    this.#script = script;
  }

  /** Undefined while there is none. */
  get pid(): number | undefined {
    return this.#started?.child.pid;
  }

  /** One message at a time. @param limitMs of work for the answer; the start of the process does not count */
  async ask(message: ToProcess, limitMs: number): Promise<ProcessAnswer> {
    clearTimeout(this.#idle);
    if (this.#started === undefined) {
      const first = await this.#answer(() => this.#start(), START_MS_MAX);
      if (first.kind !== 'ready') return first;
    }
    const answer = await this.#answer(() => this.#send(message), limitMs);
    this.#idle = setTimeout(() => this.stop(), IDLE_MS_MAX).unref();
    return answer;
  }

  stop(): void {
    clearTimeout(this.#idle);
    this.#end({ kind: 'too-slow' });
  }

  #send(message: ToProcess): void {
    // A failure is the end of the process, which is reported by itself.
    this.#started?.child.send(message, () => undefined);
  }

  #end(answer: ProcessAnswer): void {
    const started = this.#started;
    this.#started = undefined;
    if (started === undefined) return;
    started.onAnswer(answer);
    started.child.kill('SIGKILL');
  }

  #answer(send: () => void, limitMs: number): Promise<ProcessAnswer> {
    return new Promise((resolve) => {
      // A process that is only being started has not worked yet.
      const workedBeforeMs = this.#started === undefined ? 0 : workedMs(this.pid);
      const endMs = performance.now() + limitMs * BUSY_FACTOR;
      let timer: NodeJS.Timeout;
      const waitFor = (ms: number): void => {
        timer = setTimeout(() => {
          const leftMs = limitMs - (workedMs(this.pid) - workedBeforeMs);
          if (leftMs > 0 && performance.now() < endMs) waitFor(Math.max(leftMs, 20));
          else this.stop();
        }, ms);
      };
      waitFor(limitMs);
      const settle = (answer: ProcessAnswer): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      try {
        send();
      } catch (error) {
        settle({ kind: 'unavailable', reason: reasonOf(error) });
        return;
      }
      if (this.#started === undefined) settle({ kind: 'too-slow' });
      else this.#started.onAnswer = settle;
    });
  }

  #start(): void {
    const rssMib = rssMibMax();
    const child = fork(this.#script, [String(rssMib * MIB), String(process.pid)], {
      execArgv: [`--max-old-space-size=${Math.floor(rssMib / 2)}`, '--max-semi-space-size=8'],
      // Nothing of the server's: it holds its secrets.
      env: {},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.unref();
    child.channel?.unref();
    const started: Started = { child, onAnswer: () => undefined };
    this.#started = started;
    const end = (answer: ProcessAnswer): void => {
      if (this.#started === started) this.#end(answer);
    };
    child.on('message', (answer) => started.onAnswer(answer as FromProcess));
    child.on('error', (error) => end({ kind: 'unavailable', reason: reasonOf(error) }));
    child.on('exit', (code, signal) => end(answerOfExit(code, signal)));
  }
}

function answerOfExit(code: number | null, signal: string | null): ProcessAnswer {
  const isMemory =
    signal === null ? EXIT_CODES_OF_MEMORY.has(code ?? 0) : ENDS_OF_MEMORY.has(signal);
  if (isMemory) return { kind: 'too-large' };
  return { kind: 'unavailable', reason: `it ended with ${signal ?? `exit code ${code}`}` };
}

/** The time of processors that a process has had, from Linux; elsewhere, without end, so that only the clock counts. */
function workedMs(pid: number | undefined): number {
  try {
    const [, numbers = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const fields = numbers.split(' ');
    // utime and stime, in ticks of 10 ms on every Linux.
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}

/** A part of what is free for this server, which a container may bound. */
function rssMibMax(): number {
  const free = Math.floor((process.availableMemory() * 0.6) / MIB);
  return Math.max(RSS_MIB_MIN, Math.min(RSS_MIB_MAX, free));
}
