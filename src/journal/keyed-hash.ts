// The journal's way of keeping what must not be readable: a hash under a key of the journal's own. Takes texts,
// gives hexadecimal digests. Never keeps a text but for the moment in which it is asked for again.

import { createHmac } from 'node:crypto';

/** Gives the same digest for the same text, for as long as the journal lives. */
export type KeyedHash = (text: string) => string;

/** A customer's address is hashed three times while one event is worked on, and as many events are in work. */
const REMEMBERED_MAX = 256;

export function createKeyedHash(key: string): KeyedHash {
  const remembered = new Map<string, string>();
  return (text) => {
    const known = remembered.get(text);
    if (known !== undefined) return known;
    const hash = createHmac('sha256', key).update(text).digest('hex');
    remembered.set(text, hash);
    const [oldest] = remembered.keys();
    if (remembered.size > REMEMBERED_MAX && oldest !== undefined) remembered.delete(oldest);
    return hash;
  };
}
