// The brake: how many licenses the events of one source may take away in a stretch of time. Limits as a rule file
// writes them (`20/1h`) and as they are when it writes none. Pure; what counts is the journal.

export interface BrakeLimit {
  readonly licenses: number;
  readonly periodMs: number;
}

/** What a rule file calls each, and the action that it holds. Payments and creations are never held. */
export const BRAKES = {
  revoke: 'license.revoke',
  delete: 'license.delete',
  suspend: 'license.suspend',
} as const;
export type BrakeName = keyof typeof BRAKES;

/** By action: `license.revoke`. */
export type BrakeLimits = Readonly<Record<string, BrakeLimit>>;

export const BRAKE_DEFAULTS: Readonly<Record<BrakeName, string>> = {
  revoke: '20/1h',
  delete: '20/1h',
  suspend: '50/1h',
};

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
/** What counts is kept this long. */
export const BRAKE_PERIOD_MS_MAX = 30 * 86_400_000;
const LICENSES_MAX = 100_000;

/** What a limit looks like, for messages. */
export const BRAKE_FORM = 'licenses/time such as 20/1h (0 to 100000 licenses in 1m to 30d)';

/** Reads `20/1h`; undefined for anything else. */
export function parseBrakeLimit(text: string): BrakeLimit | undefined {
  const [, count, length, unit = ''] = /^(\d{1,9})\/(\d{1,6})([mhd])$/.exec(text) ?? [];
  const licenses = Number(count);
  const periodMs = Number(length) * (UNIT_MS[unit] ?? Number.NaN);
  const isRight = licenses <= LICENSES_MAX && periodMs > 0 && periodMs <= BRAKE_PERIOD_MS_MAX;
  return isRight ? { licenses, periodMs } : undefined;
}

/** As a rule file writes it: the longest unit that needs no fraction. */
export function formatBrakeLimit({ licenses, periodMs }: BrakeLimit): string {
  const unit = ['d', 'h', 'm'].find((name) => periodMs % (UNIT_MS[name] ?? 1) === 0) ?? 'm';
  return `${licenses}/${periodMs / (UNIT_MS[unit] ?? 1)}${unit}`;
}

/** The limits by action; a name that is left out has its default. */
export function brakeLimits(
  limitOf: (name: BrakeName) => BrakeLimit | undefined = () => undefined,
): BrakeLimits {
  const names = Object.keys(BRAKES) as BrakeName[];
  return Object.fromEntries(
    names.flatMap((name) => {
      const limit = limitOf(name) ?? parseBrakeLimit(BRAKE_DEFAULTS[name]);
      return limit === undefined ? [] : [[BRAKES[name], limit]];
    }),
  );
}
