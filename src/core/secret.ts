// Secrets. Takes a text that must never be seen, gives it back only where it is used.
// Never prints it: not in JSON, not in a template, not in the inspector.

import { inspect } from 'node:util';

const HIDDEN = '<secret>';

/** A text that no log, error or JSON can show. `reveal()` is called where it goes on the wire, nowhere else. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The text itself, for a signature check or an Authorization header. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
