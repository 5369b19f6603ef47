// Files that a command is given. Takes a path, gives the bytes; "-" is standard input.

import { readFileSync } from 'node:fs';
import { AppError } from '../../core/error-codes.ts';

/** @throws INPUT_UNREADABLE */
export function readInput(file: string): Uint8Array {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new AppError('INPUT_UNREADABLE', `${file} cannot be read (${why})`);
  }
}
