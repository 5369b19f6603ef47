// Takes what is personal out of an event. Takes a provider's JSON, gives the same with placeholders for
// e-mail addresses, names, phone numbers, postal addresses, IPs, links, license keys and secrets. The same
// value becomes the same placeholder wherever it stands. Ids stay: rules need them.

import type { JsonObject, JsonValue } from '../../core/model.ts';

/** What is found by the name of its member, in lower case and without signs. */
const MEMBERS: readonly (readonly [pattern: RegExp, placeholder: string])[] = [
  [/^(?:first|firstname|givenname)$/, 'First'],
  [/^(?:last|lastname|familyname|surname)$/, 'Last'],
  [/^(?:\w+)?name$/, 'Name'],
  [/^(?:company|businessname|organization)$/, 'Company'],
  [/phone|^fax$/, 'Phone'],
  [/^(?:address)?line\d?$|^street/, 'Street'],
  [/^(?:city|town|locality)$/, 'City'],
  [/^(?:postalcode|zip|zipcode|postcode)$/, 'Postcode'],
  [/^region(?:display|code|custom)?$/, 'Region'],
  [/^(?:last4|cardending|iban|accountnumber)$/, 'Card'],
  [/^(?:taxid|vatid|vatnumber|taxnumber)$/, 'Tax id'],
  [/^(?:license|licensekey|licensecode|serial|serialnumber)$/, 'License key'],
  // FastSpring's key to an account.
  [/^global$/, 'Account'],
  [/secret|token$|password|signature/, 'Secret'],
  [/^(?:useragent|browser)$/, 'Browser'],
  [/^(?:note|notes|memo|comment|comments|message)$/, 'Note'],
];

/** In an address these are personal as well; elsewhere they say how something stands. */
const ADDRESS_MEMBERS: readonly (readonly [pattern: RegExp, placeholder: string])[] = [
  [/^state$/, 'Region'],
  [/^display$/, 'Address'],
];

/** Things that are sold have names, too. */
const NAMED_THINGS =
  /^(?:product|price|plan|discount|coupon|promotion|method|items?|lines?|lineitems|data)$/;

const EMAIL = /[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu;
const IP = /\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[\da-f]{1,4}:){4,7}[\da-f]{0,4}\b/gi;
const LINK = /https?:\/\/[^\s"'<>]+/g;
/** What programs say to each other; a person who is called like it does not make it personal. */
const MACHINE_WORD = /^[a-z0-9_.:/-]*$/;

/** @param event is left as it is */
export function scrub(event: JsonObject): JsonObject {
  const scrubber = new Scrubber();
  scrubber.collect(event, EVENT);
  return scrubber.rewrite(event, EVENT) as JsonObject;
}

/** Where a value stands. */
interface Place {
  /** The name of the member that holds it; of a list's items, that of the list. */
  readonly member: string;
  readonly inAddress: boolean;
  /** What it is, where its place says that it is personal. */
  readonly kind: string | undefined;
}

const EVENT: Place = { member: '', inAddress: false, kind: undefined };

class Scrubber {
  readonly #placeholders = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  /** Texts that are personal by their place. */
  readonly #personal = new Set<string>();

  /** Finds what is personal by its place, so that it is known wherever else it stands. */
  collect(value: JsonValue, place: Place): void {
    if (typeof value === 'string' && place.kind !== undefined && isName(value)) {
      this.#placeholderFor(value, place.kind);
      this.#personal.add(value);
    }
    for (const [inner, at] of membersOf(value, place)) this.collect(inner, at);
  }

  rewrite(value: JsonValue, place: Place): JsonValue {
    if (typeof value === 'string') {
      const own = place.kind !== undefined && isName(value);
      return own ? this.#placeholderFor(value, place.kind) : this.#rewriteText(value);
    }
    const rewritten = membersOf(value, place).map(([inner, at]) => this.rewrite(inner, at));
    if (Array.isArray(value)) return rewritten;
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.keys(value).map((name, index) => [name, rewritten[index] ?? null]),
    );
  }

  #rewriteText(text: string): string {
    const holdsPattern = [EMAIL, IP, LINK].some((pattern) => text.search(pattern) !== -1);
    if (MACHINE_WORD.test(text) && !holdsPattern) return text;
    let rewritten = text
      .replaceAll(LINK, (link) => this.#placeholderFor(link, 'https://example.com/'))
      .replaceAll(EMAIL, (email) => this.#placeholderFor(email, 'person-@example.com'))
      .replaceAll(IP, (ip) => this.#placeholderFor(ip, '192.0.2.'));
    const longestFirst = [...this.#personal].toSorted((a, b) => b.length - a.length);
    for (const personal of longestFirst) {
      if (personal.length < 3 || !rewritten.includes(personal)) continue;
      const placeholder = this.#placeholders.get(personal.trim().toLowerCase()) ?? '';
      const escaped = personal.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
      const whole = new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'gu');
      rewritten = rewritten.replaceAll(whole, placeholder);
    }
    return rewritten;
  }

  /** One e-mail address is the same however it is written. */
  #placeholderFor(text: string, kind: string): string {
    const key = text.trim().toLowerCase();
    const known = this.#placeholders.get(key);
    if (known !== undefined) return known;
    const number = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, number);
    const made = writtenAs(kind, number);
    this.#placeholders.set(key, made);
    return made;
  }
}

function writtenAs(kind: string, number: number): string {
  if (kind.startsWith('person-')) return `person-${number}@example.com`;
  return /[./]$/.test(kind) ? `${kind}${number}` : `${kind} ${number}`;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** An address by e-mail is told by its own look, and a blank text tells nothing. */
function isName(value: string): boolean {
  return value.trim() !== '' && value.search(EMAIL) === -1;
}

/** What a value holds, each with its place. */
function membersOf(value: JsonValue, place: Place): readonly (readonly [JsonValue, Place])[] {
  if (Array.isArray(value)) return value.map((item) => [item, place]);
  if (typeof value !== 'object' || value === null) return [];
  const names = Object.keys(value).map(plain);
  const isAddress = place.inAddress || names.some((name) => /^(?:city|postalcode|zip)$/.test(name));
  // Whoever has an e-mail address or a phone is a person, whatever the map around is called.
  const isPerson = names.some((name) => /email|phone/.test(name));
  return Object.entries(value).map(([name, inner]) => {
    const member = plain(name);
    const kind = kindOf(member, { parent: place.member, isAddress, isPerson });
    return [inner, { member, inAddress: /address/.test(member), kind }];
  });
}

function kindOf(
  name: string,
  { parent, isAddress, isPerson }: { parent: string; isAddress: boolean; isPerson: boolean },
): string | undefined {
  const table = isAddress ? [...MEMBERS, ...ADDRESS_MEMBERS] : MEMBERS;
  const found = table.find(([pattern]) => pattern.test(name))?.[1];
  const isThing = name === 'name' && NAMED_THINGS.test(parent) && !isPerson;
  if (found === 'Name' && isThing) return undefined;
  return found ?? (isPerson && name === 'description' ? 'Note' : undefined);
}
