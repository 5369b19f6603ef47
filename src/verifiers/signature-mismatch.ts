// Signing secrets. Takes what the operator wrote, gives Secrets; also words the refusal of a
// signature that none of them made. Never shows a secret, only that it has a space in it.

import { AppError } from '../core/error-codes.ts';
import { Secret } from '../core/secret.ts';

/**
 * Several secrets separated by commas are all accepted while one is rotated. Spaces and line breaks
 * around them are taken off: no provider issues such secrets, and pasted text and files end with them.
 * @throws ENV_BLANK when the text, or a place between two commas, is blank.
 */
export function parseSecrets(text: string): readonly Secret[] {
  const values = text.split(',').map((value) => value.trim());
  if (values.some((value) => value === '')) {
    throw new AppError(
      'ENV_BLANK',
      values.length === 1
        ? 'the secret is blank'
        : 'one of the secrets separated by commas is blank',
    );
  }
  return values.map((value) => new Secret(value));
}

/** The refusal where no secret gives a signature of the header. */
export function signatureMismatch(secrets: readonly Secret[]): AppError {
  const message =
    secrets.length === 1
      ? 'our secret gives another signature for this body'
      : `none of our ${secrets.length} secrets gives a signature of the header for this body`;
  if (secrets.some((secret) => /\s/.test(secret.reveal()))) {
    return new AppError('SIGNATURE_MISMATCH', message, {
      hint: 'The configured secret has a space or a line break in it, most likely from copying. Set it again without.',
    });
  }
  return new AppError('SIGNATURE_MISMATCH', message);
}
