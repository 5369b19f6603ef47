// What the console shows beside the journal: the state of the server, and what the rules say of an event.
// Takes the parts of a running server, gives the questions that pages ask. Runs on the sandbox only.

import { explainEvent } from '../authoring/dry-run/explain.ts';
import { differences } from '../authoring/dry-run/explanation-difference.ts';
import { asTest } from '../authoring/rule-tests/export-test.ts';
import type { Config } from '../config/config.ts';
import type { ConsoleParts, ServerFacts } from '../console/parts.ts';
import type { CallMeter } from '../cryptlex/call-meter.ts';
import type { RuleSet } from '../engine/rules/rule-set.ts';
import type { Archive } from '../journal/archive.ts';
import type { CurrentRules } from '../pipeline/pipeline.ts';
import type { RulesState } from '../sources/reload.ts';
import type { ReadinessReport } from '../telemetry/readiness.ts';
import { rulesThen } from './admin-tools.ts';

export interface ConsoleSources {
  readonly config: Pick<Config, 'baseUrl' | 'rateLimit' | 'retentionDays'>;
  readonly archive: Archive;
  /** The rules that run now. */
  currentRules(): CurrentRules;
  rulesState(): RulesState;
  readiness(): Promise<ReadinessReport>;
  isDown(): boolean;
  readonly calls: CallMeter;
}

export function createConsoleTools(
  sources: ConsoleSources,
): Pick<ConsoleParts, 'facts' | 'explain' | 'asTest'> {
  const { config, archive, currentRules } = sources;
  return {
    facts: () => factsOf(sources),
    explain: async ({ record }) => {
      const { ruleSets, env } = currentRules();
      const explain = (ruleSet: RuleSet) =>
        explainEvent(ruleSet, record.event, { env, given: undefined });
      const then = await rulesThen(record, archive);
      const today = ruleSets.get(record.event.source);
      const before = then && (await explain(then));
      const isSame = then !== undefined && then.hash === today?.hash;
      const now = isSame ? before : today && (await explain(today));
      const hasBoth = before !== undefined && now !== undefined && !isSame;
      return { before, now, isSame, differences: hasBoth ? differences(before, now) : [] };
    },
    asTest: (details) => asTest(details, (source) => currentRules().ruleSets.get(source)),
  };

  async function factsOf({ readiness, rulesState, isDown, calls }: ConsoleSources) {
    const { ready, concerns, details } = await readiness();
    const { isCurrent, problems, loadedAtMs } = rulesState();
    const facts: ServerFacts = {
      isReady: ready,
      concerns,
      journal: String(details['journal']),
      rules: {
        ...{ isCurrent, problems, loadedAtMs },
        sources: [...currentRules().ruleSets.values()].map(({ source, file, rules, hash }) => ({
          ...{ name: source, file: file.replace(/^.*[\\/]/, ''), hash },
          rules: rules.length,
        })),
      },
      cryptlex: {
        isDown: isDown(),
        host: new URL(config.baseUrl).host,
        rateLimit: config.rateLimit,
        calls: calls.lastHour(),
      },
      retentionDays: config.retentionDays,
    };
    return facts;
  }
}
