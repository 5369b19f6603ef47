// What a rule file says of itself, read before anything else is checked. Takes its text, gives the provider,
// the variable of its secret, its address and the files that it names.

import { parseDocument } from 'yaml';
import { isProvider, mainSecretName, PROVIDERS, type Provider } from '../core/providers.ts';
import { extendedName, type RuleFileText } from '../engine/load/effective.ts';

export interface Header {
  /** Its own, or that of the file that it extends; undefined where neither says one. */
  readonly provider: Provider | undefined;
  readonly secret: string | undefined;
  /** A further address that it claims. */
  readonly path: string | undefined;
  /** The name under which `readBeside` gives the extended file. */
  readonly extended: string | undefined;
  readonly catalogFile: string | undefined;
}

const headers = new WeakMap<RuleFileText, Header>();
const DEPTH_MAX = 20;

/** Most shipped files say nothing of the kind; reading all of their YAML takes a good part of a start. */
const MAY_SAY_MORE = /^["']?(?:secret|path|extends|catalogFile)["']?[ \t]*:/m;

/** Asked several times for each file, and read once. */
export function headerOf(input: RuleFileText, depth = 0): Header {
  const known = headers.get(input);
  if (known !== undefined) return known;
  const header = readHeader(input, depth);
  headers.set(input, header);
  return header;
}

function readHeader(input: RuleFileText, depth: number): Header {
  const source = sourceNameOf(input.file);
  const none = { secret: undefined, path: undefined, extended: undefined, catalogFile: undefined };
  if (isProvider(source) && !MAY_SAY_MORE.test(input.text)) return { ...none, provider: source };
  const document = parseDocument(input.text, { logLevel: 'silent' });
  const textAt = (name: string): string | undefined => {
    // A file that is no map has no header.
    const value: unknown = 'get' in (document.contents ?? {}) ? document.get(name) : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  const named = textAt('extends');
  const extended = named === undefined ? undefined : extendedName(named);
  const path = textAt('path');
  const provider = textAt('provider');
  return {
    secret: textAt('secret'),
    path: path !== undefined && /^\/[A-Za-z0-9/_-]+$/.test(path) ? path : undefined,
    catalogFile: textAt('catalogFile'),
    extended,
    provider: isProvider(provider) ? provider : providerOfExtended(extended, input, depth),
  };
}

function providerOfExtended(
  extended: string | undefined,
  input: RuleFileText,
  depth: number,
): Provider | undefined {
  if (extended === undefined || depth > DEPTH_MAX) return undefined;
  const shipped = PROVIDERS.find((known) => extended === `shipped/${known}.yaml`);
  if (shipped !== undefined) return shipped;
  const text = input.readBeside(extended);
  return text === undefined
    ? undefined
    : headerOf({ ...input, file: extended, text }, depth + 1).provider;
}

/** The variable that holds a file's signing secret. */
export function secretNameOf(input: RuleFileText): string | undefined {
  const { secret, provider: said } = headerOf(input);
  if (secret !== undefined) return secret;
  const source = sourceNameOf(input.file);
  const provider = isProvider(source) ? source : said;
  return provider === undefined ? undefined : mainSecretName(provider);
}

/** A source is called like its file, without the ending. */
export function sourceNameOf(file: string): string {
  return file.replace(/^.*[\\/]/, '').replace(/\.ya?ml$/, '');
}
