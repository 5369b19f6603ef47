// The process in which drafts are evaluated. Takes one task after the other, answers each; a comparison gets its
// recorded events portion by portion. The server ends it when a task takes too long. Does nothing by itself.

import { ACTIONS } from '../../actions/definitions.ts';
import { loadRuleFile } from '../../engine/load/load.ts';
import type { Env } from '../../engine/plan/match.ts';
import { comparePortion, type Portion } from '../comparison/compare.ts';
import { settingChanges } from '../comparison/settings.ts';
import { Tally } from '../comparison/tally.ts';
import type { RulesVersion } from '../comparison/versions.ts';
import { dryRunRules } from './dry-run-rules.ts';
import type {
  Compared,
  CompareTask,
  DryRun,
  DryRunTask,
  RulesDraft,
  Tried,
  TryTask,
} from './playground.ts';
import { guardProcess } from './process-guard.ts';
import { inputOf, tryRules } from './try-rules.ts';

export type ToProcess =
  | { readonly kind: 'try'; readonly task: TryTask }
  | { readonly kind: 'dry-run'; readonly task: DryRunTask }
  | { readonly kind: 'compare'; readonly task: CompareTask }
  | { readonly kind: 'portion'; readonly portion: Portion }
  | { readonly kind: 'end' };

export type FromProcess =
  | { readonly kind: 'ready' }
  | Tried
  | DryRun
  | Omit<Compared, 'isPart'>
  /** The rules are read, or the portion is done: a further portion may come. */
  | { readonly kind: 'next' }
  | { readonly kind: 'unreadable' }
  /** A mistake of ours. */
  | { readonly kind: 'broken'; readonly message: string };

const GROUPS_MAX = 200;
const IDS_MAX = 5;

interface Running {
  readonly before: RulesVersion;
  readonly after: RulesVersion;
  readonly env: Env;
  readonly tally: Tally;
}

let running: Running | undefined;

async function answerTo(message: ToProcess): Promise<FromProcess> {
  switch (message.kind) {
    case 'try':
      return tryRules(message.task);
    case 'dry-run':
      return dryRunRules(message.task);
    case 'compare': {
      const { running: runs, draft, env } = message.task;
      const [before, after] = [versionOf('running', runs), versionOf('draft', draft)];
      if (before === undefined || after === undefined) return { kind: 'unreadable' };
      running = { before, after, env, tally: new Tally(IDS_MAX) };
      return { kind: 'next' };
    }
    case 'portion':
      if (running !== undefined) await comparePortion(message.portion, running, running.tally);
      return { kind: 'next' };
    case 'end':
      return running === undefined ? { kind: 'unreadable' } : reportOf(running);
    default:
      return message satisfies never;
  }
}

function versionOf(name: string, draft: RulesDraft): RulesVersion | undefined {
  const { ruleSet } = loadRuleFile(inputOf(draft), ACTIONS);
  return ruleSet && { name, ruleSets: [ruleSet], isSingleFile: false };
}

function reportOf({ before, after, tally }: Running): FromProcess {
  const { compared, different, firstMs, lastMs, unusable } = tally.data();
  return {
    kind: 'compared',
    groups: tally.groups().slice(0, GROUPS_MAX),
    settings: settingChanges(before, after),
    counts: { compared, different, firstMs, lastMs },
    erased: unusable.length,
  };
}

/** What is used for the first time takes a second; it is used here, so that no try is ended for it. */
const WARM_UP: TryTask = {
  draft: {
    file: 'stripe.yaml',
    text: 'provider: stripe\nsubject: =data.object.id\nrules:\n  - { id: first, on: invoice.paid, ignore: Nothing. }\n',
    beside: {},
  },
  event:
    '{"id":"evt_1","object":"event","type":"invoice.paid","created":1,"livemode":false,"data":{"object":{"id":"in_1"}}}',
  env: {},
};

const [rssBytesMax, parentPid] = process.argv.slice(2).map(Number);
guardProcess(rssBytesMax ?? 0, parentPid ?? 0);
await tryRules(WARM_UP);
process.on('message', async (message: ToProcess) => {
  const answer = await answerTo(message).catch(
    (error: Error): FromProcess => ({ kind: 'broken', message: error.stack ?? error.message }),
  );
  process.send?.(answer);
});
process.send?.({ kind: 'ready' } satisfies FromProcess);
