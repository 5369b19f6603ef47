// What the doctor finds: one line for each question, with a verdict, and a remedy where it is not well.

export type Verdict = 'ok' | 'warning' | 'problem' | 'skipped';

export interface Finding {
  /** The question, for programs: `clock`, `token-scopes`. */
  readonly check: string;
  readonly verdict: Verdict;
  /** What was seen. */
  readonly message: string;
  /** What to do; on every warning and problem. */
  readonly remedy?: string;
}

export function ok(check: string, message: string): Finding {
  return { check, verdict: 'ok', message };
}

export function skipped(check: string, message: string): Finding {
  return { check, verdict: 'skipped', message };
}

export function warning(check: string, message: string, remedy: string): Finding {
  return { check, verdict: 'warning', message, remedy };
}

export function problem(check: string, message: string, remedy: string): Finding {
  return { check, verdict: 'problem', message, remedy };
}
