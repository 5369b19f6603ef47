// The rules that run, and how others take their place. Takes a way to read all rule files, gives one version
// of all of them at any time. A version is swapped whole, and only for one without errors: on any error the
// last good one goes on, and everybody who looks is told. Never changes a version, so that an event that
// has one in hand is handled by it to its end.

import { messageOf } from '../core/error-codes.ts';
import type { Logger } from '../core/log.ts';
import type { Clock } from '../core/model.ts';
import type { Env } from '../engine/plan/match.ts';
import type { RuleSet } from '../engine/rules/rule-set.ts';
import type { ServerSource } from './source.ts';
import type { SourceThatIsOff } from './sources.ts';

/** All rules as they were read together, and what goes with them. */
export interface RulesVersion {
  /** By source; only sources that are on. */
  readonly ruleSets: ReadonlyMap<string, RuleSet>;
  /** The values of the variables that they read. */
  readonly env: Env;
  /** What can be sent to; those that are off as well. */
  readonly sources: ReadonlyMap<string, ServerSource>;
  /** Further sources that are off; those named like their provider are off for whoever does not sell there. */
  readonly furtherOff: readonly SourceThatIsOff[];
}

export type RulesReading =
  | {
      readonly kind: 'read';
      readonly version: RulesVersion;
      readonly warnings: readonly string[];
    }
  /** As they are printed: the first line of each says what and where. */
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** How the rules that run and those on disk stand to each other. */
export interface RulesState {
  /** Whether the last reading became what runs. */
  readonly isCurrent: boolean;
  /** The first lines of what is wrong on disk. */
  readonly problems: readonly string[];
  /** When what runs was read. */
  readonly loadedAtMs: number;
  readonly lastReadAtMs: number;
}

export interface LiveRules {
  current(): RulesVersion;
  state(): RulesState;
  /**
   * Reads the rules once they stand still, and takes them if they are good. Never rejects.
   * @param why `changed` reads nothing when what was read last is still there
   */
  reload(why: 'asked' | 'changed'): Promise<RulesState>;
  /** Gives up a reload that waits for files to stand still. */
  stop(): Promise<void>;
}

interface LiveRulesParts {
  readonly first: RulesVersion;
  /** The fingerprint of the files that it was read from. */
  readonly firstFingerprint: string;
  read(): RulesReading | Promise<RulesReading>;
  /** Changes whenever a file does. */
  fingerprint(): string;
  /** Called before a version is taken: its texts have to be there for whoever asks why. */
  remember(version: RulesVersion): Promise<void>;
  /** Hears of every reading that was tried. */
  onReload(state: RulesState): void;
  readonly clock: Clock;
  readonly log: Logger;
  /** Files that changed within this time are taken for half-written. */
  readonly settleMs?: number;
}

const SETTLE_MS = 400;

export function createLiveRules(parts: LiveRulesParts): LiveRules {
  const { clock, log, settleMs = SETTLE_MS } = parts;
  const stopped = new AbortController();
  let version = parts.first;
  let lastRead = parts.firstFingerprint;
  let isAsked = false;
  let state: RulesState = {
    isCurrent: true,
    problems: [],
    loadedAtMs: clock.nowMs(),
    lastReadAtMs: clock.nowMs(),
  };
  let running: Promise<RulesState> | undefined;
  let next: Promise<RulesState> | undefined;

  /** What was read while no file changed; undefined when there is nothing to read, or no time left. */
  const readSettled = async (): Promise<RulesReading | undefined> => {
    while (!stopped.signal.aborted) {
      const before = parts.fingerprint();
      if (!(await clock.sleep(settleMs, stopped.signal))) return undefined;
      if (parts.fingerprint() !== before) continue;
      if (before === lastRead && !isAsked) return undefined;
      const reading = withoutLosses(await parts.read(), version);
      if (parts.fingerprint() !== before) continue;
      lastRead = before;
      isAsked = false;
      return reading;
    }
    return undefined;
  };

  const take = async (reading: RulesReading): Promise<void> => {
    const nowMs = clock.nowMs();
    if (reading.kind === 'refused') {
      const problems = reading.problems.map(firstLine);
      state = { ...state, isCurrent: false, problems, lastReadAtMs: nowMs };
      const since = new Date(state.loadedAtMs).toISOString();
      log.error(
        { code: 'RULES_NOT_CURRENT', problems, runningSince: since },
        'the rules on disk are NOT what runs: they have errors, and the last good ones go on',
      );
      return;
    }
    await parts.remember(reading.version).catch((error: unknown) => {
      log.warn({ cause: messageOf(error) }, 'the texts of the rules are not in the journal yet');
    });
    const changed = changesBetween(version, reading.version);
    version = reading.version;
    state = { isCurrent: true, problems: [], loadedAtMs: nowMs, lastReadAtMs: nowMs };
    if (reading.warnings.length > 0) {
      log.warn({ findings: reading.warnings.map(firstLine) }, 'the rules have findings');
    }
    const what = changed.length > 0 ? 'other rules run from now on' : 'the rules are unchanged';
    log.info({ changed }, what);
    tellWhatIsOff(version, log);
  };

  const reloadOnce = async (): Promise<RulesState> => {
    try {
      const reading = await readSettled();
      if (reading !== undefined) {
        await take(reading);
        parts.onReload(state);
      }
    } catch (error) {
      log.error({ cause: messageOf(error) }, 'reloading the rules broke; the last good ones go on');
      state = { ...state, isCurrent: false, problems: ['an unexpected error, see the log'] };
      parts.onReload(state);
    }
    return state;
  };

  const start = (): Promise<RulesState> => {
    running = reloadOnce().finally(() => {
      running = undefined;
    });
    return running;
  };

  return {
    current: () => version,
    state: () => state,
    // What changes while rules are read is seen by the reading after it; one of those is enough.
    reload: (why) => {
      isAsked ||= why === 'asked';
      if (running === undefined) return start();
      next ??= running.then(() => {
        next = undefined;
        return start();
      });
      return next;
    },
    stop: async () => {
      stopped.abort();
      await next;
      await running;
    },
  };
}

/** Somebody wrote the file of a further source, so a secret that is not there was probably forgotten. */
export function tellWhatIsOff({ furtherOff }: RulesVersion, log: Logger): void {
  for (const { name, secretName } of furtherOff) {
    log.warn({ source: name, secret: secretName }, 'a source is off: its secret is not set');
  }
}

/** What whoever looks into the journal is told; undefined when all is well. */
export function noticeOf({ isCurrent, problems, loadedAtMs }: RulesState): string | undefined {
  if (isCurrent) return undefined;
  const [first = '', ...others] = problems;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  const since = new Date(loadedAtMs).toISOString();
  return `the rules on disk are NOT what runs; the rules of ${since} go on. On disk: ${first}${more}`;
}

/** A file that is missing for a moment must not fail the events of its source for good. */
function withoutLosses(reading: RulesReading, running: RulesVersion): RulesReading {
  if (reading.kind === 'refused') return reading;
  const problems = [...running.ruleSets.values()]
    .filter(({ source }) => !reading.version.ruleSets.has(source))
    .map(
      ({ source, file }) =>
        `${file}: error: the source ${source} runs, but its rules or its secret are gone; to give it up, restart [RULES_UNREADABLE]`,
    );
  return problems.length > 0 ? { kind: 'refused', problems } : reading;
}

function changesBetween(before: RulesVersion, after: RulesVersion): readonly string[] {
  return [...after.ruleSets.values()]
    .filter(({ source, hash }) => before.ruleSets.get(source)?.hash !== hash)
    .map(({ source, hash }) => `${source} ${hash.slice(0, 12)}`);
}

/** The rest of a finding quotes the file, which may hold what somebody pasted by mistake. */
function firstLine(problem: string): string {
  return problem.split('\n', 1)[0] ?? '';
}
