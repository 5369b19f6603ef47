// Environment variables one by one. Takes the environment and a way to read files, gives values and secrets.
// Any variable NAME may be given as NAME_FILE instead, the path of a file that holds the value.
// Never throws for what a user wrote, never repeats a finding, never prints a value that may be secret.

import { registryEntry } from '../core/error-codes.ts';
import type { Problem } from '../core/model.ts';
import { Secret } from '../core/secret.ts';

export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;
/** Gives the text of a file, or throws. */
export type ReadFile = (path: string) => string;
type Finding = Pick<Problem, 'code' | 'message'> & { readonly hint?: string };

/** Reads single variables, with the NAME_FILE logic, and remembers each problem once. */
export interface Environment {
  /** Whether NAME or NAME_FILE is there, usable or not; tells "missing" from "reported already". */
  isSet(name: string): boolean;
  /** The value without the blanks around it; undefined when it is missing or unusable (ENV_BLANK, ENV_FILE, ENV_INVALID). */
  resolveEnv(name: string): string | undefined;
  /** The secrets of a comma separated list; none when it is missing or has a blank element (ENV_BLANK). */
  resolveSecrets(name: string): readonly Secret[];
  /** Adds a finding; without a hint it gets that of its code. */
  report(finding: Finding): void;
  /** Everything wrong so far, in the order in which it was met. */
  problems(): readonly Problem[];
}

/** Reads variables on demand; nothing is read twice. */
export function createEnvironment(env: EnvironmentVariables, readFile: ReadFile): Environment {
  return new EnvironmentReader(env, readFile);
}

/** The finding that a variable takes something else; for values that are no secret. */
export function invalid(name: string, takes: string, text: string): Finding {
  return { code: 'ENV_INVALID', message: `${name} takes ${takes}, not ${quote(text)}` };
}

/** A whole number within bounds. Problem: ENV_INVALID. */
export function readInteger(
  environment: Environment,
  name: string,
  { fallback, min, max }: { fallback: number; min: number; max: number },
): number {
  const text = environment.resolveEnv(name);
  if (text === undefined) return fallback;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  environment.report(invalid(name, `a whole number from ${min} to ${max}`, text));
  return fallback;
}

/** One of some words; undefined when it is not set, or is none of them. Problem: ENV_INVALID. */
export function readChoice<T extends string>(
  environment: Environment,
  name: string,
  choices: readonly T[],
): T | undefined {
  const text = environment.resolveEnv(name);
  const choice = choices.find((candidate) => candidate === text);
  if (text !== undefined && choice === undefined) {
    environment.report(invalid(name, `one of ${choices.join(', ')}`, text));
  }
  return choice;
}

const HTTP_TOKEN = /^[\x21-\x7e]+$/;

/** A text that goes into an Authorization header, so it may hold visible ASCII only. */
export function readToken(environment: Environment, name: string): Secret | undefined {
  const text = environment.resolveEnv(name);
  if (text === undefined) return undefined;
  if (HTTP_TOKEN.test(text)) return new Secret(text);
  const message = `${name} holds a blank or a character that no token has`;
  environment.report({ code: 'ENV_INVALID', message, hint: 'Copy it again, without "Bearer".' });
  return undefined;
}

class EnvironmentReader implements Environment {
  readonly #env: EnvironmentVariables;
  readonly #readFile: ReadFile;
  readonly #values = new Map<string, string | undefined>();
  readonly #secrets = new Map<string, readonly Secret[]>();
  readonly #problems: Problem[] = [];

  constructor(env: EnvironmentVariables, readFile: ReadFile) {
    this.#env = env;
    this.#readFile = readFile;
  }

  isSet(name: string): boolean {
    return this.#own(name) !== undefined || this.#own(`${name}_FILE`) !== undefined;
  }

  resolveEnv(name: string): string | undefined {
    if (!this.#values.has(name)) this.#values.set(name, this.#lookUp(name));
    return this.#values.get(name);
  }

  resolveSecrets(name: string): readonly Secret[] {
    const known = this.#secrets.get(name) ?? this.#splitSecrets(name);
    this.#secrets.set(name, known);
    return known;
  }

  report({ code, message, hint = registryEntry(code).hint }: Finding): void {
    this.#problems.push({ code, message, hint, location: undefined });
  }

  problems(): readonly Problem[] {
    return [...this.#problems];
  }

  /** Only own members: a rule may ask for a variable called "constructor". */
  #own(name: string): string | undefined {
    return Object.hasOwn(this.#env, name) ? this.#env[name] : undefined;
  }

  #lookUp(name: string): string | undefined {
    const path = this.#own(`${name}_FILE`);
    if (path !== undefined && this.#own(name) !== undefined) {
      const message = `${name} and ${name}_FILE are both set`;
      this.report({ code: 'ENV_INVALID', message, hint: 'Remove one of the two.' });
      return undefined;
    }
    const value = path === undefined ? this.#own(name) : this.#fileOf(name, path);
    if (value === undefined) return undefined;
    // The blanks around a value, such as the newline at the end of a file, are never meant.
    const trimmed = value.trim();
    if (trimmed !== '') return trimmed;
    const where = path === undefined ? name : `${name} (the file of ${name}_FILE)`;
    this.report({ code: 'ENV_BLANK', message: `${where} is set but blank` });
    return undefined;
  }

  #fileOf(name: string, path: string): string | undefined {
    if (path.trim() === '') {
      this.report({ code: 'ENV_BLANK', message: `${name}_FILE is set but blank` });
      return undefined;
    }
    try {
      return this.#readFile(path);
    } catch (error) {
      const why = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
      const message = `${name}_FILE: ${quote(path)} cannot be read${why}`;
      this.report({ code: 'ENV_FILE', message });
      return undefined;
    }
  }

  #splitSecrets(name: string): readonly Secret[] {
    const parts = this.resolveEnv(name)?.split(',') ?? [];
    const texts = parts.map((part) => part.trim());
    if (!texts.includes('')) return texts.map((text) => new Secret(text));
    const place = texts.indexOf('') + 1;
    const message = `${name}: secret ${place} of the ${texts.length} between the commas is blank`;
    this.report({ code: 'ENV_BLANK', message });
    return [];
  }
}

/** On one line and short, whatever the value holds. */
function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
