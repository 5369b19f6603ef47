// Whether the server is ready, and what worries it. A token that is
// refused, a Cryptlex that is away, or broken rules on disk are told, but webhooks can be taken all the same.

import type { AppErrorCode } from '../core/error-codes.ts';
import type { JsonObject } from '../core/model.ts';
import type { CryptlexHealth } from '../cryptlex/circuit-breaker.ts';
import type { RuleSet } from '../engine/rules/rule-set.ts';
import type { Journal } from '../journal/journal.ts';
import type { RulesState } from '../sources/reload.ts';

interface Concern {
  readonly code: AppErrorCode;
  readonly message: string;
}

export interface ReadinessReport {
  readonly ready: boolean;
  readonly concerns: readonly Concern[];
  readonly details: JsonObject;
}

/** Probes wait this long at most for an answer of ours. */
const PING_MS = 2_000;

export function createReadiness(parts: {
  journal: Journal;
  /** The rules that run now. */
  ruleSets(): ReadonlyMap<string, RuleSet>;
  rulesState(): RulesState;
  /** How many events hold a slot since their end could not be written down. */
  unsettled(): number;
  cryptlex(): CryptlexHealth;
}): { report(): Promise<ReadinessReport> } {
  const { journal } = parts;
  return {
    report: async () => {
      const writable = await answers(journal);
      const concerns: Concern[] = [...concernsOf(parts.cryptlex())];
      if (!writable) {
        concerns.push({ code: 'JOURNAL_UNAVAILABLE', message: 'The journal does not answer.' });
      }
      const unsettled = parts.unsettled();
      if (unsettled > 0) {
        const message = `Events that have ended and hold a slot, since that cannot be written down: ${unsettled}.`;
        concerns.push({ code: 'EVENTS_NOT_SETTLED', message });
      }
      const stale = staleRules(parts.rulesState());
      if (stale !== undefined) concerns.push(stale);
      const ruleSets = parts.ruleSets();
      const sources = [...ruleSets.values()].map(({ source, hash }) => ({ source, rules: hash }));
      const details = { journal: journal.kind, sources };
      return { ready: writable && ruleSets.size > 0, concerns, details };
    },
  };
}

function concernsOf(health: CryptlexHealth): readonly Concern[] {
  const { kind } = health;
  if (kind === 'works') return [];
  const { status } = health;
  if (kind === 'refuses-token') {
    return [{ code: 'CRYPTLEX_TOKEN', message: `Cryptlex refuses the access token (${status}).` }];
  }
  const what = status === undefined ? 'cannot be reached' : `answers ${status}`;
  return [{ code: 'CRYPTLEX_UNAVAILABLE', message: `Cryptlex ${what}.` }];
}

/** Anybody may ask for readiness, so it tells where the first error is and leaves its words to the log. */
function staleRules({ isCurrent, problems, loadedAtMs }: RulesState): Concern | undefined {
  if (isCurrent) return undefined;
  const [first = ''] = problems;
  const place = /^(.+?:\d+:\d+): .*(\[[A-Za-z_]+\])$/.exec(first)?.slice(1).join(' ') ?? '';
  const since = new Date(loadedAtMs).toISOString();
  const where = place === '' ? '' : `, the first at ${place}`;
  const message = `The rules on disk are not what runs: errors: ${problems.length}${where}. The rules of ${since} go on; the log and \`keywright check\` say what is wrong.`;
  return { code: 'RULES_NOT_CURRENT', message };
}

async function answers(journal: Journal): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PING_MS);
  });
  const ping = journal.ping().then(
    () => true,
    () => false,
  );
  const writable = await Promise.race([ping, late]);
  clearTimeout(timer);
  return writable;
}
