// What ends the evaluation of one value. Takes what was thrown, gives a problem with its place inside the
// formula. Never decides what becomes of the event.

import { AppError, type AppErrorCode } from '../../core/error-codes.ts';
import type { Problem, SourceLocation } from '../../core/model.ts';
import { formatLocation } from '../diagnostics/findings.ts';
import type { Template } from '../rules/rule-set.ts';

/** Ends the evaluation of one value; caught where problems are collected. */
export class EvaluationFailure extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

export function problemAt(
  code: AppErrorCode,
  message: string,
  location: SourceLocation | undefined,
  hint?: string,
): Problem {
  return {
    code,
    message,
    hint: hint ?? new AppError(code, '').hint,
    location: location === undefined ? undefined : formatLocation(location),
  };
}

/** What JSONata or the library threw, with its place inside the formula. */
export function failureOf(error: unknown, template: Template): EvaluationFailure {
  if (error instanceof EvaluationFailure) return error;
  const { message, position, token, code } = error as {
    message?: string;
    position?: number;
    token?: unknown;
    code?: unknown;
  };
  const text = template.kind === 'formula' ? ` in =${template.text}` : '';
  let location = template.location;
  if (template.kind === 'formula' && typeof position === 'number') {
    location = template.locate(blamedOffset(template.text, position, token));
  }
  const isTooLarge = code === 'FORMULA_TOO_LARGE';
  const what = (message ?? 'it cannot be evaluated').slice(0, MESSAGE_LENGTH_MAX);
  return new EvaluationFailure(
    problemAt(
      isTooLarge ? 'FORMULA_TOO_LARGE' : 'FORMULA_FAILED',
      `${what.replace(/\.$/, '')}${text}`,
      location,
    ),
  );
}

/** JSONata writes whole values into its messages. */
const MESSAGE_LENGTH_MAX = 500;

/** JSONata gives the position behind the token; of a call, behind its "(". */
function blamedOffset(text: string, position: number, token: unknown): number {
  const before = text.slice(0, position);
  for (const written of [String(token), `$${String(token)}`, `$${String(token)}(`]) {
    if (before.endsWith(written)) return position - written.length;
  }
  const call = /\$\w+\s*\($/.exec(before);
  return call?.index ?? Math.max(0, position - 1);
}
