// Two ways in which an event is not done yet, that execution tells and the pipeline decides upon.
// Errors of the registry that carry what is needed to go on; never decide anything themselves.

import { AppError } from '../core/error-codes.ts';

/** No license has what was searched for, and the rule says that one may still come. */
export class MissingLicense extends AppError {
  /** Where nothing is what was wanted (a delete), waiting in vain is no failure. */
  readonly isFine: boolean;
  constructor(
    message: string,
    {
      isFine = false,
      code = 'LICENSE_NOT_FOUND',
    }: { isFine?: boolean; code?: 'LICENSE_NOT_FOUND' | 'USER_NOT_FOUND' } = {},
  ) {
    super(code, message);
    this.name = 'MissingLicense';
    this.isFine = isFine;
  }
}

/** No user is what was searched for, and the rule says that one may still come. */
export class MissingUser extends MissingLicense {
  constructor(message: string) {
    super(message, { code: 'USER_NOT_FOUND' });
    this.name = 'MissingUser';
  }
}

/** The outcome of a write is open; it is read back, but not before a lost request can no longer commit. */
export class RetryLater extends AppError {
  readonly dueAtMs: number;
  constructor(message: string, dueAtMs: number, cause?: unknown) {
    super('CRYPTLEX_UNCLEAR', message, { cause });
    this.name = 'RetryLater';
    this.dueAtMs = dueAtMs;
  }
}
