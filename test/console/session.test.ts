// Sessions: notes that the server signs and keeps nowhere.

import { describe, expect, test } from 'vitest';
import { createSessions, SESSION_IDLE_MS } from '../../src/console/session.ts';
import { Secret } from '../../src/core/secret.ts';

const NOW_MS = 1_800_000_000_000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const sessions = createSessions(new Secret('token'));
const session = sessions.start(NOW_MS);
const cookie = sessions.write(session);

describe('a session', () => {
  test('is read by every server with the same admin token', () => {
    const replica = createSessions(new Secret('token'));
    expect(replica.read(cookie, NOW_MS)).toEqual(session);
    expect(replica.isCsrfToken(session, session.csrfToken)).toBe(true);
  });

  test('ends when the admin token changes', () => {
    const changed = createSessions(new Secret('token2'));
    expect(changed.read(cookie, NOW_MS)).toBeUndefined();
    expect(changed.isCsrfToken(changed.start(NOW_MS), session.csrfToken)).toBe(false);
  });

  test('lasts to its last millisecond, and not longer', () => {
    expect(sessions.read(cookie, NOW_MS + SESSION_IDLE_MS - 1)).toEqual(session);
    expect(sessions.read(cookie, NOW_MS + SESSION_IDLE_MS)).toBeUndefined();
  });

  const parts = cookie.split('.');
  const later = String(session.expiresAtMs + DAY_MS);
  test.each([
    ['there is none', undefined],
    ['it is empty', ''],
    ['its end was put off', [parts[0], parts[1], later, parts[3]].join('.')],
    ['its beginning was changed', [parts[0], later, parts[2], parts[3]].join('.')],
    ['its name was changed', [parts[0]?.replace(/^./, '!'), ...parts.slice(1)].join('.')],
    ['it is of another name', [sessions.start(NOW_MS).id, ...parts.slice(1)].join('.')],
    ['its signature is missing', parts.slice(0, 3).join('.')],
    ['its signature is another', [...parts.slice(0, 3), 'A'.repeat(43)].join('.')],
    ['something stands behind it', `${cookie}.x`],
    ['it is the CSRF token', session.csrfToken],
    ['it is the admin token', 'token'],
  ])('is none when %s', (_, value) => {
    expect(sessions.read(value, NOW_MS)).toBeUndefined();
  });

  test('is made longer by use, not with each request, and never beyond a week', () => {
    expect(sessions.prolong(session, NOW_MS + MINUTE_MS)).toBeUndefined();
    const longer = sessions.prolong(session, NOW_MS + 10 * MINUTE_MS);
    expect(longer).toEqual({ ...session, expiresAtMs: session.expiresAtMs + 10 * MINUTE_MS });
    let current = session;
    let nowMs = NOW_MS;
    while (sessions.read(sessions.write(current), nowMs) !== undefined) {
      current = sessions.prolong(current, nowMs) ?? current;
      nowMs += 60 * MINUTE_MS;
    }
    expect(nowMs - NOW_MS).toBe(7 * DAY_MS);
  });

  test('has a CSRF token of its own, which its cookie does not tell', () => {
    const other = sessions.start(NOW_MS);
    expect(sessions.isCsrfToken(session, session.csrfToken)).toBe(true);
    for (const given of [other.csrfToken, session.id, cookie, '', undefined]) {
      expect(sessions.isCsrfToken(session, given)).toBe(false);
    }
    expect(cookie).not.toContain(session.csrfToken);
  });

  test('never holds the admin token', () => {
    expect(JSON.stringify(session) + cookie).not.toContain('token');
    expect(sessions.isToken('token')).toBe(true);
    for (const given of ['', 'toke', 'token ', 'Token', 'token2']) {
      expect(sessions.isToken(given)).toBe(false);
    }
  });
});
