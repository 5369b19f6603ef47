// Remembers what was found in a rule file, place by place, while it is walked once for every event type.
// Takes findings and the places that were fine; reports what was wrong however it was reached.

import type { AppErrorCode } from '../../../core/error-codes.ts';
import type { SourceLocation } from '../../../core/model.ts';
import { type Findings, formatLocation } from '../../diagnostics/findings.ts';

export interface Suspicion {
  readonly code: AppErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly length: number;
}

export class Notebook {
  readonly #places = new Map<string, { suspicion: Suspicion; location: SourceLocation }>();
  readonly #fine = new Set<string>();

  /** One look at a place: a suspicion, or that it was fine this time. */
  note(location: SourceLocation, kind: string, suspicion: Suspicion | undefined): void {
    const key = `${formatLocation(location)} ${kind}`;
    if (suspicion === undefined) this.#fine.add(key);
    else if (!this.#places.has(key)) this.#places.set(key, { suspicion, location });
  }

  /** Reports the places that were wrong for every event type that came by. */
  report(findings: Findings): void {
    for (const [key, { suspicion, location }] of this.#places) {
      if (this.#fine.has(key)) continue;
      const { code, message, hint, length } = suspicion;
      findings.warning(code, message, {
        location,
        length,
        ...(hint === undefined ? {} : { hint }),
      });
    }
  }
}
