// Regular expressions of JavaScript as trees. Takes a pattern that RegExp has accepted, gives what it consists of:
// characters as sets, sequences, choices, repeats. What is not needed to count the ways of matching is left out.

/** A set of characters: the 128 of ASCII, and one bit for all others. */
export type CharacterSet = bigint;

export type PatternNode =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly body: PatternNode;
      readonly least: number;
      readonly most: number;
    }
  | { readonly kind: 'start' | 'end' | 'boundary' }
  /** (?=…) and the like: once it has matched, it is not tried in another way. */
  | { readonly kind: 'around'; readonly body: PatternNode }
  /** What a group matched; may be of any length. */
  | { readonly kind: 'back' };

export const OTHERS: CharacterSet = 1n << 128n;
export const ALL: CharacterSet = (1n << 129n) - 1n;
export const LINE_ENDS: CharacterSet = bit(10) | bit(13) | OTHERS;

const DIGITS = range(48, 57);
const WORDS = DIGITS | range(65, 90) | range(97, 122) | bit(95);
const SPACES = range(9, 13) | bit(32) | OTHERS;

const ESCAPED_SETS: Readonly<Record<string, CharacterSet>> = {
  ...{ d: DIGITS, D: ALL & ~DIGITS, s: SPACES, S: (ALL & ~SPACES) | OTHERS },
  ...{ w: WORDS, W: ALL & ~WORDS },
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, b: 8, 0: 0 };

const REPEAT = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/;
const CODE = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/;
const CODE_IN_BRACES = /^u\{([0-9a-fA-F]+)\}/;

export function parsePattern(source: string, flags: string): PatternNode {
  return new Parser(source, flags).choice();
}

class Parser {
  readonly #source: string;
  readonly #isUnicode: boolean;
  readonly #ignoresCase: boolean;
  #at = 0;

  constructor(source: string, flags: string) {
    this.#source = source;
    this.#isUnicode = flags.includes('u');
    // A part of a pattern may ignore case as well: (?i:…).
    this.#ignoresCase = flags.includes('i') || /\(\?[a-z]*i/.test(source);
  }

  /** Up to the end, or to the ")" that closes the group. */
  choice(): PatternNode {
    const options = [this.#sequence()];
    while (this.#takes('|')) options.push(this.#sequence());
    return options.length === 1 && options[0] !== undefined
      ? options[0]
      : { kind: 'choice', options };
  }

  #sequence(): PatternNode {
    const items: PatternNode[] = [];
    while (this.#at < this.#source.length && !/[|)]/.test(this.#source[this.#at] ?? '')) {
      const item = this.#repeated(this.#atom());
      // A group that is not repeated is a part of the sequence around it.
      items.push(...(item.kind === 'sequence' ? item.items : [item]));
    }
    return { kind: 'sequence', items };
  }

  #repeated(body: PatternNode): PatternNode {
    const found = REPEAT.exec(this.#source.slice(this.#at));
    if (found === null) return body;
    const [written, least, comma, most] = found;
    this.#at += written.length;
    if (least !== undefined) {
      const upTo = comma === undefined ? least : most || Number.POSITIVE_INFINITY;
      return { kind: 'repeat', body, least: Number(least), most: Number(upTo) };
    }
    const isOnce = written[0] === '?';
    return {
      kind: 'repeat',
      body,
      least: written[0] === '+' ? 1 : 0,
      most: isOnce ? 1 : Number.POSITIVE_INFINITY,
    };
  }

  #atom(): PatternNode {
    const character = this.#next();
    switch (character) {
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '.':
        return { kind: 'set', set: ALL & ~(bit(10) | bit(13)) };
      case '(':
        return this.#group();
      case '[':
        return { kind: 'set', set: this.#class() };
      case '\\':
        return this.#escape();
      default:
        return this.#literal(character);
    }
  }

  #group(): PatternNode {
    let isAround = false;
    if (this.#takes('?')) {
      const [opening = ''] = /^(?:<?[=!]|<[^>]*>|[a-z]*(?:-[a-z]*)?:)/.exec(this.#rest()) ?? [];
      this.#at += opening.length;
      isAround = /^<?[=!]$/.test(opening);
    }
    const body = this.choice();
    this.#takes(')');
    return isAround ? { kind: 'around', body } : body;
  }

  #escape(): PatternNode {
    const rest = this.#rest();
    if (/^[bB]/.test(rest)) {
      this.#at += 1;
      return { kind: 'boundary' };
    }
    const [back = ''] = /^(?:[1-9]\d*|k<[^>]*>)/.exec(rest) ?? [];
    if (back !== '') {
      this.#at += back.length;
      return { kind: 'back' };
    }
    return { kind: 'set', set: this.#escapedSet() };
  }

  #escapedSet(): CharacterSet {
    const rest = this.#rest();
    const [property = ''] = (this.#isUnicode && /^[pP]\{[^}]*\}/.exec(rest)) || [];
    if (property !== '') {
      this.#at += property.length;
      return ALL;
    }
    const code = (this.#isUnicode ? CODE_IN_BRACES.exec(rest) : null) ?? CODE.exec(rest);
    if (code !== null) {
      this.#at += code[0].length;
      return this.#cased(Number.parseInt(code[1] ?? code[2] ?? '0', 16));
    }
    const character = this.#next();
    const set = ESCAPED_SETS[character];
    if (set !== undefined) return set;
    // \cX, and what was written as an octal number: any character may be meant.
    if (character === 'c' || /\d/.test(this.#source[this.#at] ?? '')) return ALL;
    return this.#cased(CONTROLS[character] ?? character.codePointAt(0) ?? 0);
  }

  /** Behind "[", up to its "]". */
  #class(): CharacterSet {
    const isNegated = this.#takes('^');
    let set = 0n;
    while (this.#at < this.#source.length && !this.#takes(']')) {
      const from = this.#member();
      const isRange = this.#source[this.#at] === '-' && this.#source[this.#at + 1] !== ']';
      if (!isRange) {
        set |= from.set;
        continue;
      }
      this.#at += 1;
      const to = this.#member();
      set |= from.set | to.set;
      if (from.code === undefined || to.code === undefined) set |= bit(45);
      else
        for (let code = from.code; code <= Math.min(to.code, 128); code += 1)
          set |= this.#cased(code);
    }
    // A class of characters beyond ASCII may leave out some of them only.
    return isNegated ? (ALL & ~set) | OTHERS : set;
  }

  #member(): { set: CharacterSet; code: number | undefined } {
    const start = this.#at;
    const character = this.#next();
    if (character !== '\\') {
      const code = character.codePointAt(0) ?? 0;
      return { set: this.#cased(code), code };
    }
    const set = this.#escapedSet();
    const isSet = /^\\[dDsSwWpP]/.test(this.#source.slice(start));
    // One bit tells which character it is; one that is not of ASCII ends a range behind ASCII.
    const code = isSet ? undefined : lowest(set);
    return { set, code };
  }

  #literal(character: string): PatternNode {
    return { kind: 'set', set: this.#cased(character.codePointAt(0) ?? 0) };
  }

  #cased(code: number): CharacterSet {
    if (!this.#ignoresCase) return bit(code);
    const text = String.fromCodePoint(code);
    const [lower, upper] = [text.toLowerCase(), text.toUpperCase()];
    // "k" and "s" have relatives outside ASCII.
    const others = lower === upper ? 0n : OTHERS;
    return (
      bit(code) | bit(lower.codePointAt(0) ?? code) | bit(upper.codePointAt(0) ?? code) | others
    );
  }

  #rest(): string {
    return this.#source.slice(this.#at);
  }

  #takes(character: string): boolean {
    if (this.#source[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #next(): string {
    const code = this.#source.codePointAt(this.#at) ?? 0;
    const character = String.fromCodePoint(code);
    this.#at += character.length;
    return character;
  }
}

function bit(code: number): CharacterSet {
  return code < 128 ? 1n << BigInt(code) : OTHERS;
}

function range(from: number, to: number): CharacterSet {
  let set = 0n;
  for (let code = from; code <= to; code += 1) set |= bit(code);
  return set;
}

function lowest(set: CharacterSet): number {
  let code = 0;
  while (code < 128 && (set & (1n << BigInt(code))) === 0n) code += 1;
  return code;
}
