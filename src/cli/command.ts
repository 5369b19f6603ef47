// What a command is: a help text, and a function from arguments to an exit code. Names are in commands.ts.
// Results go to stdout, progress and diagnostics to stderr.
// Exit codes: 0 clean; 1 findings, failed cases, or an event that would be answered with a 4xx;
// 2 wrong usage or unreadable input.

import { AppError, messageOf } from '../core/error-codes.ts';

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person watches stdout. */
  readonly isTty: boolean;
  writeOut(text: string): void;
  writeError(text: string): void;
}

export type ExitCode = 0 | 1 | 2;

export interface Command {
  /** The whole of `--help`, with an example. */
  readonly help: string;
  run(args: readonly string[], terminal: Terminal): Promise<ExitCode>;
}

/** Wrong usage: told with its hint, exit code 2. */
export function usageError(message: string, command: string): AppError {
  return new AppError('USAGE', message, { hint: `Ask \`keywright ${command} --help\`.` });
}

/** What `parseArgs` throws, as a usage error. */
export function asUsageError(error: unknown, command: string): AppError {
  if (error instanceof AppError) return error;
  return usageError(messageOf(error), command);
}
