// Errors that nobody expected, for the log. Takes what was thrown, gives flat fields; a message goes along
// only where it cannot quote a body.

import { AppError } from '../core/error-codes.ts';

/** What the log may say of an unexpected error: its name and where it came from. */
export function describeFault(error: unknown, withMessage: boolean) {
  if (!(error instanceof Error)) return { fault: typeof error };
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return {
    fault: error.name,
    ...(error instanceof AppError ? { code: error.code } : {}),
    ...(withMessage ? { detail: error.message.slice(0, 300) } : {}),
    at: frames.slice(0, 6).map((line) => line.trim()),
  };
}
