// Who is signed in. Takes the admin token and a request's cookie, gives the session it stands for, if any.
// A session is a signed note that only its owner keeps: nothing is stored here, so any replica can read
// what another one signed, and a restart signs nobody out. The key is derived from the admin token, so a
// new token ends every session. Never holds or sends the token itself.

import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../core/secret.ts';

export interface Session {
  /** Random; names the session, and is no secret by itself. */
  readonly id: string;
  readonly startedAtMs: number;
  readonly expiresAtMs: number;
  /** What every change has to carry: `csrf` in a form, `x-csrf-token` from a script. */
  readonly csrfToken: string;
}

export interface Sessions {
  /** Whether this is the admin token. In constant time, so that an answer's time tells nothing of it. */
  isToken(given: string): boolean;
  start(nowMs: number): Session;
  /** The session of a cookie's value; undefined for one that is forged, expired or of another token. */
  read(value: string | undefined, nowMs: number): Session | undefined;
  /** The same session for longer, when a good part of its time is over; undefined when that is not needed. */
  prolong(session: Session, nowMs: number): Session | undefined;
  /** What the cookie holds. */
  write(session: Session): string;
  isCsrfToken(session: Session, given: string | undefined): boolean;
}

export const SESSION_COOKIE = 'keywright_console';

const MINUTE_MS = 60_000;
/** Without a request for so long, one has to sign in again. */
export const SESSION_IDLE_MS = 8 * 60 * MINUTE_MS;
/** After so long, one has to sign in again in any case. */
const SESSION_MS_MAX = 7 * 24 * 60 * MINUTE_MS;
const PROLONG_AFTER_MS = 5 * MINUTE_MS;

export function createSessions(token: Secret): Sessions {
  const wanted = digest(token.reveal());
  const keyOf = (purpose: string) =>
    Buffer.from(hkdfSync('sha256', token.reveal(), '', `keywright console ${purpose}`, 32));
  const cookieKey = keyOf('cookie');
  const csrfKey = keyOf('csrf');
  const sign = (key: Buffer, text: string) =>
    createHmac('sha256', key).update(text).digest('base64url');
  const toSession = (id: string, startedAtMs: number, expiresAtMs: number): Session => ({
    ...{ id, startedAtMs, expiresAtMs },
    csrfToken: sign(csrfKey, id),
  });
  const until = (startedAtMs: number, nowMs: number) =>
    Math.min(nowMs + SESSION_IDLE_MS, startedAtMs + SESSION_MS_MAX);

  return {
    isToken: (given) => timingSafeEqual(digest(given), wanted),
    start: (nowMs) => toSession(randomBytes(18).toString('base64url'), nowMs, until(nowMs, nowMs)),
    read: (value, nowMs) => {
      const parts = /^([\w-]{24})\.(\d{1,15})\.(\d{1,15})\.([\w-]{43})$/.exec(value ?? '');
      if (parts === null) return undefined;
      const [, id = '', started = '', expires = '', mac = ''] = parts;
      if (!isSame(sign(cookieKey, `${id}.${started}.${expires}`), mac)) return undefined;
      return Number(expires) > nowMs ? toSession(id, Number(started), Number(expires)) : undefined;
    },
    prolong: ({ id, startedAtMs, expiresAtMs }, nowMs) => {
      const next = until(startedAtMs, nowMs);
      return next - expiresAtMs >= PROLONG_AFTER_MS ? toSession(id, startedAtMs, next) : undefined;
    },
    write: ({ id, startedAtMs, expiresAtMs }) => {
      const text = `${id}.${startedAtMs}.${expiresAtMs}`;
      return `${text}.${sign(cookieKey, text)}`;
    },
    isCsrfToken: ({ csrfToken }, given) => isSame(csrfToken, given ?? ''),
  };
}

function isSame(wanted: string, given: string): boolean {
  // Hashes have one length, so the comparison tells nothing of the texts.
  return timingSafeEqual(digest(wanted), digest(given));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
